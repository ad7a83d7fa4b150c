package txntest_test

import (
	"testing"

	"clawfs/backing/backingtest"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

var _ txn.Storage = (*txntest.Memory)(nil)

type pin struct {
	name string
	seq  uint64
}

func TestConformance(t *testing.T) {
	backingtest.Run(t, func(t *testing.T) backingtest.Target {
		m := txntest.NewMemory()
		m.KeepVersions, m.KeepBytes = 5, 1000
		pins := map[pin]bool{}
		m.Pinned = func(name string, seq uint64) bool { return pins[pin{name, seq}] }
		return backingtest.Target{
			Storage: m,
			Limits:  backingtest.Limits{KeepVersions: 5, KeepBytes: 1000},
			Pin:     func(name string, seq uint64) { pins[pin{name, seq}] = true },
			Foreign: m.Foreign,
			Mkdir:   m.Mkdir,
		}
	})
}
