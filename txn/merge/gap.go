package merge

import "bytes"

// gapParts is a gap taken apart: the part of the kid before it, up to the comma; whether there
// is a comma; the comment behind it on the same line, which belongs to that kid too; and the
// part that leads to the next kid.
type gapParts struct {
	tail  []byte
	comma bool
	post  []byte
	lead  []byte
}

// parts takes gap i apart.
func (l *layout) parts(i int) gapParts {
	gap := l.gap(i)
	var p gapParts
	rest := gap
	if at := commaIn(gap); at >= 0 {
		p.tail, p.comma, rest = gap[:at], true, gap[at+1:]
	}
	n := sameLineComments(rest)
	p.post, p.lead = rest[:n], rest[n:]
	return p
}

// commaIn returns where the comma of a gap is, outside of comments, or -1.
func commaIn(gap []byte) int {
	for i := 0; i < len(gap); {
		switch n := commentLen(gap[i:]); {
		case n > 0:
			i += n
		case gap[i] == ',':
			return i
		default:
			i++
		}
	}
	return -1
}

// commentLen returns the length of the comment at the start of text, 0 if there
// is none. The line break behind a line comment is not part of it.
func commentLen(text []byte) int {
	if len(text) < 2 || text[0] != '/' {
		return 0
	}
	if text[1] == '*' {
		return bytes.Index(text, []byte("*/")) + 2
	}
	if i := bytes.IndexAny(text, "\n\r\u2028\u2029"); i >= 0 {
		return i
	}
	return len(text)
}

// sameLineComments returns the length of the comments that end the line a gap
// begins in, with the blanks before them; 0 if there are none.
func sameLineComments(gap []byte) int {
	if bytes.IndexByte(gap, '/') < 0 {
		return 0
	}
	end := 0
	for i := 0; i < len(gap); {
		switch n := commentLen(gap[i:]); {
		case n > 0:
			i += n
			end = i
		case gap[i] == '\n' || gap[i] == '\r':
			return end
		default:
			i++
		}
	}
	if end > 0 && endsLineComment(gap[:end]) {
		return end
	}
	return 0 // the next kid stands on this line: the comment may be its own
}

// hasComment reports whether a gap holds one.
func hasComment(gap []byte) bool { return bytes.IndexByte(gap, '/') >= 0 }

// endsLineComment reports whether a piece of a gap ends inside a comment that
// only a line break ends.
func endsLineComment(piece []byte) bool {
	for i := 0; i < len(piece); {
		n := commentLen(piece[i:])
		if n == 0 {
			i++
			continue
		}
		if i+n == len(piece) {
			return piece[i+1] == '/'
		}
		i += n
	}
	return false
}

// breaksLine reports whether a piece of a gap goes on to a new line before
// anything else comes.
func breaksLine(piece []byte) bool {
	piece = bytes.TrimLeft(piece, " \t")
	return len(piece) > 0 && (piece[0] == '\n' || piece[0] == '\r')
}
