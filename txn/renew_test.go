package txn_test

import (
	"testing"

	"clawfs/txn"
)

// patch opens the file for writing, with its content.
func (b *bench) patch(c txn.Caller) *txn.Tx {
	b.Helper()
	tx, err := b.store.Begin(file, c, txn.BeginOptions{})
	b.ok(err)
	return tx
}

func (b *bench) wantShown(tx *txn.Tx, c txn.Caller, want string) {
	b.Helper()
	p := make([]byte, 100)
	if n, _ := tx.ReadAt(c, p, 0); string(p[:n]) != want {
		b.Errorf("the transaction shows %s, want %s", p[:n], want)
	}
}

// A transaction that has nothing staged goes on from the version that it is given, and its next
// write is made from that. One that has is left alone.
func TestRenew(t *testing.T) {
	b := newBench(t, `{"n":1}`)
	kept, other := program(1), program(2)
	tx := b.patch(kept)
	defer tx.Release()
	b.wantShown(tx, kept, `{"n":1}`)
	if newer, staged := tx.Behind(true); newer || staged {
		t.Error("behind though nothing has changed")
	}
	writer := b.patch(other)
	defer writer.Release()
	b.ok(writer.Truncate(other, 0))
	b.write(writer, other, `{"n":1,"m":2}`)
	if newer, staged := tx.Behind(true); newer || !staged {
		t.Error("does not know what another one has staged")
	}
	b.ok(writer.Flush(other, txn.Death{}))
	if newer, staged := tx.Behind(false); !newer || staged {
		t.Error("does not know that there is a newer version")
	}
	renew := func() {
		t.Helper()
		s, err := b.store.Open(file)
		b.ok(err)
		defer s.Release()
		tx.Renew(s)
	}
	renew()
	b.wantShown(tx, kept, `{"n":1,"m":2}`)
	b.ok(tx.Truncate(kept, 0))
	b.write(tx, kept, `{"m":2}`)
	if newer, staged := tx.Behind(true); newer || staged {
		t.Error("behind though something is staged")
	}
	renew()
	b.wantShown(tx, kept, `{"m":2}`)
	b.ok(tx.Flush(kept, txn.Death{}))
	if got := b.head(); got != `{"m":2}` {
		t.Errorf("the registry holds %s: what was removed is back", got)
	}
}

// Content that a process without the lock has staged is committed for a reader that holds it, if
// it is whole.
func TestCommitReleased(t *testing.T) {
	for _, c := range []struct {
		name, staged string
		holds        bool
		want         string
	}{
		{"given up", `{"n":2}`, false, `{"n":2}`},
		{"held", `{"n":2}`, true, `{"n":1}`},
		{"half", `{"n":`, false, `{"n":1}`},
		{"a number that may go on", `2`, false, `{"n":1}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, `{"n":1}`)
			writer := program(1)
			tx := b.open(writer)
			defer tx.Release()
			b.ok(tx.Truncate(writer, 0))
			b.write(tx, writer, c.staged)
			if !b.store.IsStaged(file) {
				t.Error("nothing is staged")
			}
			b.store.CommitReleased(file, func(a txn.Actor) bool { return c.holds && a == writer.Actor })
			if got := b.head(); got != c.want {
				t.Errorf("the registry holds %s, want %s", got, c.want)
			}
		})
	}
}
