package cluster

import (
	"encoding/json"
	"slices"
)

// A record knows its last ancestors only. For a host that is away for longer each version is
// noted beside its live file before the file becomes that version. So after any absence a live file
// that was noted is an old version, and follows. If no note is missing, any other one was made
// from a noted version, and is merged; else it may be a version itself whose note was lost.

// note is the record kept here of a version.
type note struct {
	Root   nonce  `json:"root"`
	Nonce  nonce  `json:"nonce"`
	Seq    uint64 `json:"seq"`
	State  state  `json:"state"`
	Digest digest `json:"digest"`
}

// note notes a version that the cluster has, and that the live file is about to be. The caller
// holds doing.
func (s *Storage) note(name string, r *registry, v *version) error {
	if r.noted == v.Nonce {
		return nil
	}
	line, err := json.Marshal(note{v.Root, v.Nonce, v.Seq, v.State, v.Digest})
	if err == nil {
		err = s.Local.Note(name, line)
	}
	if err == nil {
		r.noted = v.Nonce
	}
	return err
}

// noteFound is note of a version that the live file is already.
func (s *Storage) noteFound(name string, r *registry, v version) {
	if err := s.note(name, r, &v); err != nil {
		s.told(Message{Name: name, What: "cannot note the version that the live file is", Err: err})
	}
}

// past returns the notes made here of the versions that another one goes on from: the last one,
// with all others as its ancestors. It is nothing where none was noted, or some are newer: then
// the cluster has lost them. whole says that none is missing.
func (s *Storage) past(name string, of *version) (v version, whole bool, err error) {
	lines, whole, err := s.Local.Notes(name)
	if err != nil {
		return v, false, err
	}
	v = nothing()
	for _, line := range lines {
		var n note
		if json.Unmarshal(line, &n) != nil || n.Root == (nonce{}) || n.Root != of.Root {
			continue
		}
		if n.Seq > of.Seq {
			return nothing(), whole, nil
		}
		v = version{record: &record{
			Format: format, Root: n.Root, Nonce: n.Nonce, Seq: n.Seq, State: n.State, Digest: n.Digest, Ancestors: slices.Clip(v.lineage()),
		}}
	}
	return v, whole, nil
}
