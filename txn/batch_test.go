package txn_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"clawfs/txn"
	"clawfs/txn/merge"
	"clawfs/txn/txntest"
)

// together has commits arrive while another one is being written, in this order, so
// that they are one batch. It returns their errors.
func (b *bench) together(commits ...func() error) []error {
	b.Helper()
	if txntest.DoesWithout("batches") {
		b.Skip("this is about what is switched off")
	}
	gate, entered := make(chan struct{}), make(chan struct{}, 100)
	b.storage.mu.Lock()
	b.storage.gate, b.storage.entered = gate, entered
	b.storage.mu.Unlock()
	errs := make([]error, len(commits))
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = b.store.Replace(file, program(7000), txn.Replacement{Content: []byte(`{"first":1}`), Via: txn.ViaRename})
	})
	<-entered
	for i, commit := range commits {
		wg.Go(func() { errs[i] = commit() })
		b.waitQueued(i + 1)
	}
	close(gate)
	wg.Wait()
	b.storage.mu.Lock()
	b.storage.gate, b.storage.entered = nil, nil
	b.storage.mu.Unlock()
	return errs
}

func (b *bench) replace(c txn.Caller, content string, edit ...func(*txn.Replacement)) func() error {
	p := txn.Replacement{Content: []byte(content), Via: txn.ViaRename}
	for _, f := range edit {
		f(&p)
	}
	return func() error { return b.store.Replace(file, c, p) }
}

// Each request of a batch has an outcome of its own: one is refused, and those beside it
// are not; of it nothing is in the registry, and nothing is told as committed.
func TestARefusedRequestLeavesItsBatchAlone(t *testing.T) {
	b := newBench(t, `{"first":0}`)
	errs := b.together(
		b.replace(program(1), `{"first":0,"second":2}`),
		b.replace(program(2), `{"linked":1}`, func(p *txn.Replacement) { p.NoReplace = true }),
		b.replace(program(3), `{"first":0,"third":3}`),
	)
	if errs[0] != nil || !errors.Is(errs[1], fs.ErrExist) || errs[2] != nil {
		t.Errorf("they return %v", errs)
	}
	b.want(`{"first":1,"second":2,"third":3}`)
	if kept, err := b.storage.Versions(file); err != nil || slices.Contains(kept, 3) {
		t.Errorf("version 3, which never was live and lost nothing, is kept: %v, %v", kept, err)
	}
	var told []int
	for _, e := range b.events {
		told = append(told, e.Writer.PID)
	}
	if len(told) != 3 || told[0] != 7000 || told[1] != 1 || told[2] != 3 {
		t.Errorf("events are of %v", told)
	}
}

// A modification time that a program has set is the version's only if the version holds
// just that program's bytes.
func TestASetTimeIsNotThatOfAMergedBatch(t *testing.T) {
	set := time.Unix(1_000_000_000, 0)
	b := newBench(t, `{"first":0}`)
	one, two := program(1), program(2)
	for _, c := range []txn.Caller{one, two} {
		b.read(c)
	}
	staged := b.stage(one, `{"first":0,"one":1}`)
	defer staged.Release()
	staged.Put() // so that it is stored as it is, and the other one is merged with it
	staged.SetTime(set)
	other := b.stage(two, `{"first":0,"two":2}`)
	defer other.Release()
	for _, err := range b.together(
		func() error { return staged.Flush(one, txn.Death{}) },
		func() error { return other.Flush(two, txn.Death{}) },
	) {
		b.ok(err)
	}
	b.want(`{"first":0,"one":1,"two":2}`)
	if b.last().Time.Equal(set) {
		t.Error("the merged version has the time that was set for one part of it")
	}
}

// A request is done when its version is on disk: a fault in telling of a later one takes
// nothing back.
func TestAFaultBehindACommitLeavesItCommitted(t *testing.T) {
	b := newBench(t, `{}`, func(c *txn.Config) {
		observe := c.Observer
		c.Observer = txn.ObserverFunc(func(e txn.Event) {
			if e.Writer.PID == 2 {
				panic("on purpose")
			}
			observe.Observe(e)
		})
	})
	errs := b.together(b.replace(program(1), `{"one":1}`), b.replace(program(2), `{"two":2}`), b.replace(program(3), `{"three":3}`))
	var fault *txn.FaultError
	if errs[0] != nil || !errors.As(errs[2], &fault) {
		t.Errorf("they return %v", errs)
	}
	b.save(program(4), `{"four":4}`)
	b.want(`{"four":4}`)
}

