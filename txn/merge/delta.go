package merge

import (
	"iter"
	"slices"

	"clawfs/txn/jsondoc"
)

// Delta is the difference of one document from another. It is not for several
// goroutines at once.
type Delta struct {
	changes []change
	reorder bool // a list holds the same in another order
	moves   []moved
	leaves  int
	older   *jsondoc.Doc // nil: there was nothing
	places  *places
	entries *entries
	echo    *echo // the newer document's echo of the older one, if a round trip is told
}

// places is where the changes of a delta are in the newer document.
type places struct {
	changed map[jsondoc.Value]bool
	outer   []span
	starts  []int // of the values that were added or changed
	lacking []int // of the containers from which something was removed
}

// change is one value that was added, changed or removed. Values below it are
// not listed.
type change struct {
	place   uint64        // hash of the path, with keys for the elements of keyed lists
	from    jsondoc.Value // the value in the older document; the zero Value where it was added
	at      jsondoc.Value // the value in the newer document; the zero Value where it was removed
	telling bool
	stamp   bool          // it says when something happened
	aside   bool          // it is one of counters and stamps only
	in      jsondoc.Value // the container in the newer document that has the value, or lacks it
	loose   bool          // an element of a list without identities: nothing tells it but all that it holds
}

// Compare returns the changes of to relative to from, by the same rules by which Merge
// lines documents up. The round trip of the newer one's writer is no change, nor is
// formatting.
func Compare(from, to *jsondoc.Doc, p *Policy) *Delta {
	return compare(from, to, p, false)
}

// Follow is Compare that tells the moved elements, too.
func Follow(from, to *jsondoc.Doc, p *Policy) *Delta {
	return compare(from, to, p, true)
}

func compare(from, to *jsondoc.Doc, p *Policy, follow bool) *Delta {
	c := comparer{bound: unbounded, follow: follow}
	r := rootRulesOf(to, p)
	if e := echoOf(from, to, p); e != nil {
		c.turned, c.delta.echo = true, e
		from = e.doc
	}
	c.value(from.Root(), to.Root(), spot{rules: &r})
	c.delta.older = from
	return &c.delta
}

// CompareWithNothing returns the additions of a document where there was none.
func CompareWithNothing(to *jsondoc.Doc, p *Policy) *Delta {
	c := comparer{bound: unbounded}
	r := rootRulesOf(to, p)
	c.note(jsondoc.Value{}, to.Root(), spot{rules: &r})
	return &c.delta
}

// Same reports whether content says the same as candidate: it is equal to it, or the
// result of a program that reads and writes it.
func Same(candidate, content *jsondoc.Doc) bool { return Compare(candidate, content, nil).Empty() }

// Empty reports whether nothing differs, stamps included.
func (d *Delta) Empty() bool { return len(d.changes) == 0 && !d.reorder }

