package txn_test

import (
	"errors"
	"testing"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

func (b *bench) quarantined() int { return b.storage.Storage.(*txntest.Memory).Quarantined() }

func TestSyncOfHalfADocumentIsRefused(t *testing.T) {
	b := newBench(t, `{}`)
	c := program(1)
	tx := b.stage(c, `{"a":`)
	var invalid *txn.InvalidError
	if err := tx.Sync(c); !errors.As(err, &invalid) {
		t.Errorf("fsync of half a document gives %v", err)
	}
	if n := b.quarantined(); n != 1 {
		t.Errorf("%d quarantined copies after fsync of half a document, want 1", n)
	}
	_, err := tx.Append(c, []byte(`1}`))
	b.ok(err)
	b.ok(tx.Flush(c, txn.Death{}))
	tx.Release()
	if n := b.quarantined(); n != 0 {
		t.Errorf("%d quarantined copies after the commit, want 0", n)
	}
}

func TestSyncBeforeTheRestIsCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		promised bool // the fsync succeeds
	}{
		"a shorter document":    {`{"a":[1,2,3]}`, `{"a":[]}`, true},
		"its last byte is left": {`{"a":12}`, `{"a":1}`, true},
		"two documents":         {`{"a":[1,2,3]}`, `{"a":1} {"b":2}`, false},
		"half a document":       {`{"a":[1,2,3]}`, `{"b":[{`, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.old)
			writer := program(1)
			tx, err := b.store.Begin(file, writer, txn.BeginOptions{})
			b.ok(err)
			_, err = tx.WriteAt(writer, []byte(c.new), 0)
			b.ok(err)
			err = tx.Sync(writer)
			if (err == nil) != c.promised {
				t.Errorf("fsync gives %v", err)
			}
			if n := b.quarantined(); n != 1 {
				t.Errorf("%d quarantined copies", n)
			}
			b.ok(tx.Truncate(writer, int64(len(c.new))))
			if !c.promised {
				b.want(c.old)
			} else if b.want(c.new); b.quarantined() != 0 {
				t.Error("there still is a copy in quarantine")
			}
			tx.Release()
		})
	}
}
