package merge

import "clawfs/txn/jsondoc"

// isGuess reports whether an identity is one of those that only happen to be unique
// at times: two bindings of one key, two parameters of one name, two bookmarks of one
// address are different things.
func (id *identity) isGuess() bool {
	if id.kind != keyed || id.configured {
		return false
	}
	switch id.names[len(id.names)-1] {
	case "key", "name", "pattern", "path", "url":
		return true
	}
	return false
}

// partGuessed parts the elements that both sides have added with one guessed identity
// and that do not show that they are one thing: to, which holds for each element of
// theirs the head's with the same identity, loses them.
func (m *merger) partGuessed(l *list3, id *identity, ob, tb []match, to []int32) {
	parted := 0
	for i, o := range to {
		if o < 0 || tb[i].at >= 0 || ob[o].at >= 0 || id.keys[2].key(i)[0] == '#' {
			continue
		}
		if !m.oneThing(l.o[o], l.t[i], id) {
			m.enter(step{row: o})
			m.apply(ruleTwoThings)
			m.leave()
			to[i] = -1
			parted++
		}
	}
	if parted > 0 {
		m.warn(RepeatedIdentity, parted, l.alike.lo+len(l.o)+l.alike.hi+parted)
	}
}

// oneThing reports whether two objects of one guessed identity show that they are one
// thing: nothing in one contradicts the other, and they have something in common
// besides the identity, or one has nothing else.
func (m *merger) oneThing(x, y jsondoc.Value, id *identity) bool {
	if x.Len() == len(id.names) || y.Len() == len(id.names) {
		return true
	}
	before := m.members.mark()
	defer m.members.release(before)
	a, b := m.membersOf(x), m.membersOf(y)
	inB := nameIndex{of: b}
	inCommon := 0
	for _, member := range a {
		i := inB.find(member.Key)
		if i < 0 {
			continue
		}
		if !m.agree(member.Value, b[i].Value, member.Name()) {
			return false
		}
		inCommon++
	}
	return inCommon > len(id.names)
}

// agree reports whether two values that were added at one place can both be had: they
// are equal, or their members or elements can be brought together.
func (m *merger) agree(x, y jsondoc.Value, name string) bool {
	if x.Kind() != y.Kind() || !x.IsContainer() || isCommand(name) {
		trait := traitOf(name, x, ByShape)
		return jsondoc.Equal(x, y) || trait != plain && trait == traitOf(name, y, ByShape)
	}
	if x.Kind() == jsondoc.Array {
		before := m.values.mark()
		defer m.values.release(before)
		l := list3{o: m.elementsOf(x), t: m.elementsOf(y)}
		return !m.isTuple(&l, isLog(name, &byShape), &byShape) || jsondoc.Equal(x, y)
	}
	before := m.members.mark()
	defer m.members.release(before)
	a, b := m.membersOf(x), m.membersOf(y)
	inB := nameIndex{of: b}
	for _, member := range a {
		if i := inB.find(member.Key); i >= 0 && !m.agree(member.Value, b[i].Value, member.Name()) {
			return false
		}
	}
	return true
}

// byShape are the rules of a policy that says nothing.
var byShape rules
