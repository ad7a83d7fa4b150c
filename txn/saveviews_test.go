package txn_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/seen"
)

// A program that keeps its registry in memory goes on from there though clawfs was
// started anew beside it, in the same boot of the system and as long as it lives.
func TestViewsOutliveTheStore(t *testing.T) {
	for _, test := range []struct {
		name, boot string
		dies       bool
		want       string
	}{
		{"same boot", "boot", false, `{"a":1,"gateway":3,"cli":2}`},
		{"another boot", "other", false, `{"a":1,"gateway":3}`},
		{"another process", "boot", true, `{"a":1,"gateway":3}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, `{"a":1}`, func(c *txn.Config) { c.Boot = "boot" })
			gateway, cli := program(1), program(2)
			b.read(gateway)
			b.save(gateway, `{"a":1,"gateway":2}`)
			b.ok(b.store.SaveViews())

			b.config.Boot = test.boot
			b.store = txn.New(b.storage, b.config)
			if test.dies {
				b.kill(gateway)
			}
			b.read(cli)
			b.save(cli, `{"a":1,"gateway":2,"cli":2}`)
			b.save(gateway, `{"a":1,"gateway":3}`)
			b.want(test.want)
		})
	}
}

// restart has the store end and another one begin over the same storage.
func (b *bench) restart() {
	b.Helper()
	b.ok(b.store.SaveViews())
	b.store = txn.New(b.storage, b.config)
}

// saveTo writes a registry of any name whole.
func (b *bench) saveTo(name string, c txn.Caller, content string) {
	b.Helper()
	tx, err := b.store.Begin(name, c, txn.BeginOptions{Truncate: true, Create: true})
	b.ok(err)
	defer tx.Release()
	_, err = tx.WriteAt(c, []byte(content), 0)
	b.ok(err)
	b.ok(tx.Flush(c, txn.Death{}))
}

// readFrom reads a registry of any name whole.
func (b *bench) readFrom(name string, c txn.Caller) string {
	b.Helper()
	s, err := b.store.Open(name)
	b.ok(err)
	defer s.Release()
	p := make([]byte, s.Size())
	_, err = s.ReadAt(c, p, 0)
	b.ok(err)
	return string(p)
}

// The views of a registry that nobody has opened since are saved again, and go with its
// directory.
func TestSavedViewsWaitForTheirRegistry(t *testing.T) {
	renamed := func(b *bench) { b.ok(b.store.RenameDir("d", "e", true, program(1))) }
	for _, test := range []struct {
		name, was string
		then      func(b *bench)
		is        string
	}{
		{"one restart", file, func(*bench) {}, file},
		{"two", file, func(b *bench) { b.restart() }, file},
		{"its directory was renamed", "d/" + file, renamed, "e/" + file},
		{"renamed, and another restart", "d/" + file, func(b *bench) { renamed(b); b.restart() }, "e/" + file},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, "", func(c *txn.Config) { c.Boot = "boot" })
			gateway, cli := program(1), program(2)
			b.saveTo(test.was, program(9000), `{"a":1}`)
			b.readFrom(test.was, gateway)
			b.saveTo(test.was, gateway, `{"a":1,"gateway":2}`)
			b.restart()
			test.then(b)
			b.readFrom(test.is, cli)
			b.saveTo(test.is, cli, `{"a":1,"gateway":2,"cli":2}`)
			b.saveTo(test.is, gateway, `{"a":1,"gateway":3}`)
			if got, want := b.readFrom(test.is, cli), `{"a":1,"gateway":3,"cli":2}`; got != want {
				t.Errorf("the registry holds %s, want %s", got, want)
			}
		})
	}
}

// Commands of a script that had ended before a restart had ended before the commands that
// follow it began: the latter have seen the writes of the former, however many registries
// there are.
func TestTheDeadEndedBeforeTheRestart(t *testing.T) {
	b := newBench(t, `{"a":1}`, func(c *txn.Config) { c.Boot = "boot" })
	command := func(pid int) txn.Caller {
		c := program(pid)
		c.Ancestors = []txn.Actor{program(1).Actor}
		return c
	}
	b.kill(program(9000)) // it has made the registry
	git, sed, cp := command(2), command(3), command(4)
	names := []string{file}
	for n := range 40 {
		name := fmt.Sprintf("a%d.json", n)
		b.saveTo(name, program(9000), `{"a":1}`)
		names = append(names, name)
	}
	for _, name := range names {
		b.readFrom(name, git)
	}
	b.kill(git)
	b.restart()

	b.read(sed)
	b.save(sed, `{"a":1,"sed":2}`)
	b.kill(sed)
	b.save(cp, `{"cp":3}`)
	b.want(`{"cp":3}`)
}

// A view of a process that had ended is not saved again once it serves nobody any more.
func TestViewsOfTheDeadAreNotSavedForEver(t *testing.T) {
	b := newBench(t, `{"seen":1}`, func(c *txn.Config) { c.Boot = "boot" })
	b.read(program(1))
	b.kill(program(1))
	b.kill(program(9000))
	for _, test := range []struct {
		later time.Duration
		want  bool
	}{{0, true}, {30 * time.Second, true}, {90 * time.Second, false}} {
		b.pass(test.later)
		b.restart()
		b.ok(b.store.SaveViews())
		record, err := b.storage.TakeViews()
		b.ok(err)
		views, err := io.ReadAll(record)
		b.ok(err)
		if got := strings.Contains(string(views), base64.StdEncoding.EncodeToString([]byte(`{"seen":1}`))); got != test.want {
			t.Errorf("after %s more it is saved: %v", test.later, got)
		}
		b.ok(b.storage.AppendViews(func(w io.Writer) error { _, err := w.Write(views); return err }))
	}
}

// Contents that are forgotten are not saved, for any process that has seen them. Views of the
// head are: their process goes on from there.
func TestForgottenContentsAreNotSaved(t *testing.T) {
	for _, test := range []struct {
		name  string
		seqs  []uint64
		again bool // the store was restarted before, and nobody has opened the registry since
	}{
		{name: "a version", seqs: []uint64{1}},
		{name: "all versions"},
		{"a version, after a restart", []uint64{1}, true},
		{"all versions, after a restart", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, `{"secret":1}`, func(c *txn.Config) { c.Boot = "boot" })
			gateway, old, cli := program(1), program(2), program(3)
			b.read(old)
			late, err := b.store.Open(file)
			b.ok(err)
			b.read(gateway)
			b.save(gateway, `{"gateway":2}`)
			if test.again {
				b.restart()
			}
			_, err = b.store.Forget(file, test.seqs...)
			b.ok(err)
			_, err = late.ReadAt(old, make([]byte, late.Size()), 0)
			b.ok(err)
			late.Release()
			b.ok(b.store.SaveViews())
			record, err := b.storage.TakeViews()
			b.ok(err)
			views, err := io.ReadAll(record)
			b.ok(err)
			if secret := base64.StdEncoding.EncodeToString([]byte(`{"secret":1}`)); strings.Contains(string(views), secret) {
				t.Errorf("saved: %s", views)
			}

			b.ok(b.storage.AppendViews(func(w io.Writer) error { _, err := w.Write(views); return err }))
			b.store = txn.New(b.storage, b.config)
			b.read(cli)
			b.save(cli, `{"gateway":2,"cli":2}`)
			b.save(gateway, `{"gateway":3}`)
			b.want(`{"gateway":3,"cli":2}`)
		})
	}
}

// A record that was cut off, by a full disk or a kill, says nothing of a process that it does
// not name: its writes replace nothing of others, as after a kill of the daemon.
func TestACutRecordTellsOfNobodyElse(t *testing.T) {
	gateway, other, cli := program(1), program(2), program(2000)
	for cut, whole := 0, false; !whole; cut += 7 {
		b := newBench(t, `{"a":1}`, func(c *txn.Config) { c.Boot, c.Began = "boot", 1000 })
		b.read(other)
		b.save(other, `{"a":1,"other":2}`)
		b.read(gateway)
		b.save(gateway, `{"a":1,"other":2,"gateway":2}`)
		b.ok(b.store.SaveViews())
		record, err := b.storage.TakeViews()
		b.ok(err)
		views, err := io.ReadAll(record)
		b.ok(err)
		cut = min(cut, len(views))
		whole = cut == len(views)
		b.ok(b.storage.AppendViews(func(w io.Writer) error { _, err := w.Write(views[:cut]); return err }))

		b.store = txn.New(b.storage, b.config)
		b.read(cli)
		b.save(cli, `{"a":1,"other":2,"gateway":2,"cli":2}`)
		b.save(gateway, `{"a":1,"other":2,"gateway":3}`)
		if got, want := b.head(), `{"a":1,"other":2,"gateway":3,"cli":2}`; got != want {
			t.Fatalf("of %d bytes %d were saved, behind %q; the registry holds %s, want %s", len(views), cut, views[max(0, cut-60):cut], got, want)
		}
	}
}

// A large registry's views are saved and taken over without copies of it in memory, but
// for the line that is read.
func TestViewsOfLargeRegistriesTakeLittleMemory(t *testing.T) {
	const size = 8 << 20
	b := newBench(t, `"`+strings.Repeat("x", size)+`"`, func(c *txn.Config) { c.Boot = "boot" })
	b.read(program(1))
	record, err := os.Create(filepath.Join(t.TempDir(), "views"))
	b.ok(err)
	defer record.Close()
	b.storage.Storage = &filedViews{b.storage.Storage, record}
	if got := allocated(func() { b.ok(b.store.SaveViews()) }); got > size/8 {
		t.Errorf("%d bytes were allocated to save %d", got, size)
	}
	var again *txn.Store
	if got := allocated(func() { again = txn.New(b.storage, b.config) }); got > 6*size {
		t.Errorf("%d bytes were allocated to read %d", got, size)
	}
	b.store = again
	b.read(program(1))
}

// allocated returns how many bytes were allocated while f ran.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// filedViews has the views in a file.
type filedViews struct {
	txn.Storage
	record *os.File
}

func (f *filedViews) AppendViews(lines func(io.Writer) error) error { return lines(f.record) }

func (f *filedViews) TakeViews() (io.ReadCloser, error) {
	_, err := f.record.Seek(0, io.SeekStart)
	return io.NopCloser(f.record), err
}

// A program that was told that there is no registry has used that up by its first write, though it was
// told otherwise before a restart, and the last such answers are part of a call: alone, it means its content.
func TestWhatWasUsedUpBeforeARestart(t *testing.T) {
	for _, again := range []bool{false, true} {
		b := newBench(t, "", func(c *txn.Config) { c.Boot = "boot" })
		p := program(1)
		who := func() txn.Caller { return p }
		b.store.Missed(file, p, 7, b.store.Now())
		b.save(p, `{"a":1}`)
		b.save(p, `{"a":1,"b":"x"}`)
		b.store.Found(file, 7, who)
		b.restart()
		if again {
			b.store.Found(file, 7, who)
		}
		tx, err := b.store.Begin(file, p, txn.BeginOptions{Truncate: true, Thread: 7})
		b.ok(err)
		b.put(tx, p, `{"a":1}`)
		b.want(`{"a":1}`)
		if why := b.last().Base.Why; why != seen.Alone {
			t.Errorf("its base was chosen because %q", why)
		}
	}
}

// An answer that comes after a restart counts, though nobody has used the registry since.
func TestAnAnswerAfterARestart(t *testing.T) {
	b := newBench(t, "", func(c *txn.Config) { c.Boot = "boot" })
	p, q := program(1), program(2)
	b.store.Missed(file, p, 7, b.store.Now())
	b.save(q, `["q"]`)
	b.restart()
	b.store.Found(file, 7, func() txn.Caller { return p })
	tx, err := b.store.Begin(file, p, txn.BeginOptions{Truncate: true, Thread: 8})
	b.ok(err)
	b.put(tx, p, `["p"]`)
	b.want(`["p"]`)
}