// A fault in telling of a change that an open has found keeps nobody out of the registry.
func TestAFaultInAnOpenKeepsNobodyOut(t *testing.T) {
	faulty := true
	b := newBench(t, `{}`, func(c *txn.Config) {
		observe := c.Observer
		c.Observer = txn.ObserverFunc(func(e txn.Event) {
			if faulty {
				panic("on purpose")
			}
			observe.Observe(e)
		})
	})
	b.storage.Storage.(*txntest.Memory).Foreign(file, []byte(`{"foreign":1}`))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("there was no fault: this test shows nothing")
			}
		}()
		_, _ = b.store.Begin(file, program(1), txn.BeginOptions{})
	}()
	faulty = false
	done := make(chan error)
	go func() { done <- b.store.Unlink(file, program(2)) }()
	select {
	case err := <-done:
		b.ok(err)
	case <-time.After(10 * time.Second):
		t.Fatal("a removal waits for ever")
	}
}

// A file that is renamed onto one of several names parts it from the others, even if the
// merge leaves the head as it is.
func TestARenameThatMergesToTheHeadPartsTheNames(t *testing.T) {
	for parts, want := range map[bool]txn.Outcome{false: txn.Unchanged, true: txn.Merged} {
		b := newBench(t, `{"a":1}`)
		b.read(program(1))
		b.read(program(2))
		b.save(program(2), `{"a":1,"q":2}`)
		like, err := fstest.MapFS{"t": {}}.Open("t")
		b.ok(err)
		b.ok(b.replace(program(1), `{"a":1}`, func(p *txn.Replacement) { p.Like, p.Parts, p.LooksAlike = like, parts, true })())
		b.want(`{"a":1,"q":2}`)
		if got := b.last().Outcome; got != want {
			t.Errorf("parts %t: %v, want %v", parts, got, want)
		}
	}
}

// While a version is being placed the live file may be it already: readers and stat go on
// with the one before.
func TestAVersionThatIsBeingPlacedIsNotShown(t *testing.T) {
	b := newBench(t, `["old"]`)
	who := func() txn.Actor { return program(5).Actor }
	if p, _ := b.store.Look(file, who); p != txn.OnDisk {
		t.Errorf("before: %v", p)
	}
	var during txn.Presence
	var info txn.Info
	b.storage.before = func() { during, info = b.store.Look(file, who) }
	b.save(program(1), `["new","longer"]`)
	b.storage.before = nil
	if during != txn.AtHead || info.Size != int64(len(`["old"]`)) {
		t.Errorf("meanwhile: %v, %d bytes", during, info.Size)
	}
	if p, _ := b.store.Look(file, who); p != txn.OnDisk {
		t.Errorf("afterwards: %v", p)
	}
}

// The event of a merge names the conflicts and their winners, and the losing values are kept.
func TestEventsTellOfConflicts(t *testing.T) {
	b := newBench(t, `{"a":{"x":1},"v":"base"}`)
	one, two := program(1), program(2)
	b.read(one)
	b.read(two)
	b.save(one, `{"v":"one"}`)
	b.save(two, `{"a":{"x":2},"v":"two"}`)
	b.want(`{"a":{"x":2},"v":"two"}`)
	var paths []string
	for _, c := range b.last().Conflicts {
		paths = append(paths, c.Path+" "+c.Won.String())
	}
	if len(paths) != 2 || b.last().Outcome == txn.Rejected {
		t.Errorf("conflicts are %q", paths)
	}
	copies := b.storage.Storage.(*txntest.Memory).Quarantined()

	b = newBench(t, `{"v":"base","n":{"a":1}}`, func(c *txn.Config) {
		c.Policy = func(string) *merge.Policy { return &merge.Policy{OnConflict: merge.TakeOurs} }
	})
	b.read(one)
	b.read(two)
	b.save(one, `{"v":"one","n":{"a":1}}`)
	b.save(two, `{"v":"two","n":{"a":2}}`)
	b.want(`{"v":"one","n":{"a":2}}`)
	if e := b.last(); len(e.Conflicts) != 1 || e.Conflicts[0].Won != merge.Head || e.Copy == "" {
		t.Errorf("conflicts are %v, the copy is %q", e.Conflicts, e.Copy)
	}
	if now := b.storage.Storage.(*txntest.Memory).Quarantined(); copies != 0 || now != 1 {
		t.Errorf("%d and %d copies are in quarantine, want 0 and 1", copies, now)
	}
}

