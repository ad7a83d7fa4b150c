package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn"
	"clawfs/txn/merge"
	"clawfs/txn/txntest"
)

// host is one host of a cluster in this process.
type host struct {
	name    string
	disk    *txntest.Memory
	client  *enginetest.Client
	storage *cluster.Storage
	store   *txn.Store
	events  *log
	end     func()
}

// log keeps the events of a store.
type log struct {
	mu   sync.Mutex
	list []txn.Event
}

func (l *log) Observe(e txn.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, e)
}

func (l *log) has(is func(txn.Event) bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.list, is)
}

// open begins a host on its disk. Its limits are short, so that faults take no time.
func open(t *testing.T, engine *enginetest.Memory, name string, disk *txntest.Memory) *host {
	t.Helper()
	h, err := tryOpen(engine, name, disk, cluster.JoinRefuse)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if h.end != nil {
			if err := h.store.CheckInvariants(); err != nil {
				t.Errorf("host %s: %v", name, err)
			}
		}
		h.close()
	})
	return h
}

func tryOpen(engine *enginetest.Memory, name string, disk *txntest.Memory, how cluster.Join) (*host, error) {
	return openWith(engine, name, disk, cluster.Options{Join: how})
}

func openWith(engine *enginetest.Memory, name string, disk *txntest.Memory, o cluster.Options) (*host, error) {
	return openBy(engine.Client(), name, disk, o)
}

func openBy(client *enginetest.Client, name string, disk *txntest.Memory, o cluster.Options) (*host, error) {
	h := &host{name: name, disk: disk, client: client, events: &log{}}
	o.Cluster, o.Host, o.Names = "test", name, func(yield func(string, error) bool) { yield(registry, nil) }
	o.Commit, o.Answer, o.Look = 300*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
	var err error
	h.storage, h.end, err = cluster.Open(context.Background(), replica{disk}, h.client, o)
	if err == nil {
		disk.Pinned = h.storage.Pinned
		h.store = txn.New(h.storage, txn.Config{Observer: h.events, Policy: func(string) *merge.Policy { return counts }})
	}
	return h, err
}

// counts is how lists are merged: additions to the count add up, so that one made twice
// shows. Two equal items would be one.
var counts = &merge.Policy{Rules: []merge.Rule{{Path: "/count", As: merge.AsCounter}}}

func (h *host) close() {
	if h.end != nil {
		_ = h.store.Close()
		h.end()
		h.end = nil
	}
}

// registry is the one that tests write.
const registry = "list.json"

// program is a process on a host.
func program(pid int) txn.Caller {
	return txn.Caller{Actor: txn.Actor{PID: pid, Start: 1}, Program: "test"}
}

// write has a process write content.
func (h *host) write(c txn.Caller, content string) error { return h.writeTo(registry, c, content) }

func (h *host) writeTo(name string, c txn.Caller, content string) error {
	tx, err := h.store.Begin(name, c, txn.BeginOptions{Create: true, Truncate: true})
	if err != nil {
		return err
	}
	defer tx.Release()
	if _, err := tx.WriteAt(c, []byte(content), 0); err != nil {
		return err
	}
	return tx.Flush(c, txn.Death{})
}

// list is the document that tests write.
type list struct {
	Count int    `json:"count"`
	Items []item `json:"items"`
}

type item struct {
	ID string `json:"id"`
}

// add has a process read the list and write it with one item more.
func (h *host) add(c txn.Caller, id string) error {
	s, err := h.store.Open(registry)
	if err != nil {
		return err
	}
	text := make([]byte, s.Size())
	_, _ = s.ReadAt(c, text, 0) // it has all of it
	s.Release()
	var l list
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("what was read is no list: %w", err)
	}
	l.Count++
	l.Items = append(l.Items, item{id})
	if text, err = json.Marshal(l); err != nil {
		return err
	}
	return h.write(c, string(text))
}

// read returns the content that programs of the host read; "" where there is no registry.
func (h *host) read(t *testing.T) string {
	t.Helper()
	s, err := h.store.Open(registry)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	return string(s.Version().Bytes())
}

