package txntest

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// Crashes yields every state that the disk can be in after a power failure at
// this moment, as a storage that has just been opened, with a description of
// the loss. All of it may be used and changed.
func (m *Memory) Crashes() iter.Seq2[string, *Memory] {
	m.mu.Lock()
	synced, pending := m.synced.clone(), slices.Clone(m.pending)
	states, ids, book := m.states, m.ids, m.book.afterCrash()
	m.mu.Unlock()
	return func(yield func(string, *Memory) bool) {
		for survivors := range survivals(pending) {
			d := synced.clone()
			for _, s := range survivors {
				s.do(d)
			}
			d.resolve()
			after := newMemory(d)
			after.KeepVersions, after.KeepBytes, after.Pinned, after.Relaxed = m.KeepVersions, m.KeepBytes, m.Pinned, m.Relaxed
			after.states, after.ids, after.book = states, ids, book.afterCrash()
			if !yield(describe(pending, survivors), after) {
				return
			}
		}
	}
}

// survivor is an effect that a power failure does not undo.
type survivor struct {
	effect
	tear bool // its content is lost
}

func (s survivor) do(d *disk) {
	if s.tear {
		s.torn(d)
	} else {
		s.apply(d)
	}
}

// survivals yields every set of effects that can survive: a prefix of each
// chain, in every combination, in the order of the calls.
func survivals(pending []effect) iter.Seq[[]survivor] {
	chains := map[string]int{}
	var names []string
	for _, e := range pending {
		if chains[e.chain]++; chains[e.chain] == 1 {
			names = append(names, e.chain)
		}
	}
	return func(yield func([]survivor) bool) {
		length := map[string]int{} // how many of a chain survive
		var choose func(int) bool
		choose = func(i int) bool {
			if i == len(names) {
				return yieldTorn(pending, length, yield)
			}
			for n := range chains[names[i]] + 1 {
				length[names[i]] = n
				if !choose(i + 1) {
					return false
				}
			}
			return true
		}
		choose(0)
	}
}

// yieldTorn yields the effects within the given lengths, and the same once more
// with all contents lost that can be.
func yieldTorn(pending []effect, length map[string]int, yield func([]survivor) bool) bool {
	var out []survivor
	seen, tears := map[string]int{}, false
	for _, e := range pending {
		if seen[e.chain]++; seen[e.chain] <= length[e.chain] {
			out = append(out, survivor{effect: e})
			tears = tears || e.torn != nil
		}
	}
	if !yield(out) {
		return false
	}
	if !tears {
		return true
	}
	out = slices.Clone(out)
	for i := range out {
		out[i].tear = out[i].torn != nil
	}
	return yield(out)
}

func describe(pending []effect, survivors []survivor) string {
	if len(pending) == 0 {
		return "nothing unsynced"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "of %d effects survived", len(pending))
	for _, s := range survivors {
		fmt.Fprintf(&b, " [%s]", s.step)
		if s.tear {
			b.WriteString(" torn")
		}
	}
	return b.String()
}

// EachCrash runs the workload on an empty storage and calls check with every
// state that a power failure can leave, before every step and at the end. at
// says where, for messages. check runs in the workload's goroutine, in the midst
// of the call: all that the workload has noted as acknowledged by then must
// be in after.
func EachCrash(workload func(m *Memory), check func(after *Memory, at string)) {
	m := NewMemory()
	EachCrashOf(m, workload, check)
}

// EachCrashOf is EachCrash on a storage that the caller has prepared; its Hook
// is used.
func EachCrashOf(m *Memory, workload func(m *Memory), check func(after *Memory, at string)) {
	crash := func(at string) {
		for lost, after := range m.Crashes() {
			check(after, at+", "+lost)
		}
	}
	m.Hook = func(s Step) error {
		crash("before " + s.String())
		return nil
	}
	workload(m)
	crash("at the end")
}

// Faults returns the errors that a step may fail with.
func Faults() []error {
	return []error{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, io.ErrShortWrite}
}

// EachFault runs the workload on a new storage for each of its steps and each of
// Faults, which that step fails with, and calls check afterwards. at says which
// step failed how. It returns how many runs it took.
func EachFault(workload func(m *Memory), check func(m *Memory, at string)) int {
	runs := 0
	for i := int64(0); ; i++ {
		for _, fault := range Faults() {
			m := NewMemory()
			var steps atomic.Int64
			var at atomic.Pointer[Step]
			m.Hook = func(s Step) error {
				if steps.Add(1)-1 == i {
					at.Store(&s)
					return fault
				}
				return nil
			}
			workload(m)
			step := at.Load()
			if step == nil {
				return runs // the workload has fewer steps
			}
			runs++
			m.Hook = func(Step) error { return nil }
			check(m, fmt.Sprintf("%v at %v", fault, step))
		}
	}
}
