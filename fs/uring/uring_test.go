package uring

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// smallPlan is a plan for this machine.
func smallPlan(t *testing.T, entries, size int) Plan {
	t.Helper()
	n, err := PossibleProcessors()
	if err != nil {
		t.Fatal(err)
	}
	return Plan{Queues: n, Entries: entries, MaxWrite: size, Most: 64 * n}
}

// everyProcessor runs a script in the mount on each processor in turn.
func (m *mount) everyProcessor(script string) {
	m.t.Helper()
	for cpu := range runtime.NumCPU() {
		m.sh(fmt.Sprintf("taskset -c %d sh -ec '%s'", cpu, script))
	}
}

func TestFilesAreReadAndWritten(t *testing.T) {
	for i, size := range []int{4096, 128 << 10, 1 << 20} {
		m := newMountOf(t, smallPlan(t, 2, size), func(Request) bool { return i == 0 })
		got := m.sh(`head -c 600000 /dev/urandom >../bytes; cat ../bytes >data; cmp data ../bytes; rm ../bytes; stat -c %s data; : >data; echo end >>data; cat data; ls`)
		if want := "600000\nend\ndata\ngate\nwho"; got != want {
			t.Errorf("requests of %d bytes: %q", size, got)
		}
		m.everyProcessor(`test "$(cat data)" = end; echo end >data; ls >/dev/null`)
	}
}

func TestRequestsGoByTheRing(t *testing.T) {
	m := newMount(t, smallPlan(t, 2, 4096))
	open := m.open("gate")
	waitFor(t, func() bool { return m.waiting.Load() == 1 && len(m.server.interrupts.requests()) == 1 })
	close(m.gate)
	if said := open.said(); said != "opened" {
		t.Error(said)
	}
}

// Handlers that wait hold up nobody, however many there are.
func TestHandlersThatWaitHoldUpNobody(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	const clients = 30
	var waiting []*client
	for i := range clients {
		waiting = append(waiting, m.open("gate"))
		waitFor(t, func() bool { return int(m.waiting.Load()) == i+1 })
		m.everyProcessor("stat -c %s data")
	}
	close(m.gate)
	for _, c := range waiting {
		if said := c.said(); said != "opened" {
			t.Error(said)
		}
	}
	if n := m.server.Entries(); n < clients || m.server.Memory() != int64(n)*minPayload {
		t.Errorf("%d entries, %d bytes", n, m.server.Memory())
	}
}

// More requests from one processor may wait for something than a ring has room for.
func TestMoreWaitThanARingHasRoomFor(t *testing.T) {
	plan := smallPlan(t, 8, 4096)
	plan.Most = 4 * ringEntries
	m := newMount(t, plan)
	t.Cleanup(func() { close(m.gate) })
	const clients = ringEntries + 20
	for i := range clients {
		m.openOn("0", "gate")
		waitFor(t, func() bool { return int(m.waiting.Load()) == i+1 })
	}
	m.everyProcessor("stat -c %s data")
	if n := m.server.Entries(); n < clients {
		t.Errorf("%d entries", n)
	}
}

// A handler that was thought quick and is not holds up its thread. Requests that come once
// that is noticed are handled by others.
func TestThreadThatIsStuckIsRelieved(t *testing.T) {
	m := newMountOf(t, smallPlan(t, 4, 4096), func(Request) bool { return true })
	const clients = 5
	var waiting []*client
	for i := range clients {
		waiting = append(waiting, m.open("gate"))
		waitFor(t, func() bool { return int(m.waiting.Load()) == i+1 })
		time.Sleep(100 * time.Millisecond)
		m.everyProcessor("stat -c %s data")
	}
	close(m.gate)
	for _, c := range waiting {
		if said := c.said(); said != "opened" {
			t.Error(said)
		}
	}
	for range 3 {
		m.everyProcessor(`test "$(cat data)" = ""`)
	}
	if n := m.server.Entries(); n > m.server.plan.Queues*(4+mostRelief) {
		t.Errorf("%d entries", n)
	}
	waitFor(t, m.server.watch.asleep.Load)
}

