package txn

import (
	"cmp"
	"slices"
)

// A handle that is kept open may show an old version. A new reading by it shows the
// version that others have committed since. A reading under a lock also shows content
// that earlier holders of the lock have staged, though they have not closed their
// handles yet.

// Behind reports whether another version than the snapshot's is there by now, and
// whether somebody has unsaved bytes. With look the file below is asked, too.
func (n *Snapshot) Behind(look bool) (newer, staged bool) { return n.reg.behind(n.version, nil, look) }

// Behind is Snapshot.Behind for a transaction. It is false where something is staged.
func (t *Tx) Behind(look bool) (newer, staged bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isClean() {
		return false, false
	}
	newer, staged = t.reg().behind(t.headAtOpen, t, look)
	return newer || t.merged || t.older, staged
}

// ShowsOther reports whether the transaction shows another version than v, and nothing is
// staged.
func (t *Tx) ShowsOther(v *Version) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isClean() && (t.merged || t.older || t.headAtOpen == nil || !t.headAtOpen.is(v))
}

// Merged reports whether the transaction still shows its own bytes, which were merged when
// they were committed.
func (t *Tx) Merged() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.merged
}

// behind reports whether another version than the one that is shown is there, and whether
// another transaction than but has unsaved bytes.
func (r *Registry) behind(shown *Version, but *Tx, look bool) (newer, staged bool) {
	if look {
		_, _ = r.present() // the next open tells the error
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if but != nil && but.outlived.Load() {
		return false, false
	}
	newer = r.head != nil && (shown == nil || shown.Seq != r.head.Seq || shown.Digest != r.head.Digest)
	return newer, r.isStaged(but)
}

// isStaged reports whether another transaction than but has unsaved bytes. The caller
// holds mu.
func (r *Registry) isStaged(but *Tx) bool {
	for t := range r.open {
		if t != but && t.unsaved.Load() {
			return true
		}
	}
	return false
}

// Clean reports whether nothing is staged: the transaction shows a version, as to others.
// Content that an attempt to commit has refused is staged still.
func (t *Tx) Clean() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isClean()
}

// isClean reports whether nothing is staged: the transaction shows a version, as to
// others. The caller holds mu.
func (t *Tx) isClean() bool {
	return !t.dirty && !t.unsaved.Load() && t.aborted == nil && !t.released
}

// Renew has the transaction go on from the version of a snapshot of the same file, if
// nothing is staged.
func (t *Tx) Renew(from *Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := from.version
	if !t.isClean() || v.Blank() {
		return
	}
	t.reg().mu.Lock()
	t.headAtOpen = v
	t.creates.Store(false)
	t.reg().mu.Unlock()
	t.data, t.shared, t.merged, t.older, t.last = v.content.Bytes, true, false, false, nil
	t.behind, t.anew, t.rewritten = len(t.data), 0, false
	t.know(v.content, v.lines)
	t.replaces, t.readNoted, t.since = nil, false, from.opened
	t.epoch++
}

// IsStaged reports whether a transaction has unsaved bytes of a registry.
func (s *Store) IsStaged(name string) bool {
	r := s.peek(name)
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isStaged(nil)
}

// CommitReleased commits the content staged of a registry, if it is a whole
// document, by processes that hold no lock on it: a reader has one.
func (s *Store) CommitReleased(name string, holds func(Actor) bool) {
	r := s.peek(name)
	if r == nil {
		return
	}
	r.mu.Lock()
	var open []*Tx
	for t := range r.open {
		if t.unsaved.Load() {
			open = append(open, t)
		}
	}
	r.mu.Unlock()
	slices.SortFunc(open, func(a, b *Tx) int { return cmp.Compare(a.opened, b.opened) })
	for _, t := range open {
		if !holds(t.opener.Actor) {
			t.commitIfWhole()
		}
	}
}
