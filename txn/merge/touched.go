package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// touched reports whether x, at the place that the trail has led to, differs from
// the base in more than counters and stamps.
func (m *merger) touched(base, x jsondoc.Value, r *rules) bool {
	return m.aligner.touched(base, x, spot{name: m.name(), rules: r}, unbounded)
}

// touched looks into containers by name and by position. It does not line elements up: a
// list is touched anyway if one of its elements was added, removed or moved.
func (a *aligner) touched(base, x jsondoc.Value, at spot, bound int) bool {
	same, bound := sameBytes(base.Raw(), x.Raw(), bound)
	switch {
	case same, isAside(base, x, at):
		return false
	case !hasInside(base, x, at.name, at.rules):
		return !respelledWithin(base, x, bound)
	case base.Kind() == jsondoc.Object:
		return a.touchedObject(base, x, at.rules, bound)
	}
	return a.touchedList(base, x, at.rules, bound)
}

func (a *aligner) touchedObject(base, x jsondoc.Value, r *rules, bound int) bool {
	before := a.members.mark()
	defer a.members.release(before)
	was, is := a.membersOf(base), a.membersOf(x)
	inWas := nameIndex{of: was}
	kept := make([]bool, len(was))
	for _, member := range is {
		below := r.member(member.Key)
		next := spot{name: member.Name(), rules: &below}
		i := inWas.find(member.Key)
		switch {
		case i < 0 && !isAside(jsondoc.Value{}, member.Value, next):
			return true
		case i < 0:
		case a.touched(was[i].Value, member.Value, next, bound):
			return true
		default:
			kept[i] = true
		}
	}
	for i, member := range was {
		below := r.member(member.Key)
		if !kept[i] && !isAside(member.Value, jsondoc.Value{}, spot{name: member.Name(), rules: &below}) {
			return true
		}
	}
	return false
}

func (a *aligner) touchedList(base, x jsondoc.Value, r *rules, bound int) bool {
	before := a.values.mark()
	defer a.values.release(before)
	was, is := a.elementsOf(base), a.elementsOf(x)
	if len(was) != len(is) {
		return true
	}
	below := r.element()
	for i := range is {
		// A counter that is the configured identity counts nothing.
		key, _ := elementKey(is[i], r.identity)
		if old, _ := elementKey(was[i], r.identity); !bytes.Equal(old, key) || a.touched(was[i], is[i], spot{rules: &below}, bound) {
			return true
		}
	}
	return false
}
