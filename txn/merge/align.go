package merge

import (
	"hash/maphash"

	"clawfs/txn/jsondoc"
)

// aligner matches the values of one version with those of another. Merge and
// Compare both use it, so that they agree.
type aligner struct {
	members scratch[jsondoc.Member]
	values  scratch[jsondoc.Value]
	ints    scratch[int32]
	hashes  map[jsondoc.Value]uint64 // of containers (hash)
}

// seed makes hashes differ from process to process, so that nobody can prepare
// values that collide.
var seed = maphash.MakeSeed()

// membersOf lends the members of an object, none for the zero Value.
func (a *aligner) membersOf(v jsondoc.Value) []jsondoc.Member {
	if !v.Exists() {
		return nil
	}
	return members(a.members.take(v.Len()), v)
}

// elementsOf lends the elements of a list, none for the zero Value.
func (a *aligner) elementsOf(v jsondoc.Value) []jsondoc.Value {
	if !v.Exists() {
		return nil
	}
	return elements(a.values.take(v.Len()), v)
}

// isLog reports whether equal elements of a list are different events.
func isLog(name string, r *rules) bool {
	switch r.as {
	case AsLog:
		return true
	case AsSequence:
		return false
	}
	switch name {
	case "messages", "history", "log", "events", "turns", "transcript", "entries", "queue", "jobs", "samples", "transactions":
		return true
	}
	return false
}

// match pairs an element with the element of the base that it is: at is -1 for
// none. same says that it is known to be untouched.
type match struct {
	at   int32
	same bool
}

// alignTwo pairs each element of a newer list of some name with the element of an older
// list that it is.
func (a *aligner) alignTwo(name string, r *rules, was, is []jsondoc.Value) ([]match, identity) {
	found := make([]match, len(is))
	id := identify(name, r, was, is)
	switch {
	case id.kind != sequence:
		id.keys[0].matchAll(found, &id.keys[1], id.kind == textSet)
	case inStep(was, is):
		for i := range found {
			found[i].at = int32(i)
		}
	default:
		a.alignSequence(found, was, is)
	}
	return found, id
}

// alignRows lines up the elements of the three versions of a list.
func (m *merger) alignRows(l *list3, id *identity, lg bool) table {
	ob := make([]match, len(l.o))
	tb := make([]match, len(l.t))
	to := m.ints.take(len(l.t)) // for additions of theirs: where the head has added the same
	for i := range to {
		to[i] = -1
	}
	switch {
	case id.kind != sequence:
		id.keys[0].matchAll(ob, &id.keys[1], id.kind == textSet)
		id.keys[0].matchAll(tb, &id.keys[2], id.kind == textSet)
		id.keys[1].match(to, &id.keys[2])
		if id.isGuess() {
			m.partGuessed(l, id, ob, tb, to)
		}
	case !lg && inStep(l.b, l.o, l.t):
		for i := range l.b {
			ob[i].at, tb[i].at = int32(i), int32(i)
		}
	default:
		m.alignSequences(l, ob, tb, to, lg)
	}
	return m.rowTable(l, ob, tb, to)
}

// alignSequences aligns the head and theirs with the base. It aligns the elements that both
// have added with each other, unless the list is a log. An element that both have just so is
// never taken for an edited one: a commit that is sent once more has to find the elements that
// it has added before.
func (m *merger) alignSequences(l *list3, ob, tb []match, to []int32, lg bool) {
	if m.agreed {
		m.alignSequence(ob, l.b, l.o)
		copy(tb, ob)
		for i := range to {
			to[i] = int32(i)
		}
		return
	}
	head, theirs := m.sequences(ob, l.b, l.o), m.sequences(tb, l.b, l.t)
	head.alignEqual()
	theirs.alignEqual()
	if lg {
		head.pairEdited(nil)
		theirs.pairEdited(nil)
		return
	}
	c := m.common(l, ob, tb, to)
	c.find()
	head.pairEdited(c.newO)
	theirs.pairEdited(c.newT)
	c.find() // once more: behind an edited element begins another gap
	if c.count > 0 {
		m.apply(ruleEqualOnce)
	}
}

func (k *keyList) matchAll(dst []match, x *keyList, same bool) {
	at := make([]int32, len(dst))
	k.match(at, x)
	for i, at := range at {
		dst[i] = match{at, at >= 0 && (same || k.copies[at] && x.copies[i])}
	}
}

// rowTable makes the rows of a list from the matches of its elements.
func (m *merger) rowTable(l *list3, ob, tb []match, to []int32) table {
	rowOfB := m.ints.take(len(l.b))
	for i := range rowOfB {
		rowOfB[i] = -1
	}
	rows := m.rows.take(len(l.o) + len(l.t))
	for i, b := range ob {
		rows[i] = row{b: b.at, o: int32(i), t: -1, sameO: m.knownSame(b, l.o[i])}
		if b.at >= 0 {
			rowOfB[b.at] = int32(i)
		}
	}
	rowOfT := m.ints.take(len(l.t))
	n := len(l.o)
	for i, b := range tb {
		at := to[i]
		if b.at >= 0 {
			at = rowOfB[b.at]
		}
		if at < 0 {
			at = int32(n)
			rows[n] = row{b: b.at, o: -1}
			n++
		}
		rows[at].t, rows[at].sameT = int32(i), m.knownSame(b, l.t[i])
		rowOfT[i] = at
	}
	return table{rows: rows[:n], outs: m.outs.take(n), heads: len(l.o), rowOfT: rowOfT, alike: l.alike}
}

// knownSame reports whether an element is known to be untouched: with comments inside
// that are merged it is not.
func (m *merger) knownSame(found match, x jsondoc.Value) bool {
	return found.same && !(m.comments.on && x.IsContainer())
}

// hash returns a number that is the same for two values if one is the other
// respelled. The numbers of containers are kept, since a list is hashed once with the
// list around it and once for itself.
func (a *aligner) hash(v jsondoc.Value) uint64 {
	switch v.Kind() {
	case jsondoc.Number:
		if f, ok := double(v); ok {
			return maphash.Comparable(seed, f+0) // +0: JavaScript prints no negative zero
		}
		return maphash.String(seed, "null")
	case jsondoc.String:
		return maphash.String(seed, v.Text()) + 1
	case jsondoc.Null, jsondoc.Bool:
		return maphash.Bytes(seed, v.Raw())
	}
	if h, ok := a.hashes[v]; ok {
		return h
	}
	h := uint64(v.Kind())
	for _, e := range v.Elements() {
		h = mix(h, a.hash(e))
	}
	for m := range v.Members() {
		h += mix(maphash.String(seed, m.Name()), a.hash(m.Value))
	}
	if a.hashes == nil {
		a.hashes = make(map[jsondoc.Value]uint64)
	}
	a.hashes[v] = h
	return h
}

// mix makes one hash of two, in order.
func mix(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + a<<6 + a>>2
	a *= 0xff51afd7ed558ccd
	return a ^ a>>33
}

// unchanged reports whether x is the base's element, respelled perhaps. Hashes
// come first, so that lists within lists are not walked at every level.
func (a *aligner) unchanged(base, x jsondoc.Value) bool {
	if string(base.Raw()) == string(x.Raw()) {
		return true
	}
	return a.hash(base) == a.hash(x) && respelled(base, x)
}

// equalLists reports whether two lists are the same value.
func (a *aligner) equalLists(x, y jsondoc.Value) bool {
	return a.hash(x) == a.hash(y) && jsondoc.Equal(x, y)
}

func hashText(s string) uint64 { return maphash.String(seed, s) }
