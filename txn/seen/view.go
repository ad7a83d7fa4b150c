package seen

import (
	"sync/atomic"
	"time"
)

// A viewKind says how a process came to know the content of a registry.
type viewKind uint8

const (
	read    viewKind = iota // it has read it
	wrote                   // it has written it: its own bytes, not the merge's result
	removed                 // it has removed the registry, so that nothing is there
)

// A view is one content of a registry that an actor saw, at one place in the
// order of events.
//
// Readings of one version that follow each other are one view with a count,
// since a write uses up one reading only: a process with many tasks reads the
// same version once for each.
type view struct {
	kind    viewKind
	by      Actor    // its author
	content *Content // nil: nothing was there

	pinned Tick      // of the first reading: when the version was opened, it was the head before
	first  Tick      // of the first reading, or of the write
	last   Tick      // of the last reading
	shown  Tick      // of the last reading: when the version was opened
	lastAt time.Time // when that was

	unused int  // readings that no write has used up; 0 of a view that is no reading
	usedUp Tick // when a write used up the last one; 0 of a view that is no reading

	// proved says that another task of the same process was reading or writing at
	// the same time.
	proved bool

	reading *Reading // the last one, nil where it is not known how long it took, or there was none

	merged       bool  // of a write: the head has changes of others, too, which it had not seen
	begun, ended Tick  // of a write: it was under way from begun to ended; 0: that is not known, or it is none
	from         *made // of a write: its base, nil if nothing was seen, or it is not known any more
	after        Tick  // of a write: when the write came about that was its base; 0: it was another kind of view
}

// made is the candidate that content was made from.
type made struct {
	content *Content
	kind    viewKind
	at      Tick
}

// Reading is one pass of one handle over a registry: from its open to its last
// READ. Two passes of one process that overlap prove that it has several tasks at
// work. A Reading may be used concurrently.
type Reading struct {
	opened Tick
	last   atomic.Uint64
}

// NewReading returns a pass that begins with the open of a handle.
func NewReading(opened Tick) *Reading {
	return &Reading{opened: opened}
}

// Continue notes that the pass has come to a READ at the given place.
func (r *Reading) Continue(at Tick) { r.last.Store(uint64(at)) }

func (r *Reading) overlaps(o *Reading) bool {
	return r != nil && o != nil && r != o && r.opened < Tick(o.last.Load()) && o.opened < Tick(r.last.Load())
}

// actorViews are one actor's views of one registry, in the order in which they
// were made. Views that can't be the base of its own writes any more stay for the
// kin window, since a temporary file can come to its rename long after the process
// that wrote it is gone.
type actorViews struct {
	caller  Caller
	views   []*view
	memory  bool // it has read the registry itself, or written it otherwise than by a shell's redirection
	wrote   bool // it has ever written this registry
	arrived Tick // its first view
	dead    Tick // when it was found to have ended; 0: it may live
}

// state returns the place in the order of events of the state that the view shows. A process
// may read on, in a version that it has opened, after others have written.
func (v *view) state() Tick {
	if v.kind == read {
		return min(v.shown, v.last)
	}
	return v.last
}

// newest returns the view that came last; there is one.
func (a *actorViews) newest() *view { return a.views[len(a.views)-1] }

// maxViews bounds the views that are kept of one actor and one registry. The
// oldest go first: a base chosen among the newest can only cost a conflict, a
// daemon without memory costs everything.
const maxViews = 256

// add appends a view, or counts a reading of the version read last.
func (a *actorViews) add(v *view) {
	a.wrote = a.wrote || v.kind == wrote
	v.by = a.caller.author()
	if n := len(a.views); n > 0 && v.kind == read {
		last := a.views[n-1]
		if last.kind == read && last.content == v.content {
			last.proved = last.unused > 0 && (last.proved || last.reading.overlaps(v.reading))
			last.last, last.lastAt, last.shown, last.reading = v.last, v.lastAt, v.shown, v.reading
			last.unused++
			return
		}
	}
	a.views = append(a.views, v)
}

// prove marks the views that were made while another task of the process was
// reading or writing, as far as its newest view shows that: two readings or two writes
// that overlap. Beside writes that overlap each unused reading may be of one more task.
func (a *actorViews) prove() {
	last := a.newest()
	for i := len(a.views) - 2; i >= 0; i-- {
		v := a.views[i]
		if v.reading.overlaps(last.reading) || v.overlapsWrite(last) {
			v.proved, last.proved = true, true
		}
	}
	for _, v := range a.views {
		v.proved = v.proved || last.proved && v.unused > 0 && v.first < last.ended
	}
}

// overlapsWrite reports whether two writes were under way at once.
func (v *view) overlapsWrite(o *view) bool {
	return v.begun != 0 && o.begun != 0 && v.begun < o.ended && o.begun < v.ended
}

// prune drops the views that can't become a candidate any more: those made before
// the cutoff that are neither the latest write nor the newest reading.
func (a *actorViews) prune(cutoff time.Time) {
	lastWrite, lastRead := a.latest(forever, forever)
	first := a.firstReading()
	kept := a.views[:0]
	excess := len(a.views) - maxViews
	for i, v := range a.views {
		if v == lastWrite || v == lastRead || v == first || (v.lastAt.After(cutoff) && i >= excess) {
			kept = append(kept, v)
		}
	}
	clear(a.views[len(kept):])
	a.views = kept
}

// firstReading returns the first reading of a process that has never written, nil
// for one that has: an editor shows it for hours, and reads the file again for its
// backup before it saves.
func (a *actorViews) firstReading() *view {
	if a.wrote || a.views[0].kind != read {
		return nil
	}
	return a.views[0]
}

// latest returns the latest write and the newest reading that were made at or before
// the given places in the order of events; nil where there is none.
func (a *actorViews) latest(writtenBy, readBy Tick) (write, reading *view) {
	for _, v := range a.views {
		switch {
		case v.kind == wrote && v.first <= writtenBy:
			write = v
		case v.kind == read && v.first <= readBy:
			reading = v
		}
	}
	return write, reading
}

// lateWindow is how long after the last of several saves at once another one may come
// that belongs to them: a thread of a busy machine has not waited longer.
const lateWindow = 5 * time.Second

// isUnused reports whether v is a reading that no write had used up at a place in the
// order of events.
func (v *view) isUnused(asOf Tick) bool {
	return v.unused > 0 || v.usedUp > asOf
}

// isInHand reports whether a process without a memory may have got v at a place in the order of
// events: it is a reading that no write had used up, or a write.
func (v *view) isInHand(asOf Tick) bool { return v.kind == wrote || v.isUnused(asOf) }

// isMadeFrom reports whether v is a write whose base was another one.
func (v *view) isMadeFrom(o *view) bool { return o.kind == wrote && v.after == o.last }

// isWithin reports whether v had come about at a place in the order of events, and is not older
// than the window.
func (v *view) isWithin(asOf Tick, at time.Time, window time.Duration) bool {
	return v.first <= asOf && at.Sub(v.lastAt) <= window
}

// isFresh reports whether v is an unused reading that is not older than the window.
func (v *view) isFresh(asOf Tick, at time.Time, window time.Duration) bool {
	return v.isUnused(asOf) && v.isWithin(asOf, at, window)
}

// use notes that a write was based on this view: one reading is used up. It
// reports whether there was one to use.
func (v *view) use(at Tick) bool {
	if v.unused == 0 {
		return false
	}
	v.unused--
	if v.unused == 0 {
		v.usedUp = at
	}
	return true
}