// A disk that does not answer holds up the requests that want something from it, however
// many there are, and nobody else.
func TestStuckThreadsHoldUpNobody(t *testing.T) {
	m := newMountOf(t, smallPlan(t, 4, 4096), func(Request) bool { return true })
	t.Cleanup(func() { close(m.gate) })
	const clients = mostRelief + 8
	for i := range clients {
		m.openOn("0", "gate")
		waitFor(t, func() bool { return int(m.waiting.Load()) == i+1 })
		time.Sleep(50 * time.Millisecond)
		m.everyProcessor("stat -c %s data")
		if t.Failed() {
			t.Fatalf("with %d of %d", i+1, clients)
		}
	}
}

// More requests at once than there are entries, from one processor, all come to an end.
func TestBurstComesToItsEnd(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	go func() {
		time.Sleep(time.Second)
		close(m.gate)
	}()
	m.sh(`for i in $(seq 40); do taskset -c 0 cat gate & done; wait; cat data`)
	if n := m.waiting.Load(); n != 40 {
		t.Errorf("%d requests", n)
	}
}

// The largest number of entries is kept to. Then requests wait for each other.
func TestEntriesAreLimited(t *testing.T) {
	plan := smallPlan(t, 1, 4096)
	plan.Most = plan.Queues
	m := newMount(t, plan)
	m.sh(`for i in $(seq 20); do cat data & done; wait`)
	if n := m.server.Entries(); n != plan.Queues {
		t.Errorf("%d entries, want %d", n, plan.Queues)
	}
}

func TestCallerIsKnown(t *testing.T) {
	m := newMount(t, smallPlan(t, 2, 4096))
	got := m.sh(`sh -c 'echo $$; exec cat who'`)
	pid, rest, _ := strings.Cut(got, "\n")
	if rest != pid+" 0 0" {
		t.Errorf("process %s is seen as %s", pid, rest)
	}
	got = m.sh(`setpriv --reuid 1234 --regid 4321 --clear-groups cat who`)
	if !strings.HasSuffix(got, " 1234 4321") {
		t.Errorf("another user is seen as %s", got)
	}
	// Of another namespace of processes: a child's is translated, as on the device.
	got = m.sh(`unshare --pid --fork sh -c 'cat who'`)
	if n, _ := strconv.Atoi(strings.Fields(got)[0]); n < 3 {
		t.Errorf("a process of another namespace is seen as %s", got)
	}
}

// A request is interrupted by a signal that ends its caller.
func TestRequestIsInterrupted(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	for i := range 20 {
		c := m.open("gate")
		waitFor(t, func() bool { return int(m.waiting.Load()) == i+1 })
		_ = c.cmd.Process.Signal(unix.SIGTERM)
		_ = c.cmd.Wait()
		waitFor(t, func() bool { return int(m.given.Load()) == i+1 })
	}
	m.everyProcessor("stat -c %s data")
}

// A caller that is killed, or stopped, in the middle of a request leaves nothing behind.
func TestCallerDiesInTheMiddle(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	stopped := m.open("gate")
	waitFor(t, func() bool { return m.waiting.Load() == 1 })
	_ = stopped.cmd.Process.Signal(unix.SIGSTOP)
	killed := m.open("gate")
	waitFor(t, func() bool { return m.waiting.Load() == 2 })
	_ = killed.cmd.Process.Kill()
	m.everyProcessor("stat -c %s data")
	close(m.gate)
	_ = killed.cmd.Wait()
	_ = stopped.cmd.Process.Signal(unix.SIGCONT)
	if said := stopped.said(); said != unix.EINTR.Error() { // the kernel interrupts it for each signal
		t.Error(said)
	}
	waitFor(t, func() bool { return len(m.server.interrupts.requests()) == 0 })
}

