package seen

import (
	"cmp"
	"maps"
	"slices"
)

// A writer without a memory of the registry writes content that its family has made:
// mv, cp and tee have read nothing themselves, and a redirection is written by a
// shell. The family is the descendants of the nearest ancestor that has seen the
// registry, or has a descendant that has. Members that ran strictly one after the
// other are one author.

// How many contents are taken from kin at most, so that a writer pays the same however
// many processes were there in the last minute. The newest count. A reading that one
// write was made from is rarely the base of another one, and then soon.
const (
	maxKinReadings = 256 // that were read and that no write has used up
	maxKinUsed     = 64  // that were read and used up, or written
)

// How many contents stay of the dead, of all families of a registry together.
const (
	maxDeadReadings = 4096 // that were read and that no write has used up
	maxDeadUsed     = 256  // that were read and used up, or written
)

// family is a process and its descendants.
type family struct {
	root    Actor
	members []*actorViews // those that have seen the registry within the kin window
	views   []memberView  // theirs that were live when something was written, the newest first
	missed  Tick          // when one was told last that there is no registry, and has seen nothing since; 0: none was
}

func (f *family) contains(c *Caller) bool { return c.author() == f.root || c.DescendsFrom(f.root) }

// familyOf returns the family of a writer: its own, or that of the nearest ancestor
// that has one. With asked it is enough that somebody of it was told that there is nothing.
func (v *Views) familyOf(o *Origin, asked bool) family {
	since := o.At.Add(-v.cfg.KinWindow)
	for _, root := range append([]Actor{o.author()}, o.Ancestors...) {
		f := family{root: root}
		for _, a := range v.descendants[root] {
			if !a.newest().lastAt.Before(since) {
				f.members = append(f.members, a)
			}
		}
		if a := v.actors[root]; a != nil && !a.newest().lastAt.Before(since) {
			f.members = append(f.members, a)
		}
		if asked {
			f.missed = v.missedBy(&f, o)
		}
		if f.views = v.viewsOf(&f, o); len(f.views) > 0 || f.missed > 0 {
			return f
		}
	}
	return family{root: o.author()}
}

// A memberView is a view of a member of a family.
type memberView struct {
	*view
	of *actorViews
}

// ofFamily fills in the views of the family of a writer without a memory: the newest view of
// all, and those older readings and writes that others of the family, which ran beside their
// process, can't have known. If the family was told last that there is no registry, it has seen
// nothing.
func (v *Views) ofFamily(s *Seen, o *Origin) {
	f := v.familyOf(o, true)
	if f.missed > 0 && (len(f.views) == 0 || f.views[0].last <= f.missed) {
		v.fromNothing(s, Candidate{Kind: Nothing, At: f.missed}, f.contains, o)
		return
	}
	v.ofMembers(s, &f, o)
}

// writes returns the contents that the members had written at a place in the order of
// events.
func (f *family) writes(asOf Tick) []memberView {
	var writes []memberView
	for _, a := range f.members {
		for _, one := range a.views {
			if one.kind == wrote && one.first <= asOf {
				writes = append(writes, memberView{one, a})
			}
		}
	}
	return writes
}

// contents returns the contents that the members of a family had read or written at a place
// in the order of events, as far as the limits go.
func (f *family) contents(asOf Tick) []*Content {
	known := make(map[*Content]bool)
	for _, a := range slices.Backward(f.members) {
		for _, one := range slices.Backward(a.views) {
			if len(known) == maxKinReadings+maxKinUsed {
				break
			}
			if one.content != nil && one.first <= asOf {
				known[one.content] = true
			}
		}
	}
	return slices.Collect(maps.Keys(known))
}

