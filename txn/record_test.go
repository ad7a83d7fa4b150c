package txn_test

import (
	"testing"

	"clawfs/txn"
)

// Whatever was recorded last, a store that begins anew knows the head by it: what
// it has committed itself is no foreign commit.
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
			x.endWindow()
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
