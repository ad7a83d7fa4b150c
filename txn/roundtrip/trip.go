package roundtrip

import (
	"slices"

	"clawfs/txn/jsondoc"
)

// Trip is a round trip that a writer may have made: it turns a document that is read into the
// one that is written back.
type Trip struct {
	numbers [len(axes)]*numberFamily
	others  [len(axes)][]candidate // that explain less, or as much
	values  []*valueFamily
	written *writtenNumbers
	times   *writtenTimes
}

// A Family is one that a trip is made of.
type Family struct {
	number *numberFamily
	axis   axis
	value  *valueFamily
}

func (t *Trip) isEmpty() bool {
	return len(t.values) == 0 && t.numbers == [len(axes)]*numberFamily{}
}

// Families returns the families that the trip is made of. A value that one of them changes is
// hidden from those behind it.
func (t *Trip) Families() []Family {
	var out []Family
	for _, f := range t.values {
		out = append(out, Family{value: f})
	}
	for _, a := range axes {
		if f := t.numbers[a]; f != nil {
			out = append(out, Family{number: f, axis: a})
		}
	}
	return out
}

// Shown is how many values have to show that the family was at work.
func (f Family) Shown() int {
	if f.value != nil {
		return max(f.value.shown, 1)
	}
	return max(f.number.shown, 1)
}

// String returns the family's change of values, and the writers that it is
// known of.
func (f Family) String() string {
	if f.value != nil {
		return f.value.name
	}
	return f.number.name
}

// Without returns the trip without a family, nil if none is left. In the place of one of
// numbers comes the one that explains most of the others.
func (t *Trip) Without(gone Family) *Trip {
	left := *t
	if gone.number != nil {
		left.takeNext(gone.axis)
	}
	left.values = slices.DeleteFunc(slices.Clone(t.values), func(f *valueFamily) bool { return f == gone.value })
	if left.isEmpty() {
		return nil
	}
	return &left
}

// Changes returns the family that changes a value itself, not its inside. A member
// that is dropped is changed, an object that becomes a list too.
func (t *Trip) Changes(v jsondoc.Value, member bool) (f Family, ok bool) {
	_, f, ok = t.spell(nil, v, member)
	return f, ok
}

// Changed is Changes of a value that is no member, where the trip has made another value, is,
// of it.
func (t *Trip) Changed(v, is jsondoc.Value) (f Family, ok bool) {
	if is.Kind() == jsondoc.Number { // by a family of numbers
		if d, ok := parseDecimal(v.Raw()); ok && t.numbers[d.axis()] != nil {
			return Family{number: t.numbers[d.axis()], axis: d.axis()}, true
		}
	}
	return t.Changes(v, false)
}

// Of returns the result of the trip for a document, in strict JSON.
func (t *Trip) Of(d *jsondoc.Doc) (*jsondoc.Doc, error) {
	text := t.append(make([]byte, 0, len(d.Source())), d.Root(), false)
	return jsondoc.Parse(text, jsondoc.JSON, jsondoc.Limits{Depth: len(text)})
}

// Empties reports whether the trip makes x of an empty container of some kind.
func (t *Trip) Empties(kind jsondoc.Kind, x jsondoc.Value) bool {
	return slices.ContainsFunc(t.values, func(f *valueFamily) bool {
		switch {
		case f.as == "" || f.emptied != kind:
			return false
		case x.IsContainer():
			return x.Len() == 0 && x.Raw()[0] == f.as[0]
		}
		return string(x.Raw()) == f.as
	})
}

// Drops reports whether the trip leaves a member with this value out.
func (t *Trip) Drops(v jsondoc.Value) bool {
	return v.Kind() == jsondoc.Null && slices.ContainsFunc(t.values, func(f *valueFamily) bool { return f.drops })
}

// Unkeys reports whether an object becomes a list.
func (t *Trip) Unkeys(v jsondoc.Value) bool {
	return v.Kind() == jsondoc.Object && slices.ContainsFunc(t.values, func(f *valueFamily) bool { return f.unkeys }) && isIndexed(v)
}

func isIndexed(v jsondoc.Value) bool {
	n := 0
	for m := range v.Members() {
		if !isIndex(m.Key, n) {
			return false
		}
		n++
	}
	return n > 0
}

// append recurses as deep as the value is nested, which the depth limit bounds.
func (t *Trip) append(dst []byte, v jsondoc.Value, member bool) []byte {
	if text, f, ok := t.spell(dst, v, member); ok && (f.value == nil || !f.value.unkeys) {
		return text
	}
	switch v.Kind() {
	case jsondoc.Array:
		dst = append(dst, '[')
		for i, e := range v.Elements() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = t.append(dst, e, false)
		}
		return append(dst, ']')
	case jsondoc.Object:
		return t.appendObject(dst, v)
	}
	return v.AppendJSON(dst)
}

func (t *Trip) appendObject(dst []byte, v jsondoc.Value) []byte {
	list := t.Unkeys(v)
	opening, closing := byte('{'), byte('}')
	if list {
		opening, closing = '[', ']'
	}
	dst = append(dst, opening)
	first := true
	for m := range v.Members() {
		if t.Drops(m.Value) && !list {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if !list {
			dst = append(m.Key.AppendJSON(dst), ':')
		}
		dst = t.append(dst, m.Value, !list)
	}
	return append(dst, closing)
}

// spell appends the new spelling of a value itself, nothing where it is dropped
// or unkeyed; ok is false for a value that stays as it is.
func (t *Trip) spell(dst []byte, v jsondoc.Value, member bool) (text []byte, f Family, ok bool) {
	for _, f := range t.values {
		switch {
		case f.drops:
			ok = member && v.Kind() == jsondoc.Null
		case f.unkeys:
			ok = v.Kind() == jsondoc.Object && isIndexed(v)
		case f.as != "":
			if ok = v.Kind() == f.emptied && v.Len() == 0; ok {
				dst = append(dst, f.as...)
			}
		default:
			dst, ok = f.of(dst, v, t.times)
		}
		if ok {
			return dst, Family{value: f}, true
		}
	}
	if v.Kind() != jsondoc.Number {
		return dst, Family{}, false
	}
	n, ok := numberOf(v.Raw())
	if !ok {
		return dst, Family{}, false
	}
	family := t.numbers[n.axis()]
	if family == nil {
		return dst, Family{}, false
	}
	d := family.of(n, t.written)
	if d == n.decimal {
		return dst, Family{}, false
	}
	return d.append(dst), Family{number: family, axis: n.axis()}, true
}
