package versions

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"clawfs/txn"
)

// Winner names the side that wins where the undone change and a later one have changed the same
// place.
type Winner uint8

// The winners.
const (
	Nobody Winner = iota // the plan is blocked
	Later                // it stays as it is now
	Undone               // it goes back all the same
)

// UndoOptions name the changes that are undone.
type UndoOptions struct {
	// Since, if not 0, is a version before the target: all is undone that came after it.
	Since uint64
	Wins  Winner
	Paths []string // only the changes there: as Compare gives them, or above; none: everywhere

	// Only, if not nil, is the one difference that is undone, as Compare gives it for the version
	// before the target and the target. A path may stand for two: an element that was removed from
	// a list, and the one that came to its place.
	Only *Difference
}

// partly returns a place at which alone something is undone, and whether there is one.
func (o *UndoOptions) partly() (place string, is bool) {
	switch {
	case o.Only != nil:
		return o.Only.place(), true
	case len(o.Paths) > 0:
		return o.Paths[0], true
	}
	return "", false
}

// OrderError says that a version came after the one that is undone, not before it.
type OrderError struct {
	Path       string
	Seq, Since uint64
}

// Error names both versions.
func (e *OrderError) Error() string {
	return fmt.Sprintf("version %d of %s came before version %d: nothing since then is part of it", e.Seq, e.Path, e.Since)
}

// GoneError says that a registry is gone whose versions can't be undone one by one.
type GoneError struct {
	Path string
	Last uint64 // the version that was removed
}

// Error names the registry and its last version.
func (e *GoneError) Error() string {
	return fmt.Sprintf("%s is gone; its last version was %d", e.Path, e.Last)
}

// NothingError says that nothing can be undone.
type NothingError struct{ Path string }

// Error names the registry.
func (e *NothingError) Error() string { return "no change of " + e.Path + " is recorded" }

// LostError says that a version can't be undone by itself, since it or the one before it
// is not kept: versions that are written together leave the last one of them.
type LostError struct {
	Path         string
	Seq, Missing uint64
	Since, Until uint64 // the versions around it that are kept; Since is 0 where there is none
}

// Error names the versions.
func (e *LostError) Error() string {
	if e.Missing == e.Seq {
		return fmt.Sprintf("version %d of %s is not kept", e.Seq, e.Path)
	}
	return fmt.Sprintf("version %d of %s, which version %d was made from, is not kept", e.Missing, e.Path, e.Seq)
}

// NotThereError says that a version has changed nothing at a place.
type NotThereError struct {
	Path  string
	Seq   uint64
	Place string // RFC 6901
}

// Error names version and place.
func (e *NotThereError) Error() string {
	return fmt.Sprintf("version %d of %s has changed nothing at %q that was there before", e.Seq, e.Path, e.Place)
}

// NotDocumentError says that a registry, or a version of it, is no document, so that
// nothing can be merged.
type NotDocumentError struct {
	Path string
	Err  error
}

// Error names the registry and the problem.
func (e *NotDocumentError) Error() string { return fmt.Sprintf("%s is no document: %v", e.Path, e.Err) }

// Unwrap returns the problem.
func (e *NotDocumentError) Unwrap() error { return e.Err }

// Undo plans to undo the change by which a version came about, and leave later changes:
// the difference between that version and the one before it is merged into the head, with
// that version as the base. The target's version 0 is the newest change, a removal perhaps.
// Where the version was the first one the registry goes. Errors: *NoVersionError, *LostError,
// *GoneError, *NothingError, *OrderError, *NotThereError, *NotDocumentError, or the system's.
func (e *Engine) Undo(t Target, o UndoOptions) (*Plan, error) {
	pl, err := e.plan(t.Place)
	if err != nil {
		return nil, err
	}
	defer pl.dir.Close()
	seq := t.Seq
	if seq == 0 {
		newest := pl.history.newest()
		switch {
		case newest == nil:
			return nil, &NothingError{Path: pl.Path()}
		case newest.Deleted && pl.Head == nil:
			if _, partly := o.partly(); partly {
				return nil, &GoneError{Path: pl.Path(), Last: pl.history.last()}
			}
			return pl.bringBack(cmp.Or(o.Since, newest.Parent))
		case newest.Deleted:
			return nil, &NothingError{Path: pl.Path()} // the present file came behind clawfs
		}
		seq = newest.Seq
	}
	if pl.Head == nil {
		return nil, &GoneError{Path: pl.Path(), Last: pl.history.last()}
	}
	return pl.undo(seq, o)
}

