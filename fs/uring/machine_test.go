package uring

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bound runs f on a thread that may use one processor only, as taskset has it.
func bound(t *testing.T, processor int, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		defer close(done)      // f may end the test
		runtime.LockOSThread() // and never unlocked: the thread ends
		var one unix.CPUSet
		one.Set(processor)
		err := unix.SchedSetaffinity(0, &one)
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Threads keep to the processors that the process may use, and serve all others from there.
func TestThreadsKeepToTheirProcessors(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("there is one processor")
	}
	needRing(t)
	var m *mount
	bound(t, 1, func() { m = newMount(t, smallPlan(t, 2, 4096)) })
	if m == nil {
		return
	}
	m.everyProcessor(`test "$(cat data)" = ""; echo >>data; : >data`)
	m.server.watch.mu.Lock()
	defer m.server.watch.mu.Unlock()
	for _, th := range m.server.watch.threads {
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(int(th.id.Load()), &set); err != nil {
			t.Error(err)
		}
		if is, want := set.Count() == 1, th.queue == 1; is != want {
			t.Errorf("the thread of queue %d is bound: %t", th.queue, is)
		}
	}
}

// When a processor goes, the kernel moves the threads that are bound to it, with requests in the
// middle, and they do not come back. Each queue is served all the same.
func TestThreadsAreMoved(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	waiting := []*client{m.openOn("0", "gate"), m.open("gate")}
	waitFor(t, func() bool { return m.waiting.Load() == 2 })
	last := runtime.NumCPU() - 1
	for _, to := range []int{0, last, 0} {
		var one unix.CPUSet
		one.Set(to)
		m.server.watch.mu.Lock()
		for _, th := range m.server.watch.threads {
			if err := unix.SchedSetaffinity(int(th.id.Load()), &one); err != nil {
				t.Error(err)
			}
		}
		m.server.watch.mu.Unlock()
		m.everyProcessor(`test "$(cat data)" = ""; echo >>data; : >data`)
	}
	close(m.gate)
	for _, c := range waiting {
		if said := c.said(); said != "opened" {
			t.Error(said)
		}
	}
}

// hotplugVariable has TestProcessorsComeAndGo take a processor away, which all that runs on
// the machine notices.
const hotplugVariable = "CLAWFS_TEST_HOTPLUG"

// Requests that come from a processor are answered when it is gone, and when it is back.
func TestProcessorsComeAndGo(t *testing.T) {
	if os.Getenv(hotplugVariable) == "" {
		t.Skip(hotplugVariable + " is not set")
	}
	const online = "/sys/devices/system/cpu/cpu1/online"
	turn := func(to string) {
		if err := os.WriteFile(online, []byte(to), 0); err != nil {
			t.Skip(err)
		}
	}
	m := newMount(t, smallPlan(t, 1, 4096))
	t.Cleanup(func() { turn("1") })
	waiting := []*client{m.openOn("1", "gate"), m.openOn("1", "gate")}
	waitFor(t, func() bool { return m.waiting.Load() == 2 })
	stop := filepath.Join(t.TempDir(), "stop")
	load := exec.Command("bash", "-c", `cd "$1"; for i in 1 2 3 4; do (while ! test -e "$2"; do cat data && echo >>data && : >data || exit 1; done) & done; for i in 1 2 3 4; do wait -n || exit 1; done`, "bash", m.dir, stop)
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		turn("0")
		time.Sleep(200 * time.Millisecond)
		m.sh("taskset -c 0 stat -c %s data")
		late := m.open("gate")
		waitFor(t, func() bool { return int(m.waiting.Load()) == len(waiting)+1 })
		waiting = append(waiting, late)
		turn("1")
		time.Sleep(200 * time.Millisecond)
		m.everyProcessor("stat -c %s data")
	}
	if err := os.WriteFile(stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := load.Wait(); err != nil {
		t.Error(err)
	}
	close(m.gate)
	for _, c := range waiting {
		if said := c.said(); said != "opened" {
			t.Error(said)
		}
	}
}

// serverVariable makes this binary a server of the small file system, mounted on the directory
// that the variable names, until standard input ends.
const serverVariable = "CLAWFS_TEST_URING_SERVER"

// TestServer is no test, but the server's process.
func TestServer(t *testing.T) {
	dir := os.Getenv(serverVariable)
	if dir == "" {
		t.Skip(serverVariable + " is not set")
	}
	newMountOn(t, dir, smallPlan(t, 2, 4096), quickly)
	fmt.Println("mounted")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// served is a server in a process of its own.
type served struct {
	m     *mount // its directory alone
	cmd   *exec.Cmd
	stdin io.Closer
}

// serveElsewhere starts a server by a command that is given it as arguments.
func serveElsewhere(t *testing.T, command ...string) *served {
	t.Helper()
	needRing(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(command), self, "-test.run=^TestServer$", "-test.v")
	s := &served{m: &mount{t: t, dir: t.TempDir()}, cmd: exec.Command(args[0], args[1:]...)}
	s.cmd.Env = append(os.Environ(), serverVariable+"="+s.m.dir)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stdin.Close()
		_ = s.cmd.Wait()
		_ = unix.Unmount(s.m.dir, unix.MNT_DETACH)
	})
	c := client{lines: bufio.NewReader(out)}
	for line := c.said(); line != "mounted"; line = c.said() {
		if line == "" {
			t.Fatal("the server did not start")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return s
}

// A caller that the server's namespace of processes does not have is process 0, as on the
// device.
func TestCallerOutsideOfTheNamespaceIsNobody(t *testing.T) {
	s := serveElsewhere(t, "unshare", "--pid", "--fork", "--kill-child")
	if got := s.m.sh("cat who"); got != "0 0 0" {
		t.Errorf("process 0 is seen as %s", got)
	}
	if got := s.m.sh("setpriv --reuid 1234 --regid 4321 --clear-groups cat who"); got != "0 1234 4321" {
		t.Errorf("another user is seen as %s", got)
	}
}

// A server that is stopped holds up its callers no longer than it is. One that is killed, with
// requests in the middle, sets them free, and leaves a dead mount.
func TestServerIsStoppedAndKilled(t *testing.T) {
	s := serveElsewhere(t)
	waiting := []*client{s.m.openOn("0", "gate"), s.m.open("gate")}
	stopped := s.m.open("gate")
	_ = stopped.cmd.Process.Signal(unix.SIGSTOP)
	s.m.everyProcessor("stat -c %s data")
	_ = s.cmd.Process.Signal(unix.SIGSTOP)
	late := s.m.open("data")
	time.Sleep(50 * time.Millisecond)
	_ = s.cmd.Process.Signal(unix.SIGCONT)
	if said := late.said(); said != "opened" {
		t.Error(said)
	}
	_ = s.cmd.Process.Signal(unix.SIGSTOP)
	waiting = append(waiting, s.m.open("data"))
	time.Sleep(50 * time.Millisecond)
	_ = s.cmd.Process.Kill()
	_ = stopped.cmd.Process.Signal(unix.SIGCONT)
	for i, c := range append(waiting, stopped) {
		said := c.said()
		if !slices.ContainsFunc([]unix.Errno{unix.ECONNABORTED, unix.ENOTCONN, unix.ECANCELED, unix.EINTR}, func(e unix.Errno) bool { return said == e.Error() }) {
			t.Errorf("client %d: %q", i, said)
		}
	}
	waitFor(t, func() bool {
		_, err := os.Stat(s.m.dir)
		return err != nil && strings.Contains(err.Error(), "not connected")
	})
}