// fromNothing fills in the candidates of a writer that was told, itself or by its family,
// that there is no registry: nothing, and each earlier reading of the family that no
// write was made from. self reports whether a change is of the author's own.
func (v *Views) fromNothing(s *Seen, nothing Candidate, self func(*Caller) bool, o *Origin) {
	f := v.familyOf(o, false)
	v.ofMembers(s, &f, o)
	s.Candidates = slices.DeleteFunc(s.Candidates, func(c Candidate) bool {
		return !slices.ContainsFunc(c.views, func(one *view) bool { return one.first < nothing.At && one.isUnused(o.Event) })
	})
	s.Last, s.ReadSince, s.Earlier = nil, false, nil
	s.Alone = len(s.Candidates) == 0 && !v.changes.byOthers(nothing.At, self)
	s.Candidates = append(s.Candidates, nothing)
}

// ofMembers fills in the views of the members of a family.
func (v *Views) ofMembers(s *Seen, f *family, o *Origin) {
	s.Family = f.root
	views := f.views
	var taken []memberView
	last := slices.IndexFunc(views, func(one memberView) bool { return one.kind != read })
	if last >= 0 {
		s.Last = views[last].content
		s.ReadSince = s.Last != nil && slices.ContainsFunc(views[:last], func(one memberView) bool { return one.content.Digest != s.Last.Digest })
	}
	writes := f.writes(o.Event)
	for i, one := range views {
		knows := func(n memberView) bool { return !v.mayNotKnow(one, n, o) }
		goneOn := func(n memberView) bool { return n.first > one.last && (knows(n) || n.isMadeFrom(one.view)) }
		if i == 0 || one.isInHand(o.Event) && !slices.ContainsFunc(views[:i], knows) && !slices.ContainsFunc(writes, goneOn) {
			taken = append(taken, one)
		}
	}
	tasks := v.addFamily(s, taken, views, last, o)
	if len(s.Candidates) > 1 {
		s.Earlier = f.contents(o.Event)
	}
	// A merged write has not seen the others' changes that went into it, nor has a reading
	// that was opened before it.
	tasks = tasks || last >= 0 && views[last].merged && views[0].since() <= views[last].first
	var since Tick
	switch {
	case last >= 0:
		since = views[last].first
	case len(views) > 0:
		since = views[len(views)-1].since()
	}
	for _, a := range f.members {
		tasks = tasks || a.overlapsWrite(o) && a.caller.Start < o.Start && !o.DescendsFrom(a.caller.Actor)
	}
	s.Alone = !tasks && len(s.Candidates) > 0 && !v.changes.byOthers(since, f.contains)
}

// addFamily adds the views that were taken, as far as the limits go, and reports
// whether one of them is of a member that did not know the newest.
func (v *Views) addFamily(s *Seen, taken, views []memberView, last int, o *Origin) (tasks bool) {
	limit := selection{readings: maxKinReadings, uses: maxKinUsed}
	for _, one := range taken {
		if !limit.admit(one.view, o.Event) {
			continue
		}
		c := candidateFrom(one.view)
		if one.content != taken[0].content {
			tasks = true
			c.Task = last >= 0 && one.last < views[last].first
		}
		s.Candidates = append(s.Candidates, c)
	}
	return tasks
}

// viewsOf returns the views of a family that count for a write, the newest first: the
// newest of all, the last write, and older ones whose members may not know the newest.
// A removal by the writer itself is no view: it is the first half of its replacement.
func (v *Views) viewsOf(f *family, o *Origin) []memberView {
	newest, last := v.newestOf(f, o)
	if newest.view == nil {
		return nil
	}
	out := []memberView{newest}
	if last.view != nil && last.view != newest.view {
		out = append(out, last)
	}
	for _, a := range f.members {
		if last.view != nil && a.newest().last < last.last && !v.mayNotKnow(memberView{a.newest(), a}, newest, o) {
			continue
		}
		for _, one := range a.views {
			if one == newest.view || one == last.view || !one.isInHand(o.Event) || !one.isWithin(o.Event, o.At, v.cfg.KinWindow) {
				continue
			}
			if v.isKept(a, o) {
				break
			}
			if m := (memberView{one, a}); one.last > last.lastTick() || v.mayNotKnow(m, newest, o) {
				out = append(out, m)
			}
		}
	}
	slices.SortFunc(out, func(a, b memberView) int { return cmp.Compare(b.state(), a.state()) })
	return out
}

