package seen

import (
	"cmp"
	"slices"
	"time"
)

// Nothing is seen, too: a process that was told that there is no registry has
// seen that.

// absences are the processes that were told that the registry is not there.
type absences struct {
	looks map[Actor]*looks
	ended Tick // since when it does not exist, or did not before it came to be; 0: not known
	began Tick // since when it exists; forever while it does not, 0 if that is not known
}

// looks are one process's questions whether the registry is there.
type looks struct {
	caller  Caller
	answers []look // ascending
	lastAt  time.Time
	used    []Tick // of the views of nothing, by writes; ascending
}

// An Absence is an answer about more than the registry by which a process was told that
// it is not there: its directory is not there, or a listing does not hold it.
type Absence struct {
	By     Caller
	At     Tick // where it asked
	Time   time.Time
	Listed bool // by a listing, which counts for its own process only
}

// A look is one answer that a thread of a process got.
type look struct {
	at     Tick
	time   time.Time
	thread int  // 0: it is not known, and proves no task
	found  bool // it was told that the registry is there
}

// Bounds of the answers that are remembered for one registry.
const (
	maxLookers = 256 // processes
	maxLooks   = 64  // answers of one process, and writes that have used one up
)

// Missed notes that a thread of the caller was told that there is no registry, which it
// asked at the given place.
func (v *Views) Missed(c Caller, thread int, asked Tick) { v.look(c, look{at: asked, thread: thread}) }

// AnyMissed reports whether some process was told that there is no registry, and may not
// know that there is one now.
func (v *Views) AnyMissed() bool { return !v.absences.empty() }

// Found notes that a thread of the caller was told that there is a registry. It
// matters only to a process that was told before that there is none.
func (v *Views) Found(c Caller, thread int) {
	if v.absences.looks[c.author()] != nil {
		v.look(c, look{at: v.cfg.Next(), thread: thread, found: true})
	}
}

// Placed notes that the caller has put a file that somebody else has written in place of the registry: it
// knows that there is one.
func (v *Views) Placed(c Caller) { v.look(c, look{at: v.cfg.Next(), found: true}) }

func (v *Views) look(c Caller, l look) {
	s := &v.absences
	v.touch(c.author())
	if s.looks == nil {
		s.looks = make(map[Actor]*looks)
	}
	of := s.looks[c.author()]
	if of == nil {
		if len(s.looks) >= maxLookers {
			v.touch(s.dropOldest())
		}
		of = &looks{caller: c}
		s.looks[c.author()] = of
	}
	if len(of.answers) == maxLooks {
		of.answers = slices.Delete(of.answers, 0, 1)
	}
	l.time = v.cfg.Now()
	of.lastAt = l.time
	of.answers = append(of.answers, l)
}

// oneCall is how long before a call the kernel may have asked for it more than once: it asks
// again where it is told of another inode than it had. A machine with thirty processes for each
// processor takes more than a quarter of a second between the two; a program that asks by
// itself and then writes without reading is rare, and its content is merged.
const oneCall = 2 * time.Second

// PartOfCall takes back the last answer that a thread of the caller got: it was the
// kernel that asked, for the call by which the thread opens the registry to write it, or
// puts something in its place. Where it was told that the registry is there, it may have
// asked more than once.
func (v *Views) PartOfCall(c Caller, thread int) {
	of := v.absences.looks[c.author()]
	if of == nil || thread == 0 {
		return
	}
	v.touch(c.author())
	since := v.cfg.Now().Add(-oneCall)
	for i, first := len(of.answers)-1, true; i >= 0; i-- {
		switch l := of.answers[i]; {
		case l.thread != thread:
			continue
		case first, l.found && l.time.After(since):
			of.answers = slices.Delete(of.answers, i, i+1)
		default:
			i = 0
		}
		first = false
	}
	if len(of.answers) == 0 {
		delete(v.absences.looks, c.author())
	}
}

// Appeared notes that the registry exists from now on, after it did not.
func (v *Views) Appeared() {
	v.absences.began = v.cfg.Next()
	v.touchOrder()
}

// Existed notes that the registry was found, and was there before anything was known of it
// if nothing is: another one may have taken its name, with a history that was to be read anew.
func (v *Views) Existed() {
	if v.absences.began == 0 {
		v.absences.began = 1
		v.touchOrder()
	}
}

// Vanished notes that there is no registry any more, or that there has been none before
// anything was known of it.
func (v *Views) Vanished() {
	if v.absences.began != forever && v.absences.began != 0 {
		v.absences.ended = v.cfg.Next()
	}
	v.absences.began = forever
	v.touchOrder()
}

// save returns the answers that a process was told.
func (s *absences) save(a Actor) []SavedLook {
	of := s.looks[a]
	if of == nil {
		return nil
	}
	var out []SavedLook
	for _, l := range of.answers {
		out = append(out, SavedLook{l.at, l.thread, l.found})
	}
	return out
}

// used returns how many of a process's views of nothing writes have used up.
func (s *absences) used(a Actor) int {
	if of := s.looks[a]; of != nil {
		return of.usedSince(of.found())
	}
	return 0
}

// usedAt returns when writes have used up a process's views of nothing.
func (s *absences) usedAt(a Actor) []Tick {
	if of := s.looks[a]; of != nil {
		return slices.Clone(of.used)
	}
	return nil
}

// found returns the place of the last answer that says that the registry is there; 0: there
// is none.
func (l *looks) found() Tick {
	for _, one := range slices.Backward(l.answers) {
		if one.found {
			return one.at
		}
	}
	return 0
}

