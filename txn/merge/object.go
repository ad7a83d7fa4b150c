package merge

import "clawfs/txn/jsondoc"

// members3 are the members of an object in the three versions.
type members3 struct{ b, o, t []jsondoc.Member }

// pick returns the three values of a row, the zero Value where there is none.
func (v *members3) pick(rw row) (b, o, t jsondoc.Value) {
	return memberAt(v.b, rw.b).Value, memberAt(v.o, rw.o).Value, memberAt(v.t, rw.t).Value
}

// key returns the key of a row, from a version that has it.
func (v *members3) key(rw row) jsondoc.Value {
	if rw.o >= 0 {
		return v.o[rw.o].Key
	}
	return v.t[rw.t].Key
}

func memberAt(list []jsondoc.Member, i int32) jsondoc.Member {
	if i < 0 {
		return jsondoc.Member{}
	}
	return list[i]
}

// object merges two objects member by member. b is the zero Value for an empty
// base.
func (m *merger) object(b, o, t jsondoc.Value, r *rules) out {
	marks := m.marks()
	defer m.giveBack(marks)
	v := members3{b: m.membersOf(b), o: m.membersOf(o), t: m.membersOf(t)}
	tb := m.memberTable(&v)
	if m.picks.everywhere() {
		m.tokens(&v, &tb, o, r)
	}
	shared := 0
	for i := range tb.rows {
		rw := tb.rows[i]
		if rw.b >= 0 && rw.t >= 0 {
			shared++
		}
		if rw.decided {
			continue
		}
		vb, vo, vt := v.pick(rw)
		key := v.key(rw)
		below := r.member(key)
		m.enter(step{key: key, in: o})
		tb.outs[i] = m.child(vb, vo, vt, rw, &below)
		m.leave()
	}
	m.commentRows(b, o, t, &tb, r, func(i int) step { return step{key: v.key(tb.rows[i]), in: o} }, func(i int) *rules {
		below := r.member(v.key(tb.rows[i]))
		return &below
	})
	m.noteDropped(len(v.b)-shared, len(v.b))
	return m.assemble(o, &tb, tb.order(false), func(rw row) item { return item{child: rw.o, key: memberAt(v.t, rw.t).Key} })
}

// memberTable lines members up by name.
func (m *merger) memberTable(v *members3) table {
	inT, inB := nameIndex{of: v.t}, nameIndex{of: v.b}
	rowOfT := m.ints.take(len(v.t))
	for i := range rowOfT {
		rowOfT[i] = -1
	}
	rows := m.rows.take(len(v.o) + len(v.t))
	for i, member := range v.o {
		rows[i] = row{b: int32(inB.find(member.Key)), o: int32(i), t: int32(inT.find(member.Key))}
		if rows[i].t >= 0 {
			rowOfT[rows[i].t] = int32(i)
		}
	}
	n := len(v.o)
	for i, member := range v.t {
		if rowOfT[i] < 0 {
			rows[n] = row{b: int32(inB.find(member.Key)), o: -1, t: int32(i)}
			rowOfT[i] = int32(n)
			n++
		}
	}
	return table{rows: rows[:n], outs: m.outs.take(n), heads: len(v.o), rowOfT: rowOfT}
}

// assemble makes the outcome of a container from the outcomes of its rows and
// their order, as table.order returns it. itemOf says where a row's text comes
// from.
func (m *merger) assemble(o jsondoc.Value, tb *table, order []int32, itemOf func(row) item) out {
	m.countRows(tb)
	if order == nil && tb.untouched() && !tb.notes.any() {
		return keep(o)
	}
	if order == nil {
		order = m.ints.take(tb.heads)
		for i := range order {
			order[i] = int32(i)
		}
	}
	e := &edit{items: make([]item, 0, len(order)+2), notes: tb.notes}
	e.keep(0, tb.alike.lo)
	for _, i := range order {
		it := itemOf(tb.rows[i])
		it.out = tb.outs[i]
		if tb.notes != nil {
			it.note = tb.notes.rows[i]
		}
		if it.out.kind == outBoth {
			e.items = append(e.items, item{out: keep(jsondoc.Value{}), child: it.child})
			it = item{out: take(it.out.value), child: -1, note: it.note}
		}
		e.items = append(e.items, it)
	}
	e.keep(tb.alike.lo+tb.heads, tb.alike.hi)
	return out{kind: outEdit, value: o, edit: e}
}

// keep adds so many of the head's children as they are.
func (e *edit) keep(from, n int) {
	if n > 0 {
		e.items = append(e.items, item{out: keep(jsondoc.Value{}), child: int32(from), more: int32(n - 1)})
	}
}

// untouched reports whether the head's text stands for every row.
func (tb *table) untouched() bool {
	for i := range tb.outs {
		if k := tb.outs[i].kind; k != outKeep && (k != outDrop || i < tb.heads) {
			return false
		}
	}
	return true
}

// marks is how much of each scratch was lent at some time.
type marks struct{ members, values, ints, rows, outs int }

func (m *merger) marks() marks {
	return marks{m.members.mark(), m.values.mark(), m.ints.mark(), m.rows.mark(), m.outs.mark()}
}

func (m *merger) giveBack(to marks) {
	m.members.release(to.members)
	m.values.release(to.values)
	m.ints.release(to.ints)
	m.rows.release(to.rows)
	m.outs.release(to.outs)
}
