package txn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"clawfs/txn"
)

// A program that saves one session many times at once has made all its contents before: one
// that it committed after the open of another save is no base of that save.
func TestSavesAtOnceAreMadeFromWhatWasReadBefore(t *testing.T) {
	b := newBench(t, `{"messages":[{"role":"user","text":"hello"}]}`)
	p := program(1)
	b.read(p)
	const saves = 20
	open := make([]*txn.Tx, saves)
	for i := range open {
		open[i] = b.open(p)
	}
	for i, tx := range open {
		content := fmt.Sprintf(`{"messages":[{"role":"user","text":"hello"},{"role":"assistant","text":"%d"}]}`, i)
		_, err := tx.WriteAt(p, []byte(content), 0)
		b.ok(err)
		b.ok(tx.Flush(p, txn.Death{}))
	}
	for _, tx := range open {
		tx.Release()
	}
	head := b.head()
	for i := range saves {
		if want := fmt.Sprintf(`"text":"%d"`, i); !strings.Contains(strings.ReplaceAll(head, " ", ""), want) {
			t.Errorf("%s is lost", want)
		}
	}
}

// A temporary file carries the place of its open: the same by rename.
func TestRenamesAtOnceAreMadeFromWhatWasReadBefore(t *testing.T) {
	b := newBench(t, `{"messages":[]}`)
	p := program(1)
	b.read(p)
	opened := b.store.Now()
	for i := range 5 {
		content := fmt.Sprintf(`{"messages":[{"role":"assistant","text":"%d"}]}`, i)
		origin := txn.Origin{Caller: p, Event: b.store.Now(), At: b.config.Now(), Opened: opened}
		b.ok(b.store.Replace(file, p, txn.Replacement{Content: []byte(content), Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{origin}}}))
	}
	head := b.head()
	for i := range 5 {
		if !strings.Contains(head, fmt.Sprintf(`"%d"`, i)) {
			t.Errorf("message %d is lost: %s", i, head)
		}
	}
}

// A program that has read once and writes on from memory removes its own entries, however much
// closer its content is to its reading.
func TestMemoryGoesOnFromWhatItWrote(t *testing.T) {
	b := newBench(t, `{"models":[{"id":"a"}],"flag":false}`)
	p, other := program(1), program(2)
	b.read(p)
	b.save(p, `{"models":[{"id":"a"},{"id":"own-1"}],"flag":true}`)
	b.read(other)
	b.save(other, `{"models":[{"id":"a"},{"id":"own-1"},{"id":"x"}],"flag":true}`)
	b.save(p, `{"models":[{"id":"a"},{"id":"own-2"}],"flag":false}`)
	b.save(p, `{"models":[{"id":"a"},{"id":"own-3"}],"flag":true}`)
	b.want(`{"models":[{"id":"a"},{"id":"own-3"},{"id":"x"}],"flag":true}`)
}

// A program that reads more often than it writes says again the same as before.
func TestAProgramComesBackToWhatItSaidBefore(t *testing.T) {
	p := program(1)
	t.Run("counting, from memory", func(t *testing.T) {
		b := newBench(t, `{"status":"idle","count":1}`)
		b.read(p)
		b.read(p)
		b.save(p, `{"status":"busy","count":2}`)
		b.save(p, `{"status":"idle","count":3}`)
		b.want(`{"status":"idle","count":3}`)
	})
	t.Run("a counter, from memory", func(t *testing.T) {
		b := newBench(t, `{"status":"idle","revision":1}`)
		b.read(p)
		b.read(p)
		b.save(p, `{"status":"busy","revision":2}`)
		b.save(p, `{"status":"idle","revision":3}`)
		b.want(`{"status":"idle","revision":3}`)
	})
	t.Run("which it has read since", func(t *testing.T) {
		b := newBench(t, `{"status":"idle","mode":"a"}`)
		b.read(p)
		b.read(p)
		b.save(p, `{"status":"busy","mode":"a"}`)
		b.read(p)
		b.read(p)
		b.save(p, `{"status":"idle","mode":"b"}`)
		b.want(`{"status":"idle","mode":"b"}`)
	})
}

