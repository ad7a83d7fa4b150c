package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"clawfs/txn/seen"
)

// statLine spells /proc/TID/stat of a task.
func statLine(name, flags, status string) string {
	fields := strings.Fields(strings.Repeat("0 ", 50)) // fields 3 to 52
	fields[0], fields[9-3], fields[52-3] = "S", flags, status
	return "4711 (" + name + ") " + strings.Join(fields, " ") + "\n"
}

func TestParseStat(t *testing.T) {
	for _, name := range []string{"cat", "a b", "a) S 1 2", "(((", ")", "x) R 0 0 (y", ""} {
		flags, status, ok := parseStat([]byte(statLine(name, "4195332", "9")))
		if !ok || flags != 4195332 || status != 9 {
			t.Errorf("name %q: flags %d, status %d, %t", name, flags, status, ok)
		}
	}
	short := statLine("cat", "4", "9")
	for _, text := range []string{"", "4711 cat S", short[:strings.LastIndexByte(strings.TrimSpace(short), ' ')], statLine("cat", "x", "9"), statLine("cat", "4", "-1")} {
		if _, _, ok := parseStat([]byte(text)); ok {
			t.Errorf("%q was taken for a task's", text)
		}
	}
}

func TestParseStatOfSelf(t *testing.T) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if flags, status, ok := parseStat(text); !ok || flags == 0 || flags&flagExiting != 0 || status != 0 {
		t.Errorf("flags %x, status %d, %t", flags, status, ok)
	}
}

// sleeper starts a process that lives until it is ended, and ends it.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to pass that ", what)
		}
	}
}

// awaitZombie waits until a process has ended; nobody has waited for it.
func awaitZombie(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(fd)
	await(t, "the process ended", func() bool { return hasEnded(fd) })
}

// A task that has ended, and was not waited for, shows the same signal as when
// it closed its files.
func TestDeathSignal(t *testing.T) {
	for _, c := range []struct {
		script string
		want   int
	}{
		{"kill -KILL $$", int(unix.SIGKILL)},
		{"kill -TERM $$", int(unix.SIGTERM)},
		{"exit 0", 0},
		{"exit 9", 0}, // no signal, though 9 is SIGKILL's number
		{"exit 137", 0},
	} {
		t.Run(c.script, func(t *testing.T) {
			cmd := exec.Command("bash", "-c", c.script)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Wait() }()
			awaitZombie(t, cmd.Process.Pid)
			if got := DeathSignal(cmd.Process.Pid); got != c.want {
				t.Errorf("told %d, want %d", got, c.want)
			}
		})
	}
}

func TestDeathSignalOfTheLiving(t *testing.T) {
	for _, tid := range []int{os.Getpid(), sleeper(t).Process.Pid, 0, -1, 1 << 30} {
		if got := DeathSignal(tid); got != 0 {
			t.Errorf("%d is told to die: %d", tid, got)
		}
	}
}

func TestIsKilled(t *testing.T) {
	if isKilled("/proc/self") || isKilled("/proc/none") {
		t.Error("killed without a signal")
	}
	proc := t.TempDir()
	for pending, want := range map[string]bool{"0000000000000100": true, "0000000000004100": true, "0000000000004000": false, "x": false} {
		if err := os.WriteFile(proc+"/status", []byte("Name:\tx\nSigPnd:\t0000000000000100\nShdPnd:\t"+pending+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if isKilled(proc) != want {
			t.Errorf("with %s pending: %t", pending, !want)
		}
	}
}

// Older kernels are asked by way of /proc: the answers are the same.
func TestThreadStatusAgrees(t *testing.T) {
	threads := []int{os.Getpid(), os.Getppid(), sleeper(t).Process.Pid}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		var tid int
		if _, err := fmt.Sscan(task.Name(), &tid); err != nil {
			t.Fatal(err)
		}
		threads = append(threads, tid)
	}
	for _, tid := range threads {
		info, ok := threadInfo(tid)
		status, okStatus := threadStatus(tid)
		if ok != okStatus || info.process != status.process || info.parent != status.parent {
			t.Errorf("%d: %+v %t, by its status %+v %t", tid, info, ok, status, okStatus)
		}
	}
	self, _ := threadInfo(os.Getpid())
	if self.process != os.Getpid() || self.parent != os.Getppid() {
		t.Errorf("this process is told as %+v", self)
	}
	if _, ok := threadStatus(1 << 30); ok {
		t.Error("a thread that can't be has a status")
	}
}

func TestSerials(t *testing.T) {
	table := newSerials()
	t.Cleanup(table.close)
	cmd := sleeper(t)
	pid := cmd.Process.Pid
	first := table.of(pid)
	if again := table.of(pid); again != first {
		t.Errorf("one process has two numbers, %d and %d", first, again)
	}
	if self := table.of(os.Getpid()); self == first {
		t.Error("two processes have one number")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitZombie(t, pid)
	if later := table.of(pid); later == first {
		t.Error("a later process with the same id has its number")
	}
}

// The table gives up the descriptors of processes that have ended.
func TestSerialsAreSwept(t *testing.T) {
	table := newSerials()
	table.sweep = 2
	t.Cleanup(table.close)
	gone := sleeper(t)
	table.of(gone.Process.Pid)
	self := table.of(os.Getpid())
	if err := gone.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = gone.Wait()
	table.of(sleeper(t).Process.Pid)
	if _, held := table.living[gone.Process.Pid]; held || len(table.living) != 2 {
		t.Errorf("%d processes are held, one that has ended among them: %t", len(table.living), held)
	}
	if table.of(os.Getpid()) != self {
		t.Error("a living process was given up")
	}
}

func TestAlive(t *testing.T) {
	c := NewCallers(true)
	cmd := sleeper(t)
	a, _ := c.processOf(cmd.Process.Pid)
	if !a.Known() || a.PID != cmd.Process.Pid {
		t.Fatalf("the process is told as %+v", a)
	}
	if !Alive(a) {
		t.Error("a living process is told to be gone")
	}
	if pidfdsDiffer() && Alive(seen.Actor{PID: a.PID, Start: a.Start + 1}) {
		t.Error("another process with the same id is taken for it")
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitZombie(t, a.PID)
	if Alive(a) {
		t.Error("a process that nobody has waited for is told to live")
	}
	_ = cmd.Wait()
	if Alive(a) {
		t.Error("a process that is gone is told to live")
	}
}
