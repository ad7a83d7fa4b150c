package txn_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/txntest"
)

// bench is a store over storage in memory with a clock that stands still, and the events of its
// observer.
type bench struct {
	*testing.T
	store   *txn.Store
	storage *gatedStorage
	config  txn.Config
	texts   *texts // nil: views are kept nowhere

	mu     sync.Mutex // guards the fields below
	now    time.Time
	dead   map[txn.Actor]bool
	timers []*fakeTimer
	events []txn.Event
}

type fakeTimer struct {
	f       func()
	stopped bool
}

func (t *fakeTimer) Stop() bool { was := !t.stopped; t.stopped = true; return was }

// gatedStorage lets a test hold commits back, fail them, and count them.
type gatedStorage struct {
	txn.Storage
	mu      sync.Mutex
	gate    chan struct{} // if not nil, each commit takes one token first
	entered chan struct{} // if not nil, told when a commit arrives at the gate
	commits int
	fail    error
	before  func()
	like    fs.File                                               // of the last commit
	remove  func(name, stamp string, oldSeq uint64) (bool, error) // in place of the storage's
	noErase error                                                 // of Erase, if not nil
}

func (g *gatedStorage) Erase(name string) (bool, error) {
	if g.noErase != nil {
		return false, g.noErase
	}
	return g.Storage.Erase(name)
}

func (g *gatedStorage) Remove(name, stamp string, oldSeq uint64) (bool, error) {
	if g.remove != nil {
		return g.remove(name, stamp, oldSeq)
	}
	return g.Storage.Remove(name, stamp, oldSeq)
}

func (g *gatedStorage) Commit(name, stamp string, seq, oldSeq uint64, content []byte, digest [32]byte, mtime time.Time, like fs.File) (string, bool, error) {
	g.mu.Lock()
	g.commits++
	g.like = like
	gate, entered, fail, before := g.gate, g.entered, g.fail, g.before
	g.mu.Unlock()
	if entered != nil {
		entered <- struct{}{}
	}
	if gate != nil {
		<-gate
	}
	if before != nil {
		before()
	}
	if fail != nil {
		return "", false, fail
	}
	return g.Storage.Commit(name, stamp, seq, oldSeq, content, digest, mtime, like)
}

const file = "models.json"

