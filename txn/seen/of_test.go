package seen

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// history is a table of views, and processes by name: sh has the children a, b and c;
// d is a's child, and f its fork; x and y are strangers; nobody can't be told.
type history struct {
	t    *testing.T
	v    *Views
	tick Tick
	now  time.Time
	dead map[Actor]bool
	text map[*Content]string
}

func newHistory(t *testing.T) *history {
	h := &history{t: t, now: time.Unix(1_800_000_000, 0), dead: map[Actor]bool{}, text: map[*Content]string{nil: "nothing"}}
	h.v = New(&Config{
		ReadWindow: 30 * time.Second, KinWindow: time.Minute,
		Now: func() time.Time { return h.now }, Next: func() Tick { h.tick++; return h.tick }, Alive: func(a Actor) bool { return !h.dead[a] },
	})
	return h
}

func process(name string) Caller {
	if name == "nobody" {
		return Caller{UID: 1000}
	}
	names := []string{"sh", "a", "b", "c", "d", "x", "y", "f"}
	actor := func(name string) Actor {
		n := slices.Index(names, name) + 1
		return Actor{PID: n, Start: uint64(n)}
	}
	c := Caller{Actor: actor(name), Program: name}
	switch name {
	case "a", "b", "c":
		c.Ancestors = []Actor{actor("sh")}
	case "f":
		c.Ancestors, c.Forked = []Actor{actor("a"), actor("sh")}, true
	case "d":
		c.Ancestors = []Actor{actor("a"), actor("sh")}
	}
	return c
}

// do makes one step: PROCESS reads, writes, merges (a write that is merged with
// others), redirects (a write by a shell's redirection) or removes CONTENT, asks (and is told
// of nothing) or finds it by THREAD, or dies; wait SECONDS; began, after all of them.
func (h *history) do(step string) {
	words := strings.Fields(step)
	if words[0] == "wait" {
		var seconds int
		fmt.Sscan(words[1], &seconds)
		h.now = h.now.Add(time.Duration(seconds) * time.Second)
		return
	}
	if words[0] == "began" {
		h.v.cfg.Began = 100
		return
	}
	c := process(words[0])
	thread := func() int { return int(words[2][0]) }
	content := func() *Content {
		for known, text := range h.text {
			if text == words[2] {
				return known
			}
		}
		made := NewContent([]byte(words[2]))
		h.text[made] = words[2]
		return made
	}
	begun := h.v.cfg.Next()
	switch words[1] {
	case "reads":
		h.v.Read(c, content(), begun, NewReading(begun))
	case "writes", "merges", "redirects":
		h.v.Changed(c)
		if h.v.absences.began == forever {
			h.v.Appeared()
		}
		h.v.Wrote(c, Write{Content: content(), Begun: begun, Merged: words[1] == "merges", Redirected: words[1] == "redirects"})
	case "removes":
		h.v.Changed(c)
		h.v.Vanished()
		h.v.Removed(c)
	case "asks":
		h.v.Missed(c, thread(), begun)
	case "finds":
		h.v.Found(c, thread())
	case "dies":
		h.dead[c.Actor] = true
	default:
		h.t.Fatal(step)
	}
}

// of tells what a writer has seen.
func (h *history) of(writer string) string {
	name, redirected := strings.CutSuffix(writer, ">")
	s := h.v.Of(Origin{Caller: process(name), Event: h.tick, At: h.now, Redirected: redirected})
	var out []string
	for _, c := range s.Candidates {
		kind := map[Kind]string{Read: "read", Wrote: "wrote", Nothing: "saw", InFlight: "writes"}[c.Kind]
		if c.Late {
			kind = "late " + kind
		} else if c.Task {
			kind = "task " + kind
		}
		out = append(out, kind+" "+h.text[c.Content])
	}
	slices.Sort(out)
	flag := func(is bool, text string) {
		if is {
			out = append(out, text)
		}
	}
	flag(s.Alone, "alone")
	flag(s.Memory, "memory")
	flag(s.Last != nil, "last "+h.text[s.Last])
	flag(s.ReadSince, "read since")
	flag(s.Removed, "removed")
	flag(len(s.Before) > 0, "older")
	flag(s.Family != Actor{}, fmt.Sprint("family of ", s.Family.PID))
	return strings.Join(out, ", ")
}

