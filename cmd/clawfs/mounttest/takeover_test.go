package mounttest

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
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

// A watcher of a registry itself hears of writes after another daemon has taken over.
func TestWatchesOutliveTheDaemon(t *testing.T) {
	t.Parallel()
	m := newMount(t, "--takeover")
	write(t, m.dir, "watched.json", headBefore)
	line := program(t, "programs/events.py", "file", filepath.Join(m.dir, "watched.json"))
	cmd := exec.Command(line[0], line[1:]...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string)
	go func() {
		defer close(heard)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			heard <- lines.Text()
		}
	}()
	defer func() {
		_ = cmd.Process.Kill()
		for range heard { // until it has ended
		}
		_ = cmd.Wait()
	}()
	await := func(what string) {
		t.Helper()
		for limit := time.After(20 * time.Second); ; {
			select {
			case got := <-heard:
				if got == what {
					return
				}
			case <-limit:
				t.Fatalf("%s was not heard", what)
			}
		}
	}
	await("ready")
	for _, content := range []string{`{"n":1}`, `{"n":2}`} {
		m.takenOver()
		write(t, m.dir, "watched.json", content)
		await("MODIFY")
	}
	if err := os.Remove(filepath.Join(m.dir, "watched.json")); err != nil {
		t.Fatal(err)
	}
	await("DELETE_SELF")
}

// outlives runs a program that says "ready" and waits for a line, calls between then, and returns what
// the program prints afterwards. It must not fail.
func outlives(t *testing.T, line []string, between func()) string {
	t.Helper()
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

// Files that a program has open go on over the death of the daemon, as if there had been none:
// in a bare directory the program prints the same. So does what it has staged.
func TestOpenFilesOutliveTheDaemon(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"outlives.py", "staged.py"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMount(t, "--takeover")
			want := outlives(t, program(t, "programs/"+name, newDir(t)), func() {})
			got := outlives(t, program(t, "programs/"+name, m.dir), func() {
				m.takenOver()
				m.takenOver()
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("bare (-) and mounted (+):\n%s", diff)
			}
		})
	}
}

// What is staged over the death of a daemon is merged with what others have committed since it was
// begun, before that and after it.
func TestStagedContentIsMergedOverADeath(t *testing.T) {
	t.Parallel()
	need(t, "jq")
	m := newMount(t, "--takeover")
	write(t, m.dir, "members.json", `{"first": "first"}`)
	file := filepath.Join(m.dir, "members.json")
	add := func(name string) {
		succeed(t, m.dir, []string{"sh", "-c", `text=$(jq --arg n "$2" '.[$n] = $n' "$1") && echo "$text" >"$1"`, "sh", file, name})
	}
	outlives(t, program(t, "programs/adds-late.py", file, "late"), func() {
		add("before")
		m.takenOver()
		add("after")
		m.takenOver()
	})
	got := make(map[string]string)
	if err := json.Unmarshal([]byte(read(t, m.dir, "members.json")), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "before", "after", "late"} {
		if got[name] != name {
			t.Errorf("%s is missing: %v", name, got)
		}
	}
}

// No program meets an error, nothing that one was told to be there is lost, and nothing is there twice, whenever
// the daemon is killed. CLAWFS_DEATHS says how often it is. scripts/campaign-takeover kills it a thousand times.
func TestWritersOutliveDeaths(t *testing.T) {
	t.Parallel()
	deaths := setting(t, "CLAWFS_DEATHS", 5)
	m := newMount(t, "--takeover", "--most-deaths", strconv.Itoa(2*deaths))
	s := newSurvivors(m, time.Duration(deaths)*time.Minute)
	s.beginWriters()
	s.beginWorks("watched watched.json", "cuts cuts.txt")
	for range deaths {
		if !s.awaitCommits(10) {
			break
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		m.takenOver()
	}
	acknowledged, lost := s.end()
	t.Logf("FAULT|SIGKILL of a daemon, another one takes over (mount)|%d|%d|%d|0|0", deaths, acknowledged, lost)
}

// Requests that can't be done twice are done once, whenever the daemon is killed: programs
// that claim names meet no error, and appended lines are there once.
func TestNamesAreClaimedOnceOverDeaths(t *testing.T) {
	t.Parallel()
	const deaths = 8
	m := newMount(t, "--takeover", "--most-deaths", strconv.Itoa(2*deaths))
	stop := filepath.Join(t.TempDir(), "stop")
	var started []*process
	for _, what := range []string{"mkdir", "exclusive", "queue", "directories", "append"} {
		home := filepath.Join(m.dir, what)
		if err := os.Mkdir(home, 0o755); err != nil {
			t.Fatal(err)
		}
		started = append(started, start(t, m.dir, program(t, "programs/claims.py", what, home, stop)))
	}
	for range deaths {
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		m.takenOver()
	}
	if err := os.WriteFile(stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range started {
		if r := p.wait(); r.code != 0 || r.stdout == "0\n" {
			t.Errorf("%v", r)
		}
	}
}
