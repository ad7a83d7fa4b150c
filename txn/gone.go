package txn

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// A registry that is gone leaves its history. The history of a registry that existed
// for a moment only, as a temporary file or a message in a queue does, goes after it.
// Of all others together there is a limit (Sweep).

// briefLife is how long a registry may have existed so that nothing is kept of it.
const briefLife = time.Minute

// Limits say how much is kept of registries that do not exist any more.
type Limits struct {
	Room int64         // bytes on disk of all together; the ones changed longest ago go first
	Age  time.Duration // since the last change
}

// Swept says how many histories of registries that do not exist any more there are and
// were removed.
type Swept struct {
	Kept  int
	Brief int // that existed for a moment only
	Over  int // that were beyond the limits
}

// wasBrief reports whether a registry that is not there was created, and gone, within
// briefLife, and nothing is known of an earlier one of that name. One whose creation was
// undone is none: that can be undone in turn.
func (s *Store) wasBrief(name string) bool {
	var from, to Record
	first, err := s.storage.FirstRecord(name)
	if err != nil || json.Unmarshal(first, &from) != nil {
		return false
	}
	last, err := s.storage.LastRecord(name)
	if err != nil || json.Unmarshal(last, &to) != nil {
		return false
	}
	return to.Undid == 0 && from.Seq <= 1 && from.Parent == 0 && to.Seq == 0 && to.Time.Sub(from.Time) < briefLife
}

// eraseBrief removes the history of a registry that is gone, if it was brief.
func (s *Store) eraseBrief(name string) {
	if s.wasBrief(name) {
		_, _ = s.erase(name) // a name that stays is under the limits
	}
}

// erase removes all that is kept of a registry; ok is false where there is one, or was a
// moment ago.
func (s *Store) erase(name string) (ok bool, err error) {
	r := s.acquire(name)
	defer s.release(r)
	fault := r.exclusively(func() { ok, err = r.erase() })
	return ok, errors.Join(err, fault)
}

// erase is Store.erase. Only the leader calls it.
func (r *Registry) erase() (bool, error) {
	r.mu.Lock()
	foreign, err := r.refresh()
	there := r.exists() || r.removed != nil || len(r.open) > 0
	r.mu.Unlock()
	r.store.observe(foreign)
	if there || err != nil {
		return false, err
	}
	ok, err := r.store.storage.Erase(r.name)
	if ok {
		r.mu.Lock()
		r.lastSeq, r.unarchived = 0, false
		r.mu.Unlock()
	}
	return ok, err
}

// eraseRemoved is for the end: it erases the brief ones that were removed just now.
func (s *Store) eraseRemoved() {
	for _, r := range s.all() {
		r.mu.Lock()
		removed := r.removed != nil
		r.forget()
		r.mu.Unlock()
		if removed {
			s.eraseBrief(r.Name())
		}
	}
}

// Sweep removes the histories of registries that do not exist any more, as far as they
// are beyond the limits. removed, if not nil, is called for each that was removed.
func (s *Store) Sweep(l Limits, removed func(name string)) (swept Swept, err error) {
	type left struct {
		name    string
		room    int64
		changed time.Time
	}
	var all []left
	err = s.storage.Gone(func(name string, room int64, changed time.Time) bool {
		all = append(all, left{name, room, changed})
		return true
	})
	if err != nil {
		return swept, err
	}
	slices.SortFunc(all, func(a, b left) int { return b.changed.Compare(a.changed) })
	now, room := s.cfg.Now(), int64(0)
	for _, g := range all {
		brief := s.wasBrief(g.name)
		if !brief && room+g.room <= l.Room && now.Sub(g.changed) < l.Age {
			room += g.room
			swept.Kept++
			continue
		}
		ok, failed := s.erase(g.name)
		err = cmp.Or(err, failed)
		switch {
		case !ok:
			swept.Kept++
		case brief:
			swept.Brief++
		default:
			swept.Over++
			if removed != nil {
				removed(g.name)
			}
		}
	}
	return swept, err
}

// Forget removes versions of a registry for good, all where none is named; if the registry does
// not exist any more, its log goes then, too. It returns the versions that are gone. Views of
// them are not saved for the next store. Errors are the storage's.
func (s *Store) Forget(name string, seqs ...uint64) ([]uint64, error) {
	r := s.acquire(name)
	defer s.release(r)
	var err error
	fault := r.exclusively(func() { seqs, err = r.forgetVersions(seqs) })
	return seqs, errors.Join(err, fault)
}

// forgetVersions is Store.Forget. Only the leader calls it.
func (r *Registry) forgetVersions(seqs []uint64) ([]uint64, error) {
	storage, whole := r.store.storage, len(seqs) == 0
	r.mu.Lock()
	foreign, err := r.refresh()
	r.mu.Unlock()
	r.store.observe(foreign)
	if err == nil && whole {
		seqs, err = storage.Versions(r.name)
	}
	if err != nil {
		return seqs, err
	}
	var digests [][32]byte
	for _, seq := range seqs {
		if b, err := storage.Version(r.name, seq); err == nil { // a version that is not there can't be seen either
			digests = append(digests, sha256.Sum256(b))
		}
	}
	r.mu.Lock()
	r.seen.Forget(digests, whole)
	r.mu.Unlock()
	if err := storage.Forget(r.name, seqs...); err != nil {
		return seqs, err
	}
	if whole {
		r.mu.Lock()
		r.forget()
		r.mu.Unlock()
		_, err = r.erase()
	}
	return seqs, err
}
