package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// A host that may go on alone may begin alone, too: a laptop that is started without a network.
// Its notes tell which version each live file is, or was made from. Once the cluster answers, the
// host asks for all that is there, and has then been alone for a while like any other.

// StrangerError says that a host does not know enough of its cluster to begin without it.
type StrangerError struct {
	Names []string // registries that may be any version, or none; perhaps there are none at all
	Err   error    // why the cluster can't be reached
}

// Error says why.
func (e *StrangerError) Error() string {
	if len(e.Names) == 0 {
		return fmt.Sprintf("this host was never in the cluster, and cannot begin without it: %v", e.Err)
	}
	return fmt.Sprintf("this host was never in the cluster, or a power failure has taken its notes; it cannot begin without the cluster, as it does not know which versions it has of %s: %v", strings.Join(e.Names, ", "), e.Err)
}

// Unwrap returns the reason.
func (e *StrangerError) Unwrap() error { return e.Err }

// cannotBeReached reports whether an error says that no majority has answered. A cluster that has
// refused this host for good has.
func cannotBeReached(err error) bool {
	var unavailable *UnavailableError
	var refused *RefusedError
	return errors.As(err, &unavailable) && (!errors.As(unavailable.Err, &refused) || refused.Again)
}

// beginAlone has the storage begin without the cluster, which can't be reached for that reason.
// Errors: *StrangerError, or those of the local storage.
func (s *Storage) beginAlone(o Options, reason error) error {
	names, err := s.sharedNames(o)
	if err != nil {
		return err
	}
	err = s.Local.Gone(func(name string, _ int64, _ time.Time) bool {
		if s.shares(name) {
			names[name] = true
		}
		return true
	})
	if err != nil {
		return err
	}
	_, wasIn, err := s.Local.Notes("any") // the name does not matter
	if err != nil {
		return err
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		noted, known, err := s.recall(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		wasIn = wasIn || noted
		if !known {
			unknown = append(unknown, name)
		}
	}
	if !wasIn || len(unknown) > 0 {
		return &StrangerError{unknown, reason}
	}
	s.setDown(reason)
	return nil
}

// recall finds out from the notes which version a live file is, or was made from. noted says that
// there are some, and known that they tell it.
func (s *Storage) recall(name string) (noted, known bool, err error) {
	r := s.of(name)
	defer r.doing.Unlock()
	content, _, stamp, err := s.Local.Load(name)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return false, false, err
	}
	lines, _, err := s.Local.Notes(name)
	if err != nil {
		return false, false, err
	}
	p, err := s.past(name, newestNoted(lines))
	if err != nil {
		return false, false, err
	}
	f := file(content, absent)
	s.number(name, r)
	seq := s.numberOf(name, r, f.digest)
	r.noted = p.Nonce
	switch old := p.oldOf(f); {
	case p.isAlone(f):
	case old != nil:
		s.arrive(r, *old, stamp, seq)
		return len(lines) > 0, true, nil
	case !p.whole:
		return len(lines) > 0, false, nil
	}
	_, here := s.base(name, p.version, p.here, nil)
	s.replaces(r, p.version)
	s.mu.Lock()
	r.seq, r.stamp = here, stampUnknown
	s.mu.Unlock()
	s.changed(r, p, stamp, seq)
	return len(lines) > 0, true, nil
}

// recognize finds the changed live files that were made from the newest version itself: nobody else has
// committed since. A file that can't be read stays one that is merged.
func (s *Storage) recognize() {
	s.mu.Lock()
	names := slices.Collect(maps.Keys(s.all))
	s.mu.Unlock()
	for _, name := range names {
		s.recognizeOne(name)
	}
}

func (s *Storage) recognizeOne(name string) {
	r := s.of(name)
	defer r.doing.Unlock()
	s.mu.Lock()
	next, edited := r.next, r.edited
	s.mu.Unlock()
	if next == nil || !edited {
		return
	}
	content, _, _, err := s.Local.Load(name)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return
	}
	p, err := s.past(name, next)
	if err != nil || !s.wasMadeFrom(name, next, &p, file(content, absent)) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.next == next {
		r.at, r.next = next.light(), nil
	}
}

// newestNoted returns a version that goes on from all that is noted since the registry was made anew.
func newestNoted(lines [][]byte) *version {
	of := nothing()
	of.Seq = math.MaxUint64
	for _, line := range slices.Backward(lines) {
		var n note
		if json.Unmarshal(line, &n) == nil && n.Nonce != (nonce{}) {
			of.Root = n.Root
			break
		}
	}
	return &of
}

// oldOf returns the noted version that a live file is, nil for none. As for a host that joins, a file that is
// not there, or is empty, was made from nothing: a version of it is about to be put in place, or was.
func (p *past) oldOf(f found) *version {
	if p.version.is(f) {
		return &p.version
	}
	if f.absent {
		v := nothing()
		return &v
	}
	if f.empty {
		return &version{record: &record{State: blank}}
	}
	for i, a := range slices.Backward(p.Ancestors) {
		if a.digest == [8]byte(f.digest[:8]) {
			return &version{record: &record{Format: p.Format, Root: p.Root, Nonce: a.nonce, State: live, Digest: f.digest, Ancestors: p.Ancestors[:i]}}
		}
	}
	return nil
}

// meet asks for all that the cluster has, for the first time. Errors: *SecretError, *UnavailableError.
func (s *Storage) meet(ctx context.Context, o Options) error {
	hasSecret, err := s.checkSecret(ctx)
	if err != nil {
		return err
	}
	n, err := s.list(ctx)
	if err != nil {
		return &UnavailableError{Err: err}
	}
	if o.Secret != nil && !hasSecret {
		return s.giveSecret(ctx, n)
	}
	return nil
}

// meetLater is meet for a storage that has begun alone: it asks until the cluster answers, or ctx ends.
func (s *Storage) meetLater(ctx context.Context, o Options) {
	for told := ""; wait(ctx, o.Look); {
		limited, cancel := context.WithTimeout(ctx, 2*s.limits.commit)
		err := s.meet(limited, o)
		cancel()
		var secret *SecretError
		switch {
		case err == nil:
			s.recognize()
			s.setDown(nil)
			return
		case errors.As(err, &secret) && told != err.Error():
			told = err.Error()
			s.told(Message{What: "Registry cluster cannot be joined", Err: err})
		}
	}
}