// Two handles that were open for reading at once prove two tasks: the reading of the one
// that has not written yet counts, and does so beyond a new store.
func TestReadingsAtOnceAreOfSeveralTasks(t *testing.T) {
	b := newBench(t, `{"flags":{"a":false,"b":false},"entries":[]}`, func(c *txn.Config) { c.Boot = "boot" })
	p := program(1)
	b.readAtOnce(p, 2)
	b.save(p, `{"flags":{"a":false,"b":false},"entries":["first"]}`)
	b.ok(b.store.SaveViews())
	b.store = txn.New(b.storage, b.config)
	b.save(p, `{"flags":{"a":true,"b":false},"entries":["second"]}`)
	b.want(`{"flags":{"a":true,"b":false},"entries":["first","second"]}`)
	b.save(p, `{"flags":{"a":false,"b":false},"entries":["third"]}`) // no other task is left
	b.want(`{"flags":{"a":false,"b":false},"entries":["first","third"]}`)
}

// readAtOnce has a program read the registry by several handles at once.
func (b *bench) readAtOnce(c txn.Caller, handles int) {
	b.Helper()
	var open []*txn.Snapshot
	for range handles {
		s, err := b.store.Open(file)
		b.ok(err)
		open = append(open, s)
	}
	for _, s := range open {
		_, err := s.ReadAt(c, make([]byte, s.Size()), 0)
		b.ok(err)
		s.Release()
	}
}

// A reading of a child is none of its parent's views, if the parent has a memory of its own.
func TestAChildsReadingIsNoneOfItsParents(t *testing.T) {
	parent, child, other := program(1), program(2), program(3)
	child.Ancestors = []txn.Actor{parent.Actor}
	t.Run("the child reads, the parent writes twice", func(t *testing.T) {
		b := newBench(t, `{"status":"idle","count":1}`)
		b.read(child)
		b.read(other)
		b.save(parent, `{"status":"busy","count":2}`)
		b.save(parent, `{"status":"idle","count":3}`)
		b.want(`{"status":"idle","count":3}`)
	})
	t.Run("both read, both write", func(t *testing.T) {
		b := newBench(t, `{"status":"idle","count":1}`)
		b.read(parent)
		b.read(child)
		b.save(child, `{"status":"busy","count":2}`)
		b.save(parent, `{"status":"idle","count":3}`)
		b.want(`{"status":"busy","count":3}`)
	})
}

// Content that a script puts in place of nearly everything replaces the head, though an older
// state that its kin has seen is closer.
func TestAReplacementByKinIsNoMerge(t *testing.T) {
	b := newBench(t, `[]`)
	shell := program(10)
	child := func(pid int) txn.Caller {
		c := program(pid)
		c.Ancestors = []txn.Actor{shell.Actor}
		return c
	}
	b.read(child(11))
	long := `["` + strings.Repeat(`x","`, 1) + `a","b","c","d","e","f"]`
	b.save(child(12), long)
	b.save(child(13), `["z"]`)
	b.want(`["z"]`)
}

// A new spelling makes no other state: it still is the writer's own last write, or an old
// state, written again.
func TestWrittenAgainInAnotherSpelling(t *testing.T) {
	const short, long = `{"gain":0.7,"on":true}`, `{"gain":0.69999999999999996,"on":true}`
	t.Run("by kin that has not looked", func(t *testing.T) {
		b := newBench(t, `{"gain":0.1}`)
		shell, other := program(10), program(99)
		child := func(pid int) txn.Caller {
			c := program(pid)
			c.Ancestors = []txn.Actor{shell.Actor}
			return c
		}
		b.read(child(11))
		b.redirect(child(12), short)
		b.read(other)
		b.save(other, `{"gain":0.7,"on":true,"other":1}`)
		b.redirect(child(13), long)
		b.want(long)
	})
	t.Run("after a removal", func(t *testing.T) {
		b := newBench(t, `{"gain":0.1}`)
		p, other := program(1), program(2)
		b.read(p)
		b.save(p, short)
		b.read(other)
		b.save(other, `{"gain":0.7,"on":true,"other":1}`)
		b.ok(b.store.Unlink(file, p))
		b.save(p, long)
		b.want(long)
	})
	t.Run("after a look", func(t *testing.T) {
		b := newBench(t, `{"gain":0.1}`)
		p, other := program(1), program(2)
		b.read(p)
		b.save(p, short)
		b.read(other)
		b.save(other, `{"gain":0.7,"on":false}`)
		b.read(p)
		b.save(p, long)
		b.want(long)
	})
}

