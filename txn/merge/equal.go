package merge

import (
	"bytes"
	"math"
	"strconv"

	"clawfs/txn/jsondoc"
)

// unbounded is the bound of a comparison that nothing was compared before.
const unbounded = math.MaxInt

// sameBytes compares two texts unless they are a large part of the bytes that have been
// compared in vain already: bound is the length of the smallest enclosing pair. So each byte is
// compared at most log₂(n) times, however deep documents nest.
func sameBytes(a, b []byte, bound int) (same bool, next int) {
	if len(a) != len(b) || len(a) > bound/2 {
		return false, bound
	}
	return bytes.Equal(a, b), len(a)
}

// respelled reports whether x says the same as base: it is the same value, or the
// one that base becomes when JavaScript reads and writes it. The latter has a
// direction: 9007199254740993 becomes …992, so …992 says the same; but a writer that
// writes …993 where …992 stood has changed it.
func respelled(base, x jsondoc.Value) bool { return respelledWithin(base, x, unbounded) }

func respelledWithin(base, x jsondoc.Value, bound int) bool {
	same, bound := sameBytes(base.Raw(), x.Raw(), bound)
	if same {
		return true
	}
	if base.Kind() == jsondoc.Number {
		return respelledNumber(base, x)
	}
	if base.Kind() != x.Kind() {
		return false
	}
	switch base.Kind() {
	case jsondoc.Array:
		return respelledArray(base, x, bound)
	case jsondoc.Object:
		return respelledObject(base, x, bound)
	}
	return jsondoc.Equal(base, x)
}

func respelledNumber(base, x jsondoc.Value) bool {
	switch x.Kind() {
	case jsondoc.Number:
		return jsondoc.Equal(base, x) || jsondoc.EqualAsJS(base, x) && spelledByJS(x.Raw())
	case jsondoc.Null:
		return jsondoc.EqualAsJS(base, x)
	}
	return false
}

// spelledByJS reports whether a number is one that JavaScript prints: the
// shortest decimal that reads as its double.
func spelledByJS(raw []byte) bool {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return false
	}
	shortest, err := jsondoc.Parse(strconv.AppendFloat(nil, f, 'e', -1, 64), jsondoc.JSON, jsondoc.Limits{})
	if err != nil {
		return false
	}
	own, err := jsondoc.Parse(raw, jsondoc.JSON, jsondoc.Limits{})
	return err == nil && jsondoc.Equal(own.Root(), shortest.Root())
}

func respelledArray(base, x jsondoc.Value, bound int) bool {
	n := base.Len()
	if n != x.Len() {
		return false
	}
	a, b := elements(make([]jsondoc.Value, n), base), elements(make([]jsondoc.Value, n), x)
	for i := range a {
		if !respelledWithin(a[i], b[i], bound) {
			return false
		}
	}
	return true
}

func respelledObject(base, x jsondoc.Value, bound int) bool {
	n := base.Len()
	if n != x.Len() {
		return false
	}
	a, b := members(make([]jsondoc.Member, n), base), members(make([]jsondoc.Member, n), x)
	names := nameIndex{of: b}
	for i := range a {
		k := names.find(a[i].Key)
		if k < 0 || !respelledWithin(a[i].Value, b[k].Value, bound) {
			return false
		}
	}
	return true
}

// elements puts the elements of an array into dst, which is as long as it.
func elements(dst []jsondoc.Value, v jsondoc.Value) []jsondoc.Value {
	for i, e := range v.Elements() {
		dst[i] = e
	}
	return dst
}

// members puts the members of an object into dst, which is as long as it.
func members(dst []jsondoc.Member, v jsondoc.Value) []jsondoc.Member {
	i := 0
	for m := range v.Members() {
		dst[i] = m
		i++
	}
	return dst
}

// fewNames is the number of members up to which a search beats an index.
const fewNames = 8

// nameIndex finds members by name. Most versions of an object hold their members
// in the same order, so it looks behind the last one found first.
type nameIndex struct {
	of    []jsondoc.Member
	next  int
	index map[string]int32
}

// find returns the position of the member with the same name as key, or -1.
func (n *nameIndex) find(key jsondoc.Value) int {
	if n.next < len(n.of) && sameName(n.of[n.next].Key, key) {
		n.next++
		return n.next - 1
	}
	at := n.search(key)
	if at >= 0 {
		n.next = at + 1
	}
	return at
}

func (n *nameIndex) search(key jsondoc.Value) int {
	if len(n.of) <= fewNames {
		for i, m := range n.of {
			if sameName(m.Key, key) {
				return i
			}
		}
		return -1
	}
	if n.index == nil {
		n.index = make(map[string]int32, len(n.of))
		for i, m := range n.of {
			n.index[m.Name()] = int32(i)
		}
	}
	if at, ok := n.index[key.Text()]; ok {
		return int(at)
	}
	return -1
}

// sameName compares two keys, which may be spelled differently.
func sameName(a, b jsondoc.Value) bool {
	x, y := a.Raw(), b.Raw()
	if bytes.Equal(x, y) {
		return true
	}
	if plainQuoted(x) && plainQuoted(y) {
		return false
	}
	return jsondoc.Equal(a, b)
}

// plainQuoted reports whether a key is in double quotes and has no escapes.
func plainQuoted(raw []byte) bool {
	return raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0
}
