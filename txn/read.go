package txn

import (
	"io"
	"io/fs"
	"sync/atomic"
)

// Snapshot is a registry open for reading: one version, the same from open to
// close. Its methods may be called concurrently.
type Snapshot struct {
	reg     *Registry
	version *Version
	seen    atomic.Bool // the reading was recorded
}

// Open opens the registry for reading and pins its head. The error is
// fs.ErrNotExist where there is none, or the storage's. Every Snapshot must be
// given back with Release.
func (s *Store) Open(name string) (*Snapshot, error) {
	r := s.acquire(name)
	r.mu.Lock()
	event, err := r.refresh()
	head := r.head
	r.mu.Unlock()
	s.observe(event)
	if err == nil && head == nil {
		err = fs.ErrNotExist
	}
	if err != nil {
		s.release(r)
		return nil, err
	}
	return &Snapshot{reg: r, version: head}, nil
}

// Version returns the version that the snapshot is pinned to.
func (n *Snapshot) Version() *Version { return n.version }

// Size returns the length of the content in bytes.
func (n *Snapshot) Size() int64 { return n.version.Size }

// ReadAt reads, as io.ReaderAt does. The first call records that the caller has
// seen the version; a copy, which learns nothing, uses Version instead.
func (n *Snapshot) ReadAt(c Caller, p []byte, off int64) (int, error) {
	n.See(c)
	b := n.version.content.bytes
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	read := copy(p, b[off:])
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

// See records, once, that the caller has read the version.
func (n *Snapshot) See(c Caller) {
	if n.seen.Load() || n.seen.Swap(true) {
		return
	}
	n.reg.mu.Lock()
	n.reg.noteRead(c, n.version)
	n.reg.mu.Unlock()
}

// Copied says what a file holds that the version was copied into.
func (n *Snapshot) Copied() Copied {
	return Copied{Name: n.reg.Name(), Version: n.version, Event: n.reg.store.next()}
}

// Seen reports whether the reading was recorded.
func (n *Snapshot) Seen() bool { return n.seen.Load() }

// Release gives the snapshot back. It must not be used afterwards.
func (n *Snapshot) Release() { n.reg.store.release(n.reg) }

// Head returns the registry's newest version as far as it is known, nil if
// there is none.
func (r *Registry) Head() *Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}
