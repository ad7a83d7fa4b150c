package merge

import (
	"iter"
	"slices"

	"clawfs/txn/jsondoc"
)

// Delta is what one document changes relative to another. It is not for several
// goroutines at once.
type Delta struct {
	changes []change
	reorder bool // a list holds the same in another order
	leaves  int
	kept    int // scalars of the older document that are in the newer one, where they were
	gone    int // scalars of the older document that are not
	places  *places
}

// places is where the changes of a delta are in the newer document.
type places struct {
	changed map[jsondoc.Value]bool
	outer   []span
	starts  []int
}

// change is one value that was added, changed or removed. Values below it are
// not listed.
type change struct {
	place   uint64        // hash of the path, with keys for the elements of keyed lists
	from    jsondoc.Value // the value in the older document; the zero Value where it was added
	at      jsondoc.Value // the value in the newer document; the zero Value where it was removed
	telling bool
	stamp   bool // it says when something happened
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

// Tells reports whether something changed by which a program shows what it has seen:
// an entry that is added, a string or a number. A boolean, a deletion, a counter and a
// stamp do not.
func (d *Delta) Tells() bool {
	return slices.ContainsFunc(d.changes, func(c change) bool { return c.telling })
}

// Keeps reports whether the newer document still has most scalars of the older one
// at their places, and at least one.
func (d *Delta) Keeps() bool { return d.kept > 0 && d.kept >= d.gone }

// Echoes reports whether d makes a change of the other delta again that is not
// telling: the same boolean or null at the same place, or the same deletion. That is a
// weak sign that who made d has seen the other, since two may do the same by chance.
// Both must start from the same document.
func (d *Delta) Echoes(other *Delta) bool {
	again := other.byPlace()
	return slices.ContainsFunc(d.changes, func(c change) bool {
		return !c.stamp && slices.ContainsFunc(again[c.place], func(o change) bool {
			switch {
			case !c.at.Exists() || !o.at.Exists():
				return c.at.Exists() == o.at.Exists() && jsondoc.Equal(c.from, o.from)
			default:
				return c.at.Kind() <= jsondoc.Bool && jsondoc.Equal(c.at, o.at)
			}
		})
	})
}

// Misses reports whether the document of both deltas lacks something that was added
// between the version that d starts from and the later one: who made it had not seen
// that, or has removed it. Both must have been made with the same document.
func (d *Delta) Misses(later *Delta) bool {
	older := d.byPlace()
	return slices.ContainsFunc(later.changes, func(c change) bool {
		return !c.at.Exists() && !slices.ContainsFunc(older[c.place], func(o change) bool { return !o.at.Exists() && jsondoc.Equal(o.from, c.from) })
	})
}

// GoesOnFrom reports whether the document of both deltas looks as if it was made from
// the version that later starts from, rather than from the older one that d starts
// from: it has a string or a number that is neither what it was in the older one nor
// what it became in the later one, or a counter that has gone on in the same
// direction. Who had not seen the later version would have had to change the same
// value by chance. Both must have been made with the same document.
func (d *Delta) GoesOnFrom(later *Delta) bool {
	older := d.byPlace()
	return slices.ContainsFunc(later.changes, func(c change) bool {
		same := older[c.place]
		if c.loose || len(same) != 1 || !c.at.Exists() || !c.from.Exists() || !same[0].from.Exists() {
			return false
		}
		return !jsondoc.Equal(same[0].from, c.from) && goesOnFrom(same[0], c)
	})
}

func (d *Delta) byPlace() map[uint64][]change {
	out := make(map[uint64][]change, len(d.changes))
	for _, c := range d.changes {
		out[c.place] = append(out[c.place], c)
	}
	return out
}

// goesOnFrom reports whether a scalar is a third value, in a change from an older
// version and one from a later version.
func goesOnFrom(older, later change) bool {
	switch {
	case older.stamp || later.stamp:
		return false
	case older.telling && later.telling:
		return !older.at.IsContainer() && !older.from.IsContainer() && !later.from.IsContainer()
	}
	from, okFrom := integer(older.from)
	through, okThrough := integer(later.from)
	to, okTo := integer(later.at)
	return okFrom && okThrough && okTo && (from < through && through < to || from > through && through > to)
}

// TellsBeyond reports whether the document of both deltas holds a telling change
// relative to the version that d starts from, but not relative to the one that
// newer starts from: that it holds something which first appeared between the
// two. Both must have been made with the same newer document.
func (d *Delta) TellsBeyond(newer *Delta) bool {
	p := newer.index()
	return slices.ContainsFunc(d.changes, func(c change) bool {
		return c.telling && !p.changed[c.at] && !within(p.outer, c.at) && !(c.loose && holdsAny(p.starts, c.at))
	})
}

// index returns the places of what was changed, which are found once.
func (d *Delta) index() *places {
	if d.places == nil {
		d.places = &places{changed: make(map[jsondoc.Value]bool, len(d.changes)), outer: d.spans(), starts: d.starts()}
		for _, c := range d.changes {
			d.places.changed[c.at] = true
		}
	}
	return d.places
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
