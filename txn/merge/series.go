package merge

import "clawfs/txn/jsondoc"

// tupleMax is how many numbers make one value at most: a point, a colour, a
// version, a box, an affine transformation have up to six.
const tupleMax = 6

// isTuple reports whether a list of numbers is one value, which nobody may make
// of two others: it is short, no log, and both sides have set it rather than added
// to it. They have where all versions are equally long, or where one has put other
// numbers in the place of the base's.
func (m *merger) isTuple(l *list3, log bool, r *rules) bool {
	switch {
	case log, r.as != ByShape && r.as != AsValue, len(l.o) < 2, len(l.t) < 2:
		return false
	case !shortNumbers(l.b) || !shortNumbers(l.o) || !shortNumbers(l.t):
		return false
	case len(l.b) == 0 || len(l.b) == len(l.o):
		return len(l.o) == len(l.t) || len(l.b) > 0 && (m.replacesSome(l.b, l.o) || m.replacesSome(l.b, l.t))
	}
	return m.replacesSome(l.b, l.o) || m.replacesSome(l.b, l.t)
}

// tuple merges a list that is one value.
func (m *merger) tuple(b, o, t jsondoc.Value, r *rules) out {
	if !jsondoc.Equal(o, t) && !(b.Exists() && (respelled(b, o) || respelled(b, t))) {
		m.apply(ruleTuple)
	}
	return m.whole(b, o, t, m.leaf(b, o, t, r), r)
}

// shortNumbers reports whether a list holds a few numbers and nothing else but
// null, which stands for a number that is none.
func shortNumbers(list []jsondoc.Value) bool {
	if len(list) > tupleMax {
		return false
	}
	for _, e := range list {
		if k := e.Kind(); k != jsondoc.Number && k != jsondoc.Null {
			return false
		}
	}
	return true
}

// replacesSome reports whether x has something else in the place of an element of
// base, rather than one more or one less.
func (a *aligner) replacesSome(base, x []jsondoc.Value) bool {
	found := make([]match, len(x))
	s := a.sequences(found, base, x)
	s.alignEqual()
	for k := range x {
		if found[k].at >= 0 {
			continue
		}
		next := 0
		if k > 0 {
			next = int(found[k-1].at) + 1 // 0 behind one that is no match: looked at before
		}
		if (k == 0 || next > 0) && next < len(base) && !s.taken[next] {
			return true
		}
	}
	return false
}

// inStep reports whether the versions of a list are compared position by position:
// they hold scalars that are not all strings, and equally many; and if they are
// many, most stand where they stood, so that nothing was put in or taken out.
func inStep(versions ...[]jsondoc.Value) bool {
	base := versions[0]
	strings := true
	for _, v := range versions {
		if len(v) == 0 || len(v) != len(base) || !scalarsOnly(v) {
			return false
		}
		strings = strings && stringsOnly(v)
	}
	if strings {
		return false
	}
	for _, v := range versions[1:] {
		if len(v) > tupleMax && 2*inPlace(base, v) < len(v) {
			return false
		}
	}
	return true
}

func scalarsOnly(list []jsondoc.Value) bool {
	for _, e := range list {
		if e.IsContainer() {
			return false
		}
	}
	return true
}

func stringsOnly(list []jsondoc.Value) bool {
	for _, e := range list {
		if e.Kind() != jsondoc.String {
			return false
		}
	}
	return true
}

// inPlace counts the elements that stand where they stood.
func inPlace(base, x []jsondoc.Value) int {
	n := 0
	for i := range x {
		if respelled(base[i], x[i]) {
			n++
		}
	}
	return n
}
