package txn_test

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"clawfs/txn"
)

func (b *bench) create(c txn.Caller, o txn.BeginOptions) *txn.Tx {
	b.Helper()
	o.Create = true
	tx, err := b.store.Begin(file, c, o)
	b.ok(err)
	return tx
}

func (b *bench) wantPresence(c txn.Caller, want txn.Presence) {
	b.Helper()
	if p, _ := b.store.Look(file, func() txn.Actor { return c.Actor }); p != want {
		b.Errorf("process %d finds %v, want %v", c.PID, p, want)
	}
}

func (b *bench) wantEmpty() {
	b.Helper()
	n, err := b.store.Open(file)
	b.ok(err)
	defer n.Release()
	if !n.Version().Blank() || n.Size() != 0 {
		b.Errorf("the registry holds %s, want nothing yet", n.Version().Bytes())
	}
}

func (b *bench) write(tx *txn.Tx, c txn.Caller, text string) {
	b.Helper()
	_, err := tx.Append(c, []byte(text))
	b.ok(err)
}

// From its creation on a file exists for exclusive creations, and for its creator. Others find
// it when it is closed with something written, or synced.
func TestWhoFindsAFileThatIsBeingCreated(t *testing.T) {
	for name, show := range map[string]func(b *bench, tx *txn.Tx, c txn.Caller){
		"closed":          func(b *bench, tx *txn.Tx, c txn.Caller) { b.write(tx, c, `{}`); b.ok(tx.Flush(c, txn.Death{})) },
		"synced":          func(b *bench, tx *txn.Tx, c txn.Caller) { b.ok(tx.Sync(c)) },
		"closed for good": func(_ *bench, tx *txn.Tx, _ txn.Caller) { tx.Release() },
		"refused": func(b *bench, tx *txn.Tx, c txn.Caller) {
			b.write(tx, c, `{`)
			if tx.Flush(c, txn.Death{}) == nil {
				b.Error("not refused")
			}
		},
		"killed": func(b *bench, tx *txn.Tx, c txn.Caller) {
			b.write(tx, c, `{}`)
			if tx.Flush(c, txn.Death{Signal: 9}) == nil {
				b.Error("not aborted")
			}
		},
		"shown": func(b *bench, _ *txn.Tx, _ txn.Caller) { b.store.Show(file) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			creator, other := program(1), program(2)
			tx := b.create(creator, txn.BeginOptions{Exclusive: true})
			defer tx.Release()
			b.ok(tx.Flush(creator, txn.Death{})) // of a duplicate, as a shell does
			b.wantPresence(creator, txn.OnDisk)
			b.wantPresence(other, txn.Hidden)
			if _, err := b.store.Begin(file, other, txn.BeginOptions{Create: true, Exclusive: true}); !errors.Is(err, fs.ErrExist) {
				t.Errorf("created twice: %v", err)
			}
			p := txn.Replacement{Content: []byte(`{}`), Via: txn.ViaLink, NoReplace: true}
			if err := b.store.Replace(file, other, p); !errors.Is(err, fs.ErrExist) {
				t.Errorf("linked over: %v", err)
			}
			show(b, tx, creator)
			b.wantPresence(other, txn.OnDisk)
			if _, err := b.store.Begin(file, other, txn.BeginOptions{Create: true, Exclusive: true}); !errors.Is(err, fs.ErrExist) {
				t.Errorf("created once more: %v", err)
			}
		})
	}
}

// A program that still has a file open that was created, and is gone, hides no other one that
// was created in its place.
func TestAFileInThePlaceOfOneThatIsOpen(t *testing.T) {
	for name, remove := range map[string]func(b *bench, c txn.Caller) error{
		"removed":           func(b *bench, c txn.Caller) error { return b.store.Unlink(file, c) },
		"moved":             func(b *bench, c txn.Caller) error { return b.store.MoveOut(file, c, b.moveAside) },
		"removed by others": func(b *bench, _ txn.Caller) error { return b.store.Unlink(file, program(9)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "")
			first, second, other := program(1), program(2), program(3)
			old := b.create(first, txn.BeginOptions{})
			defer old.Release()
			b.ok(remove(b, first))
			tx := b.create(second, txn.BeginOptions{Exclusive: true})
			b.wantPresence(second, txn.OnDisk)
			b.wantPresence(first, txn.Hidden)
			b.wantPresence(other, txn.Hidden)
			tx.Release()
			b.wantPresence(first, txn.OnDisk)
			b.wantPresence(other, txn.OnDisk)
		})
	}
}

// Reading a file without a version commits its staged content, if that is whole. Otherwise the
// file is found empty, which is no view of it.
func TestReadingAFileWithoutAVersion(t *testing.T) {
	for staged, want := range map[string]string{
		``: ``, `{"a":`: ``, `{"a":1}`: `{"a":1}`, `["a"]`: `["a"]`, `123`: ``, "123\n": "123\n", `tru`: ``,
	} {
		b := newBench(t, "")
		creator, reader := program(1), program(2)
		tx := b.create(creator, txn.BeginOptions{})
		b.write(tx, creator, staged)
		n, err := b.store.Open(file)
		b.ok(err)
		if got := string(n.Version().Bytes()); got != want || n.Version().Blank() != (want == "") {
			t.Errorf("of %q another process reads %q, want %q", staged, got, want)
		}
		n.See(reader)
		n.Release()
		tx.Release()
		b.save(program(3), `{"others":1}`)
		b.save(reader, `{"mine":1}`)
		if e := b.last(); (e.Base.Kind == txn.BaseAbsent) != (want == "") {
			t.Errorf("who has read an empty file has seen something: %+v", b.last())
		}
	}
}

