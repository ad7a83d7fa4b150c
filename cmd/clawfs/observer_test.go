package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"clawfs/txn"
	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// Each kind of event becomes lines with the phrases that operators look for.
func TestLogObserver(t *testing.T) {
	conflict := merge.Conflict{Path: "/models/0/name", Kind: merge.Changed, Won: merge.Theirs}
	cases := []struct {
		name  string
		event txn.Event
		want  []string
	}{
		{"committed", txn.Event{Outcome: txn.Committed, Changed: true}, []string{"info Registry write committed"}},
		{"merged", txn.Event{Outcome: txn.Merged, Changed: true}, []string{"info Registry write committed"}},
		{"conflict", txn.Event{Outcome: txn.Merged, Changed: true, Conflicts: []merge.Conflict{conflict, conflict}},
			[]string{"info Registry write committed", "warn Registry write conflict", "warn Registry write conflict"}},
		{"unchanged", txn.Event{Outcome: txn.Unchanged}, []string{"debug Registry write changed nothing"}},
		{"rejected", txn.Event{Outcome: txn.Rejected, Err: errors.New("why")}, []string{"warn Registry write rejected"}},
		{"aborted", txn.Event{Outcome: txn.Aborted, Err: errors.New("why")}, []string{"warn Registry write rejected"}},
		{"recovered", txn.Event{Outcome: txn.Committed, Via: txn.ViaRecovery}, []string{"warn Registry recovered"}},
		{"invalid and not recovered", txn.Event{Outcome: txn.Rejected, Via: txn.ViaForeign, Err: errors.New("why")}, []string{"warn Registry write rejected"}},
		{"replaced unseen", txn.Event{Outcome: txn.Committed, Changed: true, Parent: 4, Base: txn.Base{Kind: txn.BaseOpen}},
			[]string{"info Registry write committed", "warn Registry overwrite", "debug Registry base chosen"}},
		{"created unseen", txn.Event{Outcome: txn.Committed, Changed: true, Base: txn.Base{Kind: txn.BaseOpen}}, []string{"info Registry write committed", "debug Registry base chosen"}},
		{"read before", txn.Event{Outcome: txn.Committed, Changed: true, Parent: 4, Base: txn.Base{Kind: txn.BaseRead}}, []string{"info Registry write committed", "debug Registry base chosen"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			core, logs := observer.New(zapcore.DebugLevel)
			logObserver(zap.New(core)).Observe(c.event)
			var got []string
			for _, e := range logs.All() {
				got = append(got, e.Level.String()+" "+e.Message)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A line tells this of a conflict and of a refusal.
func TestLogObserverFields(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	log := logObserver(zap.New(core))
	who := txn.Caller{Actor: txn.Actor{PID: 7, Start: 1}, Program: "node", UID: 1000}
	log.Observe(txn.Event{
		Name: "models.json", Outcome: txn.Merged, Via: txn.ViaClose, Writer: who, Seq: 9, Parent: 8, Changed: true, Size: 20,
		Base: txn.Base{Kind: txn.BaseRead, Why: seen.Only}, Kept: 3, Conflicts: []merge.Conflict{{Path: "/a", Kind: merge.Deleted, Won: merge.Head}},
	})
	log.Observe(txn.Event{Name: "tools.json", Outcome: txn.Aborted, Via: txn.ViaClose, Err: &txn.AbortedError{Name: "tools.json", Signal: 9}, Copy: "q1"})
	writer := map[string]any{"pid": int64(7), "program": "node", "uid": uint32(1000)}
	want := []map[string]any{
		{"registry": "models.json", "outcome": "merged", "via": "close", "seq": uint64(9), "parent": uint64(8), "size": int64(20), "writer": writer,
			"base": "read", "why": string(seen.Only), "kept": int64(3)},
		{"registry": "models.json", "seq": uint64(9), "path": "/a", "kind": "deleted", "won": "head", "writer": writer},
		{"registry": "tools.json", "outcome": "aborted", "via": "close", "seq": uint64(0), "parent": uint64(0), "size": int64(0),
			"error": "tools.json: aborted, the writer was killed by signal 9", "quarantine": "q1"},
	}
	var got []map[string]any
	for _, e := range logs.All() {
		got = append(got, e.ContextMap())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A log for debugging has each candidate for the base, and why it was not taken.
func TestLogObserverBase(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	logObserver(zap.New(core)).Observe(txn.Event{
		Name: "models.json", Outcome: txn.Merged, Seq: 9, Changed: true,
		Base: txn.Base{Kind: txn.BaseWrite, Digest: [32]byte{0xab}, Candidates: []txn.CandidateInfo{
			{Digest: [32]byte{0xcd}, Leaves: 3, Struck: "why"}, {Digest: [32]byte{0xab}, Write: true, Leaves: 1},
		}},
	})
	digest := func(first string) string { return first + strings.Repeat("00", 31) }
	want := map[string]any{
		"registry": "models.json", "seq": uint64(9), "base": "write", "digest": digest("ab"),
		"candidates": []any{
			map[string]any{"digest": digest("cd"), "write": false, "leaves": 3, "struck": "why"},
			map[string]any{"digest": digest("ab"), "write": true, "leaves": 1},
		},
	}
	lines := logs.FilterMessage("Registry base chosen").All()
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	if diff := cmp.Diff(want, lines[0].ContextMap()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
