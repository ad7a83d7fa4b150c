package versions_test

import (
	"errors"
	"strings"
	"testing"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

const (
	base   = `{"models":[{"id":"a","n":1},{"id":"b"}],"limit":10}`
	first  = `{"models":[{"id":"z"},{"id":"a","n":2},{"id":"b"}],"limit":10}`
	second = `{"models":[{"id":"a","n":3},{"id":"b"}],"limit":10,"new":1}`
)

// A merge is told with base, the content that others had committed, the result, and its
// writer's content, as far as that can be known.
func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		policy  *merge.Policy
		mineIs  string
		mine    string
		head, m string // at the conflict
	}{
		"theirs": {nil, versions.MineRebuilt, second, "2", "3"},
		"ours":   {&merge.Policy{OnConflict: merge.TakeOurs}, versions.MineKept, second, "2", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.policy = c.policy
			b.meet(base, first, second)
			x, err := b.engine.Explain(b.version(3))
			b.ok(err)
			if x.Base.Content != base || x.Before.Content != first || x.MineIs != c.mineIs || !equal(t, x.Mine.Content, c.mine) {
				t.Errorf("base %s, before %s, mine %s (%s)", x.Base.Content, x.Before.Content, x.Mine.Content, x.MineIs)
			}
			if len(x.Conflicts) != 1 || x.Conflicts[0].Path != "/models/1/n" || string(x.Conflicts[0].Head) != c.head || string(x.Conflicts[0].Mine) != c.m {
				t.Errorf("conflicts %+v", x.Conflicts)
			}
			if len(x.Record.Rules) == 0 {
				t.Error("no rule is told")
			}
		})
	}
}

// Content that was stored as written is not rebuilt, and nothing is told of content that is
// not kept.
func TestExplainWhatIsNoMerge(t *testing.T) {
	b := newBench(t)
	b.meet(base, first, second)
	x, err := b.engine.Explain(b.version(2))
	b.ok(err)
	if x.MineIs != versions.MineStored || x.Mine.Content != first || x.Base.Content != base || len(x.Conflicts) != 0 {
		t.Errorf("explained %+v", x)
	}
	dir, err := b.place().Look()
	b.ok(err)
	defer dir.Close()
	b.ok(b.forget(1))
	x, err = b.engine.Explain(b.version(3))
	b.ok(err)
	if x.Base != nil || x.Mine != nil || x.MineIs != versions.MineUnknown || string(x.Conflicts[0].Head) != "2" {
		t.Errorf("explained %+v", x)
	}
	var none *versions.NoVersionError
	if _, err := b.engine.Explain(b.version(1)); !errors.As(err, &none) {
		t.Errorf("what is not kept: %v", err)
	}
}

