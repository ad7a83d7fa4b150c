package txn_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// gone returns the registries that something is kept of though they are gone.
func (b *bench) gone() []string {
	b.Helper()
	var names []string
	b.ok(b.storage.Gone(func(name string, _ int64, _ time.Time) bool {
		names = append(names, name)
		return true
	}))
	return names
}

func TestBriefRegistriesLeaveNothing(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(b *bench)
		lived  time.Duration
		after  func(b *bench)
		want   []string
	}{
		{name: "a moment", lived: 59 * time.Second},
		{name: "for long", lived: time.Minute, want: []string{file}},
		{name: "there before the store", before: func(b *bench) {
			b.ok(b.store.Unlink(file, program(1)))
			b.fire()
			b.ok(put(b, "[1]"))
			b.store = txn.New(b.storage, b.config)
		}, want: []string{file}},
		{name: "replaced in two steps", after: func(b *bench) { b.save(program(1), `[2]`) }},
		{name: "at the end", after: func(b *bench) { b.ok(b.store.Close()) }},
		{name: "filled late", before: func(b *bench) {
			b.ok(b.store.Unlink(file, program(1)))
			b.fire()
			b.pass(time.Hour)
			b.open(program(3)).Release()
			b.pass(time.Hour)
		}, lived: time.Second},
		{name: "open though it was removed", before: func(b *bench) { b.open(program(5)) }, want: []string{file}},
		{name: "in use", after: func(b *bench) { b.open(program(1)) }, want: nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, `[]`)
			if test.before != nil {
				test.before(b)
			}
			b.pass(test.lived)
			b.save(program(2), `[1]`)
			b.ok(b.store.Unlink(file, program(1)))
			if !slices.Equal(b.gone(), []string{file}) {
				t.Errorf("nothing is left at once: %q", b.gone())
			}
			if test.after != nil {
				test.after(b)
			}
			b.fire()
			if got := b.gone(); !slices.Equal(got, test.want) {
				t.Errorf("of %q something is left, want %q", got, test.want)
			}
			if test.name == "replaced in two steps" {
				if kept, err := b.storage.Versions(file); len(kept) != 2 || err != nil {
					t.Errorf("versions kept: %d, %v", kept, err)
				}
				return
			}
			if test.name != "in use" {
				b.save(program(3), `[3]`)
				b.want(`[3]`)
			}
		})
	}
}

// put writes the file behind the store.
func put(b *bench, content string) error {
	_, _, err := b.storage.Commit(file, "", 1, 0, []byte(content), sha256.Sum256([]byte(content)), b.now, nil)
	return err
}

func TestSweepKeepsTheLimits(t *testing.T) {
	b := newBench(t, "")
	names := []string{"a.json", "b.json", "c.json", "d.json"}
	for _, name := range names {
		tx, err := b.store.Begin(name, program(1), txn.BeginOptions{Create: true})
		b.ok(err)
		_, err = tx.WriteAt(program(1), []byte(`["x"]`), 0)
		b.ok(err)
		b.ok(tx.Flush(program(1), txn.Death{}))
		tx.Release()
	}
	b.pass(time.Hour)
	for _, name := range names[:3] {
		b.ok(b.store.Unlink(name, program(1)))
	}
	sweep := func(l txn.Limits, kept, over int, want ...string) {
		t.Helper()
		var removed []string
		swept, err := b.store.Sweep(l, func(name string) { removed = append(removed, name) })
		b.ok(err)
		if swept != (txn.Swept{Kept: kept, Over: over}) || len(removed) != over || !slices.Equal(b.gone(), want) {
			t.Errorf("swept %+v, removed %q, left %q", swept, removed, b.gone())
		}
	}
	large := txn.Limits{Room: 1 << 30, Age: 1 << 62}
	sweep(txn.Limits{}, 3, 0, names[:3]...) // they may still be a base
	b.fire()
	sweep(large, 3, 0, names[:3]...)
	room := int64(0)
	b.ok(b.storage.Gone(func(_ string, r int64, _ time.Time) bool { room = r; return true }))
	sweep(txn.Limits{Room: 5 * room / 2, Age: large.Age}, 2, 1, names[1:3]...) // the oldest goes
	sweep(txn.Limits{Room: large.Room, Age: b.now.Sub(time.Unix(0, 0))}, 1, 1, names[2])
	sweep(txn.Limits{}, 0, 1)
	if kept, err := b.storage.LastRecord("d.json"); kept == nil || err != nil {
		t.Errorf("what exists has lost its log: %v", err)
	}
}