func newBench(t *testing.T, content string, edit ...func(*txn.Config)) *bench {
	b := &bench{T: t, now: time.Unix(1_800_000_000, 0), dead: map[txn.Actor]bool{}}
	b.storage = &gatedStorage{Storage: txntest.NewMemory()}
	b.config = txn.Config{
		Now: func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now },
		After: func(_ time.Duration, f func()) txn.Stopper {
			b.mu.Lock()
			defer b.mu.Unlock()
			timer := &fakeTimer{f: f}
			b.timers = append(b.timers, timer)
			return timer
		},
		Alive: func(a txn.Actor) bool { b.mu.Lock(); defer b.mu.Unlock(); return !b.dead[a] },
		Observer: txn.ObserverFunc(func(e txn.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
		}),
	}
	for _, f := range edit {
		f(&b.config)
	}
	b.config = txntest.Configured(b.config)
	b.store = txn.New(b.storage, b.config)
	if killedBetween {
		b.texts = newTexts()
		b.store.KeepIn(b.texts)
	}
	if content != "" {
		b.save(program(9000), content)
	}
	b.events = nil
	t.Cleanup(func() {
		if err := b.store.CheckInvariants(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// fire runs the timers that were set and not stopped.
func (b *bench) fire() {
	b.mu.Lock()
	timers := b.timers
	b.timers = nil
	b.mu.Unlock()
	for _, t := range timers {
		if !t.stopped {
			t.f()
		}
	}
}

func (b *bench) kill(c txn.Caller) { b.mu.Lock(); defer b.mu.Unlock(); b.dead[c.Actor] = true }

func (b *bench) pass(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.now = b.now.Add(d) }

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) open(c txn.Caller) *txn.Tx {
	b.Helper()
	b.between()
	tx, err := b.store.Begin(file, c, txn.BeginOptions{Truncate: true, Create: true})
	b.ok(err)
	return tx
}

// stage opens the file for writing and writes content.
func (b *bench) stage(c txn.Caller, content string) *txn.Tx {
	b.Helper()
	tx := b.open(c)
	_, err := tx.WriteAt(c, []byte(content), 0)
	b.ok(err)
	return tx
}

func (b *bench) saveErr(c txn.Caller, content string) error {
	b.Helper()
	tx := b.stage(c, content)
	defer tx.Release()
	return tx.Flush(c, txn.Death{})
}

func (b *bench) save(c txn.Caller, content string) {
	b.Helper()
	b.ok(b.saveErr(c, content))
}

func (b *bench) read(c txn.Caller) string {
	b.Helper()
	b.between()
	s, err := b.store.Open(file)
	b.ok(err)
	defer s.Release()
	p := make([]byte, s.Size())
	_, err = s.ReadAt(c, p, 0)
	b.ok(err)
	return string(p)
}

func (b *bench) head() string { b.Helper(); return b.read(program(9999)) }

// rename renames a registry that nobody has open.
func (b *bench) rename(from, to string, c txn.Caller) error {
	_, err := b.store.Rename(from, to, c, txn.Replacement{Via: txn.ViaRename}, txn.Handles{IsOpen: func(*txn.Tx) bool { return false }})
	return err
}

func (b *bench) want(content string) {
	b.Helper()
	if got := b.head(); got != content {
		b.Errorf("the registry holds\n%s\nwant\n%s", got, content)
	}
}

func (b *bench) last() txn.Event {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.events) == 0 {
		b.Fatal("no event was observed")
	}
	return b.events[len(b.events)-1]
}

// ids returns the identities in a list of objects, sorted.
func (b *bench) ids(document string) []string {
	b.Helper()
	var list []struct{ ID string }
	b.ok(json.Unmarshal([]byte(document), &list))
	var out []string
	for _, e := range list {
		out = append(out, e.ID)
	}
	slices.Sort(out)
	return out
}

func TestBytesAreStoredAsWrittenWhereNobodyElseCommitted(t *testing.T) {
	b := newBench(t, `[]`)
	c := program(1)
	b.read(c)
	odd := "[ {\"id\" :\t\"a\"},\r\n1.50 ]\n\n"
	b.save(c, odd)
	b.want(odd)
	if e := b.last(); e.Outcome != txn.Committed || e.Parent != 1 || e.Seq != 2 {
		t.Errorf("outcome %v, version %d of parent %d; want committed, 2 of 1", e.Outcome, e.Seq, e.Parent)
	}
}

func TestConcurrentAdditionsAllSurvive(t *testing.T) {
	b := newBench(t, `[]`)
	const writers = 40
	var wg sync.WaitGroup
	var opened sync.WaitGroup
	opened.Add(writers)
	for i := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := program(i + 1)
			b.read(c)
			opened.Done()
			opened.Wait()
			b.save(c, fmt.Sprintf(`[{"id":"m%02d"}]`, i))
		}()
	}
	wg.Wait()
	if got := b.ids(b.head()); len(got) != writers {
		t.Errorf("%d of %d additions survive: %v", len(got), writers, got)
	}
}

func TestCommitsThatArriveDuringAWriteShareTheNextOne(t *testing.T) {
	if txntest.DoesWithout("batches") {
		t.Skip("this is about what is switched off")
	}
	b := newBench(t, `[]`)
	b.storage.gate, b.storage.entered = make(chan struct{}), make(chan struct{}, 100)
	const writers = 20
	var wg sync.WaitGroup
	start := func(i int) {
		c := program(i + 1)
		b.read(c)
		tx := b.stage(c, fmt.Sprintf(`[{"id":"m%02d"}]`, i))
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer tx.Release()
			if err := tx.Flush(c, txn.Death{}); err != nil {
				t.Error(err)
			}
		}()
	}
	b.storage.commits = 0
	start(0)
	<-b.storage.entered
	for i := range writers - 1 {
		start(i + 1)
	}
	b.waitQueued(writers - 1)
	close(b.storage.gate)
	wg.Wait()
	if b.storage.commits != 2 {
		t.Errorf("%d writes for %d commits, want 2", b.storage.commits, writers)
	}
	if got := b.ids(b.head()); len(got) != writers {
		t.Errorf("%d of %d additions survive", len(got), writers)
	}
}

