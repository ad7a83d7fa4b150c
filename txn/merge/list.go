package merge

import "clawfs/txn/jsondoc"

// list3 is a list in the three versions, without the elements that are left out.
type list3 struct {
	b, o, t []jsondoc.Value
	alike   ends            // the elements that are left out
	base    []jsondoc.Value // all of the base
}

// pick returns the three elements of a row, the zero Value where there is none.
func (l *list3) pick(rw row) (b, o, t jsondoc.Value) {
	return elementAt(l.b, rw.b), elementAt(l.o, rw.o), elementAt(l.t, rw.t)
}

func elementAt(list []jsondoc.Value, i int32) jsondoc.Value {
	if i < 0 {
		return jsondoc.Value{}
	}
	return list[i]
}

// list merges two lists. b is the zero Value for an empty base.
func (m *merger) list(b, o, t jsondoc.Value, r *rules) out {
	if !b.Exists() && m.equalLists(o, t) { // added once by both, even where equal elements would be kept twice
		if !m.comments.inTheirs {
			return keep(o)
		}
		defer func(saved bool) { m.agreed = saved }(m.agreed)
		m.agreed = true
	}
	marks := m.marks()
	defer m.giveBack(marks)
	l := list3{b: m.elementsOf(b), o: m.elementsOf(o), t: m.elementsOf(t)}
	lg := isLog(m.name(), r)
	if m.isTuple(&l, lg, r) {
		return m.tuple(b, o, t, r)
	}
	id := m.identifyRows([]jsondoc.Value{b, o, t}, &l, r)
	if id.repeats > 0 {
		m.warn(RepeatedIdentity, id.repeats, len(l.o))
	}
	since := len(m.found)
	tb := m.alignRows(&l, &id, lg)
	below := r.element()
	e := elementMerge{merger: m, list: &l, id: &id, log: lg, head: o, below: &below}
	for i := range tb.rows {
		m.enter(step{row: int32(i), in: o})
		tb.outs[i] = e.merge(&tb, i)
		m.leave()
	}
	m.commentRows(b, o, t, &tb, r, func(i int) step { return step{row: int32(i), in: o} }, func(int) *rules { return &below })
	e.noteDroppedElements(&tb)
	moved := m.picks.order(t) && tb.moved()
	m.applyList(&tb, &l, id.rule(&l, lg), moved)
	order := tb.order(moved)
	m.placeRows(since, &tb, order)
	return m.assemble(o, &tb, order, func(rw row) item { return item{child: tb.alike.position(rw.o)} })
}

// identifyRows chooses how to tell the elements of a list apart, and leaves out of it
// those at both ends that need no look.
func (m *merger) identifyRows(lists []jsondoc.Value, l *list3, r *rules) identity {
	if !m.comments.on {
		if id, alike, ok := identifyBetween(r, lists, l.b, l.o, l.t); ok {
			l.alike, l.base = alike, l.b
			l.b, l.o, l.t = alike.between(l.b), alike.between(l.o), alike.between(l.t)
			return id
		}
	}
	l.base = l.b
	return identify(m.name(), r, l.b, l.o, l.t)
}

// elementMerge merges the elements of one list.
type elementMerge struct {
	*merger
	list  *list3
	id    *identity
	log   bool
	head  jsondoc.Value
	below *rules

	numbers *numbering // of the base; made when first needed
	added   int        // elements that the base does not have, once numbers is made
}

// merge returns the outcome of one row.
func (e *elementMerge) merge(tb *table, i int) out {
	rw := tb.rows[i]
	b, o, t := e.list.pick(rw)
	if !o.Exists() || !t.Exists() || rw.sameT || e.id.kind == textSet || e.picks.passes(b, t) {
		return e.child(b, o, t, rw, e.below)
	}
	if !b.Exists() && e.id.kind == keyed && e.drawnTwice(tb, o, t) {
		return e.twoThings(o, t)
	}
	if e.id.kind == sequence && o.IsContainer() && b.Exists() {
		return e.editedElement(tb, b, o, t, rw)
	}
	return e.child(b, o, t, rw, e.below)
}

