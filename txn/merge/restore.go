package merge

import (
	"bytes"
	"slices"
	"strconv"

	"clawfs/txn/jsondoc"
	"clawfs/txn/roundtrip"
)

// restored returns x with the values that its writer has only spelled anew as base has
// them, and their number. An equal value stays as it is spelled.
func restored(base, x *jsondoc.Doc, but roundtrip.Except, p *Policy) (*jsondoc.Doc, int) {
	e := echoBy(roundtrip.Tell(base, x, but), base, x, p)
	if e == nil {
		return x, 0
	}
	s := splicer{src: x.Source()}
	for _, p := range e.pairs {
		s.pair(p)
	}
	d, err := jsondoc.Parse(s.done(), x.Grammar(), jsondoc.Limits{Depth: len(x.Source()) + 1})
	if err != nil {
		return x, 0 // longer than a document may be: the writer is believed
	}
	return d, len(e.pairs)
}

// splice is a text that takes the place of another one.
type splice struct {
	from, to int
	text     []byte
}

// splicer puts other texts into one.
type splicer struct {
	src     []byte
	splices []splice
}

func (s *splicer) put(from, to int, text []byte) {
	s.splices = append(s.splices, splice{from, to, text})
}

// pair puts the value of the base in the place of the writer's spelling of it.
func (s *splicer) pair(p pair) {
	switch {
	case !p.is.Exists():
		s.member(p)
	case p.emptied:
		start, end := p.is.Span()
		raw := p.of.Raw()
		s.put(start, end, []byte{raw[0], raw[len(raw)-1]})
	case p.is.Kind() == jsondoc.Array && p.of.Kind() == jsondoc.Object && p.of.Len() > 0:
		s.keys(p.is)
	default:
		start, end := p.is.Span()
		s.put(start, end, p.of.Raw())
	}
}

// keys makes a list the object that it was made of: the elements get the keys 0, 1, …
func (s *splicer) keys(list jsondoc.Value) {
	start, end := list.Span()
	s.put(start, start+1, []byte{'{'})
	for i, e := range list.Elements() {
		at, _ := e.Span()
		s.put(at, at, append(strconv.AppendQuote(nil, strconv.Itoa(i)), ": "...))
	}
	s.put(end-1, end, []byte{'}'})
}

// member puts a member back that the writer has left out.
func (s *splicer) member(p pair) {
	text := append(append(slices.Clone(p.key.Raw()), ": "...), p.of.Raw()...)
	from, _ := p.in.Span()
	from++
	if p.behind < 0 {
		switch last := len(s.splices) - 1; {
		case p.in.Len() > 0:
			text = append(text, ", "...)
		case last >= 0 && s.splices[last].from == from:
			text = append([]byte(", "), text...)
		}
		s.put(from, from, text)
		return
	}
	i := 0
	for m := range p.in.Members() {
		at, _ := m.Key.Span()
		_, end := m.Value.Span()
		if i == p.behind {
			gap := s.src[from:at]
			s.put(end, end, slices.Concat([]byte{','}, gap[len(bytes.TrimRight(gap, " \t\r\n")):], text))
			return
		}
		from = end
		i++
	}
}

// done returns the text with all that was put into it. Values that are put at one place come in
// the order in which they were put.
func (s *splicer) done() []byte {
	slices.SortStableFunc(s.splices, func(a, b splice) int { return a.from - b.from })
	out := make([]byte, 0, len(s.src)+len(s.src)/8)
	at := 0
	for _, p := range s.splices {
		out = append(append(out, s.src[at:p.from]...), p.text...)
		at = p.to
	}
	return append(out, s.src[at:]...)
}
