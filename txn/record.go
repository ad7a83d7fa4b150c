package txn

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"clawfs/txn/seen"
)

// record is one line of a registry's log: what happened, never what was in it.
type record struct {
	Seq       uint64           `json:"seq"`
	Parent    uint64           `json:"parent,omitempty"`
	Time      time.Time        `json:"time"`
	Outcome   string           `json:"outcome"`
	Via       Via              `json:"via"`
	Digest    string           `json:"digest,omitempty"`
	Size      int64            `json:"size"`
	Dialect   string           `json:"dialect,omitempty"` // where it is not strict and the configuration does not say it
	Deleted   bool             `json:"deleted,omitempty"`
	PID       int              `json:"pid,omitempty"`
	Program   string           `json:"program,omitempty"`
	UID       uint32           `json:"uid"`
	Base      *baseRecord      `json:"base,omitempty"`
	Kept      int              `json:"kept,omitempty"`
	Conflicts []conflictRecord `json:"conflicts,omitempty"`
	Warnings  []string         `json:"warnings,omitempty"`
	Rules     []ruleRecord     `json:"rules,omitempty"`
	MoreRules int              `json:"moreRules,omitempty"`
	Error     string           `json:"error,omitempty"`
	Copy      string           `json:"quarantine,omitempty"`
}

type baseRecord struct {
	Kind       BaseKind          `json:"kind"`
	Why        seen.Reason       `json:"why,omitempty"`
	Digest     string            `json:"digest,omitempty"`
	Candidates []candidateRecord `json:"candidates,omitempty"`
}

type candidateRecord struct {
	Digest string `json:"digest"`
	Write  bool   `json:"write,omitempty"`
	Leaves int    `json:"leaves"`
	Struck string `json:"struck,omitempty"`
}

type conflictRecord struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
	Won  string `json:"won"`
}

type ruleRecord struct {
	Path string `json:"path"`
	Rule string `json:"rule"`
}

// record appends the event to the registry's log; v is the head after it, nil
// where there is none. A log that can't be written must not fail a commit that
// is already on disk: the file is the truth, the log only tells of it.
func (r *Registry) record(e *Event, v *Version) {
	line, err := json.Marshal(newRecord(e, v, r.store.cfg.Now()))
	if err == nil {
		_ = r.store.storage.Record(r.name, line)
	}
}

func newRecord(e *Event, v *Version, now time.Time) record {
	rec := record{
		Seq: e.Seq, Parent: e.Parent, Time: now, Outcome: e.Outcome.String(), Via: e.Via, Size: e.Size, Deleted: e.Deleted,
		PID: e.Writer.PID, Program: e.Writer.Program, UID: e.Writer.UID, Copy: e.Copy, Base: newBaseRecord(e.Base), Kept: e.Kept, MoreRules: e.More,
	}
	if v != nil {
		rec.Digest = hex.EncodeToString(v.Digest[:])
		if v.dialect != Strict {
			rec.Dialect = v.dialect.String()
		}
	}
	if e.Err != nil {
		rec.Error = e.Err.Error()
	}
	for _, c := range e.Conflicts {
		rec.Conflicts = append(rec.Conflicts, conflictRecord{Path: c.Path, Kind: c.Kind.String(), Won: c.Won.String()})
	}
	for _, w := range e.Warnings {
		rec.Warnings = append(rec.Warnings, w.String())
	}
	for _, a := range e.Applied {
		rec.Rules = append(rec.Rules, ruleRecord{Path: a.Path, Rule: a.Rule})
	}
	return rec
}

func newBaseRecord(b Base) *baseRecord {
	if b.Kind == BaseNone {
		return nil
	}
	out := &baseRecord{Kind: b.Kind, Why: b.Why}
	if b.Digest != [32]byte{} {
		out.Digest = hex.EncodeToString(b.Digest[:])
	}
	for _, c := range b.Candidates {
		out.Candidates = append(out.Candidates, candidateRecord{Digest: hex.EncodeToString(c.Digest[:]), Write: c.Write, Leaves: c.Leaves, Struck: c.Struck})
	}
	return out
}
