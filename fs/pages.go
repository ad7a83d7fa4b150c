package fs

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// pages is what the pages of a plain file in the kernel are of: the file as it was after
// what was last done to it through the mount. The kernel could compare times itself
// (FUSE_AUTO_INVAL_DATA), but would drop the pages after each write, since the time that
// it is told is not the one it had: what a program has just written it would read anew.
type pages struct {
	of atomic.Pointer[fileState] // nil: not known
}

// fileState tells one content of a file from another, as far as times do.
type fileState struct {
	size  int64
	mtime unix.Timespec
}

// stateOf returns nil where the state can't be told.
func stateOf(fd int) *fileState {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return nil
	}
	return &fileState{size: st.Size, mtime: st.Mtim}
}

// are reports whether the kernel's pages are of the file as it is.
func (p *pages) are(now *fileState) bool {
	of := p.of.Load()
	return of != nil && now != nil && *of == *now
}

// opened notes an open of the file and reports whether the kernel may keep its pages. If
// not it drops them, and what it reads from then on is of the state now.
func (p *pages) opened(fd int) bool {
	now := stateOf(fd)
	keep := p.are(now)
	p.of.Store(now)
	return keep
}

// during does what the kernel does to its pages as well, if it succeeds. What somebody
// else has changed before stays noticeable, at the next open.
func (p *pages) during(fd int, change func() error) error {
	known := p.are(stateOf(fd))
	err := change()
	if known && err == nil {
		p.of.Store(stateOf(fd))
	} else {
		p.of.Store(nil)
	}
	return err
}
