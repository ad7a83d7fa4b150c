package txn_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"clawfs/txn"
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

// What was saved of a registry that nobody has opened since is saved again, and goes with
// its directory.
func TestSavedViewsWaitForTheirRegistry(t *testing.T) {
	renamed := func(b *bench) { b.ok(b.store.RenameDir("d", "e", true)) }
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

// Views of a registry that is forgotten before anybody has opened it are not saved again.
func TestSavedViewsOfTheForgottenAreNotSavedAgain(t *testing.T) {
	b := newBench(t, `{"secret":1}`, func(c *txn.Config) { c.Boot = "boot" })
	b.read(program(1))
	b.restart()
	_, err := b.store.Forget(file)
	b.ok(err)
	b.ok(b.store.SaveViews())
	record, err := b.storage.TakeViews()
	b.ok(err)
	if views, err := io.ReadAll(record); err != nil || bytes.Contains(views, []byte(file)) {
		t.Errorf("saved: %s, %v", views, err)
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
