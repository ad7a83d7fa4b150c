package txn

import (
	"cmp"
	"io"
	"io/fs"
	"sync/atomic"

	"clawfs/txn/seen"
)

// Snapshot is a registry open for reading: one version, the same from open to
// close. Its methods may be called concurrently.
type Snapshot struct {
	reg     *Registry
	version *Version
	opened  Tick // a place before the version was asked for
	pass    *seen.Reading
	noted   atomic.Bool // the reading was recorded
}

// Open opens the registry for reading and pins its head. Of one that has no version
// yet it commits the staged content, if that is whole (CommitStaged), or else shows
// an empty file (Version.Blank). The error is fs.ErrNotExist where there is none, or
// the storage's. Every Snapshot must be given back with Release.
func (s *Store) Open(name string) (*Snapshot, error) {
	r, kept := s.acquire(name), false
	defer func() { // an observer may panic
		if !kept {
			s.release(r)
		}
	}()
	opened := s.Next()
	v, err := r.present()
	if err == nil && v.Blank() {
		s.CommitStaged(name)
		opened = s.Next()
		v, err = r.present()
	}
	if err != nil {
		return nil, err
	}
	kept = true
	return &Snapshot{reg: r, version: v, opened: opened, pass: seen.NewReading(opened)}, nil
}

// Again opens the version anew, for another reading of it. Nobody needs to have it by name.
func (n *Snapshot) Again() *Snapshot { return n.reg.openVersion(n.version, n.opened) }

// Follow opens the version as one of the registry to whose name its file has been renamed.
func (n *Snapshot) Follow(name string) *Snapshot {
	to := &Snapshot{reg: n.reg.store.acquire(name), version: n.version, opened: n.opened, pass: n.pass}
	to.noted.Store(n.noted.Load())
	return to
}

// Again opens the version that the transaction shows, for a reading of it; nil where
// something is staged, or there is no version.
func (t *Tx) Again() *Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isClean() || t.headAtOpen == nil {
		return nil
	}
	return t.reg().openVersion(t.headAtOpen, t.since)
}

// openVersion opens a version that was the head at the given place. The caller uses the
// registry.
func (r *Registry) openVersion(v *Version, opened Tick) *Snapshot {
	r.store.mu.Lock()
	r.users++
	r.store.mu.Unlock()
	return &Snapshot{reg: r, version: v, opened: opened, pass: seen.NewReading(r.store.Next())}
}

// present returns the version that the registry shows to readers at present.
func (r *Registry) present() (*Version, error) {
	r.mu.Lock()
	event, err := r.refresh()
	v := cmp.Or(r.head, r.blank)
	r.mu.Unlock()
	r.store.observe(event)
	if err == nil && v == nil {
		err = fs.ErrNotExist
	}
	return v, err
}

// Version returns the version that the snapshot is pinned to.
func (n *Snapshot) Version() *Version { return n.version }

// Size returns the length of the content in bytes.
func (n *Snapshot) Size() int64 { return n.version.Size }

// ReadAt reads, as io.ReaderAt does. The first call records that the caller has
// seen the version; a copy, which learns nothing, uses Version instead.
func (n *Snapshot) ReadAt(c Caller, p []byte, off int64) (int, error) {
	n.See(c)
	n.Continue()
	b := n.version.content.Bytes
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	read := copy(p, b[off:])
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

// Continue notes that the reading goes on.
func (n *Snapshot) Continue() { n.pass.Continue(n.reg.store.Now()) }

// See records, once, that the caller has read the version.
func (n *Snapshot) See(c Caller) {
	if n.noted.Load() || n.noted.Swap(true) {
		return
	}
	content := n.version.content
	if n.version.Blank() {
		content = nil // there is nothing to see
	}
	n.reg.mu.Lock()
	if content == nil {
		n.reg.sawNothing(c)
		n.reg.store.missed.Store(true)
	}
	n.reg.seen.Read(c, content, n.opened, n.pass)
	n.reg.mu.Unlock()
}

// Copied describes the content of a file that the version was copied into.
func (n *Snapshot) Copied() Copied {
	return Copied{Name: n.reg.Name(), Version: n.version, Event: n.reg.store.Next()}
}

// Seen reports whether the reading was recorded.
func (n *Snapshot) Seen() bool { return n.noted.Load() }

// Release gives the snapshot back. It must not be used afterwards.
func (n *Snapshot) Release() { n.reg.store.release(n.reg) }

// Head returns the registry's newest version as far as it is known, nil if
// there is none.
func (r *Registry) Head() *Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}
