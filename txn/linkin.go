package txn

import (
	"errors"
	"io/fs"

	"clawfs/txn/seen"
)

// LinkIn has a finished file be the registry itself: link gives it a further name, durably. The
// content is validated, and there must be no registry of that name (fs.ErrExist). It is Replace
// where the version that was here was removed just now. Errors are those of Replace, and
// link's.
func (s *Store) LinkIn(name string, c Caller, p Replacement, link func() error) error {
	r := s.acquire(name)
	defer s.release(r)
	content := seen.NewContent(p.Content)
	if len(p.Content) > 0 {
		if _, err := r.admit(content, nil, seen.Seen{}); err != nil {
			r.refuse(c, p.Via, content, err)
			return err
		}
	}
	var err error
	removed := false
	fault := r.exclusively(func() { removed, err = r.linkIn(c, p, content, link) })
	if removed {
		return s.Replace(name, c, p)
	}
	return errors.Join(err, fault)
}

// linkIn is LinkIn; removed says that nothing was done, for there was a registry just now.
// Only the leader calls it.
func (r *Registry) linkIn(c Caller, p Replacement, content *seen.Content, link func() error) (removed bool, err error) {
	r.mu.Lock()
	foreign, err := r.refresh()
	there, removed, last := r.exists(), r.removed != nil, r.lastSeq
	if err == nil && !there {
		err = r.store.writable(r.name)
	}
	r.replacingLive = err == nil && !there && !removed
	replacingLive := r.replacingLive
	r.mu.Unlock()
	r.store.observe(foreign)
	switch {
	case err != nil:
		return false, err
	case there:
		return false, fs.ErrExist
	case !replacingLive:
		return true, nil
	}
	if len(p.Content) == 0 {
		err = r.recordAbsence(last)
	}
	if err == nil {
		err = link()
	}
	r.mu.Lock()
	r.replacingLive, r.stamp = false, stampUnknown
	if err == nil {
		_, err = r.refresh()
	}
	head := r.head
	if err == nil && head != nil && head.Digest == content.Digest {
		r.unarchived = true
		r.linked(c, p, content)
	}
	r.mu.Unlock()
	if errors.Is(err, fs.ErrExist) {
		return false, fs.ErrExist
	}
	if err == nil && head != nil {
		e := Event{Name: r.name, Outcome: Committed, Via: p.Via, Writer: c, Seq: head.Seq, Changed: true, Size: head.Size, Time: head.Time}
		r.record(&e, head)
		r.store.observe(&e)
	}
	return false, err
}

// linked makes the content a view of its writers. The caller holds mu.
func (r *Registry) linked(c Caller, p Replacement, content *seen.Content) {
	r.seen.PartOfCall(c, p.Thread)
	_, writers := r.seenBy(c, p.Lineage)
	w := seen.Write{Content: content}
	if len(p.Lineage.Writers) > 0 {
		o := &p.Lineage.Writers[0]
		w.Begun, w.Ended, w.Redirected = o.Begun(), o.Event+1, o.Redirected
	}
	for _, writer := range writers {
		r.tookName(writer, w)
	}
}

// Linked notes that a registry's file was given a further name, which was free and is a
// registry's, too: its content is a write there of those that l says have written it.
func (s *Store) Linked(from, to string, l Lineage) {
	source, target := s.acquire(from), s.acquire(to)
	defer s.release(source)
	defer s.release(target)
	v, err := source.present()
	if err != nil {
		return // the next one to ask is told
	}
	_, _ = target.present()
	target.takeWrites(source.writersOf(v, l), v)
}
