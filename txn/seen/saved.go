package seen

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"
)

// SavedActor has the views that one process has of one registry, in the form in
// which they outlive the store. Contents are named by their digests.
type SavedActor struct {
	Actor     Actor       `json:"actor"`
	Program   string      `json:"program"`
	UID       uint32      `json:"uid"`
	Ancestors []Actor     `json:"ancestors,omitempty"`
	Memory    *bool       `json:"memory,omitempty"` // nil: not known, since an older build has saved it
	Wrote     bool        `json:"wrote,omitempty"`
	Views     []SavedView `json:"views,omitempty"`
	Looks     []SavedLook `json:"looks,omitempty"`
	UsedAt    []Tick      `json:"usedAt,omitempty"`  // when writes have used up views of nothing
	Used      int         `json:"used,omitempty"`    // for, and of, an older build: how many they have since it was told otherwise
	Arrived   Tick        `json:"arrived,omitempty"` // its first view; 0: an older build has saved it
	Dead      Tick        `json:"dead,omitempty"`    // when it was found to have ended; 0: it lived
	Missed    []int       `json:"missed,omitempty"`  // of an older build: the threads that were told that there is no registry
}

// SavedLook is one answer to the question whether the registry is there.
type SavedLook struct {
	At     Tick `json:"at"`
	Thread int  `json:"thread,omitempty"`
	Found  bool `json:"found,omitempty"`
}

// SavedView is one view, in the order in which they were made.
type SavedView struct {
	Digest string    `json:"digest,omitempty"` // in hexadecimal; empty: nothing was there
	Write  bool      `json:"write,omitempty"`
	Merged bool      `json:"merged,omitempty"` // of a write: the head held something else then
	Proved bool      `json:"proved,omitempty"` // another task of the process was at work at the same time
	Unused int       `json:"unused,omitempty"` // readings that no write has used up
	At     time.Time `json:"at"`

	// Its place in the order of events; 0 in a record of an older build.
	Pinned Tick `json:"pinned,omitempty"`
	Shown  Tick `json:"shown,omitempty"`
	First  Tick `json:"first,omitempty"`
	Last   Tick `json:"last,omitempty"`
	After  Tick `json:"after,omitempty"` // of a write: when the one came about that it was made from
}

// SavedOrder is when a registry's head was changed and by whom, and since when the
// registry exists, as far as that matters to the views of it.
type SavedOrder struct {
	Began   Tick          `json:"began,omitempty"`
	Ended   Tick          `json:"ended,omitempty"`
	Lost    Tick          `json:"lost,omitempty"` // others have changed it up to here
	Changes []SavedChange `json:"changes,omitempty"`
}

// SavedChange is one change of the head.
type SavedChange struct {
	At Tick    `json:"at"`
	By *Caller `json:"by,omitempty"` // nil: nobody knows
}

// maxSavedChanges bounds the changes that are saved of one registry.
const maxSavedChanges = 128

// Order returns the order as a SavedOrder.
func (v *Views) Order() *SavedOrder {
	o := &SavedOrder{Began: v.absences.began, Ended: v.absences.ended, Lost: v.changes.lost}
	marks := v.changes.marks
	if n := len(marks) - maxSavedChanges; n > 0 {
		o.Lost, marks = marks[n-1].at, marks[n:]
	}
	for _, m := range marks {
		o.Changes = append(o.Changes, SavedChange{m.at, m.by})
	}
	return o
}

// RestoreOrder takes over the order that the store before had of a registry that has
// just been loaded; nil is that of an older build, which did not save it.
func (v *Views) RestoreOrder(o *SavedOrder) {
	v.touchOrder()
	if o == nil {
		v.changes.lost = v.cfg.Next()
		return
	}
	var marks []change
	for _, c := range o.Changes {
		marks = append(marks, change{c.At, c.By})
	}
	v.changes.marks, v.changes.lost = append(marks, v.changes.marks...), max(v.changes.lost, o.Lost)
	v.absences.ended = o.Ended
	switch exists := v.absences.began != forever; {
	case exists && o.Began == forever:
		v.absences.began = v.cfg.Next()
	case exists:
		v.absences.began = o.Began
	}
}

// Forget has contents be saved no more, by their digests: the versions that held them are
// gone for good. With all that is every content that somebody has seen.
func (v *Views) Forget(digests [][32]byte, all bool) {
	if len(digests) == 0 && !all {
		return
	}
	v.touchOrder()
	if v.unsaved == nil {
		v.unsaved = make(map[[32]byte]bool)
	}
	for _, d := range digests {
		v.unsaved[d] = true
	}
	for _, a := range v.actors {
		for _, one := range a.views {
			if all && one.content != nil {
				v.unsaved[one.content.Digest] = true
			}
		}
	}
}

