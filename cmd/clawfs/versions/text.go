package versions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Line is a line of two texts that are compared.
type Line struct {
	Kind byte   // ' ': both have it; '-': the first has it; '+': the second has it; '@': lines are left out here
	Text string // without its end
}

// CompareText returns the lines in which two texts differ, with three lines around each;
// none where they are the same. A document that is on one line says little then: Indent
// spreads it.
func CompareText(a, b []byte) []Line {
	out := diff.Diff("a", a, "b", b)
	var lines []Line
	for i, text := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		switch {
		case i < 3: // the names
		case text == `\ No newline at end of file`:
		default:
			lines = append(lines, Line{Kind: text[0], Text: text[1:]})
		}
	}
	return lines
}

// layoutBytes is how large a document may become when it is spread over lines: one with lists
// deep in lists may become hundreds of times as large.
const layoutBytes = 32 << 20

// Indent returns a strict document spread over lines, and any other as it is, as well as one
// that would become too large.
func Indent(content []byte) []byte {
	size := indentedSize(content)
	if size > layoutBytes {
		return content
	}
	var b bytes.Buffer
	b.Grow(size)
	if json.Indent(&b, content, "", "  ") != nil {
		return content
	}
	return b.Bytes()
}

// indentedSize returns how many bytes a strict document has at most when it is spread over
// lines.
func indentedSize(content []byte) int {
	size, depth, quoted := len(content), 0, false
	for i := 0; i < len(content); i++ {
		switch c := content[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '{' || c == '[':
			depth++
			size += 1 + 2*depth
		case c == '}' || c == ']':
			depth--
			size += 1 + 2*max(depth, 0)
		case c == ',':
			size += 1 + 2*max(depth, 0)
		case c == ':':
			size++
		}
	}
	return size
}

// Count says how many of something there are. Without another word the plural is
// the one word with an s.
func Count(n int, one string, other ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(other) > 0:
		return fmt.Sprintf("%d %s", n, other[0])
	}
	return fmt.Sprintf("%d %ss", n, one)
}
