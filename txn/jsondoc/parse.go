package jsondoc

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"
)

// Grammar is the language that a text is read in.
type Grammar uint8

const (
	// JSON is strict RFC 8259.
	JSON Grammar = iota
	// JSON5 has the additions of https://spec.json5.org: comments, trailing commas,
	// keys without quotes, strings in single quotes, and more ways to write
	// numbers, escapes and white space.
	JSON5
	// Lines is JSON lines: each line is one strict document, none is empty, and the
	// last one need not end. The tree is that of a list of them.
	Lines
)

// String returns the word for the grammar in flags, configuration and logs.
func (g Grammar) String() string {
	switch g {
	case JSON5:
		return "json5"
	case Lines:
		return "lines"
	}
	return "json"
}

// DefaultDepth is the number of levels that containers may be nested where
// Limits does not say another.
const DefaultDepth = 1000

// Limits bound the texts that Parse accepts. The zero value means DefaultDepth
// levels and any size that a Doc can hold, which is 4 GiB less one byte.
type Limits struct {
	Depth int   // levels of containers
	Size  int64 // bytes
}

// Parse reads one document. It keeps src, which must not be changed afterwards.
// The error is a *SyntaxError.
func Parse(src []byte, g Grammar, lim Limits) (*Doc, error) {
	lim = lim.withDefaults()
	p := parser{tree: tree{src: src}, json5: g == JSON5, depth: lim.Depth}
	if int64(len(src)) > lim.Size {
		return nil, p.fail(KindSize, 0, "the text is too long", "a shorter document")
	}
	p.reserve(estimate(src, lim.Depth))
	read := p.document
	if g == Lines {
		read = p.lines
	}
	if err := read(); err != nil {
		return nil, err
	}
	return &Doc{tree: p.tree, grammar: g, depth: lim.Depth, commented: p.commented}, nil
}

func (l Limits) withDefaults() Limits {
	if l.Depth == 0 {
		l.Depth = DefaultDepth
	}
	if l.Size == 0 || l.Size >= math.MaxUint32 {
		l.Size = math.MaxUint32 - 1
	}
	return l
}

// reserve makes room for so many nodes, and containers among them.
func (t *tree) reserve(nodes, containers int) {
	t.nodes, t.spans = make([]node, 0, nodes), make([]span, 0, containers)
}

// estimate guesses how many nodes a text makes, and how many of them are containers, from a
// sample of its start, so that the arrays of a large document do not have to grow often. It
// guesses nothing for one that goes too deep at once, as that is all it is made for.
func estimate(src []byte, depth int) (nodes, containers int) {
	sample := src[:min(len(src), 16<<10)]
	marks, opened, open := 1, 0, 0
	for _, c := range sample {
		switch c {
		case '{', '[':
			marks++
			opened++
			if open++; open > depth {
				return 4, 4
			}
		case '}', ']':
			open--
		case ',', ':':
			marks++
		}
	}
	whole := func(n int) int { return int(int64(n)*int64(len(src))/int64(len(sample)+1)) + 4 }
	return whole(marks), whole(opened)
}

// lines parses the text as one document a line, below a list that is all of it.
func (p *parser) lines() error {
	p.enter(0, Array)
	err := p.linesTo(len(p.src))
	p.leave(0, len(p.src))
	return err
}

// linesTo parses lines up to the beginning of one, or to the end.
func (p *parser) linesTo(limit int) error {
	text := p.src
	for p.pos < limit {
		end := p.pos + bytes.IndexByte(text[p.pos:], '\n')
		if end < p.pos {
			end = len(text)
		}
		p.src = text[:end] // nothing of a document is looked for behind its line
		if err := p.document(); err != nil {
			return err
		}
		p.pos = end + 1
	}
	p.src = text
	return nil
}

type parser struct {
	tree
	pos   int
	json5 bool
	depth int
	open  []uint32 // the containers around pos, outermost first
	names nameSet
	reuse *reuse // nil: all is parsed

	commented bool // there is a comment
}

// document parses the whole text. The loop keeps its own stack of containers.
func (p *parser) document() error {
	if p.pos == 0 && len(p.src) >= 3 && string(p.src[:3]) == "\xef\xbb\xbf" {
		return p.fail(KindBOM, 0, "the text starts with a byte order mark", "a value")
	}
	if err := p.space(); err != nil {
		return err
	}
	if p.pos == len(p.src) {
		return p.fail(KindEmpty, p.pos, "the text is empty", "a value")
	}
	if err := p.value(); err != nil {
		return err
	}
	for len(p.open) > 0 {
		if err := p.step(); err != nil {
			return err
		}
	}
	if err := p.space(); err != nil {
		return err
	}
	if p.pos < len(p.src) {
		return p.fail(KindTrailing, p.pos, "something follows the document", "the end")
	}
	return nil
}

