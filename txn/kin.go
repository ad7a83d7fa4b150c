package txn

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Kin are the processes around a writer that may have made what it writes: mv, cp and
// tee have read nothing themselves.

// How many contents are taken from kin at most, so that a writer pays the same however
// many processes were there in the last minute. The newest count. A reading of which
// something was made is rarely made something of again, and then soon.
const (
	maxKinReadings = 256 // that were read and that no write has used up
	maxKinUsed     = 64  // that were read and used up, or written
)

// How many contents stay of the dead, of all families of a registry together.
const (
	maxDeadReadings = 4096 // that were read and that no write has used up
	maxDeadUsed     = 256  // that were read and used up, or written
)

// kinOf walks up the writer's ancestors and returns, at the first one that has
// a view of the registry within the kin window or a descendant that had one,
// the views of all of these. A writer like mv, cp or tee has read nothing
// itself: what it writes was made by a process next to it that is usually gone
// by then, or by the shell that started it.
func (r *Registry) kinOf(o Origin) []*actorViews {
	for _, ancestor := range o.Ancestors {
		kin := r.relatives(ancestor, o)
		if a := r.views[ancestor]; a != nil && a.seenBetween(o.Event, r.kinSince(o)) {
			kin = append(kin, a)
		}
		if len(kin) > 0 {
			return kin
		}
	}
	return nil
}

// relatives returns the views of those who descend from a process and have seen
// the registry within the kin window.
func (r *Registry) relatives(of Actor, o Origin) []*actorViews {
	var kin []*actorViews
	for _, a := range r.descendants[of] {
		if a.seenBetween(o.Event, r.kinSince(o)) {
			kin = append(kin, a)
		}
	}
	return kin
}

func (r *Registry) kinSince(o Origin) time.Time { return o.At.Add(-r.store.cfg.KinWindow) }

// seenByKin returns the views of kin that were live when something was written, as far
// as the limits go.
func (r *Registry) seenByKin(kin []*actorViews, o Origin) []*view {
	var views []*view
	for _, a := range kin {
		views = append(views, a.live(Origin{Event: o.Event, At: o.At}, r.store.cfg.KinWindow)...)
	}
	slices.SortFunc(views, func(a, b *view) int { return cmp.Compare(b.last, a.last) })
	s := selection{readings: maxKinReadings, uses: maxKinUsed}
	return slices.DeleteFunc(views, func(v *view) bool { return !s.admit(v, o.Event) })
}

// selection is what was taken of some views.
type selection struct {
	readings, uses int // how many contents may be taken: that were read and not used up, and others
	unused, used   map[*content]bool
}

// admit takes a view, as it is at a place in the order of events, and reports whether
// the limits allow it.
func (s *selection) admit(v *view, asOf uint64) bool {
	if s.used == nil {
		s.unused, s.used = make(map[*content]bool), make(map[*content]bool)
	}
	taken, limit := s.used, s.uses
	if v.isUnused(asOf) {
		taken, limit = s.unused, s.readings
	}
	if len(taken) < limit {
		taken[v.content] = true
	}
	return taken[v.content]
}

// seenBetween reports whether a view was made by the given event and not before
// the given time.
func (a *actorViews) seenBetween(asOf uint64, since time.Time) bool {
	for _, v := range a.views {
		if v.first <= asOf && !v.lastAt.Before(since) {
			return true
		}
	}
	return false
}

// isDead reports whether an actor has ended.
func (r *Registry) isDead(a *actorViews) bool {
	a.dead = a.dead || !r.store.cfg.Alive(a.caller.Actor)
	return a.dead
}

// thinOut drops the views of those of the dead that hold none of the newest contents.
// How many hold the same does not matter: each may belong to a pipeline of its own that
// is under way.
func thinOut(dead []*actorViews) {
	slices.SortFunc(dead, func(a, b *actorViews) int { return cmp.Compare(b.newest().last, a.newest().last) })
	const now = ^uint64(0)
	s := selection{readings: maxDeadReadings, uses: maxDeadUsed}
	for _, a := range dead {
		if !slices.ContainsFunc(a.views, func(v *view) bool { return s.admit(v, now) }) {
			a.views = nil
		}
	}
}

// noteAncestors makes an actor that has come known as a descendant.
func (r *Registry) noteAncestors(a *actorViews) {
	for _, ancestor := range a.caller.Ancestors {
		if ancestor.Known() {
			r.descendants[ancestor] = append(r.descendants[ancestor], a)
		}
	}
}

// forgetEmpty forgets the actors that have no views any more.
func (r *Registry) forgetEmpty() {
	isEmpty := func(a *actorViews) bool { return len(a.views) == 0 }
	maps.DeleteFunc(r.views, func(_ Actor, a *actorViews) bool { return isEmpty(a) })
	for ancestor, known := range r.descendants {
		if r.descendants[ancestor] = slices.DeleteFunc(known, isEmpty); len(r.descendants[ancestor]) == 0 {
			delete(r.descendants, ancestor)
		}
	}
}
