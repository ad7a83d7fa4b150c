package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

// openAlone begins a host that may go on without the cluster.
func openAlone(t *testing.T, engine *enginetest.Memory, name string, disk *txntest.Memory) *host {
	t.Helper()
	h, err := openWith(engine, name, disk, cluster.Options{Offline: cluster.OfflineAccept})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

// twoAlone opens two hosts of which the second one may go on alone.
func twoAlone(t *testing.T, content string) (engine *enginetest.Memory, a, b *host) {
	t.Helper()
	engine = enginetest.NewMemory()
	a, b = open(t, engine, "a", txntest.NewMemory()), openAlone(t, engine, "b", txntest.NewMemory())
	a.mustWrite(t, 1, content)
	agree(t, is(content), a, b)
	return engine, a, b
}

// cut parts a host from the cluster, and returns when it knows.
func (h *host) cut(t *testing.T) {
	t.Helper()
	h.client.Cut()
	await(t, "the host to notice", func() bool { return h.storage.Status().Err != nil })
}

// Content that is written without the cluster is on the disk, and is merged when the cluster is back,
// from the version that the host had last.
func TestWritesAlone(t *testing.T) {
	for name, again := range map[string]func(t *testing.T, engine *enginetest.Memory, b *host) *host{
		"on return": func(_ *testing.T, _ *enginetest.Memory, b *host) *host { b.client.Mend(); return b },
		"after an end": func(t *testing.T, engine *enginetest.Memory, b *host) *host {
			b.close()
			return openAlone(t, engine, "b", b.disk)
		},
		"after an end, begun alone": func(t *testing.T, engine *enginetest.Memory, b *host) *host {
			b.close()
			b = beginAlone(t, engine, "b", b.disk)
			b.client.Mend()
			return b
		},
		"after a kill": func(t *testing.T, engine *enginetest.Memory, b *host) *host {
			b.end9()
			return openAlone(t, engine, "b", b.disk)
		},
		"after a power failure": func(t *testing.T, engine *enginetest.Memory, b *host) *host {
			b.end9()
			b.disk.LoseNotes()
			return openAlone(t, engine, "b", b.disk)
		},
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := twoAlone(t, `{"count":2,"items":[{"id":"1"},{"id":"2"}],"mode":"x"}`)
			b.cut(t)
			b.mustWrite(t, 3, `{"count":2,"items":[{"id":"2"}],"mode":"x"}`) // the first one goes
			for n := range many {
				if err := b.add(program(3), fmt.Sprint("b", n)); err != nil {
					t.Fatal(err)
				}
			}
			if live, _, _, _ := b.disk.Load(registry); string(live) != b.read(t) || !strings.Contains(string(live), fmt.Sprint("b", many-1)) {
				t.Errorf("the live file is %s", live)
			}
			if b.storage.Status().Alone != 1 {
				t.Errorf("%+v", b.storage.Status())
			}
			for n := range many {
				if err := a.add(program(1), fmt.Sprint("a", n)); err != nil {
					t.Fatal(err)
				}
			}
			b = again(t, engine, b)
			text := agree(t, func(s string) bool { return strings.Contains(s, `"b0"`) }, a, b)
			if strings.Count(text, `"a`) != many || strings.Count(text, `"b`) != many || strings.Contains(text, `"1"`) || !strings.Contains(text, fmt.Sprintf(`"count":%d`, 2+2*many)) {
				t.Errorf("%s", text)
			}
			await(t, "the copy to go", func() bool { return b.disk.Quarantined() == 0 })
		})
	}
}

// Where both have changed the same value the cluster's stands, and the host's content is kept.
func TestTheClusterWins(t *testing.T) {
	_, a, b := twoAlone(t, `{"mode":"x","other":1}`)
	b.cut(t)
	b.mustWrite(t, 3, `{"mode":"of-b","other":2}`)
	a.mustWrite(t, 1, `{"mode":"of-a","other":1}`)
	b.client.Mend()
	agree(t, is(`{"mode":"of-a","other":2}`), a, b)
	await(t, "the conflict to be told", func() bool {
		return b.events.has(func(e txn.Event) bool { return len(e.Conflicts) == 1 && e.Copy != "" })
	})
	if b.disk.Quarantined() != 1 {
		t.Errorf("%d copies", b.disk.Quarantined())
	}
}

