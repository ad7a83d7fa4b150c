package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names of files, of members and of programs, and values, can hold anything: sequences that
// have a terminal do things, or signs that have lines read backwards. Text for people has them
// spelled out, as JSON does, so that a printed value still is that value. --json has them so,
// too. Only bytes that are asked for as such, and do not go to a terminal, are printed as they
// are.

// isHarmful reports whether a terminal may do something else with a character than show it.
func isHarmful(r rune) bool {
	switch {
	case unicode.IsControl(r):
		return true
	case r == '\u061c', r >= '\u200e' && r <= '\u200f', r >= '\u2028' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true // directions of writing, and ends of lines
	}
	return false
}

// harmless returns text with all that is harmful spelled out, but for some characters.
func harmless(text string, but ...rune) string {
	if strings.IndexFunc(text, isHarmful) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case isHarmful(r) && !strings.ContainsRune(string(but), r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// painted is text that is harmless already, in a colour perhaps.
type painted string

// harmlessAll returns the arguments of a format, made harmless but for some characters.
func harmlessAll(args []any, but ...rune) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case painted:
			out[i] = string(v)
		case string:
			out[i] = harmless(v, but...)
		case []byte:
			out[i] = harmless(string(v), but...)
		case error:
			out[i] = harmless(v.Error(), but...)
		case fmt.Stringer:
			out[i] = harmless(v.String(), but...)
		default:
			out[i] = a
		}
	}
	return out
}

// printf prints facts for people.
func (s streams) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(s.stdout, format, harmlessAll(args)...)
	return err
}

// printContent prints content byte for byte; on a terminal harmful characters in it are
// spelled out.
func (s streams) printContent(content string) error {
	if s.terminalOut {
		content = harmless(content, '\n', '\t')
	}
	_, err := fmt.Fprint(s.stdout, content)
	return err
}