// bringBack plans to undo a removal.
func (pl *planner) bringBack(seq uint64) (*Plan, error) {
	var err error
	if pl.Theirs, err = pl.history.Read(seq); err != nil {
		return nil, err
	}
	pl.Note.Restored = seq
	return pl.to([]byte(pl.Theirs.Content))
}

// undo plans to undo a version.
func (pl *planner) undo(seq uint64, o UndoOptions) (*Plan, error) {
	made := pl.history.made(seq)
	before := seq - 1
	if made != nil {
		before = made.Parent
	}
	if o.Since > seq {
		return nil, &OrderError{Path: pl.Path(), Seq: seq, Since: o.Since}
	}
	before = cmp.Or(o.Since, before)
	place, partly := o.partly()
	var err error
	if pl.Base, err = pl.history.Read(seq); err != nil {
		return nil, pl.lost(err, made, seq, seq)
	}
	if before > 0 {
		if pl.Theirs, err = pl.history.Read(before); err != nil {
			return nil, pl.lost(err, made, seq, before)
		}
	}
	pl.Note = txn.Note{Undid: seq, Since: o.Since, InPart: partly}
	unchanged := pl.Head.Digest == pl.Base.Digest
	switch {
	case pl.Theirs == nil && partly:
		return nil, &NotThereError{Path: pl.Path(), Seq: seq, Place: place}
	case pl.Theirs == nil && (unchanged || o.Wins == Undone):
		return pl.toNothing(), nil
	case pl.Theirs == nil && o.Wins == Later:
		return pl.to([]byte(pl.Head.Content))
	case pl.Theirs == nil:
		pl.Conflicts = []Conflict{{Kind: "deleted"}}
		return pl.Plan, nil
	case unchanged && !partly:
		return pl.to([]byte(pl.Theirs.Content))
	}
	return pl.putIn([]part{{base: pl.Base, theirs: pl.Theirs, paths: o.Paths, only: o.Only}}, o.Wins)
}

// lost returns the error where a version is not kept.
func (pl *planner) lost(err error, made *Record, seq, missing uint64) error {
	var none *NoVersionError
	if !errors.As(err, &none) || made == nil || len(none.Kept) == 0 || missing < none.Kept[0] {
		return err
	}
	e := &LostError{Path: pl.Path(), Seq: seq, Missing: missing, Until: seq}
	i, _ := slices.BinarySearch(none.Kept, missing)
	e.Since = none.Kept[i-1]
	if missing != seq {
		return e
	}
	if e.Until = pl.Head.Seq; i < len(none.Kept) {
		e.Until = none.Kept[i]
	}
	return e
}

// changes reports whether the record is one of a change.
func (r *Record) changes() bool {
	return r.Outcome == txn.Committed.String() || r.Outcome == txn.Merged.String()
}

// newest returns the record of the newest change, nil where there is none.
func (h *History) newest() *Record {
	for i := len(h.Records) - 1; i >= 0; i-- {
		if h.Records[i].changes() {
			return &h.Records[i]
		}
	}
	return nil
}

// made returns the record of the change by which a version came about, nil where it is
// not there any more.
func (h *History) made(seq uint64) *Record {
	for i := range h.Records {
		if r := &h.Records[i]; r.Seq == seq && r.changes() {
			return r
		}
	}
	return nil
}

// last returns the newest version that is recorded, 0 for none.
func (h *History) last() uint64 {
	var last uint64
	for i := range h.Records {
		last = max(last, h.Records[i].Seq)
	}
	return last
}

// touches reports whether a path, which may be nil, is another one, or leads to or from
// it.
func touches(path *string, other string) bool {
	return path != nil && (*path == other || strings.HasPrefix(*path, other+"/") || strings.HasPrefix(other, *path+"/"))
}
