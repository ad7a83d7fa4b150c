package seen

import (
	"strings"
	"testing"
	"time"
)

// The check of a table at the end of each test is worth nothing unless it can fail.
func TestContradictionsAreNoticed(t *testing.T) {
	reader, writer := Caller{Actor: Actor{PID: 1, Start: 1}}, Caller{Actor: Actor{PID: 2, Start: 2}, Ancestors: []Actor{{PID: 3, Start: 3}}}
	tests := map[string]func(v *Views, a *actorViews){
		"is in the table as":                func(v *Views, a *actorViews) { a.caller.PID = 7 },
		"neither dead nor living":           func(v *Views, _ *actorViews) { v.living = nil },
		"found by ancestors only":           func(v *Views, _ *actorViews) { delete(v.actors, writer.Actor) },
		"bytes, 1 are counted":              func(v *Views, _ *actorViews) { v.bytes = 1 },
		"are allowed":                       func(v *Views, _ *actorViews) { v.bytes = maxViewBytes + 1 },
		"changes are remembered":            func(v *Views, _ *actorViews) { v.changes.marks = make([]change, maxChanges+1) },
		"changes are not in order":          func(v *Views, _ *actorViews) { v.changes.lost = forever },
		"answers of one process":            func(v *Views, _ *actorViews) { v.absences.looks[Actor{}] = &looks{answers: make([]look, maxLooks+1)} },
		"processes were told of nothing":    func(v *Views, _ *actorViews) { v.fillLooks() },
		"it has 0 views":                    func(_ *Views, a *actorViews) { a.views = nil },
		"and now is":                        func(_ *Views, a *actorViews) { a.views[0].last = forever },
		"it ended at":                       func(_ *Views, a *actorViews) { a.dead = forever },
		"is older than the one before":      func(_ *Views, a *actorViews) { a.views[1].first, a.views[1].pinned = 1, 0 },
		"readings that were not used up":    func(_ *Views, a *actorViews) { a.views[1].unused = 1 },
		"has content: false":                func(_ *Views, a *actorViews) { a.views[0].content = nil },
		"the content of view 0 has changed": func(_ *Views, a *actorViews) { a.views[0].content.Bytes[0]++ },
	}
	for want, contradict := range tests {
		t.Run(want, func(t *testing.T) {
			var now Tick
			v := New(&Config{Now: time.Now, Next: func() Tick { now++; return now }, Alive: func(Actor) bool { return true }})
			v.Missed(reader, 1, v.cfg.Next())
			v.Read(reader, NewContent([]byte("[1]")), v.cfg.Next(), nil)
			v.Wrote(reader, Write{Content: NewContent([]byte("[2]"))})
			v.Wrote(writer, Write{Content: NewContent([]byte("[3]"))})
			v.Changed(writer)
			if err := v.CheckInvariants(); err != nil {
				t.Fatalf("before: %v", err)
			}
			contradict(v, v.actors[reader.Actor])
			if err := v.CheckInvariants(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func (v *Views) fillLooks() {
	for i := range maxLookers {
		v.absences.looks[Actor{PID: 100 + i}] = &looks{}
	}
}
