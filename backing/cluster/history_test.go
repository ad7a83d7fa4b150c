package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"clawfs/txn"
)

// history has the calls of the programs of all hosts on one list, with their
// times.
type history struct {
	began time.Time

	mu    sync.Mutex // guards the fields below
	adds  []added
	reads []hostRead
}

// span is when something was asked for, and answered.
type span struct{ start, end time.Duration }

type added struct {
	span
	host, id string
	unsure   bool // it may have been done, or may still be
}

type hostRead struct {
	span
	host   string
	latest bool // it has asked for the newest version
	ids    []string
}

func (h *history) now() time.Duration { return time.Since(h.began) }

// add has a program add an entry.
func (h *history) add(t *testing.T, m *machine, pid int, id string) {
	a := added{span: span{start: h.now()}, host: m.name, id: id}
	err := m.current().add(program(pid), id)
	a.end, a.unsure = h.now(), isUnsure(err)
	switch {
	case err == nil, a.unsure:
		h.mu.Lock()
		defer h.mu.Unlock()
		h.adds = append(h.adds, a)
	case !isHarmless(err):
		t.Errorf("%s: %v", id, err)
	}
}

// isHarmless reports whether an error says that nothing was done, for a reason that such a
// history has.
func isHarmless(err error) bool {
	return isUnavailable(err) || errors.Is(err, txn.ErrBeaten)
}

// read has a program read the list, and first ask for the newest version.
func (h *history) read(t *testing.T, m *machine, pid int, latest bool) {
	r := hostRead{span: span{start: h.now()}, host: m.name, latest: latest}
	host := m.current()
	if latest && host.store.CatchUp(registry) != nil {
		return
	}
	s, err := host.store.Open(registry)
	if err != nil {
		if !isHarmless(err) && !isUnsure(err) {
			t.Errorf("a read: %v", err)
		}
		return
	}
	text := make([]byte, s.Size())
	_, _ = s.ReadAt(program(pid), text, 0) // it has all of it
	s.Release()
	if m.current() != host {
		return // the host has died meanwhile, and with it the program
	}
	r.end = h.now()
	if r.ids, err = idsOf(text); err != nil {
		t.Errorf("a read: %v", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r)
}

func idsOf(text []byte) (ids []string, err error) {
	var l list
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	if l.Count != len(l.Items) {
		return nil, fmt.Errorf("%d were counted, and %d are there", l.Count, len(l.Items))
	}
	for _, i := range l.Items {
		ids = append(ids, i.ID)
	}
	return ids, nil
}

// violations says why this can't be the history of one list, to which entries were added one
// after the other, with a cluster's promises about reads; final is the list at the end.
func (h *history) violations(final []string) (found []string) {
	place := map[string]int{}
	for i, id := range final {
		if at, twice := place[id]; twice {
			found = append(found, fmt.Sprintf("%s is there twice, at %d and at %d", id, at, i))
		}
		place[id] = i
	}
	asked := map[string]bool{}
	for _, a := range h.adds {
		asked[a.id] = true
		if _, there := place[a.id]; !there && !a.unsure {
			found = append(found, fmt.Sprintf("%s was acknowledged, and is lost", a.id))
		}
	}
	for _, id := range final {
		if !asked[id] {
			found = append(found, fmt.Sprintf("%s is there, and its program was told that it is not", id))
		}
	}
	for _, r := range h.reads {
		if len(r.ids) > len(final) || !slices.Equal(r.ids, final[:len(r.ids)]) {
			found = append(found, fmt.Sprintf("a read of %d entries on %s is not the beginning of the list", len(r.ids), r.host))
		}
	}
	if len(found) > 0 {
		return found
	}
	return append(h.backwards(place), h.nonlinear(place)...)
}

// backwards reports the reads that show less than their host has shown before, or
// has committed.
func (h *history) backwards(place map[string]int) (found []string) {
	for _, r := range h.reads {
		for _, a := range h.adds {
			if at := place[a.id]; a.host == r.host && !a.unsure && a.end < r.start && at >= len(r.ids) {
				found = append(found, fmt.Sprintf("%s does not show its own %s", r.host, a.id))
			}
		}
		for _, before := range h.reads {
			if before.host == r.host && before.end < r.start && len(before.ids) > len(r.ids) {
				found = append(found, fmt.Sprintf("%s has shown %d entries, and then %d", r.host, len(before.ids), len(r.ids)))
			}
		}
	}
	return found
}

// nonlinear says whether no order of the additions, and of the reads that have asked for the
// newest version, fits when they were made.
func (h *history) nonlinear(place map[string]int) []string {
	var ops []porcupine.Operation
	for _, a := range h.adds {
		at, there := place[a.id]
		if !there {
			continue
		}
		end := int64(a.end)
		if a.unsure {
			end = math.MaxInt64
		}
		ops = append(ops, porcupine.Operation{ClientId: len(ops), Input: at, Call: int64(a.start), Return: end})
	}
	for _, r := range h.reads {
		if r.latest {
			ops = append(ops, porcupine.Operation{ClientId: len(ops), Output: len(r.ids), Call: int64(r.start), Return: int64(r.end)})
		}
	}
	if result := porcupine.CheckOperationsTimeout(listModel, ops, time.Minute); result != porcupine.Ok {
		return append(h.outOfOrder(place), fmt.Sprintf("the history of %d operations is not linearizable: %v", len(ops), result))
	}
	return nil
}

// outOfOrder names operations that are in another order than they were made in, to tell why a
// history is not linearizable.
func (h *history) outOfOrder(place map[string]int) (found []string) {
	for _, a := range h.adds {
		at, there := place[a.id]
		if !there || a.unsure {
			continue
		}
		for _, b := range h.adds {
			if before, there := place[b.id]; there && before < at && b.start > a.end {
				found = append(found, fmt.Sprintf("%s, %d of the list, was there before %s, %d of it, was begun", a.id, at, b.id, before))
			}
		}
		for _, r := range h.reads {
			if r.latest && r.start > a.end && len(r.ids) <= at {
				found = append(found, fmt.Sprintf("a read on %s shows %d entries, when %s, %d of the list, was there for %v", r.host, len(r.ids), a.id, at, r.start-a.end))
			}
		}
	}
	return found
}

// listModel is a list; only its length matters: each addition knows its place in the list as
// it is at the end, and each read how much of that it saw.
var listModel = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		length := state.(int)
		if at, isAdd := input.(int); isAdd {
			return at == length, length + 1
		}
		return output.(int) == length, length
	},
}

