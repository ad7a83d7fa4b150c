package versions

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// The changes that a Difference tells.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
	Moved   = "moved" // an element of a list; a change inside of it has a Difference of its own
)

// Difference is one place in which two documents differ, as diff --json prints it.
type Difference struct {
	Registry string          `json:"registry,omitempty"`
	Change   string          `json:"change"`
	From     *string         `json:"from,omitempty"` // RFC 6901, where it is in the first document
	To       *string         `json:"to,omitempty"`   // … and in the second
	Old      json.RawMessage `json:"old,omitempty"`  // as strict JSON; none of an element that was moved
	New      json.RawMessage `json:"new,omitempty"`

	from, to jsondoc.Value
	secrets  *secrets
}

// is reports whether another difference tells of the same change at the same places.
func (d *Difference) is(other Difference) bool {
	same := func(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	return d.Change == other.Change && same(d.From, other.From) && same(d.To, other.To)
}

// place returns where the difference is: in the second document if it is there.
func (d *Difference) place() string {
	if d.To != nil {
		return *d.To
	}
	return *d.From
}

// Compare returns the places in which two documents differ, in the order of the second one;
// removals come behind the place around them, moves last. Elements of lists are matched as
// merging with that policy matches them; nil is the default one.
func Compare(a, b *jsondoc.Doc, p *merge.Policy) []Difference {
	both := inOneDialect(a, b)
	a, b = both[0], both[1]
	delta := merge.Follow(a, b, p)
	var older, newer []jsondoc.Value
	note := func(from, to jsondoc.Value) {
		if from.Exists() {
			older = append(older, from)
		}
		if to.Exists() {
			newer = append(newer, to)
		}
	}
	for from, to := range delta.Changes() {
		note(from, to)
	}
	for from, to := range delta.Moves() {
		note(from, to)
	}
	was, is := pathsOf(a, older), pathsOf(b, newer)
	var out []Difference
	hidden := &secrets{docs: [2]*jsondoc.Doc{a, b}}
	for from, to := range delta.Changes() {
		d := Difference{Change: Changed, from: from, to: to, secrets: hidden}
		if path, ok := was[from]; ok {
			d.From, d.Old = &path, from.AppendJSON(nil)
		} else {
			d.Change = Added
		}
		if path, ok := is[to]; ok {
			d.To, d.New = &path, to.AppendJSON(nil)
		} else {
			d.Change = Removed
		}
		out = append(out, d)
	}
	for from, to := range delta.Moves() {
		older, newer := was[from], is[to]
		out = append(out, Difference{Change: Moved, From: &older, To: &newer, from: from, to: to, secrets: hidden})
	}
	return out
}

// whole is the difference between a document and nothing; one of the two is nil.
func whole(a, b *jsondoc.Doc) Difference {
	root := ""
	if a != nil {
		return Difference{Change: Removed, From: &root, Old: a.Root().AppendJSON(nil), from: a.Root(), secrets: &secrets{docs: [2]*jsondoc.Doc{a, a}}}
	}
	return Difference{Change: Added, To: &root, New: b.Root().AppendJSON(nil), to: b.Root(), secrets: &secrets{docs: [2]*jsondoc.Doc{b, b}}}
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// pathsOf returns the paths to some values of a document. Only values around one of them
// are looked into.
func pathsOf(d *jsondoc.Doc, values []jsondoc.Value) map[jsondoc.Value]string {
	f := pathFinder{wanted: make(map[jsondoc.Value]string, len(values))}
	for _, v := range values {
		start, _ := v.Span()
		f.starts = append(f.starts, start)
		f.wanted[v] = ""
	}
	slices.Sort(f.starts)
	f.find(d.Root(), nil)
	return f.wanted
}

// pathFinder finds paths to values.
type pathFinder struct {
	wanted map[jsondoc.Value]string
	starts []int // where the wanted values begin, in order
}

// find notes the paths to v and to the values below it, if they are wanted.
func (f *pathFinder) find(v jsondoc.Value, path []byte) {
	start, end := v.Span()
	if i, _ := slices.BinarySearch(f.starts, start); i == len(f.starts) || f.starts[i] >= end {
		return
	}
	if _, ok := f.wanted[v]; ok {
		f.wanted[v] = string(path)
	}
	for i, e := range v.Elements() {
		f.find(e, strconv.AppendInt(append(path, '/'), int64(i), 10))
	}
	for m := range v.Members() {
		f.find(m.Value, append(append(path, '/'), pointerEscape.Replace(m.Name())...))
	}
}