// isKept reports whether a member has ended, and its readings are in the hands of a process
// that has started it, still lives, and has not started the writer.
func (v *Views) isKept(a *actorViews, o *Origin) bool {
	if !v.isDead(a) {
		return false
	}
	for _, up := range a.caller.Ancestors {
		switch {
		case up == o.author() || o.DescendsFrom(up):
			return false
		case up.Known() && v.cfg.Alive(up):
			return true
		}
	}
	return false
}

// newestOf returns the newest view of a family, and its last write or removal; without
// a view where there is none.
func (v *Views) newestOf(f *family, o *Origin) (newest, last memberView) {
	for _, a := range slices.Backward(f.members) {
		if last.view != nil && a.newest().last < last.last {
			continue
		}
		own := a.caller.author() == o.author()
		for _, one := range a.views {
			if one.first > o.Event || one.kind == removed && own {
				continue
			}
			if newest.view == nil || one.state() > newest.state() {
				newest = memberView{one, a}
			}
			if one.kind != read && (last.view == nil || one.last > last.last) {
				last = memberView{one, a}
			}
		}
	}
	return newest, last
}

func (m memberView) lastTick() Tick {
	if m.view == nil {
		return 0
	}
	return m.last
}

// mayNotKnow reports whether the member that read one may not have known a newer view of
// the family. That is so in three cases: both are of one process; the two processes were
// alive at the same time; the newer one's process still is.
//
// The writer, and the shells that it descends from, know all that those of their children did
// that have ended: they wait for them. So does the process of the older view. A reading by a
// process that still lives is in its own hands: a writer that was started after the newer view has
// not got it by a pipe.
func (v *Views) mayNotKnow(one, newer memberView, o *Origin) bool {
	waits := func(a *actorViews) bool { return a.caller.author() == o.author() || o.DescendsFrom(a.caller.Actor) }
	switch n := newer.of; {
	case n == one.of:
		return newer.kind == read
	case waits(n):
		return false
	case waits(one.of), n.caller.DescendsFrom(one.of.caller.Actor):
		return !v.isDead(n)
	case one.of.caller.Start < n.caller.Start && n.caller.Start < o.Start && v.isDead(n) && !v.isDead(one.of):
		return false
	case n.caller.Start < one.of.caller.Start: // it was there first, and later
		return !newer.wasPutAfter(one)
	default:
		return one.of.dead == 0 || one.of.dead > n.arrived || !v.isDead(n)
	}
}

// wasPutAfter reports whether a write came about before the reader of another view was
// there, by a process that had ended, and was put in place when the reader had ended, too.
func (m memberView) wasPutAfter(one memberView) bool {
	return m.kind == wrote && m.of.dead != 0 && m.of.dead < m.first && m.ended <= one.of.arrived &&
		one.of.dead != 0 && one.of.dead <= m.first
}

// selection is the contents that were taken from some views.
type selection struct {
	readings, uses int // so many contents may be taken: of readings that are not used up, and others
	unused, used   map[*Content]bool
}

// admit takes a view, as it is at a place in the order of events, and reports whether
// the limits allow it.
func (s *selection) admit(one *view, asOf Tick) bool {
	if s.used == nil {
		s.unused, s.used = make(map[*Content]bool), make(map[*Content]bool)
	}
	taken, limit := s.used, s.uses
	if one.isUnused(asOf) {
		taken, limit = s.unused, s.readings
	}
	if len(taken) < limit {
		taken[one.content] = true
	}
	return taken[one.content]
}

// thinOut drops the views of those of the dead that hold none of the newest contents.
// How many hold the same does not matter: each may belong to a pipeline of its own that
// is under way.
func thinOut(dead []*actorViews) {
	slices.SortFunc(dead, func(a, b *actorViews) int { return cmp.Compare(b.newest().last, a.newest().last) })
	s := selection{readings: maxDeadReadings, uses: maxDeadUsed}
	for _, a := range dead {
		if !slices.ContainsFunc(a.views, func(one *view) bool { return s.admit(one, forever) }) {
			a.views = nil
		}
	}
}
