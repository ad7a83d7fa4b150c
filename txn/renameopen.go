package txn

import (
	"errors"
	"io/fs"
	"slices"

	"clawfs/txn/seen"
)

// A file may be renamed onto a registry while somebody has it open for writing, and goes
// on to write by that handle the file that in a bare directory would be the registry's.
// So the handle is a transaction of the registry from then on.

// ReplaceOpen is Replace for a file that is open for writing, by one handle of each of the
// openers. A document is committed. Content that is no document is refused, unless unfinished
// says that the file is still open: then it is staged, and a free name gets an empty file.
// Later writes of a handle belong to its transaction, which must be given back with Release.
func (s *Store) ReplaceOpen(name string, c Caller, p Replacement, openers []Caller, unfinished func() bool) (handles []*Tx, staged bool, err error) {
	r := s.acquire(name)
	defer s.release(r)
	content := seen.NewContent(p.Content)
	staged = r.isPart(content) && unfinished()
	if staged {
		_, err = r.replaceBlank(p)
	} else {
		err = s.Replace(name, c, p)
	}
	if err != nil {
		return nil, false, err
	}
	for _, opener := range openers {
		begun := s.Next()
		if staged && len(p.Lineage.Writers) > 0 {
			begun = p.Lineage.Writers[0].Begun()
		}
		t := s.acquire(name).goOn(opener, content, begun)
		if staged {
			t.stageAll(c, p)
		}
		handles = append(handles, t)
	}
	return handles, staged, nil
}

// isPart reports whether content is no document here: there may be more to come.
func (r *Registry) isPart(c *seen.Content) bool {
	if _, err := r.present(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false // Replace tells it
	}
	_, err := r.admit(c, r.Head(), seen.Seen{})
	return err != nil
}

// goOn begins a transaction of a handle that has written the content of the registry since
// begun.
func (r *Registry) goOn(opener Caller, c *seen.Content, begun Tick) *Tx {
	t := &Tx{opener: opener, opened: begun, data: slices.Clone(c.Bytes)}
	t.at.Store(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	t.continues(c)
	r.addOpen(t)
	return t
}

// continues notes that the transaction holds the bytes that its file held when it was renamed
// to this registry. The caller holds Registry.mu.
func (t *Tx) continues(c *seen.Content) {
	r := t.reg()
	t.since = r.store.Next()
	t.behind, t.rewritten, t.noted, t.last = len(t.data), false, false, c
	t.headAtOpen = r.head
	t.creates.Store(r.head == nil)
	t.merged = r.head != nil && r.head.Digest != c.Digest
}

// stageAll stages all that the transaction holds, as a write of the file's writers. c has
// renamed the file.
func (t *Tx) stageAll(c Caller, p Replacement) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = t.opened
	if len(p.Lineage.Writers) > 0 {
		t.redirected = p.Lineage.Writers[0].Redirected
	}
	t.stays(c, p)
	t.noteTime(p.Time)
}

// stays leaves the transaction's content staged, in the registry that c has renamed the file
// to. The file's writers made it from their views of that registry. The caller holds mu.
func (t *Tx) stays(c Caller, p Replacement) {
	r := t.reg()
	r.mu.Lock()
	r.seen.PartOfCall(c, p.Thread)
	t.headAtOpen, t.merged = r.head, false
	t.creates.Store(r.head == nil)
	if t.noted = len(p.Lineage.Writers) > 0; t.noted { // else somebody is about to write
		t.seen, t.writers = r.seenBy(c, p.Lineage)
	}
	r.mu.Unlock()
	t.seen = r.seenBefore(t.seen)
	t.dirty, t.rewritten, t.behind, t.last = len(t.data) > 0 || !t.Creates(), true, 0, nil // else it is as empty as the file that is there
	t.unsaved.Store(t.dirty)
}

// TakeAfter has the next commit give the registry the owner, the mode, the attributes and
// the inode number of an open file, which is closed with the transaction.
func (t *Tx) TakeAfter(like fs.File) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.like = like
}

// dropLike closes the file that the transaction takes after. The caller holds mu.
func (t *Tx) dropLike() {
	if t.like != nil {
		_ = t.like.Close() // only its attributes were wanted
		t.like = nil
	}
}