func TestForgetWhileTheStoreServes(t *testing.T) {
	b := newBench(t, `[1]`, func(c *txn.Config) { c.Boot = "boot" })
	c := program(1)
	b.read(c)
	for _, content := range []string{`[1,"secret"]`, `[1]`, `[1,2]`} {
		b.save(c, content)
	}
	for _, want := range [][]uint64{{2}, {1, 3}} {
		seqs := want
		if len(want) > 1 {
			seqs = nil
		}
		if got, err := b.store.Forget(file, seqs...); err != nil || !slices.Equal(got, want) {
			t.Errorf("forgotten: %d, %v, want %d", got, err, want)
		}
	}
	if kept, err := b.storage.Versions(file); len(kept) > 0 || err != nil {
		t.Errorf("kept: %d, %v", kept, err)
	}
	b.want(`[1,2]`)
	if line, err := b.storage.LastRecord(file); line == nil || err != nil {
		t.Errorf("the log is gone: %v", err)
	}
	b.save(c, `[1,2,3]`)
	b.ok(b.store.Unlink(file, c))
	if _, err := b.store.Forget(file); err != nil || len(b.gone()) > 0 {
		t.Errorf("%v, left %q", err, b.gone())
	}
}

// A version is forgotten with what programs have seen of it: the record of views that the next
// store finds does not hold it.
func TestForgottenContentIsNotInTheRecordOfViews(t *testing.T) {
	b := newBench(t, `[1]`, func(c *txn.Config) { c.Boot = "boot" })
	c := program(1)
	b.save(c, `[1,"secret"]`)
	b.read(program(2))
	b.save(c, `[1]`)
	_, err := b.store.Forget(file, 2)
	b.ok(err)
	b.ok(b.store.SaveViews())
	record, err := b.storage.TakeViews()
	b.ok(err)
	views, err := io.ReadAll(record)
	b.ok(err)
	secret := base64.StdEncoding.EncodeToString([]byte(`[1,"secret"]`))
	if !bytes.Contains(views, []byte(base64.StdEncoding.EncodeToString([]byte(`[1]`)))) || bytes.Contains(views, []byte(secret)) {
		t.Errorf("the record of views:\n%s", views)
	}
}

// A change behind the store that is found while versions are forgotten is told like any other.
// A file that can't be read keeps its history. Each error is told.
func TestForgetLooksAtTheFileFirst(t *testing.T) {
	b := newBench(t, `[1]`)
	b.save(program(1), `[2]`)
	b.save(program(1), `[2,2]`)
	memory := b.storage.Storage.(*txntest.Memory)
	memory.Foreign(file, []byte(`[3]`))
	_, err := b.store.Forget(file, 1)
	b.ok(err)
	if e := b.last(); e.Via != txn.ViaForeign || !e.Changed {
		t.Errorf("the last event is %+v", e)
	}
	memory.Foreign(file, []byte(`[4]`))
	var failing string
	fault := errors.New("disk on fire")
	memory.Hook = func(s txntest.Step) error {
		if s.Call == failing {
			return fault
		}
		return nil
	}
	for _, failing = range []string{"load", "forget"} {
		for _, seqs := range [][]uint64{nil, {2}} {
			if _, err := b.store.Forget(file, seqs...); !errors.Is(err, fault) {
				t.Errorf("versions %d, which can't be forgotten (%s): %v", seqs, failing, err)
			}
		}
		memory.Foreign(file, []byte(`[5]`))
	}
	failing = ""
	if kept, err := b.storage.Versions(file); len(kept) == 0 || err != nil {
		t.Errorf("kept: %d, %v", kept, err)
	}
}

// A brief registry whose store was killed before it could erase it goes with the next sweep,
// and nobody is told. A history that can't be erased is counted as kept, and the error told.
func TestSweepOfBriefRegistries(t *testing.T) {
	b := newBench(t, "")
	b.save(program(1), `["x"]`)
	b.ok(b.store.Unlink(file, program(1)))
	b.store = txn.New(b.storage, b.config)
	large := txn.Limits{Room: 1 << 30, Age: 1 << 62}
	told := func(name string) { t.Errorf("%s is told", name) }
	b.storage.noErase = errors.New("disk on fire")
	if swept, err := b.store.Sweep(large, told); !errors.Is(err, b.storage.noErase) || swept != (txn.Swept{Kept: 1}) {
		t.Errorf("swept %+v, %v", swept, err)
	}
	b.storage.noErase = nil
	if swept, err := b.store.Sweep(large, told); err != nil || swept != (txn.Swept{Brief: 1}) || len(b.gone()) != 0 {
		t.Errorf("swept %+v, %v, left %q", swept, err, b.gone())
	}
}
