package versions

import (
	"fmt"
	"slices"

	"clawfs/txn"
	"clawfs/txn/merge"
)

// NoConflictError says that no conflict of a version can be decided the other way.
type NoConflictError struct {
	Target Target
	Path   string // where one was looked for; "" and Any: anywhere
	Any    bool
	Why    string // "": there was none
}

// Error names the version.
func (e *NoConflictError) Error() string {
	where := ""
	if !e.Any {
		where = fmt.Sprintf(" at %q", e.Path)
	}
	if e.Why != "" {
		return fmt.Sprintf("the conflict of %s%s can't be decided the other way: %s", e.Target, where, e.Why)
	}
	return fmt.Sprintf("%s had no conflict%s", e.Target, where)
}

// Resolve plans to decide conflicts of a version the other way: the loser's value is put in
// place of the winner's, by a merge with the version as the base, and all else stays as it is
// now. paths are some of those in its record; none are all. Where a later version has changed
// the same place the plan is blocked unless wins names a winner. Errors are those of Undo and
// *NoConflictError.
func (e *Engine) Resolve(t Target, paths []string, wins Winner) (*Plan, error) {
	pl, err := e.plan(t.Place)
	if err != nil {
		return nil, err
	}
	defer pl.dir.Close()
	if pl.Head == nil {
		return nil, &GoneError{Path: pl.Path(), Last: pl.history.last()}
	}
	x, err := pl.explain(t.Seq)
	if err != nil {
		return nil, err
	}
	pl.Base, pl.Note = x.Result, txn.Note{Resolved: t.Seq, InPart: len(paths) > 0}
	var parts []part
	for _, path := range paths {
		if !slices.ContainsFunc(x.Conflicts, func(c Decided) bool { return c.Path == path }) {
			return nil, &NoConflictError{Target: t, Path: path}
		}
	}
	for _, c := range x.Conflicts {
		switch {
		case len(paths) > 0 && !slices.Contains(paths, c.Path):
		case c.Won == merge.Both.String():
			return nil, &NoConflictError{Target: t, Path: c.Path, Why: "both were kept, so that one of them can be taken out by hand"}
		case c.other == nil:
			return nil, &NoConflictError{Target: t, Path: c.Path, Why: "what the other side had is not kept"}
		default:
			i := slices.IndexFunc(parts, func(p part) bool { return p.theirs == c.other })
			if i < 0 {
				i, parts = len(parts), append(parts, part{base: x.Result, theirs: c.other})
			}
			parts[i].paths = append(parts[i].paths, c.Path)
		}
	}
	if len(parts) == 0 {
		return nil, &NoConflictError{Target: t, Any: true}
	}
	pl.Theirs = parts[0].theirs
	return pl.putIn(parts, wins)
}
