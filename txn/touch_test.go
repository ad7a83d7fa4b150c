package txn_test

import (
	"testing"
	"time"

	"clawfs/txn"
)

func TestSetTimeIsThatOfTheBytesItWasSetFor(t *testing.T) {
	b := newBench(t, `{"a":1,"b":1}`)
	c, other := program(1), program(2)
	set := time.Unix(5, 7)
	modified := func() time.Time {
		t.Helper()
		_, mtime, _, err := b.storage.Load(file)
		b.ok(err)
		return mtime
	}

	tx := b.stage(c, `{"a":2,"b":1}`)
	if !tx.SetTime(set) {
		t.Error("nothing is staged")
	}
	if told, _, ok := tx.Time(); !ok || !told.Equal(set) {
		t.Errorf("the handle is told %v, %v", told, ok)
	}
	b.ok(tx.Sync(c))
	if tx.SetTime(time.Unix(9, 9)) {
		t.Error("something is staged after a sync")
	}
	if !modified().Equal(set) || !b.last().Time.Equal(set) {
		t.Errorf("modified at %v, told %v, want %v", modified(), b.last().Time, set)
	}
	if _, err := tx.WriteAt(c, []byte(`{"a":3,"b":1}`), 0); err != nil {
		t.Fatal(err)
	}
	b.ok(tx.Flush(c, txn.Death{}))
	tx.Release()
	if modified().Before(b.now) {
		t.Errorf("a later write leaves the time: %v", modified())
	}

	b.read(other)
	tx = b.stage(other, `{"a":3,"b":2}`)
	tx.SetTime(set)
	b.save(c, `{"a":4,"b":1}`)
	b.ok(tx.Flush(other, txn.Death{}))
	tx.Release()
	b.want(`{"a":4,"b":2}`)
	if modified().Before(b.now) {
		t.Errorf("a merged version has the time %v that was set for other bytes", modified())
	}
}

func TestSameBytesGetANewTime(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.save(program(1), `{"a":1}`)
	first := b.last()
	if first.Outcome != txn.Unchanged || first.Was.IsZero() || !first.Time.After(first.Was) {
		t.Errorf("%v, %v was %v", first.Outcome, first.Time, first.Was)
	}
	b.ok(b.store.Truncate(file, program(1), int64(len(`{"a":1}`)), 0))
	second := b.last()
	if second.Outcome != txn.Unchanged || !second.Was.Equal(first.Time) || !second.Time.After(second.Was) {
		t.Errorf("%v, %v was %v", second.Outcome, second.Time, second.Was)
	}
	if second.Seq != first.Seq {
		t.Errorf("version %d, want %d", second.Seq, first.Seq)
	}
}
