// Package processtest has tests hold locks on files.
//
// What always holds: a lock is held until the test ends, and no longer.
package processtest

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// HoldLocksBefore has so many locks held on a file until the test ends. All of them stand in
// the list before the earlier locks: it goes by processors, the newest first.
func HoldLocksBefore(t *testing.T, file string, number int) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &all) }()
	for cpu, left := 0, all.Count(); left > 0; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		left--
		var one unix.CPUSet
		one.Set(cpu)
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			t.Fatal(err)
		}
		HoldLocks(t, file, number)
	}
}

// HoldLocks has so many locks held on a file until the test ends.
func HoldLocks(t *testing.T, file string, number int) {
	t.Helper()
	for range number {
		fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		if err := unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB); err != nil {
			t.Fatal(err)
		}
	}
}