// What a writer has seen, after what several processes have done.
func TestWhatAWriterHasSeen(t *testing.T) {
	for _, row := range []struct{ steps, writer, want string }{
		{"a reads A", "a", "read A, alone, memory"},
		{"a reads A; x writes B", "a", "read A, memory"},
		{"a reads A; x writes B; a reads B", "a", "read A, read B, memory"},
		{"a reads A; x writes B; wait 40; a reads B; x writes C; a reads C", "a", "read A, read B, read C, memory"},
		{"a reads A; a writes B", "a", "wrote B, alone, memory, last B"},
		{"a reads A; a writes B; x writes C", "a", "wrote B, memory, last B"},
		{"a reads A; a writes B; x writes C; a reads C", "a", "read C, wrote B, memory, last B, read since"},
		{"a reads A; a merges B", "a", "wrote B, memory, last B"},
		{"a reads A; a writes B; a removes -", "a", "wrote B, alone, memory, last B, removed"},
		{"a reads A; a removes -; x writes B", "a", "read A, memory, removed"},
		{"a redirects A", "a", "wrote A, alone, last A, family of 2"},
		{"a redirects A; x writes B", "a", "wrote A, last A, family of 2"},
		{"x reads A", "b", "family of 3"},
		{"a reads A; a dies", "b", "read A, alone, family of 1"},
		{"a reads A", "b", "read A, alone, family of 1"},
		{"a reads A; a dies; x writes B", "b", "read A, family of 1"},
		{"a reads A; wait 61", "b", "family of 3"},
		{"a reads A; x writes B; b reads B", "c", "read A, read B, family of 1"},
		{"a reads A; a dies; x writes B; b reads B", "c", "read A, read B, family of 1"},
		{"a reads A; x writes B; b reads B; a writes C", "c", "task read B, wrote C, last C, family of 1"},
		{"a reads A; a writes B; a dies", "c", "wrote B, alone, last B, family of 1"},
		{"a reads A; a writes B; a dies; b reads B", "c", "read B, alone, last B, read since, family of 1"},
		{"a reads A; a merges B; a dies", "c", "wrote B, last B, family of 1"},
		{"a reads A; a merges B; a dies; x writes C; b reads C; b dies", "c", "read C, last B, read since, family of 1"},
		{"sh reads A; x writes B; a reads B; a dies", "c", "read B, family of 1"},
		{"sh reads A", "d", "read A, alone, family of 1"},
		{"d reads A; d dies; x writes B; b reads B", "d", "read A, memory"},
		{"a asks 1", "a", "saw nothing, alone, family of 2"},
		{"a asks 1; x writes A", "a", "saw nothing, family of 2"},
		{"a asks 1; x writes A; a reads A", "a", "read A, saw nothing, memory"},
		{"a asks 1; x writes A; a reads A; wait 31", "a", "read A, alone, memory"},
		{"a asks 1; d writes A; a reads A", "a", "read A, alone, memory"},
		{"a asks 1; a dies; x writes A", "c", "saw nothing, family of 4"},
		{"a asks 1; x writes A; b reads A", "c", "read A, alone, family of 1"},
		{"a reads A; a dies; a removes -; b asks 1", "c", "saw nothing, alone, family of 1"},
		{"b reads A; b removes -; c asks 1; x writes B", "a", "saw nothing, family of 1"},
		{"x writes A; y reads A; y writes B", "x", "wrote A, memory, last A"},
		{"a reads A; b reads A; b writes B", "sh", "task read A, wrote B, last B, family of 1"},
		{"a reads A; a dies; x writes B; b reads B; b dies", "c", "read B, family of 1"},
		{"a writes A; x removes -; b asks 1", "c", "saw nothing, alone, family of 1"},
		{"x writes A; a reads A", "c", "read A, alone, family of 1"},
		{"a reads A; x writes B; a reads B", "c", "read A, read B, family of 1"},
		{"a reads A; x writes B; a reads B; a dies", "c", "read A, read B, family of 1"},
		{"b reads A; x writes B; a redirects B", "a", "wrote B, alone, last B, family of 2"},
		{"b reads A; a asks 1", "a", "read A, saw nothing, family of 1"},
		{"b reads A; b dies; x removes -; a asks 1; x writes B", "a", "read A, saw nothing, family of 1"},
		{"a redirects A; x writes B; a reads B", "a", "read B, wrote A, memory, last A, read since"},
		{"a writes A; a reads A; x writes B; a reads B", "a", "read A, read B, wrote A, memory, last A, read since"},
		{"a reads A; x writes B; a reads B; a writes C; x writes D; a reads D; a reads E", "a", "read D, read E, wrote C, memory, last C, read since"},
		{"a reads A; a redirects B; c reads B; x writes C", "b", "read B, last B, read since, family of 1"},
		{"a writes A; b writes B; a writes C", "c", "wrote C, alone, last C, family of 1"},
		{"a writes A; x writes B; b reads B; a writes C; b reads C", "c", "read C, task read B, last C, read since, family of 1"},
		{"a removes -; x writes A", "c", "saw nothing, family of 1"},
		{"a reads A; a removes -", "c", "saw nothing, alone, family of 1"},
		{"a reads A; x removes -; a asks 1; x writes B", "a", "read A, saw nothing, memory"},
		{"a asks 1; a redirects A; x writes B", "a", "wrote A, last A, family of 2"},
		{"a asks 1; a writes A; a removes -; x writes B", "a", "saw nothing, wrote A, memory, last A, removed"},
		{"a asks 1; a asks 1; x writes A; a redirects B", "a", "wrote B, alone, last B, family of 2"},
		{"a reads A", "f", "read A, alone, memory"},
		{"a reads A; x writes B; a reads B; f redirects C", "f", "wrote C, alone, last C, family of 8"},
		{"a reads A; a writes B; x writes C; f reads C", "f", "read C, wrote B, memory, last B, read since"},
		{"a writes B; a reads C; f reads C", "f", "read C, read C, wrote B, alone, memory, last B, read since"},
		{"a reads A; a writes B; f redirects C; x writes D", "f", "wrote C, last C, family of 8"},
		{"nobody reads A; x writes B; nobody reads B; nobody writes C", "nobody", "task read A, task read B, wrote C, memory, last C"},
		{"nobody reads A; nobody writes B; wait 31; nobody reads C", "nobody", "task read C, wrote B, memory, last B"},
		{"a asks 1; a asks 2; x writes A; a writes B", "a", "task saw nothing, wrote B, memory, last B"},
		{"a asks 1; a asks 1; a writes B; x writes C", "a", "task saw nothing, wrote B, memory, last B"},
		{"a asks 1; a finds 1; a asks 2; a writes B", "a", "task saw nothing, wrote B, memory, last B"},
		{"a asks 1; x writes A; a finds 1", "a", "family of 2"},
		{"a asks 1; x writes A; a finds 1; a asks 1", "a", "saw nothing, alone, family of 2"},
		{"a asks 1; x writes A; a reads A; a writes B", "a", "wrote B, alone, memory, last B"},
		{"a asks 1; a asks 2; a writes A; a reads A; a writes B; x writes C", "a", "wrote B, memory, last B"},
		{"a redirects A; a asks 1", "a", "saw nothing, alone, family of 2"},
		{"a redirects A; x writes B; a asks 1", "a", "saw nothing, alone, family of 2"},
		{"a reads A; a removes -; a reads B", "a", "read A, read B, alone, memory, removed"},
		{"a writes A; a removes -; x writes B; a reads B", "a", "read B, wrote A, memory, last A, read since, removed"},
		{"began; a writes A", "sh>", "wrote A, alone, last A, family of 1"},
		{"began; a writes A", "sh", "wrote A, older, family of 1"},
		{"began; a reads A", "sh>", "read A, older, family of 1"},
		{"began; x writes A", "a", "older, family of 2"},
		{"began; a reads A", "a", "read A, alone, memory"},
		{"began; b asks 1", "a", "saw nothing, alone, family of 2"},
		{"began; a asks 1", "a", "saw nothing, alone, family of 2"},
		{"b reads A; b dies; x writes B; a redirects B", "a", "wrote B, alone, last B, family of 2"},
		{"sh reads A; x writes B; a reads B", "sh", "read A, memory"},
		{"a reads A; sh redirects B; x writes C", "b", "wrote B, last B, family of 1"},
	} {
		h := newHistory(t)
		if strings.Contains(row.steps, "asks") && !strings.Contains(row.steps, "removes") {
			h.v.Vanished()
		} else {
			h.v.Existed()
		}
		for step := range strings.SplitSeq(row.steps, ";") {
			h.do(strings.TrimSpace(step))
		}
		if got := h.of(row.writer); got != row.want {
			t.Errorf("{%q, %q, %q},", row.steps, row.writer, got)
		}
		if err := h.v.CheckInvariants(); err != nil {
			t.Errorf("%s: %v", row.steps, err)
		}
	}
}

