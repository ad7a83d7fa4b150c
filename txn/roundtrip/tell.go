package roundtrip

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"clawfs/txn/jsondoc"
)

// Except names the families that are not looked for.
type Except uint8

// Cases that need not, or cannot, be told.
const (
	// JavaScript's numbers, which comparisons know by themselves.
	JavaScript Except = 1 << iota
	// Dropping members that are null, which several writers may have done one by one.
	Dropping
)

// Tell returns the round trip that the writer of x may have made of base's values,
// nil where none shows. Only where the documents differ is looked at, unless that
// speaks for one.
func Tell(base, x *jsondoc.Doc, but Except) *Trip {
	b, w := differing(base, x)
	t := &Trip{}
	for i := range valueFamilies {
		if f := &valueFamilies[i]; !(f.drops && but&Dropping != 0) && f.may(b, w) {
			t.values = append(t.values, f)
		}
	}
	t.addNumbers(b, w, but&JavaScript != 0)
	all := t.check(b, x)
	for _, a := range axes {
		t.takeNext(a)
	}
	if t.isEmpty() {
		return nil
	}
	if len(t.values) > 0 && b.timeStyles != 0 {
		t.times = timesIn(x, all.timeStyles)
	}
	return t
}

// differing returns the values in the places where two documents differ.
func differing(base, x *jsondoc.Doc) (b, w *census) {
	was, is := jsondoc.Differing(base, x)
	b, w = new(census), new(census)
	b.add(was)
	w.add(is)
	return b, w
}

// pieceSize is how many nodes are looked at before it is asked whether that is enough.
const pieceSize = 512

// check drops the families that could not have written all of x; b holds the values
// that are gone. It returns the census of x unless none is left.
func (t *Trip) check(b *census, x *jsondoc.Doc) *census {
	all := new(census)
	for piece := range x.Nodes().Pieces(pieceSize) {
		if len(t.values)+len(t.others[wholes])+len(t.others[fractions]) == 0 {
			return nil
		}
		for _, a := range axes {
			all.axes[a].odd = all.axes[a].odd[:0]
		}
		all.add(piece)
		t.values = slices.DeleteFunc(t.values, func(f *valueFamily) bool { return !f.may(b, all) })
		for _, a := range axes {
			t.others[a] = slices.DeleteFunc(t.others[a], func(c candidate) bool { return !c.wrote(all.axes[a].odd, t.written) })
		}
	}
	t.values = slices.DeleteFunc(t.values, func(f *valueFamily) bool { return f.made != nil && !f.made(all) })
	for _, a := range axes {
		t.others[a] = slices.DeleteFunc(t.others[a], func(c candidate) bool { return !c.mayChange(&b.axes[a], &all.axes[a]) })
	}
	return all
}

// candidate is a family of numbers that may have been at work on one axis.
type candidate struct {
	*numberFamily
	axis  axis
	shown int // how many numbers it explains
}

// mayChange reports whether the numbers of these figures may have gone through a family.
func (f *numberFamily) mayChange(gone, x *figures) bool {
	switch {
	case f.may != nil:
		return f.may(gone, x)
	case f.decimals > 0:
		return gone.decimals > f.decimals && x.decimals <= f.decimals
	case x.digits > f.most:
		return false
	}
	return f.least > 0 && x.digits >= f.least || f.shortens(gone)
}

// shortens reports whether one of some numbers has more digits than a family prints, or
// than programs read exactly.
func (f *numberFamily) shortens(gone *figures) bool {
	return gone.digits > f.most || f.most == 17 && gone.digits > exactDigits
}

// exactDigits is how many digits a number may have that every program reads and prints
// as it is.
const exactDigits = 15

// isRuledOut reports whether numbers that are gone can't have become those that have
// come by a family. Other values of x are not known.
func (f *numberFamily) isRuledOut(gone, there *figures) bool {
	switch {
	case len(gone.odd) == 0, f.most > 0 && there.digits > f.most:
		return true
	case f.may != nil:
		return false
	case f.decimals > 0:
		return !f.mayChange(gone, there)
	case f.least > 0:
		return f.least > exactDigits && max(gone.digits, there.digits) <= exactDigits
	}
	return !f.shortens(gone)
}

