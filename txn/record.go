package txn

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"clawfs/txn/seen"
)

// Record is one line of a registry's log. It tells an event, and never the registry's values.
// Commands show it as it is, and fill in the fields that they find out.
type Record struct {
	Seq        uint64           `json:"seq"`              // the version that is the head after it, 0: none
	Parent     uint64           `json:"parent,omitempty"` // the version that was the head before it
	Time       time.Time        `json:"time"`             // when it ended
	Outcome    string           `json:"outcome"`          // committed, merged, unchanged, rejected, aborted
	Via        Via              `json:"via"`              // the call, or the discovery, that ended it
	Digest     string           `json:"digest,omitempty"` // SHA-256 of the head after it
	Size       int64            `json:"size"`             // bytes
	Note                        // the purpose that a command gave; Restored is of a recovery, too, where a command shows it
	Dialect    string           `json:"dialect,omitempty"`    // of the head after it, where it is not strict
	Deleted    bool             `json:"deleted,omitempty"`    // the registry is gone after it
	PID        int              `json:"pid,omitempty"`        // of the writer
	Program    string           `json:"program,omitempty"`    // of the writer
	UID        uint32           `json:"uid"`                  // of the writer
	User       string           `json:"user,omitempty"`       // by a command: the name of the uid
	Base       *BaseRecord      `json:"base,omitempty"`       // it was merged from this one
	Kept       int              `json:"kept,omitempty"`       // entries of the head that a merge has kept and that the content lacks
	Conflicts  []ConflictRecord `json:"conflicts,omitempty"`  // as the policy decided them
	Warnings   []string         `json:"warnings,omitempty"`   //
	Rules      []RuleRecord     `json:"rules,omitempty"`      // that decided where both sides had made changes
	MoreRules  int              `json:"moreRules,omitempty"`  // how many more there were
	Error      string           `json:"error,omitempty"`      // why it was rejected or aborted
	Quarantine string           `json:"quarantine,omitempty"` // id of the copy
	Host       string           `json:"host,omitempty"`       // that has committed it, if that is another one
}

// BaseRecord tells the base that a transaction was merged from.
type BaseRecord struct {
	Kind       BaseKind          `json:"kind"`
	Why        seen.Reason       `json:"why,omitempty"` // why it was taken
	Digest     string            `json:"digest,omitempty"`
	Candidates []CandidateRecord `json:"candidates,omitempty"` // where there were several
}

// CandidateRecord tells the fate of one candidate for the merge base.
type CandidateRecord struct {
	Digest string `json:"digest"`
	Write  bool   `json:"write,omitempty"`  // the writer wrote it itself, else it read it
	Leaves int    `json:"leaves"`           // the content differs from it in so many
	Struck string `json:"struck,omitempty"` // why it was not taken
}

// ConflictRecord is a conflict of a merge.
type ConflictRecord struct {
	Path string `json:"path"` // RFC 6901
	Kind string `json:"kind"`
	Won  string `json:"won"`
}

// RuleRecord is a rule that a merge has applied.
type RuleRecord struct {
	Path string `json:"path"` // RFC 6901
	Rule string `json:"rule"`
}

// record appends the event to the registry's log; v is the head after it, nil
// where there is none. A log that can't be written must not fail a commit that
// is already on disk: the file is the truth, the log only tells of it.
func (r *Registry) record(e *Event, v *Version) {
	rec := NewRecord(e, r.store.cfg.Now())
	if v != nil {
		rec.Digest = hex.EncodeToString(v.Digest[:])
		if v.dialect != Strict {
			rec.Dialect = v.dialect.String()
		}
	}
	line, err := json.Marshal(rec)
	if err == nil {
		_ = r.store.storage.Record(r.name, line)
	}
}

// NewRecord returns the record of an event that has ended at a time, without the fields
// about the head after it.
func NewRecord(e *Event, at time.Time) Record {
	rec := Record{
		Seq: e.Seq, Parent: e.Parent, Time: at, Outcome: e.Outcome.String(), Via: e.Via, Size: e.Size, Deleted: e.Deleted,
		PID: e.Writer.PID, Program: e.Writer.Program, UID: e.Writer.UID, Quarantine: e.Copy, Base: newBaseRecord(e.Base), Kept: e.Kept, MoreRules: e.More, Note: e.Note, Host: e.Host,
	}
	if e.Err != nil {
		rec.Error = e.Err.Error()
	}
	for _, c := range e.Conflicts {
		rec.Conflicts = append(rec.Conflicts, ConflictRecord{Path: c.Path, Kind: c.Kind.String(), Won: c.Won.String()})
	}
	for _, w := range e.Warnings {
		rec.Warnings = append(rec.Warnings, w.String())
	}
	for _, a := range e.Applied {
		rec.Rules = append(rec.Rules, RuleRecord{Path: a.Path, Rule: a.Rule})
	}
	return rec
}

func newBaseRecord(b Base) *BaseRecord {
	if b.Kind == BaseNone {
		return nil
	}
	out := &BaseRecord{Kind: b.Kind, Why: b.Why}
	if b.Digest != [32]byte{} {
		out.Digest = hex.EncodeToString(b.Digest[:])
	}
	for _, c := range b.Candidates {
		out.Candidates = append(out.Candidates, CandidateRecord{Digest: hex.EncodeToString(c.Digest[:]), Write: c.Write, Leaves: c.Leaves, Struck: c.Struck})
	}
	return out
}
