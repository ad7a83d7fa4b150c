package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// streams is where a command writes: facts to stdout, talk to stderr.
type streams struct {
	stdout, stderr io.Writer
	colourOut      bool // of stdout
	colour         bool // of stderr
	terminalOut    bool // stdout is one
	terminal       bool // stderr is one
	quiet          bool // no talk
}

// The colours that are used, in ANSI's numbers.
const (
	red    = 31
	green  = 32
	yellow = 33
	cyan   = 36
)

// standardStreams returns the process's own.
func standardStreams() streams {
	colour := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return streams{
		stdout:      os.Stdout,
		stderr:      os.Stderr,
		colourOut:   colour && isTerminal(os.Stdout),
		colour:      colour && isTerminal(os.Stderr),
		terminalOut: isTerminal(os.Stdout),
		terminal:    isTerminal(os.Stderr),
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// fail prints an error and its hint.
func (s streams) fail(f *failure) {
	fmt.Fprintf(s.stderr, "%s %s\n", paint(s.colour, red, "error:"), harmless(f.Message, '\n', '\t'))
	if f.Hint != "" {
		fmt.Fprintf(s.stderr, "%s %s\n", paint(s.colour, cyan, "hint:"), harmless(f.Hint))
	}
}

// talk prints a line that is no fact.
func (s streams) talk(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.stderr, format+"\n", harmlessAll(args)...)
	}
}

// paintOut wraps text for stdout in a colour where that is wanted.
func (s streams) paintOut(colour int, text string) painted {
	return painted(paint(s.colourOut, colour, harmless(text)))
}

// paint wraps text in an ANSI colour where that is wanted.
func paint(wanted bool, colour int, text string) string {
	if !wanted {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

// printJSON prints a fact for programs: an object on a line of its own.
func (s streams) printJSON(v any) error {
	return s.printRecordJSON(v, nil)
}

// printRecordJSON prints a record, or an object that begins with one, for programs.
func (s streams) printRecordJSON(v any, more []byte) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	object := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	return s.printf("%s%s}\n", object, more)
}

// progress shows on a terminal how far something is.
func (s streams) progress(format string, args ...any) {
	if s.terminal {
		fmt.Fprintf(s.stderr, "\r\x1b[K"+format, args...)
	}
}

// endProgress takes away the line of progress.
func (s streams) endProgress() {
	if s.terminal {
		fmt.Fprint(s.stderr, "\r\x1b[K")
	}
}

// quote returns a path as a shell takes it: bash and others, where there are control
// characters in it.
func quote(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%=,~", r)
	}
	if path != "" && strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 && path[0] != '~' && path[0] != '-' {
		return path
	}
	if harmless(path) == path {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(path) {
		if plain(rune(path[i])) {
			b.WriteByte(path[i])
		} else {
			fmt.Fprintf(&b, `\x%02x`, path[i])
		}
	}
	return "$'" + b.String() + "'"
}
