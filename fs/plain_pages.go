package fs

import (
	"sync"

	"golang.org/x/sys/unix"
)

// pages remembers the state of a plain file after the last change through the mount: the
// kernel's page cache holds the bytes of that state. The kernel could compare times
// itself (FUSE_AUTO_INVAL_DATA), but would drop the pages after each write, since the
// time that it is told is not the one it had. A program would read anew the bytes that it
// has just written.
//
// Pages must not be dropped while a write is on its way. A buffered write has put its
// bytes into the page already, which is not locked. A reading of that page after it was
// dropped, and before the write is done here, brings the old bytes back, and they stay.
// So a change that is under way is no reason to drop pages. Where they have to be dropped
// while somebody may write, their state is unknown, and the next open drops them again.
type pages struct {
	mu       sync.Mutex // guards the fields below
	state    *fileState // nil: not known
	changes  int        // that are under way
	linked   bool       // the file had several names when it was opened or changed last
	writers  int        // handles that are open for writing
	mappable int        // of these, handles by which the file can be stored to as memory

	zeroing zeroing
}

// fileState tells one content of a file from another, as far as times do.
type fileState struct {
	size  int64
	mtime unix.Timespec
}

// look returns the state of the file; nil where it can't be told. The caller holds mu.
func (p *pages) look(fd int) *fileState {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return nil
	}
	p.linked = st.Nlink > 1
	return &fileState{size: st.Size, mtime: st.Mtim}
}

// isLinked reports whether the file has other names, which may be registries'.
func (p *pages) isLinked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.linked
}

// matches reports whether the kernel's pages are of the file as it is. The caller holds mu.
func (p *pages) matches(now *fileState) bool {
	return p.state != nil && now != nil && *p.state == *now
}

// noteOpen notes an open of the file, by flags, and reports whether the kernel may keep
// its pages. If not, the kernel drops them, and reads them anew from the file as it is.
func (p *pages) noteOpen(fd int, flags uint32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep := p.state != nil
	if p.changes == 0 {
		now := p.look(fd)
		keep = p.matches(now)
		p.state = now
		if !keep && p.writers > 0 {
			p.state = nil
		}
	}
	p.count(flags, 1)
	return keep
}

// noteClose notes the close of a handle that was opened by flags.
func (p *pages) noteClose(flags uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(flags, -1)
}

func (p *pages) count(flags uint32, by int) {
	if writes(flags) {
		p.writers += by
	}
	if flags&unix.O_ACCMODE == unix.O_RDWR {
		p.mappable += by
	}
}

// canBeMapped reports whether somebody may store to the file through a mapping. Such
// bytes come later, page by page, together with those beside them.
func (p *pages) canBeMapped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mappable > 0
}

// noteChange makes a change that the kernel makes to its pages as well, if it succeeds. An
// earlier change behind the mount stays noticeable at the next open.
func (p *pages) noteChange(fd int, change func() error) error {
	p.begin(fd)
	err := change()
	p.end(fd, err == nil)
	return err
}

func (p *pages) begin(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changes == 0 && !p.matches(p.look(fd)) {
		p.state = nil
	}
	p.changes++
}

func (p *pages) end(fd int, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes--
	if !done {
		p.state = nil
	}
	if p.changes == 0 && p.state != nil {
		p.state = p.look(fd)
	}
}
