package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// emitter writes a merged document. The head's text is the skeleton: its untouched parts are
// copied byte for byte, and parts from theirs take on the layout of the place that they come
// to.
type emitter struct {
	dst         []byte
	headSrc     []byte // the head's text
	headStyle   style
	theirStyle  style
	comments    bool // the head may hold comments
	commentOpen bool // the text so far ends with a comment that a line break has to end
}

// emit writes the head with the outcome of its root; f lists the comments around it
// that are theirs', and room is an empty slice for the text.
func emit(head, theirs *jsondoc.Doc, root out, f frame, room []byte) []byte {
	if head.Grammar() == jsondoc.Lines {
		return emitLines(head, theirs, root, room)
	}
	src := head.Source()
	e := emitter{
		dst: room, headSrc: src, headStyle: styleOf(head), theirStyle: styleOf(theirs),
		comments: head.Grammar() == jsondoc.JSON5,
	}
	if !e.headStyle.known {
		newline := e.headStyle.newline
		e.headStyle = e.theirStyle
		if bytes.IndexByte(src, '\n') >= 0 {
			e.headStyle.newline = newline
		}
	}
	start, end := head.Root().Span()
	theirStart, theirEnd := theirs.Root().Span()
	before, behind := src[:start], src[end:]
	if f.before {
		before = theirs.Source()[:theirStart]
	}
	if f.behind {
		behind = theirs.Source()[theirEnd:]
	}
	e.dst = append(e.dst, before...)
	e.place(root, head.Root(), indentAt(src, start), e.headStyle.lines)
	return append(e.dst, behind...)
}

// place writes the outcome of one place. o is the head's value there, if it has
// one; indent is how the line is indented on which the place is, lines whether it
// may be spread over several.
func (e *emitter) place(x out, o jsondoc.Value, indent string, lines bool) {
	switch x.kind {
	case outKeep:
		e.dst = append(e.dst, o.Raw()...)
	case outTake:
		e.insert(x.value, indent, lines)
	case outText:
		e.dst = append(e.dst, x.edit.text...)
	case outEdit:
		e.container(x, indent, lines)
	}
}

// container writes the head's container with its new contents.
func (e *emitter) container(x out, indent string, lines bool) {
	b := newBuilder(e, x, indent, lines)
	e.dst = append(e.dst, b.src[b.start])
	if len(b.items) == 0 {
		b.emptied()
	} else {
		b.fill()
	}
	if b.commentOpen {
		b.lead([]byte(b.headStyle.newline + b.outer))
	}
	e.dst = append(e.dst, b.src[b.end-1])
}

// builder writes the inside of one container.
type builder struct {
	*emitter
	layout
	items   []item
	notes   *notes
	outer   string         // the indentation of the line that the container begins on
	orphans map[int][]byte // comments of kids that are gone, by the kid or end that they now precede
	comma   bool           // a comma follows the last kid (JSON5)
	pad     []byte         // behind the opening bracket, on one line
	between []byte         // between a comma and the next kid, on one line
}

func newBuilder(e *emitter, x out, indent string, lines bool) *builder {
	b := &builder{emitter: e, layout: layoutOf(e.headSrc, x.value), items: x.edit.items, notes: x.edit.notes, outer: indent}
	if b.notes == nil {
		b.notes = &notes{}
	}
	b.between = []byte(e.headStyle.comma)[1:]
	n := len(b.kids)
	if n == 0 {
		b.lines, b.indent = e.headStyle.lines && lines, indent+e.headStyle.unit
		return b
	}
	b.comma = b.parts(n).comma
	if !b.lines && !hasComment(b.gap(0)) {
		b.pad = b.gap(0)
	}
	if n > 1 && !hasComment(b.gap(1)) {
		b.between = b.parts(1).lead
	}
	if e.comments {
		b.adopt()
	}
	return b
}

// adopt gives the comments that stood before kids that are gone to the next one
// that remains.
func (b *builder) adopt() {
	stays := make([]bool, len(b.kids)+1)
	stays[len(b.kids)] = true
	for _, it := range b.items {
		if it.child >= 0 {
			for i := range it.more + 1 {
				stays[it.child+i] = true
			}
		}
	}
	b.orphans = make(map[int][]byte)
	var waiting []byte
	for i, s := range stays {
		if !s {
			if lead := b.parts(i).lead; hasComment(lead) && !b.notes.gone[int32(i)] {
				waiting = append(waiting, bytes.TrimRight(lead, " \t\r\n")...)
			}
		} else if waiting != nil {
			b.orphans[i], waiting = waiting, nil
		}
	}
}

// emptied writes the inside of a container that nothing is left in.
func (b *builder) emptied() {
	n := len(b.kids)
	first, last := b.parts(0), b.parts(n)
	orphans := b.orphans[n]
	if b.notes.closing {
		b.closing(orphans)
		return
	}
	if hasComment(first.post) || orphans != nil || hasComment(last.lead) {
		b.lead(first.post)
		b.lead(orphans)
		b.lead(last.lead)
	}
}

