package txn_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"clawfs/txn"
)

// moveAside removes the file behind the store.
func (b *bench) moveAside() error {
	_, _, stamp, err := b.storage.Load(file)
	if err == nil {
		_, err = b.storage.Remove(file, stamp, 2)
	}
	return err
}

func TestAReplacementInTwoStepsIsOneTransaction(t *testing.T) {
	b := newBench(t, `[]`)
	git, other := program(1), program(2)
	b.read(git)
	b.read(other)
	b.save(other, `[{"id":"other"}]`)
	b.ok(b.store.Unlink(file, git))
	if e := b.last(); !e.Deleted {
		t.Fatalf("the last event is %+v", e)
	}
	b.save(git, `[{"id":"git"}]`)
	if got := b.ids(b.head()); len(got) != 2 {
		t.Errorf("the registry holds %v, want both entries", got)
	}
	if e := b.last(); e.Outcome != txn.Merged || e.Parent != 2 {
		t.Errorf("the last event is %+v", e)
	}
}

// A program that replaces a registry without having read it replaces the version that it has
// removed.
func TestAReplacementInTwoStepsByAProgramThatHasReadNothing(t *testing.T) {
	b := newBench(t, `[{"id":"a"}]`)
	mv := program(1)
	b.ok(b.store.Unlink(file, mv))
	b.save(mv, `[{"id":"b"}]`)
	b.want(`[{"id":"b"}]`)
	if e := b.last(); e.Parent != 1 || e.Base.Kind != txn.BaseOpen {
		t.Errorf("the last event is %+v", e)
	}
}

// The same by mv, of content that a relative has made from an older version.
func TestAReplacementInTwoStepsByMv(t *testing.T) {
	b := newBench(t, `[]`)
	shell, jq, mv, other := program(1), program(2), program(3), program(4)
	jq.Ancestors, mv.Ancestors = []txn.Actor{shell.Actor}, []txn.Actor{shell.Actor}
	b.read(jq)
	b.read(other)
	b.save(other, `[{"id":"other"}]`)
	b.ok(b.store.Unlink(file, mv))
	b.save(mv, `[{"id":"jq"}]`)
	if got := b.ids(b.head()); len(got) != 2 {
		t.Errorf("the registry holds %v, want both entries", got)
	}
}

// A version that was removed is out of the way once another file is in its place, made by a
// program or behind the store, even if that goes, too.
func TestWhatWasRemovedIsForgottenWithItsSuccessor(t *testing.T) {
	for name, succeed := range map[string]func(b *bench){
		"by a program": func(b *bench) { b.save(program(4), `[{"id":"new"}]`) },
		"behind the store": func(b *bench) {
			_, ok, err := b.storage.Storage.Commit(file, "", 77, 0, []byte(`[{"id":"new"}]`), [32]byte{}, b.now, nil)
			if err != nil || !ok {
				t.Errorf("%v %v", ok, err)
			}
			b.head()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, `[]`)
			rm, reader, other := program(1), program(2), program(3)
			b.read(reader)
			b.read(other)
			b.save(other, `[{"id":"other"}]`)
			b.ok(b.store.Unlink(file, rm))
			succeed(b)
			b.ok(b.moveAside())
			b.save(reader, `[{"id":"mine"}]`)
			b.want(`[{"id":"mine"}]`)
		})
	}
}

// An editor moves the registry aside, and another program's commit comes between.
func TestWhatWasMovedAsideIsMergedInto(t *testing.T) {
	b := newBench(t, `[]`)
	vim, other, third := program(1), program(2), program(3)
	b.read(vim)
	b.read(other)
	b.read(third)
	b.save(third, `[{"id":"third"}]`)
	tx := b.stage(other, `[{"id":"other"}]`)
	b.ok(b.store.MoveOut(file, vim, b.moveAside))
	b.ok(tx.Flush(other, txn.Death{}))
	tx.Release()
	b.save(vim, `[{"id":"vim"}]`)
	if got := b.ids(b.head()); len(got) != 3 {
		t.Errorf("the registry holds %v, want all three entries", got)
	}
}

// A script moves the registry aside and writes a new one: neither is a replacement by mv.
func TestWhatAScriptMovedAsideIsMergedInto(t *testing.T) {
	b := newBench(t, `["a","b"]`)
	shell, jq, mv, other := program(1), program(2), program(3), program(4)
	jq.Ancestors, mv.Ancestors = []txn.Actor{shell.Actor}, []txn.Actor{shell.Actor}
	b.read(jq)
	b.kill(jq)
	b.read(other)
	b.save(other, `["a","b","other"]`)
	b.ok(b.store.MoveOut(file, mv, b.moveAside))
	b.kill(mv)
	b.save(shell, `["a","b","script"]`)
	b.want(`["a","b","other","script"]`)
}