// Writers of one content have seen together what either has; alone they are only if both
// are.
func TestWritersOfOneContent(t *testing.T) {
	a, b := NewContent([]byte("A")), NewContent([]byte("B"))
	one := Seen{Candidates: []Candidate{{Content: a}}, Knowledge: Knowledge{Noted: 5, Alone: true, Memory: true}}
	two := Seen{Candidates: []Candidate{{Content: b}}, Knowledge: Knowledge{Noted: 3, Alone: true, Last: b, ReadSince: true, Removed: true}}
	for _, alone := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		one.Alone, two.Alone = alone[0], alone[1]
		both := one.And(two)
		if both.Alone != (alone[0] && alone[1]) {
			t.Errorf("alone %v: together %v", alone, both.Alone)
		}
		if len(both.Candidates) != 2 || both.Noted != 3 || !both.Memory || both.Last != b || !both.ReadSince || !both.Removed {
			t.Errorf("together %+v", both)
		}
	}
	if got := (Seen{}).And(one); len(got.Candidates) != 1 || got.Noted != 5 {
		t.Errorf("with nothing: %+v", got)
	}
	if got := one.And(Seen{}); len(got.Candidates) != 1 || got.Noted != 5 {
		t.Errorf("nothing with it: %+v", got)
	}
}