// waitQueued waits until so many commits wait behind the one that is under way.
func (b *bench) waitQueued(n int) {
	b.Helper()
	for deadline := time.Now().Add(5 * time.Second); b.store.Queued(file) < n; {
		if time.Now().After(deadline) {
			b.Fatalf("%d commits are waiting, want %d", b.store.Queued(file), n)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestReadersKeepTheirVersion(t *testing.T) {
	b := newBench(t, `["old"]`)
	s, err := b.store.Open(file)
	b.ok(err)
	defer s.Release()
	b.save(program(1), `["new","longer"]`)
	p := make([]byte, 100)
	n, _ := s.ReadAt(program(2), p, 0)
	if string(p[:n]) != `["old"]` {
		t.Errorf("a reader sees %s after another's commit", p[:n])
	}
	b.want(`["new","longer"]`)
}

func TestReadersSeeACommitOnlyWhenItIsDurable(t *testing.T) {
	b := newBench(t, `["old"]`)
	b.storage.gate, b.storage.entered = make(chan struct{}), make(chan struct{}, 1)
	c := program(1)
	tx := b.stage(c, `["new"]`)
	done := make(chan error, 1)
	go func() { done <- tx.Flush(c, txn.Death{}) }()
	<-b.storage.entered
	b.want(`["old"]`)
	close(b.storage.gate)
	b.ok(<-done)
	tx.Release()
	b.want(`["new"]`)
}

func TestInvalidContentIsRefusedAndKept(t *testing.T) {
	b := newBench(t, `{}`)
	c := program(1)
	tx := b.stage(c, `{"a":1,}`)
	var invalid *txn.InvalidError
	if err := tx.Flush(c, txn.Death{}); !errors.As(err, &invalid) {
		t.Fatalf("closing invalid content gives %v", err)
	}
	if e := b.last(); e.Outcome != txn.Rejected || e.Copy == "" {
		t.Errorf("outcome %v with copy %q, want rejected with a copy", e.Outcome, e.Copy)
	}
	b.want(`{}`)
	tx.Release()
	if n := len(b.events); n != 1 {
		t.Errorf("%d events for one refusal", n)
	}
}

func TestRefusedContentCanBeCompleted(t *testing.T) {
	b := newBench(t, `{}`)
	c := program(1)
	tx := b.stage(c, `{"a":`)
	if err := tx.Flush(c, txn.Death{}); err == nil {
		t.Fatal("half a document was accepted")
	}
	_, err := tx.Append(c, []byte(`1}`))
	b.ok(err)
	b.ok(tx.Flush(c, txn.Death{}))
	tx.Release()
	b.want(`{"a":1}`)
}

func TestEmptyContentIsRefusedWithoutARecordUntilRelease(t *testing.T) {
	b := newBench(t, `{}`)
	c := program(1)
	tx := b.open(c)
	if err := tx.Flush(c, txn.Death{}); err == nil {
		t.Fatal("nothing was accepted as a document")
	}
	if len(b.events) != 0 {
		t.Fatalf("an early close was recorded: %+v", b.events)
	}
	tx.Release()
	if e := b.last(); e.Outcome != txn.Rejected || len(b.events) != 1 {
		t.Errorf("%d events, the last one %v; want one, rejected", len(b.events), e.Outcome)
	}
	b.want(`{}`)
}

func TestAForkedChildsCloseWaitsForTheOpener(t *testing.T) {
	b := newBench(t, `1`)
	opener, child := program(1), program(2)
	tx := b.open(opener)
	_, err := tx.WriteAt(child, []byte(`12`), 0)
	b.ok(err)
	b.ok(tx.Flush(child, txn.Death{}))
	b.want(`1`)
	_, err = tx.Append(opener, []byte(`3`))
	b.ok(err)
	b.ok(tx.Flush(opener, txn.Death{}))
	tx.Release()
	b.want(`123`)
}

func TestAChildCommitsWhenTheOpenerIsGone(t *testing.T) {
	b := newBench(t, `1`)
	opener, child := program(1), program(2)
	tx := b.open(opener)
	b.kill(opener)
	_, err := tx.WriteAt(child, []byte(`22`), 0)
	b.ok(err)
	b.ok(tx.Flush(child, txn.Death{}))
	b.want(`22`)
	tx.Release()
}

func TestAKilledWriterCommitsNothing(t *testing.T) {
	for _, who := range []string{"opener", "writer", "heir"} {
		t.Run(who, func(t *testing.T) {
			b := newBench(t, `["old"]`)
			opener, writer, heir := program(1), program(2), program(3)
			tx := b.open(opener)
			_, err := tx.WriteAt(writer, []byte(`["valid"]`), 0)
			b.ok(err)
			dying := map[string]txn.Caller{"opener": opener, "writer": writer, "heir": heir}[who]
			err = tx.Flush(dying, txn.Death{Signal: 9})
			tx.Release()
			var aborted *txn.AbortedError
			if who == "heir" {
				b.ok(err)
				b.want(`["valid"]`)
				return
			}
			if !errors.As(err, &aborted) || aborted.Signal != 9 {
				t.Errorf("the close of a killed writer gives %v", err)
			}
			b.want(`["old"]`)
			if e := b.last(); e.Outcome != txn.Aborted || e.Copy == "" {
				t.Errorf("outcome %v with copy %q, want aborted with a copy", e.Outcome, e.Copy)
			}
		})
	}
}

func TestExitWithoutCloseCommits(t *testing.T) {
	b := newBench(t, `1`)
	tx := b.stage(program(1), `2`)
	tx.Release()
	b.want(`2`)
}

func TestMemoryNeverReReadKeepsOthersEntries(t *testing.T) {
	b := newBench(t, `[]`)
	gateway, cli := program(1), program(2)
	b.read(gateway)
	b.save(gateway, `[{"id":"g1"}]`)
	b.read(cli)
	b.save(cli, `[{"id":"g1"},{"id":"c1"}]`)
	b.save(gateway, `[{"id":"g1"},{"id":"g2"}]`)
	b.save(gateway, `[{"id":"g2"}]`)
	if got, want := b.ids(b.head()), []string{"c1", "g2"}; !slices.Equal(got, want) {
		t.Errorf("the registry holds %v, want %v", got, want)
	}
}

func TestConcurrentWritesOfOneMemoryAddEachTheirOwn(t *testing.T) {
	b := newBench(t, `{"messages":[{"id":"base"}]}`)
	c := program(1)
	b.read(c)
	const writes = 30
	var txs []*txn.Tx
	for i := range writes {
		txs = append(txs, b.stage(c, fmt.Sprintf(`{"messages":[{"id":"base"},{"id":"m%02d"}]}`, i)))
	}
	var wg sync.WaitGroup
	for _, tx := range txs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer tx.Release()
			if err := tx.Flush(c, txn.Death{}); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if n := strings.Count(b.head(), `"id"`); n != writes+1 {
		t.Errorf("%d messages, want %d", n, writes+1)
	}
}

// A program that adds to its memory and saves it each time without waiting has
// several saves in flight. Each holds the ones before it. They may arrive in any
// order.
func TestSavesInFlightAreNotCountedTwice(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}, {0, 2, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			b := newBench(t, `{"messages":[{"text":"zero"}]}`)
			c, other := program(1), program(2)
			b.read(c)
			b.read(other)
			b.save(other, `{"messages":[{"text":"zero"}],"other":true}`)
			texts := []string{
				`{"messages":[{"text":"zero"},{"text":"one"}]}`,
				`{"messages":[{"text":"zero"},{"text":"one"},{"text":"two"}]}`,
				`{"messages":[{"text":"zero"},{"text":"one"},{"text":"two"},{"text":"three"}]}`,
			}
			var txs []*txn.Tx
			for _, text := range texts {
				txs = append(txs, b.stage(c, text))
			}
			for _, i := range order {
				b.ok(txs[i].Flush(c, txn.Death{}))
			}
			for _, tx := range txs {
				tx.Release()
			}
			var got struct {
				Messages []struct{ Text string }
				Other    bool
			}
			b.ok(json.Unmarshal([]byte(b.head()), &got))
			if len(got.Messages) != 4 || !got.Other {
				t.Errorf("the registry holds %s", b.head())
			}
			bases := map[txn.BaseKind]bool{}
			for _, e := range b.events {
				bases[e.Base.Kind] = true
			}
			if !bases[txn.BaseInFlight] && order[0] != 0 {
				t.Errorf("no event says that a save was made from one in flight: %v", bases)
			}
		})
	}
}