func (h *host) mustWrite(t *testing.T, pid int, content string) {
	t.Helper()
	if err := h.write(program(pid), content); err != nil {
		t.Fatal(err)
	}
}

// agree waits until all hosts read the same, and have it in their live files.
func agree(t *testing.T, want func(string) bool, hosts ...*host) string {
	t.Helper()
	var text string
	await(t, "all hosts to have the same", func() bool {
		text = hosts[0].read(t)
		for _, h := range hosts {
			live, _, _, _ := h.disk.Load(registry)
			if h.read(t) != text || !bytes.Equal(live, []byte(text)) || h.storage.Status().Waiting > 0 {
				return false
			}
		}
		return want(text)
	})
	return text
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }

// Writers on three hosts add to one list, while requests and answers are lost, or come late.
// Each acknowledged entry is there once, any other at most once.
func TestNothingIsLostOrDoneTwice(t *testing.T) {
	const writers, each = 3, 40
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			engine := enginetest.NewMemory()
			var hosts []*host
			for i := range 3 {
				hosts = append(hosts, open(t, engine, fmt.Sprintf("host%d", i), txntest.NewMemory()))
			}
			hosts[0].mustWrite(t, 1, `{"count":0,"items":[]}`)
			agree(t, is(`{"count":0,"items":[]}`), hosts...)
			for i, h := range hosts {
				h.client.SetFate(faults(seed, uint64(i)))
			}
			over := make(chan struct{})
			var late sync.WaitGroup
			late.Go(func() {
				for {
					select {
					case <-over:
						return
					case <-time.After(3 * time.Millisecond):
						engine.Deliver()
					}
				}
			})
			var all sync.WaitGroup
			done := make([][]string, len(hosts)*writers)
			var unknown sync.Map
			for i := range done {
				h := hosts[i/writers]
				all.Go(func() {
					for n := range each {
						id := fmt.Sprintf("%s.%d.%d", h.name, i, n)
						switch err := h.add(program(100+i), id); {
						case err == nil:
							done[i] = append(done[i], id)
						case !isUnknown(err) && !isUnavailable(err):
							t.Errorf("%s: %v", id, err)
						case isUnknown(err):
							unknown.Store(id, true)
						}
					}
				})
			}
			all.Wait()
			close(over)
			late.Wait()
			for _, h := range hosts {
				h.client.SetFate(func(string) enginetest.Fate { return enginetest.Answered })
			}
			engine.Deliver()
			text := agree(t, func(string) bool { return true }, hosts...)
			var l list
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			there := map[string]int{}
			for _, i := range l.Items {
				there[i.ID]++
			}
			acknowledged := 0
			for _, ids := range done {
				acknowledged += len(ids)
				for _, id := range ids {
					if there[id] != 1 {
						t.Errorf("%s was acknowledged, and is there %d times", id, there[id])
					}
					delete(there, id)
				}
			}
			if l.Count != len(l.Items) {
				t.Errorf("%d were counted, and %d are there", l.Count, len(l.Items))
			}
			for id, n := range there {
				if _, ok := unknown.Load(id); !ok || n > 1 {
					t.Errorf("%s was not acknowledged (unknown: %v), and is there %d times", id, ok, n)
				}
			}
			if acknowledged < len(hosts)*writers*each/2 {
				t.Errorf("only %d were acknowledged", acknowledged)
			}
		})
	}
}

// faults decides the fate of requests at random.
func faults(seed, host uint64) func(string) enginetest.Fate {
	r := rand.New(rand.NewPCG(seed, host))
	var mu sync.Mutex
	return func(call string) enginetest.Fate {
		mu.Lock()
		defer mu.Unlock()
		if n := r.IntN(10); call == "swap" && n < 4 {
			return []enginetest.Fate{enginetest.RequestLost, enginetest.AnswerLost, enginetest.AnswerLost, enginetest.Late}[n]
		}
		return enginetest.Answered
	}
}

func isUnknown(err error) bool {
	var e *cluster.UnknownError
	return errors.As(err, &e)
}

func isUnavailable(err error) bool {
	var e *cluster.UnavailableError
	return errors.As(err, &e)
}