// The judge refuses histories that a cluster must not have.
func TestHistoriesAreToldApart(t *testing.T) {
	add := func(host, id string, start, end int) added {
		return added{span{time.Duration(start), time.Duration(end)}, host, id, false}
	}
	read := func(host string, latest bool, start, end int, ids ...string) hostRead {
		return hostRead{span{time.Duration(start), time.Duration(end)}, host, latest, ids}
	}
	unsure := func(a added) added { a.unsure = true; return a }
	both := []added{add("A", "a", 1, 2), add("B", "b", 3, 4)}
	for name, test := range map[string]struct {
		h    *history
		good bool
	}{
		"one after the other":            {&history{adds: both}, true},
		"the wrong order":                {&history{adds: []added{add("A", "a", 3, 4), add("B", "b", 1, 2)}}, false},
		"an old read of another host":    {&history{adds: both, reads: []hostRead{read("A", false, 5, 6, "a")}}, true},
		"an old read of the own host":    {&history{adds: both, reads: []hostRead{read("B", false, 5, 6, "a")}}, false},
		"an old read that is to be new":  {&history{adds: both, reads: []hostRead{read("A", true, 5, 6, "a")}}, false},
		"a new read":                     {&history{adds: both, reads: []hostRead{read("A", true, 5, 6, "a", "b")}}, true},
		"a read that goes back":          {&history{adds: both, reads: []hostRead{read("C", false, 5, 6, "a", "b"), read("C", false, 7, 8, "a")}}, false},
		"a read of something else":       {&history{adds: both, reads: []hostRead{read("A", false, 5, 6, "b")}}, false},
		"lost":                           {&history{adds: append(slices.Clone(both), add("A", "c", 5, 6))}, false},
		"unsure and not there":           {&history{adds: append(slices.Clone(both), unsure(add("A", "c", 5, 6)))}, true},
		"there though it was not done":   {&history{adds: both[:1]}, false},
		"unsure, and there after others": {&history{adds: []added{add("A", "a", 5, 6), unsure(add("B", "b", 1, 2))}}, true},
	} {
		if got := test.h.violations([]string{"a", "b"}); (len(got) == 0) != test.good {
			t.Errorf("%s: %q", name, got)
		}
	}
	twice := &history{adds: []added{add("A", "a", 1, 2)}}
	if got := twice.violations([]string{"a", "a"}); len(got) == 0 {
		t.Error("what is there twice is not noticed")
	}
}

