package cluster

import (
	"encoding/json"
	"slices"
)

// A record knows its last ancestors only. For a host that is away for longer each version is
// noted beside its live file before the file becomes that version. So after any absence a live file
// that was noted is an old version, and follows. If no note is missing, any other one was made
// from a noted version, and is merged; else it may be a version itself whose note was lost.

// note describes a version that the live file is, or was before it was changed here. A later note of
// the same version supersedes an earlier one.
type note struct {
	Root   nonce       `json:"root,omitzero"` // zero: there was no version
	Nonce  nonce       `json:"nonce,omitzero"`
	Seq    uint64      `json:"seq,omitzero"`
	State  state       `json:"state"`
	Digest digest      `json:"digest,omitzero"`
	Here   uint64      `json:"here,omitzero"`    // number of the version here, 0 if it has none
	Unsure []attempted `json:"unsure,omitempty"` // commits from it that may have been made
	Alone  *alone      `json:"alone,omitempty"`  // the live file, if it is no version
}

// alone is the state of a live file that is no version.
type alone struct {
	State  state  `json:"state"`
	Digest digest `json:"digest,omitzero"`
}

// is reports whether a live file is in that state.
func (a alone) is(f found) bool {
	return version{record: &record{State: a.State, Digest: a.Digest}}.is(f)
}

// note notes a version that the cluster has, and that the live file is about to be. Of a registry that
// never had content here nothing is noted: there is none to be told from an edit. The caller
// holds doing.
func (s *Storage) note(name string, r *registry, v *version, here uint64) error {
	if r.noted == v.Nonce || r.noted == (nonce{}) && v.State != live {
		return nil
	}
	err := s.keepNote(name, note{Root: v.Root, Nonce: v.Nonce, Seq: v.Seq, State: v.State, Digest: v.Digest, Here: here}, false)
	if err == nil {
		r.noted = v.Nonce
	}
	return err
}

func (s *Storage) keepNote(name string, n note, durably bool) error {
	line, err := json.Marshal(n)
	if err == nil {
		err = s.Local.Note(name, line, durably)
	}
	return err
}

// noteFound is note of a version that the live file is already.
func (s *Storage) noteFound(name string, r *registry, v version, here uint64) {
	if err := s.note(name, r, &v, here); err != nil {
		s.told(Message{Name: name, What: "cannot note the version that the live file is", Err: err})
	}
}

// Erase implements txn.Storage. The notes of a removal that other hosts do not have yet stay.
func (s *Storage) Erase(name string) (bool, error) {
	if !s.shares(name) {
		return s.Local.Erase(name)
	}
	r := s.of(name)
	defer r.doing.Unlock()
	s.mu.Lock()
	edited := r.edited
	s.mu.Unlock()
	if edited {
		return false, nil
	}
	ok, err := s.Local.Erase(name)
	if ok && err == nil {
		r.noted = nonce{}
	}
	return ok, err
}

// noteAlone notes durably that the live file is about to be in a state that is no version's, and the
// commits that may have been made from the last version. The caller holds doing.
func (s *Storage) noteAlone(name string, r *registry, now alone) error {
	s.mu.Lock()
	at, here, unsure := r.at, r.seq, slices.Clone(r.unsure)
	s.mu.Unlock()
	return s.keepNote(name, note{at.Root, at.Nonce, at.Seq, at.State, at.Digest, here, unsure, &now}, true)
}

// past is what was noted here of a registry.
type past struct {
	version             // the last one, with all others as its ancestors
	here    uint64      // its number here
	unsure  []attempted // commits from it that may have been made
	alone   []alone     // states of the live file since
	whole   bool        // no note is missing
}

// past returns what was noted here of the versions that another one goes on from. It is nothing where
// none was noted, or some are newer: then the cluster has lost them.
func (s *Storage) past(name string, of *version) (past, error) {
	p := past{version: nothing()}
	lines, whole, err := s.Local.Notes(name)
	if err != nil {
		return p, err
	}
	for _, line := range lines {
		var n note
		if json.Unmarshal(line, &n) != nil || n.Root != of.Root && n.Nonce != (nonce{}) || n.Root == (nonce{}) && n.Nonce != (nonce{}) {
			continue
		}
		switch {
		case n.Seq > of.Seq:
			return past{version: nothing(), whole: whole}, nil
		case n.Nonce == (nonce{}):
			p = past{version: nothing(), alone: p.alone}
		case n.Nonce != p.Nonce:
			p = past{version: version{record: &record{
				Format: format, Root: n.Root, Nonce: n.Nonce, Seq: n.Seq, State: n.State, Digest: n.Digest, Ancestors: slices.Clip(p.lineage()),
			}}}
		}
		p.here, p.unsure = n.Here, n.Unsure
		if n.Alone != nil {
			p.alone = append(p.alone, *n.Alone)
		}
	}
	p.whole = whole
	return p, nil
}

// isAlone reports whether a live file is no version, but was made by programs here.
func (p *past) isAlone(f found) bool {
	return slices.ContainsFunc(p.alone, func(a alone) bool { return a.is(f) })
}

// isOld reports whether a live file is an older version than the next one, or is in that.
func (p *past) isOld(next *version, f found) bool {
	switch {
	case !f.absent && includes(p.unsure, next, f.digest):
		return true
	case p.isAlone(f):
		return false
	}
	return f.absent || f.empty || next.Ancestors.has(f.digest) || p.knows(f.digest)
}

// includes reports whether a version goes on from a commit that has been attempted with that content.
func includes(unsure []attempted, v *version, d digest) bool {
	return slices.ContainsFunc(unsure, func(a attempted) bool { return a.Digest == d && v.goesOnFrom(a.Nonce) })
}