// restarted is a history whose table another store has saved, and this one restored.
func (h *history) restarted() *history {
	h.t.Helper()
	contents := map[string]*Content{}
	actors := h.v.Save(func(c *Content) { contents[hex.EncodeToString(c.Digest[:])] = c }, nil)
	cfg := *h.v.cfg
	after := &history{t: h.t, v: New(&cfg), tick: h.tick, now: h.now, dead: h.dead, text: h.text}
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

// What living processes have seen is the same after a restart.
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
	} {
		h := newHistory(t)
		if strings.Contains(row.steps, "asks") && !strings.Contains(row.steps, "removes") {
			h.v.Vanished()
		} else {
			h.v.Existed()
		}
		for step := range strings.SplitSeq(row.steps, ";") {
			h.do(strings.TrimSpace(step))
		}
		after := h.restarted()
		if err := after.v.CheckInvariants(); err != nil {
			t.Errorf("%s: %v", row.steps, err)
		}
		if want, got := h.of(row.writer), after.of(row.writer); got != want {
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
	for _, a := range h.v.Save(func(*Content) {}, nil) {
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

// Two passes overlap if each begins before the other has ended.
func TestPassesOverlap(t *testing.T) {
	pass := func(opened, last Tick) *Reading {
		r := NewReading(opened)
		r.Continue(last)
		return r
	}
	for _, c := range []struct {
		one, other *Reading
		want       bool
	}{
		{pass(1, 5), pass(3, 7), true}, {pass(1, 9), pass(3, 5), true}, {pass(1, 3), pass(3, 7), false}, {pass(1, 2), pass(3, 7), false}, {nil, pass(1, 9), false},
	} {
		if c.one.overlaps(c.other) != c.want || c.other.overlaps(c.one) != c.want {
			t.Errorf("%+v, %+v: overlap %v", c.one, c.other, !c.want)
		}
	}
	r := pass(1, 5)
	if r.overlaps(r) {
		t.Error("a pass overlaps itself")
	}
	for _, c := range []struct {
		begun, ended, otherBegun, otherEnded Tick
		want                                 bool
	}{{1, 5, 3, 7, true}, {1, 3, 3, 7, false}, {1, 9, 3, 5, true}, {0, 9, 3, 5, false}, {3, 5, 0, 9, false}} {
		one, other := &view{begun: c.begun, ended: c.ended}, &view{begun: c.otherBegun, ended: c.otherEnded}
		if one.writtenBeside(other) != c.want || other.writtenBeside(one) != c.want {
			t.Errorf("%+v: beside %v", c, !c.want)
		}
	}
}