// rounds is how often a campaign runs: CLAWFS_ROUNDS, or few.
func rounds(t *testing.T, few int) int {
	t.Helper()
	text := os.Getenv("CLAWFS_ROUNDS")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Programs on four hosts add to one list and read it, while requests and answers are lost or
// come late, hosts are cut off and die, and the engine runs full and forgets old changes. Each
// acknowledged entry is there once. Reads that ask for the newest version are those of one
// list. All others never go back on their host.
func TestHistoriesUnderFaults(t *testing.T) {
	for seed := range uint64(rounds(t, 2)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			f := newField(t, seed, 4)
			f.machines[0].current().mustWrite(t, 1, `{"count":0,"items":[]}`)
			f.rest(t)
			h := &history{began: time.Now()}
			end := f.trouble(t)
			f.each(3, func(m *machine, pid int) {
				for n := range 25 {
					h.add(t, m, pid, fmt.Sprintf("%s.%d.%d", m.name, pid, n))
					h.read(t, m, pid, n%2 == 0)
				}
			})
			end()
			text := f.rest(t)
			final, err := idsOf([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range h.violations(final) {
				t.Error(v)
			}
			t.Logf("%d added, %d reads; %v", len(final), len(h.reads), f)
			if len(final) < 20 || len(h.reads) < 50 {
				t.Errorf("only %d were added, in %d reads", len(final), len(h.reads))
			}
		})
	}
}

// lockOp is a creation or removal that has succeeded, or may have.
type lockOp struct {
	span
	creates, unsure bool
}

// lockModel is a file; it only matters whether it is there. A call that may have been done
// was done, or not.
var lockModel = porcupine.NondeterministicModel{
	Init: func() []any { return []any{false} },
	Step: func(state, input, _ any) (next []any) {
		there, op := state.(bool), input.(lockOp)
		if there != op.creates {
			next = append(next, op.creates)
		}
		if op.unsure {
			next = append(next, there)
		}
		return next
	},
}

// Programs on all hosts create a registry exclusively, and remove it: each creation that
// succeeds finds none, and each removal one, in the whole cluster.
func TestExclusiveFilesUnderFaults(t *testing.T) {
	for seed := range uint64(rounds(t, 2)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			f := newField(t, seed, 3)
			began := time.Now()
			var mu sync.Mutex
			var ops []lockOp
			note := func(creates bool, start time.Duration, err error) {
				if err != nil && !isUnsure(err) {
					if !isHarmless(err) && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				defer mu.Unlock()
				ops = append(ops, lockOp{span{start, time.Since(began)}, creates, err != nil})
			}
			end := f.trouble(t)
			f.each(2, func(m *machine, pid int) {
				for range 15 {
					start := time.Since(began)
					note(true, start, m.current().create(program(pid)))
					start = time.Since(began)
					note(false, start, m.current().store.Unlink(registry, program(pid)))
				}
			})
			end()
			text := f.rest(t)
			var history []porcupine.Operation
			sure := 0
			for i, op := range ops {
				end := int64(op.end)
				if op.unsure {
					end = math.MaxInt64
				} else {
					sure++
				}
				history = append(history, porcupine.Operation{ClientId: i, Input: op, Call: int64(op.start), Return: end})
			}
			model := lockModel.ToModel()
			if porcupine.CheckOperationsTimeout(model, history, 10*time.Second) == porcupine.Illegal {
				t.Errorf("no order of %d operations explains them", len(history))
			}
			t.Logf("%d sure of %d, at last %q; %v", sure, len(ops), text, f)
		})
	}
}

// isUnsure reports whether an error leaves open whether something was done: nobody knows, or
// the program has died with its host.
func isUnsure(err error) bool { return isUnknown(err) || errors.Is(err, errDead) }
