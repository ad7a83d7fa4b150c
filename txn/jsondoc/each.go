package jsondoc

import "iter"

// Counts are how many values of some kinds a document holds.
type Counts struct {
	Nulls, NullMembers, Bools, Numbers int // null members are among the nulls
	Strings                            int // keys are among them
	EmptyArrays, EmptyObjects          int
}

// Nodes are some of the values and keys of a document, in its order.
type Nodes struct {
	d    *Doc
	runs []run
}

// run is a row of nodes.
type run struct{ from, to int }

// Nodes returns all values and keys.
func (d *Doc) Nodes() Nodes { return Nodes{d, []run{{0, len(d.nodes)}}} }

// Pieces cuts nodes into pieces of so many at most.
func (n Nodes) Pieces(most int) iter.Seq[Nodes] {
	return func(yield func(Nodes) bool) {
		for _, r := range n.runs {
			for ; r.from < r.to; r.from += most {
				if !yield(Nodes{n.d, []run{{r.from, min(r.from+most, r.to)}}}) {
					return
				}
			}
		}
	}
}

// Survey counts values, and calls f with those that a closer look may be worth: each
// number that is more than a few digits, each string or key that has escapes or is at
// least so long and at most so long, and each object whose first key is one
// character. It is much faster than to visit all values.
func (n Nodes) Survey(c *Counts, least, most int, f func(v Value)) {
	for _, r := range n.runs {
		for i := r.from; i < r.to; i++ {
			if c.count(n.d, i, least, most) {
				f(Value{n.d, uint32(i)})
			}
		}
	}
}

// count counts a node and reports whether it is worth a closer look.
func (c *Counts) count(d *Doc, i, least, most int) bool {
	n := d.nodes[i]
	switch size := int(d.end(uint32(i)) - n.start); n.kind() {
	case Null:
		c.Nulls++
		if d.follows(n.start, ':') {
			c.NullMembers++
		}
	case Bool:
		c.Bools++
	case Number:
		c.Numbers++
		return size > fewDigits || !allDigits((Value{d, uint32(i)}).Raw())
	case String:
		c.Strings++
		return n.flags()&flagEscaped != 0 || size >= least && size <= most
	case Array:
		if n.rest&isFilled == 0 {
			c.EmptyArrays++
		}
	case Object:
		if n.rest&isFilled == 0 {
			c.EmptyObjects++
			return false
		}
		key := uint32(i) + 1
		return d.end(key)-d.nodes[key].start == 3
	}
	return false
}

// fewDigits is how long a number may be that needs no closer look if it is whole.
const fewDigits = 13

func allDigits(text []byte) bool {
	for _, b := range text {
		if b < '0' && b != '-' || b > '9' {
			return false
		}
	}
	return true
}

// follows reports whether a mark stands before a place, white space aside.
func (d *Doc) follows(at uint32, mark byte) bool {
	for at > 0 {
		at--
		switch d.src[at] {
		case ' ', '\n', '\r', '\t':
		default:
			return d.src[at] == mark
		}
	}
	return false
}

// IsEmpty reports whether a value has nothing in it, as a scalar has.
func (v Value) IsEmpty() bool {
	first, end := v.children()
	return first == end
}
