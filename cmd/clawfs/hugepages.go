package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	hugePage = 2 << 20

	// leastHuge is how many bytes are worth huge pages. Room of that size and more begins and ends
	// in some that it shares with its neighbours on the heap.
	leastHuge = 1 << 20
)

// roomFor returns an empty slice with room for so many bytes, most of which are filled at once.
//
// The kernel gives memory page by page, each when it is touched first. For a document of 10 MB
// with pages of 4 KiB that is 2,560 times, which can take longer than to copy the document. So
// large room is asked for in huge pages (transparent huge pages, see madvise(2)). The
// kernel gives small ones where it has no others; the slice is as any other.
func roomFor(bytes int) []byte {
	b := make([]byte, 0, bytes)
	if bytes >= leastHuge {
		start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		first := start &^ (hugePage - 1)
		end := (start + uintptr(bytes) + hugePage - 1) &^ (hugePage - 1)
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, first, end-first, unix.MADV_HUGEPAGE) // without it all is slower, no more
	}
	return b
}
