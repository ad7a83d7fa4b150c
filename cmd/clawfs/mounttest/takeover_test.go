package mounttest

import (
	"bufio"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var daemonLine = regexp.MustCompile(` mounted \{.*"pid": ([0-9]+)`)

// daemons returns the processes that have served the mount, one after another.
func (m *mount) daemons() (pids []int) {
	for _, found := range daemonLine.FindAllStringSubmatch(m.logText(), -1) {
		pid, _ := strconv.Atoi(found[1])
		pids = append(pids, pid)
	}
	return pids
}

// takenOver kills the daemon, and returns when another one has taken over. Nobody is waited
// for before that.
func (m *mount) takenOver() {
	m.t.Helper()
	before := len(m.daemons())
	if err := unix.Kill(m.pid, unix.SIGKILL); err != nil {
		m.t.Fatal(err)
	}
	if !eventually(20*time.Second, func() bool { return len(m.daemons()) > before }) {
		m.t.Fatalf("no other daemon has taken over\n%s", m.logTail())
	}
	m.pid = m.daemons()[before]
}

// The open files of a program go on over the death of the daemon, as if there had been none: in
// a bare directory the program prints the same.
func TestOpenFilesOutliveTheDaemon(t *testing.T) {
	t.Parallel()
	m := newMount(t, "--takeover")
	outlive := func(dir string, between func()) string {
		t.Helper()
		line := program(t, "programs/outlives.py", dir)
		cmd := exec.Command(line[0], line[1:]...)
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		var said strings.Builder
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if ready, err := lines.ReadString('\n'); ready != "ready\n" {
			t.Fatalf("%q, %v, %s", ready, err, said.String())
		}
		between()
		_, _ = io.WriteString(in, "go\n")
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, said.String())
		}
		return string(rest)
	}
	want := outlive(newDir(t), func() {})
	got := outlive(m.dir, func() {
		m.takenOver()
		m.takenOver()
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bare (-) and mounted (+):\n%s", diff)
	}
}
