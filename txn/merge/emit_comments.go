package merge

import "bytes"

// leadOf writes the text before an item whose comments are theirs'.
func (b *builder) leadOf(n *note, first bool) {
	lead := n.from.parts(int(n.kid)).lead
	if hasComment(lead) {
		b.theirs(lead, b.inner(), b.inner())
		return
	}
	if b.lines {
		b.lead([]byte(b.headStyle.newline + b.indent))
	} else {
		b.lead(b.inLine(first))
	}
}

// theirs writes a gap of theirs in the head's layout: inner is the indentation of its lines,
// last that of the line behind it.
func (b *builder) theirs(gap []byte, inner, last string) {
	at := len(b.dst)
	if bytes.IndexByte(gap, '\n') < 0 {
		if b.lines {
			b.dst = append(append(b.dst, b.headStyle.newline...), inner...)
			b.dst = append(append(b.dst, bytes.Trim(gap, " \t")...), ' ')
		} else {
			b.dst = append(b.dst, gap...)
		}
	} else {
		b.reindented(gap, inner, last)
	}
	text := bytes.Clone(b.dst[at:])
	b.dst = b.dst[:at]
	b.lead(text)
}

// inner returns the indentation of the lines inside the container.
func (b *builder) inner() string {
	if b.lines {
		return b.indent
	}
	return b.outer + b.headStyle.unit
}

// closing writes theirs' comments before the closing bracket, behind those of kids
// that are gone.
func (b *builder) closing(orphans []byte) {
	if orphans != nil {
		b.lead(orphans)
	}
	from := b.notes.from
	gap := from.gap(0)
	if n := len(from.kids); n > 0 {
		gap = from.parts(n).lead
	}
	switch {
	case hasComment(gap) && bytes.IndexByte(gap, '\n') < 0 && b.lines:
		b.theirs(gap, b.inner(), b.outer)
		b.lead([]byte(b.headStyle.newline + b.outer))
	case hasComment(gap):
		b.theirs(gap, b.inner(), b.outer)
	case b.lines && len(b.items) > 0:
		b.lead([]byte(b.headStyle.newline + b.outer))
	}
}

// behind returns the text behind an item up to the next one, from the version that
// its comments are from: the opening bracket's for no item.
func (b *builder) behind(it *item) gapParts {
	switch {
	case it == nil && b.notes.opening:
		return b.notes.from.parts(0)
	case it == nil && len(b.kids) > 0:
		return b.parts(0)
	case it == nil:
	case it.note.post:
		p := it.note.from.parts(int(it.note.kid) + 1)
		if !hasComment(p.tail) {
			p.tail = nil
		}
		return p
	case it.child >= 0:
		return b.parts(int(it.behind()))
	}
	return gapParts{}
}
