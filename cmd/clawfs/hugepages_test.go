package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Room is empty, and as large as was asked for.
func TestRoomIsEmptyAndLargeEnough(t *testing.T) {
	for _, n := range []int{0, 1, leastHuge - 1, leastHuge, 3*hugePage + 5} {
		if b := roomFor(n); len(b) != 0 || cap(b) < n {
			t.Errorf("room for %d bytes: %d of %d", n, len(b), cap(b))
		}
	}
	b := roomFor(2 * hugePage)[:2*hugePage]
	if i := slices.IndexFunc(b, func(c byte) bool { return c != 0 }); i >= 0 {
		t.Errorf("byte %d is not zero", i)
	}
}

// Large room is asked for in huge pages from its first byte to its last one, and small room is not.
func TestLargeRoomIsOfHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no transparent huge pages")
	}
	b := roomFor(5 * hugePage)
	for _, at := range []int{0, cap(b) / 2, cap(b) - 1} {
		if flags := flagsAt(t, uintptr(unsafe.Pointer(unsafe.SliceData(b)))+uintptr(at)); !slices.Contains(flags, "hg") {
			t.Errorf("byte %d of %d: flags %q, want hg among them", at, cap(b), flags)
		}
	}
}

// Room that is filled takes a fault for each huge page, not for each page. How many the kernel
// has just now it alone knows, so one of some tries is enough, and none is asked for where a
// plain mapping gets none, either. The race detector has memory of its own for each page.
func TestFewFaultsFillLargeRoom(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes faults of its own: scripts/test runs it without")
	}
	const size = 32 << 20
	most := int64(size / 4096 / 4)
	if n := mappingFaults(t, size); n > most {
		t.Skipf("this kernel gives no huge pages now: %d faults fill a mapping of %d bytes", n, size)
	}
	fewest := int64(size)
	var all [5][]byte // room that is given back would have its pages already
	for i := range all {
		before := faults(t)
		all[i] = roomFor(size)
		touch(all[i][:size])
		fewest = min(fewest, faults(t)-before)
	}
	runtime.KeepAlive(all)
	if fewest > most {
		t.Errorf("%d faults fill %d bytes, want %d at most", fewest, size, most)
	}
}

// mappingFaults returns how many faults fill a mapping of huge pages.
func mappingFaults(t *testing.T, size int) int64 {
	t.Helper()
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(b) }()
	if unix.Madvise(b, unix.MADV_HUGEPAGE) != nil {
		t.Skip("this kernel has no transparent huge pages")
	}
	before := faults(t)
	touch(b)
	return faults(t) - before
}

// touch writes to each page.
func touch(b []byte) {
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
}

func faults(t *testing.T) int64 {
	t.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return r.Minflt
}

// flagsAt returns the flags of the mapping that an address is in.
func flagsAt(t *testing.T, at uintptr) []string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found := false
	for s := bufio.NewScanner(f); s.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &from, &to); n == 2 {
			found = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && found {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("nothing is mapped at %x", at)
	return nil
}
