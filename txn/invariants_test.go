package txn_test

import (
	"strings"
	"testing"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// The check of a store at the end of each test is worth nothing unless it can fail.
func TestContradictionsAreNoticed(t *testing.T) {
	for want, contradict := range txn.Contradictions() {
		t.Run(want, func(t *testing.T) {
			b := &bench{T: t}
			b.store = txn.New(txntest.NewMemory(), txn.Config{})
			b.save(program(1), `["claude"]`)
			b.read(program(2))
			if err := b.store.CheckInvariants(); err != nil {
				t.Fatalf("before: %v", err)
			}
			b.store.Contradict(file, contradict)
			if err := b.store.CheckInvariants(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("it says %v", err)
			}
		})
	}
	b := &bench{T: t}
	b.store = txn.New(txntest.NewMemory(), txn.Config{})
	b.save(program(1), `["claude"]`)
	if err := b.store.CheckReleased(); err != nil {
		t.Error(err)
	}
	b.store.Acquire(file)
	if err := b.store.CheckReleased(); err == nil {
		t.Error("a registry that is in use is not noticed")
	}
}
