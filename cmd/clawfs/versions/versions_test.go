package versions_test

import (
	"errors"
	"io"
	"path/filepath"
	"testing"

	"clawfs/backing"
	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

const file = "models.json"

// bench is a directory that is not mounted, and the engine that commits in it.
type bench struct {
	testing.TB
	root   string
	engine *versions.Engine
	policy *merge.Policy
}

// settings are those of a bench.
type settings struct{ b *bench }

func (s settings) Policy(string) *merge.Policy            { return s.b.policy }
func (settings) Dialect(string) (d txn.Dialect, set bool) { return txn.Strict, false }
func (settings) Registry(name string) bool                { return filepath.Ext(name) == ".json" }

func newBench(t testing.TB) *bench {
	b := &bench{TB: t, root: t.TempDir()}
	b.engine = &versions.Engine{
		Settings: func(string) (versions.Settings, error) { return settings{b}, nil },
		Open: func(root string) (*txn.Store, io.Closer, error) {
			store, dir, err := b.open()
			return store, &checkedDir{b, dir, store}, err
		},
	}
	return b
}

// checkedDir is a directory whose store is looked through before it is closed.
type checkedDir struct {
	testing.TB
	dir   *backing.Dir
	store *txn.Store
}

// Close implements io.Closer.
func (c *checkedDir) Close() error {
	if err := c.store.CheckInvariants(); err != nil {
		c.Error(err)
	}
	return c.dir.Close()
}

func (b *bench) open() (*txn.Store, *backing.Dir, error) {
	dir, err := backing.Open(b.root, backing.Options{KeepVersions: 1000, Durability: backing.None})
	if err != nil {
		return nil, nil, err
	}
	return txn.New(dir, txn.Config{Policy: func(string) *merge.Policy { return b.policy }}), dir, nil
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) place() versions.Place { return versions.Place{Root: b.root, Name: file} }

func (b *bench) version(seq uint64) versions.Target {
	return versions.Target{Place: b.place(), Seq: seq}
}

// write commits contents, each as a version of its own.
func (b *bench) write(contents ...string) {
	b.Helper()
	store, dir, err := b.open()
	b.ok(err)
	for i, content := range contents {
		c := txn.Caller{Actor: txn.Actor{PID: 100 + i, Start: 1}, Program: "test"}
		tx, err := store.Begin(file, c, txn.BeginOptions{Truncate: true, Create: true})
		b.ok(err)
		tx.Put()
		_, err = tx.WriteAt(c, []byte(content), 0)
		b.ok(err)
		b.ok(tx.Flush(c, txn.Death{}))
		tx.Release()
	}
	b.ok(store.Close())
	b.ok(dir.Close())
}

// meet has two programs write contents that they have made of one version, the second one merged
// with the first.
func (b *bench) meet(base, first, second string) {
	b.Helper()
	store, dir, err := b.open()
	b.ok(err)
	save := func(c txn.Caller, content string) {
		tx, err := store.Begin(file, c, txn.BeginOptions{Truncate: true, Create: true})
		b.ok(err)
		_, err = tx.WriteAt(c, []byte(content), 0)
		b.ok(err)
		b.ok(tx.Flush(c, txn.Death{}))
		tx.Release()
	}
	one, other := txn.Caller{Actor: txn.Actor{PID: 1, Start: 1}, Program: "one"}, txn.Caller{Actor: txn.Actor{PID: 2, Start: 1}, Program: "other"}
	save(txn.Caller{Actor: txn.Actor{PID: 3, Start: 1}}, base)
	for _, c := range []txn.Caller{one, other} {
		s, err := store.Open(file)
		b.ok(err)
		_, err = s.ReadAt(c, make([]byte, len(base)), 0)
		if err != nil && !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
		s.Release()
	}
	save(one, first)
	save(other, second)
	b.ok(store.Close())
	b.ok(dir.Close())
}

// head returns the registry's content.
func (b *bench) head() string {
	b.Helper()
	c, err := b.version(0).Read()
	b.ok(err)
	return c.Content
}

func parse(t testing.TB, text string) *jsondoc.Doc {
	t.Helper()
	d, err := txn.Strict.Read([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

func equal(t testing.TB, a, b string) bool {
	t.Helper()
	return jsondoc.Equal(parse(t, a).Root(), parse(t, b).Root())
}

// forget removes versions from the history.
func (b *bench) forget(seqs ...uint64) error {
	_, dir, err := b.open()
	if err != nil {
		return err
	}
	return errors.Join(dir.Forget(file, seqs...), dir.Close())
}
