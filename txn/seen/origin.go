package seen

import (
	"cmp"
	"slices"
	"time"
)

// Origin names the writer of some content, and the place in the order of events up to
// which its views count.
type Origin struct {
	Caller
	Event Tick      // its first write
	At    time.Time // when that was

	// Opened is when it opened the file, 0 for Event. Its writes elsewhere between the two
	// are no base: a program that saves many times at once has made all contents before.
	Opened Tick

	// Missed are the answers about more than the registry that say that it is not there,
	// those to other processes included.
	Missed []Absence

	// Aside says that it writes a file that is to take the registry's place.
	Aside bool

	// Redirected says that it writes by a shell's redirection: its descriptor was
	// closed once, by the shell's dup, before anything was written through it.
	Redirected bool

	inherits bool // it has its parent's memory
}

// Begun returns when it began to write, as far as that is known.
func (o *Origin) Begun() Tick { return o.Opened }

// openedBy returns Opened, or Event where that is not known.
func (o *Origin) openedBy() Tick {
	if o.Opened == 0 {
		return o.Event
	}
	return o.Opened
}

// A Kind says how the author of some content came to have a candidate in hand.
type Kind uint8

// The kinds of candidates.
const (
	Read     Kind = iota // it has read it
	Wrote                // it has written it itself
	Nothing              // it was told that there is nothing
	InFlight             // it is writing it on another handle
)

// A Candidate is something that the author of a transaction may have had in
// hand when it made its content. The merge base is chosen among candidates.
type Candidate struct {
	Content *Content // nil: nothing was there
	Kind    Kind
	At      Tick // when it came about; of several readings, the last

	// Task says that the author has written since, but had several tasks at work when
	// it came to see this: another one of them may still have it in hand.
	Task bool

	// Late is a Task that all others have gone on from: one more of several saves at
	// once may come late.
	Late bool

	// Looked says of a view of nothing that its author has since read a registry that others had
	// created.
	Looked bool

	// Recent says of a reading that it is not older than startWindow.
	Recent bool

	Tx int // number of the transaction in flight, for the caller

	views []*view
	looks *looks
}

// startWindow is how long a program may take from its first reading to its first write while it
// starts: ten that start at once on a small machine take more than a minute.
const startWindow = 5 * time.Minute

// view returns the kind that a view of the candidate would have.
func (c *Candidate) view() viewKind {
	switch c.Kind {
	case Read:
		return read
	case Nothing:
		return removed
	}
	return wrote
}

// Knowledge has the known facts of the author of some content, beside its
// candidates.
type Knowledge struct {
	Memory bool // it is a process that remembers the contents that it has seen

	// Family is the process of whose descendants an author without a memory is taken for
	// one.
	Family Actor

	// Earlier are the contents that an author without a memory has seen at any time, if
	// there are several candidates.
	Earlier []*Content

	// Last is its last write, nil if it has written nothing; ReadSince says that it has
	// read something else since.
	Last      *Content
	ReadSince bool

	// Removed says that it has removed the registry itself since.
	Removed bool

	// Alone says that nobody else had changed the head until Noted, since the author's
	// last write or first reading, and that no other task of it is proved.
	Alone bool
	Noted Tick

	Before []Origin // writers without a known view, as they may be older than the store
}

// Seen is all that the writers of some content had seen of a registry.
type Seen struct {
	Candidates []Candidate
	Knowledge
}

// And returns the views that the writers of one content had together.
func (s Seen) And(o Seen) Seen {
	switch {
	case s.Noted == 0:
		return o
	case o.Noted == 0:
		return s
	}
	both := Seen{Candidates: slices.Concat(s.Candidates, o.Candidates)}
	both.Earlier = slices.Concat(s.Earlier, o.Earlier)
	both.Memory, both.Family = s.Memory || o.Memory, s.Family
	both.Last, both.ReadSince, both.Removed = s.Last, s.ReadSince, s.Removed
	if both.Last == nil {
		both.Last, both.ReadSince, both.Removed = o.Last, o.ReadSince, o.Removed
	}
	both.Alone, both.Noted = s.Alone && o.Alone, min(s.Noted, o.Noted)
	both.Before = slices.Concat(s.Before, o.Before)
	return both
}

// Add returns s with one more candidate, which the author has read itself as it
// began to write.
func (s Seen) Add(c Candidate) Seen {
	s.Candidates = append(slices.Clip(s.Candidates), c)
	return s
}

// Of returns the views that a writer could have of the registry: its own if it has
// a memory of it, else its family's.
func (v *Views) Of(o Origin) Seen {
	own := v.actors[o.author()]
	s := Seen{Knowledge: Knowledge{Noted: v.cfg.Next()}}
	switch remembers := v.memoryOf(own, &o); {
	case len(remembers) > 0:
		v.ofProcess(&s, remembers, &o)
	case v.knowsOfNothing(own, &o):
		v.ofNothing(&s, own, &o)
	default:
		v.ofFamily(&s, &o)
	}
	if (own == nil || !own.memory) && v.isOlder(&o) && !s.isSettled(&o) {
		s.Before, s.Alone, s.Last = []Origin{o}, false, nil
	}
	return s
}

