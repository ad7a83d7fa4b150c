package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// insert writes a value of theirs at a place of the head. Scalars and keys are spelled as
// theirs has them. Lines break as in theirs, indented as in the head; but parts of a document
// that is on one line spread out in a head that does, and the other way round.
func (e *emitter) insert(v jsondoc.Value, indent string, lines bool) {
	if lines && e.theirStyle.lines || hasComments(v) {
		e.indented(v, indent)
	} else {
		e.laidOut(v, indent, lines)
	}
}

// laidOut writes a container in the head's layout: each kid on a line of its
// own, or all on one.
func (e *emitter) laidOut(v jsondoc.Value, indent string, lines bool) {
	if v.IsEmpty() { // as a scalar is, too
		e.indented(v, indent)
		return
	}
	raw := v.Raw()
	inner := indent + e.headStyle.unit
	n := 0
	next := func() {
		if n > 0 {
			e.dst = append(e.dst, ',')
		}
		switch {
		case lines:
			e.dst = append(append(e.dst, e.headStyle.newline...), inner...)
		case n > 0:
			e.dst = append(e.dst, e.headStyle.comma[1:]...)
		}
		n++
	}
	e.dst = append(e.dst, raw[0])
	for m := range v.Members() {
		next()
		e.dst = append(e.dst, m.Key.Raw()...)
		e.dst = append(e.dst, e.headStyle.colon...)
		e.laidOut(m.Value, inner, lines)
	}
	for _, x := range v.Elements() {
		next()
		e.laidOut(x, inner, lines)
	}
	if lines {
		e.dst = append(append(e.dst, e.headStyle.newline...), indent...)
	}
	e.dst = append(e.dst, raw[len(raw)-1])
}

// indented writes a container as theirs has it, with the head's indentation.
func (e *emitter) indented(v jsondoc.Value, indent string) {
	if !v.IsContainer() || bytes.IndexByte(v.Raw(), '\n') < 0 {
		e.dst = append(e.dst, v.Raw()...)
		return
	}
	raw := v.Raw()
	inner := indent + e.headStyle.unit
	at, _ := v.Span()
	from := at + 1
	gap := func(to int, last string) {
		e.reindented(raw[from-at:to-at], inner, last)
	}
	e.dst = append(e.dst, raw[0])
	for m := range v.Members() {
		start, _ := m.Key.Span()
		value, end := m.Value.Span()
		gap(start, inner)
		e.dst = append(e.dst, raw[start-at:value-at]...)
		e.indented(m.Value, inner)
		from = end
	}
	for _, x := range v.Elements() {
		start, end := x.Span()
		gap(start, inner)
		e.indented(x, inner)
		from = end
	}
	gap(at+len(raw)-1, indent)
	e.dst = append(e.dst, raw[len(raw)-1])
}

// reindented writes a gap of theirs with other indentation: inner on each new line, and last on
// the line behind the gap.
func (e *emitter) reindented(gap []byte, inner, last string) {
	for i := 0; i < len(gap); {
		if n := commentLen(gap[i:]); n > 0 {
			e.dst = append(e.dst, gap[i:i+n]...)
			i += n
			continue
		}
		end := i
		for end < len(gap) && bytes.IndexByte([]byte(" \t\r\n"), gap[end]) >= 0 {
			end++
		}
		if end == i {
			e.dst = append(e.dst, gap[i])
			i++
			continue
		}
		breaks := bytes.Count(gap[i:end], []byte{'\n'})
		if breaks == 0 {
			e.dst = append(e.dst, gap[i:end]...)
		}
		for range breaks {
			e.dst = append(e.dst, e.headStyle.newline...)
		}
		switch {
		case breaks > 0 && end == len(gap):
			e.dst = append(e.dst, last...)
		case breaks > 0:
			e.dst = append(e.dst, inner...)
		}
		i = end
	}
}

// hasComments reports whether there are comments inside a container.
func hasComments(v jsondoc.Value) bool {
	raw := v.Raw()
	at, _ := v.Span()
	from := 1
	inGap := func(to int) bool { return hasComment(raw[from:to]) }
	for m := range v.Members() {
		start, keyEnd := m.Key.Span()
		value, end := m.Value.Span()
		if inGap(start-at) || hasComment(raw[keyEnd-at:value-at]) || hasComments(m.Value) {
			return true
		}
		from = end - at
	}
	for _, x := range v.Elements() {
		start, end := x.Span()
		if inGap(start-at) || hasComments(x) {
			return true
		}
		from = end - at
	}
	return v.IsContainer() && inGap(len(raw)-1)
}
