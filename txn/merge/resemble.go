package merge

import (
	"bytes"
	"cmp"
	"slices"

	"clawfs/txn/jsondoc"
)

// alike is how much of two values has to be the same for one to be taken for an
// edited version of the other.
const alike = 0.5

// maxPairs is how many pairs of elements of one gap are compared each with each.
const maxPairs = 256

// window is how far the elements of a larger gap are searched for the one that an
// element was made from.
const window = 8

// pairGap pairs the elements of base[fromB:toB] with those of x[fromX:toX] that were
// made from them, in their order: those that are most alike, all in all, in a gap of
// ordinary size; else the most alike of the next few. A new one is left alone.
func (s *sequences) pairGap(fromB, toB, fromX, toX int, new []bool) {
	g := gap{sequences: s, fromB: fromB, fromX: fromX, lenB: toB - fromB, lenX: toX - fromX, new: new}
	g.partsB, g.partsX = s.partsOf(s.base[fromB:toB]), s.partsOf(s.x[fromX:toX])
	if g.lenB*g.lenX <= maxPairs {
		g.pairBest()
	} else {
		g.pairNext()
	}
}

// gap is the elements between two matched ones, in base and in x.
type gap struct {
	*sequences
	fromB, fromX, lenB, lenX int
	new                      []bool // elements of x that are no edited ones; nil for none
	partsB, partsX           []parts
	children                 map[jsondoc.Value][]uint64 // of a member: the hashes of its own members or elements, sorted
}

// parts are the members of an element, by the hash of their name.
type parts []part

type part struct {
	name, value uint64 // hashes
	of          jsondoc.Value
}

// partsOf takes the elements of a gap apart, once for all pairs.
func (a *aligner) partsOf(list []jsondoc.Value) []parts {
	out := make([]parts, len(list))
	for i, e := range list {
		for m := range e.Members() {
			out[i] = append(out[i], part{hashText(m.Name()), a.hash(m.Value), m.Value})
		}
		slices.SortFunc(out[i], func(a, b part) int { return cmp.Compare(a.name, b.name) })
	}
	return out
}

// score tells how much more than needed speaks for it that x[k] was made from base[i],
// so that one good pair outweighs several poor ones; 0 for too little. Where both have
// equally many, the same place counts for a little, and another one needs more.
func (g *gap) score(i, k int) float64 {
	if g.new != nil && g.new[g.fromX+k] {
		return 0
	}
	even := g.lenB == g.lenX
	inPlace := even && i == k
	switch n := g.likeness(i, k, inPlace, even && g.lenB == 1); {
	case inPlace && n >= alike:
		return n - alike + 0.02
	case n > alike, n == alike && !even:
		return n - alike + 0.01
	}
	return 0
}

// pairBest finds the pairs with the highest score together.
func (g *gap) pairBest() {
	width := g.lenX + 1
	best := make([]float64, (g.lenB+1)*width) // best[i*width+k] is that of base[i:] and x[k:]
	scores := make([]float64, len(best))
	for i := g.lenB - 1; i >= 0; i-- {
		for k := g.lenX - 1; k >= 0; k-- {
			at := i*width + k
			best[at] = max(best[at+1], best[at+width])
			if scores[at] = g.score(i, k); scores[at] > 0 {
				best[at] = max(best[at], scores[at]+best[at+width+1])
			}
		}
	}
	for i, k := 0, 0; i < g.lenB && k < g.lenX; {
		switch at := i*width + k; {
		case scores[at] > 0 && best[at] == scores[at]+best[at+width+1]:
			g.match(g.fromB+i, g.fromX+k, false)
			i, k = i+1, k+1
		case best[at] == best[at+width]:
			i++
		default:
			k++
		}
	}
}