func (b *builder) fill() {
	var last *item // written last; nil for the opening bracket
	if len(b.kids) == 0 && hasComment(b.gap(0)) && !b.notes.closing {
		b.lead(bytes.TrimRight(b.gap(0), " \t\r\n"))
	}
	for i := 0; i < len(b.items); i++ {
		it := &b.items[i]
		if b.untouched(last, it.child) && !it.note.lead {
			b.dst = append(b.dst, b.gap(int(it.child))...)
		} else {
			b.finish(last, false)
			b.leadTo(it, i == 0)
		}
		if n := b.asTheyWere(b.items[i:]); n > 1 || it.more > 0 {
			start := b.kids[it.child].start
			i += n - 1
			it = &b.items[i]
			b.dst = append(b.dst, b.src[start:b.kids[it.child+it.more].end]...)
		} else {
			b.item(it)
		}
		last = it
	}
	if n := len(b.kids); b.untouched(last, int32(n)) && !b.notes.closing {
		b.dst = append(b.dst, b.gap(n)...)
		return
	}
	b.finish(last, true)
	b.close()
}

// asTheyWere returns how many of the first items are as the head has them, with the gaps
// between them.
func (b *builder) asTheyWere(items []item) int {
	n := 0
	for n < len(items) && items[n].out.kind == outKeep && items[n].child >= 0 && !items[n].note.colon &&
		(n == 0 || b.untouched(&items[n-1], items[n].child) && !items[n].note.lead) {
		n++
	}
	return n
}

// untouched reports whether the gap between two items, or an item and the end, is as
// the head has it. Comments of kids that are gone are in none of these: such a kid stood
// between the two.
func (b *builder) untouched(last *item, next int32) bool {
	if last == nil {
		return next == 0 && !b.notes.opening
	}
	return last.child >= 0 && next == last.behind() && !last.note.post
}

// finish writes the comments that belong to the item before, and the comma.
func (b *builder) finish(last *item, end bool) {
	p := b.behind(last)
	if last != nil {
		b.dst = append(b.dst, p.tail...)
		if !end || b.comma {
			b.dst = append(b.dst, ',')
		}
	}
	b.lead(p.post)
}

// leadTo writes the text before an item: the line break, the indentation and the
// comments before it.
func (b *builder) leadTo(it *item, first bool) {
	switch {
	case it.note.lead:
		if orphans := b.orphans[int(it.child)]; orphans != nil {
			b.lead(orphans)
		}
		b.leadOf(&it.note, first)
	case it.child >= 0:
		if orphans := b.orphans[int(it.child)]; orphans != nil {
			b.lead(orphans)
		}
		lead := b.parts(int(it.child)).lead
		if bytes.IndexByte(lead, '\n') < 0 && !hasComment(lead) {
			lead = b.inLine(first)
		}
		b.lead(lead)
	case b.lines:
		b.lead([]byte(b.headStyle.newline + b.indent))
	default:
		b.lead(b.inLine(first))
	}
}

// inLine returns the text that separates items on one line.
func (b *builder) inLine(first bool) []byte {
	if first {
		return b.pad
	}
	return b.between
}

// lead writes the white space before something, on a new line if a comment would
// swallow it otherwise.
func (b *builder) lead(lead []byte) {
	if b.commentOpen && !breaksLine(lead) {
		b.dst = append(b.dst, b.headStyle.newline...)
	}
	b.dst = append(b.dst, lead...)
	b.commentOpen = b.comments && endsLineComment(lead)
}

func (b *builder) close() {
	n := len(b.kids)
	if b.notes.closing {
		b.closing(b.orphans[n])
		return
	}
	if n == 0 {
		if b.lines {
			b.lead([]byte(b.headStyle.newline + b.outer))
		}
		return
	}
	if orphans := b.orphans[n]; orphans != nil {
		b.lead(orphans)
	}
	b.lead(b.parts(n).lead)
}

// item writes one member or element.
func (b *builder) item(it *item) {
	indent := b.indent
	if it.child >= 0 {
		k := &b.kids[it.child]
		if it.note.colon {
			b.dst = append(b.dst, it.note.from.keyText(it.note.kid)...)
		} else {
			b.dst = append(b.dst, b.src[k.start:k.valueAt]...)
		}
		if it.out.kind != outKeep {
			if own, ok := lastLine(b.gap(int(it.child))); ok {
				indent = own
			} else if !b.lines {
				indent = b.outer
			}
		}
		b.place(it.out, k.value, indent, b.lines)
		return
	}
	switch {
	case it.note.colon:
		b.dst = append(b.dst, it.note.from.keyText(it.note.kid)...)
	case it.key.Exists():
		b.dst = append(b.dst, it.key.Raw()...)
		b.dst = append(b.dst, b.headStyle.colon...)
	}
	b.place(it.out, jsondoc.Value{}, indent, b.lines)
}
