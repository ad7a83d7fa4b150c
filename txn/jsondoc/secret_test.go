package jsondoc_test

import (
	"slices"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
)

// No error holds a value of the document, nor a part of one, wherever the text is broken: by a byte
// that is left out or put in, or by an early end.
func TestErrorsHoldNoValue(t *testing.T) {
	const text = `{"token":"hunter2","pin":31337,"list":["hunter2",31337,true],"o":{"token":"hunter2"}}`
	broken := func(yield func([]byte)) {
		for i := range len(text) {
			yield([]byte(text[:i]))
			yield([]byte(text[:i] + text[i+1:]))
			for _, b := range []string{`"`, `}`, `]`, `,`, `:`, `\`, "\x01", "\xff", "a", "1", "\n", "/*", text} {
				yield([]byte(text[:i] + b + text[i:]))
			}
		}
	}
	failed := 0
	for _, g := range []jsondoc.Grammar{jsondoc.JSON, jsondoc.JSON5, jsondoc.Lines} {
		broken(func(src []byte) {
			_, err := jsondoc.Parse(src, g, jsondoc.Limits{Depth: 4})
			if err == nil {
				return
			}
			failed++
			if slices.ContainsFunc([]string{"hunt", "nter2", "3133", "1337"}, func(part string) bool { return strings.Contains(err.Error(), part) }) {
				t.Errorf("%s: %v", src, err)
			}
		})
	}
	if failed < 1000 {
		t.Errorf("only %d texts were refused", failed)
	}
}
