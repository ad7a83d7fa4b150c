package txn_test

import (
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

// A slow machine must not make two transactions of one.
func TestADeletionWaitsForABusyProcess(t *testing.T) {
	busy := true
	b := newBench(t, `[]`, func(c *txn.Config) { c.Busy = func(txn.Actor) bool { return busy } })
	git := program(1)
	there := func() bool {
		s, err := b.store.Open(file)
		if err == nil {
			s.Release()
		}
		return err == nil
	}
	b.ok(b.store.Unlink(file, git))
	for range 20 {
		b.fire()
	}
	if !there() {
		t.Fatal("the deletion was committed while its process was busy")
	}
	busy = false
	b.fire()
	busy = true
	b.fire()
	if !there() {
		t.Error("the deletion was committed though its process was idle at one look only")
	}
	for range 100 {
		b.fire()
	}
	if there() {
		t.Error("the deletion waits for ever")
	}
}

func TestALateReplacementIsOneTransaction(t *testing.T) {
	b := newBench(t, `[]`)
	git, other := program(1), program(2)
	b.read(git)
	b.read(other)
	b.save(other, `[{"id":"other"}]`)
	b.ok(b.store.Unlink(file, git))
	b.endWindow()
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

// What a program has not read that it replaces late is what it has removed, as if
// it had been in time.
func TestALateReplacementByAProgramThatHasReadNothing(t *testing.T) {
	b := newBench(t, `[{"id":"a"}]`)
	mv := program(1)
	b.ok(b.store.Unlink(file, mv))
	b.endWindow()
	b.save(mv, `[{"id":"b"}]`)
	b.want(`[{"id":"b"}]`)
	if e := b.last(); e.Parent != 1 || e.Base.Kind != txn.BaseOpen {
		t.Errorf("the last event is %+v", e)
	}
}

// The same by mv, of what a relative has made from an older version.
func TestALateReplacementByMv(t *testing.T) {
	b := newBench(t, `[]`)
	shell, jq, mv, other := program(1), program(2), program(3), program(4)
	jq.Ancestors, mv.Ancestors = []txn.Actor{shell.Actor}, []txn.Actor{shell.Actor}
	b.read(jq)
	b.read(other)
	b.save(other, `[{"id":"other"}]`)
	b.ok(b.store.Unlink(file, mv))
	b.endWindow()
	b.save(mv, `[{"id":"jq"}]`)
	if got := b.ids(b.head()); len(got) != 2 {
		t.Errorf("the registry holds %v, want both entries", got)
	}
}

// What was removed is out of the way once something else is in its place, made by a
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
			b.endWindow()
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

// A script moves the registry aside and writes a new one: neither does what mv.
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
			b.endWindow()
			b.save(renew(b), `[{"id":"new"}]`)
			b.want(`[{"id":"new"}]`)
		})
	}
}

// Who saves a registry that another process has removed a moment before, and finds it
// there still, has it afterwards, whatever he saves.
func TestWhatWasSavedSinceStays(t *testing.T) {
	for _, content := range []string{`{"v":1}`, `{"v":2}`} {
		b := newBench(t, `{"v":1}`)
		remover, other := program(1), program(2)
		b.ok(b.store.Unlink(file, remover))
		b.save(other, content)
		b.endWindow()
		b.want(content)
	}
}
