package cluster

import (
	"errors"
	"io/fs"
	"slices"
)

// Where a host may go on without the cluster (Options.Offline), a change that can't be committed is
// made to its live file alone. It is durable here, other hosts do not have it, and once the cluster
// answers it becomes a version, or is merged with the commits of others. The merge base is the
// version that the file was before, which is pinned in the history until then. Before the file
// changes, a note says that its new content is no version: else that could be taken for an old
// version with the same content.

// attempted is a commit of which it is not known whether it was made.
type attempted struct {
	Nonce  nonce  `json:"nonce"`
	Digest digest `json:"digest"`
	Seq    uint64 `json:"seq"` // number of the same content here
}

// mostUnsure is how many commits of a registry are remembered that may have been made.
const mostUnsure = 8

// goesAside reports whether a change that failed for that reason is made here alone. If
// nobody knows whether tried was made, the registry remembers it.
func (s *Storage) goesAside(r *registry, err error, tried attempted) bool {
	var down *UnavailableError
	var unknown *UnknownError
	switch {
	case !s.accept:
		return false
	case errors.As(err, &unknown):
		s.mayHaveMade(r, tried)
	case !errors.As(err, &down) || down.Full:
		return false
	}
	s.setDown(err) // until it is found to answer
	return true
}

// mayHaveMade remembers a commit that may have been made.
func (s *Storage) mayHaveMade(r *registry, tried attempted) {
	if tried.Nonce == (nonce{}) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append(slices.Clone(r.unsure), tried)
	r.unsure = all[max(0, len(all)-mostUnsure):]
}

// trying remembers a commit of a live file, which is no version, that is about to be attempted.
// The function that it returns is told how that ended.
func (s *Storage) trying(name string, r *registry, tried attempted, now alone) (ended func(error), err error) {
	s.mu.Lock()
	before := r.unsure
	s.mu.Unlock()
	s.mayHaveMade(r, tried)
	forget := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		r.unsure = before
	}
	if err := s.noteAlone(name, r, now); err != nil {
		forget()
		return nil, &UnavailableError{Err: err}
	}
	return func(err error) {
		var unknown *UnknownError
		if !errors.As(err, &unknown) {
			forget()
		}
	}, nil
}

// aside makes a change here alone that has that number, 0 for none, and leaves the live file in the
// state now. The caller holds doing.
func (s *Storage) aside(name string, r *registry, now alone, seq uint64, change func() (string, bool, error)) (string, bool, error) {
	if err := s.noteAlone(name, r, now); err != nil {
		return "", false, err
	}
	stamp, ok, err := change()
	var u interface{ Uncertain() bool }
	if ok && (err == nil || errors.As(err, &u) && u.Uncertain()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		r.shows(stamp, seq)
		r.last = max(r.last, seq)
	}
	return stamp, ok, err
}

// shows notes that the live file, which has that stamp, is no version of the cluster. Here it has that
// number, 0 for none. The caller holds Storage.mu.
func (r *registry) shows(stamp string, seq uint64) { r.edited, r.shown, r.shownSeq = true, &stamp, seq }

// Pinned reports whether a version must stay in the history: a live file that is no version is merged
// from it.
func (s *Storage) Pinned(name string, seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[name]
	return r != nil && (r.seq == seq || slices.ContainsFunc(r.unsure, func(a attempted) bool { return a.Seq == seq }))
}

// isDown returns why nothing can be committed to the cluster; nil: it can.
func (s *Storage) isDown() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// staysAside has the live file, which was changed already, stay as it is here if the host may go on
// alone, and its publication failed for want of the cluster. It returns why it failed.
func (s *Storage) staysAside(name string, r *registry, failed error) error {
	if !s.goesAside(r, failed, attempted{}) {
		return failed
	}
	content, _, stamp, err := s.Local.Load(name)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return err
	}
	s.mu.Lock()
	known := r.shown != nil && *r.shown == stamp
	seq := r.shownSeq
	s.mu.Unlock()
	if known {
		return failed
	}
	_, _, err = s.aside(name, r, stateOf(file(content, absent)), seq, func() (string, bool, error) { return stamp, true, nil })
	if err != nil {
		return err
	}
	return failed
}

// stateOf returns the state that a live file was found in.
func stateOf(f found) alone {
	switch {
	case f.absent:
		return alone{State: gone}
	case f.empty:
		return alone{State: blank}
	}
	return alone{State: live, Digest: f.digest}
}
