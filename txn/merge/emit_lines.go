package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// emitLines is emit for JSON lines: each line that one side has as it is keeps its bytes. The
// last line has an end if it has one in one of the versions, so that the next append begins a
// new line.
func emitLines(head, theirs *jsondoc.Doc, root out, room []byte) []byte {
	src := head.Source()
	lines := elements(make([]jsondoc.Value, head.Root().Len()), head.Root())
	e := emitter{dst: room, headSrc: src, headStyle: styleInLines(head), theirStyle: styleInLines(theirs)}
	for i := range root.edit.items {
		it := &root.edit.items[i]
		if i > 0 {
			e.dst = append(e.dst, '\n')
		}
		switch {
		case it.out.kind == outKeep:
			e.dst = append(e.dst, lineOf(lines[it.child])...)
		case it.out.kind == outTake:
			e.dst = append(e.dst, lineOf(it.out.value)...)
		default:
			e.place(it.out, it.out.value, "", false)
		}
	}
	if len(e.dst) > 0 && (endsLine(src) || endsLine(theirs.Source())) {
		e.dst = append(e.dst, '\n')
	}
	return e.dst
}

func endsLine(src []byte) bool { return len(src) > 0 && src[len(src)-1] == '\n' }

// lineOf returns the line that a value stands on, without its end.
func lineOf(v jsondoc.Value) []byte {
	src := v.Doc().Source()
	start, end := v.Span()
	from := bytes.LastIndexByte(src[:start], '\n') + 1
	if rest := bytes.IndexByte(src[end:], '\n'); rest >= 0 {
		return src[from : end+rest]
	}
	return src[from:]
}

// styleInLines learns the layout within a line from the first one.
func styleInLines(d *jsondoc.Doc) style {
	s := style{newline: "\n", colon: ":", comma: ",", known: true}
	for _, first := range d.Root().Elements() {
		s.learn(d.Source(), first, 8)
		break
	}
	return s
}