// uses notes that a write has used up a view of nothing.
func (l *looks) uses(at Tick) {
	if len(l.used) == maxLooks {
		l.used = slices.Delete(l.used, 0, 1)
	}
	l.used = append(l.used, at)
}

// usedSince returns how many views of nothing writes have used up since a place in the order
// of events.
func (l *looks) usedSince(at Tick) int {
	n := 0
	for _, one := range l.used {
		if one > at {
			n++
		}
	}
	return n
}

func (s *absences) empty() bool { return len(s.looks) == 0 }

// dropOldest forgets the process that has asked longest ago, and returns it.
func (s *absences) dropOldest() (oldest Actor) {
	for a, l := range s.looks {
		if o := s.looks[oldest]; o == nil || l.lastAt.Before(o.lastAt) {
			oldest = a
		}
	}
	delete(s.looks, oldest)
	return oldest
}

// prune forgets the processes that asked last before the cutoff and have ended. forgot is called with each.
func (s *absences) prune(cutoff time.Time, isAlive func(Actor) bool, forgot func(Actor)) {
	for a, l := range s.looks {
		if l.lastAt.Before(cutoff) && !isAlive(a) {
			delete(s.looks, a)
			forgot(a)
		}
	}
}

// nothing is a process's knowledge of the registry's absence at some place in
// the order of events.
type nothing struct {
	at      Tick // when it was told last that there is none; 0: it was not
	threads int  // how many of its threads were told so that no write has made use of it
}

// nothingSeen returns a writer's knowledge of the absence; firstWrite is that of its
// first write since the registry last was absent, or forever.
func (s *absences) nothingSeen(o *Origin, firstWrite Tick) nothing {
	n := nothing{at: s.missedWider(o, func(m *Absence) bool { return m.By.author() == o.author() })}
	threads, found := make(map[int]bool), Tick(0)
	for _, l := range s.answersOf(o) {
		switch {
		case l.at > o.Event || l.isPartOf(o):
		case l.found:
			if n.at < l.at {
				n.at = 0
			}
			clear(threads)
			found = l.at
		default:
			n.at = max(n.at, l.at)
			if l.at < firstWrite && l.thread != 0 {
				threads[l.thread] = true
			}
		}
	}
	used := 0
	if of := s.looks[o.author()]; of != nil {
		used = of.usedSince(found)
	}
	n.threads = max(0, len(threads)-used)
	return n
}

// answersOf returns the answers that a writer got, ascending: its own, and its parent's if it has
// that one's memory.
func (s *absences) answersOf(o *Origin) []look {
	var answers []look
	if of := s.looks[o.author()]; of != nil {
		answers = of.answers
	}
	if !o.inherits || s.looks[o.Ancestors[0]] == nil {
		return answers
	}
	answers = slices.Clone(answers)
	for _, l := range s.looks[o.Ancestors[0]].answers {
		l.thread = 0 // it is none of its own
		answers = append(answers, l)
	}
	slices.SortFunc(answers, func(a, b look) int { return cmp.Compare(a.at, b.at) })
	return answers
}

// isPartOf reports whether the answer is part of how a writer replaces the registry: it was
// told that there is one, just before it began to write the temporary file that is to take its
// place. Programs look for the mode and the owner there (npm's write-file-atomic, atomically, conf).
func (l *look) isPartOf(o *Origin) bool {
	return o.Aside && l.found && l.thread != 0 && !l.time.Before(o.At.Add(-oneCall))
}

// missedBefore returns the place of the last answer that a writer got before a place in the
// order of events, and that says that there is no registry; 0: none.
func (s *absences) missedBefore(o *Origin, before Tick) Tick {
	at := s.missedWider(o, func(m *Absence) bool { return m.By.author() == o.author() })
	for _, l := range s.answersOf(o) {
		if !l.found && l.at < before && l.at >= s.ended {
			at = max(at, l.at)
		}
	}
	return at
}

// missedWider returns the place of the last answer about more than the registry that is
// wanted and says that it is not there; 0: there is none.
func (s *absences) missedWider(o *Origin, wanted func(*Absence) bool) Tick {
	var at Tick
	for i := range o.Missed {
		if m := &o.Missed[i]; m.At >= max(s.ended, at) && m.At < s.began && wanted(m) {
			at = m.At
		}
	}
	return at
}

// missedBy returns when a member of a family was told last that there is no registry, and
// has not been told otherwise since, within the kin window; 0: none was.
func (v *Views) missedBy(f *family, o *Origin) Tick {
	since := o.At.Add(-v.cfg.KinWindow)
	at := v.absences.missedWider(o, func(m *Absence) bool {
		return !m.Listed && !m.Time.Before(since) && f.contains(&m.By) && !v.absences.looks[m.By.author()].answeredSince(m.At, o.Event)
	})
	for _, of := range v.absences.looks {
		if f.contains(&of.caller) {
			at = max(at, of.missed(o.Event, since))
		}
	}
	return at
}

// answeredSince reports whether there is an answer between two places in the order of events.
func (l *looks) answeredSince(since, until Tick) bool {
	return l != nil && slices.ContainsFunc(l.answers, func(one look) bool { return one.at > since && one.at <= until })
}

// missed returns the last answer up to a place in the order of events, if it says that
// there is no registry and is not older than a time, else 0.
func (l *looks) missed(asOf Tick, since time.Time) Tick {
	for i := len(l.answers) - 1; i >= 0; i-- {
		switch one := &l.answers[i]; {
		case one.at > asOf:
		case one.found || one.time.Before(since):
			return 0
		default:
			return one.at
		}
	}
	return 0
}
