package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// style is how a document is laid out.
type style struct {
	newline string // "\n" or "\r\n"
	unit    string // the indentation of one more level
	lines   bool   // members and elements stand on lines of their own
	colon   string // between a key and its value
	comma   string // between the elements of a container on one line, from the comma itself on
	known   bool   // there was something to learn it from
}

// styleOf learns a document's layout from its first containers.
func styleOf(d *jsondoc.Doc) style {
	s := style{newline: "\n", unit: "  ", colon: ":", comma: ","}
	src := d.Source()
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		s.newline = "\r\n"
	}
	root := beginningOf(src, d.Root(), 1)
	if len(root.kids) == 0 {
		return s
	}
	s.known = true
	if s.lines = root.lines; s.lines {
		if own := indentAt(src, root.start); len(root.indent) > len(own) {
			s.unit = root.indent[len(own):]
		}
		s.colon, s.comma = ": ", ", "
	}
	s.learn(src, d.Root(), 8)
	return s
}

// learn looks for the first colon and the first comma within one line, at most
// so many levels down.
func (s *style) learn(src []byte, v jsondoc.Value, levels int) {
	colon, comma := false, false
	for ; levels > 0 && v.Exists() && v.IsContainer(); levels-- {
		l := beginningOf(src, v, 2)
		v = jsondoc.Value{}
		for i, k := range l.kids {
			if !colon && k.key.Exists() && !hasComment(l.colon(&l.kids[i])) {
				colon = true
				s.colon = string(l.colon(&l.kids[i]))
			}
			if !comma && i == 1 && !l.lines && !hasComment(l.gap(1)) {
				comma = true
				gap := l.gap(1)
				s.comma = string(gap[commaIn(gap):])
			}
			if k.value.IsContainer() {
				v = k.value
			}
			if i >= 1 {
				break
			}
		}
		if colon && comma {
			return
		}
	}
}

// indentAt returns the white space that the line of a position begins with.
func indentAt(src []byte, at int) string {
	from := bytes.LastIndexByte(src[:at], '\n') + 1
	end := from
	for end < at && (src[end] == ' ' || src[end] == '\t') {
		end++
	}
	return string(src[from:end])
}

// kid is one member or element of a container and where its text is.
type kid struct {
	key                 jsondoc.Value // of a member
	value               jsondoc.Value
	start, valueAt, end int
}

// layout is a container's text: its kids and the gaps between them. Gap i stands
// before kid i, the last one before the closing bracket.
type layout struct {
	src        []byte
	start, end int
	kids       []kid
	lines      bool   // the first kid stands on a line of its own
	indent     string // of the kids, if lines
}

func layoutOf(src []byte, v jsondoc.Value) layout { return beginningOf(src, v, v.Len()) }

// beginningOf returns the layout of a container with so many kids at most.
func beginningOf(src []byte, v jsondoc.Value, most int) layout {
	l := layout{src: src, kids: make([]kid, 0, most)}
	l.start, l.end = v.Span()
	for m := range v.Members() {
		if len(l.kids) == most {
			break
		}
		k := kid{key: m.Key, value: m.Value}
		k.start, _ = m.Key.Span()
		k.valueAt, k.end = m.Value.Span()
		l.kids = append(l.kids, k)
	}
	for _, e := range v.Elements() {
		if len(l.kids) == most {
			break
		}
		k := kid{value: e}
		k.start, k.end = e.Span()
		k.valueAt = k.start
		l.kids = append(l.kids, k)
	}
	if len(l.kids) > 0 {
		l.indent, l.lines = lastLine(l.gap(0))
	}
	return l
}

func (l *layout) gap(i int) []byte {
	from, to := l.start+1, l.end-1
	if i > 0 {
		from = l.kids[i-1].end
	}
	if i < len(l.kids) {
		to = l.kids[i].start
	}
	return l.src[from:to]
}

// keyText returns a kid's text up to its value.
func (l *layout) keyText(i int32) []byte { return l.src[l.kids[i].start:l.kids[i].valueAt] }

// lastLine returns the white space that the last line of a gap begins with; ok is false if
// the gap is on one line. A line within a comment is none of the gap's.
func lastLine(gap []byte) (indent string, ok bool) {
	at := -1
	for i := 0; i < len(gap); {
		if n := commentLen(gap[i:]); n > 0 {
			i += n
			continue
		}
		if gap[i] == '\n' {
			at = i
		}
		i++
	}
	if at < 0 {
		return "", false
	}
	rest := gap[at+1:]
	return string(rest[:len(rest)-len(bytes.TrimLeft(rest, " \t"))]), true
}
