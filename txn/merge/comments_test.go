package merge_test

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// remarked puts comments into a document, or changes some that are there.
func (m *maker) remarked(n *tree) {
	for range m.n(5) {
		at := n
		for at.container() && len(at.kids) > 0 {
			at = at.kids[m.n(len(at.kids))]
			if m.n(3) == 0 {
				break
			}
		}
		if at == n {
			return
		}
		m.fresh++
		switch m.n(6) {
		case 0:
			at.remark = ""
		case 1, 2:
			at.remark = "/" + m.tag + "r" + strconv.Itoa(m.fresh) + ";"
		default:
			at.remark = m.tag + "r" + strconv.Itoa(m.fresh) + ";"
		}
	}
}

// remark finds the remarks in a text.
var remark = regexp.MustCompile(`[bht]r[0-9]+;`)

func remarksIn(text []byte) []string {
	list := remark.FindAllString(string(text), -1)
	slices.Sort(list)
	return list
}

func count(list []string, s string) int {
	n := 0
	for _, e := range list {
		if e == s {
			n++
		}
	}
	return n
}

func parseFive(t *rapid.T, text []byte) *jsondoc.Doc {
	d, err := jsondoc.Parse(text, jsondoc.JSON5, jsondoc.Limits{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

// Comments are merged as values are, and change none. A comment that a side has
// added or changed is there or in the log. Nothing is there twice that was not. A
// program that writes the same comments as the base changes the head's in nothing.
func TestCommentsAreContent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMaker(t)
		base := m.document()
		m.remarked(base)
		m.tag = "h"
		head := m.edited(base, 3)
		m.remarked(head)
		m.tag = "t"
		theirs := m.edited(base, 3)
		m.remarked(theirs)
		five := func(n *tree) *jsondoc.Doc {
			return parseFive(t, []byte((&spelling{newline: "\n", indent: "  ", five: true, remarks: true}).print(n)))
		}
		b, o, th := five(base), five(head), five(theirs)
		res, err := merge.Merge(b, o, th, nil)
		if err != nil {
			t.Fatal(err)
		}
		fatalf := func(format string, args ...any) {
			t.Helper()
			t.Logf("base\n%s\nhead\n%s\ntheirs\n%s\nresult\n%s\n%v", b.Source(), o.Source(), th.Source(), res.Text, res.Conflicts)
			t.Fatalf(format, args...)
		}
		out := parseFive(t, res.Text)
		again, _ := merge.Merge(b, o, th, nil)
		if !bytes.Equal(again.Text, res.Text) {
			fatalf("once more: %s", again.Text)
		}
		inB, inO, inT, in := remarksIn(b.Source()), remarksIn(o.Source()), remarksIn(th.Source()), remarksIn(res.Text)
		for _, r := range in {
			if !slices.Contains(inO, r) && !slices.Contains(inT, r) {
				fatalf("%s comes from nowhere", r)
			}
		}
		for _, r := range in {
			if count(in, r) > count(inO, r)+count(inT, r) {
				fatalf("%s is there too often", r)
			}
		}
		for _, r := range append(inO, inT...) {
			if !slices.Contains(inB, r) && !slices.Contains(in, r) && len(res.Conflicts) == 0 && !bytes.Equal(b.Source(), o.Source()) {
				fatalf("%s is lost, and nobody is told", r)
			}
		}
		plain := func(n *tree) *jsondoc.Doc { return parse((&spelling{newline: "\n"}).print(n)) }
		want, err := merge.Merge(plain(base), plain(head), plain(theirs), nil)
		if err != nil {
			t.Fatal(err)
		}
		values := slices.DeleteFunc(slices.Clone(res.Conflicts), func(c merge.Conflict) bool { return c.Kind == merge.CommentChanged })
		if slices.Equal(values, want.Conflicts) && !jsondoc.EqualAsJS(out.Root(), parse(string(want.Text)).Root()) {
			fatalf("without comments: %s", want.Text)
		}
	})
}

