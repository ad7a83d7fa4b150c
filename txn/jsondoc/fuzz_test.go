package jsondoc_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"clawfs/txn/jsondoc"
	"clawfs/txn/txntest"
)

var seeds = []string{
	`{"version":42,"models":[{"id":"a","n":1.50,"t":"\u00e9\n"},{"id":"b","ok":true,"x":null}]}`,
	"[\r\n\t-0, 1e400, 0.1e-7, [[]], {}, \"\", \"\\ud83d\\ude00\\ud83d\" ]\r\n",
	`{"a":1,"\u0061":2}`, `{"\ud800":1,"\ud801":2}`, `"\ud800"`, `[1,]`, `[01]`, `[1e5.]`, `nul`, `[[[[[[[[`, "\ufeff{}", "\"\xff\"", `{"a":1}{}`,
	"{\"a\":[1]}\n\r {}\t\n\"\\n\"", "1\n\n2", "1\n[\n2\n]\n",
	"{a:1,/*c*/'b':[.5,+0x1F,],// d\n}", `'\x41\0\v\
'`, "{é\\u0061:NaN,$:-Infinity}",
}

// FuzzParse holds the strict parser against jsontext, which takes the same texts
// and finds the same values in them.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := jsondoc.Parse(text, jsondoc.JSON, jsondoc.Limits{})
		checkAgainstOracle(t, text, d, err)
		if _, five := jsondoc.Parse(text, jsondoc.JSON5, jsondoc.Limits{}); err == nil && five != nil {
			t.Fatalf("JSON, but not JSON5: %v", five)
		}
		checkLines(t, text)
	})
}

// checkLines holds the parser of lines against that of one document.
func checkLines(t *testing.T, text []byte) {
	t.Helper()
	var want []*jsondoc.Doc
	var wrong error
	for line := range bytes.Lines(text) {
		d, err := jsondoc.Parse(bytes.TrimSuffix(line, []byte("\n")), jsondoc.JSON, jsondoc.Limits{})
		if want = append(want, d); err != nil {
			wrong = err
			break
		}
	}
	if bytes.Contains(text, []byte("\n\xef\xbb\xbf")) {
		return // a mark at the beginning of a line is named as no value, not as a mark
	}
	lines, err := jsondoc.Parse(text, jsondoc.Lines, jsondoc.Limits{})
	if (err != nil) != (wrong != nil) {
		t.Fatalf("as lines %v, line by line %v", err, wrong)
	}
	if err != nil {
		at, line := new(jsondoc.SyntaxError), new(jsondoc.SyntaxError)
		if !errors.As(err, &at) || !errors.As(wrong, &line) || at.Kind != line.Kind || at.Line != len(want) || at.Column != line.Column {
			t.Fatalf("as lines %v, line %d: %v", err, len(want), wrong)
		}
		return
	}
	for i, e := range lines.Root().Elements() {
		if !jsondoc.Equal(e, want[i].Root()) || string(e.AppendJSON(nil)) != string(want[i].Root().AppendJSON(nil)) {
			t.Fatalf("line %d is %s", i, e.Raw())
		}
	}
	if lines.Root().Len() != len(want) {
		t.Fatalf("%d lines of %d", lines.Root().Len(), len(want))
	}
}

