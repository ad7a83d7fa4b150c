package process

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// open opens a file until the test ends, and takes a lock on it if wanted.
func open(t *testing.T, name string, flags int, lock bool) {
	t.Helper()
	f, err := os.OpenFile(name, flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if lock {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenFilesOfAProcess(t *testing.T) {
	other := sleeper(t).Process.Pid
	for name, c := range map[string]struct {
		open   func(t *testing.T, file string)
		isOpen bool
		locks  int // descriptors with one
	}{
		"not open":             {func(*testing.T, string) {}, false, 0},
		"open":                 {func(t *testing.T, f string) { open(t, f, os.O_RDWR, false) }, true, 0},
		"locked, reading":      {func(t *testing.T, f string) { open(t, f, os.O_RDONLY, true) }, true, 1},
		"locked, writing":      {func(t *testing.T, f string) { open(t, f, os.O_WRONLY, true) }, true, 1},
		"locked, both":         {func(t *testing.T, f string) { open(t, f, os.O_RDWR, true) }, true, 1},
		"read locked, written": {func(t *testing.T, f string) { open(t, f, os.O_RDONLY, true); open(t, f, os.O_RDWR, false) }, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c.open(t, file)
			var st unix.Stat_t
			if err := unix.Stat(file, &st); err != nil {
				t.Fatal(err)
			}
			for _, device := range []uint64{st.Dev, 0} {
				isOpen, locks := HasOpen(os.Getpid(), device, st.Ino), LocksOpen(os.Getpid(), device, st.Ino)
				if isOpen != c.isOpen || len(locks) != c.locks {
					t.Errorf("device %d: open: %t, want %t; locks: %d, want %d", device, isOpen, c.isOpen, len(locks), c.locks)
				}
			}
			if HasOpen(os.Getpid(), st.Dev+1, st.Ino) {
				t.Error("a file of another device is taken for it")
			}
			if HasOpen(other, st.Dev, st.Ino) || HasOpen(0, st.Dev, st.Ino) {
				t.Error("another process, or none, has it open")
			}
		})
	}
}
