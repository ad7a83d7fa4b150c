package merge_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

func TestRepeats(t *testing.T) {
	cases := []struct {
		name, text string
		policy     *merge.Policy
		want       []string
	}{
		{"none", `{"models":[{"id":"a"},{"id":"b"}]}`, nil, nil},
		{"one", `{"models":[{"id":"a"},{"id":"b"},{"id":"a"}]}`, nil, []string{"/models repeated-identity 1/3"}},
		{"at the root and below", `[{"id":1,"x":[{"name":"n"},{"name":"n"},{"name":"m"}]},{"id":2},{"id":2}]`, nil,
			[]string{"(root) repeated-identity 1/3", "/0/x repeated-identity 1/3"}},
		{"another identity holds", `[{"id":"a","key":"k"},{"id":"a","key":"l"},{"id":"b","key":"m"}]`, nil, nil},
		{"never an identity", `[{"name":"a"},{"name":"a"},{"name":"a"},{"name":"b"}]`, nil, nil},
		{"a log by configuration", `{"models":[{"id":"a"},{"id":"b"},{"id":"a"}]}`,
			&merge.Policy{Rules: []merge.Rule{{Path: "/models", As: merge.AsLog}}}, nil},
		{"an identity by configuration", `{"models":[{"n":"a"},{"n":"b"},{"n":"a"}]}`,
			&merge.Policy{Rules: []merge.Rule{{Path: "/models", Identity: []string{"n"}}}}, []string{"/models repeated-identity 1/3"}},
		{"scalars", `{"args":[{"id":"a"},{"id":"a"},{"id":"b"}],"n":[1,1,2]}`, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, w := range merge.Repeats(document(t, c.text), c.policy) {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Changes yields the values that differ, with lists aligned by identity.
func TestChanges(t *testing.T) {
	text := func(v jsondoc.Value) string {
		if !v.Exists() {
			return "nothing"
		}
		return string(v.Raw())
	}
	from := document(t, `{"a":1,"b":{"c":[{"id":"x","n":1},{"id":"y"}]},"d":[1]}`)
	to := document(t, `{"b":{"c":[{"id":"y","m":null},{"id":"x","n":2}]},"d":[1],"e":true}`)
	delta := merge.Compare(from, to, nil)
	var got []string
	for a, b := range delta.Changes() {
		got = append(got, text(a)+" → "+text(b))
	}
	slices.Sort(got)
	want := []string{"1 → 2", "1 → nothing", "nothing → null", "nothing → true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !delta.Reordered() || merge.Compare(from, from, nil).Reordered() {
		t.Error("the order of a list is not told")
	}
}

func document(t *testing.T, text string) *jsondoc.Doc {
	t.Helper()
	doc, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