// isSettled reports whether a writer's views from before the store began do not matter
// any more: it was told since that there is nothing, or it is a shell whose family has
// written since.
func (s *Seen) isSettled(o *Origin) bool {
	return o.Redirected && s.Last != nil || slices.ContainsFunc(s.Candidates, func(c Candidate) bool { return c.Kind == Nothing })
}

// knowsOfNothing reports whether a writer that has read no content itself was told that
// there is no registry, and none of those that it has started has seen content since.
func (v *Views) knowsOfNothing(own *actorViews, o *Origin) bool {
	n := v.absences.nothingSeen(o, forever)
	for _, a := range append(slices.Clip(v.descendants[o.author()]), own) {
		if a != nil && slices.ContainsFunc(a.views, func(one *view) bool { return one.content != nil && one.last > n.at && one.first <= o.Event }) {
			return false
		}
	}
	return true
}

// ofNothing fills in the candidates of a writer that was told that there is no registry:
// nothing, and each earlier reading of its family that no write was made from. The writer
// may write content that its family made, and have been told in passing, when it tried
// to remove a registry that is gone.
func (v *Views) ofNothing(s *Seen, own *actorViews, o *Origin) {
	var alone Seen
	if v.addNothing(&alone, own, o); len(alone.Candidates) == 0 {
		v.ofFamily(s, o)
		return
	}
	v.fromNothing(s, alone.Candidates[0], func(c *Caller) bool { return c.author() == o.author() }, o)
}

// isOlder reports whether the writer is a process that may have seen something
// before the store began.
func (v *Views) isOlder(o *Origin) bool { return o.Known() && o.Start < v.cfg.Began }

// memoryOf returns the processes whose memory the writer has: itself, and its parent, which o
// then says, if it was forked and has not executed a program since.
func (v *Views) memoryOf(own *actorViews, o *Origin) []*actorViews {
	var out []*actorViews
	if own != nil && own.memory {
		out = append(out, own)
	}
	if o.Forked && len(o.Ancestors) > 0 && (own == nil || !own.wrote) {
		if parent := v.actors[o.Ancestors[0]]; parent != nil && parent.memory {
			out = append(out, parent)
			o.inherits = true
		}
	}
	return out
}

// ofProcess fills in the candidates of a process with a memory: its last write, and its
// readings since.
func (v *Views) ofProcess(s *Seen, memory []*actorViews, o *Origin) {
	s.Memory = true
	var last *view
	for _, a := range memory {
		if w, _ := a.latest(o.openedBy(), 0); w != nil {
			last = w // a fork that has written itself has no memory but its own
		}
	}
	var since Tick
	tasks := false // or something else that keeps it from being alone
	if last != nil {
		since = last.first
		s.Last = last.content
		s.Candidates = append(s.Candidates, candidateFrom(last))
	}
	for _, a := range memory {
		_, newest := a.latest(0, o.Event)
		first := a.firstReading()
		for _, one := range a.views {
			fresh := one.isFresh(o.Event, o.At, v.cfg.ReadWindow)
			if !o.Known() && one != last && one.first <= o.Event && o.At.Sub(one.lastAt) <= v.cfg.ReadWindow {
				c := candidateFrom(one) // any of these callers may have it in hand
				c.Task, tasks = true, true
				s.Candidates = append(s.Candidates, c)
				continue
			}
			s.Removed = s.Removed || one.kind == removed && one.first > since && one.first <= o.Event
			switch {
			case one.first > o.Event || !fresh && one != newest && one != first:
			case one.last > since:
				c := candidateFrom(one)
				c.Recent = o.At.Sub(one.lastAt) <= startWindow
				s.Candidates = append(s.Candidates, c)
				s.ReadSince = s.ReadSince || last != nil && one.content.Digest != last.content.Digest
			case fresh && one.proved:
				c := candidateFrom(one)
				c.Task, tasks = true, true
				s.Candidates = append(s.Candidates, c)
			}
		}
		if c, ok := a.late(last, o); ok {
			s.Candidates, tasks = append(s.Candidates, c), true
		}
	}
	tasks = v.addNothing(s, memory[0], o) || tasks
	if since == 0 {
		since = oldest(s.Candidates)
	}
	for _, a := range memory {
		if w, _ := a.latest(o.Event, 0); w != nil {
			since, tasks = max(since, w.first), tasks || w.merged
		}
		tasks = tasks || a.overlapsWrite(o)
	}
	self := func(c *Caller) bool {
		return slices.ContainsFunc(memory, func(a *actorViews) bool { return c.author() == a.caller.author() })
	}
	s.Alone = !tasks && len(s.Candidates) > 0 && !v.changes.byOthers(since, self)
}

// overlapsWrite reports whether a write of the actor was under way at the same time as the
// writer's.
func (a *actorViews) overlapsWrite(o *Origin) bool {
	mine := view{begun: o.openedBy(), ended: o.Event + 1}
	return slices.ContainsFunc(a.views, func(one *view) bool { return one.overlapsWrite(&mine) })
}

