package merge_test

import (
	"os"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// Each row of the table of conflicts in docs/SEMANTICS.md is true of the code,
// and there is a row for each kind of conflict that a merge can come to.
func TestDocumentedConflicts(t *testing.T) {
	text, err := os.ReadFile("../../docs/SEMANTICS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "### Conflicts\n")
	if !ok {
		t.Fatal("docs/SEMANTICS.md has no section on conflicts")
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		for i := range cells[:6] {
			cells[i] = strings.Trim(cells[i], "` ")
		}
		kind, result, log := cells[0], cells[4], cells[5]
		seen[kind] = true
		doc := func(text string) *jsondoc.Doc {
			g := jsondoc.JSON
			if kind == merge.CommentChanged.String() {
				g = jsondoc.JSON5
			}
			d, err := jsondoc.Parse([]byte(text), g, jsondoc.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		res, err := merge.Merge(doc(cells[1]), doc(cells[2]), doc(cells[3]), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range res.Conflicts {
			got = append(got, c.String())
		}
		if string(res.Text) != result || strings.Join(got, ", ") != log || !strings.Contains(log, kind) {
			t.Errorf("%s: got %s and %q, documented are %s and %q", kind, res.Text, got, result, log)
		}
	}
	for k := merge.Changed; k < merge.MassDeletion; k++ {
		if !seen[k.String()] {
			t.Errorf("docs/SEMANTICS.md has no example of %s", k)
		}
	}
}
