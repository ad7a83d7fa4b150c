package txn_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// Work that must be alone parts a batch: requests that were queued before it are committed
// before it.
func TestARemovalPartsItsBatch(t *testing.T) {
	b := newBench(t, `{"first":0}`)
	errs := b.together(
		b.replace(program(1), `{"first":0,"second":2}`),
		func() error { return b.store.Unlink(file, program(2)) },
		b.replace(program(3), `{"third":3}`),
	)
	for i, err := range errs {
		if err != nil {
			t.Errorf("request %d returns %v", i, err)
		}
	}
	var told []string
	for _, e := range b.events[1:] {
		told = append(told, fmt.Sprintf("%d deleted %v, version %d", e.Writer.PID, e.Deleted, e.Seq))
	}
	if fmt.Sprint(told) != "[1 deleted false, version 3 2 deleted true, version 0 3 deleted false, version 4]" {
		t.Errorf("events %q", told)
	}
	kept, err := b.storage.Version(file, 3)
	if err != nil || string(kept) != `{"first":1,"second":2}` {
		t.Errorf("version 3 is %s, %v", kept, err)
	}
}

// A commit that somebody behind the store always overtakes is given up, and says so; its
// content is kept.
func TestACommitThatIsAlwaysBeatenFails(t *testing.T) {
	b := newBench(t, `{"n":0}`)
	n := 0
	b.storage.before = func() {
		n++
		b.storage.Storage.(*txntest.Memory).Foreign(file, fmt.Appendf(nil, `{"n":%d}`, n))
	}
	if err := b.saveErr(program(1), `{"mine":1}`); !errors.Is(err, txn.ErrBeaten) {
		t.Errorf("it returns %v", err)
	}
	b.storage.before = nil
	if n < 2 || b.storage.Storage.(*txntest.Memory).Quarantined() != 1 {
		t.Errorf("after %d attempts %d copies are kept", n, b.storage.Storage.(*txntest.Memory).Quarantined())
	}
	b.want(fmt.Sprintf(`{"n":%d}`, n))
}

// A removal that fails has removed nothing. One that is uncertain has, and says so.
func TestARemovalThatFails(t *testing.T) {
	b := newBench(t, `["x"]`)
	b.storage.remove = func(string, string, uint64) (bool, error) { return false, errors.New("disk on fire") }
	if err := b.store.Unlink(file, program(1)); err == nil || len(b.events) != 0 {
		t.Errorf("it returns %v, and tells %v", err, b.events)
	}
	b.want(`["x"]`)
	b.storage.remove = func(name, stamp string, seq uint64) (bool, error) {
		ok, _ := b.storage.Storage.Remove(name, stamp, seq)
		return ok, &txntest.UncertainError{Err: errors.New("disk on fire")}
	}
	if err := b.store.Unlink(file, program(1)); err == nil || len(b.events) != 1 || !b.events[0].Deleted {
		t.Errorf("it returns %v, and tells %v", err, b.events)
	}
	b.storage.remove = nil
	if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("then it opens: %v", err)
	}
}

// A change behind the store while the registry is being removed is a version, which is removed.
func TestARemovalThatIsBeatenIsMadeAnew(t *testing.T) {
	b := newBench(t, `["x"]`)
	b.storage.remove = func(name, stamp string, seq uint64) (bool, error) {
		b.storage.remove = nil
		b.storage.Storage.(*txntest.Memory).Foreign(file, []byte(`["foreign"]`))
		return b.storage.Storage.Remove(name, stamp, seq)
	}
	b.ok(b.store.Unlink(file, program(1)))
	if kept, err := b.storage.Version(file, 2); err != nil || string(kept) != `["foreign"]` {
		t.Errorf("version 2 is %s, %v", kept, err)
	}
}

// A process that unlinks a file that it has open commits nothing to it any more; another
// one does.
func TestAFileThatItsWriterUnlinked(t *testing.T) {
	for _, own := range []bool{true, false} {
		b := newBench(t, `["x"]`)
		p, q := program(1), program(2)
		b.read(p)
		tx := b.stage(p, `["x","p"]`)
		c := q
		if own {
			c = p
		}
		b.ok(b.store.Unlink(file, c))
		b.ok(tx.Flush(p, txn.Death{}))
		tx.Release()
		_, err := b.store.Open(file)
		if there := err == nil; there == own {
			t.Errorf("unlinked by itself: %v; the file is there: %v", own, there)
		}
	}
}

