package merge_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// golden is one case of testdata: the three versions, the expected result of
// their merge, and its expected messages. The comment above the files says the
// rule.
type golden struct {
	files   map[string]string
	grammar jsondoc.Grammar
	policy  merge.Policy
}

func readGolden(t testing.TB, file string) golden {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := golden{files: make(map[string]string)}
	for _, f := range archive.Files {
		name, five := strings.CutSuffix(f.Name, ".json5")
		name, lines := strings.CutSuffix(name, ".jsonl")
		switch {
		case five:
			g.grammar = jsondoc.JSON5
		case lines:
			g.grammar = jsondoc.Lines
		}
		g.files[strings.TrimSuffix(name, ".json")] = string(f.Data)
	}
	for line := range strings.Lines(g.files["policy"]) {
		g.readPolicy(t, strings.Fields(line))
	}
	return g
}

// readPolicy reads one line of a policy: "on-conflict WORD", "refuse-mass-delete",
// or a path and then "as WORD", "on-conflict WORD" or "identity NAME…".
func (g *golden) readPolicy(t testing.TB, words []string) {
	t.Helper()
	resolutions := map[string]merge.Resolution{"theirs": merge.TakeTheirs, "ours": merge.TakeOurs, "reject": merge.Reject}
	treatments := make(map[string]merge.Treatment)
	for a := merge.ByShape; a <= merge.AsLog; a++ {
		treatments[a.String()] = a
	}
	for _, word := range words[min(len(words), 2):] {
		_, isResolution := resolutions[word]
		_, isTreatment := treatments[word]
		if words[1] != "identity" && !isResolution && !isTreatment {
			t.Fatalf("policy: there is no %q", word)
		}
	}
	rule := merge.Rule{}
	switch {
	case len(words) == 2 && words[0] == "on-conflict":
		g.policy.OnConflict = resolutions[words[1]]
		return
	case len(words) == 1 && words[0] == "refuse-mass-delete":
		g.policy.RefuseMassDelete = true
		return
	case len(words) >= 3 && words[1] == "as":
		rule = merge.Rule{Path: words[0], As: treatments[words[2]]}
	case len(words) >= 3 && words[1] == "on-conflict":
		rule = merge.Rule{Path: words[0], OnConflict: resolutions[words[2]]}
	case len(words) >= 3 && words[1] == "identity":
		rule = merge.Rule{Path: words[0], Identity: words[2:]}
	default:
		t.Fatalf("policy: cannot read %q", words)
	}
	g.policy.Rules = append(g.policy.Rules, rule)
}

// doc parses one of the files; nil if the case has none.
func (g *golden) doc(t *testing.T, name string) *jsondoc.Doc {
	t.Helper()
	text, ok := g.files[name]
	if !ok {
		return nil
	}
	d, err := jsondoc.Parse([]byte(text), g.grammar, jsondoc.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			g := readGolden(t, file)
			if err := g.policy.Validate(); err != nil {
				t.Fatal(err)
			}
			res, err := merge.Merge(g.doc(t, "base"), g.doc(t, "head"), g.doc(t, "theirs"), &g.policy)
			said := &strings.Builder{}
			if refused := (*merge.ConflictError)(nil); errors.As(err, &refused) {
				fmt.Fprintln(said, "refused")
				for _, c := range refused.Conflicts {
					fmt.Fprintln(said, c)
				}
				res = &merge.Result{}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(g.files["want"], string(res.Text)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			for _, c := range res.Conflicts {
				fmt.Fprintln(said, c)
			}
			for _, w := range res.Warnings {
				fmt.Fprintln(said, "warning", w)
			}
			for _, version := range []string{"base", "head", "theirs"} {
				if d := g.doc(t, version); d != nil {
					wantNoValue(t, d.Root(), said.String())
				}
			}
			if diff := cmp.Diff(g.files["conflicts"], said.String()); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
			if want, ok := g.files["applied"]; ok {
				var got strings.Builder
				for _, a := range res.Applied {
					fmt.Fprintln(&got, a)
				}
				if diff := cmp.Diff(want, got.String()); diff != "" {
					t.Errorf("applied rules (-want +got):\n%s", diff)
				}
			}
			if len(res.Text) > 0 {
				if _, err := jsondoc.Parse(res.Text, g.grammar, jsondoc.Limits{}); err != nil {
					t.Errorf("the result is no document: %v", err)
				}
			}
		})
	}
}

// wantNoValue fails if a message holds a text of a document, names aside.
func wantNoValue(t *testing.T, v jsondoc.Value, said string) {
	for _, e := range v.Elements() {
		wantNoValue(t, e, said)
	}
	for m := range v.Members() {
		wantNoValue(t, m.Value, said)
	}
	if text := strings.Trim(string(v.Raw()), "'\""); v.Kind() == jsondoc.String && len(text) > 0 && slices.Contains(strings.Fields(said), text) {
		t.Errorf("a value, %s, is told: %s", v.Raw(), said)
	}
}
