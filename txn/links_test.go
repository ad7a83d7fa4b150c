package txn_test

import (
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"clawfs/txn"
)

// linkedStorage is a storage where the file of a registry has one more name.
type linkedStorage struct {
	txn.Storage
	mu     sync.Mutex      // guards the fields below
	other  string          // the further name; "" once there is one name only
	stamps map[string]bool // that the file has had
}

// otherFile is the further name that link gives to the file.
const otherFile = "other.json"

// link gives the file a further name.
func (b *bench) link() {
	b.storage.Storage = &linkedStorage{Storage: b.storage.Storage, other: otherFile, stamps: map[string]bool{}}
}

// of returns the name by which the storage below knows a file.
func (l *linkedStorage) of(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name == l.other {
		return file
	}
	return name
}

func (l *linkedStorage) note(name, stamp string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stamp != "" && l.other != "" && name == file {
		l.stamps[stamp] = true
	}
}

func (l *linkedStorage) Load(name string) ([]byte, time.Time, string, error) {
	return l.Storage.Load(l.of(name))
}

func (l *linkedStorage) Stamp(name string) (string, error) {
	name = l.of(name)
	stamp, err := l.Storage.Stamp(name)
	l.note(name, stamp)
	return stamp, err
}

func (l *linkedStorage) Commit(name, stamp string, seq, oldSeq uint64, content []byte, digest [32]byte, mtime time.Time, like fs.File) (string, bool, error) {
	name = l.of(name)
	stamp, ok, err := l.Storage.Commit(name, stamp, seq, oldSeq, content, digest, mtime, like)
	l.note(name, stamp)
	return stamp, ok, err
}

// Remove takes the file's first name away, so that it has the further one only.
func (l *linkedStorage) Remove(name, stamp string, oldSeq uint64) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if name != file || l.other == "" {
		return l.Storage.Remove(name, stamp, oldSeq)
	}
	to := l.other
	l.other = ""
	return true, l.Storage.Rename(file, to, true)
}

func (l *linkedStorage) Linked(stamp string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.other != "" && l.stamps[stamp]
}

func (l *linkedStorage) SameFile(a, b string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return a == b || l.stamps[a] && l.stamps[b]
}

// What a program writes by one name of a file is known by the other name at once, as its own
// change: it is not somebody else there, and its next write by that name is stored as it is.
func TestAWriteByOneNameIsTheWritersByTheOther(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	writer, reader := program(1), program(2)
	for _, c := range []txn.Caller{reader, writer} {
		b.readFrom(otherFile, c)
	}
	b.read(writer)
	b.save(writer, `{"a":1,"b":2}`)
	told := slices.ContainsFunc(b.events, func(e txn.Event) bool {
		return e.Name == otherFile && e.Changed && e.Writer.Actor == writer.Actor
	})
	if !told {
		t.Errorf("by the other name nobody has heard of the writer: %+v", b.events)
	}
	b.saveTo(otherFile, writer, `{"a":3}`)
	if got := b.readFrom(otherFile, reader); got != `{"a":3}` {
		t.Errorf("the writer's own change was merged with its next one: %s", got)
	}
}

// A change by one name is somebody else's for the programs that have read the other name.
func TestAWriteByOneNameIsMergedByTheOther(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	writer, reader := program(1), program(2)
	b.readFrom(otherFile, reader)
	b.read(writer)
	b.save(writer, `{"a":1,"b":2}`)
	b.saveTo(otherFile, reader, `{"a":3}`)
	b.want(`{"a":3,"b":2}`)
}

// A program removes the name by which it writes a file that has another name. What it has
// written by then, if it is a whole document, is there by the other name when the removal
// returns. What it writes afterwards goes there, too.
func TestAnOpenFileKeepsItsOtherName(t *testing.T) {
	for name, remover := range map[string]txn.Caller{"the writer removes it": program(1), "another program removes it": program(2)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, `{"a":1}`)
			b.link()
			writer, reader := program(1), program(3)
			b.readFrom(otherFile, reader)
			tx := b.stage(writer, `{"a":2}`)
			b.ok(b.store.Unlink(file, remover))
			if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the name that was removed: %v", err)
			}
			if got := b.readFrom(otherFile, reader); got != `{"a":2}` {
				t.Errorf("by the other name there is %s, want what was written before the removal", got)
			}
			_, err := tx.WriteAt(writer, []byte(`3}`), 5)
			b.ok(err)
			b.ok(tx.Flush(writer, txn.Death{}))
			tx.Release()
			if got := b.readFrom(otherFile, reader); got != `{"a":3}` {
				t.Errorf("by the other name there is %s, want what was written after the removal", got)
			}
		})
	}
}

