package merge_test

import (
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// The last line of a merge of JSON lines ends if it does in one of the versions, so that
// an appended line begins a new one. White space within a line is as it was.
func TestLastLineEnds(t *testing.T) {
	for _, c := range []struct{ base, head, theirs, want string }{
		{"1", "1\n2", "1\n3", "1\n2\n3"},
		{"1\n", "1\n2\n", "1\n3", "1\n2\n3\n"},
		{"1", "1\n2", "1\n3\n", "1\n2\n3\n"},
		{"1\n", " 1 \n2\n", "1\n\t{ \"a\": 1 }\r\n", " 1 \n2\n\t{ \"a\": 1 }\r\n"},
		{"1\n", "", "1\n2\n", "2\n"},
		{"1\n2\n", "1\n", "2\n", ""}, // each takes a line out, and none is left
	} {
		docs := [3]*jsondoc.Doc{}
		for i, text := range []string{c.base, c.head, c.theirs} {
			d, err := jsondoc.Parse([]byte(text), jsondoc.Lines, jsondoc.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			docs[i] = d
		}
		if res, err := merge.Merge(docs[0], docs[1], docs[2], nil); err != nil || string(res.Text) != c.want {
			t.Errorf("%q and %q from %q: %q, %v, want %q", c.head, c.theirs, c.base, res.Text, err, c.want)
		}
	}
}

// Two lines that were made from nothing are not mixed. Two versions of one thing are merged,
// one that has got another name among them.
func TestTwoLinesAreNotMixed(t *testing.T) {
	parse := func(text string) *jsondoc.Doc {
		t.Helper()
		if text == "" {
			return nil
		}
		d, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		base, head, theirs, want string
		two                      bool
	}{
		{"", `{"name":"a","l":["a"]}`, `{"name":"b","l":["b"]}`, `{"name":"b","l":["b"]}`, true},
		{"", `{"l":[1],"id":1}` + "\n", `{"id":2,"l":[2]}` + "\n", `{"id":2,"l":[2]}` + "\n", true},
		{`{"id":3,"l":[]}`, `{"id":1,"l":[1]}`, `{"id":2,"l":[2]}`, `{"id":2,"l":[1,2]}`, false},
		{"", `{"name":"a","l":["a"]}`, `{"name":"a","l":["b"]}`, `{"name":"a","l":["a","b"]}`, false},
		{"", `{"id":1,"name":"a","l":["a"]}`, `{"id":1,"name":"b","l":["b"]}`, `{"id":1,"name":"b","l":["a","b"]}`, false},
		{"", `{"name":"a","l":["a"]}`, `{"name":"b","m":["b"]}`, `{"name":"b","l":["a"],"m":["b"]}`, false},
		{"", `{"n":"a","l":["a"]}`, `{"n":"b","l":["b"]}`, `{"n":"b","l":["a","b"]}`, false},
		{"", "{\n\"name\":\"a\",\"l\":[\"a\"]}", `{"name":"b","l":["b"]}`, "{\n\"name\":\"b\",\"l\":[\"a\", \"b\"]}", false},
		{`{"id":1,"l":[]}`, `{"id":1,"l":["a"]}`, `{"id":2,"l":["b"]}`, `{"id":2,"l":["a","b"]}`, false},
		{`{"id":2,"l":[]}`, `{"id":1,"l":["a"]}`, `{"id":2,"l":["b"]}`, `{"id":1,"l":["a","b"]}`, false},
	} {
		res, err := merge.Merge(parse(c.base), parse(c.head), parse(c.theirs), nil)
		if err != nil || string(res.Text) != c.want || res.TwoLines != c.two {
			t.Errorf("%q and %q from %q: %q, %v, two lines %v, want %q", c.head, c.theirs, c.base, res.Text, err, res.TwoLines, c.want)
		}
		if c.two && (len(res.Conflicts) != 1 || res.Conflicts[0].Path != "" || res.Conflicts[0].Won != merge.Theirs) {
			t.Errorf("%q and %q from %q: conflicts %v", c.head, c.theirs, c.base, res.Conflicts)
		}
	}
}