// Content that loses a conflict to a later one of the same batch was never live: it goes to the
// history.
func TestALoserWithinABatchIsKept(t *testing.T) {
	b := newBench(t, `{"first":0,"v":"base"}`)
	one, two := program(1), program(2)
	b.read(one)
	b.read(two)
	staged := []*txn.Tx{b.stage(one, `{"first":0,"v":"one"}`), b.stage(two, `{"first":0,"v":"two"}`)}
	defer staged[0].Release()
	defer staged[1].Release()
	for _, err := range b.together(
		func() error { return staged[0].Flush(one, txn.Death{}) },
		func() error { return staged[1].Flush(two, txn.Death{}) },
	) {
		b.ok(err)
	}
	e := b.last()
	if len(e.Conflicts) == 0 {
		t.Fatal("there is no conflict")
	}
	kept, err := b.storage.Version(file, e.Parent)
	if err != nil || string(kept) == b.head() {
		t.Errorf("version %d, which lost, is not kept: %s, %v", e.Parent, kept, err)
	}
}

// A batch gives the registry owner and mode of the last file that became it.
func TestABatchIsLikeItsLastFile(t *testing.T) {
	files := fstest.MapFS{"one": {}, "two": {}, "refused": {}}
	like := func(name string) func(*txn.Replacement) {
		f, err := files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		return func(p *txn.Replacement) { p.Like = f }
	}
	b := newBench(t, `{"first":0}`)
	for i, err := range b.together(
		b.replace(program(1), `{"one":1}`, like("one")),
		b.replace(program(2), `{"two":2}`, like("two")),
		b.replace(program(3), `{"none":3}`),
		b.replace(program(4), `{"refused":4}`, like("refused"), func(p *txn.Replacement) { p.NoReplace = true }),
	) {
		if refused := errors.Is(err, fs.ErrExist); refused != (i == 3) {
			t.Errorf("request %d returns %v", i, err)
		}
	}
	info, err := b.storage.like.Stat()
	if err != nil || info.Name() != "two" {
		t.Errorf("it is like %v, %v", info, err)
	}
	b.save(program(5), `{"five":5}`)
	if b.storage.like != nil {
		t.Error("what is written in place is like another file")
	}
}

// A change behind the store that a commit finds is reported, and merged with.
func TestACommitReportsAForeignChange(t *testing.T) {
	b := newBench(t, `{"a":1}`)
	one := program(1)
	tx, err := b.store.Begin(file, one, txn.BeginOptions{})
	b.ok(err)
	defer tx.Release()
	p := make([]byte, 100)
	_, _ = tx.ReadAt(one, p, 0)
	b.ok(tx.Truncate(one, 0))
	_, err = tx.WriteAt(one, []byte(`{"a":1,"mine":1}`), 0)
	b.ok(err)
	b.storage.Storage.(*txntest.Memory).Foreign(file, []byte(`{"a":1,"foreign":1}`))
	b.events = nil
	b.ok(tx.Flush(one, txn.Death{}))
	b.want(`{"a":1,"foreign":1,"mine":1}`)
	if len(b.events) != 2 || b.events[0].Via != txn.ViaForeign || b.events[1].Outcome != txn.Merged {
		t.Errorf("events: %+v", b.events)
	}
}

// Strict content is merged into a registry in JSON5 in its dialect: the comments stay.
// JSON5 content over a strict registry, and content over no document, stay as they were
// written.
func TestStrictContentIsMergedInTheHeadsDialect(t *testing.T) {
	b := newBench(t, "{// why\n\"a\": 1}")
	one, two := program(1), program(2)
	b.read(one)
	b.read(two)
	b.save(one, "{// why\n\"a\": 1, \"b\": 2}")
	b.save(two, `{"a":1,"c":3}`)
	b.want("{// why\n\"a\": 1, \"b\": 2,\n\"c\": 3}")
	if e := b.last(); e.Outcome != txn.Merged {
		t.Errorf("outcome %v", e.Outcome)
	}

	// Removed meanwhile, it is merged with all the same.
	b = newBench(t, "{// why\n\"a\": 1}")
	b.read(one)
	b.read(two)
	b.save(two, "{// why\n\"a\": 1, \"b\": 2}")
	b.ok(b.store.Unlink(file, two))
	b.save(one, `{"a":1,"c":3}`)
	b.want("{// why\n\"a\": 1, \"b\": 2,\n\"c\": 3}")

	// A file that is no document gives way to the first one, whether a process had
	// seen it or not.
	b = newBench(t, "")
	plain := b.storage.Storage.(*txntest.Memory)
	plain.Foreign(file, []byte(`no document`))
	b.read(one)
	plain.Foreign(file, []byte(`none either`))
	b.save(one, `{"c":3}`)
	b.want(`{"c":3}`)
}

