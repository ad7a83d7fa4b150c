package jsondoc

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// ErrKind classes the ways in which a text is no document.
type ErrKind uint8

// The kinds of errors.
const (
	KindSyntax    ErrKind = iota
	KindEmpty             // nothing but white space
	KindTrailing          // something behind the document
	KindUTF8              // not valid UTF-8
	KindBOM               // a byte order mark in front
	KindControl           // a control character in a string
	KindDuplicate         // two members of one name
	KindDepth             // nested deeper than the limit
	KindSize              // longer than the limit
)

// SyntaxError says where a text stops being a document, and why. It holds no
// value of the text.
type SyntaxError struct {
	Kind         ErrKind
	Offset       int64 // bytes from the start
	Line, Column int   // from 1; columns count characters
	Problem      string
	Expected     string
}

// Error returns the position, the problem and the expected text.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s (expected %s)", e.Line, e.Column, e.Problem, e.Expected)
}

// fail makes an error at a place of the text.
func (p *parser) fail(k ErrKind, at int, problem, expected string) *SyntaxError {
	before := p.src[:at]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Kind: k, Offset: int64(at), Problem: problem, Expected: expected,
		Line:   bytes.Count(before, []byte{'\n'}) + 1,
		Column: utf8.RuneCount(before[lineStart:]) + 1,
	}
}

// unexpected makes an error for the character at pos.
func (p *parser) unexpected(expected string) *SyntaxError {
	if p.pos >= len(p.src) {
		return p.fail(KindSyntax, len(p.src), "the text ends too early", expected)
	}
	if r, size := utf8.DecodeRune(p.src[p.pos:]); r == utf8.RuneError && size == 1 {
		return p.fail(KindUTF8, p.pos, "the text is not valid UTF-8", expected)
	}
	return p.fail(KindSyntax, p.pos, "unexpected character", expected)
}
