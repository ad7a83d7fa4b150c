package merge

import (
	"hash/maphash"

	"clawfs/txn/jsondoc"
)

// comparer walks two versions and notes the differences.
type comparer struct {
	aligner
	bound  int
	turned bool // an empty container may stand for an empty one of another kind
	follow bool // moved elements are told one by one
	delta  Delta
}

// spot is a place in both versions.
type spot struct {
	place uint64 // of its container, where it has a key
	keyed bool   // a member's name or an element's identity tells it
	key   []byte // an element's identity
	name  string // of the member, "" for an element
	rules *rules
	loose bool          // an element of a list without identities
	in    jsondoc.Value // of an element or member that was removed: its container in the newer version
}

// where returns a hash of the place. Most places are equal in both versions, and
// none of theirs is asked for.
func (s *spot) where() uint64 {
	switch {
	case !s.keyed:
		return s.place
	case s.key == nil:
		return mix(s.place, hashText(s.name))
	}
	return mix(s.place, maphash.Bytes(seed, s.key))
}

// value compares a place that both versions have.
func (c *comparer) value(from, to jsondoc.Value, at spot) {
	saved := c.bound
	defer func() { c.bound = saved }()
	var same bool
	if same, c.bound = sameBytes(from.Raw(), to.Raw(), c.bound); same {
		return
	}
	switch {
	case c.turned && from.IsContainer() && to.IsContainer() && from.Kind() != to.Kind() && (from.IsEmpty() || to.IsEmpty()):
		c.turn(from, to, at)
	case !hasInside(from, to, at.name, at.rules):
		if !respelled(from, to) {
			c.note(from, to, at)
		}
	case from.Kind() == jsondoc.Object:
		c.object(from, to, at)
	default:
		c.list(from, to, at)
	}
}

// note records a change: from or to is the zero Value where the other was added
// or removed.
func (c *comparer) note(from, to jsondoc.Value, at spot) {
	ch := change{place: at.where(), from: from, at: to, in: at.in, loose: at.loose}
	if !isAside(from, to, at) {
		n := 0
		if from.Exists() {
			n = countLeaves(from)
		}
		if to.Exists() {
			n = max(n, countLeaves(to))
			ch.telling = to.Kind() == jsondoc.String || to.Kind() == jsondoc.Number || to.IsContainer()
		}
		c.delta.leaves += n
	} else {
		ch.aside = true
		ch.stamp = traitOf(at.name, whichever(from, to), at.rules.as) == stamp
	}
	c.delta.changes = append(c.delta.changes, ch)
}

// whichever returns the value after a change, or the one before where there is none.
func whichever(from, to jsondoc.Value) jsondoc.Value {
	if to.Exists() {
		return to
	}
	return from
}

// isAside reports whether a change is one of counters and stamps only: a scalar
// that is one of them before and after, or a stamp that was added or removed.
func isAside(from, to jsondoc.Value, at spot) bool {
	as := at.rules.as
	switch {
	case !from.Exists():
		return traitOf(at.name, to, as) == stamp
	case !to.Exists():
		return traitOf(at.name, from, as) == stamp
	}
	f := traitOf(at.name, from, as)
	return f != plain && f == traitOf(at.name, to, as)
}

// countLeaves counts the scalars in a value; an empty container counts as one.
func countLeaves(v jsondoc.Value) int {
	n := 0
	for _, e := range v.Elements() {
		n += countLeaves(e)
	}
	for m := range v.Members() {
		n += countLeaves(m.Value)
	}
	return max(n, 1)
}

// countScalars counts the scalars in a value.
func countScalars(v jsondoc.Value) int {
	if !v.IsContainer() {
		return 1
	}
	n := 0
	for _, e := range v.Elements() {
		n += countScalars(e)
	}
	for m := range v.Members() {
		n += countScalars(m.Value)
	}
	return n
}

func (c *comparer) object(from, to jsondoc.Value, at spot) {
	before := c.members.mark()
	defer c.members.release(before)
	a, b := c.membersOf(from), c.membersOf(to)
	inA := nameIndex{of: a}
	kept := make([]bool, len(a))
	place := at.where()
	for _, member := range b {
		below := at.rules.member(member.Key)
		name := member.Name()
		next := spot{place: place, keyed: true, name: name, rules: &below, in: to}
		if i := inA.find(member.Key); i >= 0 {
			kept[i] = true
			c.value(a[i].Value, member.Value, next)
		} else {
			c.note(jsondoc.Value{}, member.Value, next)
		}
	}
	for i, member := range a {
		if !kept[i] {
			below := at.rules.member(member.Key)
			name := member.Name()
			c.note(member.Value, jsondoc.Value{}, spot{place: place, keyed: true, name: name, rules: &below, in: to})
		}
	}
}

func (c *comparer) list(from, to jsondoc.Value, at spot) {
	before := c.values.mark()
	defer c.values.release(before)
	a, b := c.elementsOf(from), c.elementsOf(to)
	var found []match
	id, alike, ok := identifyBetween(at.rules, []jsondoc.Value{from, to}, a, b)
	if ok {
		a, b = alike.between(a), alike.between(b)
		found = make([]match, len(b))
		id.keys[0].matchAll(found, &id.keys[1], false)
	} else {
		found, id = c.alignTwo(at.name, at.rules, a, b)
	}
	below := at.rules.element()
	// Without identities, an added or changed element is told by its value.
	at = spot{place: at.where(), rules: &below, keyed: id.kind != sequence, loose: id.kind == sequence, in: to}
	c.elements(a, b, found, &id, at)
}

// turn notes the values put into a container, or taken out of it, that is of another
// kind while it is empty.
func (c *comparer) turn(from, to jsondoc.Value, at spot) {
	place := at.where()
	each := func(v jsondoc.Value, note func(v jsondoc.Value, at spot)) {
		for m := range v.Members() {
			below := at.rules.member(m.Key)
			note(m.Value, spot{place: place, keyed: true, name: m.Name(), rules: &below, in: to})
		}
		below := at.rules.element()
		for _, e := range v.Elements() {
			note(e, spot{place: place, rules: &below, loose: true, in: to})
		}
	}
	each(from, func(v jsondoc.Value, at spot) { c.note(v, jsondoc.Value{}, at) })
	each(to, func(v jsondoc.Value, at spot) { c.note(jsondoc.Value{}, v, at) })
}

// elements compares the elements of a list; at is the spot of each but for its key.
func (c *comparer) elements(a, b []jsondoc.Value, found []match, id *identity, at spot) {
	spotOf := func(list, i int) spot {
		if at.keyed {
			at.key = id.keys[list].key(i)
		}
		return at
	}
	kept := make([]bool, len(a))
	last, moved := int32(-1), false
	for i, m := range found {
		if m.at < 0 {
			c.note(jsondoc.Value{}, b[i], spotOf(1, i))
			continue
		}
		kept[m.at] = true
		moved = moved || m.at < last
		last = m.at
		if !m.same {
			c.value(a[m.at], b[i], spotOf(1, i))
		}
	}
	for i := range a {
		if !kept[i] {
			c.note(a[i], jsondoc.Value{}, spotOf(0, i))
		}
	}
	if moved {
		c.delta.reorder = true
		c.delta.leaves++
		if c.follow {
			c.noteMoves(a, b, found)
		}
	}
}
