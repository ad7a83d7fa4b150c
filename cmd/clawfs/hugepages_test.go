package main

import (
	"bufio"
	"fmt"
	"os"
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
// has just now it alone knows, so one of some tries is enough.
func TestFewFaultsFillLargeRoom(t *testing.T) {
	if !givesHugePages() {
		t.Skip("this kernel gives no huge pages on request")
	}
	const size = 32 << 20
	fewest := int64(size)
	for range 5 {
		before := faults(t)
		b := roomFor(size)
		b = b[:size]
		for i := 0; i < size; i += 4096 {
			b[i] = 1
		}
		fewest = min(fewest, faults(t)-before)
	}
	if most := int64(size / 4096 / 4); fewest > most {
		t.Errorf("%d faults fill %d bytes, want %d at most", fewest, size, most)
	}
}

func givesHugePages() bool {
	text, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && !strings.Contains(string(text), "[never]")
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