// pairNext pairs each element of x with the most alike of the next few of base, or,
// where both have equally many, with the one in its place.
func (g *gap) pairNext() {
	i := 0
	for k := 0; k < g.lenX && i < g.lenB; k++ {
		from, to := i, min(i+window, g.lenB)
		if g.lenB == g.lenX {
			from, to = k, k+1
		}
		best, at := 0.0, -1
		for c := from; c < to; c++ {
			if n := g.score(c, k); n > best {
				best, at = n, c
			}
		}
		if at >= 0 {
			g.match(g.fromB+at, g.fromX+k, false)
			i = at + 1
		}
	}
}

// likeness tells, from 0 to 1, whether x[k] may be an edited version of base[i]. An
// object may be, if at least half of it is as it was; a scalar or a list, if it is in its own place.
// The only member of the only element may differ.
func (g *gap) likeness(i, k int, inPlace, lone bool) float64 {
	base, x := g.base[g.fromB+i], g.x[g.fromX+k]
	switch {
	case base.IsContainer() != x.IsContainer(), base.IsContainer() && base.Kind() != x.Kind():
		return 0
	case base.Kind() == jsondoc.Object:
		return g.likeObjects(g.partsB[i], g.partsX[k], lone)
	case inPlace:
		return alike
	}
	return 0
}

func (g *gap) likeObjects(was, is parts, lone bool) float64 {
	total := max(len(was), len(is))
	same, shared, other := 0.0, 0, 0
	empty := 0 // of the members that are the same: containers that hold nothing, as most do when they are made
	for _, m := range was {
		for other < len(is) && is[other].name < m.name {
			other++
		}
		switch {
		case other == len(is) || is[other].name != m.name:
			continue
		case is[other].value == m.value:
			same++
			if m.of.IsContainer() && m.of.Len() == 0 {
				empty++
			}
		default:
			same += g.kept(m.of, is[other].of)
		}
		shared++
	}
	if lone && total == 1 && shared == 1 || total == 0 {
		return 1
	}
	if same == float64(empty) && empty < total {
		return 0 // nothing else speaks for it
	}
	return same / float64(total)
}

// kept tells, from 0 to 1, how much of a member's value is as it was: of a list the
// elements, of an object the members, of a text the bytes in common at its two
// ends.
func (g *gap) kept(base, x jsondoc.Value) float64 {
	switch {
	case base.Kind() != x.Kind():
		return 0
	case base.Kind() == jsondoc.String:
		return keptText(base.Raw(), x.Raw())
	case !base.IsContainer():
		return 0
	}
	was, is := g.childrenOf(base), g.childrenOf(x)
	same, other := 0, 0
	for _, h := range was {
		for other < len(is) && is[other] < h {
			other++
		}
		if other < len(is) && is[other] == h {
			same++
			other++
		}
	}
	return float64(same) / float64(max(len(was), len(is), 1))
}

// childrenOf returns the hashes of a container's members or elements, sorted.
func (g *gap) childrenOf(v jsondoc.Value) []uint64 {
	if list, ok := g.children[v]; ok {
		return list
	}
	var list []uint64
	for _, e := range v.Elements() {
		list = append(list, g.hash(e))
	}
	for m := range v.Members() {
		list = append(list, mix(hashText(m.Name()), g.hash(m.Value)))
	}
	slices.Sort(list)
	if g.children == nil {
		g.children = make(map[jsondoc.Value][]uint64)
	}
	g.children[v] = list
	return list
}

// keptText counts the bytes that two texts have in common at both ends; less than
// half is nothing, since unlike texts begin alike, too.
func keptText(a, b []byte) float64 {
	a, b = bytes.Trim(a, `"'`), bytes.Trim(b, `"'`)
	shorter, longer := min(len(a), len(b)), max(len(a), len(b))
	n := 0
	for n < shorter && a[n] == b[n] {
		n++
	}
	m := 0
	for m < shorter-n && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	if 2*(n+m) < longer {
		return 0
	}
	return float64(n+m) / float64(longer)
}
