package cluster

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"
)

// limits are how long a commit waits.
type limits struct {
	commit time.Duration // altogether
	answer time.Duration // for one answer of the engine, before another member is asked
	pause  time.Duration // before the engine is asked again, at most
}

// Commit makes content the newest version everywhere, and then the live file. It is beaten
// where another host was faster, or the live file is another one than the stamp's.
//
//	fits       is the live file the newest version that is known, and the one of the stamp?
//	fill       of a large content, put the chunks that are new
//	swap       put the record in place of that version's    ← the commit point
//	commit     of the local storage: the live file follows
//
// Errors: *UnavailableError, *UnknownError, *TooLargeError, where nothing here has changed;
// *UncertainError where only the live file could not follow; those of the local storage.
func (s *Storage) Commit(name, stamp string, seq, oldSeq uint64, content []byte, sum [32]byte, mtime time.Time, like fs.File) (string, bool, error) {
	if !s.shares(name) {
		return s.Local.Commit(name, stamp, seq, oldSeq, content, sum, mtime, like)
	}
	r := s.of(name)
	defer r.doing.Unlock()
	rec := &record{Seq: seq, State: live, Digest: sum, Size: len(content), Time: mtime}
	ok, err := s.fits(name, r, stamp)
	if ok && err == nil {
		ok, err = s.swapContent(name, r, rec, content)
	}
	if s.goesAside(r, err, attempted{rec.Nonce, sum, seq}) {
		return s.aside(name, r, alone{live, sum}, seq, func() (string, bool, error) {
			return s.Local.Commit(name, stamp, seq, oldSeq, content, sum, mtime, like)
		})
	}
	if !ok || err != nil {
		return "", false, err
	}
	now, ok, err := stampUnknown, false, s.note(name, r, s.madeOf(r), seq)
	if err == nil {
		now, ok, err = s.Local.Commit(name, stamp, seq, oldSeq, content, sum, mtime, like)
	}
	return s.followed(r, seq, now, ok, err)
}

// Restore implements txn.Storage: it is a commit that keeps nothing of the version that
// it replaces.
func (s *Storage) Restore(name, stamp string, seq uint64, content []byte, sum [32]byte, mtime time.Time) (string, bool, error) {
	if !s.shares(name) {
		return s.Local.Restore(name, stamp, seq, content, sum, mtime)
	}
	return s.Commit(name, stamp, seq, 0, content, sum, mtime, nil)
}

// Create makes an empty live file, if no host has one. Others do not show it before it has
// a version.
func (s *Storage) Create(name string, like fs.File) (string, bool, error) {
	if !s.shares(name) {
		return s.Local.Create(name, like)
	}
	r := s.of(name)
	defer r.doing.Unlock()
	ok, err := s.fits(name, r, "")
	if ok && err == nil {
		ok, err = s.swap(name, r, &record{State: blank, Time: time.Now()})
	} else if errors.Is(err, fs.ErrInvalid) && s.isTaken(name) {
		err = nil
	}
	if s.goesAside(r, err, attempted{}) {
		return s.aside(name, r, alone{State: blank}, 0, func() (string, bool, error) { return s.Local.Create(name, like) })
	}
	if !ok || err != nil {
		return "", false, err
	}
	now, ok, err := stampUnknown, false, s.note(name, r, s.madeOf(r), 0)
	if err == nil {
		now, ok, err = s.Local.Create(name, like)
	}
	return s.followed(r, 0, now, ok, err)
}

// isTaken reports whether something that is no file has a name.
func (s *Storage) isTaken(name string) bool {
	_, err := s.Local.Stamp(name) // a bad name is an error of it
	return err == nil
}

