package cluster_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

// two opens two hosts of a new cluster, which have the content.
func two(t *testing.T, content string) (engine *enginetest.Memory, a, b *host) {
	t.Helper()
	engine = enginetest.NewMemory()
	a, b = open(t, engine, "a", txntest.NewMemory()), open(t, engine, "b", txntest.NewMemory())
	if content != "" {
		a.mustWrite(t, 1, content)
		agree(t, is(content), a, b)
	}
	return engine, a, b
}

// absent waits until no host has the registry.
func absent(t *testing.T, hosts ...*host) {
	t.Helper()
	await(t, "the registry to be gone", func() bool {
		for _, h := range hosts {
			stamp, err := h.disk.Stamp(registry)
			if err != nil || stamp != "" || h.read(t) != "" {
				return false
			}
		}
		return true
	})
}

func TestOthersHearOfACommit(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	a.mustWrite(t, 1, `{"n":2}`)
	agree(t, is(`{"n":2}`), a, b)
	await(t, "the event", func() bool {
		return b.events.has(func(e txn.Event) bool {
			return e.Via == txn.ViaPeer && e.Host == "a" && e.Changed && e.Seq == 2 && e.Parent == 1 && e.Name == registry
		})
	})
	if a.events.has(func(e txn.Event) bool { return e.Via == txn.ViaPeer }) {
		t.Error("a host takes its own commit for another one's")
	}
	if err := a.store.Unlink(registry, program(1)); err != nil {
		t.Fatal(err)
	}
	absent(t, a, b)
	await(t, "the event", func() bool {
		return b.events.has(func(e txn.Event) bool { return e.Via == txn.ViaPeer && e.Deleted && e.Host == "a" })
	})
}

