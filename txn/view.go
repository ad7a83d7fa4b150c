package txn

import "time"

// A view is what an actor saw of a registry: content that it read, or content
// that it wrote itself. Views are what merge bases are chosen from.
//
// Readings of one version that follow each other are one view with a count,
// since a write uses up one reading only: a process with many tasks reads the
// same version once for each.
type view struct {
	content *content
	write   bool // the actor's own bytes, not what the merge made of them

	first  uint64    // place of the first reading in the store-wide order of events
	last   uint64    // place of the last one
	lastAt time.Time // when that was

	unused int    // readings that no write has used up
	usedUp uint64 // place of the event that used up the last one

	opened uint64  // of what was written: place of the open, 0 if that is not known
	ended  uint64  // of what was written: the first place at which it was being written no more
	from   *madeOf // of what was written: what that was made from, nil if nothing was seen
	beside bool    // of what was written: while another task of the same process wrote
}

// madeOf is what content was made from: the candidate that was taken.
type madeOf struct {
	content *content
	write   bool
	order   uint64
}

// actorViews are one actor's views of one registry, in the order in which they
// were made. Views that are live no longer stay for the kin window, since a
// temporary file can come to its rename long after the process that wrote it
// is gone.
type actorViews struct {
	caller Caller
	views  []*view
	wrote  bool // has ever written this registry
	tasks  bool // has been seen to have several tasks at work
	dead   bool // has been found dead
}

// newest returns the view that came last; there is one.
func (a *actorViews) newest() *view { return a.views[len(a.views)-1] }

// maxViews bounds the views that are kept of one actor and one registry. The
// oldest go first: a base chosen among the newest can only cost a conflict, a
// daemon without memory costs everything.
const maxViews = 256

// maxViewBytes bounds, likewise, the contents that the views of one registry
// hold.
const maxViewBytes = 64 << 20

// add appends a view, or counts a reading of the version read last.
func (a *actorViews) add(v *view) {
	if n := len(a.views); n > 0 && !v.write {
		last := a.views[n-1]
		if !last.write && last.content == v.content {
			last.last, last.lastAt = v.last, v.lastAt
			last.unused++
			last.usedUp = 0
			return
		}
	}
	a.views = append(a.views, v)
	a.wrote = a.wrote || v.write
}

// prune drops what can't become a candidate any more: views made before the
// cutoff that are neither the latest write nor the newest reading.
func (a *actorViews) prune(cutoff time.Time) {
	lastWrite, lastRead := a.latest(^uint64(0), ^uint64(0))
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

// firstReading returns what a process has read first that has never written, nil
// for one that has: an editor shows it for hours, and reads the file again for its
// backup before it saves.
func (a *actorViews) firstReading() *view {
	if a.wrote || len(a.views) == 0 || a.views[0].write {
		return nil
	}
	return a.views[0]
}

// latest returns the latest write view and the newest read view that were made
// at or before the given places in the order of events; nil where there is none.
func (a *actorViews) latest(writtenBy, readBy uint64) (write, read *view) {
	for _, v := range a.views {
		switch {
		case v.write && v.first <= writtenBy:
			write = v
		case !v.write && v.first <= readBy:
			read = v
		}
	}
	return write, read
}

// noteBeside marks what was written last, and what was being written at the same time,
// as the work of several tasks.
func (a *actorViews) noteBeside() {
	last := a.views[len(a.views)-1]
	for _, v := range a.views[:len(a.views)-1] {
		if v.write && v.opened != 0 && last.opened != 0 && v.opened < last.ended && last.opened < v.ended {
			v.beside, last.beside = true, true
		}
	}
}

// lateWindow is how long after the last of several saves at once another one may come
// that belongs to them: a thread of a busy machine has not waited longer.
const lateWindow = 5 * time.Second

// fromBeside returns what the last write before o was made from, if several tasks were
// at work then: one more of them may be so late that it opens when the others have
// done, and has made what it writes before. Where there is none it returns false.
func (a *actorViews) fromBeside(o Origin) (candidate, bool) {
	write, _ := a.latest(o.openedBy(), 0)
	if write == nil || !write.beside || write.from == nil || o.At.Sub(write.lastAt) > lateWindow {
		return candidate{}, false
	}
	f := write.from
	return candidate{content: f.content, write: f.write, order: f.order, beside: true}, true
}

// live returns the views that were live when something was written: the latest
// write before it was opened, the newest reading before its first write unless
// that is older and used up, and the older readings that no write had used up and
// that were not older than the window, and the first reading of a process that has
// never written. They come in the order in which they were made.
//
// A program that has read once and has written since goes on from what it wrote.
// If it does not, what it wrote itself is all that can get lost.
func (a *actorViews) live(o Origin, window time.Duration) []*view {
	write, read := a.latest(o.openedBy(), o.Event)
	if write == nil && read == nil {
		write, read = a.latest(o.Event, o.Event)
	}
	if read != nil && write != nil && read.last < write.first {
		read = nil // it is live if it was not used up
	}
	first := a.firstReading()
	var out []*view
	for _, v := range a.views {
		if v == write || v == read || v == first && v.first <= o.Event || v.liveReading(o.Event, o.At, window) {
			out = append(out, v)
		}
	}
	return out
}

func (v *view) liveReading(asOf uint64, at time.Time, window time.Duration) bool {
	return v.isUnused(asOf) && v.first <= asOf && at.Sub(v.lastAt) <= window
}

// isUnused reports whether v is a reading that no write had used up at a place in the
// order of events.
func (v *view) isUnused(asOf uint64) bool {
	return !v.write && (v.unused > 0 || v.usedUp > asOf)
}

// use notes that a write was based on this view: one reading is used up. It
// reports whether there was one to use.
func (v *view) use(event uint64) bool {
	if v.write || v.unused == 0 {
		return false
	}
	v.unused--
	if v.unused == 0 {
		v.usedUp = event
	}
	return true
}
