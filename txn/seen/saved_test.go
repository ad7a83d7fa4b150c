package seen

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// restarted is a history whose table another store has saved, and this one restored.
func (h *history) restarted() *history {
	h.t.Helper()
	contents := map[string]*Content{}
	actors := h.v.Save(nil, func(c *Content) { contents[hex.EncodeToString(c.Digest[:])] = c }, h.missed)
	cfg := *h.v.cfg
	after := &history{t: h.t, v: New(&cfg), tick: h.tick, now: h.now, dead: h.dead, text: h.text, handles: h.handles}
	cfg.Next = func() Tick { after.tick++; return after.tick }
	if h.v.absences.began == forever {
		after.v.Vanished()
	} else {
		after.v.Existed()
	}
	after.v.RestoreOrder(h.v.Order())
	for _, a := range actors {
		after.v.Restore(a, func(digest string) *Content { return contents[digest] })
	}
	return after
}

// The views of living processes are the same after a restart.
func TestWhatAWriterHasSeenOutlivesARestart(t *testing.T) {
	for _, row := range []struct{ steps, writer string }{
		{"a reads A", "a"},
		{"a reads A; x writes B; a reads B", "a"},
		{"a reads A; x writes B; wait 40; a reads B; x writes C; a reads C", "a"},
		{"a reads A; a writes B", "a"},
		{"a reads A; a writes B; x writes C; a reads C", "a"},
		{"a reads A; a merges B", "a"},
		{"a redirects A; x writes B", "a"},
		{"a reads A; x writes B; b reads B", "c"},
		{"a asks 1", "a"},
		{"a asks 1; x writes A", "a"},
		{"a asks 1; x writes A; a reads A", "a"},
		{"a asks 1; a asks 2; x writes A; a writes B", "a"},
		{"a asks 1; x writes A; a finds 1", "a"},
		{"nobody reads A; x writes B", "nobody"},
		{"nobody asks 1; x writes B", "nobody"},
		{"a reads A; x writes B; a reads B; wait 40", "a"},
		{"a writes Z; x writes A; a reads A; x writes B; a reads B; wait 40", "a"},
		{"a writes Z; x writes A; a reads A; wait 40", "a"},
		{"a reads A; wait 70", "a"},
		{"none a lists; x writes A", "b"},
		{"none a misses; a asks 1; x writes A; a finds 1", "a"},
		{"a reads A; a removes -", "a"},
		{"a reads A; a removes -; x writes B", "a"},
		{"a reads A; a dies; b removes -; b dies", "c"},
		{"a writes A; a removes -; x writes B; a reads B", "a"},
		{"f writes B; f reads C; a reads D", "f"},
		{"a redirects A", "f"},
		{"b opens 1; a writes B; b reads A by 1", "c"},
		{"b redirects B; x writes C; a reads C", "c"},
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes C from A", "a"},
		{"a reads A; a dies; b reads A; b writes B; b dies", "c"},
		{"a reads A; b reads A; a dies; b writes B; b dies", "c"},
		{"b reads A; b dies; a reads A; a writes B; a dies", "c"},
		{"none a asks 1; a asks 2; a asks 3; a writes A from nothing; a writes B from nothing", "a"},
		{"none a asks 1; a asks 2; a writes A from nothing; a writes B from nothing", "a"},
		{"none a asks 1; x writes A; x removes -; x writes B; a reads B", "a"},
		{"some a reads A; x removes -; x writes B; a asks 1; a writes C", "a"},
		{"some a reads A; x removes -; x writes B", "a"},
		{"some a asks 1; a writes A from nothing; a reads A; x removes -; a asks 2; a asks 3; a writes B from nothing", "a"},
		{"some a asks 1; a writes A from nothing; a reads A; x removes -; a asks 2; a writes B from nothing; a asks 3", "a"},
		{"none a misses; x writes A", "a"},
		{"none a misses; x writes A", "b"},
		{"none a asks 1; x writes A; a finds 1; a misses; x removes -; a finds 1", "a"},
		{"found; x writes A; a reads A", "a"},
		{"nobody reads A; nobody redirects B; wait 20", "nobody"},
	} {
		h := newHistory(t)
		h.tell(row.steps)
		want := h.of(row.writer)
		after := h.restarted()
		if err := after.v.CheckInvariants(); err != nil {
			t.Errorf("%s: %v", row.steps, err)
		}
		nobody := process("nobody")
		if a := after.v.actors[nobody.author()]; a != nil && after.v.isDead(a) {
			t.Errorf("%s: callers that can't be told are dead", row.steps)
		}
		if got := after.of(row.writer); got != want {
			t.Errorf("%s: %s has seen %q, and then %q", row.steps, row.writer, want, got)
		}
	}

	// The dead of the last minute are saved, those that have only asked are not.
	h := newHistory(t)
	h.v.Existed()
	for _, step := range []string{"a reads A", "b reads A", "b asks 1", "c asks 1", "a dies", "c dies"} {
		h.do(step)
	}
	var saved []int
	for _, a := range h.v.Save(nil, func(*Content) {}, nil) {
		saved = append(saved, a.Actor.PID)
	}
	slices.Sort(saved)
	if !slices.Equal(saved, []int{process("a").PID, process("b").PID}) {
		t.Errorf("saved are %v", saved)
	}
	// Changes are saved as far as there is room; of those before it is only known that there were some.
	for range maxSavedChanges {
		h.do("x writes B")
		h.do("y writes C")
	}
	if o := h.v.Order(); len(o.Changes) != maxSavedChanges || o.Lost == 0 || o.Lost >= o.Changes[0].At {
		t.Errorf("%d changes are saved, lost up to %d, the first at %d", len(o.Changes), o.Lost, o.Changes[0].At)
	}
}