// All that is opened is released, by threads and goroutines alike, also where there are
// hardly entries.
func TestAllThatIsOpenedIsReleased(t *testing.T) {
	for _, most := range []int{1, 64} {
		plan := smallPlan(t, 1, 4096)
		plan.Most = plan.Queues * most
		m := newMount(t, plan)
		m.sh(`for w in 1 2 3 4 5 6 7 8; do (i=0; while [ $i -lt 250 ]; do read -r line <data || :; : >>data; : <>data; i=$((i + 1)); done) & done; wait`)
		if n := m.opened.Load(); n != 8*250*3 {
			t.Errorf("%d were opened", n)
		}
		waitFor(t, func() bool { return m.released.Load() == m.opened.Load() })
	}
}

func TestNodesAreForgotten(t *testing.T) {
	m := newMount(t, smallPlan(t, 2, 4096))
	m.sh(`for i in $(seq 200); do echo n$i; done | xargs stat -c %s >/dev/null`)
	m.sh(`echo 2 >/proc/sys/vm/drop_caches`)
	waitFor(t, func() bool { return m.forgot.Load() >= 200 })
}

// The kernel's cache is dropped by a notification.
func TestNotificationsReachTheKernel(t *testing.T) {
	m := newMount(t, smallPlan(t, 2, 4096))
	m.sh("stat n1 >/dev/null")
	if status := m.notifier.EntryNotify(1, "n1"); !status.Ok() {
		t.Error(status)
	}
	waitFor(t, func() bool { return m.forgot.Load() > 0 })
	if status := m.notifier.InodeNotify(1, -1, 0); !status.Ok() {
		t.Error(status)
	}
	if status := m.notifier.PruneNotify([]uint64{1}); !status.Ok() {
		t.Error(status)
	}
}

func TestLazyUnmountServesOpenFiles(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	m.sh("echo kept >data")
	c := m.open("data")
	if said := c.said(); said != "opened" {
		t.Fatal(said)
	}
	if err := unix.Unmount(m.dir, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("timeout", "20", "cat", fmt.Sprintf("/proc/%d/fd/%s", c.cmd.Process.Pid, descriptorOf(t, c))).CombinedOutput()
	if err != nil || string(out) != "kept\n" {
		t.Errorf("%q, %v", out, err)
	}
	select {
	case <-m.ended:
		t.Error("the server ended with a file open")
	default:
	}
	c.stdin.Close()
	m.awaitEnd()
}

// descriptorOf returns the descriptor of the file that a client has opened.
func descriptorOf(t *testing.T, c *client) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", fmt.Sprintf(`for f in /proc/%d/fd/*; do case $(readlink "$f") in */data) echo "${f##*/}";; esac; done`, c.cmd.Process.Pid)).Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("%q, %v", out, err)
	}
	return strings.TrimSpace(string(out))
}

// The mount may end with requests in the middle: taken away lazily and aborted.
func TestAbortEndsRequests(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	var clients []*client
	for i := range 5 {
		clients = append(clients, m.open("gate"))
		waitFor(t, func() bool { return int(m.waiting.Load()) == i+1 })
	}
	control := t.TempDir()
	if err := unix.Mount("test", control, "fusectl", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(control, unix.MNT_DETACH) })
	minor := m.sh("stat -c %d .")
	if err := os.WriteFile(filepath.Join(control, minor, "abort"), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	m.awaitEnd()
	for _, c := range clients {
		if said := c.said(); !strings.Contains(said, "abort") && !strings.Contains(said, "not connected") {
			t.Error(said)
		}
	}
	if m.given.Load() != 5 {
		t.Errorf("%d of 5 handlers were interrupted", m.given.Load())
	}
}

