package cluster_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"clawfs/backing"
	"clawfs/backing/backingtest"
	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn/txntest"
)

// replica is a storage in memory, which needs no directories.
type replica struct{ *txntest.Memory }

// MakeParents implements cluster.Local.
func (r replica) MakeParents(string) error { return nil }

// pin is a version that must not be pruned.
type pin struct {
	name string
	seq  uint64
}

// TestConformance runs the suite of every storage. A writer behind a shared storage is
// another host.
func TestConformance(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		backingtest.Run(t, func(t *testing.T) backingtest.Target {
			m, pins := txntest.NewMemory(), map[pin]bool{}
			m.KeepVersions, m.KeepBytes = 5, 1000
			m.Pinned = func(name string, seq uint64) bool { return pins[pin{name, seq}] }
			target := openTarget(t, replica{m}, pins)
			target.Mkdir = m.Mkdir
			return target
		})
	})
	t.Run("disk", func(t *testing.T) {
		backingtest.Run(t, func(t *testing.T) backingtest.Target {
			path, pins := t.TempDir(), map[pin]bool{}
			d, err := backing.Open(path, backing.Options{
				KeepVersions: 5, KeepBytes: 1000,
				Pinned: func(name string, seq uint64) bool { return pins[pin{name, seq}] },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			target := openTarget(t, d, pins)
			target.Mkdir = func(name string) {
				if err := d.MakeParents(name + "/x"); err != nil {
					t.Fatal(err)
				}
			}
			return target
		})
	})
}

func openTarget(t *testing.T, local cluster.Local, pins map[pin]bool) backingtest.Target {
	engine := enginetest.NewMemory()
	s := join(t, local, engine.Client(), "a")
	other := join(t, replica{txntest.NewMemory()}, engine.Client(), "b")
	return backingtest.Target{
		Storage: s,
		Keeps:   true,
		Limits:  backingtest.Limits{KeepVersions: 5, KeepBytes: 1000},
		Pin:     func(name string, seq uint64) { pins[pin{name, seq}] = true },
		Foreign: func(name string, content []byte) {
			commit(t, other, name, content)
			rev := engine.Rev()
			await(t, "the other host's commit to be known", func() bool { return s.Status().Rev >= rev })
			_ = s.Advance(name) // a later call tells the error
		},
	}
}

// join opens a host's storage, which ends with the test.
func join(t *testing.T, local cluster.Local, engine cluster.Engine, host string) *cluster.Storage {
	t.Helper()
	s, end, err := cluster.Open(context.Background(), local, engine, cluster.Options{Cluster: "test", Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return s
}

// commit makes content the newest version, in place of any other.
func commit(t *testing.T, s *cluster.Storage, name string, content []byte) {
	t.Helper()
	await(t, "a commit", func() bool {
		_ = s.Advance(name) // the commit tells the error
		_, _, stamp, from, _ := s.Find(name)
		_, ok, err := s.Commit(name, stamp, from.Seq+1, from.Seq, content, sha256.Sum256(content), time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	})
}

// await returns once something has come about.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for " + what)
		}
	}
}