// Lines that are appended need no base: the event says so.
func TestAppendedLinesHaveTheHeadForABase(t *testing.T) {
	b := newBench(t, "{\"n\":1}\n{\"n\":2}\n")
	b.ok(b.give("append", program(1), "{\"n\":3}\n"))
	if e := b.last(); e.Base.Kind != txn.BaseHead || e.Base.Why == "" {
		t.Errorf("the base is %+v", e.Base)
	}
	b.wantLines("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")

	// One line, to which another handle appends a second one: nothing of either is lost.
	b = newBench(t, "{\"n\":1}\n")
	first, err := b.store.Begin(file, program(1), txn.BeginOptions{Append: true})
	b.ok(err)
	defer first.Release()
	b.ok(b.give("append", program(2), "{\"n\":2}\n"))
	_, err = first.Append(program(1), []byte("{\"n\":3}\n"))
	b.ok(err)
	b.ok(first.Flush(program(1), txn.Death{}))
	b.wantLines("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
}

// A line that is appended to a new file stands behind the lines that somebody else has
// written there meanwhile, one or more of them.
func TestAppendingToWhatSomebodyElseHasBegun(t *testing.T) {
	for _, theirs := range []string{"{\"n\":1}\n", "{\"n\":1}\n{\"n\":2}\n", "{\"n\":1}"} {
		b := newBench(t, "")
		one := program(1)
		tx, err := b.store.Begin(file, one, txn.BeginOptions{Create: true})
		b.ok(err)
		_, err = tx.Append(one, []byte("{\"mine\":1}\n"))
		b.ok(err)
		b.save(program(2), theirs)
		b.ok(tx.Flush(one, txn.Death{}))
		tx.Release()
		b.wantLines(strings.TrimSuffix(theirs, "\n") + "\n{\"mine\":1}\n")
	}
}

// Lines over a document that somebody else has committed meanwhile are refused, as they
// would change its dialect; over one line they are not.
func TestLinesOverADocumentAreRefused(t *testing.T) {
	for theirs, refused := range map[string]bool{"{\n\"n\": 1\n}\n": true, "{\"n\":1}\n": false} {
		b := newBench(t, "")
		one := program(1)
		tx := b.stage(one, "{\"n\":1}\n{\"n\":2}\n")
		b.ok(b.give("rename", program(2), theirs))
		var invalid *txn.InvalidError
		if err := tx.Flush(one, txn.Death{}); errors.As(err, &invalid) != refused {
			t.Errorf("lines over %q: %v", theirs, err)
		}
		tx.Release()
	}
}

// Where stale content is refused, lines are, too: they were appended to something else.
func TestStaleLinesAreRefused(t *testing.T) {
	b := newBench(t, "{\"n\":1}\n{\"n\":2}\n", func(c *txn.Config) { c.RejectStale = true })
	one := program(1)
	tx, err := b.store.Begin(file, one, txn.BeginOptions{Append: true})
	b.ok(err)
	defer tx.Release()
	b.ok(b.give("append", program(2), "{\"n\":3}\n"))
	_, err = tx.Append(one, []byte("{\"n\":4}\n"))
	b.ok(err)
	var stale *txn.StaleError
	if err := tx.Flush(one, txn.Death{}); !errors.As(err, &stale) {
		t.Errorf("stale lines give %v", err)
	}
}

func (b *bench) wantLines(want string) {
	b.Helper()
	if got := b.content(program(9999)); got != want {
		b.Errorf("the registry holds %q, want %q", got, want)
	}
}

// A watcher of a store is told the same as the observer that it was made with.
func TestWatch(t *testing.T) {
	b := newBench(t, `[]`)
	var watched []txn.Event
	b.store.Watch(txn.ObserverFunc(func(e txn.Event) { watched = append(watched, e) }))
	b.save(program(1), `[1]`)
	if len(watched) != 1 || len(b.events) != 1 || watched[0].Seq != b.events[0].Seq {
		t.Errorf("told %+v, and %+v", watched, b.events)
	}
}

// A line that is appended to a document on one line makes lines of it, though another
// program has replaced the document meanwhile: it stands behind the new one, and needs no base.
func TestAppendingToALineThatWasReplaced(t *testing.T) {
	b := newBench(t, "{\"n\":1}\n")
	one := program(1)
	b.read(one)
	tx, err := b.store.Begin(file, one, txn.BeginOptions{Append: true})
	b.ok(err)
	defer tx.Release()
	b.save(program(2), "{\"n\":2}\n")
	_, err = tx.Append(one, []byte("{\"n\":3}\n"))
	b.ok(err)
	b.ok(tx.Flush(one, txn.Death{}))
	b.wantLines("{\"n\":2}\n{\"n\":3}\n")
	if e := b.last(); e.Base.Kind != txn.BaseHead || len(e.Conflicts) > 0 {
		t.Errorf("it was merged: %+v", e)
	}
}
