package versions

import (
	"encoding/json"
	"strconv"
	"strings"

	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// These tell how the content that a writer wrote is known.
const (
	MineStored  = "stored"  // it is the version
	MineKept    = "kept"    // it is in quarantine, since it lost a conflict
	MineRebuilt = "rebuilt" // it is not kept: it was made from the version by taking out the changes of others
	MineUnknown = ""        // nor can it be made
)

// Explanation tells how a version came about. Contents that are not kept are nil.
type Explanation struct {
	Record    *Record
	Base      *Content // the merge base
	Before    *Content // the head that the writer found
	Mine      *Content // the writer's content
	MineIs    string   // one of the words above
	Result    *Content // the version
	Conflicts []Decided
}

// Decided is a conflict with the values of both sides. A value is nil where there was none,
// or where it is not known.
type Decided struct {
	txn.ConflictRecord
	Head json.RawMessage // the value that others had committed, as strict JSON
	Mine json.RawMessage // the value that the writer wrote

	other *Content // the loser's content; nil where that is not known
}

// Explain tells how a version came about, nil where its record is gone. Settings are those
// of the directory. Errors: *NoVersionError where the version itself is not kept, or the
// system's.
func (e *Engine) Explain(t Target) (*Explanation, error) {
	pl, err := e.plan(t.Place)
	if err != nil {
		return nil, err
	}
	defer pl.dir.Close()
	return pl.explain(t.Seq)
}

func (pl *planner) explain(seq uint64) (*Explanation, error) {
	x := &Explanation{Record: pl.history.made(seq)}
	var err error
	if x.Result, err = pl.history.Read(seq); err != nil || x.Record == nil {
		return x, err
	}
	x.Before = pl.kept(x.Record.Parent)
	if b := x.Record.Base; b != nil && b.Digest != "" {
		x.Base = pl.kept(pl.history.NumberOf(b.Digest))
	}
	switch {
	case x.Record.Outcome == txn.Committed.String():
		x.Mine, x.MineIs = x.Result, MineStored
	case x.Record.Quarantine != "":
		x.Mine = pl.copyOf(x.Record.Quarantine)
		x.MineIs = MineKept
	}
	if x.Mine == nil {
		x.Mine, x.MineIs = pl.rebuilt(x)
	}
	pl.decided(x)
	return x, nil
}

// kept returns a version, nil where it is not kept.
func (pl *planner) kept(seq uint64) *Content {
	if seq == 0 {
		return nil
	}
	c, err := pl.history.Read(seq)
	if err != nil {
		return nil
	}
	return c
}

// copyOf returns a copy in quarantine, nil where it is not kept.
func (pl *planner) copyOf(id string) *Content {
	c, err := pl.ReadCopyIn(pl.dir, id)
	if err != nil {
		return nil
	}
	return c
}

// rebuilt makes the writer's content from the version that came of it: the changes of others
// since the base are taken out again. Where both had changed a place the version is believed.
func (pl *planner) rebuilt(x *Explanation) (*Content, string) {
	if x.Base == nil || x.Before == nil {
		return nil, MineUnknown
	}
	res, err := pl.merge(part{base: x.Before, theirs: x.Base}, x.Result, merge.TakeOurs)
	if err != nil {
		return nil, MineUnknown
	}
	return &Content{Registry: pl.Name, Digest: DigestOf(res.Text), Size: len(res.Text), Content: string(res.Text)}, MineRebuilt
}

// decided notes the conflicts of the version with the values of both sides.
func (pl *planner) decided(x *Explanation) {
	for _, c := range x.Record.Conflicts {
		x.Conflicts = append(x.Conflicts, Decided{ConflictRecord: c})
	}
	if len(x.Conflicts) == 0 {
		return
	}
	mine := x.Mine
	if x.MineIs != MineKept {
		mine = nil // at a conflict it would have the version's value
	}
	for won, loser := range map[string]*Content{merge.Theirs.String(): x.Before, merge.Head.String(): mine} {
		if loser == nil {
			continue
		}
		docs, err := pl.read(loser, x.Result)
		if err != nil {
			continue
		}
		differences := Compare(docs[0], docs[1], pl.settings.Policy(pl.Name))
		for i := range x.Conflicts {
			if c := &x.Conflicts[i]; c.Won == won {
				c.other = loser
				c.decide(docs[0], docs[1], differences)
			}
		}
	}
}

// decide finds the loser's value of a conflict, and the value of the result.
func (c *Decided) decide(loser, result *jsondoc.Doc, differences []Difference) {
	path := c.Path
	for _, d := range differences {
		if d.Change != Moved && touches(d.To, c.Path) {
			path = counterpart(c.Path, d)
			break
		}
	}
	lost, _ := At(loser, path)
	has, _ := At(result, c.Path)
	winner, other := &c.Mine, &c.Head
	if c.Won == merge.Head.String() {
		winner, other = other, winner
	}
	*winner, *other = text(has), text(lost)
}

// counterpart returns the path in the first document of the value at a path in the second one,
// by a difference around it or in it.
func counterpart(path string, d Difference) string {
	if d.From == nil || d.To == nil {
		return path
	}
	if rest, ok := strings.CutPrefix(path, *d.To); ok {
		return *d.From + rest
	}
	below := strings.TrimPrefix(*d.To, path)
	return strings.TrimSuffix(*d.From, below)
}

func text(v jsondoc.Value) json.RawMessage {
	if !v.Exists() {
		return nil
	}
	return v.AppendJSON(nil)
}

var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

// At returns the value at a path (RFC 6901), and whether there is one.
func At(d *jsondoc.Doc, path string) (jsondoc.Value, bool) {
	v := d.Root()
	if path == "" {
		return v, true
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		next, ok := step(v, pointerUnescape.Replace(name))
		if !ok {
			return jsondoc.Value{}, false
		}
		v = next
	}
	return v, true
}

// step returns the member or element of a name.
func step(v jsondoc.Value, name string) (jsondoc.Value, bool) {
	if v.Kind() == jsondoc.Object {
		return v.Member(name)
	}
	at, err := strconv.Atoi(name)
	if err != nil || v.Kind() != jsondoc.Array {
		return jsondoc.Value{}, false
	}
	for i, e := range v.Elements() {
		if i == at {
			return e, true
		}
	}
	return jsondoc.Value{}, false
}
