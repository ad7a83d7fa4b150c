package exceptions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = "# T\n\n## 9. Other\n\n| `no` | x | both | y |\n\n## 10. " + Heading + "\n\nText.\n\n" +
	"| key | what differs | tester | reason |\n|---|---|---|---|\n" +
	"| `one` | this | commands | so |\n| `two` | that | both | thus |\n| `three` | it | calls | for |\n\n## 11. After\n\n| `not` | x | both | y |\n"

func TestRowsAreReadOutOfThePage(t *testing.T) {
	rows, err := Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{"one", "this", "commands", "so"}, {"two", "that", "both", "thus"}, {"three", "it", "calls", "for"}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadPagesAreRefused(t *testing.T) {
	head := "## 10. " + Heading + "\n"
	for name, text := range map[string]string{
		"no table":     "## 10. Something\n| `a` | b | both | c |\n",
		"few columns":  head + "| `a` | b | both |\n",
		"empty column": head + "| `a` | b | both | |\n",
		"no tester":    head + "| `a` | b | me | c |\n",
		"twice":        head + "| `a` | b | both | c |\n| `a` | b | both | c |\n",
	} {
		if rows, err := Parse(text); err == nil {
			t.Errorf("%s: read as %v", name, rows)
		}
	}
}

func TestRowsAndPredicatesBelongTogether(t *testing.T) {
	rows, err := Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(rows, Commands, []string{"one", "two"}); err != nil {
		t.Error(err)
	}
	for _, names := range [][]string{{"one"}, {"one", "two", "more"}, {"one", "three"}} {
		if _, err := New(rows, Commands, names); err == nil {
			t.Errorf("rows one and two go with the predicates %v", names)
		}
	}
}

func TestTooManyExcusesAreAnError(t *testing.T) {
	rows, err := Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	table, err := New(rows, Calls, []string{"two", "three"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	table.Compared(101)
	table.Excuse("two")
	table.Excuse("three")
	if err := table.Report(&out); err != nil {
		t.Error(err)
	}
	table.Excuse("two")
	if err := table.Report(&out); err == nil {
		t.Error("3 of 101 are less than 2 %")
	}
	if !strings.Contains(out.String(), "two") || !strings.Contains(out.String(), "2 of 101") {
		t.Errorf("the report does not count by row:\n%s", out.String())
	}
}
