package txn_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/txntest"
)

// faultRow is one row of the table in docs/FAULTS.md: the faults that were tried, and the
// losses in all states together. scripts/faults makes the table.
type faultRow struct{ tried, acknowledged, lost, invalid, unkept int }

func (r *faultRow) report(t *testing.T, fault string) {
	t.Helper()
	t.Logf("FAULT|%s|%d|%d|%d|%d|%d", fault, r.tried, r.acknowledged, r.lost, r.invalid, r.unkept)
}

// faultRun is one run of a workload on storage that may fail or lose power at
// any step. It keeps the answers that writers got, and so may rely on.
type faultRun struct {
	errorf func(format string, args ...any)
	gate   *gatedStorage
	store  *txn.Store
	pid    int

	mu          sync.Mutex          // guards the fields below
	acked       map[string][]string // by registry: entries whose close returned 0
	failed      map[string][]string // entries whose close returned an error
	gone        map[string]bool     // registries whose deletion was acknowledged
	refused     []string            // contents whose writers were told an error
	invalidTold []string            // of these, contents whose writers were told that they were no documents, and nothing worse
	traced      string              // content that fsync(2) has made safe, though it is no document yet
}

func newFaultRun(t *testing.T, m *txntest.Memory) *faultRun {
	w := &faultRun{
		errorf: t.Errorf, gate: &gatedStorage{Storage: m},
		acked: map[string][]string{}, failed: map[string][]string{}, gone: map[string]bool{},
	}
	now := time.Unix(1_800_000_000, 0)
	w.store = txn.New(w.gate, txntest.Configured(txn.Config{
		Now:   func() time.Time { return now },
		After: func(time.Duration, func()) txn.Stopper { return &fakeTimer{} },
	}))
	return w
}

// process returns a process that did not exist before.
func (w *faultRun) process() txn.Caller {
	w.pid++
	return program(w.pid)
}

// entries reads the entries of a registry as a process. No registry has none.
func (w *faultRun) entries(name string, c txn.Caller) ([]string, error) {
	s, err := w.store.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer s.Release()
	b := make([]byte, s.Size())
	_, _ = s.ReadAt(c, b, 0)
	return entriesOf(b), nil
}

// oneMore reads a registry as a process and returns a document with one entry
// more.
func (w *faultRun) oneMore(name string, c txn.Caller, entry string) ([]byte, error) {
	list, err := w.entries(name, c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(append(list, entry))
}

func entriesOf(b []byte) []string {
	var list []string
	_ = json.Unmarshal(b, &list)
	return list
}

// begin reads a registry, opens it and writes the content read and one entry more.
func (w *faultRun) begin(name, entry string) (*txn.Tx, txn.Caller, string) {
	c := w.process()
	b, err := w.oneMore(name, c, entry)
	if err != nil {
		return nil, c, "" // told when it read; it writes nothing then
	}
	tx, err := w.store.Begin(name, c, txn.BeginOptions{Truncate: true, Create: true})
	if err != nil {
		return nil, c, "" // told by open(2); nothing was written
	}
	_, _ = tx.WriteAt(c, b, 0)
	return tx, c, string(b)
}

// end closes a transaction and notes the result of close(2).
func (w *faultRun) end(tx *txn.Tx, c txn.Caller, name, entry, content string) {
	if tx == nil {
		return
	}
	err := tx.Flush(c, txn.Death{})
	tx.Release()
	w.told(err, name, entry)
	if err != nil {
		w.refuse(content)
	}
}

func (w *faultRun) refuse(content string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, content)
}

func (w *faultRun) told(err error, name, entry string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.acked[name] = append(w.acked[name], entry)
	} else {
		w.failed[name] = append(w.failed[name], entry)
	}
}

func (w *faultRun) add(name, entry string) {
	tx, c, content := w.begin(name, entry)
	w.end(tx, c, name, entry, content)
}

// both adds two entries by two processes that saw the same version.
func (w *faultRun) both(name, one, two string) {
	tx1, c1, content1 := w.begin(name, one)
	tx2, c2, content2 := w.begin(name, two)
	w.end(tx1, c1, name, one, content1)
	w.end(tx2, c2, name, two, content2)
}

