package merge_test

import (
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// A merge at some places takes the changes of theirs there, and nothing else.
func TestMergeAt(t *testing.T) {
	for _, c := range []struct{ base, head, theirs, at, want string }{
		{`{"a":1,"b":1}`, `{"a":1,"b":1,"c":1}`, `{"a":2,"b":2}`, "a", `{"a":2,"b":1,"c":1}`},
		{`{"a":1,"b":1}`, `{"a":1,"b":1}`, `{"b":2}`, "a", `{"b":1}`},
		{`{"a":1,"b":1}`, `{"a":1,"b":1}`, `{"b":2}`, "b", `{"a":1,"b":2}`},
		{`{}`, `{}`, `{"a":{"x":1},"b":2}`, "a", `{"a":{"x":1}}`},
		{`{}`, `{}`, `{"a":{"x":1},"b":2}`, "x", `{}`}, // a is there as a whole, or not
		{`{"o":{"a":1,"b":1},"b":1}`, `{"o":{"a":1,"b":1},"b":1}`, `{"o":{"a":2,"b":2},"b":2}`, "o", `{"o":{"a":2,"b":2},"b":1}`},
		{`{"l":[{"id":1,"v":1},{"id":2,"v":1}]}`, `{"l":[{"id":0},{"id":1,"v":1},{"id":2,"v":1}]}`, `{"l":[{"id":2,"v":2},{"id":1,"v":2}]}`, "v", `{"l":[{"id":0},{"id":1,"v":2},{"id":2,"v":1}]}`},
		{`{"l":["a","b"],"m":["a","b"]}`, `{"l":["a","b"],"m":["a","b"]}`, `{"l":["b","a"],"m":["b","a"]}`, "l", `{"l":["b","a"],"m":["a","b"]}`},
		{`{"login":{"access":"a","refresh":"a","expires":1}}`, `{"login":{"access":"b","refresh":"b","expires":2}}`, `{"login":{"access":"c","refresh":"c","expires":3}}`, "login", `{"login":{"access":"c","refresh":"c","expires":3}}`},
		{`{"a":1,"b":[1]}`, `{"a":1}`, `{"a":2,"b":[1,2]}`, "a", `{"a":2}`},
	} {
		base, head, theirs := document(t, c.base), document(t, c.head), document(t, c.theirs)
		var at []jsondoc.Value
		for _, d := range []*jsondoc.Doc{base, theirs} {
			if v, ok := firstNamed(d.Root(), c.at); ok && len(at) == 0 {
				at = append(at, v)
			}
		}
		res, err := merge.MergeAt(base, head, theirs, nil, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !jsondoc.Equal(document(t, string(res.Text)).Root(), document(t, c.want).Root()) || string(res.Text) != c.want {
			t.Errorf("%s, %s, %s at %s: %s, want %s", c.base, c.head, c.theirs, c.at, res.Text, c.want)
		}
	}
}

// Of a list the order alone can be taken.
func TestMergeAtTakesAnOrder(t *testing.T) {
	base := document(t, `{"l":[{"id":1,"v":1},{"id":2},{"id":3}],"m":["a","b"]}`)
	head := document(t, `{"l":[{"id":1,"v":1},{"id":2},{"id":3},{"id":4}],"m":["a","b"]}`)
	theirs := document(t, `{"l":[{"id":3},{"id":1,"v":2},{"id":2}],"m":["b","a"]}`)
	list, _ := firstNamed(theirs.Root(), "l")
	res, err := merge.MergeAt(base, head, theirs, nil, nil, []jsondoc.Value{list})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"l":[{"id":3},{"id":4},{"id":1,"v":1},{"id":2}],"m":["a","b"]}`; string(res.Text) != want {
		t.Errorf("%s, want %s", res.Text, want)
	}
}

// firstNamed returns the first member of a name.
func firstNamed(v jsondoc.Value, name string) (jsondoc.Value, bool) {
	for m := range v.Members() {
		if m.Name() == name {
			return m.Value, true
		}
	}
	for m := range v.Members() {
		if found, ok := firstNamed(m.Value, name); ok {
			return found, true
		}
	}
	for _, e := range v.Elements() {
		if found, ok := firstNamed(e, name); ok {
			return found, true
		}
	}
	return jsondoc.Value{}, false
}

// At the root it is a merge, and at no place it leaves the head.
func TestMergeAtAllOrNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawTriple(t)
		p := &merge.Policy{Exact: true}
		none, err := merge.MergeAt(c.b, c.o, c.t3, p, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(none.Text) != string(c.o.Source()) && c.b.Root().Kind() == c.o.Root().Kind() && c.o.Root().Kind() == c.t3.Root().Kind() {
			t.Fatalf("base %s\nhead %s\ntheirs %s\nat no place %s", c.b.Source(), c.o.Source(), c.t3.Source(), none.Text)
		}
		want, err := merge.Merge(c.b, c.o, c.t3, p)
		if err != nil {
			t.Fatal(err)
		}
		all, err := merge.MergeAt(c.b, c.o, c.t3, p, []jsondoc.Value{c.b.Root()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(c.b.Source()) == string(c.o.Source()) || string(c.b.Source()) == string(c.t3.Source()) || want.Outcome != merge.Merged {
			return // Merge needs no look at the places then
		}
		if !jsondoc.Equal(parse(string(all.Text)).Root(), parse(string(want.Text)).Root()) {
			t.Fatalf("base %s\nhead %s\ntheirs %s\nat the root %s\nwant %s", c.b.Root().AppendJSON(nil), c.o.Source(), c.t3.Source(), all.Text, want.Text)
		}
	})
}

// Where theirs means each difference, spelling counts, and an element without an identity
// is there once.
func TestExactMerge(t *testing.T) {
	for _, c := range []struct{ base, head, theirs, want, loose string }{
		{`{"a":12345678901234567890,"b":1}`, `{"a":12345678901234567890,"b":2}`, `{"a":12345678901234567000,"b":1}`,
			`{"a":12345678901234567000,"b":2}`, `{"a":12345678901234567890,"b":2}`},
		{`[["a",1],["b"]]`, `[["a",2],["b"]]`, `[["a",3],["b"]]`, `[["a",3],["b"]]`, `[["a",2],["a",3],["b"]]`},
		{`{"a":1,"b":1}`, `{"a":1,"b":2}`, `{"a":2,"b":1}`, `{"a":2,"b":2}`, `{"a":2,"b":2}`},
		{`{"a":"x","b":1}`, `{"a":"y","b":1}`, `{"b":1}`, `{"b":1}`, `{"a":"y","b":1}`},
		{`{"token":"x"}`, `{}`, `{"token":"y"}`, `{"token":"y"}`, `{}`},
		{`{"access":"x","refresh":"x"}`, `{}`, `{"access":"y","refresh":"y"}`, `{"access":"y","refresh":"y"}`, `{}`},
	} {
		for exact, want := range map[bool]string{true: c.want, false: c.loose} {
			res, err := merge.Merge(document(t, c.base), document(t, c.head), document(t, c.theirs), &merge.Policy{Exact: exact})
			if err != nil {
				t.Fatal(err)
			}
			if string(res.Text) != want {
				t.Errorf("exact %v: %s, %s, %s: %s, want %s", exact, c.base, c.head, c.theirs, res.Text, want)
			}
		}
	}
}