// fewNumbers are looked at first: they mostly rule families out.
const fewNumbers = 64

// addNumbers adds the families that explain numbers that have come in the place of
// others, those that explain most first. One may be wrong: numbers that happen to be
// there as well may speak for it.
func (t *Trip) addNumbers(b, w *census, native bool) {
	var was, is, nearWas, nearIs [len(axes)][]jsondoc.Value
	someNear := false
	for _, a := range axes {
		was[a], is[a] = changed(b.axes[a].odd, w.axes[a].odd)
		nearWas[a], nearIs[a] = near(was[a], is[a])
		someNear = someNear || len(nearWas[a]) > 0
	}
	candidates := candidatesOf(b, w, func(f *numberFamily) bool { return !(native && f.native) && (someNear || !f.exact) })
	if len(candidates) == 0 {
		return
	}
	if !slices.ContainsFunc(candidates, func(c candidate) bool { return !c.exact }) {
		was, is = nearWas, nearIs
	}
	var gone, come []number
	for _, a := range axes {
		gone, come = appendNumbers(gone, was[a]), appendNumbers(come, is[a])
	}
	there := make(map[decimal]bool, len(come))
	t.written = &writtenNumbers{byDouble: make(map[uint64]decimal, len(come))}
	for _, n := range come {
		there[n.decimal] = true
		t.written.byDouble[math.Float64bits(n.double)] = n.decimal
	}
	for _, c := range candidates {
		if c.explains(gone, there, t.written) {
			t.others[c.axis] = append(t.others[c.axis], c)
		}
	}
	for _, a := range axes {
		slices.SortStableFunc(t.others[a], func(c, d candidate) int { return d.shown - c.shown })
	}
}

// candidatesOf returns those of some families that the values that went and came do not rule
// out, and by which the first few numbers that came look printed.
func candidatesOf(b, w *census, some func(f *numberFamily) bool) []candidate {
	var out []candidate
	for i := range numberFamilies {
		f := &numberFamilies[i]
		for _, a := range axes {
			if !some(f) || f.isRuledOut(&b.axes[a], &w.axes[a]) {
				continue
			}
			c := candidate{numberFamily: f, axis: a}
			if odd := w.axes[a].odd; c.wrote(odd[:min(fewNumbers, len(odd))], nil) {
				out = append(out, c)
			}
		}
	}
	return out
}

// takeNext takes the next candidate for an axis, none where there is no other one.
func (t *Trip) takeNext(a axis) {
	t.numbers[a] = nil
	if len(t.others[a]) > 0 {
		t.numbers[a] = t.others[a][0].numberFamily
		t.others[a] = t.others[a][1:]
	}
}

// explains counts the numbers that are gone and there as the candidate spells them. It
// reports whether they are enough.
func (c *candidate) explains(gone []number, there map[decimal]bool, x *writtenNumbers) bool {
	for _, n := range gone {
		if c.axis == n.axis() {
			if d := c.of(n, x); d != n.decimal && there[d] {
				c.shown++
			}
		}
	}
	return c.shown >= max(c.numberFamily.shown, 1)
}

// window is how far two rows of numbers are searched for where they go on alike.
const window = 32

// changed returns the numbers of two rows that are not the same text in the same order: those
// that were edited, and those that were spelled anew.
func changed(b, x []jsondoc.Value) (was, is []jsondoc.Value) {
	for len(b) > 0 && len(x) > 0 {
		if bytes.Equal(b[0].Raw(), x[0].Raw()) {
			b, x = b[1:], x[1:]
			continue
		}
		inB, inX := resume(b, x)
		was, is = append(was, b[:inB]...), append(is, x[:inX]...)
		b, x = b[inB:], x[inX:]
	}
	return append(was, b...), append(is, x...)
}

func appendNumbers(to []number, values []jsondoc.Value) []number {
	for _, v := range values {
		if n, ok := numberOf(v.Raw()); ok {
			to = append(to, n)
		}
	}
	return to
}