// checkAgainstOracle compares the answer of Parse to a text with that of
// jsontext. jsontext takes lone surrogates only along with bad UTF-8, which is
// checked apart, and then takes all of them for one character, so that it cannot
// tell names apart.
func checkAgainstOracle(t *testing.T, text []byte, d *jsondoc.Doc, err error) {
	t.Helper()
	var syntax *jsondoc.SyntaxError
	if err != nil && !errors.As(err, &syntax) {
		t.Fatalf("an error of type %T", err)
	}
	if err != nil && syntax.Kind == jsondoc.KindDepth {
		return // jsontext goes deeper
	}
	loose := jsontext.AllowInvalidUTF8(true)
	any := jsontext.AllowDuplicateNames(true)
	valid := utf8.Valid(text) && jsontext.Value(text).IsValid(loose, any)
	switch unique := jsontext.Value(text).IsValid(loose); {
	case err == nil && !valid:
		t.Fatal("taken, though jsontext does not")
	case err != nil && valid && syntax.Kind != jsondoc.KindDuplicate:
		t.Fatalf("refused, though jsontext does not: %v", err)
	case err != nil && syntax.Kind == jsondoc.KindDuplicate && unique:
		t.Fatalf("no name is there twice: %v", err)
	case err == nil && !unique && !bytes.Contains(text, []byte(`\u`)):
		t.Fatal("a name is there twice")
	}
	if err != nil {
		return
	}
	ours, theirs := tokens(nil, d.Root()), oracleTokens(t, text)
	if len(ours) != len(theirs) {
		t.Fatalf("%d tokens, jsontext finds %d", len(ours), len(theirs))
	}
	for i := range ours {
		if ours[i] != theirs[i] {
			t.Fatalf("token %d is %q, for jsontext %q", i, ours[i], theirs[i])
		}
	}
}

// tokens spells a value as brackets, scalars and decoded strings.
func tokens(dst []string, v jsondoc.Value) []string {
	switch v.Kind() {
	case jsondoc.String:
		return append(dst, "s"+replaceSurrogates(v.Text()))
	case jsondoc.Array:
		dst = append(dst, "[")
		for _, e := range v.Elements() {
			dst = tokens(dst, e)
		}
		return append(dst, "]")
	case jsondoc.Object:
		dst = append(dst, "{")
		for m := range v.Members() {
			dst = tokens(append(dst, "s"+replaceSurrogates(m.Name())), m.Value)
		}
		return append(dst, "}")
	}
	return append(dst, string(v.Raw()))
}

// replaceSurrogates replaces lone surrogates as jsontext does.
func replaceSurrogates(s string) string {
	for {
		i := strings.IndexByte(s, 0xed)
		for i >= 0 && (i+2 >= len(s) || s[i+1] < 0xa0) {
			next := strings.IndexByte(s[i+1:], 0xed)
			if next < 0 {
				return s
			}
			i += 1 + next
		}
		if i < 0 {
			return s
		}
		s = s[:i] + "\ufffd" + s[i+3:]
	}
}

func oracleTokens(t *testing.T, text []byte) []string {
	t.Helper()
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	var list []string
	for {
		tok, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if tok.Kind() == '"' {
			list = append(list, "s"+tok.String())
		} else {
			list = append(list, tok.String())
		}
	}
}

// FuzzPrint parses, prints and parses again: the value is the same, the text is
// strict, and printing it once more changes nothing.
func FuzzPrint(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, g := range []jsondoc.Grammar{jsondoc.JSON, jsondoc.JSON5} {
			d, err := jsondoc.Parse(text, g, jsondoc.Limits{})
			if err != nil {
				continue
			}
			printed := d.Root().AppendJSON(nil)
			again, err := jsondoc.Parse(printed, jsondoc.JSON, jsondoc.Limits{})
			if err != nil {
				t.Fatalf("printed as %q: %v", printed, err)
			}
			if !jsondoc.EqualAsJS(d.Root(), again.Root()) || g == jsondoc.JSON && !jsondoc.Equal(d.Root(), again.Root()) {
				t.Fatalf("printed as %q", printed)
			}
			if twice := again.Root().AppendJSON(nil); !bytes.Equal(twice, printed) {
				t.Fatalf("printed as %q, then as %q", printed, twice)
			}
		}
	})
}

// TestSuite runs the files of JSONTestSuite. Parse takes those whose names begin
// with y_, unless they repeat a member's name, refuses those with n_, and decides as
// jsontext does about those with i_.
func TestSuite(t *testing.T) {
	count := make(map[byte]int)
	for name, text := range txntest.Suite(t) {
		count[name[0]]++
		t.Run(name, func(t *testing.T) {
			d, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
			if want := name[0] == 'y' && !strings.Contains(name, "duplicated_key"); name[0] != 'i' && (err == nil) != want {
				t.Errorf("Parse says %v", err)
			}
			checkAgainstOracle(t, []byte(text), d, err)
		})
	}
	t.Logf("%d to take, %d to refuse, %d free", count['y'], count['n'], count['i'])
}
