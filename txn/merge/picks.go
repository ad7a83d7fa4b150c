package merge

import (
	"slices"

	"clawfs/txn/jsondoc"
)

// picks are the places at which a merge takes notice of theirs' changes. Elsewhere theirs
// counts as unchanged. A nil *picks is everywhere.
type picks struct {
	places map[jsondoc.Value]bool // of the base and of theirs
	lists  map[jsondoc.Value]bool // … that are put in theirs' order
	starts map[*jsondoc.Doc][]int // where they begin, in order
	inside int                    // how many places around and including this one are picked
}

// MergeAt is Merge that takes only some changes of theirs: at and below some values of the
// base and of theirs, and the order of some lists of theirs. Comments elsewhere stay the
// head's.
func MergeAt(base, head, theirs *jsondoc.Doc, p *Policy, at, lists []jsondoc.Value) (*Result, error) {
	m := newMerger(p)
	m.picks = &picks{places: make(map[jsondoc.Value]bool), lists: make(map[jsondoc.Value]bool), starts: make(map[*jsondoc.Doc][]int)}
	pick := func(v jsondoc.Value, in map[jsondoc.Value]bool) {
		start, _ := v.Span()
		in[v] = true
		m.picks.starts[v.Doc()] = append(m.picks.starts[v.Doc()], start)
	}
	for _, v := range at {
		pick(v, m.picks.places)
	}
	for _, v := range lists {
		pick(v, m.picks.lists)
	}
	for _, starts := range m.picks.starts {
		slices.Sort(starts)
	}
	return m.merge(versions{base, head, theirs}, p)
}

// everywhere reports whether all that theirs has changed counts at the place that the
// merge is at.
func (p *picks) everywhere() bool { return p == nil || p.inside > 0 }

// order reports whether a list is put in theirs' order, as far as theirs has moved its
// elements.
func (p *picks) order(t jsondoc.Value) bool { return p.everywhere() || p.lists[t] }

// has reports whether a place is picked.
func (p *picks) has(b, t jsondoc.Value) bool { return p.places[b] || p.places[t] }

// surrounds reports whether a place is around one that is picked.
func (p *picks) surrounds(b, t jsondoc.Value) bool { return p.holds(b) || p.holds(t) }

func (p *picks) holds(v jsondoc.Value) bool {
	return v.Exists() && holdsAny(p.starts[v.Doc()], v)
}

// passes reports whether a member or element counts as unchanged by theirs. One that only
// one of base and theirs has can only be picked as a whole.
func (p *picks) passes(b, t jsondoc.Value) bool {
	return !p.everywhere() && !p.has(b, t) && !(b.Exists() && t.Exists() && p.surrounds(b, t))
}

// enter notes that the merge goes into a place, and returns the function to call when it
// comes out.
func (p *picks) enter(b, t jsondoc.Value) (leave func()) {
	if p == nil || p.inside == 0 && !p.has(b, t) {
		return func() {}
	}
	p.inside++
	return func() { p.inside-- }
}
