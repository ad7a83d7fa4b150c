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
		open                  func(t *testing.T, file string)
		isOpen, lock, toWrite bool
	}{
		"not open":             {func(*testing.T, string) {}, false, false, false},
		"open":                 {func(t *testing.T, f string) { open(t, f, os.O_RDWR, false) }, true, false, false},
		"locked, reading":      {func(t *testing.T, f string) { open(t, f, os.O_RDONLY, true) }, true, true, false},
		"locked, writing":      {func(t *testing.T, f string) { open(t, f, os.O_WRONLY, true) }, true, true, true},
		"locked, both":         {func(t *testing.T, f string) { open(t, f, os.O_RDWR, true) }, true, true, true},
		"read locked, written": {func(t *testing.T, f string) { open(t, f, os.O_RDONLY, true); open(t, f, os.O_RDWR, false) }, true, true, false},
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
				got := [3]bool{HasOpen(os.Getpid(), device, st.Ino), HasLockOpen(os.Getpid(), device, st.Ino), HasLockToWrite(os.Getpid(), device, st.Ino)}
				if want := [3]bool{c.isOpen, c.lock, c.toWrite}; got != want {
					t.Errorf("device %d: open, with a lock, with a lock and for writing: %v, want %v", device, got, want)
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
