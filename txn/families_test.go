package txn_test

import (
	"fmt"
	"maps"

	"clawfs/txn"
)

// save writes the registry in place, and says so.
func (w *world) save(c txn.Caller, l leaves) {
	tx := w.begin(c)
	w.write(tx, c, l)
	w.end(tx, c)
}

// mind is a program that reads twice, adds an entry, takes it back, and comes back to its
// earlier content.
func (w *world) mind(c txn.Caller) task {
	return func(yield func()) {
		w.read(c)
		memory := w.read(c)
		for range 12 {
			w.issued++
			switch w.rand.IntN(4) {
			case 0:
				memory = memory.with(intents{fmt.Sprintf("k%d", w.rand.IntN(3)): deleted})
			case 1:
				memory = memory.with(intents{"mode": w.rand.IntN(3) == 0})
			case 2:
				w.read(c)
			default:
				memory = memory.with(intents{fmt.Sprintf("k%d", w.rand.IntN(3)): float64(w.rand.IntN(2))})
			}
			w.save(c, memory)
			w.truth = memory
			yield()
		}
	}
}

// child returns a new process of a shell, and a function that ends it.
func (w *world) child(of txn.Caller) (c txn.Caller, end func()) {
	w.pids++
	c = program(w.pids)
	c.Ancestors = append([]txn.Actor{of.Actor}, of.Ancestors...)
	return c, func() { w.dead[c.Actor] = true }
}

// script is a shell that types one command after the other: each sees the state
// before it, as in a bare directory.
func (w *world) script(shell txn.Caller) task {
	return func(yield func()) {
		var states []leaves
		for range 12 {
			w.issued++
			states = append(states, w.truth)
			switch w.rand.IntN(5) {
			case 0: // a copy of a former version
				w.truth = states[w.rand.IntN(len(states))]
				cp, end := w.child(shell)
				w.save(cp, w.truth)
				end()
			case 1: // defaults by a redirection
				w.truth = leaves{"base": 0.0, "touchedAt": 0.0}
				tx := w.begin(shell)
				w.must(tx.Flush(shell, txn.Death{}), "invalid")
				w.write(tx, shell, w.truth)
				w.end(tx, shell)
			case 2: // jq, then mv or cp
				jq, end := w.child(shell)
				w.truth = w.read(jq).with(intents{fmt.Sprintf("k%d", w.rand.IntN(4)): float64(w.issued)})
				end()
				cp, end := w.child(shell)
				w.save(cp, w.truth)
				end()
			case 3: // a program that reads and writes
				sed, end := w.child(shell)
				w.truth = w.read(sed).with(intents{fmt.Sprintf("k%d", w.rand.IntN(4)): deleted})
				w.save(sed, w.truth)
				end()
			default: // somebody looks
				cat, end := w.child(shell)
				w.read(cat)
				end()
			}
			yield()
		}
	}
}

// firstRun takes the registry away before the tasks begin.
func (w *world) firstRun(tasks ...task) []task {
	w.must(w.store.Unlink(worldFile, program(997)))
	w.truth = leaves{"version": 1.0, "settings": "default"}
	return tasks
}

// begins is a program that asks for the registry, finds nothing, and makes it with an
// entry of its own, beside defaults.
func (w *world) begins(c txn.Caller, thread int) task {
	return func(yield func()) {
		s, err := w.store.Open(worldFile)
		if err == nil {
			s.Release() // it is there by now: this run has nothing to tell
			return
		}
		w.store.Missed(worldFile, c, thread+1, w.store.Now()+1)
		yield()
		w.issued++
		k := fmt.Sprintf("own%d", w.issued)
		w.store.Missed(worldFile, c, thread+1, w.store.Now()+1) // the look-up of its own open
		tx, err := w.store.Begin(worldFile, c, txn.BeginOptions{Truncate: true, Create: true, Thread: thread + 1})
		w.must(err)
		w.write(tx, c, leaves{"version": 1.0, "settings": "default", k: float64(w.issued)})
		w.truth = w.truth.with(intents{k: float64(w.issued)})
		yield()
		w.end(tx, c)
	}
}

// worker polls a queue and empties it; producer adds to it.
func (w *world) worker(c txn.Caller) task {
	return func(yield func()) {
		for range 16 {
			jobs := w.read(c)
			yield()
			done := leaves{"base": 0.0, "touchedAt": 0.0}
			if len(jobs) > len(done) {
				w.issued++
				w.save(c, done)
				for k := range jobs {
					if _, stays := done[k]; !stays {
						w.truth = w.truth.with(intents{k: deleted})
					}
				}
			}
			yield()
		}
	}
}

func (w *world) producer(c txn.Caller) task {
	return func(yield func()) {
		for range 8 {
			jobs := w.read(c)
			w.issued++
			want := intents{fmt.Sprintf("job%d", w.issued): float64(w.issued)}
			w.save(c, jobs.with(want))
			w.truth = w.truth.with(want)
			yield()
		}
	}
}

const stamp = 1.7e12

// resets is a harness that starts each round over, with a stamp that is new each time,
// and the programs that it runs in between.
func (w *world) resets(c txn.Caller) []task {
	return []task{func(yield func()) {
		for round := range 6 {
			w.issued++
			first := leaves{"base": 0.0, "touchedAt": stamp + float64(round)}
			w.save(c, first)
			w.truth = maps.Clone(first)
			for range 2 {
				add, end := w.child(c)
				known := w.read(add)
				w.issued++
				want := intents{fmt.Sprintf("k%d", w.issued): float64(w.issued)}
				w.save(add, known.with(want))
				w.truth = w.truth.with(want)
				end()
				yield()
			}
			w.read(c)
		}
	}}
}
