package versions

import (
	"bytes"
	"errors"
	iofs "io/fs"
	"slices"
	"strings"

	"clawfs/backing"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// Plan is a change of a registry that was thought out and not made yet. A user that has seen it
// has it committed by Engine.Commit.
type Plan struct {
	Place
	Head        *Content     // the registry's content; nil: there is no registry
	Base        *Content     // the version whose change is undone, if one is
	Theirs      *Content     // the content before that change, or the one that is put back; nil: none
	Result      *Content     // the content that the registry is to hold; nil: it is to be gone, or conflicts are in the way
	Remove      bool         // it is to be gone
	Differences []Difference // from the head to the result
	Conflicts   []Conflict   // later changes of the same places
	Note        txn.Note
}

// Conflict is a place that both the undone change and a later one have changed.
type Conflict struct {
	Path        string       `json:"conflict"`              // RFC 6901, in the head; in the result where the head lacks it
	Kind        string       `json:"kind"`                  // as in the log
	Differences []Difference `json:"differences,omitempty"` // from the present value to the one that undoing puts there
}

// Blocked reports whether conflicts are in the way, and no winner was named.
func (p *Plan) Blocked() bool { return p.Result == nil && !p.Remove }

// Changes reports whether the plan changes anything.
func (p *Plan) Changes() bool {
	switch {
	case p.Remove:
		return p.Head != nil
	case p.Result == nil:
		return false
	}
	return p.Head == nil || p.Head.Digest != p.Result.Digest
}

// Commit returns the commit that the plan is for: over the head that it was made for, and
// no other.
func (p *Plan) Commit() *Commit {
	over := ""
	if p.Head != nil {
		over = p.Head.Digest
	}
	c := &Commit{Place: p.Place, Remove: p.Remove, Intent: txn.Intent{Over: &over, Note: p.Note}}
	if p.Result != nil {
		c.Content = []byte(p.Result.Content)
	}
	return c
}

// planner makes a plan for one registry.
type planner struct {
	*Plan
	dir      *backing.Dir
	history  *History
	settings Settings
}

// plan opens the directory for a plan, and reads the history and the head.
func (e *Engine) plan(p Place) (*planner, error) {
	settings, err := e.Settings(p.Root)
	if err != nil {
		return nil, err
	}
	look := Place.Look
	if e.Look != nil {
		look = e.Look
	}
	dir, err := look(p)
	if err != nil {
		return nil, err
	}
	pl := &planner{Plan: &Plan{Place: p}, dir: dir, settings: settings}
	if pl.history, err = ReadHistory(dir, p.Name); err == nil {
		pl.Head, err = pl.history.Read(0)
	}
	switch {
	case errors.Is(err, iofs.ErrNotExist):
		return pl, nil
	case err != nil:
		return nil, errors.Join(err, dir.Close())
	case pl.Head.Size == 0 && pl.history.Head() == nil:
		pl.Head = nil // nobody has filled it yet
	}
	return pl, nil
}

// Restore plans to put a version back.
func (e *Engine) Restore(t Target) (*Plan, error) {
	pl, err := e.plan(t.Place)
	if err != nil {
		return nil, err
	}
	defer pl.dir.Close()
	if pl.Theirs, err = pl.history.Read(t.Seq); err != nil {
		return nil, err
	}
	pl.Note.Restored = t.Seq
	return pl.to([]byte(pl.Theirs.Content))
}

// Replace plans to have a registry hold other content.
func (e *Engine) Replace(p Place, content []byte, n txn.Note) (*Plan, error) {
	pl, err := e.plan(p)
	if err != nil {
		return nil, err
	}
	defer pl.dir.Close()
	pl.Note = n
	return pl.to(content)
}

// to completes a plan whose result is known.
func (pl *planner) to(content []byte) (*Plan, error) {
	pl.Result = &Content{Registry: pl.Name, Digest: DigestOf(content), Size: len(content), Content: string(content)}
	pl.tellDifferences()
	return pl.Plan, nil
}

// toNothing completes a plan to remove the registry.
func (pl *planner) toNothing() *Plan {
	pl.Remove = true
	pl.tellDifferences()
	return pl.Plan
}

// tellDifferences notes the differences of the result from the head, as far as both are
// documents.
func (pl *planner) tellDifferences() {
	docs, err := pl.read(pl.Head, pl.Result)
	if err != nil {
		return
	}
	head, result := docs[0], docs[1]
	switch {
	case head != nil && result != nil:
		pl.Differences = Compare(head, result, pl.settings.Policy(pl.Name))
	case head != nil || result != nil:
		pl.Differences = []Difference{whole(head, result)}
	}
}

// dialect returns the registry's dialect, as far as it is known.
func (pl *planner) dialect() txn.Dialect {
	d, settled := pl.settings.Dialect(pl.Name)
	if head := pl.history.Head(); !settled && head != nil {
		return txn.ParseDialect(head.Dialect)
	}
	return d
}

// read parses contents, which may be nil, all in one grammar. That is the one of the
// registry if it can be.
func (pl *planner) read(contents ...*Content) ([]*jsondoc.Doc, error) {
	var first error
	for _, d := range []txn.Dialect{pl.dialect(), txn.Strict, txn.Lines, txn.JSON5} {
		docs := make([]*jsondoc.Doc, len(contents))
		var err error
		for i, c := range contents {
			if c != nil && err == nil {
				docs[i], err = d.Read([]byte(c.Content))
			}
		}
		if err == nil {
			return docs, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, &NotDocumentError{Path: pl.Path(), Err: first}
}

// part is a change that is put into the head: from one version, the base, to another one.
type part struct {
	base, theirs *Content
	paths        []string    // only at these places, in base or in theirs; none: everywhere
	only         *Difference // only this one, from theirs to base; nil: all at the paths
}

// merge puts a part into a head, by the registry's policy but for conflicts: these are decided
// by wins.
func (pl *planner) merge(p part, head *Content, wins merge.Resolution) (*merge.Result, error) {
	docs, err := pl.read(p.base, head, p.theirs)
	if err != nil {
		return nil, err
	}
	policy := merge.Policy{OnConflict: wins, Exact: true}
	if configured := pl.settings.Policy(pl.Name); configured != nil {
		for _, r := range configured.Rules {
			r.OnConflict = merge.Inherit
			policy.Rules = append(policy.Rules, r)
		}
	}
	if len(p.paths) == 0 && p.only == nil {
		return merge.Merge(docs[0], docs[1], docs[2], &policy)
	}
	at, lists, err := pl.picked(p, docs[0], docs[2])
	if err != nil {
		return nil, err
	}
	return merge.MergeAt(docs[0], docs[1], docs[2], &policy, at, lists)
}

// picked returns the values that differ at the paths of a part, or in the one difference of it,
// and the lists in which something was moved there.
func (pl *planner) picked(p part, base, theirs *jsondoc.Doc) (at, lists []jsondoc.Value, err error) {
	differences := Compare(theirs, base, pl.settings.Policy(pl.Name))
	var picked []Difference
	if p.only != nil {
		i := slices.IndexFunc(differences, p.only.is)
		if i < 0 {
			return nil, nil, &NotThereError{Path: pl.Path(), Seq: p.base.Seq, Place: p.only.place()}
		}
		picked = append(picked, differences[i])
	}
	for _, path := range p.paths {
		found := differencesAt(differences, path)
		if len(found) == 0 {
			return nil, nil, &NotThereError{Path: pl.Path(), Seq: p.base.Seq, Place: path}
		}
		picked = append(picked, found...)
	}
	for _, d := range picked {
		if d.Change == Moved {
			list, _ := At(theirs, (*d.From)[:strings.LastIndexByte(*d.From, '/')])
			lists = append(lists, list)
			continue
		}
		for _, v := range []jsondoc.Value{d.from, d.to} {
			if v.Exists() {
				at = append(at, v)
			}
		}
	}
	return at, lists, nil
}

// differencesAt returns the differences at a path of the second document, around it and below
// it. A value that was removed has a path in the first one only: it counts where it was below
// the path, and else only where the path leads to nothing else.
func differencesAt(all []Difference, path string) (found []Difference) {
	var removed []Difference
	for _, d := range all {
		switch {
		case touches(d.To, path), d.To == nil && strings.HasPrefix(*d.From, path+"/"):
			found = append(found, d)
		case d.To == nil && touches(d.From, path):
			removed = append(removed, d)
		}
	}
	if len(found) == 0 {
		return removed
	}
	return found
}

// putIn completes the plan: parts are put into the head.
func (pl *planner) putIn(parts []part, wins Winner) (*Plan, error) {
	later, conflicts, err := pl.mergeAll(parts, merge.TakeOurs)
	if err != nil {
		return nil, err
	}
	if len(conflicts) == 0 {
		return pl.to(later)
	}
	undone, _, err := pl.mergeAll(parts, merge.TakeTheirs)
	if err != nil {
		return nil, err
	}
	pl.tellConflicts(conflicts, later, undone)
	switch wins {
	case Later:
		return pl.to(later)
	case Undone:
		return pl.to(undone)
	}
	return pl.Plan, nil
}

// mergeAll puts parts into the head, one after the other.
func (pl *planner) mergeAll(parts []part, wins merge.Resolution) ([]byte, []merge.Conflict, error) {
	head := pl.Head
	var conflicts []merge.Conflict
	for _, p := range parts {
		r, err := pl.merge(p, head, wins)
		if err != nil {
			return nil, nil, err
		}
		conflicts = append(conflicts, r.Conflicts...)
		head = &Content{Content: string(r.Text)}
	}
	return []byte(head.Content), conflicts, nil
}

// tellConflicts notes conflicts, with the differences at each between two ways to decide.
func (pl *planner) tellConflicts(conflicts []merge.Conflict, later, undone []byte) {
	var between []Difference
	if !bytes.Equal(later, undone) {
		docs, err := pl.read(&Content{Content: string(later)}, &Content{Content: string(undone)})
		if err == nil {
			between = Compare(docs[0], docs[1], pl.settings.Policy(pl.Name))
		}
	}
	for _, c := range conflicts {
		told := Conflict{Path: c.Path, Kind: c.Kind.String()}
		for _, d := range between {
			if touches(d.From, c.Path) || touches(d.To, c.Path) {
				told.Differences = append(told.Differences, d)
			}
		}
		pl.Conflicts = append(pl.Conflicts, told)
	}
}
