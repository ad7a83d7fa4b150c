package txn_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"clawfs/txn"
	"clawfs/txn/merge"
)

// A store that begins anew knows the head by the last record, of any kind: its own commit is no
// foreign one.
func TestHeadIsKnownByTheLastRecord(t *testing.T) {
	a, b := program(1), program(2)
	for name, last := range map[string]func(*bench){
		"committed": func(b *bench) { b.save(a, `[2]`) },
		"unchanged": func(b *bench) { b.save(a, `[1]`) },
		"rejected": func(x *bench) {
			tx := x.stage(b, `[`)
			if tx.Flush(b, txn.Death{}) == nil {
				x.Error("an invalid document was taken")
			}
			tx.Release()
		},
		"a deletion overtaken": func(x *bench) {
			x.ok(x.store.Unlink(file, a))
			x.save(b, `[3]`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newBench(t, `[1]`)
			last(x)
			x.events = nil
			x.store = txn.New(x.storage, x.config)
			s, err := x.store.Open(file)
			x.ok(err)
			s.Release()
			for _, e := range x.events {
				t.Errorf("taken for %s, version %d", e.Via, e.Seq)
			}
		})
	}
}

// A merge's record tells the rules that decided, and where, and no value.
func TestRecordTellsTheRules(t *testing.T) {
	a, b := program(1), program(2)
	x := newBench(t, `{"version":1,"models":[{"id":"secret"}]}`)
	x.read(a)
	x.read(b)
	x.save(a, `{"version":2,"models":[{"id":"secret"},{"id":"secret-a"}]}`)
	x.save(b, `{"version":2,"models":[{"id":"secret"},{"id":"secret-b"}]}`)
	line, err := x.storage.LastRecord(file)
	x.ok(err)
	var rec struct{ Rules []merge.Applied }
	x.ok(json.Unmarshal(line, &rec))
	want := []merge.Applied{{Path: "/version", Rule: "sum"}, {Path: "/models", Rule: "identity id"}}
	if !slices.Equal(rec.Rules, want) || strings.Contains(string(line), "secret") {
		t.Errorf("recorded %s", line)
	}
}

// A merge tells how many entries it has kept that the writer's content lacks, and why its base
// was taken; content that is stored as it is tells of none.
func TestRecordTellsWhatWasKept(t *testing.T) {
	a, b := program(1), program(2)
	x := newBench(t, `{"list":[{"id":"1"}],"n":1}`)
	want := func(outcome txn.Outcome, kept int) {
		t.Helper()
		line, err := x.storage.LastRecord(file)
		x.ok(err)
		var rec struct {
			Outcome string
			Kept    int
			Base    struct{ Why string }
		}
		x.ok(json.Unmarshal(line, &rec))
		if rec.Outcome != outcome.String() || rec.Kept != kept || rec.Base.Why == "" || x.last().Kept != kept {
			t.Errorf("recorded %s", line)
		}
	}
	x.read(a)
	x.read(b)
	x.save(a, `{"list":[{"id":"1"},{"id":"2"},{"id":"3"}],"n":1}`)
	want(txn.Committed, 0)
	x.save(b, `{"list":[{"id":"1"}],"n":2}`)
	want(txn.Merged, 2)
	x.save(b, `{"list":[{"id":"1"}],"n":3}`)
	want(txn.Merged, 2)
	x.ok(x.putErr(b, `{"list":[],"n":3}`))
	want(txn.Committed, 0)
}
