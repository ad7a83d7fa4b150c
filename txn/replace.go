package txn

import (
	"errors"
	"io/fs"
	"time"
)

// Replacement is a finished file that is to become a registry, by rename(2) or
// link(2).
type Replacement struct {
	Content   []byte // must not be changed afterwards
	Lineage   Lineage
	Time      time.Time // its modification time
	Like      fs.File   // the registry gets this file's owner, mode, attributes and inode number
	Via       Via
	Thread    int    // that renames; 0: it is not known
	Mark      uint64 // the request's name in a journal; 0: it has none
	NoReplace bool   // fail with fs.ErrExist where there is a registry of that name

	// LooksAlike says that the registry has Like's owner, mode and attributes already,
	// so that nothing is to be done where it has the content, too.
	LooksAlike bool

	// Parts says that the registry has other names. It leaves them, even if it stays as
	// it is: a write by one name from then on is not seen by the others.
	Parts bool
}

// changes reports whether the registry becomes another one though its content stays: by
// owner, mode or attributes, or as a file of its own.
func (p *Replacement) changes() bool { return p.Like != nil && (p.Parts || !p.LooksAlike) }

// Replace commits a finished file as the registry of that name: validated,
// merged, durable when it returns. Refused content goes to quarantine. Errors are
// those of Tx.Flush, and fs.ErrExist.
func (s *Store) Replace(name string, c Caller, p Replacement) error {
	r := s.acquire(name)
	defer s.release(r)
	return r.replace(c, p)
}

func (r *Registry) replace(c Caller, p Replacement) error {
	content := r.newContent(p.Content, r.Head())
	var head *Version
	q := &request{draft: &draft{content: content, time: p.Time}, like: p.Like, changes: p.changes(), parts: p.Parts, mark: p.Mark, via: p.Via, noReplace: p.NoReplace}
	r.mu.Lock()
	event, err := r.refresh()
	if err == nil {
		head = r.head
		q.headAtOpen = head
		r.seen.PartOfCall(c, p.Thread)
		q.seen, q.writers = r.seenBy(c, p.Lineage)
		if s, ok := r.putBy(c, p.Lineage, content); ok {
			q.seen = s
		}
		if len(p.Lineage.Writers) > 0 {
			o := &p.Lineage.Writers[0]
			q.begun, q.ended, q.redirected = o.Begun(), o.Event+1, o.Redirected
		}
	}
	r.mu.Unlock()
	q.seen = r.seenBefore(q.seen)
	r.store.observe(event)
	if err != nil {
		return err
	}
	if len(p.Content) == 0 {
		if done, err := r.replaceBlank(p); done || err != nil {
			return err
		}
	}
	if q.doc, err = r.admit(content, head, q.seen); err == nil {
		r.submit(q)
		err = q.err
	}
	if err == nil {
		r.isPlaced(c, p.Lineage.Writers)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		r.refuse(c, p.Via, content, err)
	}
	return err
}