// A view that an older build has saved has no place in the order of events: it counts as just
// seen, and the writers of the head since are unknown. Its processes have a memory, as they
// were not told apart then.
func TestViewsOfAnOlderBuild(t *testing.T) {
	h := newHistory(t)
	h.v.Existed()
	a, b := process("a"), process("b")
	contents := map[string]*Content{"0a": h.content("A"), "0b": h.content("B")}
	byDigest := func(digest string) *Content { return contents[digest] }
	h.v.RestoreOrder(nil)
	restored := h.tick
	h.v.Restore(SavedActor{Actor: a.Actor, Ancestors: a.Ancestors, Views: []SavedView{
		{Digest: "0a", Unused: 1, At: h.now}, {Digest: "gone", Unused: 1, At: h.now}, {Digest: "0b", Write: true, At: h.now}, {At: h.now},
	}}, byDigest)
	h.v.Restore(SavedActor{Actor: b.Actor, Missed: []int{1, 2}}, byDigest)
	h.dead[process("x").Actor] = true
	h.v.Restore(SavedActor{Actor: process("x").Actor, Views: []SavedView{{Digest: "0a", Unused: 1, At: h.now}}}, byDigest)
	if err := h.v.CheckInvariants(); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(h.contentsOf(a), h.contentsOf(process("x"))); got != "[A B nothing] []" {
		t.Errorf("restored are %s", got)
	}
	for i, one := range h.v.actors[a.Actor].views {
		if one.first <= restored || one.last != one.first || one.pinned != one.first {
			t.Errorf("view %d is at %d to %d, pinned at %d", i, one.first, one.last, one.pinned)
		}
	}
	if got, want := h.of("a"), "wrote B, alone, memory, last B, removed"; got != want {
		t.Errorf("it has seen %q, want %q", got, want)
	}
	if !h.v.changes.byOthers(restored-1, func(*Caller) bool { return true }) {
		t.Error("it is known who has changed the head before")
	}
	if got, want := h.of("b"), "saw nothing, wrote B, family of 1"; !strings.HasPrefix(got, "saw nothing") {
		t.Errorf("it has seen %q, want %q", got, want)
	}
	if n := h.v.absences.nothingSeen(&Origin{Caller: b, Event: h.tick}, forever); n.threads != 2 {
		t.Errorf("%d threads were told of nothing", n.threads)
	}
}

