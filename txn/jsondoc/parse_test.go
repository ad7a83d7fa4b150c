package jsondoc_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
)

func parse(t *testing.T, text string, g jsondoc.Grammar) *jsondoc.Doc {
	t.Helper()
	d, err := jsondoc.Parse([]byte(text), g, jsondoc.Limits{})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return d
}

func TestValid(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-0`, `1.5`, `1e5`, `1E+5`, `1.25e-300`, `1e400`, `12345678901234567890`, `""`, `"a"`, `[]`, `{}`,
		" \t\r\n[ ] \n", `[1,2]`, `[[],{},[[]]]`, `{"a":1,"b":{"a":1}}`, `{"":0}`, `{"a":1,"A":2}`,
		`"\"\\\/\b\f\n\r\té😀"`, `"é😀"`, "\"\u2028\u2029\u007f\"", `"\ud83d"`, `"\udc00\ud83d"`, `{"\ud83d":1,"\ud83e":2}`,
		`"\u0000"`, `{"a":"'"}`, `"//"`, `"/* */"`, "\"\U0010ffff\"", "\"\ufeff\"", "\"\ufffd\"",
	} {
		d := parse(t, text, jsondoc.JSON)
		if got := string(d.Root().AppendJSON(nil)); got != strings.Trim(text, " \t\r\n") {
			t.Errorf("%q prints as %q", text, got)
		}
		parse(t, text, jsondoc.JSON5) // JSON is a part of it
	}
}

// An error says the fault, its place, and the text that would have been right.
func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		text         string
		kind         jsondoc.ErrKind
		line, column int
		offset       int64
		says         string
	}{
		{"", jsondoc.KindEmpty, 1, 1, 0, "the text is empty (expected a value)"},
		{" \n\t", jsondoc.KindEmpty, 2, 2, 3, "the text is empty (expected a value)"},
		{"\ufeff{}", jsondoc.KindBOM, 1, 1, 0, "the text starts with a byte order mark (expected a value)"},
		{"{} {}", jsondoc.KindTrailing, 1, 4, 3, "something follows the document (expected the end)"},
		{"[1]\x00", jsondoc.KindTrailing, 1, 4, 3, "something follows the document (expected the end)"},
		{"[1,]", jsondoc.KindSyntax, 1, 3, 2, "a comma stands before a closing bracket (expected a value)"},
		{"{\"a\":1,\n}", jsondoc.KindSyntax, 1, 7, 6, "a comma stands before a closing bracket (expected a value)"},
		{"[,1]", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a value)"},
		{"[1 2]", jsondoc.KindSyntax, 1, 4, 3, "unexpected character (expected a comma or a closing bracket)"},
		{"[1}", jsondoc.KindSyntax, 1, 3, 2, "unexpected character (expected a comma or a closing bracket)"},
		{"[1", jsondoc.KindSyntax, 1, 3, 2, "the text ends too early (expected a comma or a closing bracket)"},
		{"{", jsondoc.KindSyntax, 1, 2, 1, "the text ends too early (expected a string)"},
		{"{1:2}", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a string)"},
		{"{a:2}", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a string)"},
		{"{'a':2}", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a string)"},
		{`{"a" 1}`, jsondoc.KindSyntax, 1, 6, 5, "unexpected character (expected a colon)"},
		{`{"a":}`, jsondoc.KindSyntax, 1, 6, 5, "unexpected character (expected a value)"},
		{`{"a":1,"b":2,"a":3}`, jsondoc.KindDuplicate, 1, 14, 13, "an object has two members of the same name (expected each name once)"},
		{`{"a":1,"\u0061":3}`, jsondoc.KindDuplicate, 1, 8, 7, "an object has two members of the same name (expected each name once)"},
		{"{\n  \"é\": 1, // no\n}", jsondoc.KindSyntax, 2, 11, 13, "unexpected character (expected a string)"},
		{"[1] // no", jsondoc.KindTrailing, 1, 5, 4, "something follows the document (expected the end)"},
		{"[NaN]", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a value)"},
		{"[-Infinity]", jsondoc.KindSyntax, 1, 3, 2, "unexpected character (expected a digit)"},
		{"[01]", jsondoc.KindSyntax, 1, 2, 1, "a number starts with a zero (expected no more digits)"},
		{"[-]", jsondoc.KindSyntax, 1, 3, 2, "unexpected character (expected a digit)"},
		{"[1.]", jsondoc.KindSyntax, 1, 4, 3, "unexpected character (expected a digit)"},
		{"[.5]", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a value)"},
		{"[+1]", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a value)"},
		{"[0x1]", jsondoc.KindSyntax, 1, 3, 2, "unexpected character (expected the end of the value)"},
		{"[1e]", jsondoc.KindSyntax, 1, 4, 3, "unexpected character (expected a digit)"},
		{"[truth]", jsondoc.KindSyntax, 1, 2, 1, "unexpected character (expected a value)"},
		{"[nullx]", jsondoc.KindSyntax, 1, 6, 5, "unexpected character (expected the end of the value)"},
		{`["a`, jsondoc.KindSyntax, 1, 2, 1, "a string does not end (expected a closing quote)"},
		{`["\x41"]`, jsondoc.KindSyntax, 1, 3, 2, "a string has an unknown escape (expected one of JSON's escapes)"},
		{`["\u12g4"]`, jsondoc.KindSyntax, 1, 3, 2, "an escape lacks digits (expected hexadecimal digits)"},
		{"[\"a\tb\"]", jsondoc.KindControl, 1, 4, 3, "a control character stands in a string (expected an escape)"},
		{"[\"a\x00b\"]", jsondoc.KindControl, 1, 4, 3, "a control character stands in a string (expected an escape)"},
		{"[\"é\xff\"]", jsondoc.KindUTF8, 1, 4, 4, "the text is not valid UTF-8 (expected a character)"},
		{"[\xff]", jsondoc.KindUTF8, 1, 2, 1, "the text is not valid UTF-8 (expected a value)"},
		{"[\"\xed\xa0\xbd\"]", jsondoc.KindUTF8, 1, 3, 2, "the text is not valid UTF-8 (expected a character)"},
		{"[\"\xc0\x80\"]", jsondoc.KindUTF8, 1, 3, 2, "the text is not valid UTF-8 (expected a character)"},
		{"\v1", jsondoc.KindSyntax, 1, 1, 0, "unexpected character (expected a value)"},
		{"\u00a01", jsondoc.KindSyntax, 1, 1, 0, "unexpected character (expected a value)"},
	} {
		checkError(t, c.text, jsondoc.JSON, jsondoc.Limits{}, c.kind, fmt.Sprintf("line %d, column %d: %s", c.line, c.column, c.says), c.offset)
	}
}

