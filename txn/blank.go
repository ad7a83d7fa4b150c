package txn

import (
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// A file that a program has created is blank until it has a first version. An exclusive
// creation by another program fails from the start. Otherwise the file is hidden from
// other programs until its creator has closed or synced it, or somebody locks it. Then
// they find it empty. A program that reads it so has seen nothing.

// mayBeBlank reports whether an empty live file is one that nobody has filled yet,
// and not a version that has lost its content. The caller holds mu.
func (r *Registry) mayBeBlank() bool {
	if r.loaded {
		return r.head == nil
	}
	if rec, ok := r.readLog(); ok {
		return rec.Seq == 0
	}
	return r.lastSeq == 0
}

// setBlank notes that an empty file is there. The caller holds mu.
func (r *Registry) setBlank(stamp string, mtime time.Time) {
	c := seen.NewContent(nil)
	r.loaded, r.head, r.stamp, r.foreignErr = true, nil, stamp, nil
	r.seen.Vanished()
	r.blank = &Version{Digest: c.Digest, Time: mtime, content: c}
}

// setBlankless notes that no blank file is there any more. The caller holds mu.
func (r *Registry) setBlankless() {
	r.blank, r.pieces = nil, nil
	r.setHidden(false)
}

// setAbsent notes that nothing is there. The caller holds mu.
func (r *Registry) setAbsent() {
	r.head, r.stamp, r.foreignErr = nil, "", nil
	r.seen.Vanished()
	r.setBlankless()
	for t := range r.open {
		t.outlived.Store(true)
	}
}

func (r *Registry) setHidden(on bool) {
	if r.hidden == on {
		return
	}
	r.hidden = on
	if on {
		r.store.hidden.Add(1)
	} else {
		r.store.hidden.Add(-1)
	}
}

// exists reports whether there is a file. The caller holds mu.
func (r *Registry) exists() bool { return r.head != nil || r.blank != nil }

// isOpenedBy reports whether a process has the file that is there open for writing.
// The caller holds mu.
func (r *Registry) isOpenedBy(a Actor) bool {
	for t := range r.open {
		if t.opener.Actor == a && !t.outlived.Load() {
			return true
		}
	}
	return false
}

// create makes a blank file; made is false where somebody behind the store was faster.
// Only the leader calls it, with mu held, which is given up meanwhile.
func (r *Registry) create(like fs.File) (made bool, err error) {
	r.replacingLive = true
	last := r.lastSeq
	r.mu.Unlock()
	var stamp string
	if err = r.recordAbsence(last); err == nil {
		stamp, made, err = r.store.storage.Create(r.name, like)
	}
	r.mu.Lock()
	r.replacingLive = false
	switch {
	case made && err == nil:
		r.setBlank(stamp, r.store.cfg.Now())
		r.setHidden(true)
	case err == nil:
		r.stamp = stampUnknown
	}
	return made, err
}

// replaceBlank has an empty file be the registry's, where it has no version: done is
// false where it has one. An empty file that is there and looks alike stays, with the time of
// the one that takes its name. Errors are the storage's, and fs.ErrExist.
func (r *Registry) replaceBlank(p Replacement) (done bool, err error) {
	differs := p.changes()
	e := Event{Name: r.name, Outcome: Unchanged, Via: p.Via}
	fault := r.exclusively(func() {
		r.mu.Lock()
		event, failed := r.refresh()
		head, blank := r.head, r.blank
		r.mu.Unlock()
		r.store.observe(event)
		switch {
		case failed != nil:
			err = failed
		case p.NoReplace && (head != nil || blank != nil):
			err = fs.ErrExist
		case head == nil && blank != nil && differs:
			err = r.removeLive(nil)
		}
		if err != nil || head != nil {
			return
		}
		if blank != nil && !differs {
			done = true
			r.mu.Lock()
			r.pieces = nil
			r.setHidden(false)
			if !p.Time.IsZero() {
				r.setTime(p.Time, &e)
				e.Time = p.Time
			}
			r.mu.Unlock()
			return
		}
		r.mu.Lock()
		done, err = r.create(p.Like)
		r.setHidden(false)
		r.mu.Unlock()
	})
	if !e.Was.IsZero() {
		r.store.observe(&e)
	}
	return done, errors.Join(err, fault)
}

// recordAbsence makes sure that the log of a registry that had versions says that
// they are gone: else an empty file would be taken for the last of them.
func (r *Registry) recordAbsence(last uint64) error {
	if last == 0 {
		return nil
	}
	var rec Record
	line, err := r.store.storage.LastRecord(r.name)
	if err != nil || line != nil && json.Unmarshal(line, &rec) == nil && rec.Seq == 0 {
		return err
	}
	e := Event{Outcome: Committed, Via: ViaUnlink, Parent: last, Deleted: true}
	if line, err = json.Marshal(NewRecord(&e, r.store.cfg.Now())); err != nil {
		return err
	}
	return r.store.storage.Record(r.name, line)
}

// Hiding reports whether registries are hidden from some processes and not from
// others.
func (s *Store) Hiding() bool { return s.hidden.Load() > 0 }

// Show ends the hiding of a file that was created: it was closed, synced or locked.
func (s *Store) Show(name string) {
	if r := s.peek(name); r != nil {
		r.show()
	}
}

func (r *Registry) show() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.setHidden(false)
}

// CommitStaged commits the staged content of a registry that has no version yet, if it
// is a whole document: somebody wants to read it, or moves it. An object or a list is
// whole once it is one, a scalar with the end of its line.
func (s *Store) CommitStaged(name string) {
	r := s.peek(name)
	if r == nil {
		return
	}
	r.mu.Lock()
	var open []*Tx
	if r.blank != nil {
		for t := range r.open {
			open = append(open, t)
		}
	}
	r.mu.Unlock()
	for _, t := range open {
		t.commitIfWhole()
	}
}

func (t *Tx) commitIfWhole() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil || t.overflow != nil || !t.dirty || !t.isWhole() {
		return
	}
	_ = t.attempt(ViaRead) // the close tells the error
}

// isWhole reports whether the staged content can be no part of a longer document.
// The caller holds mu.
func (t *Tx) isWhole() bool {
	if len(t.data) == 0 {
		return false
	}
	doc, err := t.reg().admit(seen.NewContent(t.data), nil, t.seen)
	if err != nil {
		return false
	}
	kind := doc.Root().Kind()
	return kind == jsondoc.Object || kind == jsondoc.Array || t.data[len(t.data)-1] == '\n'
}