// Where nobody else has committed, content that was written alone stands as it is.
func TestAloneIsVerbatim(t *testing.T) {
	_, a, b := twoAlone(t, `{"n":1}`)
	b.cut(t)
	b.mustWrite(t, 3, "{ \"n\" : 2 }\n")
	b.mustWrite(t, 3, "{ \"n\" : 3 }\n")
	b.client.Mend()
	agree(t, is("{ \"n\" : 3 }\n"), a, b)
}

// Names are made, taken away and moved without the cluster, too.
func TestNamesAlone(t *testing.T) {
	t.Run("made", func(t *testing.T) {
		engine := enginetest.NewMemory()
		a, b := open(t, engine, "a", txntest.NewMemory()), openAlone(t, engine, "b", txntest.NewMemory())
		b.cut(t)
		b.mustWrite(t, 3, `{"of":"b"}`)
		b.client.Mend()
		agree(t, is(`{"of":"b"}`), a, b)
	})
	t.Run("made by both", func(t *testing.T) {
		engine := enginetest.NewMemory()
		a, b := open(t, engine, "a", txntest.NewMemory()), openAlone(t, engine, "b", txntest.NewMemory())
		b.cut(t)
		b.mustWrite(t, 3, `{"b":1}`)
		a.mustWrite(t, 3, `{"a":1}`)
		b.client.Mend()
		agree(t, func(s string) bool { return strings.Contains(s, `"a"`) && strings.Contains(s, `"b"`) }, a, b)
	})
	t.Run("removed", func(t *testing.T) {
		_, a, b := twoAlone(t, `{"n":1}`)
		b.cut(t)
		if err := b.store.Unlink(registry, program(3)); err != nil {
			t.Fatal(err)
		}
		b.client.Mend()
		absent(t, a, b)
	})
	t.Run("removed, and changed elsewhere", func(t *testing.T) {
		_, a, b := twoAlone(t, `{"n":1}`)
		b.cut(t)
		if err := b.store.Unlink(registry, program(3)); err != nil {
			t.Fatal(err)
		}
		a.mustWrite(t, 1, `{"n":2}`)
		b.client.Mend()
		agree(t, is(`{"n":2}`), a, b)
	})
	t.Run("moved away", func(t *testing.T) {
		_, a, b := twoAlone(t, `{"n":1}`)
		b.cut(t)
		move := func() error { b.disk.Foreign(registry, nil); return nil }
		if err := b.store.MoveOut(registry, program(3), move); err != nil {
			t.Fatal(err)
		}
		b.client.Mend()
		absent(t, a, b)
	})
	t.Run("renamed", func(t *testing.T) {
		_, a, b := twoAlone(t, `{"n":1}`)
		b.cut(t)
		if _, err := b.store.Rename(registry, "other.json", program(3), txn.Replacement{Content: []byte(`{"n":1}`)}, txn.Handles{IsOpen: func(*txn.Tx) bool { return false }}); err != nil {
			t.Fatal(err)
		}
		b.client.Mend()
		absent(t, a, b)
		await(t, "the other name", func() bool {
			live, _, _, _ := a.disk.Load("other.json")
			return string(live) == `{"n":1}`
		})
	})
}

// A host that ends while it is alone goes on from its own files when it comes back: nothing comes back
// that was removed alone, and no change of others is undone.
func TestAnEndWhileAlone(t *testing.T) {
	unlink := func(h *host) error { return h.store.Unlink(registry, program(3)) }
	write := func(content string) func(*host) error {
		return func(h *host) error { return h.write(program(3), content) }
	}
	none := func(*host) error { return nil }
	for name, test := range map[string]struct {
		alone  func(b *host) error
		others func(a *host) error
		want   string
	}{
		"removed":                        {unlink, none, ""},
		"removed, and changed elsewhere": {unlink, write(`{"n":3}`), `{"n":3}`},
		"removed, and changed back and forth elsewhere": {
			unlink, func(a *host) error {
				return errors.Join(a.write(program(1), `{"n":3}`), a.write(program(1), `{"n":2}`))
			}, `{"n":2}`,
		},
		"an older version again": {write(`{"n":1}`), none, `{"n":1}`},
		"an older version again, and another change elsewhere": {
			write(`{"n":1}`), write(`{"n":2,"a":1}`), `{"n":1,"a":1}`,
		},
		"a change, and an older version elsewhere": {
			write(`{"n":2,"b":1}`), write(`{"n":1}`), `{"n":1,"b":1}`,
		},
		"removed, and made anew": {func(b *host) error { return errors.Join(unlink(b), b.write(program(4), `{"new":1}`)) }, none, `{"new":1}`},
	} {
		for way, end := range map[string]func(b *host){
			"end": (*host).close, "kill": (*host).end9,
			"power failure": func(b *host) { b.end9(); b.disk.LoseNotes() },
		} {
			for how, begin := range map[string]func(*testing.T, *enginetest.Memory, string, *txntest.Memory) *host{
				"begins with the cluster": openAlone, "begins alone": beginAlone,
			} {
				t.Run(name+", "+way+", "+how, func(t *testing.T) {
					engine, a, b := twoAlone(t, `{"n":1}`)
					b.mustWrite(t, 3, `{"n":2}`)
					agree(t, is(`{"n":2}`), a, b)
					b.cut(t)
					if err := test.alone(b); err != nil {
						t.Fatal(err)
					}
					end(b)
					if err := test.others(a); err != nil {
						t.Fatal(err)
					}
					again := begin(t, engine, "b", b.disk)
					again.client.Mend()
					agree(t, is(test.want), a, again)
				})
			}
		}
	}
}