// Remove deletes the live file of all hosts.
func (s *Storage) Remove(name, stamp string, oldSeq uint64) (bool, error) {
	if !s.shares(name) {
		return s.Local.Remove(name, stamp, oldSeq)
	}
	r := s.of(name)
	defer r.doing.Unlock()
	ok, err := s.fits(name, r, stamp)
	switch {
	case stamp == "":
		return false, err
	case ok && err == nil:
		ok, err = s.swap(name, r, &record{State: gone, Time: time.Now()})
	}
	if s.goesAside(r, err, attempted{}) {
		_, ok, err = s.aside(name, r, alone{State: gone}, 0, func() (string, bool, error) {
			ok, err := s.Local.Remove(name, stamp, oldSeq)
			return "", ok, err
		})
		return ok, err
	}
	if !ok || err != nil {
		return false, err
	}
	ok, err = false, s.note(name, r, s.madeOf(r), 0)
	if err == nil {
		ok, err = s.Local.Remove(name, stamp, oldSeq)
	}
	_, ok, err = s.followed(r, 0, "", ok, err)
	return ok, err
}

// SetTime is this host's alone.
func (s *Storage) SetTime(name, stamp string, mtime time.Time) (string, bool, error) {
	if !s.shares(name) {
		return s.Local.SetTime(name, stamp, mtime)
	}
	r := s.of(name)
	defer r.doing.Unlock()
	s.mu.Lock()
	at, shown := r.next == nil && r.stamp == stamp, s.down != nil && r.shown != nil && *r.shown == stamp
	s.mu.Unlock()
	if !at && !shown {
		return "", false, nil
	}
	now, ok, err := s.Local.SetTime(name, stamp, mtime)
	if ok && err == nil {
		s.mu.Lock()
		if shown {
			r.shows(now, r.shownSeq)
		} else {
			r.stamp = now
		}
		s.mu.Unlock()
	}
	return now, ok, err
}

// Writable implements txn.Shared.
func (s *Storage) Writable(name string) error {
	if s.accept || name != "" && !s.shares(name) {
		return nil
	}
	return s.isDown()
}

// fits reports whether the live file is the one of the stamp and the newest version that is
// known. The caller holds doing.
func (s *Storage) fits(name string, r *registry, stamp string) (bool, error) {
	now, err := s.Local.Stamp(name)
	if err != nil {
		return false, err
	}
	if stamp == "" {
		if _, _, _, err := s.Local.Load(name); errors.Is(err, fs.ErrInvalid) {
			return false, err // something else has the name
		}
	}
	if now != stamp {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.down != nil:
		return false, s.down
	case r.failed != nil:
		return false, r.failed
	case r.next != nil || r.stamp != stamp:
		return false, nil
	}
	return true, nil
}

// followed notes the fate of the live file after a swap. If it could not follow it does so
// when it is read next. The caller holds doing.
func (s *Storage) followed(r *registry, seq uint64, stamp string, ok bool, err error) (string, bool, error) {
	var u interface{ Uncertain() bool }
	done := ok && (err == nil || errors.As(err, &u) && u.Uncertain())
	s.mu.Lock()
	defer s.mu.Unlock()
	r.making = nonce{}
	if done {
		r.at, r.stamp, r.seq, r.own, r.edited, r.made = r.made.light(), stamp, seq, true, false, nil
		r.shown, r.unsure = nil, nil
		if r.next != nil && r.next.rev <= r.at.rev {
			r.next = nil
		}
		r.last = max(r.last, seq)
		return stamp, true, err
	}
	r.next, r.made = r.made, nil
	if err != nil {
		err = &UncertainError{err}
	}
	return stampUnknown, true, err
}

// swapContent is swap of a record that is to have a content.
func (s *Storage) swapContent(name string, r *registry, rec *record, content []byte) (ok bool, err error) {
	made, err := s.fill(name, r, rec, content)
	if err != nil {
		return false, err
	}
	ok, err = s.swap(name, r, rec)
	var unknown *UnknownError
	if !ok && !errors.As(err, &unknown) {
		s.drop(name, made)
	}
	return ok, err
}