// A stranger without a view of the version that was moved aside makes a new file.
func TestAStrangerKnowsNothingOfWhatWasMovedAside(t *testing.T) {
	for _, asked := range []bool{true, false} {
		b := newBench(t, `["x"]`)
		b.ok(b.store.MoveOut(file, program(1), func() error { return b.storage.Storage.Rename(file, "aside", true) }))
		if asked {
			b.store.Missed(file, program(2), 7, b.store.Now()+1)
		}
		b.save(program(2), `["y"]`)
		b.want(`["y"]`)
	}
}

// Content in flight of other processes is none of a writer's candidates, nor is that of
// processes that can't be told, nor its own that it has begun to write later.
func TestOthersTransactionsAreNoCandidates(t *testing.T) {
	nobody := txn.Caller{UID: 1000}
	for name, c := range map[string]struct{ other, writer txn.Caller }{
		"of another process":    {program(1), program(2)},
		"of nobody who is told": {nobody, nobody},
	} {
		b := newBench(t, `{}`)
		b.read(c.writer)
		other := b.stage(c.other, `{"q":"x"}`)
		tx := b.stage(c.writer, `{"q":"x","p":"y"}`)
		b.ok(tx.Flush(c.writer, txn.Death{}))
		tx.Release()
		e := b.last()
		if e.Base.Kind == txn.BaseInFlight || len(e.Base.Candidates) > 1 {
			t.Errorf("%s: the base is %+v", name, e.Base)
		}
		other.Release()
	}
	b := newBench(t, `{}`)
	p := program(1)
	b.read(p)
	earlier := b.stage(p, `{"p":"y","q":"x"}`)
	later := b.stage(p, `{"q":"x"}`)
	b.ok(earlier.Flush(p, txn.Death{}))
	if e := b.last(); e.Base.Kind == txn.BaseInFlight || len(e.Base.Candidates) > 1 {
		t.Errorf("later: the base is %+v", e.Base)
	}
	earlier.Release()
	later.Release()
}

// The event of a commit names the kind of its base.
func TestBasesAreNamed(t *testing.T) {
	b := newBench(t, `{"n":1}`)
	p, x := program(1), program(2)
	b.read(p)
	b.read(x)
	b.save(x, `{"n":1,"x":1}`)
	b.save(p, `{"n":1,"p":1}`)
	if e := b.last(); e.Base.Kind != txn.BaseRead {
		t.Errorf("first: %+v", e.Base)
	}
	b.save(x, `{"n":1,"x":2}`)
	b.save(p, `{"n":1,"p":2}`)
	if e := b.last(); e.Base.Kind != txn.BaseWrite || len(e.Base.Candidates) != 0 {
		t.Errorf("then: %+v", e.Base)
	}
	b.read(p)
	b.save(x, `{"n":1,"x":3}`)
	b.save(p, `{"n":1,"p":3,"x":2}`)
	if e := b.last(); e.Base.Kind != txn.BaseRead || len(e.Base.Candidates) != 2 {
		t.Errorf("of two: %+v", e.Base)
	}
}

// Registries in a directory that is renamed go along, those that are open, too.
func TestARenamedDirectoryTakesItsRegistriesAlong(t *testing.T) {
	b := newBench(t, "")
	p := program(1)
	open := func(name string) *txn.Tx {
		tx, err := b.store.Begin(name, p, txn.BeginOptions{Create: true, Truncate: true})
		b.ok(err)
		_, err = tx.WriteAt(p, []byte(`["x"]`), 0)
		b.ok(err)
		return tx
	}
	below, beside := open("sub/a.json"), open("subway.json")
	b.ok(b.store.RenameDir("sub", "to", false, p))
	if below.Name() != "to/a.json" || beside.Name() != "subway.json" {
		t.Errorf("they are %s and %s", below.Name(), beside.Name())
	}
	for _, tx := range []*txn.Tx{below, beside} {
		b.ok(tx.Flush(p, txn.Death{}))
		tx.Release()
	}
	if b, _, _, err := b.storage.Load("to/a.json"); err != nil || string(b) != `["x"]` {
		t.Errorf("to/a.json holds %s, %v", b, err)
	}
}

