package versions

import (
	"bytes"
	"encoding/json"
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

// Indent returns a strict document spread over lines, and any other as it is.
func Indent(content []byte) []byte {
	var b bytes.Buffer
	if json.Indent(&b, content, "", "  ") != nil {
		return content
	}
	return b.Bytes()
}