// batch has two closes wait for a third one that is being written, so that they
// are merged and written at once.
func (w *faultRun) batch(name string, entries ...string) {
	gate, entered := make(chan struct{}), make(chan struct{}, 2)
	w.gate.mu.Lock()
	w.gate.gate, w.gate.entered = gate, entered
	w.gate.mu.Unlock()
	var wg sync.WaitGroup
	for i, entry := range entries {
		tx, c, content := w.begin(name, entry)
		wg.Go(func() { w.end(tx, c, name, entry, content) })
		if i == 0 {
			<-entered
		}
	}
	for w.store.Queued(name) < len(entries)-1 {
		time.Sleep(time.Millisecond)
	}
	close(gate)
	wg.Wait()
	w.gate.mu.Lock()
	w.gate.gate, w.gate.entered = nil, nil
	w.gate.mu.Unlock()
}

// invalid writes content that is no document.
func (w *faultRun) invalid(name, content string) {
	c := w.process()
	tx, err := w.store.Begin(name, c, txn.BeginOptions{Truncate: true, Create: true})
	if err != nil {
		return
	}
	_, _ = tx.WriteAt(c, []byte(content), 0)
	err = tx.Flush(c, txn.Death{})
	if err == nil {
		w.errorf("invalid content was accepted")
	}
	tx.Release()
	w.refuse(content)
	if refusal := new(txn.InvalidError); errors.As(err, &refusal) {
		w.invalidTold = append(w.invalidTold, content)
	}
}

// halfSynced syncs half a document, and completes it later.
func (w *faultRun) halfSynced(name, entry string) {
	tx, c, content := w.begin(name, entry)
	if tx == nil {
		return
	}
	half := content[:len(content)/2]
	_ = tx.Truncate(c, int64(len(half)))
	if tx.Sync(c) == nil {
		w.traced = half
	}
	_, _ = tx.WriteAt(c, []byte(content), 0)
	w.traced = "" // from here on the whole document may take its place
	w.end(tx, c, name, entry, content)
}

// rename puts a finished file in place of a registry. Refused content need not be
// in quarantine: the file is still there.
func (w *faultRun) rename(name, entry string) {
	c := w.process()
	b, err := w.oneMore(name, c, entry)
	if err == nil {
		w.told(w.store.Replace(name, c, txn.Replacement{Content: b, Via: txn.ViaRename}), name, entry)
	}
}

// remove deletes a registry at once.
func (w *faultRun) remove(name string) {
	if err := w.store.Unlink(name, w.process()); err == nil {
		w.gone[name] = true
	}
}

// touch creates a registry and writes nothing.
func (w *faultRun) touch(name string) {
	c := w.process()
	if tx, err := w.store.Begin(name, c, txn.BeginOptions{Create: true}); err == nil {
		_ = tx.Flush(c, txn.Death{})
		tx.Release()
	}
}

// work makes the calls that the tests here interrupt: creation, replacement,
// merges, refusals, half a document, a rename, a deletion, an empty file in its
// place, and a creation after it.
func (w *faultRun) work() {
	w.add("a.json", "a1")
	w.add("b.json", "b1")
	w.both("a.json", "a2", "a3")
	w.invalid("a.json", `["no document`)
	w.rename("b.json", "b2")
	w.halfSynced("b.json", "b3")
	w.add("gone.json", "g1")
	w.remove("gone.json")
	w.touch("gone.json")
	w.add("a.json", "a4")
}