// Registries in directories that change places go along: a program's view of one is no view of
// the other, which has its name then.
func TestExchangedDirectoriesTakeTheirRegistriesAlong(t *testing.T) {
	b := newBench(t, "", func(c *txn.Config) { c.Boot = "boot" })
	p := program(1)
	for _, again := range []bool{false, true} {
		b.saveTo("one/a.json", p, `{"one":1}`)
		b.saveTo("two/a.json", p, `{"two":1}`)
		if again {
			b.restart()
		}
		tx, err := b.store.Begin("one/a.json", p, txn.BeginOptions{Truncate: true})
		b.ok(err)
		_, err = tx.WriteAt(p, []byte(`{"one":2}`), 0)
		b.ok(err)
		b.ok(b.store.ExchangeNames("one", "two", p))
		if tx.Name() != "two/a.json" {
			t.Errorf("it is %s", tx.Name())
		}
		b.saveTo("one/a.json", p, `{"one":3}`)
		b.ok(tx.Flush(p, txn.Death{}))
		tx.Release()
		if one, two := b.readFrom("one/a.json", p), b.readFrom("two/a.json", p); one != `{"one":3}` || two != `{"one":2}` {
			t.Errorf("they hold %s and %s", one, two)
		}
	}
}

// A registry and a directory change places: the views of the registry go along, too, so that what
// a program writes by its new name is merged with what others have added before.
func TestARegistryThatChangesPlacesWithADirectoryKeepsItsViews(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	p, other := program(1), program(2)
	b.read(p)
	b.read(other)
	b.save(other, `{"a":1,"other":1}`)
	b.saveTo("d/inner.json", other, `{"in":1}`)
	b.ok(b.store.ExchangeNames(file, "d", other))
	b.saveTo("d", p, `{"a":2}`)
	if got := b.readFrom("d", p); got != `{"a":2,"other":1}` {
		t.Errorf("the registry holds %s", got)
	}
	if got := b.readFrom(file+"/inner.json", other); got != `{"in":1}` {
		t.Errorf("the one in the directory holds %s", got)
	}
}

// A file that comes to a registry's name is the doing of the process that has put it there,
// in the log, too. A later change behind the store is not.
func TestArrivals(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	p := program(1)
	memory := b.storage.Storage.(*txntest.Memory)
	arrive := func(content []byte, change func()) {
		t.Helper()
		files := []txn.Arrival{{Name: file, Replacement: txn.Replacement{Content: content, Via: txn.ViaRename}}}
		b.ok(b.store.Arrive(p, files, func() error { change(); return nil }))
		if e := b.last(); e.Writer.Actor != p.Actor || e.Via != txn.ViaRename || e.Deleted != (content == nil) {
			t.Errorf("by %v, via %s, deleted: %v", e.Writer, e.Via, e.Deleted)
		}
	}
	b.read(p)
	arrive([]byte(`{"b":1}`), func() { memory.Foreign(file, []byte(`{"b":1}`)) })
	b.save(p, `{"b":2}`)
	b.want(`{"b":2}`)
	memory.Foreign(file, []byte(`{"b":2,"behind":1}`))
	b.save(p, `{"b":3}`)
	b.want(`{"b":3,"behind":1}`)
	arrive(nil, func() { b.ok(memory.Rename(file, "aside", true)) })
}

// A directory that was renamed has its new name though that may not be durable.
func TestADirectoryWhoseRenameIsUncertain(t *testing.T) {
	b := newBench(t, "")
	p := program(1)
	b.saveTo("d/a.json", p, `{"a":1}`)
	b.storage.Storage = &uncertainRename{b.storage.Storage}
	if err := b.store.RenameDir("d", "e", false, p); err == nil {
		t.Fatal("it is certain")
	}
	b.saveTo("e/a.json", p, `{"a":2}`)
	if e := b.last(); e.Parent != 1 || e.Seq != 2 || e.Via != txn.ViaClose {
		t.Errorf("version %d of %d, by %s", e.Seq, e.Parent, e.Via)
	}
}

// uncertainRename renames, and says that this may not be durable.
type uncertainRename struct{ txn.Storage }

func (u *uncertainRename) Rename(from, to string, noreplace bool) error {
	return errors.Join(u.Storage.Rename(from, to, noreplace), uncertainError{})
}

type uncertainError struct{}

func (uncertainError) Error() string   { return "perhaps not durable" }
func (uncertainError) Uncertain() bool { return true }

// While a registry is being removed the live file may be gone already: others still find it.
func TestARegistryThatIsBeingRemovedIsShown(t *testing.T) {
	b := newBench(t, `["x"]`)
	var during txn.Presence
	b.storage.remove = func(name, stamp string, seq uint64) (bool, error) {
		during, _ = b.store.Look(file, func() txn.Actor { return program(2).Actor })
		return b.storage.Storage.Remove(name, stamp, seq)
	}
	b.ok(b.store.Unlink(file, program(1)))
	if during != txn.AtHead {
		t.Errorf("meanwhile: %v", during)
	}
}
