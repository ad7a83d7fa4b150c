package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/fs/process/processtest"
	"clawfs/txn/seen"
)

// A lock is found wherever it stands among the locks of the machine.
func TestIsLocked(t *testing.T) {
	dir := t.TempDir()
	locked := func(name string) bool {
		t.Helper()
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		if IsLocked(st.Dev+1, st.Ino) {
			t.Errorf("%s is locked on another device", name)
		}
		if IsLocked(0, st.Ino) != IsLocked(st.Dev, st.Ino) {
			t.Errorf("%s is locked on a device and on none, or the other way round", name)
		}
		return IsLocked(st.Dev, st.Ino)
	}
	for i := range 10 {
		processtest.HoldLocks(t, filepath.Join(dir, "mine-"+strconv.Itoa(i)), 1)
		processtest.HoldLocksBefore(t, filepath.Join(dir, "others"), 30)
	}
	if err := os.WriteFile(filepath.Join(dir, "free"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if !locked("mine-" + strconv.Itoa(i)) {
			t.Errorf("lock %d, with 30 newer ones for each that is younger, is not found", i)
		}
	}
	if locked("free") {
		t.Error("a file is locked that is not")
	}
	if list, pieces, err := readLocks(); err != nil || pieces < 2 || len(list) < 300*40 {
		t.Errorf("read %d bytes in %d pieces, %v: this shows nothing", len(list), pieces, err)
	}
}

func TestHasLock(t *testing.T) {
	const list = `1: FLOCK  ADVISORY  WRITE 4711 fd:01:12345 0 EOF
2: POSIX  ADVISORY  WRITE 4711 00:2f:4503599627370497 128 255
2: -> POSIX  ADVISORY  READ 4712 00:30:7 0 EOF
3: OFDLCK ADVISORY  READ -1 00:2f:99 0 EOF
4: LEASE  ACTIVE    READ 4711 <none>:0 0 EOF
5: broken 1:2 x:y:3 ::: 00:2f:`
	for _, c := range []struct {
		major, minor uint32
		inode        uint64
		want         bool
	}{
		{0xfd, 1, 12345, true},
		{0, 0x2f, 4503599627370497, true},
		{0, 0x30, 7, true},
		{0, 0x2f, 99, true},
		{0, 0x2f, 12345, false},
		{0, 0x2f, 9, false},
		{0, 0x2f, 0, false},
		{0, 0, 99, true}, // device 0
		{0, 2, 3, false},
	} {
		if got := hasLock([]byte(list), unix.Mkdev(c.major, c.minor), c.inode); got != c.want {
			t.Errorf("%x:%x:%d is locked: %v", c.major, c.minor, c.inode, got)
		}
	}
}

func TestLockers(t *testing.T) {
	const list = `1: FLOCK  ADVISORY  WRITE 4711 fd:01:12345 0 EOF
1: -> FLOCK  ADVISORY  WRITE 4712 fd:01:12345 0 EOF
2: POSIX  ADVISORY  READ 4713 fd:01:12345 128 255
3: OFDLCK ADVISORY  READ -1 fd:01:12345 0 EOF
4: FLOCK  ADVISORY  WRITE 4714 fd:02:12345 0 EOF
5: broken fd:01:12345`
	if got := lockers([]byte(list), unix.Mkdev(0xfd, 1), 12345); !slices.Equal(got, []int{4711, 4713, -1}) {
		t.Errorf("the lock is held by %v", got)
	}
}

// A lock is held by the process that has taken it, by its children, and by each process that
// has inherited the descriptor, though the first one is gone.
func TestHoldsLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locked")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	const waits = "; echo ready; read -r line"
	started := func(script string) int {
		cmd := exec.Command("bash", "-c", script+waits, path)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
		if _, err := out.Read(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		return cmd.Process.Pid
	}
	holds := func(c seen.Caller) bool { return HoldsLock(c, st.Dev, st.Ino) }
	inherited := started(`exec 9<>"$0"; flock 9`)
	open := started(`exec 9<>"$0"`)
	for name, c := range map[string]struct {
		caller seen.Caller
		want   bool
	}{
		"has inherited it":    {seen.Caller{Actor: seen.Actor{PID: inherited}}, true},
		"has the file open":   {seen.Caller{Actor: seen.Actor{PID: open}}, false},
		"is not known at all": {seen.Caller{}, false},
	} {
		if got := holds(c.caller); got != c.want {
			t.Errorf("who %s holds the lock: %v", name, got)
		}
	}
	mine := filepath.Join(t.TempDir(), "mine")
	processtest.HoldLocks(t, mine, 1)
	if err := unix.Stat(mine, &st); err != nil {
		t.Fatal(err)
	}
	me := seen.Actor{PID: os.Getpid()}
	if !holds(seen.Caller{Actor: me}) || !holds(seen.Caller{Actor: seen.Actor{PID: open}, Ancestors: []seen.Actor{me}}) {
		t.Error("who has taken the lock, or a child of that, does not hold it")
	}
}