// late returns the view that the last write was made from, if several tasks were at
// work then: one more of them may be so late that it opens when the others have
// done, and has made its content before. Where there is none it returns false.
func (a *actorViews) late(last *view, o *Origin) (Candidate, bool) {
	if last == nil || !last.proved || last.from == nil || o.At.Sub(last.lastAt) > lateWindow || !slices.Contains(a.views, last) {
		return Candidate{}, false
	}
	f := last.from
	c := Candidate{Content: f.content, At: f.at, Kind: Wrote, Task: true, Late: true}
	switch f.kind {
	case read:
		c.Kind = Read
	case removed:
		c.Kind = Nothing
	}
	return c, true
}

// addNothing adds that a process was told that there is no registry, if it has seen
// no content of it since, or has only read content that others have created. It reports
// whether several of its tasks are proved: where several threads had been told before
// the first of them wrote.
func (v *Views) addNothing(s *Seen, a *actorViews, o *Origin) (tasks bool) {
	firstWrite, lastSeen := forever, Tick(0)
	if a != nil {
		for _, one := range a.views {
			if one.first > o.Event || one.first < v.absences.began || one.content == nil {
				continue
			}
			lastSeen = max(lastSeen, one.last)
			if one.kind == wrote {
				firstWrite = min(firstWrite, one.first)
			}
		}
	}
	n, hasContent := v.absences.nothingSeen(o, firstWrite), lastSeen > 0
	if hasContent && firstWrite == forever && n.at <= lastSeen {
		if at := v.nothingBeforeReading(a, o); at > 0 {
			s.Candidates = append(s.Candidates, Candidate{Kind: Nothing, At: at, Looked: true})
		}
		return false
	}
	if n.at == 0 || hasContent && n.threads == 0 {
		return false
	}
	s.Candidates = append(s.Candidates, Candidate{Kind: Nothing, At: n.at, Task: hasContent, looks: v.absences.looks[o.author()]})
	return hasContent
}

// nothingBeforeReading returns when a process was told last that there is no registry, if
// another process created the registry then, and this one has only read since; 0 if not.
// Its content may be made from nothing, and the reading be a check. As its first reading
// the answer counts until its first write, however long the program thinks in between. A
// registry that its own child created for it is no surprise.
func (v *Views) nothingBeforeReading(a *actorViews, o *Origin) Tick {
	first := forever
	for _, one := range a.views {
		if one.content != nil && one.first >= v.absences.began {
			first = min(first, one.first)
		}
	}
	at := v.absences.missedBefore(o, first)
	if !v.changes.byOthersUntil(at, first, func(c *Caller) bool { return c.DescendsFrom(o.author()) }) {
		return 0
	}
	return at
}

func candidateFrom(one *view) Candidate {
	c := Candidate{Content: one.content, At: one.last, views: []*view{one}}
	switch one.kind {
	case wrote:
		c.Kind = Wrote
	case removed:
		c.Kind = Nothing
	}
	return c
}

// since returns the place from which on changes by others were not seen.
func (v *view) since() Tick {
	if v.kind == read {
		return min(v.pinned, v.first)
	}
	return v.first
}

// state is view.state for the newest view of a candidate.
func (c *Candidate) state() Tick {
	if len(c.views) == 0 {
		return c.At
	}
	at := Tick(0)
	for _, one := range c.views {
		at = max(at, one.state())
	}
	return at
}

func oldest(cands []Candidate) Tick {
	at := forever
	for i := range cands {
		at = min(at, cands[i].At)
		for _, one := range cands[i].views {
			at = min(at, one.since())
		}
	}
	return at
}

// Use notes that a write was made from a candidate: one reading of it is used up.
func (v *Views) Use(c *Candidate) {
	if c == nil {
		return
	}
	at := v.cfg.Next()
	if c.looks != nil {
		c.looks.uses(at)
		v.touch(c.looks.caller.author())
	}
	views := slices.SortedFunc(slices.Values(c.views), func(a, b *view) int { return cmp.Compare(b.last, a.last) })
	for _, one := range views {
		if one.use(at) {
			v.touch(one.by)
			return
		}
	}
}

// UseChoice is Use for the candidate that was taken. A writer that was told that there is
// nothing, and has made its content from something else, has used that answer up, too.
func (v *Views) UseChoice(c *Choice) {
	v.Use(c.Taken)
	for i := range c.Judged {
		if j := &c.Judged[i]; j.Kind == Nothing && !j.Task && j.Struck != "" && j.looks != nil {
			j.looks.uses(v.cfg.Next())
			v.touch(j.looks.caller.author())
		}
	}
}

// AddCopy returns s with content that was copied into the file at the given place,
// which counts as seen unless the author has written since.
func (s Seen) AddCopy(content *Content, at Tick) Seen {
	for i := range s.Candidates {
		if c := &s.Candidates[i]; c.Kind != Read && c.At > at {
			return s
		}
	}
	return s.Add(Candidate{Content: content, At: at})
}
