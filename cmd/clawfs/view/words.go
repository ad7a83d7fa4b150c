package view

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"clawfs/cmd/clawfs/versions"
)

// orRoot shows a path, the beginning of a long one: names of members may be of any length.
func orRoot(path string) string {
	if len(path) > valueBytes {
		return printable(path[:valueBytes]) + " …"
	}
	return cmp.Or(printable(path), "the root")
}

// printable shows characters that nobody sees, or that turn text around, by their
// numbers.
func printable(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == unicode.ReplacementChar && text[i] != 0xef:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// tone is the colour of a word for an outcome or a state.
func tone(word string) string {
	switch word {
	case "committed", Serving:
		return "good"
	case "merged":
		return "merge"
	case "rejected", "aborted", Dead:
		return "bad"
	case "recovered", "adopted", "deleted", Silent:
		return "warn"
	}
	return "plain"
}

// changeTone is the colour of a word for a difference.
func changeTone(word string) string {
	switch word {
	case versions.Added:
		return "good"
	case versions.Removed:
		return "bad"
	case versions.Moved:
		return "merge"
	}
	return "warn"
}
