package jsondoc

import (
	"bytes"
)

// Equal reports whether two values are the same JSON value: numbers exactly,
// however they are written; strings with their escapes decoded; objects without
// regard to the order of their members.
func Equal(a, b Value) bool { return equal(a, b, false) }

// EqualAsJS reports whether JavaScript's JSON.parse and JSON.stringify make the
// same text of both values, the order of members aside: numbers become doubles,
// and those too large for one become null.
func EqualAsJS(a, b Value) bool {
	return equal(a, b, true)
}

func (v Value) stringifiesAsNull() bool {
	if v.Kind() == Number {
		_, ok := asDouble(v.Raw())
		return !ok
	}
	return v.Kind() == Null
}

func sameDouble(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, okX := asDouble(a)
	y, okY := asDouble(b)
	if !okX || !okY {
		return okX == okY
	}
	return x == y
}

// equal compares two values, exactly or as JavaScript would. It recurses as deep
// as the values are nested, which the depth limit bounds.
func equal(a, b Value, js bool) bool {
	if a.Kind() != b.Kind() {
		return js && a.stringifiesAsNull() && b.stringifiesAsNull()
	}
	if bytes.Equal(a.Raw(), b.Raw()) && a.d.grammar == b.d.grammar {
		return true
	}
	if a.size() != b.size() {
		return false // one has more in it
	}
	switch a.Kind() {
	case Number:
		return equalNumbers(a.Raw(), b.Raw(), js)
	case String:
		return bytes.Equal(a.decoded(), b.decoded())
	case Array:
		return equalArrays(a, b, js)
	case Object:
		return equalObjects(a, b, js)
	}
	return bytes.Equal(a.Raw(), b.Raw())
}

// size returns how many values and keys there are in a value, itself counted.
func (v Value) size() uint32 { return v.d.next(v.i) - v.i }

func equalNumbers(a, b []byte, js bool) bool {
	if js {
		return sameDouble(a, b)
	}
	return sameNumber(a, b)
}

func equalArrays(a, b Value, js bool) bool {
	i, iEnd := a.children()
	k, kEnd := b.children()
	for i < iEnd && k < kEnd {
		if !equal(Value{a.d, i}, Value{b.d, k}, js) {
			return false
		}
		i, k = a.d.next(i), b.d.next(k)
	}
	return i == iEnd && k == kEnd
}

// equalObjects looks the members up in order first, as they mostly come, and
// makes an index once they do not.
func equalObjects(a, b Value, js bool) bool {
	if a.Len() != b.Len() {
		return false
	}
	i, iEnd := a.children()
	k, _ := b.children()
	var index map[string]uint32
	for i < iEnd {
		key, value := Value{a.d, i}, Value{a.d, i + 1}
		var other Value
		if index == nil && bytes.Equal(key.decoded(), Value{b.d, k}.decoded()) {
			other = Value{b.d, k + 1}
			k = b.d.next(k + 1)
		} else {
			if index == nil {
				index = b.index()
			}
			at, ok := index[string(key.decoded())]
			if !ok {
				return false
			}
			other = Value{b.d, at}
		}
		if !equal(value, other, js) {
			return false
		}
		i = a.d.next(i + 1)
	}
	return true
}

// index returns where the value of each member of an object is.
func (v Value) index() map[string]uint32 {
	out := make(map[string]uint32)
	for m := range v.Members() {
		out[m.Name()] = m.Value.i
	}
	return out
}
