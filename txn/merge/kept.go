package merge

import "clawfs/txn/jsondoc"

// A merge tells how many entries its result has that theirs lacks: members of objects and
// elements of lists that come from the head. A value below one of them is not counted again.
// Where theirs has changed something the rows of the containers show it (countRows). Parts that
// theirs has left as they were are not walked by the merge: there the entries are those that
// the head has and the base lacks (countGained).

// countRows counts the head's rows that stay and that theirs lacks.
func (m *merger) countRows(tb *table) {
	for i := range tb.heads {
		if k := tb.outs[i].kind; k == outKeep && tb.rows[i].t < 0 || k == outBoth {
			m.kept++
		}
	}
}

// countGained counts the entries that the head has added at the place that the trail
// has led to, where theirs is as the base is.
func (m *merger) countGained(b, o jsondoc.Value, r *rules) {
	if b.IsContainer() && o.IsContainer() {
		m.gained(b, o, m.name(), r, unbounded)
	}
}

// gained counts the entries that o has and b lacks. It costs little more than a look at
// the bytes: equal parts at both ends of a container are not lined up.
func (m *merger) gained(b, o jsondoc.Value, name string, r *rules, bound int) {
	same, bound := sameBytes(b.Raw(), o.Raw(), bound)
	if same || !hasInside(b, o, name, r) {
		return
	}
	marks := m.marks()
	defer m.giveBack(marks)
	if o.Kind() == jsondoc.Object {
		m.gainedMembers(m.membersOf(b), m.membersOf(o), r, bound)
		return
	}
	l := list3{b: m.elementsOf(b), o: m.elementsOf(o)}
	l.t = l.b
	lg := isLog(name, r)
	if !m.isTuple(&l, lg, r) && (lg || !inStep(l.b, l.o)) {
		m.gainedElements(l.b, l.o, name, r, bound)
	}
}

func (m *merger) gainedMembers(b, o []jsondoc.Member, r *rules, bound int) {
	lo, hiB, hiO := equalEnds(len(b), len(o), func(i, k int) bool {
		return same(b[i].Key, o[k].Key, bound) && same(b[i].Value, o[k].Value, bound)
	})
	b, o = b[lo:hiB], o[lo:hiO]
	if len(b) == 0 {
		m.kept += len(o)
		return
	}
	inB := nameIndex{of: b}
	for _, member := range o {
		i := inB.find(member.Key)
		if i < 0 {
			m.kept++
			continue
		}
		if member.Value.IsContainer() {
			below := r.member(member.Key)
			m.gained(b[i].Value, member.Value, member.Name(), &below, bound)
		}
	}
}

func (m *merger) gainedElements(b, o []jsondoc.Value, name string, r *rules, bound int) {
	lo, hiB, hiO := equalEnds(len(b), len(o), func(i, k int) bool { return same(b[i], o[k], bound) })
	b, o = b[lo:hiB], o[lo:hiO]
	if len(b) == 0 {
		m.kept += len(o)
		return
	}
	found := make([]match, len(o))
	if id := identify(name, r, b, o); id.kind != sequence {
		id.keys[0].matchAll(found, &id.keys[1], id.kind == textSet)
	} else {
		m.alignSequence(found, b, o)
	}
	below := r.element()
	for i, f := range found {
		switch {
		case f.at < 0:
			m.kept++
		case !f.same && o[i].IsContainer():
			m.gained(b[f.at], o[i], "", &below, bound)
		}
	}
}

func same(a, b jsondoc.Value, bound int) bool {
	equal, _ := sameBytes(a.Raw(), b.Raw(), bound)
	return equal
}

// equalEnds returns the parts of two lists of these lengths between the parts that
// are equal at both ends: of the first from lo to hiA, of the second from lo to hiB.
func equalEnds(a, b int, equal func(i, k int) bool) (lo, hiA, hiB int) {
	hiA, hiB = a, b
	for lo < hiA && lo < hiB && equal(lo, lo) {
		lo++
	}
	for lo < hiA && lo < hiB && equal(hiA-1, hiB-1) {
		hiA--
		hiB--
	}
	return lo, hiA, hiB
}