// An empty file is still one after a restart, and holds nothing of the version that was there
// before it.
func TestAnEmptyFileSurvivesARestart(t *testing.T) {
	b := newBench(t, `{"old":1}`)
	a := program(1)
	b.ok(b.store.Unlink(file, a))
	tx := b.create(a, txn.BeginOptions{})
	tx.Release()
	b.store = txn.New(b.storage, b.config)
	b.wantEmpty()
	b.save(program(2), `{"new":1}`)
	b.want(`{"new":1}`)
	b.ok(b.store.Unlink(file, a))
	if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is something after the removal: %v", err)
	}
}

// To close an empty file is no error for its creator, and one for a program that has emptied a
// document.
func TestClosedEmpty(t *testing.T) {
	b := newBench(t, "")
	a := program(1)
	tx := b.create(a, txn.BeginOptions{})
	b.write(tx, a, `x`)
	b.ok(tx.Truncate(a, 0))
	b.ok(tx.Flush(a, txn.Death{}))
	b.wantEmpty()
	b.write(tx, a, `[]`)
	b.ok(tx.Flush(a, txn.Death{}))
	b.want(`[]`)
	tx.Release()
	tx = b.create(a, txn.BeginOptions{Truncate: true})
	defer tx.Release()
	if err := tx.Flush(a, txn.Death{}); err == nil {
		t.Error("a document was emptied")
	}
}

// A file without a version takes the place of another one, as it does in a bare
// directory.
func TestEmptyFileOntoAnEmptyOne(t *testing.T) {
	b := newBench(t, "")
	c := program(1)
	b.create(c, txn.BeginOptions{}).Release()
	tx, err := b.store.Begin("other.json", c, txn.BeginOptions{Create: true})
	b.ok(err)
	tx.Release()
	b.ok(b.rename(file, "other.json", c))
	for name, want := range map[string]bool{file: false, "other.json": true} {
		n, err := b.store.Open(name)
		if got := err == nil; got != want {
			t.Errorf("%s is there: %v (%v), want %v", name, got, err, want)
		}
		if err == nil {
			n.Release()
		}
	}
}

// A process that has unlinked the file that it creates does not create one any more.
func TestUnlinkedWhileItIsCreated(t *testing.T) {
	b := newBench(t, "")
	one, two := program(1), program(2)
	tx := b.create(one, txn.BeginOptions{})
	defer tx.Release()
	other := b.create(two, txn.BeginOptions{})
	defer other.Release()
	if !tx.Creates() {
		t.Fatal("it creates nothing")
	}
	b.ok(b.store.Unlink(file, one))
	if tx.Creates() {
		t.Error("it still creates the file that it has removed")
	}
}

// A program that keeps a registry in memory is told, after somebody has removed it, that nothing
// is there: what it or its child makes then is stored as it is.
func TestWhoHasSeenAPlaceholderHasSeenNothing(t *testing.T) {
	p, other, child := program(1), program(2), program(3)
	child.Ancestors, child.Forked = []txn.Actor{p.Actor}, true
	empty := func(b *bench) {
		tx := b.create(p, txn.BeginOptions{})
		b.ok(tx.Flush(p, txn.Death{}))
		tx.Release()
	}
	by := func(c txn.Caller) func(b *bench, tx *txn.Tx) {
		return func(b *bench, tx *txn.Tx) {
			if _, err := tx.ReadAt(c, make([]byte, 100), 0); err != io.EOF {
				b.Error(err)
			}
		}
	}
	for way, tt := range map[string]struct {
		see    func(b *bench)
		handle func(b *bench, tx *txn.Tx)
		writer txn.Caller
	}{
		"read by a handle open for writing": {empty, by(p), p},
		"read so by a child":                {empty, by(child), child},
		"read so before the fork":           {empty, by(p), child},
		"missed before the fork":            {func(b *bench) { b.store.Missed(file, p, 7, b.store.Now()) }, nil, child},
		"missed, and told of a placeholder afterwards": {func(b *bench) {
			b.store.Missed(file, p, 7, b.store.Now())
			empty(b)
			b.store.Found(file, 7, func() txn.Caller { return p })
		}, nil, p},
	} {
		t.Run(way, func(t *testing.T) {
			b := newBench(t, `{"s":{"t2":"value 2"},"n":286}`)
			b.read(p)
			b.read(other)
			b.save(other, `{"s":{"t2":"value 2","t3":"value 3"},"n":635}`)
			b.ok(b.store.Unlink(file, other))
			tt.see(b)
			tx := b.create(tt.writer, txn.BeginOptions{Create: true})
			if tt.handle != nil {
				tt.handle(b, tx)
			}
			b.put(tx, tt.writer, `{"s":{"t8":"value 8"},"n":132}`)
			b.want(`{"s":{"t8":"value 8"},"n":132}`)
		})
	}
}

// A program that has read a placeholder knows that there is a registry once it is told so.
func TestWhoHasReadAPlaceholderIsToldOfARegistry(t *testing.T) {
	b := newBench(t, "")
	p, q := program(1), program(2)
	tx := b.create(q, txn.BeginOptions{})
	b.ok(tx.Flush(q, txn.Death{}))
	tx.Release()
	s, err := b.store.Open(file)
	b.ok(err)
	if _, err := s.ReadAt(p, make([]byte, 10), 0); err != io.EOF {
		t.Error(err)
	}
	s.Release()
	b.save(q, `["q"]`)
	b.store.Found(file, 7, func() txn.Caller { return p })
	b.save(p, `["p"]`)
	b.want(`["p"]`)
}