// A mount that is taken away under load ends, and its clients do.
func TestUnmountUnderLoad(t *testing.T) {
	m := newMount(t, smallPlan(t, 1, 4096))
	script := `cd "$1"; for i in 1 2 3 4 5 6; do (while stat -c %s data; do :; done) & done; wait`
	cmd := exec.Command("sh", "-c", script, "sh", m.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	minor := m.sh("stat -c %d .")
	control := t.TempDir()
	if err := unix.Mount("test", control, "fusectl", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(control, unix.MNT_DETACH) })
	_ = unix.Unmount(m.dir, unix.MNT_DETACH)
	if err := os.WriteFile(filepath.Join(control, minor, "abort"), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	m.awaitEnd()
}

// resources counts the things that a mount could leave behind.
type resources struct {
	threads, descriptors, mappings int

	kib int // of memory
}

func count(t *testing.T) (r resources) {
	t.Helper()
	for file, n := range map[string]*int{"/proc/self/task": &r.threads, "/proc/self/fd": &r.descriptors} {
		entries, err := os.ReadDir(file)
		if err != nil {
			t.Fatal(err)
		}
		*n = len(entries)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	r.mappings = strings.Count(string(maps), "io_uring")
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, anonymous, _ := strings.Cut(string(status), "\nRssAnon:")
	if _, err := fmt.Sscan(anonymous, &r.kib); err != nil {
		t.Fatal(err)
	}
	return r
}

// mountsVariable says how many mounts TestMountsLeaveNothing makes.
const mountsVariable = "CLAWFS_TEST_MOUNTS"

func TestMountsLeaveNothing(t *testing.T) {
	n := 30
	if text := os.Getenv(mountsVariable); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	var first resources
	for i := range n {
		if !t.Run("", func(t *testing.T) {
			m := newMount(t, smallPlan(t, 2, 1<<20))
			m.sh("head -c 200000 /dev/zero >data; cat data >/dev/null")
		}) {
			return
		}
		if i == 9 {
			first = count(t)
		}
	}
	// Go keeps a few threads, some more at times; rings and descriptors are exact. Of memory
	// some is the test's own: it keeps the results of its parts.
	last := count(t)
	if last.mappings != 0 || last.descriptors > first.descriptors || last.threads > first.threads+8 || last.kib > first.kib+4096+n {
		t.Errorf("after 10 mounts %+v, after %d %+v", first, n, last)
	}
	t.Logf("after 10 mounts %+v, after %d %+v", first, n, last)
}

func TestChildInheritsNothing(t *testing.T) {
	newMount(t, smallPlan(t, 2, 4096))
	out, err := exec.Command("sh", "-c", "ls -l /proc/self/fd; cat /proc/self/maps").Output()
	if err != nil || strings.Contains(string(out), "io_uring") || strings.Contains(string(out), "/dev/fuse") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A plan too small for the kernel's requests is refused, and leaves nothing.
func TestEntryThatIsTooSmallIsRefused(t *testing.T) {
	needRing(t)
	m := newMount(t, smallPlan(t, 1, 4096)) // for its log and directory only
	plan := smallPlan(t, 1, 16384)
	s := newServer(m.server.handler, plan, &Notifier{}, m.server.logger, nil)
	s.plan.MaxWrite = 4096
	kernel, daemon := fakeDevice(t)
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(kernel, initMessage(overIOUring|1<<30)); err != nil {
		t.Fatal(err)
	}
	s.handler = handlerFunc(func(in, out [][]byte) (int, bool) {
		n, ok := m.server.handler.handle(in, out)
		out[0][outHeaderSize+initMaxWriteField+2] = 1 // 65536 and more
		return n, ok
	})
	if err := s.Start(daemon); err == nil || !strings.Contains(err.Error(), "a plan for 8192") {
		t.Error(err)
	}
	s.Close()
}

// A device that is no mount's takes no entry: the server says so, and ends.
func TestDeviceWithoutMountIsRefused(t *testing.T) {
	needRing(t)
	answer := handlerFunc(func(in, out [][]byte) (int, bool) {
		clear(out[0])
		out[0][outHeaderSize+initFlags2Field+1] = overIOUring >> 40
		return len(out[0]), true
	})
	s := newServer(answer, smallPlan(t, 2, 4096), &Notifier{}, nil, nil)
	if err := s.prepare(); err != nil {
		t.Fatal(err)
	}
	kernel, daemon := fakeDevice(t)
	if _, err := unix.Write(kernel, initMessage(overIOUring|1<<30)); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(daemon); err == nil || !strings.Contains(err.Error(), "takes no entry") {
		t.Error(err)
	}
	_ = unix.Shutdown(kernel, unix.SHUT_WR)
	s.Close()
}
