package jsondoc

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sort"
)

// Differing returns those values and keys of two documents that are not the same in the
// same order: where something was changed, and a few that stand beside. A container is
// the same if both are of one kind and have something in them, or both have not. Where
// the documents are the same text the cost is that of comparing bytes.
func Differing(a, b *Doc) (inA, inB Nodes) {
	x := differ{a: a, b: b, endA: len(a.nodes), endB: len(b.nodes), patience: 1}
	x.trim()
	inA, inB = Nodes{d: a}, Nodes{d: b}
	i, k := 0, 0
	for i < x.endA && k < x.endB {
		n := x.equal(i, k)
		i, k = i+n, k+n
		for again := i < x.endA && k < x.endB; again; {
			n, m := 0, 0
			n, m, again = x.resume(i, k)
			inA.add(i, i+n)
			inB.add(k, k+m)
			i, k = i+n, k+m
		}
	}
	inA.add(i, x.endA)
	inB.add(k, x.endB)
	return inA, inB
}

func (n *Nodes) add(from, to int) {
	switch last := len(n.runs) - 1; {
	case from == to:
	case last >= 0 && n.runs[last].to == from:
		n.runs[last].to = to
	default:
		n.runs = append(n.runs, run{from, to})
	}
}

// differ goes through the nodes of two documents.
type differ struct {
	a, b       *Doc
	endA, endB int // both are the same behind these places
	patience   int // after how many equal nodes bytes are compared
}

const (
	resumeWindow = 256  // how far nodes are searched for where documents go on alike
	resumeRun    = 16   // how many equal nodes show that
	longJump     = 64   // how many nodes have to be passed over for it to be worth its cost
	mostPatience = 4096 // where texts differ throughout, in white space perhaps
)

// trim finds the equal parts at the end: text, and before it nodes.
func (x *differ) trim() {
	n := CommonSuffix(x.a.src, x.b.src)
	a, b := x.a.from(len(x.a.src)-n+1), x.b.from(len(x.b.src)-n+1)
	if len(x.a.nodes)-a == len(x.b.nodes)-b {
		x.endA, x.endB = a, b
	}
	for x.endA > 0 && x.endB > 0 && x.same(x.endA-1, x.endB-1) {
		x.endA--
		x.endB--
	}
}

// from returns the first node that starts at a place in the text, or behind it.
func (d *Doc) from(at int) int {
	return sort.Search(len(d.nodes), func(i int) bool { return int(d.nodes[i].start) >= at })
}

// ListAt returns the list whose text starts at a place; ok is false if there is none.
func (d *Doc) ListAt(start int) (list Value, ok bool) {
	i := d.from(start)
	if i == len(d.nodes) || d.nodes[i].kind() != Array || int(d.nodes[i].start) != start {
		return Value{}, false
	}
	return Value{d, uint32(i)}, true
}

// equal returns how many nodes are the same from two on.
func (x *differ) equal(i, k int) int {
	n := 0
	for {
		most := min(x.patience, x.endA-i-n, x.endB-k-n)
		m := x.walk(i+n, k+n, most)
		n += m
		if m < most || most < x.patience {
			return n
		}
		jump := x.jump(i+n-1, k+n-1) - 1
		if n += jump; jump < longJump {
			x.patience = min(2*x.patience, mostPatience)
		} else {
			x.patience = 8
		}
	}
}

// walk returns how many nodes are the same from two on, of so many.
func (x *differ) walk(i, k, most int) int {
	a, b := x.a.nodes[i:i+most], x.b.nodes[k:k+most]
	textA, textB := x.a.src, x.b.src
	for n := range a {
		p, q := a[n], b[n]
		switch {
		case (p.rest|q.rest)&isFilled != 0:
			if (p.rest^q.rest)&(isFilled|isObject) != 0 {
				return n
			}
		case p.kind() != q.kind():
			return n
		case p.kind() >= Array:
		default:
			endP, endQ := x.a.end(uint32(i+n)), x.b.end(uint32(k+n))
			if endP-p.start != endQ-q.start || string(textA[p.start:endP]) != string(textB[q.start:endQ]) {
				return n
			}
		}
	}
	return most
}

// jump returns how many nodes are the same text from two equal ones on; at least 1.
func (x *differ) jump(i, k int) int {
	start := int(x.a.nodes[i].start)
	n := CommonPrefix(x.a.src[start:], x.b.src[x.b.nodes[k].start:])
	last := x.a.from(start+n) - 1 // it may go on differently
	return max(1, min(last-i, x.endA-i, x.endB-k))
}

func (x *differ) same(i, k int) bool { return x.walk(i, k, 1) == 1 }

// resume returns how many nodes to pass over from two on, and whether it is to be asked
// again behind them.
func (x *differ) resume(i, k int) (n, m int, again bool) {
	for n := range resumeWindow {
		switch {
		case x.goesOn(i+n, k+n):
			return n, n, false
		case x.goesOn(i+n, k):
			return n, 0, false
		case x.goesOn(i, k+n):
			return 0, n, false
		}
	}
	n, m = min(resumeWindow, x.endA-i), min(resumeWindow, x.endB-k)
	return n, m, i+n < x.endA && k+m < x.endB
}

// goesOn reports whether two documents are the same for a while, or up to the end.
func (x *differ) goesOn(i, k int) bool {
	for n := range resumeRun {
		switch {
		case i+n >= x.endA || k+n >= x.endB:
			return i+n == x.endA && k+n == x.endB
		case !x.same(i+n, k+n):
			return false
		}
	}
	return true
}

// block is how many bytes are compared at once.
const block = 256

// CommonPrefix returns how many bytes are the same at the start of two texts.
func CommonPrefix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for n+block <= most && bytes.Equal(a[n:n+block], b[n:n+block]) {
		n += block
	}
	for n+8 <= most {
		if d := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); d != 0 {
			return n + bits.TrailingZeros64(d)/8
		}
		n += 8
	}
	for n < most && a[n] == b[n] {
		n++
	}
	return n
}

// CommonSuffix returns how many bytes are the same at the end of two texts.
func CommonSuffix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for n+block <= most && bytes.Equal(a[len(a)-n-block:len(a)-n], b[len(b)-n-block:len(b)-n]) {
		n += block
	}
	for n < most && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
