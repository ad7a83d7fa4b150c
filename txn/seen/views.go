package seen

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Config says how long a view counts, and gives Views the clocks and the knowledge
// about processes that they need. All fields are wanted.
type Config struct {
	ReadWindow time.Duration // how long an unused reading stays a candidate
	KinWindow  time.Duration // how long views serve kin and temporary files

	// Began is the Start of the first process that can't be older than the store; 0:
	// none is. The views of older ones are not known.
	Began uint64

	Now   func() time.Time
	Next  func() Tick      // a new place in the order of events
	Alive func(Actor) bool // whether a process still lives
}

// Views are the views that all processes have of one registry. It is not for
// several goroutines at once.
type Views struct {
	cfg         *Config
	actors      map[Actor]*actorViews
	living      []*actorViews           // those that have not been found dead, and perhaps some that have
	descendants map[Actor][]*actorViews // of each process, of those in actors
	nextPrune   int                     // number of actors at which to look for dead ones
	bytes       int64                   // of the contents that came with views since the oldest were dropped, and before
	keptBytes   int64                   // of the contents that stayed then
	changes     changes
	absences    absences
	unsaved     map[[32]byte]bool // digests of contents that were forgotten

	changed     func()         // kept.go; nil: no text is kept
	unkept      map[Actor]bool // authors whose views have changed since a text was made of them
	orderUnkept bool
}

// New returns an empty table.
func New(cfg *Config) *Views {
	return &Views{cfg: cfg, actors: make(map[Actor]*actorViews), descendants: make(map[Actor][]*actorViews)}
}

// maxViewBytes bounds the contents that the views of one registry hold.
const maxViewBytes = 64 << 20

// Read notes that the caller has read content that was the head at the given place, where
// it was opened; others may have changed the head since. nil stands for an empty
// placeholder: its reader has seen nothing. pass may be nil.
func (v *Views) Read(c Caller, content *Content, pinned Tick, pass *Reading) {
	if content == nil {
		v.Missed(c, 0, pinned)
		return
	}
	at, now := v.cfg.Next(), v.cfg.Now()
	if pass != nil {
		pass.Continue(at)
	}
	a := v.of(c)
	a.memory = true
	n := len(a.views)
	a.add(&view{kind: read, content: content, pinned: pinned, shown: pinned, first: at, last: at, lastAt: now, unused: 1, reading: pass})
	if len(a.views) > n {
		a.prove()
	}
	v.Found(a.caller, 0)
	v.limit(a)
}

// A Write is content that was committed, as its writer wrote it.
type Write struct {
	Content    *Content
	Begun      Tick       // when the first of it was staged, 0 if that is not known
	Ended      Tick       // the first place at which it was being written no more; 0: now
	From       *Candidate // its base, nil if nothing was seen
	Redirected bool       // it came by a shell's redirection
	Merged     bool       // the head holds something else since
	Overlaps   bool       // another transaction of the process has unsaved bytes
}

// Wrote notes that the caller's write was committed.
func (v *Views) Wrote(c Caller, w Write) {
	a := v.of(c)
	if w.Ended != 0 {
		v.isDead(a) // its writer may have ended before the file was put in place
	}
	at, now := v.cfg.Next(), v.cfg.Now()
	seen := &view{kind: wrote, content: w.Content, first: at, last: at, lastAt: now, begun: w.Begun, ended: w.Ended, merged: w.Merged, proved: w.Overlaps}
	if seen.ended == 0 {
		seen.ended = at
	}
	if w.From != nil && w.From.Kind != InFlight {
		seen.from = &made{content: w.From.Content, kind: w.From.view(), at: w.From.At}
		seen.proved = seen.proved || w.From.Late
		if w.From.Kind == Wrote {
			seen.after = w.From.At
		}
	}
	a.memory = a.memory || !w.Redirected
	a.add(seen)
	a.prove()
	v.limit(a)
}

// Removed notes that the caller has removed the registry.
func (v *Views) Removed(c Caller) {
	at := v.cfg.Next()
	a := v.of(c)
	a.add(&view{kind: removed, first: at, last: at, lastAt: v.cfg.Now()})
	v.limit(a)
}

// of returns the caller's views.
func (v *Views) of(c Caller) *actorViews {
	key := c.author()
	v.touch(key)
	a := v.actors[key]
	if a == nil {
		if len(v.actors) >= max(v.nextPrune, 32) {
			v.Prune()
			v.nextPrune = len(v.actors) + min(len(v.actors), 256)
		}
		v.buryDead()
		a = &actorViews{caller: c, arrived: v.cfg.Next()}
		v.actors[key] = a
		v.living = append(v.living, a)
		v.noteAncestors(a)
	}
	return a
}

// buryDead finds the processes that have ended before another one arrives: those
// two have not run at the same time.
func (v *Views) buryDead() {
	v.living = slices.DeleteFunc(v.living, v.isDead)
}

// isDead reports whether an actor has ended.
func (v *Views) isDead(a *actorViews) bool {
	if a.dead == 0 && a.caller.Known() && !v.cfg.Alive(a.caller.Actor) {
		a.dead = v.cfg.Next()
		v.touch(a.caller.author())
	}
	return a.dead != 0
}

func (v *Views) limit(a *actorViews) {
	if len(a.views) > maxViews || len(a.views)%16 == 0 {
		a.prune(v.cutoff())
	}
	if c := a.newest().content; c != nil {
		v.bytes += int64(len(c.Bytes))
	}
	if v.bytes > max(2*v.keptBytes, maxViewBytes) {
		v.Prune()
		v.dropOldest()
	}
}