func TestATemporaryFileCarriesWhatItsWriterHadSeen(t *testing.T) {
	b := newBench(t, `[]`)
	jq, mv, other := program(1), program(2), program(3)
	b.read(jq)
	origin := txn.Origin{Caller: jq, Event: b.store.Now(), At: b.now}
	b.read(other)
	b.save(other, `[{"id":"other"}]`)
	b.kill(jq)
	err := b.store.Replace(file, mv, txn.Replacement{Content: []byte(`[{"id":"jq"}]`), Lineage: txn.Lineage{Writers: []txn.Origin{origin}}, Via: txn.ViaRename})
	b.ok(err)
	if got := b.ids(b.head()); len(got) != 2 {
		t.Errorf("the registry holds %v, want both entries", got)
	}
}

func TestAWriterWithoutViewInheritsFromItsKin(t *testing.T) {
	b := newBench(t, `[]`)
	shell := program(1)
	jq, tee, other := program(2), program(3), program(4)
	jq.Ancestors, tee.Ancestors = []txn.Actor{shell.Actor}, []txn.Actor{shell.Actor}
	b.read(jq)
	b.kill(jq)
	b.read(other)
	b.save(other, `[{"id":"other"}]`)
	b.save(tee, `[{"id":"jq"}]`)
	if got := b.ids(b.head()); len(got) != 2 {
		t.Errorf("the registry holds %v, want both entries", got)
	}
}