// editedElement merges an element without identity. Where the two changes of it
// cannot be brought together both variants are kept, since nothing says that
// they are one thing at all.
func (e *elementMerge) editedElement(tb *table, b, o, t jsondoc.Value, rw row) out {
	found, refused, kept := len(e.found), e.refused, e.kept
	res := e.child(b, o, t, rw, e.below)
	if e.exact || !e.conflictSince(found) {
		return res
	}
	e.forget(found)
	e.refused, e.kept = refused, kept
	if e.below.onConflict == Reject {
		e.settle(EditedTwice, e.below)
		return res
	}
	e.record(EditedTwice, Both)
	if !e.log && e.besideInHead(tb, rw.o, t) {
		return keep(o)
	}
	return out{kind: outBoth, value: t}
}

// besideInHead reports whether one of the elements that only the head has beside the
// row equals v: then theirs' variant is there already.
func (e *elementMerge) besideInHead(tb *table, at int32, v jsondoc.Value) bool {
	for _, step := range []int32{-1, 1} {
		for i := at + step; i >= 0 && int(i) < tb.heads && tb.rows[i].b < 0 && tb.rows[i].t < 0; i += step {
			if x := e.list.o[tb.rows[i].o]; e.hash(x) == e.hash(v) && jsondoc.Equal(x, v) {
				return true
			}
		}
	}
	return false
}

// drawnTwice reports whether both sides have given a new element the same
// sequential number, and mean different things by it.
func (e *elementMerge) drawnTwice(tb *table, o, t jsondoc.Value) bool {
	if e.numbers == nil {
		n := e.id.numberingOf(e.list.base)
		e.numbers = &n
		for _, rw := range tb.rows {
			if rw.b < 0 {
				e.added++
			}
		}
	}
	return e.numbers.drawn(o, e.added) && e.numbers.drawn(t, e.added) && !jsondoc.Equal(o, t)
}

func (e *elementMerge) twoThings(o, t jsondoc.Value) out {
	if e.log {
		e.apply(ruleTwoThings)
		return out{kind: outBoth, value: t}
	}
	if e.settle(SameNumber, e.below) == Head {
		return keep(o)
	}
	return take(t)
}

func (e *elementMerge) noteDroppedElements(tb *table) {
	shared := 0
	for _, rw := range tb.rows {
		if rw.b >= 0 && rw.t >= 0 {
			shared++
		}
	}
	e.noteDropped(len(e.list.b)-shared, len(e.list.base))
}

// placeRows gives the findings in the list's elements their positions in the
// result. Where an element is gone its position is that in the head, or else in
// theirs.
func (m *merger) placeRows(since int, tb *table, order []int32) {
	if since == len(m.found) {
		return
	}
	position := make([]int32, len(tb.rows))
	for i := range position {
		position[i] = -1
	}
	next := int32(0)
	put := func(i int32) {
		position[i] = next
		next++
		if tb.outs[i].kind == outBoth {
			next++
		}
	}
	for i := range tb.heads {
		if order == nil {
			put(int32(i))
		}
	}
	for _, i := range order {
		put(i)
	}
	m.place(since, func(i int32) int32 {
		switch {
		case position[i] >= 0:
			return tb.alike.position(position[i])
		case tb.rows[i].o >= 0:
			return tb.alike.position(tb.rows[i].o)
		}
		return tb.alike.position(tb.rows[i].t)
	})
}

// conflictSince reports whether a conflict of values was found after the first so many
// findings.
func (t *trail) conflictSince(found int) bool {
	for _, f := range t.found[found:] {
		if !f.warns && f.rule == "" && f.conflict.Kind != CommentChanged {
			return true
		}
	}
	return false
}