// Comments cost no more than values do.
func TestCommentsAreCheap(t *testing.T) {
	text := func(n int, remark string) *jsondoc.Doc {
		var b strings.Builder
		b.WriteString("[\n")
		for i := range n {
			b.WriteString("// " + remark + strconv.Itoa(i) + "\n{\"id\": " + strconv.Itoa(i) + ", \"x\": [1, {\"y\": 2}]}, // " + remark + "\n")
		}
		b.WriteString("]\n")
		d, err := jsondoc.Parse([]byte(b.String()), jsondoc.JSON5, jsondoc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	took := func(n int) int64 {
		b, o, th := text(n, "a"), text(n, "b"), text(n, "c")
		start := processorTime(t)
		if _, err := merge.Merge(b, o, th, nil); err != nil {
			t.Fatal(err)
		}
		return max(int64(processorTime(t)-start), 3_000_000)
	}
	if few, many := took(2000), took(16_000); many > 32*few {
		t.Errorf("2000 elements take %d ns, 16000 take %d ns", few, many)
	}
}

// Each place where a comment can stand: T's new ones come along once, and a changed one
// that is not in the result is told.
func TestPlacesOfComments(t *testing.T) {
	for name, c := range map[string]struct {
		base, head, theirs string
		want               []string // comments of the result, in its order
		lost               int      // conflicts of comments
		text               string
	}{
		"around a new member":       {`{"a":1}`, `{"a":2}`, "{\"a\":1,\n// lead\n\"n\": /*colon*/ 5 // post\n}", []string{"lead", "colon", "post"}, 0, "{\"a\":2,\n  // lead\n  \"n\": /*colon*/ 5 // post\n}"},
		"around a known member":     {"{\n\"a\": 1,\n\"b\": 1\n}", "{\n\"a\": 2,\n\"b\": 1\n}", "{\n// lead\n\"a\": /*colon*/ 1, // post\n\"b\": 1\n}", []string{"lead", "colon", "post"}, 0, "{\n// lead\n\"a\": /*colon*/ 2, // post\n\"b\": 1\n}"},
		"changed by both":           {"{\n\"a\": 1, // x\n\"b\": 1\n}", "{\n\"a\": 1, // y\n\"b\": 1\n}", "{\n\"a\": 1, // z\n\"b\": 2\n}", []string{"z"}, 1, "{\n\"a\": 1, // z\n\"b\": 2\n}"},
		"changed alike":             {"{\n\"a\": 1, // x\n\"b\": 1\n}", "{\n\"a\": 1, // y\n\"b\": 1\n}", "{\n\"a\": 1, // y\n\"b\": 2\n}", []string{"y"}, 0, "{\n\"a\": 1, // y\n\"b\": 2\n}"},
		"changed by the head":       {"{\n\"a\": 1, // x\n\"b\": 1\n}", "{\n\"a\": 1, // y\n\"b\": 1\n}", "{\n\"a\": 1, // x\n\"b\": 2\n}", []string{"y"}, 0, "{\n\"a\": 1, // y\n\"b\": 2\n}"},
		"none are written":          {"{\n\"a\": 1, // x\n\"b\": 1\n}", "{\n\"a\": 3, // x\n\"b\": 1\n}", `{"a":1,"b":2}`, []string{"x"}, 0, "{\n\"a\": 3, // x\n\"b\": 2\n}"},
		"removed beside others":     {"{\n\"a\": 1, // x\n\"b\": 1 // w\n}", "{\n\"a\": 3, // x\n\"b\": 1 // w\n}", "{\n\"a\": 1,\n\"b\": 2 // w\n}", []string{"w"}, 0, "{\n\"a\": 3,\n\"b\": 2 // w\n}"},
		"of a member T deleted":     {"{\n// x\n\"a\": 1,\n\"b\": 1 // w\n}", "{\n// x\n\"a\": 1,\n\"b\": 3 // w\n}", "{\n\"b\": 1 // w\n}", []string{"w"}, 0, "{\n\"b\": 3 // w\n}"},
		"… that the head changed":   {"{\n\"a\": 1, // x\n\"b\": 1 // w\n}", "{\n\"a\": 1, // y\n\"b\": 3 // w\n}", "{\n\"b\": 1 // w\n}", []string{"w"}, 1, "{\n\"b\": 3 // w\n}"},
		"of a member O deleted":     {"{\n\"a\": 1, // x\n\"b\": 1 // w\n}", "{\n\"b\": 3 // w\n}", "{\n\"a\": 1, // y\n\"b\": 1 // w\n}", []string{"w"}, 1, "{\n\"b\": 3 // w\n}"},
		"of one that stays deleted": {"{\n\"a\": 1, // x\n\"b\": 1 // w\n}", "{\n\"b\": 3 // w\n}", "{\n\"a\": 1, // x\n\"b\": 1 // w\n}", []string{"w"}, 0, "{\n\"b\": 3 // w\n}"},
		"at the ends":               {"{\n\"a\": 1\n}", "{\n\"a\": 2\n}", "// before\n{\n\"a\": 1\n// closing\n}\n// behind\n", []string{"before", "closing", "behind"}, 0, "// before\n{\n\"a\": 2\n// closing\n}\n// behind\n"},
		"in an empty list":          {`{"l":[],"a":1}`, `{"l":[],"a":2}`, `{"l":[/*in*/],"a":1}`, []string{"in"}, 0, "{\"l\":[/*in*/],\"a\":2}"},
		"on one line":               {`{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":1/*x*/,/*y*/"b":1/*z*/}`, []string{"x", "y", "z"}, 0, "{\"a\":2/*x*/,/*y*/\"b\":1/*z*/}"},
		"into lines":                {"{\n  \"a\": 1,\n  \"b\": 1\n}", "{\n  \"a\": 2,\n  \"b\": 1\n}", `{/*o*/"a":1,/*y*/"b":1/*c*/}`, []string{"o", "y", "c"}, 0, "{\n  /*o*/ \"a\": 2,\n  /*y*/ \"b\": 1\n  /*c*/ \n}"},
		"a line into one line":      {`{"a":1,"b":1}`, `{"a":2,"b":1}`, "{\n// y\n\"a\":1,\"b\":1\n// c\n}", []string{"y", "c"}, 0, "{\n  // y\n  \"a\":2,\"b\":1\n  // c\n}"},
		"deeper":                    {"{\n    \"o\": {\n        \"a\": 1\n    },\n    \"n\": 1\n}", "{\n    \"o\": {\n        \"a\": 1\n    },\n    \"n\": 2\n}", "{\n  \"o\": {\n    // two\n    // lines\n    \"a\": 1,\n    \"b\": 2, // end\n  },\n  \"n\": 1\n}", []string{"two", "lines", "end"}, 0, "{\n    \"o\": {\n        // two\n        // lines\n        \"a\": 1,\n        \"b\": 2 // end\n    },\n    \"n\": 2\n}"},
		"behind an element":         {"[\n1,\n2\n]", "[\n1,\n2,\n3\n]", "[\n1, // one\n2\n]", []string{"one"}, 0, "[\n1, // one\n2,\n3\n]"},
	} {
		t.Run(name, func(t *testing.T) {
			five := func(text string) *jsondoc.Doc {
				d, err := jsondoc.Parse([]byte(text), jsondoc.JSON5, jsondoc.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			res, err := merge.Merge(five(c.base), five(c.head), five(c.theirs), nil)
			if err != nil {
				t.Fatal(err)
			}
			text := string(res.Text)
			if res.Outcome == merge.TookTheirs {
				text = c.theirs
			}
			var got []string
			for _, m := range regexp.MustCompile(`//\s*(\w+)|/\*(\w+)\*/`).FindAllStringSubmatch(text, -1) {
				got = append(got, m[1]+m[2])
			}
			lost := 0
			for _, conflict := range res.Conflicts {
				if conflict.Kind == merge.CommentChanged {
					lost++
				}
			}
			if !slices.Equal(got, c.want) || lost != c.lost {
				t.Errorf("comments %q, %d are told as lost, in\n%s", got, lost, text)
			}
			if text != c.text {
				t.Errorf("it is\n%s\nwant\n%s", text, c.text)
			}
		})
	}
}