// swap puts a record in place of the version that the live file is. It is the registry's
// made then, until followed. ok is false where another host was faster. The caller holds doing.
//
// A request without an answer is made again with the same nonce: at most one of them finds
// the former revision, and each other one finds the nonce. To read instead would be wrong:
// the first one may be carried out after that.
func (s *Storage) swap(name string, r *registry, rec *record) (ok bool, err error) {
	rec.Format, rec.Nonce, rec.Host = cmp.Or(rec.Format, format), cmp.Or(rec.Nonce, newNonce()), s.host
	rec.Seq, rec.Root, rec.Ancestors = max(rec.Seq, r.at.Seq), r.at.root(rec.Nonce), r.at.lineage()
	if rec.State == live {
		rec.Seq = max(rec.Seq, r.at.Seq+1)
	}
	value, err := rec.encode()
	if err == nil {
		value, err = s.sealer.seal(s.keys.head(name), value)
	}
	if err != nil {
		return false, err
	}
	a := &attempt{storage: s, name: name, registry: r, record: rec, value: value}
	s.mu.Lock()
	r.making, r.made = rec.Nonce, nil
	s.mu.Unlock()
	ok, err = a.run()
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok || r.made != nil { // that may have turned out after the last answer
		s.retire(name, r, r.at.Chunks, rec.Chunks)
		return true, nil
	}
	r.making = nonce{}
	return false, err
}

// attempt is a swap under way.
type attempt struct {
	storage  *Storage
	name     string
	registry *registry
	record   *record
	value    []byte
	unsure   error // why a request that was made may have been carried out; nil: none can have been
}

func (a *attempt) run() (bool, error) {
	l := a.storage.limits
	ctx, cancel := context.WithTimeout(context.Background(), l.commit)
	defer cancel()
	for {
		done, ok, err := a.once(ctx)
		if done {
			return ok, err
		}
		if a.isMade() {
			return true, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(l.pause)):
			continue
		}
		if a.unsure != nil {
			return false, &UnknownError{a.unsure}
		}
		return false, &UnavailableError{Err: err}
	}
}

func (a *attempt) isMade() bool {
	a.storage.mu.Lock()
	defer a.storage.mu.Unlock()
	return a.registry.made != nil
}

// once asks the engine once. done says that it need not be asked again.
func (a *attempt) once(ctx context.Context) (done, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.storage.limits.answer)
	defer cancel()
	rev := a.registry.at.rev
	head, ok, err := a.storage.engine.Swap(ctx, a.storage.keys.head(a.name), rev, a.value)
	var refused *RefusedError
	switch {
	case err == nil && ok:
		a.make(head.Rev)
		return true, true, nil
	case err == nil:
		ok, err = a.beaten(head)
		return true, ok, err
	case !errors.As(err, &refused):
		a.unsure = err
		return false, false, err
	case refused.Again || a.unsure != nil:
		return false, false, err
	}
	return true, false, refusal(a.name, err)
}

// madeOf returns the version that a swap has made. The watch may tell of it once more meanwhile.
func (s *Storage) madeOf(r *registry) *version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.made
}

func (a *attempt) make(rev int64) {
	a.storage.mu.Lock()
	defer a.storage.mu.Unlock()
	a.registry.made = &version{a.record, rev}
}

// beaten judges a head that is another one than expected: ok says that it is the record,
// or goes on from it.
func (a *attempt) beaten(head Entry) (ok bool, err error) {
	s, r := a.storage, a.registry
	if head.Rev == 0 { // somebody has deleted the key, which no clawfs does
		if a.unsure != nil {
			return false, &UnknownError{a.unsure}
		}
		s.mu.Lock()
		r.at.rev = 0
		s.mu.Unlock()
		return false, nil
	}
	rec, err := s.decode(head)
	if err != nil {
		return false, &UnavailableError{Err: err}
	}
	if rec.Nonce == a.record.Nonce {
		a.make(head.Rev)
		return true, nil
	}
	switch next, known := rec.after(r.at.record); {
	case known && next == a.record.Nonce:
		a.make(head.Rev - 1) // some revision before
		ok = true
	case a.unsure != nil && !known:
		err = &UnknownError{a.unsure}
	}
	s.know(a.name, version{rec, head.Rev})
	return ok, err
}