// Half a document is not shown by the other name before its writer has closed it.
func TestHalfADocumentWaitsForItsCloseByTheOtherName(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	writer, reader := program(1), program(3)
	b.readFrom(otherFile, reader)
	tx := b.stage(writer, `{"a":`)
	b.ok(b.store.Unlink(file, writer))
	if got := b.readFrom(otherFile, reader); got != `{"a":1}` {
		t.Errorf("by the other name there is %s, want what was there before", got)
	}
	_, err := tx.WriteAt(writer, []byte(`2}`), 5)
	b.ok(err)
	b.ok(tx.Flush(writer, txn.Death{}))
	tx.Release()
	if got := b.readFrom(otherFile, reader); got != `{"a":2}` {
		t.Errorf("by the other name there is %s, want the whole document", got)
	}
}

// A registry that nobody writes just loses the name. The file stays as it is by the other one.
func TestAnIdleFileLosesOneOfItsNames(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	remover, reader := program(1), program(2)
	b.readFrom(otherFile, reader)
	b.ok(b.store.Unlink(file, remover))
	if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the name that was removed: %v", err)
	}
	if got := b.readFrom(otherFile, reader); got != `{"a":1}` {
		t.Errorf("by the other name there is %s", got)
	}
}

// A name that can't be removed keeps its transactions: what they write is there by it, and goes
// to the other name once it is removed after all.
func TestANameThatStaysKeepsItsTransactions(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	writer, reader := program(1), program(3)
	b.readFrom(otherFile, reader)
	tx := b.stage(writer, `{"a":`)
	fault := errors.New("disk on fire")
	b.storage.remove = func(string, string, uint64) (bool, error) { return false, fault }
	if err := b.store.Unlink(file, writer); !errors.Is(err, fault) {
		t.Errorf("the removal says %v", err)
	}
	_, err := tx.WriteAt(writer, []byte(`2}`), 5)
	b.ok(err)
	b.ok(tx.Flush(writer, txn.Death{}))
	b.want(`{"a":2}`)
	if e := b.last(); e.Name != file || e.Via != txn.ViaClose {
		t.Errorf("the last event is %+v", e)
	}
	b.storage.remove = nil
	b.ok(b.store.Unlink(file, writer))
	_, err = tx.WriteAt(writer, []byte(`3}`), 5)
	b.ok(err)
	b.ok(tx.Flush(writer, txn.Death{}))
	tx.Release()
	if got := b.readFrom(otherFile, reader); got != `{"a":3}` {
		t.Errorf("by the other name there is %s", got)
	}
}

// A name that is gone, though perhaps not durably, is gone: what is written goes to the other one.
func TestANameWhoseRemovalIsUncertainIsGone(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	writer, reader := program(1), program(3)
	b.readFrom(otherFile, reader)
	tx := b.stage(writer, `{"a":`)
	b.storage.remove = func(name, stamp string, seq uint64) (bool, error) {
		ok, err := b.storage.Storage.Remove(name, stamp, seq)
		return ok, errors.Join(err, uncertainError{})
	}
	if err := b.store.Unlink(file, writer); err == nil {
		t.Error("it is certain")
	}
	_, err := tx.WriteAt(writer, []byte(`2}`), 5)
	b.ok(err)
	b.ok(tx.Flush(writer, txn.Death{}))
	tx.Release()
	if got := b.readFrom(otherFile, reader); got != `{"a":2}` {
		t.Errorf("by the other name there is %s", got)
	}
}

// A registry of another file gets nothing of what is written to a file whose name is removed. If
// no program has used the other name, the content is saved to the file.
func TestAnotherFileIsNoOtherName(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	b.link()
	writer, rest := program(1), &fakeRest{}
	b.saveTo("third.json", program(2), `{"third":1}`)
	tx := b.stage(writer, `{"a":2}`)
	b.ok(b.store.UnlinkName(file, writer, func() txn.Rest { return rest }))
	b.ok(tx.Flush(writer, txn.Death{}))
	tx.Release()
	if got := b.readFrom("third.json", writer); got != `{"third":1}` {
		t.Errorf("the other file holds %s", got)
	}
	if !slices.Equal(rest.saved, []string{`{"a":2}`}) {
		t.Errorf("saved: %q", rest.saved)
	}
}

// Of a process that can't be told nobody knows which handles are its own: the file is not opened
// for any, and a handle that is open goes on writing to the name.
func TestACallerThatCannotBeToldForsakesNothing(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	nobody := txn.Caller{UID: 1000}
	tx := b.stage(nobody, `{"a":2}`)
	b.ok(b.store.UnlinkName(file, nobody, func() txn.Rest {
		t.Error("the file is opened")
		return nil
	}))
	b.ok(tx.Flush(nobody, txn.Death{}))
	tx.Release()
	b.want(`{"a":2}`)
}