func TestAWriterWithoutKinReplaces(t *testing.T) {
	b := newBench(t, `[{"id":"a"}]`)
	b.save(program(1), `[{"id":"b"}]`)
	b.want(`[{"id":"b"}]`)
}

// A file that was removed is gone for everybody at once. The file that its process puts in its
// place has replaced it all the same.
func TestUnlinkAndCreateByOneProcessIsOneTransaction(t *testing.T) {
	b := newBench(t, `[{"id":"a"}]`)
	mv := program(1)
	b.ok(b.store.Unlink(file, mv))
	if e := b.last(); !e.Deleted {
		t.Errorf("the last event is %+v", e)
	}
	if _, err := b.store.Open(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a deleted registry gives %v", err)
	}
	if err := b.store.Unlink(file, program(2)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing a deleted registry gives %v", err)
	}
	b.save(mv, `[{"id":"b"}]`)
	b.want(`[{"id":"b"}]`)
	if e := b.last(); e.Parent != 1 || e.Base.Kind != txn.BaseOpen {
		t.Errorf("the last event is %+v", e)
	}
}

func TestAModificationOutlivesADeletionOfWhatItReplaced(t *testing.T) {
	b := newBench(t, `[]`)
	rm, other := program(1), program(2)
	b.read(other)
	b.ok(b.store.Unlink(file, rm))
	b.save(other, `[{"id":"new"}]`)
	b.want(`[{"id":"new"}]`)
}

func TestAModificationRecreatesADeletedRegistry(t *testing.T) {
	b := newBench(t, `[]`)
	rm, other := program(1), program(2)
	b.read(other)
	b.ok(b.store.Unlink(file, rm))
	b.save(other, `[{"id":"new"}]`)
	b.want(`[{"id":"new"}]`)
}

func TestTimesOfVersionsAlwaysDiffer(t *testing.T) {
	b := newBench(t, `0`)
	var times []time.Time
	for i := range 50 {
		if i == 25 {
			b.pass(-time.Hour)
		}
		b.save(program(1), fmt.Sprint(i+1))
		times = append(times, b.last().Time)
	}
	for i := range times[1:] {
		if d := times[i+1].Sub(times[i]); d < time.Microsecond {
			t.Fatalf("version %d is only %v younger than the one before", i+1, d)
		}
	}
}

func TestACommitThatIsBeatenIsMadeAnew(t *testing.T) {
	b := newBench(t, `[]`)
	c := program(1)
	b.read(c)
	done := false
	b.storage.before = func() {
		if done {
			return
		}
		done = true
		_, _, stamp, err := b.storage.Load(file)
		b.ok(err)
		_, ok, err := b.storage.Storage.Commit(file, stamp, 77, 1, []byte(`[{"id":"foreign"}]`), [32]byte{}, b.now, nil)
		if err != nil || !ok {
			t.Errorf("%v %v", ok, err)
		}
	}
	b.save(c, `[{"id":"ours"}]`)
	if got := b.ids(b.head()); len(got) != 2 {
		t.Errorf("the registry holds %v, want the foreign entry and ours", got)
	}
}