// A shell that has written before writes content that its children have read since: entries
// that others have added meanwhile are there once.
func TestAShellWritesWhatItsChildrenHaveRead(t *testing.T) {
	b := newBench(t, `{"messages":[]}`)
	shell, other := program(10), program(99)
	child := func(pid int) txn.Caller {
		c := program(pid)
		c.Ancestors = []txn.Actor{shell.Actor}
		return c
	}
	b.read(child(11))
	b.redirect(shell, `{"messages":[{"text":"1"}]}`)
	b.read(other)
	b.save(other, `{"messages":[{"text":"1"},{"text":"other"}]}`)
	b.read(child(12))
	b.redirect(shell, `{"messages":[{"text":"1"},{"text":"other"},{"text":"2"}]}`)
	b.want(`{"messages":[{"text":"1"},{"text":"other"},{"text":"2"}]}`)
	b.read(child(13))
	b.save(other, `{"messages":[{"text":"1"},{"text":"other"},{"text":"later"}]}`)
	b.redirect(shell, `{"messages":[{"text":"1"},{"text":"other"},{"text":"2"},{"text":"3"}]}`)
	if got := strings.Count(b.head(), `"text"`); got != 5 {
		t.Errorf("%d messages: %s", got, b.head())
	}
}

// An editor shows the content that it has read for hours, and reads the file again
// for its backup before it saves for the first time.
func TestAnEditorSavesWhatItReadLongAgo(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	editor, other := program(1), program(2)
	b.read(editor)
	for n := range 400 {
		b.pass(time.Minute)
		b.read(other)
		b.save(other, fmt.Sprintf(`{"a":1,"other":"%d"}`, n))
		if n%2 == 0 {
			b.read(editor) // it looks whether the file has changed
		}
	}
	b.read(editor)
	b.save(editor, `{"a":1,"edited":true}`)
	b.want(`{"a":1,"other":"399","edited":true}`)
}

// A file that is written anew without being truncated, as rsync does in place, is
// made from the version that the writer's relative has read.
func TestWrittenAnewInPlaceByKin(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	shell, other := program(10), program(99)
	child := func(pid int) txn.Caller {
		c := program(pid)
		c.Ancestors = []txn.Actor{shell.Actor}
		return c
	}
	b.read(child(11))
	b.read(other)
	b.save(other, `{"a":1,"other":"2"}`)
	rsync := child(12)
	tx, err := b.store.Begin(file, rsync, txn.BeginOptions{})
	b.ok(err)
	content := `{"a":1,"mine":"3"}`
	_, err = tx.WriteAt(rsync, []byte(content), 0)
	b.ok(err)
	b.ok(tx.Truncate(rsync, int64(len(content))))
	b.ok(tx.Flush(rsync, txn.Death{}))
	tx.Release()
	if head := b.head(); !strings.Contains(head, `"other":"2"`) || !strings.Contains(head, `"mine":"3"`) {
		t.Errorf("the registry holds %s", head)
	}
}

// The views of a process from before clawfs was killed are lost; its later writes still replace
// nothing of others.
func TestAProcessOlderThanTheStoreReplacesNothing(t *testing.T) {
	b := newBench(t, `{"a":1}`, func(c *txn.Config) { c.Began = 1000 })
	other := program(2000)
	b.read(program(1)) // by the store before
	b.store = txn.New(b.storage, b.config)
	for n := range 20 { // more than are looked at
		b.read(other)
		b.save(other, fmt.Sprintf(`{"a":1,"other":"%d"}`, n))
	}
	b.save(program(1), `{"a":1,"mine":"1"}`)
	b.want(`{"a":1,"other":"19","mine":"1"}`)
	b.save(program(3000), `{}`) // a younger one has seen nothing
	b.want(`{}`)
}

// A merge whose result is all that the writer wanted is stored in the writer's spelling, though
// the head is spelled otherwise.
func TestAMergeThatComesOutAsWrittenKeepsItsSpelling(t *testing.T) {
	b := newBench(t, `{"a":"1","b":"2"}`)
	p, other := program(1), program(2)
	b.read(p)
	b.read(other)
	b.save(other, "{\n  \"a\": \"1\"\n}\n")
	b.save(p, `{"b":"3","a":"1"}`)
	b.want(`{"b":"3","a":"1"}`)
}