// The other side of a conflict is the lost value, though elements may have moved since.
func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		policy *merge.Policy
		want   string
	}{
		"theirs": {nil, `{"models":[{"id":"b"},{"id":"y"},{"id":"z"},{"id":"a","n":2}],"limit":11,"new":1}`},
		"ours":   {&merge.Policy{OnConflict: merge.TakeOurs}, `{"models":[{"id":"b"},{"id":"y"},{"id":"z"},{"id":"a","n":3}],"limit":11,"new":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.policy = c.policy
			b.meet(base, first, second)
			n := map[string]string{"theirs": "3", "ours": "2"}[name]
			b.write(`{"models":[{"id":"b"},{"id":"y"},{"id":"z"},{"id":"a","n":` + n + `}],"limit":11,"new":1}`)
			plan, err := b.engine.Resolve(b.version(3), nil, versions.Nobody)
			b.ok(err)
			if plan.Blocked() || plan.Result.Content != c.want || plan.Note.Resolved != 3 {
				t.Errorf("planned %+v, want %s", plan.Result, c.want)
			}
		})
	}
}

// A value that was moved is told by where it was and is. Each difference is told without its
// secrets where that is wanted.
func TestCompare(t *testing.T) {
	a := parse(t, `{"list":[{"id":"a"},{"id":"b"},{"id":"c","token":"x"}],"auth":{"provider":"p","key":"k"},"note":"n"}`)
	c := parse(t, `{"list":[{"id":"c","token":"y"},{"id":"a"},{"id":"b"}],"auth":{"provider":"q","key":"l"},"note":"sk-0123456789abcdef0123"}`)
	want := []struct{ change, from, to, old, new string }{
		{versions.Changed, "/list/2/token", "/list/0/token", `"•••••"`, `"•••••"`},
		{versions.Changed, "/auth/provider", "/auth/provider", `"p"`, `"q"`},
		{versions.Changed, "/auth/key", "/auth/key", `"•••••"`, `"•••••"`},
		{versions.Changed, "/note", "/note", `"n"`, `"•••••"`},
		{versions.Moved, "/list/2", "/list/0", "", ""},
	}
	got := versions.Compare(a, c, nil)
	if len(got) != len(want) {
		t.Fatalf("%d differences, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		d, _ := got[i].Masked()
		if d.Change != w.change || *d.From != w.from || *d.To != w.to || string(d.Old) != w.old || string(d.New) != w.new {
			t.Errorf("%s %s %s: %s, %s; want %+v", d.Change, *d.From, *d.To, d.Old, d.New, w)
		}
	}
}

// masked returns the text of a document with each secret replaced.
func masked(doc *jsondoc.Doc) string {
	start := 0
	var b strings.Builder
	for _, s := range versions.Secrets(doc) {
		b.Write(doc.Source()[start:s.Start])
		b.WriteString(`"` + versions.Mask + `"`)
		start = s.End
	}
	b.Write(doc.Source()[start:])
	return b.String()
}

func TestSecrets(t *testing.T) {
	for text, want := range map[string]string{
		`{"apiKey":"x","api_key":"", "maxTokens":5,"tokens":{"input":5,"a":["x"]}}`: `{"apiKey":"•••••","api_key":"", "maxTokens":5,"tokens":{"input":5,"a":["•••••"]}}`,
		`{"password":1234,"port":1234}`:                                             `{"password":"•••••","port":1234}`,
		`{"access":"x","type":"y"}`:                                                 `{"access":"•••••","type":"y"}`,
		`{"auths":{"r":{"auth":"dTpw"}},"auth":"oauth"}`:                            `{"auths":{"r":{"auth":"•••••"}},"auth":"oauth"}`,
		`["ghp_0123456789abcdefghij","https://u:pw@h/","https://h/a@b"]`:            `["•••••","•••••","https://h/a@b"]`,
		`{"Authorization":"x","headers":["Bearer abcdefgh1"],"key":"a b"}`:          `{"Authorization":"•••••","headers":["•••••"],"key":"a b"}`,
		`["--token=abcdef","--tokens-per-minute","a bearer of news"]`:               `["•••••","--tokens-per-minute","a bearer of news"]`,
	} {
		if got := masked(parse(t, text)); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}

func TestCompareText(t *testing.T) {
	b := newBench(t)
	b.write(base)
	lines := versions.CompareText(versions.Indent([]byte(`{"a":1,"b":[1,2]}`)), versions.Indent([]byte(`{"a":1,"b":[1,3]}`)))
	var text string
	for _, l := range lines[1:] {
		text += string(l.Kind) + l.Text + "\n"
	}
	if want := "   \"a\": 1,\n   \"b\": [\n     1,\n-    2\n+    3\n   ]\n }\n"; lines[0].Kind != '@' || text != want {
		t.Errorf("%s\n%s", lines[0].Text, text)
	}
	if versions.CompareText([]byte("a\n"), []byte("a\n")) != nil {
		t.Error("what is equal differs")
	}
}

// The list of registries has the newest record of each and its kept versions, those registries
// that are gone included.
func TestRegistries(t *testing.T) {
	b := newBench(t)
	b.write(`[1]`, `[2]`, `[3]`)
	over := versions.DigestOf([]byte(`[3]`))
	b.ok(b.engine.Commit(&versions.Commit{Place: b.place(), Remove: true, Intent: txn.Intent{Over: &over, Note: txn.Note{Undid: 1}}}))
	looked, err := b.place().Look()
	b.ok(err)
	defer looked.Close()
	n := 0
	for r, err := range (versions.Place{Root: b.root}).Registries(looked) {
		b.ok(err)
		n++
		if r.Name != file || !r.Gone() || r.Last.Parent != 3 || len(r.Kept) != 3 || r.Last.Writer() == "" {
			t.Errorf("listed %+v", r)
		}
	}
	if n != 1 {
		t.Errorf("%d registries", n)
	}
}
