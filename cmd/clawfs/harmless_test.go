package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本 👩\u200d💻":  "plain é 日本 👩\u200d💻",
		"\x1b]0;title\x07\r\n": `\u001b]0;title\u0007\u000d\u000a`,
		"\u009b31m\x7f":        `\u009b31m\u007f`,
		"a\u202eb\u2028\u2066": `a\u202eb\u2028\u2066`,
		"\xff\x9b":             `\xff\x9b`,
		"a\ufffdb":             "a\ufffdb",
	} {
		if got := harmless(text); got != want {
			t.Errorf("harmless(%q) = %q, want %q", text, got, want)
		}
	}
	if got := harmless("a\tb\n\x1b", '\n', '\t'); got != "a\tb\n\\u001b" {
		t.Errorf("with ends of lines: %q", got)
	}
}

// The colours are the commands' own; the coloured text is harmless.
func TestWhatIsPrintedIsHarmless(t *testing.T) {
	const evil = "\x1b[31m"
	var text bytes.Buffer
	s := streams{stdout: &text, stderr: &text, colourOut: true, colour: true}
	if err := s.printf("%s %s %v %s\n", evil, []byte(evil), errors.New(evil), s.paintOut(green, evil)); err != nil {
		t.Fatal(err)
	}
	s.talk("%s", evil)
	s.fail(&failure{Message: evil, Hint: evil})
	if err := s.printJSON(map[string]string{"a": "\u009b31m\x7f"}); err != nil {
		t.Fatal(err)
	}
	own := strings.NewReplacer("\x1b[32m", "", "\x1b[31merror:\x1b[0m", "", "\x1b[36mhint:\x1b[0m", "", "\x1b[0m", "").Replace(text.String())
	if i := strings.IndexFunc(own, func(r rune) bool { return r != '\n' && isHarmful(r) }); i >= 0 {
		t.Errorf("printed %q", text.String())
	}
	if !strings.Contains(own, `{"a":"\u009b31m\u007f"}`) {
		t.Errorf("JSON does not say the same: %q", own)
	}
}