// A process that has seen something of a registry that is there when it is restored goes on
// with that: the saved views are added.
func TestRestoredViewsAreAdded(t *testing.T) {
	for _, row := range []struct {
		before string
		saved  SavedActor
		memory bool
		wrote  bool
	}{
		{"a reads A", SavedActor{Memory: new(bool)}, true, false},
		{"a redirects A", SavedActor{Memory: new(bool)}, false, true},
		{"a redirects A", SavedActor{}, true, true},
		{"a reads A", SavedActor{Wrote: true}, true, true},
		{"a removes A", SavedActor{Memory: new(bool)}, false, false},
	} {
		h := newHistory(t)
		h.tell(row.before)
		row.saved.Actor = process("a").Actor
		h.v.Restore(row.saved, nil)
		if a := h.v.actors[row.saved.Actor]; a.memory != row.memory || a.wrote != row.wrote {
			t.Errorf("%s, and then %+v: it has a memory: %t, it has written: %t", row.before, row.saved, a.memory, a.wrote)
		}
	}
}

// Of a registry that was removed, or came, while nobody looked it is only known that it did
// so since.
func TestRestoredExistence(t *testing.T) {
	for _, row := range []struct {
		before, now bool // it is there
	}{{true, true}, {true, false}, {false, true}, {false, false}} {
		h := newHistory(t)
		order := &SavedOrder{Began: 7, Ended: 5, Lost: 3}
		if !row.before {
			order.Began = forever
		}
		h.tick = 20
		if row.now {
			h.v.Existed()
		} else {
			h.v.Vanished()
		}
		h.v.RestoreOrder(order)
		want := absences{began: forever, ended: 5}
		switch {
		case row.now && row.before:
			want.began = 7
		case row.now:
			want.began = 21
		}
		if got := h.v.absences; got.began != want.began || got.ended != want.ended {
			t.Errorf("there before: %t, now: %t: it exists since %d, did not since %d; want %d, %d", row.before, row.now, got.began, got.ended, want.began, want.ended)
		}
	}
}

// Of the dead the latest are saved, up to a number.
func TestTheLatestOfTheDeadAreSaved(t *testing.T) {
	h := newHistory(t)
	h.v.Existed()
	const all = maxSavedDead + 5
	for n := range all {
		c := Caller{Actor: Actor{PID: 1000 + n, Start: 1}}
		h.v.Read(c, h.content("A"), h.tick, nil)
		h.dead[c.Actor] = true
	}
	saved := map[int]bool{}
	for _, a := range h.v.Save(nil, func(*Content) {}, nil) {
		saved[a.Actor.PID-1000] = true
	}
	for n := range all {
		if saved[n] != (n >= all-maxSavedDead) {
			t.Errorf("%d of %d is saved: %t", n, all, saved[n])
		}
	}
}

// Content that was forgotten is saved no more, unless the head holds it. Content that
// is seen later is saved.
func TestForgottenContentsAreNotSaved(t *testing.T) {
	digest := func(h *history, text string) [32]byte { return h.content(text).Digest }
	for _, row := range []struct {
		name   string
		forget func(h *history)
		head   string
		want   string
	}{
		{"nothing", func(h *history) {}, "", "A B"},
		{"one", func(h *history) { h.v.Forget([][32]byte{digest(h, "A")}, false) }, "", "B"},
		{"one that the head holds", func(h *history) { h.v.Forget([][32]byte{digest(h, "A")}, false) }, "A", "A B"},
		{"one, and the head holds another", func(h *history) { h.v.Forget([][32]byte{digest(h, "A")}, false) }, "B", "B"},
		{"two in turn", func(h *history) {
			h.v.Forget([][32]byte{digest(h, "A")}, false)
			h.v.Forget([][32]byte{digest(h, "B")}, false)
		}, "", ""},
		{"all", func(h *history) { h.v.Forget(nil, true) }, "", ""},
		{"all but the head", func(h *history) { h.v.Forget(nil, true) }, "B", "B"},
		{"all, and another was read since", func(h *history) { h.v.Forget(nil, true); h.do("b reads C") }, "", "C"},
	} {
		h := newHistory(t)
		h.tell("some a reads A; x writes B; a reads B; b removes -")
		row.forget(h)
		var head *Content
		if row.head != "" {
			head = NewContent([]byte(row.head)) // read from the file: another one with the same digest
		}
		saved := map[string]bool{}
		h.v.Save(head, func(c *Content) { saved[h.text[c]] = true }, nil)
		if got := strings.Join(slices.Sorted(maps.Keys(saved)), " "); got != row.want {
			t.Errorf("%s is forgotten: saved are %q, want %q", row.name, got, row.want)
		}
	}
}