// A registry that a host has made alone, and another one too, is merged after an end, as from nothing.
func TestANameMadeAloneBeforeAnEnd(t *testing.T) {
	engine := enginetest.NewMemory()
	a, b := open(t, engine, "a", txntest.NewMemory()), openAlone(t, engine, "b", txntest.NewMemory())
	b.cut(t)
	b.mustWrite(t, 3, `{"b":1}`)
	b.end9()
	b.disk.LoseNotes()
	a.mustWrite(t, 3, `{"a":1}`)
	again := openAlone(t, engine, "b", b.disk)
	agree(t, func(s string) bool { return strings.Contains(s, `"a"`) && strings.Contains(s, `"b"`) }, a, again)
}

// Two hosts that are alone create one name exclusively: each succeeds, and both contents are merged.
func TestExclusiveCreationAlone(t *testing.T) {
	engine := enginetest.NewMemory()
	a, b := openAlone(t, engine, "a", txntest.NewMemory()), openAlone(t, engine, "b", txntest.NewMemory())
	a.cut(t)
	b.cut(t)
	for _, h := range []*host{a, b} {
		tx, err := h.store.Begin(registry, program(3), txn.BeginOptions{Create: true, Exclusive: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.WriteAt(program(3), fmt.Appendf(nil, `{"%s":1}`, h.name), 0); err != nil {
			t.Fatal(err)
		}
		if err := tx.Flush(program(3), txn.Death{}); err != nil {
			t.Fatal(err)
		}
		tx.Release()
		if _, err := h.store.Begin(registry, program(4), txn.BeginOptions{Create: true, Exclusive: true}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second creation on %s: %v", h.name, err)
		}
	}
	a.client.Mend()
	b.client.Mend()
	agree(t, func(s string) bool { return strings.Contains(s, `"a"`) && strings.Contains(s, `"b"`) }, a, b)
}

// Of many commits made alone the merge base stays in the history, however few versions that keeps.
func TestTheBaseStaysInTheHistory(t *testing.T) {
	_, a, b := twoAlone(t, `{"count":1,"items":[{"id":"1"}]}`)
	b.disk.KeepVersions = 3
	b.cut(t)
	b.mustWrite(t, 3, `{"count":0,"items":[]}`)
	for n := range 10 {
		if err := b.add(program(3), fmt.Sprint("b", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.add(program(1), "a"); err != nil {
		t.Fatal(err)
	}
	b.client.Mend()
	text := agree(t, func(s string) bool { return strings.Contains(s, `"b0"`) && strings.Contains(s, `"a"`) }, a, b)
	if strings.Contains(text, `"1"`) || !strings.Contains(text, `"count":11`) {
		t.Errorf("%s", text)
	}
}

// A commit without an answer is made alone. Whether the cluster has made it, too, or not, it is
// there once.
func TestAnUnknownOutcomeAlone(t *testing.T) {
	for name, fate := range map[string]enginetest.Fate{
		"made": enginetest.AnswerLost, "late": enginetest.Late, "not made": enginetest.RequestLost,
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := twoAlone(t, `{"count":0,"items":[]}`)
			hear := b.client.Deafen()
			b.client.SetFate(func(call string) enginetest.Fate {
				if call == "swap" {
					return fate
				}
				return enginetest.RequestLost
			})
			for n := range 3 {
				if err := b.add(program(3), fmt.Sprint("b", n)); err != nil {
					t.Fatal(err)
				}
			}
			if name == "made" {
				agree(t, func(s string) bool { return strings.Contains(s, "b0") }, a)
			}
			if err := a.add(program(1), "a"); err != nil && name != "late" {
				t.Fatal(err)
			}
			engine.Deliver()
			b.client.SetFate(func(string) enginetest.Fate { return enginetest.Answered })
			hear()
			agree(t, func(s string) bool {
				ids, err := idsOf([]byte(s))
				return err == nil && len(ids) == 4
			}, a, b)
		})
	}
}

// Programs on hosts that may go on alone add to one list, while the hosts are cut off, requests and
// answers are lost or late, and daemons are killed. An entry that a program was told is saved is
// there once, in the end.
func TestAloneUnderFaults(t *testing.T) {
	for seed := range uint64(rounds(t, 3)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			engine := enginetest.NewMemory()
			type place struct {
				mu   sync.RWMutex // held for writing while the host is started again
				host *host
			}
			var places []*place
			for i := range 3 {
				places = append(places, &place{host: openAlone(t, engine, fmt.Sprint("host", i), txntest.NewMemory())})
			}
			places[0].host.mustWrite(t, 1, `{"count":0,"items":[]}`)
			agree(t, is(`{"count":0,"items":[]}`), places[0].host, places[1].host, places[2].host)
			for i, p := range places {
				p.host.client.SetFate(faults(seed, uint64(i)))
			}
			over := make(chan struct{})
			var running, writers sync.WaitGroup
			cuts, kills := 0, 0
			running.Go(func() {
				r := rand.New(rand.NewPCG(seed, 7))
				for {
					select {
					case <-over:
						return
					case <-time.After(10 * time.Millisecond):
					}
					engine.Deliver()
					i := r.IntN(len(places))
					p := places[i]
					switch n := r.IntN(20); {
					case n < 3:
						cuts++
						p.host.client.Cut()
					case n < 6:
						p.host.client.Mend()
					case n == 6:
						kills++
						p.mu.Lock()
						p.host.close() // a store that goes on would be a second daemon on the disk
						h, err := openWith(engine, p.host.name, p.host.disk, cluster.Options{Offline: cluster.OfflineAccept})
						if err != nil {
							t.Error(err)
						} else {
							h.client.SetFate(faults(seed+1, uint64(i)))
							p.host = h
						}
						p.mu.Unlock()
					}
				}
			})
			var mu sync.Mutex
			saved := map[string]bool{}
			for i, p := range places {
				for w := range 2 {
					writers.Go(func() {
						for n := range 25 {
							id := fmt.Sprintf("%d.%d.%d", i, w, n)
							p.mu.RLock()
							err := p.host.add(program(100+w), id)
							p.mu.RUnlock()
							if err != nil && !errors.Is(err, txn.ErrBeaten) {
								t.Errorf("%s: %v", id, err)
							}
							mu.Lock()
							saved[id] = err == nil
							mu.Unlock()
							time.Sleep(2 * time.Millisecond)
						}
					})
				}
			}
			writers.Wait()
			close(over)
			running.Wait()
			var hosts []*host
			for _, p := range places {
				t.Cleanup(p.host.close)
				p.host.client.SetFate(func(string) enginetest.Fate { return enginetest.Answered })
				p.host.client.Mend()
				hosts = append(hosts, p.host)
			}
			engine.Deliver()
			rest := func(text string) bool { // edits are merged after the hosts have the same
				for _, h := range hosts {
					if h.disk.Quarantined() > 0 || h.storage.Status().Alone > 0 {
						return false
					}
				}
				return true
			}
			var l list
			if err := json.Unmarshal([]byte(agree(t, rest, hosts...)), &l); err != nil {
				t.Fatal(err)
			}
			there := map[string]int{}
			for _, i := range l.Items {
				there[i.ID]++
			}
			n := 0
			for id, ok := range saved {
				if ok {
					n++
				}
				if there[id] > 1 || ok && there[id] != 1 {
					t.Errorf("%s (saved: %v) is there %d times", id, ok, there[id])
				}
			}
			if l.Count != len(l.Items) {
				t.Errorf("%d were counted, and %d are there", l.Count, len(l.Items))
			}
			t.Logf("%d saved, %d there; %d cuts, %d kills", n, len(l.Items), cuts, kills)
		})
	}
}