func TestAFailingDiskFailsTheWholeBatchAndLosesNothing(t *testing.T) {
	b := newBench(t, `[]`)
	b.storage.fail = errors.New("disk on fire")
	c := program(1)
	tx := b.stage(c, `[{"id":"a"}]`)
	if err := tx.Flush(c, txn.Death{}); err == nil {
		t.Fatal("a commit that failed was acknowledged")
	}
	b.want(`[]`)
	if e := b.last(); e.Outcome != txn.Rejected || e.Copy == "" {
		t.Errorf("outcome %v with copy %q, want rejected with a copy", e.Outcome, e.Copy)
	}
	b.storage.fail = nil
	_, err := tx.Append(c, []byte("\n"))
	b.ok(err)
	b.ok(tx.Flush(c, txn.Death{}))
	tx.Release()
	b.want("[{\"id\":\"a\"}]\n")
}

func TestStaleContentIsRefusedWhereItIsAskedFor(t *testing.T) {
	b := newBench(t, `[]`, func(c *txn.Config) { c.RejectStale = true })
	slow, fast := program(1), program(2)
	b.read(slow)
	b.read(fast)
	b.save(fast, `[{"id":"fast"}]`)
	var stale *txn.StaleError
	if err := b.saveErr(slow, `[{"id":"slow"}]`); !errors.As(err, &stale) {
		t.Errorf("a stale write gives %v", err)
	}
	b.want(`[{"id":"fast"}]`)
}

func TestSizeIsLimited(t *testing.T) {
	b := newBench(t, `[]`, func(c *txn.Config) { c.MaxSize = 100 })
	c := program(1)
	tx := b.stage(c, `[]`)
	defer tx.Release()
	var large *txn.TooLargeError
	if _, err := tx.WriteAt(c, []byte("x"), 100); !errors.As(err, &large) {
		t.Errorf("writing beyond the limit gives %v", err)
	}
	if err := tx.Truncate(c, 101); !errors.As(err, &large) {
		t.Errorf("truncating beyond the limit gives %v", err)
	}
	if err := b.store.Truncate(file, c, 1<<40, 0); !errors.As(err, &large) {
		t.Errorf("truncate(2) beyond the limit gives %v", err)
	}
}

func TestWritesOfTheAuthorDoNotReachVersions(t *testing.T) {
	b := newBench(t, `["abc"]`)
	c := program(1)
	tx, err := b.store.Begin(file, c, txn.BeginOptions{})
	b.ok(err)
	defer tx.Release()
	_, err = tx.WriteAt(c, []byte("X"), 2)
	b.ok(err)
	b.want(`["abc"]`)
	b.ok(tx.Flush(c, txn.Death{}))
	b.want(`["Xbc"]`)
	_, err = tx.WriteAt(c, []byte("Y"), 3)
	b.ok(err)
	b.want(`["Xbc"]`)
	b.ok(tx.Sync(c))
	b.want(`["XYc"]`)
}

func TestNoReplace(t *testing.T) {
	b := newBench(t, `[]`)
	err := b.store.Replace(file, program(1), txn.Replacement{Content: []byte(`[1]`), NoReplace: true, Via: txn.ViaLink})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("linking over a registry gives %v", err)
	}
}

func TestIdleRegistriesAreForgotten(t *testing.T) {
	b := newBench(t, "", func(c *txn.Config) { c.Idle = 8; c.Alive = func(txn.Actor) bool { return false } })
	for i := range 200 {
		c := program(i + 1)
		tx, err := b.store.Begin(fmt.Sprintf("f%d.json", i), c, txn.BeginOptions{Truncate: true, Create: true})
		b.ok(err)
		_, err = tx.WriteAt(c, []byte("{}"), 0)
		b.ok(err)
		b.ok(tx.Flush(c, txn.Death{}))
		tx.Release()
		b.pass(5 * time.Minute)
	}
	if n := b.store.InMemory(); n > 3*8 {
		t.Errorf("%d registries are in memory, want no more than 24", n)
	}
}
