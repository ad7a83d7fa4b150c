package mounttest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"clawfs/backing/backingtest"
	"clawfs/fs"
	"clawfs/fs/uring"
)

// waitingRequests returns how many requests of the mount the kernel has no answer to.
func (m *mount) waitingRequests(control string) int {
	m.t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(m.dir, &st); err != nil {
		m.t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(control, strconv.Itoa(int(unix.Minor(st.Dev))), "waiting"))
	n := 0
	if err == nil {
		n, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// entries returns how many requests the daemon can have at once, as clawfs status tells.
func (m *mount) entries() int {
	m.t.Helper()
	clawfs, err := build()
	if err != nil {
		m.t.Fatal(err)
	}
	var status struct {
		Transport struct{ Entries int }
	}
	text, err := exec.Command(clawfs, "status", "--json", m.dir).Output()
	if err == nil {
		err = json.Unmarshal(text, &status)
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return status.Transport.Entries
}

// While a disk does not answer, more commits wait than a ring has entries, from one processor;
// whoever wants nothing from the disk is answered, on each processor. A writer that is killed
// meanwhile goes, one that is stopped goes on. All that is acknowledged is there afterwards.
func TestMoreCommitsWaitThanTheRingHasEntries(t *testing.T) {
	if err := uring.Check(); err != nil {
		t.Skip(err)
	}
	need(t, "fsfreeze")
	disk := backingtest.NewDisk(t, "ext4", 96, "-F")
	const writers = 150 // a ring has room for 127
	if err := os.Mkdir(filepath.Join(disk.Dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range writers {
		write(t, filepath.Join(disk.Dir, "state"), fmt.Sprintf("%d.json", i), "[1]\n")
	}
	m := mountOnDisk(t, disk.Dir, "--transport", fs.RingTransport)
	control := t.TempDir()
	if err := unix.Mount("test", control, "fusectl", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(control, unix.MNT_DETACH) })
	if out, err := exec.Command("fsfreeze", "-f", disk.Dir).CombinedOutput(); err != nil {
		t.Skipf("fsfreeze: %v %s", err, out)
	}
	thaw := func() { _ = exec.Command("fsfreeze", "-u", disk.Dir).Run() }
	t.Cleanup(thaw)
	var all []*process
	for i := range writers {
		all = append(all, start(t, m.dir, []string{"taskset", "-c", "0", "sh", "-c", fmt.Sprintf(`echo "[1, %d]" >%d.json`, i, i)}))
	}
	if !eventually(30*time.Second, func() bool { return m.waitingRequests(control) >= writers }) {
		t.Fatalf("%d requests wait", m.waitingRequests(control))
	}
	for cpu := range runtime.NumCPU() {
		succeed(t, m.dir, []string{"timeout", "20", "taskset", "-c", strconv.Itoa(cpu), "sh", "-ec", `stat -c %s 1.json; test "$(cat 1.json)" = "[1]"`})
	}
	killed, stopped := all[3].cmd.Process, all[4].cmd.Process
	_, _ = killed.Signal(unix.SIGKILL), stopped.Signal(unix.SIGSTOP)
	if n := m.entries(); n < writers {
		t.Errorf("%d entries for %d requests", n, writers)
	}
	thaw()
	_ = stopped.Signal(unix.SIGCONT)
	for i, p := range all {
		r := p.wait()
		switch content := read(t, m.dir, fmt.Sprintf("%d.json", i)); {
		case i == 3 && content == "[1]\n": // its write may be there or not
		case i != 3 && r.code != 0:
			t.Errorf("writer %d: %d %s", i, r.code, r.stderr)
		case content != fmt.Sprintf("[1, %d]\n", i):
			t.Errorf("%d.json holds %q", i, content)
		}
	}
}