// step goes on behind a value, or behind an opening bracket: to the next
// element or member, or out of the container.
func (p *parser) step() error {
	container := p.open[len(p.open)-1]
	object := p.nodes[container].kind() == Object
	closing := byte(']')
	if object {
		closing = '}'
	}
	if err := p.space(); err != nil {
		return err
	}
	first := int(container) == len(p.nodes)-1
	if !first && p.peek() == ',' {
		comma := p.pos
		p.pos++
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() == closing && !p.json5 {
			return p.fail(KindSyntax, comma, "a comma stands before a closing bracket", "a value")
		}
	} else if !first && p.peek() != closing {
		return p.unexpected("a comma or a closing bracket")
	}
	if p.peek() == closing && p.pos < len(p.src) {
		return p.close(container, object)
	}
	if object {
		if err := p.key(); err != nil {
			return err
		}
	}
	return p.value()
}

func (p *parser) close(container uint32, object bool) error {
	p.pos++
	p.leave(container, p.pos)
	p.open = p.open[:len(p.open)-1]
	if object {
		return p.checkNames(container)
	}
	return nil
}

// key parses the name of a member and the colon behind it.
func (p *parser) key() error {
	switch c := p.peek(); {
	case c == '"', c == '\'' && p.json5:
		if err := p.str(); err != nil {
			return err
		}
	case p.json5:
		if err := p.identifier(); err != nil {
			return err
		}
	default:
		return p.unexpected("a string")
	}
	if err := p.space(); err != nil {
		return err
	}
	if p.peek() != ':' {
		return p.unexpected("a colon")
	}
	p.pos++
	return p.space()
}

// value parses a scalar, or the opening bracket of a container. White space in
// front of it is gone already.
func (p *parser) value() error {
	switch c := p.peek(); {
	case c == '"', c == '\'' && p.json5:
		return p.str()
	case c == '{':
		return p.descend(Object)
	case c == '[':
		return p.descend(Array)
	case c == '-', c >= '0' && c <= '9':
		return p.number()
	case p.json5 && (c == '+' || c == '.' || c == 'I' || c == 'N'):
		return p.number()
	case c == 't':
		return p.literal("true", Bool)
	case c == 'f':
		return p.literal("false", Bool)
	case c == 'n':
		return p.literal("null", Null)
	}
	return p.unexpected("a value")
}

func (p *parser) descend(k Kind) error {
	if len(p.open) == p.depth {
		return p.fail(KindDepth, p.pos, "the document is nested too deep", "fewer levels")
	}
	p.open = append(p.open, uint32(len(p.nodes)))
	p.enter(p.pos, k)
	p.pos++
	return nil
}

func (p *parser) literal(word string, k Kind) error {
	end := p.pos + len(word)
	if end > len(p.src) || string(p.src[p.pos:end]) != word {
		return p.unexpected("a value")
	}
	p.add(p.pos, end, k, 0)
	p.pos = end
	return p.delimited()
}

// delimited makes sure that a literal or number ends where it was taken to.
func (p *parser) delimited() error {
	if c := p.peek(); isWordByte(c) || c == '.' || c == '+' || c == '-' {
		return p.unexpected("the end of the value")
	}
	return nil
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$'
}

// peek returns the byte at pos, 0 at the end. A NUL in the text is no valid
// token, so the two are not mixed up.
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// space skips white space and, in JSON5, comments.
func (p *parser) space() error {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == ' ', c == '\n', c == '\t', c == '\r':
			p.pos++
		case !p.json5:
			return nil
		case c == '\v', c == '\f':
			p.pos++
		case c == '/':
			if err := p.comment(); err != nil {
				return err
			}
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(p.src[p.pos:])
			if r != '\u2028' && r != '\u2029' && r != '\ufeff' && !unicode.Is(unicode.Zs, r) {
				return nil
			}
			p.pos += size
		default:
			return nil
		}
	}
	return nil
}

func (p *parser) comment() error {
	start := p.pos
	rest := p.src[p.pos:]
	p.commented = true
	switch {
	case len(rest) > 1 && rest[1] == '/':
		for p.pos < len(p.src) && !p.lineEnd() {
			if err := p.rune(); err != nil {
				return err
			}
		}
		return nil
	case len(rest) > 1 && rest[1] == '*':
		for p.pos += 2; p.pos < len(p.src); {
			if p.src[p.pos] == '*' && p.pos+1 < len(p.src) && p.src[p.pos+1] == '/' {
				p.pos += 2
				return nil
			}
			if err := p.rune(); err != nil {
				return err
			}
		}
		return p.fail(KindSyntax, start, "a comment does not end", "*/")
	}
	return p.unexpected("a comment")
}

// lineEnd reports whether a line ends at pos.
func (p *parser) lineEnd() bool {
	c := p.src[p.pos]
	if c == '\n' || c == '\r' {
		return true
	}
	if c != 0xe2 {
		return false
	}
	r, _ := utf8.DecodeRune(p.src[p.pos:])
	return r == '\u2028' || r == '\u2029'
}

// rune skips one character.
func (p *parser) rune() error {
	if p.src[p.pos] < utf8.RuneSelf {
		p.pos++
		return nil
	}
	r, size := utf8.DecodeRune(p.src[p.pos:])
	if r == utf8.RuneError && size == 1 {
		return p.fail(KindUTF8, p.pos, "the text is not valid UTF-8", "a character")
	}
	p.pos += size
	return nil
}
