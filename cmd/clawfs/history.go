package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	iofs "io/fs"
	"time"

	"clawfs/backing"
)

// record is one line of a registry's log, as it is on disk and as --json shows
// it. It holds no value of a document.
type record struct {
	Registry   string           `json:"registry"`             // added by --json
	Seq        uint64           `json:"seq"`                  // the version that is the head after it, 0: none
	Parent     uint64           `json:"parent,omitempty"`     // the version that was the head before it
	Time       time.Time        `json:"time"`                 // when it ended
	Outcome    string           `json:"outcome"`              // committed, merged, unchanged, rejected, aborted
	Via        string           `json:"via"`                  // the call, or the discovery, that ended it
	Digest     string           `json:"digest,omitempty"`     // SHA-256 of the head after it
	Size       int64            `json:"size"`                 // bytes
	Deleted    bool             `json:"deleted,omitempty"`    // the registry is gone after it
	PID        int              `json:"pid,omitempty"`        // who wrote
	Program    string           `json:"program,omitempty"`    //
	UID        uint32           `json:"uid"`                  //
	User       string           `json:"user,omitempty"`       // added by --json
	Base       *baseRecord      `json:"base,omitempty"`       // what it was merged from
	Conflicts  []conflictRecord `json:"conflicts,omitempty"`  // what the policy decided
	Warnings   []string         `json:"warnings,omitempty"`   //
	Error      string           `json:"error,omitempty"`      // why it was rejected or aborted
	Quarantine string           `json:"quarantine,omitempty"` // id of the copy
}

type baseRecord struct {
	Kind       string            `json:"kind"` // read, write, inflight, open, absent
	Digest     string            `json:"digest,omitempty"`
	Candidates []candidateRecord `json:"candidates,omitempty"` // where there were several
}

type candidateRecord struct {
	Digest string `json:"digest"`
	Write  bool   `json:"write,omitempty"`  // what the writer wrote itself, else what it read
	Leaves int    `json:"leaves"`           // in which the content differs from it
	Struck string `json:"struck,omitempty"` // why it was not taken
}

type conflictRecord struct {
	Path string `json:"path"` // RFC 6901
	Kind string `json:"kind"`
	Won  string `json:"won"`
}

// history is what is known of one registry. Another process may go on writing
// it meanwhile.
type history struct {
	dir     *backing.Dir
	name    string
	records []record // oldest first; those before are no longer there
}

// readHistory reads the log of a registry.
func readHistory(dir *backing.Dir, name string) (*history, error) {
	h := &history{dir: dir, name: name}
	for line, err := range dir.ReadLog(name) {
		if err != nil {
			return nil, err
		}
		var r record
		if json.Unmarshal(line, &r) == nil { // a line of a later version may say more, never less
			r.Registry = name
			h.records = append(h.records, r)
		}
	}
	return h, nil
}

// head returns the record that tells of the head, nil if nothing does or the
// registry was deleted.
func (h *history) head() *record {
	if len(h.records) == 0 {
		return nil
	}
	last := &h.records[len(h.records)-1]
	if last.Seq == 0 || last.Deleted {
		return nil
	}
	return last
}

// version returns the record by which a version became the head, or the oldest
// one that tells of it; nil if none does.
func (h *history) version(seq uint64) *record {
	for i := range h.records {
		if h.records[i].Seq == seq {
			return &h.records[i]
		}
	}
	return nil
}

// numberOf returns the newest version with a digest, 0 if it is not known.
func (h *history) numberOf(digest string) uint64 {
	for i := len(h.records) - 1; i >= 0; i-- {
		if h.records[i].Digest == digest {
			return h.records[i].Seq
		}
	}
	return 0
}

// content returns what a version holds, the live file for 0. A commit may make
// the head a version of the history at any moment, so it is looked for in both
// places, and once more in the first. The error is a *noVersionError where it is
// not kept, fs.ErrNotExist for a live file that is not there.
func (h *history) content(seq uint64) ([]byte, error) {
	if seq == 0 {
		b, _, _, err := h.dir.Load(h.name)
		return b, err
	}
	b, err := h.dir.Version(h.name, seq)
	if !errors.Is(err, iofs.ErrNotExist) {
		return b, err
	}
	b, _, _, err = h.dir.Load(h.name)
	r := h.version(seq)
	if err == nil && r != nil && digestOf(b) == r.Digest {
		return b, nil
	}
	if err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return nil, err
	}
	b, err = h.dir.Version(h.name, seq)
	if errors.Is(err, iofs.ErrNotExist) {
		kept, listErr := h.dir.Versions(h.name)
		err = errors.Join(&noVersionError{Name: h.name, Seq: seq, Kept: kept}, listErr)
	}
	return b, err
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
