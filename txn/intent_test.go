package txn_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/merge"
)

// digest is how an intent names content; nothing for none.
func digest(content string) *string {
	if content == "" {
		return &content
	}
	sum := sha256.Sum256([]byte(content))
	s := hex.EncodeToString(sum[:])
	return &s
}

// intend commits content over a head, with a note.
func (b *bench) intend(c txn.Caller, i txn.Intent, content string) error {
	b.Helper()
	tx, err := b.store.Begin(file, c, txn.BeginOptions{Create: true})
	b.ok(err)
	defer tx.Release()
	tx.Intend(i)
	b.ok(tx.Truncate(c, 0))
	_, err = tx.WriteAt(c, []byte(content), 0)
	b.ok(err)
	return tx.Flush(c, txn.Death{})
}

// lastRecord is the newest line of the log.
func (b *bench) lastRecord() (r txn.Record) {
	b.Helper()
	line, err := b.storage.LastRecord(file)
	b.ok(err)
	b.ok(json.Unmarshal(line, &r))
	return r
}

// It replaces the head that it names, against any policy, and the log has its purpose.
func TestIntentReplacesTheHeadThatItNames(t *testing.T) {
	b := newBench(t, `{"v":1}`, func(c *txn.Config) {
		c.RejectStale = true
		c.Policy = func(string) *merge.Policy { return &merge.Policy{OnConflict: merge.Reject} }
	})
	p := program(1)
	note := txn.Note{Undid: 7, Since: 3, InPart: true}
	b.ok(b.intend(p, txn.Intent{Over: digest(`{"v":1}`), Note: note}, `{"v": 2}`))
	b.want(`{"v": 2}`)
	if e := b.last(); e.Via != txn.ViaPut || e.Base.Kind != txn.BaseHead || e.Note != note {
		t.Errorf("observed %+v", e)
	}
	if r := b.lastRecord(); r.Note != note || r.Seq != 2 || r.Parent != 1 {
		t.Errorf("recorded %+v", r)
	}
}

// Where there is another head, or none, or one where none is to be, it is refused, and all
// stays as it is.
func TestIntentForAnotherHeadIsRefused(t *testing.T) {
	const head = `{"v":1}`
	for name, c := range map[string]struct{ there, over string }{
		"another":     {head, `{"v":0}`},
		"none wanted": {head, ""},
		"none there":  {"", head},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.there)
			err := b.intend(program(1), txn.Intent{Over: digest(c.over), Note: txn.Note{Undid: 7}}, `{"v":2}`)
			var stale *txn.StaleError
			if !errors.As(err, &stale) || !stale.Named {
				t.Fatalf("it ended with %v", err)
			}
			if c.there != "" {
				if e := b.last(); e.Outcome != txn.Rejected || e.Note.Undid != 7 || e.Copy == "" {
					t.Errorf("observed %+v", e)
				}
				b.want(c.there)
			} else if _, err := b.store.Open(file); err == nil {
				t.Error("a file is left")
			}
		})
	}
}

