package jsondoc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn/jsondoc"
)

func TestValues(t *testing.T) {
	text := ` {"a\u0062": [1, {"b": null}, "x\ud83d"], "c": true, "d": {}} `
	d := parse(t, text, jsondoc.JSON)
	root := d.Root()
	start, end := root.Span()
	list, ok := root.Member("ab")
	if !ok || root.Kind() != jsondoc.Object || root.Len() != 3 || start != 1 || end != len(text)-1 {
		t.Fatalf("root %v, %d members, %d to %d", root.Kind(), root.Len(), start, end)
	}
	var raws []string
	for i, e := range list.Elements() {
		if i != len(raws) {
			t.Errorf("element %d comes at %d", i, len(raws))
		}
		raws = append(raws, string(e.Raw()))
	}
	if diff := cmp.Diff([]string{"1", `{"b": null}`, `"x\ud83d"`}, raws); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var names []string
	for m := range root.Members() {
		names = append(names, m.Name())
		if v, ok := root.Member(m.Name()); !ok || v != m.Value || v.Doc() != d {
			t.Errorf("%q is not found", m.Name())
		}
	}
	if diff := cmp.Diff([]string{"ab", "c", "d"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c, _ := root.Member("c"); c.IsContainer() || c.Len() != 0 || c.Text() != "true" {
		t.Error("true is not true")
	}
	if v, ok := root.Member("b"); ok || v.Exists() || v.Doc() != nil {
		t.Error("a member of a member is found")
	}
	for _, e := range list.Elements() {
		if e.Kind() == jsondoc.String && e.Text() != "x\xed\xa0\xbd" {
			t.Errorf("a lone surrogate decodes to %q", e.Text())
		}
	}
	if d.MemSize() < 9*16 || string(d.Source()) != text || d.Grammar() != jsondoc.JSON {
		t.Errorf("the document says %d bytes, %q, %v", d.MemSize(), d.Source(), d.Grammar())
	}
}

func TestKindsHaveNames(t *testing.T) {
	var names []string
	for k := jsondoc.Null; k <= jsondoc.Object; k++ {
		names = append(names, k.String())
	}
	if got := strings.Join(names, " "); got != "null boolean number string array object" {
		t.Error(got)
	}
}

func TestEqual(t *testing.T) {
	const (
		no     = iota
		values // the same value
		js     // not the same value, but the same to JavaScript
	)
	for _, c := range []struct {
		a, b string
		want int
	}{
		{`1`, `1.0`, values}, {`100`, `1e2`, values}, {`0.10`, `1E-1`, values}, {`0`, `-0`, values}, {`0`, `0e999999999999999999999`, values},
		{`1e1000000000000000000000`, `10e999999999999999999999`, values}, {`1e-400`, `0`, js}, {`1e400`, `1e500`, js}, {`1e400`, `null`, js},
		{`9007199254740993`, `9007199254740992`, js}, {`9007199254740993`, `9007199254740994`, no}, {`0.1`, `0.10000000000000001`, js},
		{`1`, `2`, no}, {`1`, `-1`, no}, {`1`, `"1"`, no}, {`1`, `true`, no}, {`null`, `false`, no}, {`null`, `0`, no}, {`true`, `false`, no},
		{`"é"`, `"\u00e9"`, values}, {`"/"`, `"\/"`, values}, {`"\ud83d\ude00"`, `"😀"`, values}, {`"\ud83d"`, `"\ud83e"`, no}, {`"\ud83d"`, `"\ufffd"`, no}, {`"a"`, `"A"`, no},
		{`[1,2]`, `[ 1, 2.0 ]`, values}, {`[1,2]`, `[2,1]`, no}, {`[1]`, `[1,1]`, no}, {`[]`, `{}`, no}, {`[[]]`, `[[[]]]`, no}, {`[1e400]`, `[null]`, js},
		{`{"a":1,"b":2}`, `{"b":2,"a":1.0}`, values}, {`{"a":1}`, `{"a":1,"b":2}`, no}, {`{"a":1,"b":2}`, `{"a":1,"c":2}`, no}, {`{"a":1}`, `{"a":2}`, no},
		{`{"a":null}`, `{}`, no}, {`{"\u0061":[{}]}`, `{"a":[{}]}`, values}, {`{"a":{"b":1e400}}`, `{"a":{"b":null}}`, js},
	} {
		a, b := parse(t, c.a, jsondoc.JSON).Root(), parse(t, c.b, jsondoc.JSON).Root()
		for _, order := range [][2]jsondoc.Value{{a, b}, {b, a}} {
			if got := jsondoc.Equal(order[0], order[1]); got != (c.want == values) {
				t.Errorf("%s and %s are equal: %v", order[0].Raw(), order[1].Raw(), got)
			}
			if got := jsondoc.EqualAsJS(order[0], order[1]); got != (c.want != no) {
				t.Errorf("%s and %s are equal to JavaScript: %v", order[0].Raw(), order[1].Raw(), got)
			}
		}
	}
}

// The same text is not the same value in every grammar; the same value need not
// have the same text.
func TestEqualAcrossGrammars(t *testing.T) {
	five := parse(t, `{a:[0x10,'x',+.5,Infinity,], /* c */ b:-Infinity}`, jsondoc.JSON5).Root()
	plain := parse(t, `{"b":null,"a":[16,"x",0.5,null]}`, jsondoc.JSON).Root()
	if jsondoc.Equal(five, plain) || !jsondoc.EqualAsJS(five, plain) {
		t.Error("Infinity is null to JavaScript only")
	}
	printed := parse(t, string(five.AppendJSON(nil)), jsondoc.JSON).Root()
	if !jsondoc.Equal(printed, plain) {
		t.Errorf("printed as %s", printed.Raw())
	}
}

func TestAppendQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"":                   `""`,
		"a\"b\\c/\n\x00é😀":   `"a\"b\\c/\u000a\u0000é😀"`,
		"x\xed\xa0\xbdy":     `"x\ud83dy"`,
		"\xed\xb8\x80\u007f": "\"\\ude00\u007f\"",
	} {
		got := string(jsondoc.AppendQuoted(nil, []byte(text)))
		if got != want {
			t.Errorf("%q: got %s, wanted %s", text, got, want)
		}
		if back := parse(t, got, jsondoc.JSON).Root().Text(); back != text {
			t.Errorf("%q comes back as %q", text, back)
		}
	}
}
