package main

import (
	"bytes"
	"strings"
	"testing"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
)

// With --base a line of the log names the rules of merging that decided, and the places.
func TestLogShowsRules(t *testing.T) {
	r := versions.Record{Registry: "models.json", Record: txn.Record{Seq: 3, Outcome: "merged", Rules: []txn.RuleRecord{{Path: "/version", Rule: "sum"}, {Path: "", Rule: "identity id"}}, MoreRules: 4}}
	for base, want := range map[bool]string{true: "\n    rule at /version: sum\n    rule at the root: identity id\n    and 4 more\n", false: "\n"} {
		var text bytes.Buffer
		if err := (streams{stdout: &text}).printRecord(r, &versions.History{}, base); err != nil {
			t.Fatal(err)
		}
		line, more, _ := strings.Cut(text.String(), "\n")
		if "\n"+more != want || !strings.Contains(line, "models.json@3") {
			t.Errorf("base %v: %q", base, text.String())
		}
	}
}

// The log counts the entries that a merge has kept and the writer's content lacks, and tells
// the base and why it was taken. It tells the other candidates with --base.
func TestLogTellsWhatWasKept(t *testing.T) {
	r := versions.Record{Registry: "models.json", Record: txn.Record{Seq: 3, Outcome: "merged", Kept: 2, Base: &txn.BaseRecord{Kind: "read", Why: "it is so", Candidates: []txn.CandidateRecord{{Leaves: 1}}}}}
	for base, want := range map[bool]string{
		false: "\n    kept 2 entries that it lacks\n    base: read, it is so\n",
		true:  "\n    kept 2 entries that it lacks\n    base: read, it is so\n    candidate: read, 1 leaves away\n",
	} {
		var text bytes.Buffer
		if err := (streams{stdout: &text}).printRecord(r, &versions.History{}, base); err != nil {
			t.Fatal(err)
		}
		if _, more, _ := strings.Cut(text.String(), "\n"); "\n"+more != want {
			t.Errorf("base %v: %q", base, text.String())
		}
	}
}
