package merge

import (
	"slices"

	"clawfs/txn/jsondoc"
)

// common finds the elements that both sides have added alike: equal ones at the
// same place of the same gap. A gap is the run of elements behind an element of the
// base that both sides have, up to the next one. Its beginning is the same place,
// and so is its end where one side has nothing else there: that is how a commit
// finds its additions when it is sent once more, behind the additions of others.
// Equal elements at other places are two.
type common struct {
	*aligner
	list   *list3
	ob, tb []match
	to     []int32 // for each element of theirs the head's equal one, or -1
	// The elements that were found alike, and how many there are on each side.
	newO, newT []bool
	count      int
}

func (a *aligner) common(l *list3, ob, tb []match, to []int32) common {
	return common{aligner: a, list: l, ob: ob, tb: tb, to: to, newO: make([]bool, len(l.o)), newT: make([]bool, len(l.t))}
}

// find looks at the elements that are matched with none of the base.
func (c *common) find() {
	if !addsSome(c.ob) || !addsSome(c.tb) {
		return
	}
	shared := make([]uint8, len(c.list.b)) // 1: the head has it, 2: theirs has it, 3: both
	for _, m := range c.ob {
		if m.at >= 0 {
			shared[m.at] |= 1
		}
	}
	for _, m := range c.tb {
		if m.at >= 0 {
			shared[m.at] |= 2
		}
	}
	head := make(map[int32][]int32) // the head's additions, by the element of the base before the gap
	eachGap(c.ob, c.newO, shared, func(behind int32, added []int32) { head[behind] = added })
	eachGap(c.tb, c.newT, shared, func(behind int32, added []int32) { c.gap(head[behind], added) })
}

// addsSome reports whether an element is matched with none of the base.
func addsSome(found []match) bool {
	return slices.ContainsFunc(found, func(m match) bool { return m.at < 0 })
}

// eachGap yields for each gap in which something was added the element of the base
// before it, -1 for none, and the positions of the additions.
func eachGap(found []match, done []bool, shared []uint8, yield func(behind int32, added []int32)) {
	behind, added := int32(-1), []int32(nil)
	for i, m := range found {
		switch {
		case m.at >= 0 && shared[m.at] == 3:
			if len(added) > 0 {
				yield(behind, added)
			}
			behind, added = m.at, nil
		case m.at < 0 && !done[i]:
			added = append(added, int32(i))
		}
	}
	if len(added) > 0 {
		yield(behind, added)
	}
}

// gap matches the additions of both sides at the same place.
func (c *common) gap(o, t []int32) {
	for len(o) > 0 && len(t) > 0 && c.alike(o[0], t[0]) {
		c.match(o[0], t[0])
		o, t = o[1:], t[1:]
	}
	n := min(len(o), len(t))
	o, t = o[len(o)-n:], t[len(t)-n:]
	for i := range n {
		if !c.alike(o[i], t[i]) {
			return
		}
	}
	for i := range n {
		c.match(o[i], t[i])
	}
}

func (c *common) alike(o, t int32) bool {
	x, y := c.list.o[o], c.list.t[t]
	return c.hash(x) == c.hash(y) && jsondoc.Equal(x, y)
}

func (c *common) match(o, t int32) {
	c.count++
	c.to[t] = o
	c.newO[o], c.newT[t] = true, true
}
