package view

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"clawfs/cmd/clawfs/versions"
)

// The limits of a text on a page.
const (
	codeLines = 400
	codeBytes = 64 << 10
	lineBytes = 2 << 10 // of one line; a longer one is broken

	// wholeBytes is how large a document may be that is looked at as a whole several times
	// over: laid out, compared as text, or merged once more to explain it.
	wholeBytes = 2 << 20
)

// code is a part of a text, line by line.
type code struct {
	Lines []codeLine
	Next  int // the byte at which the rest begins; 0 where there is none
	Line  int // the number of the line there
	Size  int // of the whole
}

// codeLine is a line, or a piece of a long one.
type codeLine struct {
	No   int // 0: goes on with the line before
	Text string
	Tone string
}

// newCode takes a part of a text, from a byte on, which is in the line with a number. Parts
// that are hidden, in order, are masked.
func newCode(text []byte, hidden []versions.Span, from, line int) code {
	c := code{Size: len(text)}
	from = min(max(from, 0), len(text))
	line = max(line, 1)
	whole := from == 0 || text[from-1] == '\n' // a line begins here
	at := from
	for len(c.Lines) < codeLines && at-from < codeBytes && at < len(text) {
		end, next := len(text), len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		ended := true
		if end-at > lineBytes {
			end = between(text, at+lineBytes)
			next, ended = end, false
		}
		l := codeLine{Text: readable(without(text, hidden, at, end))}
		if whole {
			l.No = line
		}
		c.Lines = append(c.Lines, l)
		if at, whole = next, ended; ended {
			line++
		}
	}
	if at < len(text) {
		c.Next, c.Line = at, line
	}
	return c
}

// between returns where a text is to be broken: at a byte, or before the character that it
// is in the middle of.
func between(text []byte, at int) int {
	for start := at; start > at-utf8.UTFMax; start-- {
		if utf8.RuneStart(text[start]) {
			return start
		}
	}
	return at
}

// without returns a part of a text with its hidden parts masked.
func without(text []byte, hidden []versions.Span, at, end int) (out []byte) {
	i, _ := slices.BinarySearchFunc(hidden, at, func(s versions.Span, at int) int { return cmp.Compare(s.End, at+1) })
	for ; i < len(hidden) && hidden[i].Start < end; i++ {
		if s := hidden[i]; s.Start >= at { // else the piece before has the mask
			out = append(append(out, text[at:s.Start]...), `"`+versions.Mask+`"`...)
		}
		at = min(hidden[i].End, end)
	}
	return append(out, text[at:end]...)
}

// readable shows a line of a text, in which tabs are as they are.
func readable(text []byte) string {
	parts := strings.Split(string(text), "\t")
	for i, part := range parts {
		parts[i] = printable(part)
	}
	return strings.Join(parts, "\t")
}