// dropOldest bounds the memory of the contents that views hold: of those that
// are not the latest write or the newest reading of a process that lives, the
// oldest go, as far as it takes, and so does the content that any was made from. It is
// called each time when as much has come again as stayed.
func (v *Views) dropOldest() {
	h := holder{held: make(map[*Content]bool)}
	var stay, others []*view
	for _, a := range v.actors {
		write, reading := a.latest(forever, forever)
		lives := !v.isDead(a)
		for _, one := range a.views {
			if lives && (one == write || one == reading || one == a.firstReading()) {
				h.hold(one.content, true)
				stay = append(stay, one)
			} else {
				others = append(others, one)
			}
		}
	}
	newestFirst := func(a, b *view) int { return cmp.Compare(b.last, a.last) }
	slices.SortFunc(stay, newestFirst)
	slices.SortFunc(others, newestFirst)
	for _, one := range stay {
		h.holdOrigin(one)
	}
	drop := make(map[*view]bool)
	for _, one := range others {
		if !h.hold(one.content, false) {
			drop[one] = true
			continue
		}
		h.holdOrigin(one)
	}
	for key, a := range v.actors {
		a.views = slices.DeleteFunc(a.views, func(one *view) bool { return drop[one] })
		v.touch(key)
	}
	v.forgetEmpty()
	v.bytes, v.keptBytes = h.size, h.size
}

// holder adds up contents as far as maxViewBytes goes.
type holder struct {
	held map[*Content]bool
	size int64
}

func (h *holder) hold(c *Content, anyway bool) bool {
	if c == nil {
		return true
	}
	if !h.held[c] && (anyway || h.size+int64(len(c.Bytes)) <= maxViewBytes) {
		h.held[c] = true
		h.size += int64(len(c.Bytes))
	}
	return h.held[c]
}

func (h *holder) holdOrigin(v *view) {
	if v.from != nil && !h.hold(v.from.content, false) {
		v.from = nil
	}
}

// cutoff is a time. A view that was last live before it can't become a base any
// more: every write that began then has ended, or is older than the kin window.
func (v *Views) cutoff() time.Time {
	return v.cfg.Now().Add(-v.cfg.KinWindow - v.cfg.ReadWindow)
}

// Prune forgets the actors that are dead and whose views are too old to
// serve their kin, or too many. It is called each time when as many actors have come
// as stayed, or 256 of them, so that its cost is constant for each actor.
func (v *Views) Prune() {
	cutoff := v.cutoff()
	var dead []*actorViews
	for key, a := range v.actors {
		n := len(a.views)
		switch {
		case !v.isDead(a) && a.caller.Known():
			a.prune(cutoff)
		case a.newest().lastAt.Before(cutoff):
			a.views = nil
		default:
			a.prune(cutoff)
			dead = append(dead, a)
		}
		if len(a.views) != n {
			v.touch(key)
		}
	}
	thinOut(dead)
	v.forgetEmpty()
	v.absences.prune(v.cfg.Now().Add(-v.cfg.ReadWindow), v.cfg.Alive, v.touch)
}

// Empty reports whether nothing is known that could still become a merge base; with
// content only, whether no content is.
func (v *Views) Empty(contentOnly bool) bool {
	v.Prune()
	return len(v.actors) == 0 && (contentOnly || v.absences.empty())
}

// Bytes returns how much memory the contents take that views hold.
func (v *Views) Bytes() int64 {
	held := make(map[*Content]bool)
	var size int64
	for _, a := range v.actors {
		for _, one := range a.views {
			if one.content != nil && !held[one.content] {
				held[one.content] = true
				size += int64(len(one.content.Bytes))
			}
		}
	}
	return size
}

// Knows reports whether the process has views of its own.
func (v *Views) Knows(c Caller) bool { return v.actors[c.author()] != nil }

// HasWritten reports whether content is the process's last write.
func (v *Views) HasWritten(c Caller, content *Content) bool {
	a := v.actors[c.author()]
	if a == nil {
		return false
	}
	last, _ := a.latest(forever, 0)
	return last != nil && last.content.Digest == content.Digest
}

// HasRead reports whether content of a digest is among the process's readings.
func (v *Views) HasRead(c Caller, digest [32]byte) bool {
	a := v.actors[c.author()]
	return a != nil && slices.ContainsFunc(a.views, func(one *view) bool {
		return one.kind == read && one.content.Digest == digest
	})
}

// noteAncestors makes an actor that has come known as a descendant.
func (v *Views) noteAncestors(a *actorViews) {
	for _, ancestor := range a.caller.Ancestors {
		if ancestor.Known() {
			v.descendants[ancestor] = append(v.descendants[ancestor], a)
		}
	}
}

// forgetEmpty forgets the actors that have no views any more.
func (v *Views) forgetEmpty() {
	isEmpty := func(a *actorViews) bool { return len(a.views) == 0 }
	maps.DeleteFunc(v.actors, func(key Actor, a *actorViews) bool {
		if isEmpty(a) {
			v.touch(key)
		}
		return isEmpty(a)
	})
	v.living = slices.DeleteFunc(v.living, isEmpty)
	for ancestor, known := range v.descendants {
		if v.descendants[ancestor] = slices.DeleteFunc(known, isEmpty); len(v.descendants[ancestor]) == 0 {
			delete(v.descendants, ancestor)
		}
	}
}
