package merge

// row is one thing that a container holds in some of the versions: where it is
// in each of them, -1 where it is not.
type row struct {
	b, o, t int32
	sameO   bool // known to be untouched by the head
	sameT   bool // known to be untouched by theirs
	decided bool // its outcome is known already
}

// table holds the rows of one container: first those of the head's members or
// elements in the head's order, then those that only theirs has.
type table struct {
	rows   []row
	outs   []out   // the outcome of each row
	heads  int     // how many members or elements the head has
	rowOfT []int32 // the row of each of theirs' members or elements
	notes  *notes  // theirs' comments; nil where they are not merged
	alike  ends    // elements that have no rows, as they stand alike at both ends of all versions
}

// order returns the rows that remain, in the order of the result; nil if these
// are the head's, all of them, in the head's order.
//
// Where theirs has moved elements of the base its order is the skeleton, else the head's is. An
// element of only the other side comes behind its nearest predecessor there. Where both sides
// added at one place the head's additions come first; elements that one side has put in the
// place of others stand where the first of them stood, so that additions behind them stay
// behind.
func (tb *table) order(moved bool) []int32 {
	kept, added := 0, 0
	for i := range tb.rows {
		switch present := tb.outs[i].kind != outDrop; {
		case present && i < tb.heads:
			kept++
		case present:
			added++
		}
	}
	if added == 0 && kept == tb.heads && !moved {
		return nil
	}
	c := newChain(len(tb.rows))
	if moved {
		tb.buildFromTheirs(&c)
	} else {
		tb.buildFromHead(&c)
	}
	return tb.remaining(c.list(make([]int32, 0, len(tb.rows))))
}

// remaining leaves out the rows that are gone.
func (tb *table) remaining(order []int32) []int32 {
	n := 0
	for _, r := range order {
		if tb.outs[r].kind != outDrop {
			order[n] = r
			n++
		}
	}
	return order[:n]
}

// moved reports whether theirs has changed the order of the elements that it shares with the
// base, as far as these remain.
func (tb *table) moved() bool {
	last := int32(-1)
	for _, r := range tb.rowOfT {
		if b := tb.rows[r].b; b >= 0 && tb.outs[r].kind != outDrop {
			if b < last {
				return true
			}
			last = b
		}
	}
	return false
}

// buildFromHead puts the elements that only theirs has into the head's order. An element that
// is gone keeps its place until the end, and holds it for those that were put there instead.
func (tb *table) buildFromHead(c *chain) {
	at := c.front()
	for i := range tb.heads {
		at = c.insert(at, int32(i))
	}
	tb.putBack(c)
	at, run := c.front(), false // run: at was inserted by this loop
	for _, r := range tb.rowOfT {
		switch {
		case int(r) < tb.heads || tb.rows[r].b >= 0 && tb.outs[r].kind == outDrop:
			at, run = r, false
		default:
			if !run {
				at = tb.behindAdditions(c, at)
			}
			at, run = c.insert(at, r), true
		}
	}
}

// putBack puts rows that the head has taken out back into the order, for their places:
// behind the row that stood before in the base, or behind the row that both have added
// before it in theirs. The first of a run comes before the rows that the head has put
// there, the others behind those.
func (tb *table) putBack(c *chain) {
	rows := tb.rowsOfBase()
	if rows == nil {
		return
	}
	behind := tb.behindShared()
	at, first := c.front(), true
	for _, r := range rows {
		switch {
		case r < 0:
		case int(r) < tb.heads:
			at, first = r, true
		case tb.outs[r].kind == outDrop:
			if added := behind[int(r)-tb.heads]; added >= 0 {
				at = added
			} else if !first {
				at = tb.behindAdditions(c, at)
			}
			at, first = c.insert(at, r), false
		}
	}
}

// behindShared returns for each row that only theirs has the row that both sides
// have added right before it, as far as theirs shares the row that stands there;
// else -1.
func (tb *table) behindShared() []int32 {
	behind := make([]int32, len(tb.rows)-tb.heads)
	added := int32(-1)
	for _, r := range tb.rowOfT {
		switch i := int(r) - tb.heads; {
		case i < 0 && tb.rows[r].b < 0:
			added = r
		case i < 0:
			added = -1
		default:
			behind[i] = added
			if tb.rows[r].b >= 0 {
				added = -1
			}
		}
	}
	return behind
}

// rowsOfBase returns the row of each member or element of the base, -1 for one that
// is gone on both sides; nil if the head has taken out none that theirs has.
func (tb *table) rowsOfBase() []int32 {
	last, out := int32(-1), false
	for i, rw := range tb.rows {
		last = max(last, rw.b)
		out = out || i >= tb.heads && rw.b >= 0
	}
	if !out {
		return nil
	}
	rows := make([]int32, last+1)
	for i := range rows {
		rows[i] = -1
	}
	for i, rw := range tb.rows {
		if rw.b >= 0 {
			rows[rw.b] = int32(i)
		}
	}
	return rows
}

// behindAdditions goes from a place behind the rows that only the head has
// added there.
func (tb *table) behindAdditions(c *chain, at int32) int32 {
	for {
		next := c.after(at)
		if next < 0 || tb.rows[next].b >= 0 || tb.rows[next].t >= 0 {
			return at
		}
		at = next
	}
}

func (tb *table) buildFromTheirs(c *chain) {
	at := c.front()
	for _, r := range tb.rowOfT {
		if tb.outs[r].kind != outDrop {
			at = c.insert(at, r)
		}
	}
	at = c.front()
	for i := range tb.heads {
		switch {
		case tb.outs[i].kind == outDrop:
		case tb.rows[i].t >= 0:
			at = int32(i)
		default:
			at = c.insert(at, int32(i))
		}
	}
}

// chain is a linked list of rows.
type chain struct{ next []int32 } // next[i] follows i; the last one is the front

func newChain(rows int) chain {
	c := chain{make([]int32, rows+1)}
	c.next[rows] = -1
	return c
}

func (c *chain) front() int32 { return int32(len(c.next) - 1) }

func (c *chain) after(at int32) int32 { return c.next[at] }

func (c *chain) insert(at, r int32) int32 {
	c.next[r] = c.next[at]
	c.next[at] = r
	return r
}

func (c *chain) list(dst []int32) []int32 {
	for r := c.next[c.front()]; r >= 0; r = c.next[r] {
		dst = append(dst, r)
	}
	return dst
}