// Save returns the views of the processes that live, with the answers in missed, which
// are about more than the registry. It calls hold with each content that these name.
// Forgotten contents are left out, except the head's, which may be nil.
func (v *Views) Save(head *Content, hold func(*Content), missed []Absence) []SavedActor {
	var out []SavedActor
	v.absences.missedWider(&Origin{Missed: missed}, func(m *Absence) bool {
		if !m.Listed && v.absences.looks[m.By.author()] == nil {
			v.Missed(m.By, 0, m.At)
		}
		return false
	})
	for _, a := range v.worthSaving() {
		key, memory := a.caller.author(), a.memory
		s := SavedActor{
			Actor: key, Program: a.caller.Program, UID: a.caller.UID, Ancestors: a.caller.Ancestors,
			Memory: &memory, Wrote: a.wrote, Looks: v.absences.save(key), UsedAt: v.absences.usedAt(key), Used: v.absences.used(key), Arrived: a.arrived, Dead: a.dead,
		}
		write, newest := a.latest(forever, forever)
		now := v.cfg.Now()
		for _, one := range a.views {
			if c := one.content; c != nil && v.unsaved[c.Digest] && (head == nil || c.Digest != head.Digest) {
				continue
			}
			if one.kind == removed || one == write || one == newest || one == a.firstReading() || one.isFresh(forever-1, now, v.cfg.ReadWindow) {
				s.Views = append(s.Views, savedView(one, hold))
			}
		}
		out = append(out, s)
	}
	for key, l := range v.absences.looks {
		if v.actors[key] == nil && (key.PID == untold || v.cfg.Alive(key)) {
			out = append(out, SavedActor{
				Actor: key, Program: l.caller.Program, UID: l.caller.UID, Ancestors: l.caller.Ancestors,
				Looks: v.absences.save(key), UsedAt: v.absences.usedAt(key), Used: v.absences.used(key),
			})
		}
	}
	return out
}

// maxSavedDead is how many of the dead are saved of one registry, the latest ones: each command
// of a script goes on from the content of the one before.
const maxSavedDead = 64

// worthSaving returns the processes that live, and the latest of those that have ended
// within the kin window.
func (v *Views) worthSaving() []*actorViews {
	var out, dead []*actorViews
	since := v.cfg.Now().Add(-v.cfg.KinWindow)
	for _, a := range v.actors {
		switch {
		case !v.isDead(a):
			out = append(out, a)
		case !a.newest().lastAt.Before(since):
			dead = append(dead, a)
		}
	}
	slices.SortFunc(dead, func(a, b *actorViews) int { return cmp.Compare(b.newest().last, a.newest().last) })
	return append(out, dead[:min(len(dead), maxSavedDead)]...)
}

func savedView(one *view, hold func(*Content)) SavedView {
	s := SavedView{
		Write: one.kind == wrote, Merged: one.merged, Proved: one.proved, Unused: one.unused, At: one.lastAt,
		Pinned: one.pinned, Shown: one.shown, First: one.first, Last: one.last, After: one.after,
	}
	if one.content != nil {
		hold(one.content)
		s.Digest = hex.EncodeToString(one.content.Digest[:])
	}
	return s
}

// Matters reports whether the views of a process still serve somebody: it lives, or had
// ended when it was saved and has seen something within the kin window.
func (s *SavedActor) Matters(c *Config) bool {
	if s.Dead == 0 {
		return s.Actor.PID == untold || c.Alive(s.Actor)
	}
	since := c.Now().Add(-c.KinWindow)
	return slices.ContainsFunc(s.Views, func(one SavedView) bool { return !one.At.Before(since) })
}

// Restore takes over the views that a process had under the store before, if it still
// lives or had ended a moment ago. content returns the content of a digest, nil if it is
// not there.
func (v *Views) Restore(s SavedActor, content func(digest string) *Content) {
	if !s.Matters(v.cfg) {
		return
	}
	c := Caller{Actor: s.Actor, Program: s.Program, UID: s.UID, Ancestors: s.Ancestors}
	if s.Actor.PID == untold {
		c.Actor = Actor{}
	}
	for _, saved := range s.Views {
		one := &view{kind: read, by: c.author(), unused: saved.Unused, proved: saved.Proved, merged: saved.Merged, lastAt: saved.At}
		switch {
		case saved.Digest == "":
			one.kind = removed
		default:
			if one.content = content(saved.Digest); one.content == nil {
				continue
			}
			v.bytes += int64(len(one.content.Bytes))
			if saved.Write {
				one.kind = wrote
			}
		}
		one.pinned, one.first, one.last, one.after = saved.Pinned, saved.First, saved.Last, saved.After
		if one.first == 0 {
			one.first = v.cfg.Next()
			one.last, one.pinned = one.first, one.first
		}
		one.shown = cmp.Or(saved.Shown, one.last) // older stores have not saved it
		v.of(c).views = append(v.of(c).views, one)
	}
	if a := v.actors[c.author()]; a != nil {
		a.memory = a.memory || s.Memory == nil || *s.Memory
		a.wrote = a.wrote || s.Wrote
		a.dead = s.Dead
		if s.Arrived != 0 {
			a.arrived = s.Arrived
		}
	}
	for _, thread := range s.Missed {
		v.Missed(c, thread, v.cfg.Next())
	}
	for _, l := range s.Looks {
		v.look(c, look{at: l.At, thread: l.Thread, found: l.Found})
	}
	if of := v.absences.looks[c.author()]; of != nil {
		of.used = s.UsedAt[max(0, len(s.UsedAt)-maxLooks):]
		for range min(s.Used-len(of.used), maxLooks) {
			of.uses(v.cfg.Next())
		}
	}
}
