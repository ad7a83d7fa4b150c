package jsondoc

import (
	"cmp"
	"slices"
)

// tree is the nodes of a text, in the order in which they begin. A node is 8 bytes, as
// there are many: numbers that do not fit are beside, in the same order.
type tree struct {
	src   []byte
	nodes []node
	spans []span // of the containers that are not empty
	far   []far  // of the other nodes with a length of tooLong or more
}

// node is one value, or the key of a member. rest is of a container that is not empty
// isFilled, isObject for an object, and its place in spans; of any other node its kind, its
// flags and its length, or tooLong.
type node struct{ start, rest uint32 }

const (
	isFilled = 1 << 31
	isObject = 1 << 30

	kindShift = 28
	flagShift = 25
	tooLong   = 1<<flagShift - 1
)

// flags of a node.
const (
	flagEscaped  = 1 << iota // a string with at least one escape
	flagExtended             // text that strict JSON does not allow (JSON5)
	flagBare                 // a key without quotes (JSON5)
)

// span is where the text of a container ends, and the node behind its subtree. There are
// fewer than isObject: one takes four bytes of text at least.
type span struct{ end, next uint32 }

// far is where the text of a node ends.
type far struct{ node, end uint32 }

func (n node) kind() Kind {
	if n.rest&isFilled != 0 {
		return Array + Kind(n.rest>>30&1)
	}
	return Kind(n.rest >> kindShift)
}

func (n node) flags() uint8 {
	if n.rest&isFilled != 0 {
		return 0
	}
	return uint8(n.rest>>flagShift) & 7
}

func (n node) span() uint32 { return n.rest &^ (isFilled | isObject) }

// end returns where the text of a node ends.
func (t *tree) end(i uint32) uint32 {
	n := t.nodes[i]
	if size := n.rest & tooLong; n.rest&isFilled == 0 && size != tooLong {
		return n.start + size
	}
	return t.endBeside(i)
}

func (t *tree) endBeside(i uint32) uint32 {
	if n := t.nodes[i]; n.rest&isFilled != 0 {
		return t.spans[n.span()].end
	}
	return t.far[t.farFrom(i)].end
}

// farFrom returns the place in far of a node, or of the first one behind it.
func (t *tree) farFrom(i uint32) int {
	at, _ := slices.BinarySearchFunc(t.far, i, func(f far, i uint32) int { return cmp.Compare(f.node, i) })
	return at
}

// next returns the node behind the subtree of one.
func (t *tree) next(i uint32) uint32 {
	if n := t.nodes[i]; n.rest&isFilled != 0 {
		return t.spans[n.span()].next
	}
	return i + 1
}

// add appends a node that has nothing below it.
func (t *tree) add(start, end int, k Kind, flags uint8) {
	size := uint32(end - start)
	if size >= tooLong {
		size = tooLong
		t.far = append(t.far, far{uint32(len(t.nodes)), uint32(end)})
	}
	t.nodes = append(t.nodes, node{uint32(start), uint32(k)<<kindShift | uint32(flags)<<flagShift | size})
}

// enter appends a container, which has to be left.
func (t *tree) enter(start int, k Kind) {
	t.nodes = append(t.nodes, node{uint32(start), isFilled | uint32(k-Array)*isObject | uint32(len(t.spans))})
	t.spans = append(t.spans, span{})
}

// leave ends the last container that was entered and not left.
func (t *tree) leave(i uint32, end int) {
	n := t.nodes[i]
	if int(i) < len(t.nodes)-1 {
		t.spans[n.span()] = span{uint32(end), uint32(len(t.nodes))}
		return
	}
	t.nodes, t.spans = t.nodes[:i], t.spans[:n.span()]
	t.add(int(n.start), end, n.kind(), 0)
}

// enterAgain goes into the last node, a container.
func (t *tree) enterAgain() {
	last := len(t.nodes) - 1
	n := t.nodes[last]
	if n.rest&isFilled != 0 {
		return
	}
	t.nodes, t.far = t.nodes[:last], t.far[:t.farFrom(uint32(last))]
	t.enter(int(n.start), n.kind())
}

// take appends nodes of another tree, shift bytes farther behind in the text. The
// caller still has to leave the containers that end behind them.
func (t *tree) take(of *tree, from, to uint32, shift int) {
	first, farther := len(t.nodes), uint32(shift)
	later := uint32(first) - from
	t.nodes = append(t.nodes, of.nodes[from:to]...)
	for _, f := range of.far[of.farFrom(from):of.farFrom(to)] {
		t.far = append(t.far, far{f.node + later, f.end + farther})
	}
	spans, before := of.spansOf(from, to), uint32(len(t.spans))
	if len(spans) > 0 {
		before -= of.nodes[of.firstFilled(from, to)].span()
	}
	had := len(t.spans)
	t.spans = append(t.spans, spans...)
	if farther == 0 && later == 0 && before == 0 {
		return
	}
	taken := t.nodes[first:]
	for i := range taken {
		taken[i].start += farther
		if taken[i].rest&isFilled != 0 {
			taken[i].rest += before
		}
	}
	added := t.spans[had:]
	for i := range added {
		added[i].end, added[i].next = added[i].end+farther, added[i].next+later
	}
}

// firstFilled returns the first container among nodes that is not empty, or the end.
func (t *tree) firstFilled(from, to uint32) uint32 {
	for from < to && t.nodes[from].rest&isFilled == 0 {
		from++
	}
	return from
}

// spansOf returns the spans of the containers among nodes.
func (t *tree) spansOf(from, to uint32) []span {
	first := t.firstFilled(from, to)
	if first == to {
		return nil
	}
	for t.nodes[to-1].rest&isFilled == 0 {
		to--
	}
	return t.spans[t.nodes[first].span() : t.nodes[to-1].span()+1]
}