// A host's change of a version that others have gone on from is merged.
func TestAStaleWriteIsMerged(t *testing.T) {
	_, a, b := two(t, `{"count":0,"items":[]}`)
	tx, err := b.store.Begin(registry, program(7), txn.BeginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Release()
	_, _ = tx.ReadAt(program(7), make([]byte, 100), 0)
	if err := a.add(program(1), "of-a"); err != nil {
		t.Fatal(err)
	}
	agree(t, is(`{"count":1,"items":[{"id":"of-a"}]}`), a, b)
	const mine = `{"count":1,"items":[{"id":"of-b"}]}`
	if err := errors.Join(tx.Truncate(program(7), 0), writeAll(tx, mine), tx.Flush(program(7), txn.Death{})); err != nil {
		t.Fatal(err)
	}
	agree(t, func(s string) bool {
		return strings.Contains(s, "of-a") && strings.Contains(s, "of-b") && strings.Contains(s, `"count":2`)
	}, a, b)
}

func writeAll(tx *txn.Tx, content string) error {
	_, err := tx.WriteAt(program(7), []byte(content), 0)
	return err
}

// A host that is beaten by a commit that it has not heard of merges with the
// version in the answer.
func TestABeatenCommitIsMerged(t *testing.T) {
	_, a, b := two(t, `{"count":0,"items":[]}`)
	hear := b.client.Deafen()
	if err := a.add(program(1), "of-a"); err != nil {
		t.Fatal(err)
	}
	if err := b.add(program(2), "of-b"); err != nil {
		t.Fatal(err)
	}
	hear()
	agree(t, is(`{"count":2,"items":[{"id":"of-a"},{"id":"of-b"}]}`), a, b)
}

// Of several hosts that create a registry exclusively one succeeds.
func TestExclusiveCreationIsOfOneHost(t *testing.T) {
	_, a, b := two(t, "")
	create := func(h *host) (*txn.Tx, error) {
		return h.store.Begin(registry, program(3), txn.BeginOptions{Create: true, Exclusive: true})
	}
	tx, err := create(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := create(b); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("the second creation: %v", err)
	}
	if p, _ := b.store.Look(registry, func() txn.Actor { return program(4).Actor }); p != txn.Hidden {
		t.Errorf("another host shows what is being created: %v", p)
	}
	if _, err := tx.WriteAt(program(3), []byte(`{"made":"by a"}`), 0); err != nil {
		t.Fatal(err)
	}
	if err := tx.Flush(program(3), txn.Death{}); err != nil {
		t.Fatal(err)
	}
	tx.Release()
	agree(t, is(`{"made":"by a"}`), a, b)
	if p, _ := b.store.Look(registry, func() txn.Actor { return program(4).Actor }); p != txn.OnDisk {
		t.Errorf("another host does not show what was created: %v", p)
	}
}

// A host that was away follows, and neither brings back removed entries nor undoes changes
// of others.
func TestAHostThatWasAwayFollows(t *testing.T) {
	for name, test := range map[string]struct {
		others func(t *testing.T, a *host)
		want   string // empty: there is no registry
	}{
		"changed": {func(t *testing.T, a *host) { a.mustWrite(t, 1, `{"n":2}`); a.mustWrite(t, 1, `{"n":3}`) }, `{"n":3}`},
		"removed": {func(t *testing.T, a *host) {
			if err := a.store.Unlink(registry, program(1)); err != nil {
				t.Fatal(err)
			}
		}, ""},
		"removed and made anew": {func(t *testing.T, a *host) {
			if err := a.store.Unlink(registry, program(1)); err != nil {
				t.Fatal(err)
			}
			a.mustWrite(t, 2, `{"other":true}`)
		}, `{"other":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := two(t, `{"n":1}`)
			b.close()
			test.others(t, a)
			b = open(t, engine, "b", b.disk)
			if test.want == "" {
				absent(t, a, b)
				return
			}
			agree(t, is(test.want), a, b)
		})
	}
}

// A change that was made while no clawfs looked after the files is merged with those of
// others, from the version that both go on from.
func TestAnEditWhileAwayIsMerged(t *testing.T) {
	engine, a, b := two(t, `{"items":[{"id":"1"},{"id":"2"}],"n":1}`)
	b.close()
	a.mustWrite(t, 1, `{"items":[{"id":"2"}],"n":1}`)
	b.disk.Foreign(registry, []byte(`{"items":[{"id":"1"},{"id":"2"},{"id":"3"}],"n":2}`))
	b = open(t, engine, "b", b.disk)
	agree(t, is(`{"items":[{"id":"2"},{"id":"3"}],"n":2}`), a, b)
	await(t, "the copy to go", func() bool { return b.disk.Quarantined() == 0 })
}

// Where nobody else has committed an edit stands as it is, and so does one behind a
// storage that serves.
func TestAnEditAloneIsVerbatim(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	b.close()
	b.disk.Foreign(registry, []byte("{ \"n\" : 2 }\n"))
	b = open(t, engine, "b", b.disk)
	agree(t, is("{ \"n\" : 2 }\n"), a, b)
	b.disk.Foreign(registry, []byte("{ \"n\" : 3 }\n"))
	b.read(t)
	agree(t, is("{ \"n\" : 3 }\n"), a, b)
	b.disk.Foreign(registry, nil)
	b.read(t)
	absent(t, a, b)
}

// An edit behind the storage that is no document reaches nobody, and is kept.
func TestAnInvalidEditReachesNobody(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	b.disk.Foreign(registry, []byte(`{"n":`))
	b.read(t)
	agree(t, is(`{"n":1}`), a, b)
	await(t, "the refusal", func() bool {
		return b.events.has(func(e txn.Event) bool {
			var invalid *txn.InvalidError
			return e.Outcome == txn.Rejected && errors.As(e.Err, &invalid) && e.Copy != ""
		})
	})
	if n := b.disk.Quarantined(); n != 1 {
		t.Errorf("%d copies are in quarantine", n)
	}
}

func TestJoinOfUnrelatedFiles(t *testing.T) {
	for how, want := range map[cluster.Join]func(string) bool{
		cluster.JoinTake: is(`{"a":1}`),
		cluster.JoinGive: is(`{"b":2}`),
		cluster.JoinMerge: func(s string) bool {
			return strings.Contains(s, `"a":1`) && strings.Contains(s, `"b":2`)
		},
	} {
		t.Run(string(how), func(t *testing.T) {
			engine := enginetest.NewMemory()
			a := open(t, engine, "a", txntest.NewMemory())
			a.mustWrite(t, 1, `{"a":1}`)
			disk := txntest.NewMemory()
			disk.Foreign(registry, []byte(`{"b":2}`))
			var unrelated *cluster.UnrelatedError
			if _, err := tryOpen(engine, "b", disk, cluster.JoinRefuse); !errors.As(err, &unrelated) || len(unrelated.Names) != 1 {
				t.Fatalf("it joins without a choice: %v", err)
			}
			if live, _, _, _ := disk.Load(registry); string(live) != `{"b":2}` {
				t.Fatalf("a refused join has changed the file: %s", live)
			}
			b, err := tryOpen(engine, "b", disk, how)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.close)
			agree(t, want, a, b)
		})
	}
}

// While the live file follows another host, readers are shown the former version.
func TestReadersDoNotWaitForAnotherHost(t *testing.T) {
	engine, disk := enginetest.NewMemory(), txntest.NewMemory()
	var slow atomic.Bool
	reached, goOn := make(chan struct{}), make(chan struct{})
	disk.Hook = func(s txntest.Step) error {
		if s.Call == "commit" && s.What == "exchange" && slow.CompareAndSwap(true, false) {
			close(reached)
			<-goOn
		}
		return nil
	}
	a, b := open(t, engine, "a", txntest.NewMemory()), open(t, engine, "b", disk)
	a.mustWrite(t, 1, `{"n":1}`)
	agree(t, is(`{"n":1}`), a, b)
	slow.Store(true)
	a.mustWrite(t, 1, `{"n":2}`)
	<-reached
	shown := make(chan string, 1)
	go func() {
		p, i := b.store.Look(registry, func() txn.Actor { return program(4).Actor })
		shown <- fmt.Sprint(p, i.Size, b.read(t))
	}()
	select {
	case got := <-shown:
		if want := fmt.Sprint(txn.AtHead, 7, `{"n":1}`); got != want {
			t.Errorf("it shows %s, want %s", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Error("a reader waits")
	}
	close(goOn)
	agree(t, is(`{"n":2}`), a, b)
}

// A plain file that changes places with a directory is nobody's business, and the registries
// in the directory have other names.
func TestExchangeWithAPlainFile(t *testing.T) {
	engine, disk := enginetest.NewMemory(), txntest.NewMemory()
	client := engine.Client()
	s, end, err := cluster.Open(t.Context(), replica{disk}, client, cluster.Options{
		Cluster: "test", Host: "a", Shares: func(name string) bool { return strings.HasSuffix(name, ".json") },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	commit(t, s, "dir/x.json", []byte(`{"n":1}`))
	disk.Foreign("plain", []byte("secret"))
	if err := s.Exchange("plain", "dir"); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	if _, err := client.List(t.Context(), "test/head/", func(e cluster.Entry) {
		there[strings.TrimPrefix(e.Key, "test/head/")] = !bytes.Contains(e.Value, []byte(`"gone"`))
	}); err != nil {
		t.Fatal(err)
	}
	if want := map[string]bool{"dir/x.json": false, "plain/x.json": true}; !maps.Equal(there, want) {
		t.Errorf("there are %v, want %v", there, want)
	}
}

// A registry of this host alone is on no other one, and can be written without a majority.
func TestRegistriesOfOneHost(t *testing.T) {
	engine, disk := enginetest.NewMemory(), txntest.NewMemory()
	disk.Foreign("own.json", []byte(`{"n":1}`))
	client := engine.Client()
	s, end, err := cluster.Open(t.Context(), replica{disk}, client, cluster.Options{
		Cluster: "test", Host: "a", Names: func(yield func(string, error) bool) { yield("own.json", nil) },
		Shares: func(name string) bool { return name != "own.json" }, Look: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	store := txn.New(s, txn.Config{})
	defer func() {
		if err := errors.Join(store.CheckInvariants(), store.Close()); err != nil {
			t.Error(err)
		}
	}()
	client.Cut()
	await(t, "the host to notice", func() bool { return s.Writable("") != nil })
	h := &host{store: store}
	for _, step := range []func() error{
		func() error { return h.writeTo("own.json", program(1), `{"n":2}`) },
		func() error { return store.Unlink("own.json", program(1)) },
		func() error { return h.writeTo("own.json", program(1), `{"n":3}`) },
		func() error { return store.CatchUp("own.json") },
	} {
		if err := step(); err != nil {
			t.Error(err)
		}
	}
	if err := h.writeTo("other.json", program(1), `{"n":3}`); !errors.Is(err, syscall.EROFS) {
		t.Errorf("%v, want EROFS", err)
	}
	if live, _, _, err := disk.Load("own.json"); string(live) != `{"n":3}` || err != nil {
		t.Errorf("%s, %v", live, err)
	}
	if engine.Rev() != 0 {
		t.Error("the cluster has something of it")
	}
}

// Without a majority reads go on, and nothing is taken away before a write is refused.
func TestWithoutAMajority(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	b.client.Cut()
	await(t, "the host to notice", func() bool { return b.storage.Writable("") != nil })
	for what, err := range map[string]error{
		"create": func() error {
			_, err := b.store.Begin("new.json", program(1), txn.BeginOptions{Create: true})
			return err
		}(),
		"truncate": func() error {
			_, err := b.store.Begin(registry, program(1), txn.BeginOptions{Truncate: true})
			return err
		}(),
		"unlink": b.store.Unlink(registry, program(1)),
		"move": func() error {
			return b.store.MoveOut(registry, program(1), func() error { t.Error("moved"); return nil })
		}(),
	} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v, want EROFS", what, err)
		}
	}
	tx, err := b.store.Begin(registry, program(1), txn.BeginOptions{})
	if err != nil {
		t.Fatal(err) // a program may want a lock only
	}
	if _, err := tx.WriteAt(program(1), []byte("x"), 0); !errors.Is(err, syscall.EROFS) {
		t.Errorf("write: %v, want EROFS", err)
	}
	if err := tx.Flush(program(1), txn.Death{}); err != nil {
		t.Errorf("close of what was not changed: %v", err)
	}
	tx.Release()
	a.mustWrite(t, 1, `{"n":2}`)
	if got := b.read(t); got != `{"n":1}` {
		t.Errorf("a host that is cut off reads %s", got)
	}
	b.client.Mend()
	agree(t, is(`{"n":2}`), a, b)
	await(t, "the host to notice", func() bool { return b.storage.Writable("") == nil })
	b.mustWrite(t, 1, `{"n":3}`)
	agree(t, is(`{"n":3}`), a, b)
}

// A commit without an answer is told as such, and kept; the host finds out its fate.
func TestAnUnknownOutcomeIsTold(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	b.client.SetFate(func(call string) enginetest.Fate {
		if call == "swap" {
			return enginetest.Late
		}
		return enginetest.Answered
	})
	if err := b.write(program(1), `{"n":2}`); !isUnknown(err) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("a commit that nobody answers: %v", err)
	}
	if n := b.disk.Quarantined(); n != 1 {
		t.Errorf("%d copies are in quarantine", n)
	}
	if got := b.read(t); got != `{"n":1}` {
		t.Errorf("it shows %s", got)
	}
	b.client.SetFate(func(string) enginetest.Fate { return enginetest.Answered })
	engine.Deliver()
	agree(t, is(`{"n":2}`), a, b)
	await(t, "the host to tell", func() bool {
		return b.events.has(func(e txn.Event) bool { return e.Via == txn.ViaPeer && e.Host == "b" && e.Changed })
	})
}

// The answer to a commit is lost: the commit was made, and is not made a second time.
func TestALostAnswerIsNoOtherCommit(t *testing.T) {
	_, a, b := two(t, `{"count":0,"items":[]}`)
	hear := b.client.Deafen()
	swaps := 0
	b.client.SetFate(func(call string) enginetest.Fate {
		if call != "swap" {
			return enginetest.Answered
		}
		if swaps++; swaps == 1 {
			return enginetest.AnswerLost
		}
		return enginetest.Answered
	})
	if err := b.add(program(2), "of-b"); err != nil {
		t.Fatal(err)
	}
	hear()
	agree(t, is(`{"count":1,"items":[{"id":"of-b"}]}`), a, b)
	if swaps != 2 {
		t.Errorf("%d swaps, want 2", swaps)
	}
}

// The answer to a commit is lost, and another host has gone on from it before it is asked
// for again: the commit was made, and is not made a second time.
func TestALostAnswerBehindAnotherCommit(t *testing.T) {
	_, a, b := two(t, `{"count":0,"items":[]}`)
	hear := b.client.Deafen()
	swaps := 0
	b.client.SetFate(func(call string) enginetest.Fate {
		if call != "swap" {
			return enginetest.Answered
		}
		switch swaps++; swaps {
		case 1:
			return enginetest.AnswerLost
		case 2:
			await(t, "the other host to follow", func() bool { return strings.Contains(a.read(t), "of-b") })
			if err := a.add(program(1), "of-a"); err != nil {
				t.Error(err)
			}
		}
		return enginetest.Answered
	})
	if err := b.add(program(2), "of-b"); err != nil {
		t.Fatal(err)
	}
	hear()
	agree(t, is(`{"count":2,"items":[{"id":"of-b"},{"id":"of-a"}]}`), a, b)
	if swaps != 2 {
		t.Errorf("%d swaps, want 2", swaps)
	}
}

func TestAFullCluster(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	engine.SetFull(true)
	if err := b.write(program(1), `{"n":2}`); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want ENOSPC", err)
	}
	engine.SetFull(false)
	b.mustWrite(t, 1, `{"n":3}`)
	agree(t, is(`{"n":3}`), a, b)
}

// A host whose watch was forgotten lists anew.
func TestCompactionHidesNothing(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	b.client.Cut()
	a.mustWrite(t, 1, `{"n":2}`)
	engine.Compact()
	b.client.Mend()
	agree(t, is(`{"n":2}`), a, b)
}

// Somebody has deleted the keys: the hosts' registries are there again with the next
// commit.
func TestDeletedKeys(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	a.client.Delete("test/head/" + registry)
	a.mustWrite(t, 1, `{"n":2}`)
	agree(t, is(`{"n":2}`), a, b)
}

// large is a document of so many items, each with many bytes that don't compress.
func large(items, change int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(`{"count":0,"items":[`)
	for i := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%d","text":"`, i)
		for range 64 {
			fmt.Fprintf(&b, "%016x", r.Uint64())
		}
		if i == change {
			b.WriteString("changed")
		}
		b.WriteString(`"}`)
	}
	b.WriteString("]}")
	return b.String()
}

// chunks returns their number and size.
func chunks(t *testing.T, c *enginetest.Client) (n, size int) {
	t.Helper()
	if _, err := c.List(t.Context(), "test/chunk/", func(e cluster.Entry) { n, size = n+1, size+len(e.Value) }); err != nil {
		t.Fatal(err)
	}
	return n, size
}

// A commit puts only the changed chunks of a large content, and chunks that nobody
// refers to go.
func TestALargeContent(t *testing.T) {
	engine, a, b := two(t, large(4000, -1))
	before, size := chunks(t, a.client)
	if before < 20 || size > 4<<20 {
		t.Fatalf("%d chunks of %d bytes", before, size)
	}
	rev := engine.Rev()
	a.mustWrite(t, 1, large(4000, 2000))
	agree(t, is(large(4000, 2000)), a, b)
	if n := engine.Rev() - rev; n > 4 { // some chunks, and the record
		t.Errorf("a small change takes %d swaps", n)
	}
	for i := range 10 {
		a.mustWrite(t, 1, large(4000, i*300))
	}
	agree(t, is(large(4000, 2700)), a, b)
	await(t, "old chunks to be dropped", func() bool { n, _ := chunks(t, a.client); return n <= before+8 })
	if err := b.store.Unlink(registry, program(1)); err != nil {
		t.Fatal(err)
	}
	absent(t, a, b)
	if c, err := b.storage.Collect(t.Context()); err != nil || c.Chunks != 0 || c.Dropped < before {
		t.Errorf("%+v, %v", c, err)
	}
	if n, _ := chunks(t, a.client); n > 0 {
		t.Errorf("%d chunks are left", n)
	}
}

// The chunks of a commit that is under way are not collected. Those of one that was
// beaten, or whose host has died, are collected.
func TestCollectionSparesCommitsUnderWay(t *testing.T) {
	engine, a, b := two(t, large(1000, -1))
	before, _ := chunks(t, a.client)
	b.client.SetFate(func(call string) enginetest.Fate {
		if call == "swap" && engine.Rev() > 0 {
			if n, _ := chunks(t, a.client); n > before { // it is the record's
				return enginetest.Late
			}
		}
		return enginetest.Answered
	})
	if err := b.write(program(1), large(1000, 500)); !isUnknown(err) {
		t.Fatal(err)
	}
	n, _ := chunks(t, a.client)
	if c, err := a.storage.Collect(t.Context()); err != nil || c.Dropped != 0 || c.Busy == 0 || c.Chunks != n {
		t.Errorf("of %d: %+v, %v", n, c, err)
	}
	engine.Deliver()
	agree(t, is(large(1000, 500)), a, b)
	b.client.SetFate(func(string) enginetest.Fate { return enginetest.Answered })
	b.mustWrite(t, 1, `{"n":1}`)
	agree(t, is(`{"n":1}`), a, b)
	if c, err := a.storage.Collect(t.Context()); err != nil || c.Chunks != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A host that asks for chunks of a version that was replaced takes the newer one.
func TestChunksThatAreGone(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	hear := b.client.Deafen()
	a.mustWrite(t, 1, large(1000, -1))
	a.mustWrite(t, 1, `{"n":2}`)
	if _, err := a.storage.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	hear()
	agree(t, is(`{"n":2}`), a, b)
	for _, m := range []*host{a, b} {
		if m.storage.Status().Waiting > 0 {
			t.Errorf("%s waits", m.name)
		}
	}
}

// A large registry whose content can't be compressed.
func TestAContentThatDoesNotCompress(t *testing.T) {
	engine := enginetest.NewMemory()
	a, b := join(t, replica{txntest.NewMemory()}, engine.Client(), "a"), join(t, replica{txntest.NewMemory()}, engine.Client(), "b")
	content := make([]byte, 16<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content) // never fails
	commit(t, a, registry, content)
	rev := engine.Rev()
	await(t, "the commit to be known", func() bool { return b.Status().Rev >= rev })
	if err := b.Advance(registry); err != nil {
		t.Fatal(err)
	}
	got, _, _, err := b.Load(registry)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// A cluster that runs full in the midst of a large commit, or takes no request as large, has
// nothing of it, and says so; the content is kept here.
func TestALargeContentThatIsRefused(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	var swaps atomic.Int64
	b.client.SetFate(func(call string) enginetest.Fate {
		if call == "swap" && swaps.Add(1) == 10 {
			engine.SetFull(true)
		}
		return enginetest.Answered
	})
	if err := b.write(program(1), large(4000, -1)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want ENOSPC", err)
	}
	engine.SetFull(false)
	engine.SetLargest(10_000)
	var refused *cluster.TooLargeError
	if err := b.write(program(1), large(4000, -1)); !errors.As(err, &refused) || !errors.Is(err, syscall.EFBIG) {
		t.Errorf("%v, want EFBIG", err)
	}
	engine.SetLargest(0)
	if b.disk.Quarantined() == 0 {
		t.Error("the content is not kept")
	}
	agree(t, is(`{"n":1}`), a, b)
	if n, _ := chunks(t, a.client); n > 0 {
		t.Errorf("%d chunks are left", n)
	}
	b.mustWrite(t, 1, large(4000, -1))
	agree(t, is(large(4000, -1)), a, b)
}

// Somebody changes the live file between the cluster's commit and the file's: both are there.
func TestAnEditAtTheMomentOfACommit(t *testing.T) {
	engine, disk := enginetest.NewMemory(), txntest.NewMemory()
	var edit func()
	disk.Hook = func(s txntest.Step) error {
		if e := edit; e != nil && s.Call == "commit" && s.What == "exchange" {
			edit = nil
			e()
		}
		return nil
	}
	a, b := open(t, engine, "a", txntest.NewMemory()), open(t, engine, "b", disk)
	b.mustWrite(t, 1, `{"count":0,"items":[{"id":"1"}]}`)
	b.mustWrite(t, 1, `{"count":0,"items":[{"id":"2"}]}`)
	edit = func() { disk.Foreign(registry, []byte(`{"count":0,"items":[{"id":"2"},{"id":"edit"}]}`)) }
	if err := b.add(program(2), "own"); err != nil {
		t.Fatal(err)
	}
	b.read(t)
	agree(t, func(s string) bool { return strings.Contains(s, "own") && strings.Contains(s, "edit") }, a, b)
}

// A host whose disk is full shows the version before, refuses writes, and follows once there
// is room.
func TestAHostWithoutRoom(t *testing.T) {
	engine, disk := enginetest.NewMemory(), txntest.NewMemory()
	var full atomic.Bool
	disk.Hook = func(s txntest.Step) error {
		if s.Call == "commit" && full.Load() {
			return syscall.ENOSPC
		}
		return nil
	}
	a, b := open(t, engine, "a", txntest.NewMemory()), open(t, engine, "b", disk)
	a.mustWrite(t, 1, `{"n":1}`)
	agree(t, is(`{"n":1}`), a, b)
	full.Store(true)
	a.mustWrite(t, 1, `{"n":2}`)
	await(t, "the host to try", func() bool { return b.storage.Status().Waiting > 0 })
	if got := b.read(t); got != `{"n":1}` {
		t.Errorf("it shows %s", got)
	}
	if err := b.write(program(1), `{"n":3}`); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want ENOSPC", err)
	}
	full.Store(false)
	agree(t, is(`{"n":2}`), a, b)
}

// A file that is no registry on a host is none of its business.
func TestAHostWithOtherPatterns(t *testing.T) {
	engine, a, _ := two(t, `{"n":1}`)
	disk := txntest.NewMemory()
	s, end, err := cluster.Open(t.Context(), replica{disk}, engine.Client(), cluster.Options{Cluster: "test", Host: "c", Shares: func(string) bool { return false }})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	a.mustWrite(t, 1, `{"n":2}`)
	rev := engine.Rev()
	await(t, "it to hear", func() bool { return s.Status().Rev >= rev })
	if stamp, err := disk.Stamp(registry); stamp != "" || err != nil || s.Status().Registries > 0 {
		t.Errorf("it has the file: %q, %v", stamp, err)
	}
}

// Where readings are to be of the newest version a store shows that, though the host has not heard of it,
// and says so where it can't.
func TestTheLatestVersion(t *testing.T) {
	_, a, b := two(t, `{"n":1}`)
	config := txn.Config{ReadLatest: true}
	if asked, err := b.store.Latest(registry); asked || err != nil {
		t.Errorf("without being told to: %v, %v", asked, err)
	}
	latest := txn.New(b.storage, config)
	t.Cleanup(func() { latest.Close() })
	hear := b.client.Deafen()
	defer hear()
	for n := 2; n < 10; n++ {
		want := fmt.Sprintf(`{"n":%d}`, n)
		a.mustWrite(t, 1, want)
		if n == 2 && b.read(t) == want {
			t.Error("the host has heard of it")
		}
		if asked, err := latest.Latest(registry); !asked || err != nil {
			t.Fatal(asked, err)
		}
		s, err := latest.Open(registry)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(s.Version().Bytes()); text != want {
			t.Errorf("%s, want %s", text, want)
		}
		s.Release()
	}
	if err := a.store.Unlink(registry, program(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := latest.Latest(registry); err != nil {
		t.Fatal(err)
	}
	if _, err := latest.Open(registry); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a registry that is gone: %v", err)
	}
	b.client.Cut()
	await(t, "the host to notice", func() bool { return b.storage.Status().Err != nil })
	began := time.Now()
	var unsure *txn.UnsureError
	if _, err := latest.Latest(registry); !errors.As(err, &unsure) {
		t.Errorf("without the cluster: %v", err)
	}
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("that took %v", took)
	}
}
