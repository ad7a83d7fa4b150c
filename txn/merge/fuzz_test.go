package merge_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// FuzzMerge merges any three texts. An empty base is none. It starts from the
// golden cases.
func FuzzMerge(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		g := readGolden(f, file)
		f.Add([]byte(g.files["base"]), []byte(g.files["head"]), []byte(g.files["theirs"]), g.grammar == jsondoc.JSON5)
	}
	f.Fuzz(func(t *testing.T, base, head, theirs []byte, five bool) {
		g := jsondoc.JSON
		if five {
			g = jsondoc.JSON5
		}
		var docs [3]*jsondoc.Doc
		for i, text := range [][]byte{base, head, theirs} {
			if len(text) == 0 && i == 0 {
				continue
			}
			d, err := jsondoc.Parse(text, g, jsondoc.Limits{Depth: 50})
			if err != nil {
				return
			}
			docs[i] = d
		}
		checkMerge(t, docs[0], docs[1], docs[2])
	})
}

// FuzzMergeLines merges any lines. An empty base is none.
func FuzzMergeLines(f *testing.F) {
	for _, s := range [][3]string{
		{"{\"a\":1}\n", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"c\":3}"},
		{"1\n2\n3\n", "1\n3\n", "1\n2\n3\n3\n"},
		{"{\"id\":1,\"n\":[1]}\r\n[]", "{\"id\":1,\"n\":[1],\"x\":{}}\r\n[]\r\n", " {\"id\":1,\"n\":[1,2]} \n[] "},
		{"", "\"x\"", "\"y\"\n"},
		{"{}\n{}\n", "", "{}\n{}\n{\"a\":{\"b\":null}}\n"},
	} {
		f.Add([]byte(s[0]), []byte(s[1]), []byte(s[2]))
	}
	f.Fuzz(func(t *testing.T, base, head, theirs []byte) {
		var docs [3]*jsondoc.Doc
		for i, text := range [][]byte{base, head, theirs} {
			if len(text) == 0 && i == 0 {
				continue
			}
			d, err := jsondoc.Parse(text, jsondoc.Lines, jsondoc.Limits{Depth: 50})
			if err != nil {
				return
			}
			docs[i] = d
		}
		checkMerge(t, docs[0], docs[1], docs[2])
	})
}

// keepsSources returns a function that finds out whether a document's text was changed since:
// it is the writer's content, and others read it.
func keepsSources(t *testing.T, docs ...*jsondoc.Doc) func() {
	before := make([][]byte, len(docs))
	for i, d := range docs {
		if d != nil {
			before[i] = bytes.Clone(d.Source())
		}
	}
	return func() {
		t.Helper()
		for i, d := range docs {
			if d != nil && !bytes.Equal(d.Source(), before[i]) {
				t.Errorf("a merge has changed the text that it was given\n%s\nto\n%s", before[i], d.Source())
			}
		}
	}
}

// checkMerge holds a merge against the laws that need no knowledge of the
// documents' meaning.
func checkMerge(t *testing.T, b, o, th *jsondoc.Doc) {
	t.Helper()
	defer keepsSources(t, b, o, th)()
	res, err := merge.Merge(b, o, th, nil)
	if err != nil {
		t.Fatalf("refused without a policy: %v", err)
	}
	depth := max(depthOf(o.Root()), depthOf(th.Root()), 1)
	out, err := jsondoc.Parse(res.Text, o.Grammar(), jsondoc.Limits{Depth: depth})
	if err != nil {
		t.Fatalf("%v\n%s", err, res.Text)
	}
	again, _ := merge.Merge(b, o, th, nil)
	if !bytes.Equal(again.Text, res.Text) || !slices.Equal(again.Conflicts, res.Conflicts) {
		t.Fatalf("first\n%s\nthen\n%s", res.Text, again.Text)
	}
	for range 2 { // the first one's findings help the second one
		named := merge.MergeWithNames(b, o, th)
		if !reflect.DeepEqual(named, res) {
			t.Fatalf("with names\n%s\n%+v\nand without\n%s\n%+v", named.Text, named, res.Text, res)
		}
	}
	_, refused := merge.Merge(b, o, th, &merge.Policy{OnConflict: merge.Reject})
	if (refused != nil) != (len(res.Conflicts) > 0) {
		t.Fatalf("%v with the policy reject, but else %v", refused, res.Conflicts)
	}
	inHead, inTheirs := stringsOf(o), stringsOf(th)
	for s := range stringsOf(out) {
		if inHead[s] == nil && inTheirs[s] == nil {
			t.Fatalf("%q comes from nowhere", s)
		}
	}
	if b == nil {
		return
	}
	for name, law := range map[string]struct {
		b, o, t *jsondoc.Doc
		want    []byte
	}{
		"m(B,B,T)": {b, b, th, th.Source()},
		"m(B,O,B)": {b, o, b, o.Source()},
		"m(B,O,O)": {b, o, o, o.Source()},
	} {
		if r, err := merge.Merge(law.b, law.o, law.t, nil); err != nil || !bytes.Equal(r.Text, law.want) || len(r.Conflicts) > 0 {
			t.Fatalf("%s: %v, %+v", name, err, r)
		}
	}
	merge.Compare(b, th, nil)
}
