package seen

import "slices"

// changes lists the processes that have changed the head of a registry, with the times.
type changes struct {
	marks []change // ascending
	lost  Tick     // there were others up to here
}

type change struct {
	at Tick
	by *Caller // nil: it was found in the directory, its writer is unknown
}

// maxChanges bounds the changes that are remembered. Of a stretch that begins
// before the oldest it is presumed that others have changed the head in it.
const maxChanges = 1024

// Changed notes that the head has changed: by a commit of these writers, by a
// removal, or behind the store, which nobody has done.
func (v *Views) Changed(by ...Caller) {
	at := v.cfg.Next()
	v.touchOrder()
	if len(by) == 0 {
		v.changes.add(change{at: at})
	}
	for i := range by {
		v.changes.add(change{at: at, by: &by[i]})
	}
}

// ChangedBeside reports whether somebody else than the caller, and the processes that it has
// started, has changed the head after a place in the order of events, and before another one.
func (v *Views) ChangedBeside(c Caller, since, until Tick) bool {
	return v.changes.byOthersUntil(since, until, func(by *Caller) bool {
		return by.author() == c.author() || by.DescendsFrom(c.author())
	})
}

// ChangedAt returns when the head changed last, 0 if it has not.
func (v *Views) ChangedAt() Tick {
	if n := len(v.changes.marks); n > 0 {
		return v.changes.marks[n-1].at
	}
	return v.changes.lost
}

// add leaves the last one of several changes in a row by one author.
func (c *changes) add(m change) {
	if n := len(c.marks); n > 0 && m.by != nil && c.marks[n-1].by != nil && c.marks[n-1].by.author() == m.by.author() {
		c.marks[n-1] = m
		return
	}
	if len(c.marks) == maxChanges {
		c.lost = c.marks[maxChanges/2].at
		c.marks = slices.Delete(c.marks, 0, maxChanges/2+1)
	}
	c.marks = append(c.marks, m)
}

// byOthers reports whether somebody else than the author has changed the head
// after a place in the order of events.
func (c *changes) byOthers(since Tick, isAuthor func(*Caller) bool) bool {
	return c.byOthersUntil(since, forever, isAuthor)
}

// byOthersUntil is byOthers, for changes before another place in that order.
func (c *changes) byOthersUntil(since, until Tick, isAuthor func(*Caller) bool) bool {
	for i := len(c.marks) - 1; i >= 0 && c.marks[i].at > since; i-- {
		if by := c.marks[i].by; c.marks[i].at < until && (by == nil || !isAuthor(by)) {
			return true
		}
	}
	return since < c.lost
}
