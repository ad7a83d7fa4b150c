package txn

import (
	"slices"
	"strings"
	"sync"
	"time"

	"clawfs/txn/seen"
)

// The file system tells the store of each process that has asked for a registry and found
// none. A document that a program makes then it makes from nothing.

// Missed notes that a thread of the caller, which asked at the given place, was told that
// there is no registry of that name; 0 stands for a thread that is not known.
func (s *Store) Missed(name string, c Caller, thread int, asked Tick) {
	r := s.acquire(name)
	defer s.release(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missed(c, thread, asked)
}

// missed is Store.Missed. The caller holds mu.
func (r *Registry) missed(c Caller, thread int, asked Tick) {
	r.seen.Missed(c, thread, asked)
	r.store.missed.Store(true)
}

// PartOfCall takes back the last answer that a thread of the caller got of a name: it
// was the kernel that asked, for the call that the thread is in, by which it writes or
// makes the file of that name.
func (s *Store) PartOfCall(name string, c Caller, thread int) {
	if !s.missed.Load() {
		return
	}
	r := s.peek(name)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.PartOfCall(c, thread)
}

// Found notes that a thread was told that there is a registry of that name. It matters only
// where a process was told otherwise before; then the function who returns the thread's
// process. Whoever is told of a placeholder has not been told of a registry.
func (s *Store) Found(name string, thread int, who func() Caller) {
	if !s.missed.Load() {
		return
	}
	if s.saved.holds(name) {
		s.load(name)
	}
	r := s.peek(name)
	if r == nil {
		return
	}
	r.mu.Lock()
	wanted := r.blank == nil && r.seen.AnyMissed()
	r.mu.Unlock()
	if !wanted {
		return
	}
	c := who()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.Found(c, thread)
}

// MissedBelow notes that a thread of the caller, which asked at the given place, was told
// that there is nothing by a name that may be a directory's: then there is no registry
// below it either.
func (s *Store) MissedBelow(dir string, c Caller, thread int, asked Tick) {
	s.wider.note(widerLook{dir: dir, Absence: seen.Absence{By: c, At: asked, Time: s.cfg.Now()}, thread: thread})
}

// MadeDir takes back the answer that a thread got of a directory that it makes now.
func (s *Store) MadeDir(dir string, thread int) { s.wider.forget(dir, thread) }

// Listed notes that the caller has listed a directory to its end, which it opened at the
// given place: registries that were not there it has missed.
func (s *Store) Listed(dir string, c Caller, opened Tick) {
	s.wider.note(widerLook{dir: dir, Absence: seen.Absence{By: c, At: opened, Time: s.cfg.Now(), Listed: true}})
}

// widerLooks are answers that tell of more than one registry that it is not there.
type widerLooks struct {
	mu   sync.Mutex // guards list
	list []widerLook
}

type widerLook struct {
	seen.Absence
	dir    string // it is not there, or, of a listing, was listed
	thread int
}

// maxWiderLooks bounds the answers that are remembered; the oldest go first.
const maxWiderLooks = 1024

func (w *widerLooks) note(l widerLook) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.list) == maxWiderLooks {
		w.list = slices.Delete(w.list, 0, maxWiderLooks/4)
	}
	w.list = append(w.list, l)
}

func (w *widerLooks) all() []widerLook {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

func (w *widerLooks) forget(dir string, thread int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.list) - 1; i >= 0; i-- {
		if l := &w.list[i]; l.thread == thread && l.dir == dir && !l.Listed {
			w.list = slices.Delete(w.list, i, i+1)
			return
		}
	}
}

// of returns the answers up to a place in the order of events that say that a registry
// is not there: of listings those not longer ago than the window.
func (w *widerLooks) of(name string, asOf Tick, now time.Time, window time.Duration) []seen.Absence {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []seen.Absence
	for i := range w.list {
		l := &w.list[i]
		if l.At <= asOf && l.tellsOf(name) && (!l.Listed || now.Sub(l.Time) <= window) {
			out = append(out, l.Absence)
		}
	}
	return out
}

// tellsOf reports whether the answer was about a registry.
func (l *widerLook) tellsOf(name string) bool {
	rest := name
	if l.dir != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(name, l.dir+"/"); !ok {
			return false
		}
	}
	return !l.Listed || !strings.Contains(rest, "/")
}

// seenOf returns the views that a writer of the registry could have. The caller holds mu.
func (r *Registry) seenOf(o Origin) seen.Seen { return r.seen.Of(r.withMissed(o)) }

// withMissed returns a writer with the answers about more than the registry that say that it
// is not there.
func (r *Registry) withMissed(o Origin) Origin {
	o.Missed = r.store.wider.of(r.name, o.Event, r.store.cfg.Now(), r.store.cfg.ReadWindow)
	return o
}
