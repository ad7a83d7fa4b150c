package jsondoc

import (
	"iter"
	"sync/atomic"
)

// Kind is the kind of a value.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind in lower case, as JSON's own texts name it.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	}
	return "object"
}

// Doc is a parsed document.
type Doc struct {
	tree
	grammar   Grammar
	depth     int // levels that it might have been nested
	commented bool
	kept      atomic.Pointer[any]
}

// Keep keeps a user's finding about the document with it, in place of the one before; nil
// drops that. It may be called concurrently.
func (d *Doc) Keep(finding any) { d.kept.Store(&finding) }

// Kept returns the finding that is kept with the document, nil where there is none.
func (d *Doc) Kept() any {
	if p := d.kept.Load(); p != nil {
		return *p
	}
	return nil
}

// Source returns the text, which must not be changed.
func (d *Doc) Source() []byte { return d.src }

// Grammar returns the grammar that the text was read in.
func (d *Doc) Grammar() Grammar { return d.grammar }

// Commented reports whether the text has a comment.
func (d *Doc) Commented() bool { return d.commented }

// MemSize returns the bytes that the tree takes, the text not counted.
func (d *Doc) MemSize() int64 { return int64(cap(d.nodes)+cap(d.spans)) * 8 }

// Root returns the document's value.
func (d *Doc) Root() Value { return Value{d, 0} }

// Value is one value of a document. Values are compared with == for being the
// same place of the same document. The zero Value is none.
type Value struct {
	d *Doc
	i uint32
}

// Doc returns the document that the value is of, nil for no value.
func (v Value) Doc() *Doc { return v.d }

// Exists reports whether v is a value at all.
func (v Value) Exists() bool { return v.d != nil }

func (v Value) node() node { return v.d.nodes[v.i] }

// Kind returns the kind of the value.
func (v Value) Kind() Kind { return v.node().kind() }

// IsContainer reports whether the value is an array or an object.
func (v Value) IsContainer() bool { return v.Kind() >= Array }

// Span returns where the value's text starts and ends, in bytes.
func (v Value) Span() (start, end int) {
	return int(v.node().start), int(v.d.end(v.i))
}

// Raw returns the value's text, which must not be changed.
func (v Value) Raw() []byte {
	end := v.d.end(v.i)
	return v.d.src[v.node().start:end:end]
}

// Len returns the number of elements or members of a container, 0 for any other
// value. It visits each of them.
func (v Value) Len() int {
	n := 0
	first, end := v.children()
	for i := first; i < end; i = v.d.next(i) {
		n++
	}
	if v.Kind() == Object {
		n /= 2
	}
	return n
}

// children returns the index of the first node below v and of the one behind
// the last; both are the same where there is none.
func (v Value) children() (first, end uint32) {
	return v.i + 1, v.d.next(v.i)
}

// Elements returns the elements of an array with their positions, nothing for
// any other value.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		first, end := v.children()
		for i, k := first, 0; i < end; i, k = v.d.next(i), k+1 {
			if !yield(k, Value{v.d, i}) {
				return
			}
		}
	}
}

// Member is one member of an object.
type Member struct {
	Key   Value // a String; in JSON5 possibly an identifier
	Value Value
}

// Name returns the decoded key.
func (m Member) Name() string { return m.Key.Text() }

// Members returns the members of an object in their order, nothing for any
// other value.
func (v Value) Members() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		if v.Kind() != Object {
			return
		}
		first, end := v.children()
		for i := first; i < end; {
			value := i + 1
			if !yield(Member{Value{v.d, i}, Value{v.d, value}}) {
				return
			}
			i = v.d.next(value)
		}
	}
}

// Member returns the value of the member with the given decoded name. It
// compares with each: for many look-ups an index of Members is faster.
func (v Value) Member(name string) (Value, bool) {
	for m := range v.Members() {
		if m.Key.is(name) {
			return m.Value, true
		}
	}
	return Value{}, false
}

// is reports whether the decoded string equals s.
func (v Value) is(s string) bool {
	if v.node().flags()&flagEscaped == 0 {
		return string(v.inner()) == s
	}
	return v.Text() == s
}

// isNamed is is, for many keys.
func (v Value) isNamed(name []byte) bool {
	if v.node().flags()&flagEscaped == 0 {
		start, end := v.Span()
		return end-start == len(name)+2 && string(v.d.src[start+1:end-1]) == string(name)
	}
	return string(v.decoded()) == string(name)
}

// inner returns the text of a string without its quotes.
func (v Value) inner() []byte {
	raw := v.Raw()
	if v.node().flags()&flagBare != 0 {
		return raw
	}
	return raw[1 : len(raw)-1]
}

// IsEscaped reports whether the text of a string has escapes.
func (v Value) IsEscaped() bool { return v.node().flags()&flagEscaped != 0 }
