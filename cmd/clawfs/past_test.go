package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn"
	"clawfs/txn/merge"
)

func TestPastIsKeptByTheMinuteForADay(t *testing.T) {
	var p past
	now := time.Unix(1_700_000_040, 0)
	p.at(now).count(&txn.Event{Outcome: txn.Merged, Conflicts: make([]merge.Conflict, 2)})
	p.at(now).count(&txn.Event{Outcome: txn.Committed})
	p.at(now).writes[bucketOf(time.Millisecond)]++
	later := now.Add(3 * time.Minute)
	p.at(later).count(&txn.Event{Outcome: txn.Rejected})
	want := []pastMinute{
		{Start: now.Truncate(time.Minute), Commits: 2, Merged: 1, Conflicts: 2, Median: 0.0016, P99: 0.0016},
		{Start: later.Truncate(time.Minute), Refused: 1},
	}
	if diff := cmp.Diff(want, p.since(now, later)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], p.since(now.Add(time.Minute), later)); diff != "" {
		t.Errorf("from the next minute on (-want +got):\n%s", diff)
	}
	day := now.Add(24 * time.Hour)
	p.at(day).count(&txn.Event{Outcome: txn.Aborted})
	if diff := cmp.Diff([]pastMinute{want[1], {Start: day.Truncate(time.Minute), Refused: 1}}, p.since(time.Time{}, day)); diff != "" {
		t.Errorf("a day later (-want +got):\n%s", diff)
	}
}
