package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
	"clawfs/txn/merge"
)

// Every event is counted once.
func TestCounters(t *testing.T) {
	var c counters
	for _, e := range []txn.Event{
		{Outcome: txn.Committed}, {Outcome: txn.Committed, Via: txn.ViaUnlink, Deleted: true},
		{Outcome: txn.Merged, Conflicts: make([]merge.Conflict, 2)}, {Outcome: txn.Unchanged}, {Outcome: txn.Aborted},
		{Outcome: txn.Rejected}, {Outcome: txn.Rejected, Via: txn.ViaForeign},
		{Outcome: txn.Committed, Via: txn.ViaForeign}, {Outcome: txn.Committed, Via: txn.ViaRecovery},
	} {
		c.Observe(e)
	}
	want := tally{conflicts: 2, adopted: 1, recovered: 1}
	want.outcomes[txn.Committed], want.outcomes[txn.Merged], want.outcomes[txn.Unchanged] = 2, 1, 1
	want.outcomes[txn.Rejected], want.outcomes[txn.Aborted] = 2, 1
	if diff := cmp.Diff(want, c.tally(), cmp.AllowUnexported(tally{}, durations{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDurations(t *testing.T) {
	var d durations
	if got := d.quantile(0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for range 90 {
		d.add(70 * time.Microsecond)
	}
	for range 9 {
		d.add(3 * time.Millisecond)
	}
	d.add(time.Hour)
	for share, want := range map[float64]time.Duration{
		0: 100 * time.Microsecond, 0.5: 100 * time.Microsecond, 0.9: 100 * time.Microsecond,
		0.91: 3200 * time.Microsecond, 0.99: 3200 * time.Microsecond, 1: time.Hour,
	} {
		if got := d.quantile(share); got != want {
			t.Errorf("%v do not exceed %v, want %v", share, got, want)
		}
	}
	c := d.cumulative()
	if len(c) != buckets || c[0.00005] != 0 || c[0.0001] != 90 || c[0.0032] != 99 {
		t.Errorf("buckets: %v", c)
	}
	if d.n != 100 || d.longest != time.Hour || d.sum != time.Hour+90*70*time.Microsecond+27*time.Millisecond {
		t.Errorf("n %d, longest %v, sum %v", d.n, d.longest, d.sum)
	}
}

// A watcher that does not keep up misses something, and holds nobody up.
func TestWatchersDoNotWait(t *testing.T) {
	var w watchers
	c := make(chan versions.Record, 1)
	w.all = map[chan versions.Record]struct{}{c: {}}
	for i := range 3 {
		w.Observe(txn.Event{Seq: uint64(i + 1)})
	}
	if r := <-c; r.Seq != 1 || len(c) != 0 {
		t.Errorf("version %d, %d more", r.Seq, len(c))
	}
}
