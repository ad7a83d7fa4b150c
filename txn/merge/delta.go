package merge

import (
	"iter"
	"slices"

	"clawfs/txn/jsondoc"
)

// Delta is what one document changes relative to another.
type Delta struct {
	changes []change
	reorder bool // a list holds the same in another order
	leaves  int
	kept    int // scalars of the older document that are in the newer one, where they were
	gone    int // scalars of the older document that are not
}

// change is one value that was added, changed or removed. Values below it are
// not listed.
type change struct {
	place   uint64        // hash of the path, with keys for the elements of keyed lists
	from    jsondoc.Value // the value in the older document; the zero Value where it was added
	at      jsondoc.Value // the value in the newer document; the zero Value where it was removed
	telling bool
	loose   bool // an element of a list without identities: nothing tells it but all that it holds
}

// Compare returns what to changes relative to from, by the same rules by which
// Merge lines documents up. What JavaScript's respelling and formatting do is no
// change.
func Compare(from, to *jsondoc.Doc, p *Policy) *Delta {
	c := comparer{bound: unbounded}
	r := rootRules(p)
	c.value(from.Root(), to.Root(), spot{rules: &r})
	for _, change := range c.delta.changes {
		if change.from.Exists() {
			c.delta.gone += countScalars(change.from)
		}
	}
	c.delta.kept = countScalars(from.Root()) - c.delta.gone
	return &c.delta
}

// Empty reports whether nothing differs, stamps included.
func (d *Delta) Empty() bool { return len(d.changes) == 0 && !d.reorder }

// Changes yields each value that was added, changed or removed, as it was and as
// it is: the zero Value where there is none. What was changed as a whole is not
// taken apart.
func (d *Delta) Changes() iter.Seq2[jsondoc.Value, jsondoc.Value] {
	return func(yield func(from, to jsondoc.Value) bool) {
		for _, c := range d.changes {
			if !yield(c.from, c.at) {
				return
			}
		}
	}
}

// Reordered reports whether a list holds something in another order.
func (d *Delta) Reordered() bool { return d.reorder }

// Leaves returns the number of scalars that were added, removed or changed,
// stamps and counters aside. An empty container that was added or removed counts
// as one, and so does a list that was put in another order.
func (d *Delta) Leaves() int { return d.leaves }

// Keeps reports whether the newer document still has most scalars of the older one
// at their places, and at least one.
func (d *Delta) Keeps() bool { return d.kept > 0 && d.kept >= d.gone }

// Shares reports whether both deltas make the same telling change at the same
// place: one by which a program shows what it has seen. An entry that is added,
// a string or a number is telling; a boolean, a deletion, a counter and a stamp
// are not.
func (d *Delta) Shares(other *Delta) bool {
	byPlace := make(map[uint64][]jsondoc.Value, len(other.changes))
	for _, c := range other.changes {
		if c.telling {
			byPlace[c.place] = append(byPlace[c.place], c.at)
		}
	}
	return slices.ContainsFunc(d.changes, func(c change) bool {
		return c.telling && slices.ContainsFunc(byPlace[c.place], func(v jsondoc.Value) bool { return jsondoc.Equal(v, c.at) })
	})
}

// TellsBeyond reports whether the document of both deltas holds a telling change
// relative to the version that d starts from, but not relative to the one that
// newer starts from: that it holds something which first appeared between the
// two. Both must have been made with the same newer document.
func (d *Delta) TellsBeyond(newer *Delta) bool {
	changed := make(map[jsondoc.Value]bool, len(newer.changes))
	for _, c := range newer.changes {
		changed[c.at] = true
	}
	outer, starts := newer.spans(), newer.starts()
	return slices.ContainsFunc(d.changes, func(c change) bool {
		return c.telling && !changed[c.at] && !within(outer, c.at) && !(c.loose && holdsAny(starts, c.at))
	})
}

// starts returns where what was added or changed is written, in the order of the
// document.
func (d *Delta) starts() []int {
	var out []int
	for _, c := range d.changes {
		if c.at.Exists() {
			start, _ := c.at.Span()
			out = append(out, start)
		}
	}
	slices.Sort(out)
	return out
}

// holdsAny reports whether one of the places is in a value.
func holdsAny(starts []int, v jsondoc.Value) bool {
	start, end := v.Span()
	i, _ := slices.BinarySearch(starts, start)
	return i < len(starts) && starts[i] < end
}

// span is where a container that was added or changed as a whole is written.
type span struct{ start, end int }

// spans returns the containers that were added or changed as a whole, in the
// order of the document; none of them is inside another.
func (d *Delta) spans() []span {
	var out []span
	for _, c := range d.changes {
		if c.at.Exists() && c.at.IsContainer() {
			start, end := c.at.Span()
			out = append(out, span{start, end})
		}
	}
	slices.SortFunc(out, func(a, b span) int { return a.start - b.start })
	return out
}

func within(outer []span, v jsondoc.Value) bool {
	start, end := v.Span()
	i, found := slices.BinarySearchFunc(outer, start, func(s span, start int) int { return s.start - start })
	if !found {
		i--
	}
	return i >= 0 && end <= outer[i].end
}