func checkError(t *testing.T, text string, g jsondoc.Grammar, lim jsondoc.Limits, kind jsondoc.ErrKind, says string, offset int64) {
	t.Helper()
	_, err := jsondoc.Parse([]byte(text), g, lim)
	var syntax *jsondoc.SyntaxError
	if !errors.As(err, &syntax) {
		t.Errorf("%.40q: got %v, wanted %q", text, err, says)
		return
	}
	if syntax.Error() != says || syntax.Kind != kind || syntax.Offset != offset {
		t.Errorf("%.40q: got %q, kind %d, offset %d; wanted %q, kind %d, offset %d", text, syntax, syntax.Kind, syntax.Offset, says, kind, offset)
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	parse(t, nested(jsondoc.DefaultDepth), jsondoc.JSON)
	checkError(t, nested(jsondoc.DefaultDepth+1), jsondoc.JSON, jsondoc.Limits{}, jsondoc.KindDepth,
		"line 1, column 1001: the document is nested too deep (expected fewer levels)", 1000)
	checkError(t, `{"a":{"b":{}}}`, jsondoc.JSON5, jsondoc.Limits{Depth: 2}, jsondoc.KindDepth,
		"line 1, column 11: the document is nested too deep (expected fewer levels)", 10)
	if _, err := jsondoc.Parse([]byte("[1]"), jsondoc.JSON, jsondoc.Limits{Depth: 1, Size: 3}); err != nil {
		t.Error(err)
	}
	checkError(t, "[1] ", jsondoc.JSON, jsondoc.Limits{Size: 3}, jsondoc.KindSize,
		"line 1, column 1: the text is too long (expected a shorter document)", 0)
}

// Depth and size are checked before anything that grows with the text is made:
// a refused text costs no memory.
func TestRefusalsCostNoMemory(t *testing.T) {
	deep := []byte(strings.Repeat(`[{"a":`, 2_500_000)) // 5,000,000 levels
	long := []byte(`["` + strings.Repeat("a", 15_000_000) + `"]`)
	for _, c := range []struct {
		name string
		text []byte
		lim  jsondoc.Limits
		kind jsondoc.ErrKind
	}{
		{"deep", deep, jsondoc.Limits{}, jsondoc.KindDepth},
		{"long", long, jsondoc.Limits{Size: 10 << 20}, jsondoc.KindSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := jsondoc.Parse(c.text, jsondoc.JSON, c.lim)
			runtime.ReadMemStats(&after)
			var syntax *jsondoc.SyntaxError
			if !errors.As(err, &syntax) || syntax.Kind != c.kind {
				t.Fatalf("got %v", err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
				t.Errorf("a refused text of %d bytes took %d bytes", len(c.text), used)
			}
		})
	}
}

// A document that is allowed to be that deep is parsed, compared and printed
// without a stack that overflows.
func TestDeepAsAllowed(t *testing.T) {
	const levels = 100_000
	text := strings.Repeat("[", levels) + "1.0" + strings.Repeat("]", levels)
	lim := jsondoc.Limits{Depth: levels}
	a, err := jsondoc.Parse([]byte(text), jsondoc.JSON, lim)
	if err != nil {
		t.Fatal(err)
	}
	b, err := jsondoc.Parse([]byte(strings.Replace(text, "1.0", " 1", 1)), jsondoc.JSON5, lim)
	if err != nil {
		t.Fatal(err)
	}
	if !jsondoc.Equal(a.Root(), b.Root()) {
		t.Error("they differ")
	}
	if got := string(b.Root().AppendJSON(nil)); len(got) != len(text)-2 {
		t.Errorf("printed %d bytes", len(got))
	}
}

// A name that is repeated is found among few members and among many, where an
// index takes over.
func TestRepeatedNames(t *testing.T) {
	for _, n := range []int{2, 11, 12, 13, 14, 100, 5000} {
		var b strings.Builder
		b.WriteString("{")
		for i := range n {
			fmt.Fprintf(&b, `"k%d":{"k%d":[]},`, i, i)
		}
		parse(t, b.String()+`"last":0}`, jsondoc.JSON)
		for _, repeated := range []int{0, n / 2, n - 1} {
			_, err := jsondoc.Parse([]byte(b.String()+fmt.Sprintf(`"k%d":0}`, repeated)), jsondoc.JSON, jsondoc.Limits{})
			var syntax *jsondoc.SyntaxError
			if !errors.As(err, &syntax) || syntax.Kind != jsondoc.KindDuplicate || syntax.Offset != int64(b.Len()) {
				t.Errorf("%d members, k%d again: %v", n, repeated, err)
			}
		}
	}
}

func TestJSON5(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"// a\n1 // b", `1`},
		{"/* a\n*/1/**/", `1`},
		{"/***/1/* // */", `1`},
		{"[1,2,]", `[1,2]`},
		{"{a:1,}", `{"a":1}`},
		{"{$a_1:1,é:2,ünder:3,\\u0061b:4,ⅳ:5,a\u200d:6}", "{\"$a_1\":1,\"é\":2,\"ünder\":3,\"ab\":4,\"ⅳ\":5,\"a\u200d\":6}"},
		{"{null:1,true:2,Infinity:3,if:4}", `{"null":1,"true":2,"Infinity":3,"if":4}`},
		{"{'a':'b\"c'}", `{"a":"b\"c"}`},
		{`'it\'s'`, `"it's"`},
		{`"it's"`, `"it's"`},
		{`'\x41\v\0\a\é\/'`, "\"A\\u000b\\u0000aé/\""},
		{"'a\\\nb\\\r\nc\\\rd\\\u2028e'", `"abcde"`},
		{"\"a\tb\"", "\"a\\u0009b\""},
		{`'\ud83d\ude00 \ud83d'`, "\"😀 \\ud83d\""},
		{"\u00a0\ufeff\v\f\u20031\u2028", `1`},
		{"[.5,5.,+1,-.5,+.5e1,1.e2]", `[5e-1,5,1,-5e-1,5,1e2]`},
		{"[0x1F,-0XfF,+0x0]", `[31,-255,0]`},
		{"0xffffffffffffffffffff", `1208925819614629174706175`},
		{"[Infinity,-Infinity,+NaN,NaN]", `[null,null,null,null]`},
		{"[1.0,1e400]", `[1.0,1e400]`},
		{"{a:{b:[],},}", `{"a":{"b":[]}}`},
		{"[1]//", `[1]`},
	} {
		d := parse(t, c.text, jsondoc.JSON5)
		if got := string(d.Root().AppendJSON(nil)); got != c.want {
			t.Errorf("%q: got %s, wanted %s", c.text, got, c.want)
		}
		parse(t, c.want, jsondoc.JSON)
	}
}

func TestInvalidJSON5(t *testing.T) {
	for _, text := range []string{
		"", "// a", "/* a", "/", "[1]/", "[,]", "{,}", "[1,,]", "{a:1,,}", "{a}", "{1a:1}", "{a-b:1}", "{'a:1}", "{\\x61:1}", "{\\u0030:1}",
		"'a\nb'", "'a\rb'", `'\1'`, `'\01'`, `'\x4'`, `'\u12'`, "'a", "0x", "+", "-", ".", "+.e1", "01", "1e", "1_0", "infinity", "nan",
		"{a:1,'a':2}", "{a:1,\\u0061:2}", "[1] [2]", "1 2", "\u200b1", "undefined", "`a`", "0x1g", "'\xff'", "// \xff\n1", "{\xff:1}",
	} {
		if _, err := jsondoc.Parse([]byte(text), jsondoc.JSON5, jsondoc.Limits{}); err == nil {
			t.Errorf("%q is taken for JSON5", text)
		}
	}
}
