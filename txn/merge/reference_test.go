package merge_test

import (
	"slices"

	"clawfs/txn/jsondoc"
)

// reference merges two documents of a shape as would a person that knows each
// thing from the other. It is slow and plain.
func reference(s *shape, b, o, t *tree) *tree {
	switch s.sort {
	case word, label, prose, amount, point:
		return pick(b, o, t)
	case record:
		out := &tree{kind: jsondoc.Object}
		for _, f := range members(s, o) {
			out.set(f.name, reference(&f.is, b.member(f.name), o.member(f.name), t.member(f.name)))
		}
		return out
	case byName:
		out := &tree{kind: jsondoc.Object}
		for _, name := range slices.Concat(o.keys, t.keys) {
			if v := one(s.of, b.member(name), o.member(name), t.member(name)); v != nil {
				out.set(name, v)
			}
		}
		return out
	case words:
		return referenceSet(b, o, t)
	}
	return referenceList(s, b, o, t)
}

// members returns the members of a record, those included by which people tell it
// apart.
func members(s *shape, o *tree) []field {
	list := slices.Clone(s.members)
	for _, key := range o.keys {
		if !slices.ContainsFunc(list, func(f field) bool { return f.name == key }) {
			list = append(list, is(key, word))
		}
	}
	return list
}

// pick returns the value that one side has set, theirs where both have.
func pick(b, o, t *tree) *tree {
	if print := (&spelling{}).print; print(t) == print(b) {
		return o
	}
	return t
}

// one merges an element that at least one side has; nil where one has removed it. No side
// changes an element that the other has removed.
func one(s *shape, b, o, t *tree) *tree {
	switch {
	case o != nil && t != nil && b != nil:
		return reference(s, b, o, t)
	case b != nil:
		return nil
	case o != nil:
		return o
	}
	return t
}

func referenceSet(b, o, t *tree) *tree {
	out := &tree{kind: jsondoc.Array}
	has := func(n *tree, text string) bool {
		return slices.ContainsFunc(n.kids, func(k *tree) bool { return k.text == text })
	}
	for _, e := range merged(b, o, t, func(a, b *tree) bool { return false }) {
		if text := e.text; has(o, text) && has(t, text) || !has(b, text) {
			out.kids = append(out.kids, e)
		}
	}
	return out
}

func referenceList(s *shape, b, o, t *tree) *tree {
	out := &tree{kind: jsondoc.Array}
	alike := func(x, y *tree) bool {
		return s.sort != appended && (&spelling{}).print(x) == (&spelling{}).print(y)
	}
	for _, e := range merged(b, o, t, alike) {
		at := func(n *tree) *tree {
			if i := n.find(e.uid); i >= 0 {
				return n.kids[i]
			}
			return nil
		}
		of := s.of
		if of == nil {
			of = &shape{sort: word}
		}
		if v := one(of, at(b), at(o), at(t)); v != nil {
			out.kids = append(out.kids, v)
		}
	}
	return out
}

// merged returns all elements in the order of the result, those that are gone included: those
// of the base in its order, and the additions where they are put. Elements that replace others
// stand where the first of those stood.
func merged(b, o, t *tree, alike func(x, y *tree) bool) []*tree {
	type placed struct {
		e     *tree
		place float64
	}
	var all []placed
	for i, e := range b.kids {
		all = append(all, placed{e, float64(i)})
	}
	gaps := make(map[int][2][]*tree) // of additions, by the last element of the base before them that both have
	for side, x := range []*tree{o, t} {
		place, behind := -0.5, -1
		for i, e := range x.kids {
			if at := b.find(e.uid); at >= 0 {
				place = float64(at) + 0.5
				if o.find(e.uid) >= 0 && t.find(e.uid) >= 0 {
					behind = at
				}
				continue
			}
			if next := int(place + 0.5); i == 0 || b.find(x.kids[i-1].uid) >= 0 {
				if next < len(b.kids) && x.find(b.kids[next].uid) < 0 {
					place = float64(next)
				}
			}
			all = append(all, placed{e, place})
			g := gaps[behind]
			g[side] = append(g[side], e)
			gaps[behind] = g
		}
	}
	again := make(map[int]bool) // additions that the other side has made, too
	place := func(uid int) *float64 {
		return &all[slices.IndexFunc(all, func(p placed) bool { return p.e.uid == uid })].place
	}
	for _, g := range gaps {
		for _, a := range additionsAlike(g[0], g[1], alike) {
			again[a.other] = true
			if a.first {
				*place(a.kept) = min(*place(a.kept), *place(a.other))
			}
		}
	}
	slices.SortStableFunc(all, func(x, y placed) int {
		switch {
		case x.place < y.place:
			return -1
		case x.place > y.place:
			return 1
		}
		return 0
	})
	var out []*tree
	for _, p := range all {
		if !again[p.e.uid] {
			out = append(out, p.e)
		}
	}
	return out
}

// addition is one that both sides have made: as one of them has it and as the other.
type addition struct {
	kept, other int
	first       bool // at the beginning of its gap
}

// additionsAlike returns those in one gap: at its beginning, and at its end where one
// side has nothing else.
func additionsAlike(o, t []*tree, alike func(x, y *tree) bool) []addition {
	var out, last []addition
	for len(o) > 0 && len(t) > 0 && alike(o[0], t[0]) {
		out = append(out, addition{o[0].uid, t[0].uid, true})
		o, t = o[1:], t[1:]
	}
	n := min(len(o), len(t))
	head, theirs := o[len(o)-n:], t[len(t)-n:]
	for i := range n {
		if !alike(head[i], theirs[i]) {
			return out
		}
		a := addition{kept: head[i].uid, other: theirs[i].uid}
		if len(o) == n {
			a = addition{kept: a.other, other: a.kept} // it stands among theirs
		}
		last = append(last, a)
	}
	return append(out, last...)
}

// find returns where a thing is in a list, -1 for nowhere.
func (n *tree) find(uid int) int {
	return slices.IndexFunc(n.kids, func(k *tree) bool { return k.uid == uid })
}