// Of several for one head, in one batch, one succeeds.
func TestIntentsForOneHeadExcludeEachOther(t *testing.T) {
	b := newBench(t, `[0]`)
	over := func(pid int, content string) func() error {
		return func() error {
			return b.intend(program(pid), txn.Intent{Over: digest(`{"first":1}`)}, content)
		}
	}
	errs := b.together(over(1, `[1]`), over(2, `[2]`), over(3, `[3]`))
	refused := 0
	for _, err := range errs {
		var stale *txn.StaleError
		if errors.As(err, &stale) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused != 2 {
		t.Errorf("%d of 3 were refused: %v", refused, errs)
	}
}

// Without a head it is a write like any other, with a note. Where nothing changes there is
// nothing to note.
func TestIntentWithoutAHeadIsMerged(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	p := program(1)
	b.read(p)
	b.save(program(2), `{"a":1,"b":1}`)
	note := txn.Note{Restored: 1, FromQuarantine: "x"}
	b.ok(b.intend(p, txn.Intent{Note: note}, `{"a":2}`))
	b.want(`{"a":2,"b":1}`)
	if e := b.last(); e.Note != note || e.Via != txn.ViaClose {
		t.Errorf("observed %+v", e)
	}
	b.ok(b.intend(p, txn.Intent{Over: digest(`{"a":2,"b":1}`), Note: note}, `{"a":2,"b":1}`))
	if e := b.last(); e.Outcome != txn.Unchanged || e.Note != (txn.Note{}) {
		t.Errorf("observed %+v", e)
	}
}

// An unlink by a process that has said over which head is one of that head only, and
// leaves its history, however short the registry's life was.
func TestUnlinkHasAnIntent(t *testing.T) {
	b := newBench(t, `[1]`)
	p := program(1)
	note := txn.Note{Undid: 1}
	begin := func(over string) *txn.Tx {
		tx, err := b.store.Begin(file, p, txn.BeginOptions{})
		b.ok(err)
		tx.Intend(txn.Intent{Over: digest(over), Note: note})
		return tx
	}
	tx := begin(`[0]`)
	var stale *txn.StaleError
	if err := b.store.Unlink(file, p); !errors.As(err, &stale) {
		t.Errorf("another head: %v", err)
	}
	b.want(`[1]`)
	tx.Release()
	tx = begin(`[1]`)
	b.ok(b.store.Unlink(file, p))
	tx.Release()
	if r := b.lastRecord(); !r.Deleted || r.Note != note || r.Parent != 1 {
		t.Errorf("recorded %+v", r)
	}
	b.fire()
	b.pass(time.Second)
	if !slices.Equal(b.gone(), []string{file}) {
		t.Error("nothing is left of it")
	}
}

// The unlink of another process has nothing to do with it.
func TestIntentIsOfOneProcess(t *testing.T) {
	b := newBench(t, `[1]`)
	tx, err := b.store.Begin(file, program(1), txn.BeginOptions{})
	b.ok(err)
	tx.Intend(txn.Intent{Over: digest(`[0]`), Note: txn.Note{Undid: 1}})
	b.ok(b.store.Unlink(file, program(2)))
	if r := b.lastRecord(); r.Note != (txn.Note{}) {
		t.Errorf("recorded %+v", r)
	}
	tx.Release()
}

// A process of another namespace is not known. Its unlink is of no other head than it has
// said, either.
func TestIntentOfAnUnknownProcess(t *testing.T) {
	b := newBench(t, `[1]`)
	tx, err := b.store.Begin(file, txn.Caller{}, txn.BeginOptions{})
	b.ok(err)
	defer tx.Release()
	tx.Intend(txn.Intent{Over: digest(`[0]`), Note: txn.Note{Undid: 1}})
	var stale *txn.StaleError
	if err := b.store.Unlink(file, txn.Caller{}); !errors.As(err, &stale) {
		t.Errorf("another head: %v", err)
	}
	b.want(`[1]`)
}

// Nor is it where somebody has moved the file away, and made another one, since it was said.
func TestIntentStaysWithTheName(t *testing.T) {
	b := newBench(t, `[1]`)
	p, other := program(1), program(2)
	tx, err := b.store.Begin(file, p, txn.BeginOptions{})
	b.ok(err)
	tx.Intend(txn.Intent{Over: digest(`[1]`), Note: txn.Note{Undid: 1}})
	_, err = b.store.Rename(file, "aside.json", other, txn.Replacement{}, txn.Handles{IsOpen: func(*txn.Tx) bool { return true }})
	b.ok(err)
	b.save(other, `[2]`)
	var stale *txn.StaleError
	if err := b.store.Unlink(file, p); !errors.As(err, &stale) {
		t.Errorf("another file: %v", err)
	}
	b.want(`[2]`)
	tx.Release()
	b.ok(b.store.Unlink(file, p))
}