// Changes yields each value that was added, changed or removed, as it was and as
// it is: the zero Value where there is none. A value changed as a whole is not
// taken apart.
func (d *Delta) Changes() iter.Seq2[jsondoc.Value, jsondoc.Value] {
	return func(yield func(from, to jsondoc.Value) bool) {
		for _, c := range d.changes {
			if !yield(d.echo.origin(c.from), c.at) {
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

// Tells reports whether something changed by which a program shows the content that it
// has seen: an entry that is added, a string or a number. A boolean, a deletion, a
// counter and a stamp do not.
func (d *Delta) Tells() bool {
	return slices.ContainsFunc(d.changes, func(c change) bool { return c.telling })
}

// Keeps reports whether the newer document still has most scalars of the older one
// at their places, and at least one.
func (d *Delta) Keeps() bool {
	if d.older == nil {
		return false
	}
	gone := 0
	for _, change := range d.changes {
		if change.from.Exists() {
			gone += countScalars(change.from)
		}
	}
	kept := countScalars(d.older.Root()) - gone
	return kept > 0 && kept >= gone
}

// Echoes reports whether d makes a change of the other delta again that is not
// telling: the same boolean or null at the same place, or the same deletion. That is a
// weak sign that the author of d has seen the other change: two may do the same by chance.
// Both must start from the same document.
func (d *Delta) Echoes(other *Delta) bool {
	again := other.byPlace()
	return slices.ContainsFunc(d.changes, func(c change) bool {
		return !c.stamp && slices.ContainsFunc(again[c.place], func(o change) bool {
			switch {
			case !c.at.Exists() || !o.at.Exists():
				return c.at.Exists() == o.at.Exists() && jsondoc.Equal(d.echo.origin(c.from), other.echo.origin(o.from))
			default:
				return c.at.Kind() <= jsondoc.Bool && jsondoc.Equal(c.at, o.at)
			}
		})
	})
}

// Misses reports whether the document of both deltas lacks something that was added
// between the version that d starts from and the later one: its author had not seen
// that, or has removed it. Both must have been made with the same document.
func (d *Delta) Misses(later *Delta) bool {
	older := d.byPlace()
	return slices.ContainsFunc(later.changes, func(c change) bool {
		return !c.at.Exists() && !slices.ContainsFunc(older[c.place], func(o change) bool { return !o.at.Exists() && jsondoc.Equal(o.from, c.from) })
	})
}

// Ousts reports whether the document of both deltas has an entry of its own in the place of
// one that was added between the version that d starts from and the later one, in a
// container that has no other addition made between the two. Content looks so that was made from
// the older version, beside the other entry, and has defaults in common with the later one. An
// entry that has only got another name is none of its own. Both must have been made with the
// same document.
func (d *Delta) Ousts(later *Delta) bool {
	older, newer := d.theEntries(), later.theEntries()
	for in, added := range newer.added {
		if d.shares(later, in) {
			continue
		}
		for _, gone := range newer.gone[in] {
			was := func(o change) bool { return jsondoc.Equal(o.from, gone.from) }
			own := func(c change) bool { return !holdsLeaf(c.at) || !jsondoc.Equal(c.at, gone.from) }
			if slices.ContainsFunc(added, own) && !slices.ContainsFunc(older.lost[gone.place], was) {
				return true
			}
		}
	}
	return false
}

// entries are the changes of a delta by the container in the newer document that has the value, or
// lacks it, and by the place of a missing value. Counters and stamps are only in lost.
type entries struct {
	added, changed, gone map[jsondoc.Value][]change
	lost                 map[uint64][]change
}

// theEntries returns them. They are found once, since content is compared with many versions.
func (d *Delta) theEntries() *entries {
	if d.entries == nil {
		by := func() map[jsondoc.Value][]change { return make(map[jsondoc.Value][]change) }
		e := &entries{added: by(), changed: by(), gone: by(), lost: make(map[uint64][]change)}
		for _, c := range d.changes {
			switch {
			case !c.at.Exists():
				e.lost[c.place] = append(e.lost[c.place], c)
				if !c.aside {
					e.gone[c.in] = append(e.gone[c.in], c)
				}
			case c.in.Exists():
				e.changed[c.in] = append(e.changed[c.in], c)
				if !c.from.Exists() && !c.aside {
					e.added[c.in] = append(e.added[c.in], c)
				}
			}
		}
		d.entries = e
	}
	return d.entries
}

// shares reports whether a container has an entry that was added or changed between the version
// that d starts from and the later one.
func (d *Delta) shares(later *Delta, in jsondoc.Value) bool {
	changed := later.index().changed
	if !within(d.index().outer, in) {
		return slices.ContainsFunc(d.theEntries().changed[in], func(c change) bool { return !changed[c.at] })
	}
	for _, e := range in.Elements() {
		if !changed[e] {
			return true
		}
	}
	for m := range in.Members() {
		if !changed[m.Value] {
			return true
		}
	}
	return false
}

// holdsLeaf reports whether a value is or holds a string or a number.
func holdsLeaf(v jsondoc.Value) bool { return (&places{}).keepsLeaf(v) }

// GoesOnFrom reports whether the document of both deltas looks as if it was made from
// the version that later starts from, rather than from the older one that d starts
// from: it has a string or a number with neither its value in the older one nor that in the
// later one, or a counter that has gone on in the same direction. An author that had not
// seen the later version would have had to change the same value by chance. Both must have
// been made with the same document.
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
// newer starts from: that it holds a value that first appeared between the two.
// Both must have been made with the same newer document.
func (d *Delta) TellsBeyond(newer *Delta) bool {
	p := newer.index()
	return slices.ContainsFunc(d.changes, func(c change) bool {
		return c.telling && !p.changed[c.at] && !within(p.outer, c.at) && !(c.loose && holdsAny(p.starts, c.at)) && p.tells(c.at)
	})
}

// tells reports whether a value shows that its author had seen the older document of the
// places' delta: a scalar, or a container that has all that it has there, and one string or
// number that came from there. A container alone tells nothing, and a part of one little:
// two that make the same container make it with the same defaults.
func (p *places) tells(v jsondoc.Value) bool {
	return !v.IsContainer() || !holdsAny(p.lacking, v) && p.keepsLeaf(v)
}

// keepsLeaf reports whether a string or a number in a container was not changed.
func (p *places) keepsLeaf(v jsondoc.Value) bool {
	switch {
	case p.changed[v]:
		return false
	case !v.IsContainer():
		return v.Kind() == jsondoc.String || v.Kind() == jsondoc.Number
	}
	for _, e := range v.Elements() {
		if p.keepsLeaf(e) {
			return true
		}
	}
	for m := range v.Members() {
		if p.keepsLeaf(m.Value) {
			return true
		}
	}
	return false
}

// index returns the places of the changes, which are found once.
func (d *Delta) index() *places {
	if d.places == nil {
		d.places = &places{changed: make(map[jsondoc.Value]bool, len(d.changes)), outer: d.spans()}
		d.places.starts, d.places.lacking = d.starts()
		for _, c := range d.changes {
			d.places.changed[c.at] = true
		}
	}
	return d.places
}

// starts returns the offsets of the values that were added or changed, and of the containers
// from which something was removed, each in the order of the document.
func (d *Delta) starts() (changed, lacking []int) {
	for _, c := range d.changes {
		if c.at.Exists() {
			start, _ := c.at.Span()
			changed = append(changed, start)
		} else if c.in.Exists() && !c.aside {
			start, _ := c.in.Span()
			lacking = append(lacking, start)
		}
	}
	slices.Sort(changed)
	slices.Sort(lacking)
	return changed, lacking
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

// Replaces reports whether the newer document has an entry that the older one lacks, and
// lacks one that that has; counters and stamps aside.
func (d *Delta) Replaces() bool {
	added, removed := false, false
	for _, c := range d.changes {
		if !c.aside {
			added, removed = added || !c.from.Exists(), removed || !c.at.Exists()
		}
	}
	return added && removed
}

// Takes reports whether the newer document lacks something that the older one has, or has
// changed it; counters and stamps aside.
func (d *Delta) Takes() bool {
	return slices.ContainsFunc(d.changes, func(c change) bool { return c.from.Exists() && !c.aside })
}