// Several programs move the registry aside in turn. One of them, whose new file another one has
// moved aside, goes on from that, which has the third one's entry, not from the version that it
// moved aside itself.
func TestWhatIsMovedAsideInTurnIsMergedInto(t *testing.T) {
	b := newBench(t, `["a"]`)
	first, second, third := program(1), program(2), program(3)
	for _, p := range []txn.Caller{first, second, third} {
		b.read(p)
	}
	b.ok(b.store.MoveOut(file, first, b.moveAside))
	tx, err := b.store.Begin(file, first, txn.BeginOptions{Create: true, Truncate: true})
	b.ok(err)
	b.save(second, `["a","second"]`)
	b.ok(b.store.MoveOut(file, third, b.moveAside))
	b.put(tx, first, `["a","first"]`)
	b.want(`["a","second","first"]`)
	b.save(third, `["a","third"]`)
	b.want(`["a","second","first","third"]`)
}

// Deleting a registry and making another one is no replacement where the new one
// was not made from the old one, or comes later.
func TestWhatWasDeletedStaysDeleted(t *testing.T) {
	for name, renew := range map[string]func(b *bench) txn.Caller{
		"by a program that has seen nothing": func(*bench) txn.Caller { return program(4) },
		"by a relative of one that has": func(*bench) txn.Caller {
			cp := program(4)
			cp.Ancestors = []txn.Actor{program(5).Actor}
			return cp
		},
		"by one that has, later":            func(b *bench) txn.Caller { b.fire(); return program(2) },
		"by the one that deleted it, later": func(b *bench) txn.Caller { b.fire(); return program(1) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, `[]`)
			rm, reader, other := program(1), program(2), program(3)
			reader.Ancestors = []txn.Actor{program(5).Actor}
			b.read(rm)
			b.read(reader)
			b.read(other)
			b.save(other, `[{"id":"other"}]`)
			b.ok(b.store.Unlink(file, rm))
			b.save(renew(b), `[{"id":"new"}]`)
			b.want(`[{"id":"new"}]`)
		})
	}
}

// A slow program that removes a registry and creates it anew has replaced the
// removed version, however long it writes.
func TestASlowReplacementInTwoSteps(t *testing.T) {
	b := newBench(t, `["a"]`)
	git, other := program(1), program(2)
	b.read(git)
	b.read(other)
	b.save(other, `["a","other"]`)
	b.ok(b.store.Unlink(file, git))
	tx := b.stage(git, `["a","git"]`)
	b.fire()
	b.ok(tx.Flush(git, txn.Death{}))
	tx.Release()
	if got := b.head(); !strings.Contains(got, "other") || !strings.Contains(got, "git") {
		t.Errorf("the registry holds %s, want both entries", got)
	}
}

// One of several processes that take a registry away succeeds, by any ways of
// theirs.
func TestOneTakesARegistryAway(t *testing.T) {
	for range 20 {
		b := newBench(t, `{"v":1}`)
		c := program(9001)
		b.ok(b.store.Replace("other.json", c, txn.Replacement{Content: []byte(`{"v":0}`), Via: txn.ViaRename}))
		ways := []func(c txn.Caller) error{
			func(c txn.Caller) error { return b.store.Unlink(file, c) },
			func(c txn.Caller) error { return b.store.MoveOut(file, c, b.moveAside) },
			func(c txn.Caller) error { return b.rename(file, "free.json", c) },
			func(c txn.Caller) error {
				return b.rename(file, "other.json", c)
			},
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 3 * len(ways) {
			wg.Go(func() {
				switch err := ways[i%len(ways)](program(i + 1)); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, fs.ErrNotExist):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d took it away", won.Load())
		}
	}
}

// A name at which two programs make files in turn, to rename each to a place of its own, is no
// registry that they share: neither goes on from a file that the other has moved away.
func TestAFileThatWasMovedOnIsNotMergedInto(t *testing.T) {
	for _, asked := range []bool{true, false} {
		b := newBench(t, "")
		first, second := program(1), program(2)
		away := 0
		move := func() error { away++; return b.storage.Storage.Rename(file, fmt.Sprint("target-", away), true) }
		b.save(first, `{"s":{"x":"2"},"n":530}`)
		b.ok(b.store.MoveOut(file, first, move))
		b.save(second, `{"s":{"y":"5"},"n":698}`)
		b.ok(b.store.MoveOut(file, second, move))
		if asked {
			b.store.Missed(file, first, 7, b.store.Now()+1)
		}
		b.save(first, `{"s":{"x":"2","z":"3"},"n":858}`)
		b.want(`{"s":{"x":"2","z":"3"},"n":858}`)
	}
}