// near returns those of the numbers that have gone and come that may be one double, or
// its neighbour. Mostly there are none.
func near(was, is []jsondoc.Value) (gone, come []jsondoc.Value) {
	if len(was) == 0 || len(is) == 0 {
		return nil, nil
	}
	doubles := make(filter, 1+len(is)/4)
	each(is, func(_ jsondoc.Value, bits uint64) { doubles.add(bits) })
	mine := make(filter, 1+len(is)/4)
	each(was, func(v jsondoc.Value, bits uint64) {
		if doubles.has(bits) || doubles.has(bits-1) || doubles.has(bits+1) {
			gone = append(gone, v)
			mine.add(bits)
		}
	})
	if len(gone) == 0 {
		return nil, nil
	}
	each(is, func(v jsondoc.Value, bits uint64) {
		if mine.has(bits) || mine.has(bits-1) || mine.has(bits+1) {
			come = append(come, v)
		}
	})
	return gone, come
}

func each(values []jsondoc.Value, f func(v jsondoc.Value, bits uint64)) {
	for _, v := range values {
		if d, err := strconv.ParseFloat(string(v.Raw()), 64); err == nil {
			f(v, math.Float64bits(d))
		}
	}
}

// filter is a set of numbers that may hold others, too.
type filter []uint64

func (f filter) at(n uint64) (word int, bit uint64) {
	h := (n ^ n>>32) * 0x9e3779b97f4a7c15 // short numbers have zeros in the lower half
	return int(h >> 32 % uint64(len(f))), 1 << (h >> 26 & 63)
}

func (f filter) add(n uint64)      { word, bit := f.at(n); f[word] |= bit }
func (f filter) has(n uint64) bool { word, bit := f.at(n); return f[word]&bit != 0 }

// resume returns how many numbers to pass over in each row. The first of both differ.
func resume(b, x []jsondoc.Value) (inB, inX int) {
	for n := 1; n < window; n++ {
		switch {
		case n < len(b) && n < len(x) && bytes.Equal(b[n].Raw(), x[n].Raw()):
			return n, n
		case n < len(b) && bytes.Equal(b[n].Raw(), x[0].Raw()):
			return n, 0
		case n < len(x) && bytes.Equal(b[0].Raw(), x[n].Raw()):
			return 0, n
		}
	}
	return min(window, len(b)), min(window, len(x))
}

// prints reports whether a number looks printed by a family.
func (f *numberFamily) prints(n number, x *writtenNumbers) bool {
	if f.isPrinted != nil {
		return f.isPrinted(n)
	}
	return f.of(n, x) == n.decimal
}

// wrote reports whether all of some numbers look printed by a candidate.
func (c *candidate) wrote(numbers []jsondoc.Value, x *writtenNumbers) bool {
	return !slices.ContainsFunc(numbers, func(v jsondoc.Value) bool {
		n, ok := numberOf(v.Raw())
		return !ok || !c.prints(n, x)
	})
}

// writtenNumbers are the numbers that were written in the place of others, by the
// doubles that they are read as.
type writtenNumbers struct{ byDouble map[uint64]decimal }

// sameDouble returns the number that was written for a double at most so many units in
// the last place from n's double; n itself if there is none.
func (w *writtenNumbers) sameDouble(n number, reach int) decimal {
	bits := math.Float64bits(n.double)
	near := [...]uint64{bits, bits + 1, bits - 1}
	for _, b := range near[:1+2*reach] {
		if d, ok := w.byDouble[b]; ok {
			return d
		}
	}
	return n.decimal
}

// writtenTimes are the instants in the written text, in nanoseconds since 1970, as they are
// spelled there.
type writtenTimes struct {
	styles  timeStyle
	spelled map[int64]string
}

func timesIn(x *jsondoc.Doc, styles timeStyle) *writtenTimes {
	t := &writtenTimes{styles: styles, spelled: make(map[int64]string)}
	t.collect(x.Root())
	return t
}

func (t *writtenTimes) collect(v jsondoc.Value) {
	if v.Kind() == jsondoc.String && mayBeTime(v.Raw()) {
		if at, _, ok := timeOf(v.Text()); ok {
			t.spelled[at.UnixNano()] = string(v.AppendJSON(nil))
		}
	}
	for _, e := range v.Elements() {
		t.collect(e)
	}
	for m := range v.Members() {
		t.collect(m.Value)
	}
}