// afterwards checks a storage against the answers that w's writers were given:
// P1, P4, P5, P9.
func (w *faultRun) afterwards(t *testing.T, row *faultRow, after *txntest.Memory, at string) {
	t.Helper()
	row.tried++
	w.mu.Lock()
	defer w.mu.Unlock()
	v := newFaultRun(t, after)
	for _, name := range []string{"a.json", "b.json", "gone.json"} {
		found, _ := v.entries(name, v.process())
		if s, err := v.store.Open(name); err == nil {
			if err := valid(name, s.Version().Bytes()); err != nil && !s.Version().Blank() {
				w.errorf("%s: P1: %s holds no document: %v", at, name, err)
				row.invalid++
			}
			s.Release()
			if w.gone[name] && !s.Version().Blank() {
				w.errorf("%s: P5: %s is there again", at, name)
				row.lost++
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			w.errorf("%s: %s: %v", at, name, err)
		}
		row.acknowledged += len(w.acked[name])
		for _, entry := range w.acked[name] {
			if !w.gone[name] && name != "gone.json" && !slices.Contains(found, entry) {
				w.errorf("%s: P5: %s has lost %s: %q", at, name, entry, found)
				row.lost++
			}
		}
	}
	w.checkRefused(row, after, v, at)
	v.add("a.json", "later")
	if found, _ := v.entries("a.json", v.process()); len(v.acked["a.json"]) != 1 || !slices.Contains(found, "later") {
		w.errorf("%s: the registry can't be used any more", at)
	}
	if err := errors.Join(after.Check(valid), v.store.CheckInvariants(), v.store.CheckReleased()); err != nil {
		w.errorf("%s: %v", at, err)
	}
}

// checkRefused looks for everything that somebody was told an error about: it is
// in quarantine, or in the registry after all.
func (w *faultRun) checkRefused(row *faultRow, after *txntest.Memory, v *faultRun, at string) {
	kept := map[string]bool{"": true}
	for _, c := range after.Copies() {
		kept[string(c.Content)] = true
	}
	for _, content := range append(slices.Clone(w.refused), w.traced) {
		if kept[content] {
			continue
		}
		if !v.hasAll(entriesOf([]byte(content))) {
			w.errorf("%s: P9: refused, and not in quarantine: %s", at, content)
			row.unkept++
		}
	}
}

// hasAll reports whether some registry has all of these entries.
func (w *faultRun) hasAll(entries []string) bool {
	for _, name := range []string{"a.json", "b.json", "gone.json"} {
		found, _ := w.entries(name, w.process())
		missing := slices.ContainsFunc(entries, func(e string) bool { return !slices.Contains(found, e) })
		if len(entries) > 0 && !missing {
			return true
		}
	}
	return false
}

func valid(_ string, content []byte) error {
	_, err := jsondoc.Parse(content, jsondoc.JSON, jsondoc.Limits{Depth: jsondoc.DefaultDepth, Size: 1 << 20})
	return err
}

// The power fails before every step of the workload and at its end, with every
// set of effects lost that a disk may lose there.
func TestEveryCrashState(t *testing.T) {
	var row faultRow
	m := txntest.NewMemory()
	w := newFaultRun(t, m)
	txntest.EachCrashOf(m, func(*txntest.Memory) { w.work() }, func(after *txntest.Memory, at string) {
		w.afterwards(t, &row, after, at)
	})
	if len(w.acked["a.json"]) != 4 || len(w.acked["b.json"]) != 3 || !w.gone["gone.json"] || len(w.refused) != 1 {
		t.Errorf("the workload did not work: %+v", w.acked)
	}
	row.report(t, "every crash state of a commit (memory)")
	if row.tried < 300 {
		t.Errorf("only %d states", row.tried)
	}
}

// The same where three closes share two writes.
func TestEveryCrashStateOfABatch(t *testing.T) {
	if txntest.DoesWithout("batches") {
		t.Skip("this is about what is switched off")
	}
	var row faultRow
	m := txntest.NewMemory()
	w := newFaultRun(t, m)
	w.add("a.json", "a1")
	txntest.EachCrashOf(m, func(*txntest.Memory) { w.batch("a.json", "a2", "a3", "a4") }, func(after *txntest.Memory, at string) {
		w.afterwards(t, &row, after, at)
	})
	row.report(t, "every crash state of three commits in two writes (memory)")
	if w.gate.commits != 3 || len(w.acked["a.json"]) != 4 || row.tried < 30 {
		t.Errorf("%d writes, %q, %d states", w.gate.commits, w.acked["a.json"], row.tried)
	}
}

// The control: where commits are acknowledged without being synced, these tests
// find losses.
func TestCrashStatesNoticeWhatIsNotSynced(t *testing.T) {
	var row faultRow
	m := txntest.NewMemory()
	m.Relaxed = true
	w := newFaultRun(t, m)
	w.errorf = func(string, ...any) {}
	txntest.EachCrashOf(m, func(*txntest.Memory) { w.add("a.json", "a1"); w.both("a.json", "a2", "a3") }, func(after *txntest.Memory, at string) {
		w.afterwards(t, &row, after, at)
	})
	row.report(t, "control: the same without any sync (memory)")
	if row.lost == 0 {
		t.Error("nothing was lost although nothing was synced")
	}
}

// With an interval a power failure may take the commits since the last sync, and nothing else;
// the file that it leaves is valid.
func TestEveryCrashStateWithAnInterval(t *testing.T) {
	var row faultRow
	m := txntest.NewMemory()
	m.Relaxed = true
	w := newFaultRun(t, m)
	synced := &faultRun{errorf: t.Errorf, acked: map[string][]string{}, gone: map[string]bool{}}
	sync := func() {
		m.Sync()
		synced.acked = map[string][]string{"a.json": slices.Clone(w.acked["a.json"]), "b.json": slices.Clone(w.acked["b.json"])}
	}
	txntest.EachCrashOf(m, func(*txntest.Memory) {
		w.add("a.json", "a1")
		w.add("b.json", "b1")
		w.both("a.json", "a2", "a3")
		sync()
		w.add("a.json", "a4")
		w.invalid("a.json", `["no document`)
		synced.refused = slices.Clone(w.refused) // kept at once, interval or not
		w.rename("b.json", "b2")
		w.add("a.json", "a5")
		sync()
		w.add("b.json", "b3")
	}, func(after *txntest.Memory, at string) {
		synced.afterwards(t, &row, after, at)
	})
	row.report(t, "every crash state with --durability=interval (memory)")
	if row.tried < 300 || len(synced.acked["a.json"]) != 5 {
		t.Errorf("%d states, %v", row.tried, synced.acked)
	}
}

// Every step of the workload fails, once with each error that a disk has.
func TestEveryStepFails(t *testing.T) {
	var row faultRow
	var w *faultRun
	failures := 0
	txntest.EachFault(func(m *txntest.Memory) {
		w = newFaultRun(t, m)
		w.work()
	}, func(m *txntest.Memory, at string) {
		for _, failed := range w.failed {
			failures += len(failed)
		}
		w.afterwards(t, &row, m, at)
	})
	row.report(t, "every storage call failed (memory): EIO, ENOSPC, EDQUOT, short write")
	if row.tried < 200 || failures < 30 {
		t.Errorf("%d runs, in which %d writers were told", row.tried, failures)
	}
}

// The storage fails for good in the midst of the workload: nobody is told that
// content was stored when it was not.
func TestStorageThatFailsForGood(t *testing.T) {
	var row faultRow
	for first := int64(0); ; first++ {
		m := txntest.NewMemory()
		w := newFaultRun(t, m)
		var steps atomic.Int64
		m.Hook = func(txntest.Step) error {
			if steps.Add(1) > first {
				return txntest.Faults()[0]
			}
			return nil
		}
		w.work()
		if steps.Load() <= first {
			break
		}
		m.Hook = func(txntest.Step) error { return nil }
		w.refused = w.invalidTold // there is nowhere left to keep it, and the others were told so
		w.afterwards(t, &row, m, fmt.Sprintf("from step %d on", first))
	}
	row.report(t, "storage dead from each call on (memory)")
}

// A clock that jumps, in either direction, by a second or by years, gives no two
// versions one time, and takes no reading from a program that has yet to write.
func TestClockThatJumps(t *testing.T) {
	b := newBench(t, `[]`)
	var times []time.Time
	for i, jump := range []time.Duration{0, -time.Hour, 24 * time.Hour, -48 * time.Hour, 100_000 * time.Hour, -200_000 * time.Hour, 0, time.Nanosecond, -time.Nanosecond} {
		slow, quick := program(2*i+1), program(2*i+2)
		b.read(slow)
		seen := b.head()
		b.pass(jump)
		b.read(quick)
		b.save(quick, add(seen, fmt.Sprintf("quick-%d", i)))
		b.pass(-jump / 2)
		b.save(slow, add(seen, fmt.Sprintf("slow-%d", i)))
		if got := len(b.ids(b.head())); got != 2*(i+1) {
			t.Fatalf("after a jump by %v %d entries are there, want %d: %s", jump, got, 2*(i+1), b.head())
		}
		times = append(times, b.last().Time)
	}
	for i := 1; i < len(times); i++ {
		if !times[i].After(times[i-1]) {
			t.Errorf("a version of %v comes after one of %v", times[i], times[i-1])
		}
	}
}

// add returns a list of objects with one more.
func add(list, id string) string {
	list = strings.TrimSuffix(list, "]")
	if list != "[" {
		list += ","
	}
	return list + `{"id":"` + id + `"}]`
}
