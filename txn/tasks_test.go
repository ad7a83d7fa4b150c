package txn_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"clawfs/txn"
)

// saved is the content of one of many saves at once: the content that was read, and a message.
func saved(message string) string {
	return fmt.Sprintf(`{"messages":[{"role":"user","text":"hello"},{"role":"assistant","text":%q}]}`, message)
}

func (b *bench) wantMessages(messages ...string) {
	b.Helper()
	head := b.head()
	for _, m := range messages {
		if !strings.Contains(head, fmt.Sprintf("%q", m)) {
			b.Errorf("%s is lost: %s", m, head)
		}
	}
}

// atOnce saves each message, all opened before the first is committed.
func (b *bench) atOnce(p txn.Caller, messages ...string) {
	b.Helper()
	open := make([]*txn.Tx, len(messages))
	for i := range open {
		open[i] = b.open(p)
	}
	for i, tx := range open {
		b.put(tx, p, saved(messages[i]))
	}
}

// One of the threads that save at once may be so late that it opens when the others have done:
// its content was made before they wrote.
func TestASaveBesideOthersMayBeLate(t *testing.T) {
	p := program(1)
	first := map[string]func(b *bench){
		"after a reading": func(b *bench) { b.read(p) },
		"after a writing": func(b *bench) { b.save(p, `{"messages":[ {"role":"user","text":"hello"}]}`) },
	}
	for name, begin := range first {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, `{"messages":[{"role":"user","text":"hello"}]}`)
			begin(b)
			b.atOnce(p, "1", "2", "3")
			b.save(p, saved("4"))
			b.save(p, saved("5"))
			b.wantMessages("1", "2", "3", "4", "5")
		})
	}
	t.Run("by rename", func(t *testing.T) {
		b := newBench(t, `{}`)
		b.save(p, `{"messages":[{"role":"user","text":"hello"}]}`)
		opened := b.store.Now()
		for i := range 5 {
			if i > 2 {
				opened = b.store.Now()
			}
			origin := txn.Origin{Caller: p, Event: b.store.Now(), At: b.config.Now(), Opened: opened}
			b.ok(b.store.Replace(file, p, txn.Replacement{Content: []byte(saved(fmt.Sprint(i))), Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{origin}}}))
		}
		b.wantMessages("0", "1", "2", "3", "4")
	})
}

// Members that a late save shares with the others by its nature are no sign that it comes after
// them: it names the last message itself.
func TestALateSaveSaysTheSameThings(t *testing.T) {
	b := newBench(t, `{"last":"hello","messages":[{"role":"user","text":"hello"}]}`)
	p := program(1)
	said := func(m string) string {
		return fmt.Sprintf(`{"last":%q,"messages":[{"role":"user","text":"hello"},{"role":"assistant","text":%q}]}`, m, m)
	}
	b.read(p)
	first, second := b.open(p), b.open(p)
	b.put(first, p, said("1"))
	b.put(second, p, said("2"))
	b.save(p, said("3"))
	b.wantMessages("1", "2", "3")
}

// A task that opens when the first of the others is done, and writes when all are.
func TestALateSaveOpensBetweenTheOthers(t *testing.T) {
	b := newBench(t, `{"messages":[{"role":"user","text":"hello"}]}`)
	p := program(1)
	b.read(p)
	first, second := b.open(p), b.open(p)
	b.put(first, p, saved("1"))
	late := b.open(p)
	b.put(second, p, saved("2"))
	b.put(late, p, saved("3"))
	b.wantMessages("1", "2", "3")
}

// The content that one task is just writing may be the base of all of them.
func TestALateSaveBesideAReturnToWhatWasRead(t *testing.T) {
	b := newBench(t, `{"entries":["a"]}`)
	p := program(1)
	b.read(p)
	first, second := b.open(p), b.open(p)
	b.put(first, p, `{"entries":["a","1"]}`)
	b.put(second, p, `{"entries":["a","2"]}`)
	returning := b.stage(p, `{"entries":["a"]}`)
	b.save(p, `{"entries":["a","3"]}`)
	b.want(`{"entries":["a","1","2","3"]}`)
	returning.Release()
}

// put writes a transaction's content and ends it.
func (b *bench) put(tx *txn.Tx, p txn.Caller, content string) {
	b.Helper()
	_, err := tx.WriteAt(p, []byte(content), 0)
	b.ok(err)
	b.ok(tx.Flush(p, txn.Death{}))
	tx.Release()
}

// A temporary file that was finished before another save began, and is put in place
// after that, was not written beside it.
func TestAFinishedFileIsNotBesideALaterSave(t *testing.T) {
	b := newBench(t, `{"old":1}`)
	p := program(1)
	b.read(p)
	for _, content := range []string{`{"a":"1"}`, `{"b":"2"}`, `{"c":"3"}`} {
		finished := txn.Origin{Caller: p, Event: b.store.Now(), At: b.config.Now(), Opened: b.store.Now()}
		b.save(p, content)
		b.want(content)
		b.ok(b.store.Replace(file, p, txn.Replacement{Content: []byte(content), Via: txn.ViaRename, Lineage: txn.Lineage{Writers: []txn.Origin{finished}}}))
		b.want(content)
	}
}

// A program that has saved several times at once goes on from the last save as soon as its
// content says so, and after a while in any case.
func TestAProgramGoesOnFromSavesAtOnce(t *testing.T) {
	p := program(1)
	b := newBench(t, `{"messages":[{"role":"user","text":"hello"}]}`)
	b.read(p)
	b.atOnce(p, "1", "2")
	b.save(p, `{"messages":[{"role":"assistant","text":"2"}]}`)
	b.want(`{"messages":[{"role":"assistant","text":"1"},{"role":"assistant","text":"2"}]}`)

	b = newBench(t, `{"on":false,"entries":{"a":1}}`)
	b.read(p)
	first, second := b.open(p), b.open(p)
	b.put(first, p, `{"on":true,"entries":{"a":1}}`)
	b.put(second, p, `{"on":true,"entries":{"a":1,"b":2}}`)
	b.save(p, `{"on":true,"entries":{"a":1,"c":3}}`)
	b.want(`{"on":true,"entries":{"a":1,"c":3}}`)

	b = newBench(t, `{"on":false,"revision":1}`)
	b.read(p)
	first, second = b.open(p), b.open(p)
	b.put(first, p, `{"on":true,"revision":1}`)
	b.put(second, p, `{"on":true,"revision":2}`)
	b.save(p, `{"on":false,"revision":3,"new":"x"}`)
	b.want(`{"on":false,"revision":3,"new":"x"}`)

	b = newBench(t, `{"entries":["a"]}`)
	other := program(2)
	b.read(p)
	first, second = b.open(p), b.open(p)
	b.put(first, p, `{"entries":["a","b"]}`)
	b.put(second, p, `{"entries":["a","b"]}`)
	b.read(other)
	b.save(other, `{"entries":["a","b","x"]}`)
	b.read(p) // it looks, and goes on from memory
	b.save(p, `{"entries":["a"]}`)
	b.want(`{"entries":["a","x"]}`)

	b = newBench(t, `{"messages":[{"role":"user","text":"hello"}]}`)
	b.read(p)
	b.atOnce(p, "1", "2")
	b.pass(time.Minute)
	b.save(p, saved("3"))
	head := b.head()
	if strings.Contains(head, `"2"`) || !strings.Contains(head, `"3"`) {
		t.Errorf("the registry holds %s", head)
	}
}
