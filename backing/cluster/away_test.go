package cluster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

// many is more commits than a record knows.
const many = 100

// A host that has missed more versions than a record knows joins by itself as long as it knows
// the version of its live file. Where it can't tell an old version from an edit it asks.
func TestAHostThatWasAwayLong(t *testing.T) {
	const before = `{"count":0,"items":[{"id":"1"},{"id":"2"}]}`
	const edit = `{"count":0,"items":[{"id":"1"},{"id":"2"},{"id":"edit"}]}`
	others := func(a *host) error {
		for n := range many {
			if err := a.add(program(1), fmt.Sprint("a", n)); err != nil {
				return err
			}
		}
		return nil
	}
	unlink := func(a *host) error { return errors.Join(others(a), a.store.Unlink(registry, program(1))) }
	alike := func(s string) bool { return strings.Count(s, `"a`) == many && !strings.Contains(s, "edit") }
	for name, test := range map[string]struct {
		leave func(b *host)
		edit  string // by somebody, meanwhile
		lost  bool   // a power failure has lost the files not synced
		other func(a *host) error
		want  func(string) bool // nil: it asks
	}{
		"unchanged":           {(*host).close, "", false, others, alike},
		"killed":              {(*host).end9, "", false, others, alike},
		"removed":             {(*host).close, "", false, unlink, is("")},
		"an older one":        {(*host).close, `{"count":0,"items":[]}`, false, others, alike},
		"lost, and unchanged": {(*host).close, "", true, others, nil},
		"lost, and edited":    {(*host).close, edit, true, others, nil},
		"edited": {(*host).close, edit, false, others, func(s string) bool {
			return strings.Count(s, `"a`) == many && strings.Contains(s, "edit")
		}},
		"edited, and removed": {(*host).close, edit, false, unlink, func(s string) bool { return strings.Contains(s, "edit") }},
		"another document": {(*host).close, `{"count":0,"items":[{"id":"2"},{"id":"own"}]}`, false, others, func(s string) bool {
			return strings.Count(s, `"a`) == many && strings.Contains(s, "own") && !strings.Contains(s, `"1"`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := two(t, `{"count":0,"items":[]}`)
			b.mustWrite(t, 2, before)
			agree(t, is(before), a, b)
			test.leave(b)
			if err := test.other(a); err != nil {
				t.Fatal(err)
			}
			if test.edit != "" {
				b.disk.Foreign(registry, []byte(test.edit))
			}
			if test.lost {
				b.disk.LoseNotes()
			}
			again, err := tryOpen(engine, "b", b.disk, cluster.JoinRefuse)
			if test.want == nil {
				var unrelated *cluster.UnrelatedError
				if !errors.As(err, &unrelated) {
					t.Errorf("it does not ask: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(again.close)
			agree(t, test.want, a, again)
			await(t, "the copy to go", func() bool { return b.disk.Quarantined() == 0 })
		})
	}
}

// end9 ends a host as kill -9 does: the machine goes on.
func (h *host) end9() {
	h.end()
	h.end = nil
}

// A host whose notes a power failure has lost tells by the cluster's records that its file is an
// old version, as long as they know it.
func TestAHostThatHasLostItsNotes(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	b.close()
	b.disk.LoseNotes()
	a.mustWrite(t, 1, `{"n":2}`)
	a.mustWrite(t, 1, `{"n":3}`)
	b = open(t, engine, "b", b.disk)
	agree(t, is(`{"n":3}`), a, b)
}

// A cluster that was restored from a backup has other versions than were noted here: the
// versions that it has lost come back. Two hosts that bring back the same one at once may both
// raise a counter.
func TestAClusterThatWasRestored(t *testing.T) {
	engine, a, b := two(t, `{"count":0,"items":[]}`)
	if err := a.add(program(1), "kept"); err != nil {
		t.Fatal(err)
	}
	backup := engine.Backup()
	if err := a.add(program(1), "lost"); err != nil {
		t.Fatal(err)
	}
	agree(t, func(s string) bool { return strings.Contains(s, "lost") }, a, b)
	a.close()
	b.close()
	engine.Restore(backup)
	a = open(t, engine, "a", a.disk)
	b = open(t, engine, "b", b.disk)
	agree(t, func(s string) bool { return strings.HasSuffix(s, `,"items":[{"id":"kept"},{"id":"lost"}]}`) }, a, b)
}

// While an engine is asked for the fate of an edit behind the store, and does not answer, readers
// are shown the former version, and a program that asks for the registry's state is told.
func TestNobodyWaitsForAnEditToBePublished(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	for _, call := range []string{"swap", "get"} {
		t.Run(call, func(t *testing.T) {
			was := b.read(t)
			asked, answer := make(chan struct{}, 100), make(chan struct{})
			b.client.SetFate(func(c string) enginetest.Fate {
				if c == call {
					asked <- struct{}{}
					<-answer
				}
				return enginetest.Answered
			})
			edit := fmt.Sprintf(`{"n":1,"edit":%q}`, call)
			if call == "get" { // an edit that is no document is put back, which takes the newest version
				edit = "{"
			}
			b.disk.Foreign(registry, []byte(edit))
			done := make(chan struct{})
			go func() {
				b.read(t)
				close(done)
			}()
			<-asked
			shown := make(chan string, 1)
			go func() {
				p, i := b.store.Look(registry, func() txn.Actor { return program(4).Actor })
				shown <- fmt.Sprint(p, i.Size, b.read(t), b.store.Transactions())
			}()
			select {
			case got := <-shown:
				if want := fmt.Sprint(txn.AtHead, len(was), was, 0); got != want {
					t.Errorf("it shows %s, want %s", got, want)
				}
			case <-time.After(5 * time.Second):
				t.Error("a reader waits")
			}
			close(answer)
			<-done
			b.client.SetFate(func(string) enginetest.Fate { return enginetest.Answered })
			agree(t, func(s string) bool { return s == edit || call == "get" && s == was }, a, b)
		})
	}
}

// The notes about a registry that is gone go with its history. Of one that never had content here
// there are none.
func TestNotesOfARegistryThatIsGone(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	notes := func(h *host) int {
		lines, _, err := h.disk.Notes(registry)
		if err != nil {
			t.Fatal(err)
		}
		return len(lines)
	}
	if notes(a) == 0 || notes(b) == 0 {
		t.Error("nothing is noted of a registry that is there")
	}
	if err := a.store.Unlink(registry, program(1)); err != nil {
		t.Fatal(err)
	}
	agree(t, is(""), a, b)
	c := open(t, engine, "c", txntest.NewMemory())
	if notes(b) == 0 || notes(c) > 0 {
		t.Errorf("%d notes where it was, %d where it never was", notes(b), notes(c))
	}
	if ok, err := b.storage.Erase(registry); !ok || err != nil || notes(b) > 0 {
		t.Errorf("%d notes after an erasure: %v, %v", notes(b), ok, err)
	}
	b.close()
	b.disk.Foreign(registry, []byte(`{"new":1}`)) // nothing tells it from an old version but that all were noted
	b = open(t, engine, "b", b.disk)
	agree(t, is(`{"new":1}`), a, b, c)
}

// The history of a registry that was removed alone stays until the cluster has the removal.
func TestARemovalAloneIsNotErased(t *testing.T) {
	engine, a, b := twoAlone(t, `{"n":1}`)
	b.cut(t)
	if err := b.store.Unlink(registry, program(3)); err != nil {
		t.Fatal(err)
	}
	if ok, err := b.storage.Erase(registry); ok || err != nil {
		t.Errorf("erased: %v, %v", ok, err)
	}
	b.end9()
	agree(t, is(""), a, openAlone(t, engine, "b", b.disk))
}
