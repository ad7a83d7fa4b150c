package seen

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"
)

// contentsOf returns the contents of a process's views, oldest first.
func (h *history) contentsOf(c Caller) []string {
	var out []string
	if a := h.v.actors[c.author()]; a != nil {
		for _, one := range a.views {
			out = append(out, h.text[one.content])
		}
	}
	return out
}

// A view that is older than the kin window and the read window goes, but for the last write and
// the last reading of a living process, and, if it has never written, its first reading.
func TestOldViewsGo(t *testing.T) {
	for _, row := range []struct {
		steps string
		who   string
		want  string
	}{
		{"a reads A; x writes B; a reads B; wait 91", "a", "[A B]"},
		{"a reads A; x writes B; a reads B; x writes C; a reads C; wait 91", "a", "[A C]"},
		{"a reads A; x writes B; a reads B; x writes C; a reads C; wait 89", "a", "[A B C]"},
		{"a reads A; a writes B; a reads C; a writes D; a reads E; wait 91", "a", "[D E]"},
		{"a removes -; x writes B; a reads B; wait 91", "a", "[B]"},
		{"a reads A; a dies; wait 91", "a", "[]"},
		{"a reads A; x writes B; a reads B; a dies; wait 89", "a", "[A B]"},
		{"a reads A; wait 60; x writes B; a reads B; x writes C; a reads C; a dies; wait 40", "a", "[A B C]"},
		{"a reads A; a writes D; wait 60; x writes B; a reads B; x writes C; a reads C; a dies; wait 40", "a", "[D B C]"},
		{"nobody reads A; wait 91", "nobody", "[]"},
		{"nobody reads A; wait 89", "nobody", "[A]"},
	} {
		h := newHistory(t)
		h.tell(row.steps)
		h.v.Prune()
		if got := fmt.Sprint(h.contentsOf(process(row.who))); got != row.want {
			t.Errorf("%s: %s are left, want %s", row.steps, got, row.want)
		}
		if err := h.v.CheckInvariants(); err != nil {
			t.Errorf("%s: %v", row.steps, err)
		}
	}
}

// A process has at most maxViews views, the newest ones; its first reading stays. Old views go
// as new ones come, not only where there are too many.
func TestViewsOfAProcessAreBounded(t *testing.T) {
	h := newHistory(t)
	h.v.Existed()
	a := process("a")
	for n := range 2 * maxViews {
		h.v.Read(a, h.content(fmt.Sprint(n)), h.tick, nil)
		if got := len(h.v.actors[a.Actor].views); got > maxViews+1 {
			t.Fatalf("%d views", got)
		}
	}
	got := h.contentsOf(a)
	if len(got) < maxViews || got[0] != "0" || got[len(got)-1] != fmt.Sprint(2*maxViews-1) || got[1] != fmt.Sprint(2*maxViews-len(got)+1) {
		t.Errorf("%d are left: %s, %s … %s", len(got), got[0], got[1], got[len(got)-1])
	}
	h = newHistory(t)
	h.v.Existed()
	for n := range 33 {
		h.v.Read(a, h.content(fmt.Sprint(n)), h.tick, nil)
		h.now = h.now.Add(10 * time.Second)
	}
	if got := h.contentsOf(a); len(got) > 16+9+1 {
		t.Errorf("%d views of five minutes", len(got))
	}
	// Removals are views, too.
	h = newHistory(t)
	h.v.Existed()
	for range 40 {
		h.v.Removed(a)
		h.now = h.now.Add(10 * time.Second)
	}
	if got := h.contentsOf(a); len(got) > 16+9+1 {
		t.Errorf("%d removals of five minutes", len(got))
	}
}

// Processes that have ended are forgotten as others come, with all that names them.
func TestTheDeadGo(t *testing.T) {
	h := newHistory(t)
	h.v.Existed()
	sh := process("sh")
	come := func(n int) {
		c := Caller{Actor: Actor{PID: 1000 + n, Start: 1}, Ancestors: []Actor{{PID: 500 + n, Start: 1}, sh.Actor}}
		h.v.Read(c, h.content("A"), h.tick, nil)
		h.dead[c.Actor] = true
	}
	for n := range 100 {
		come(n)
		h.now = h.now.Add(10 * time.Second)
		if got := len(h.v.actors); got > 64 {
			t.Fatalf("%d processes are remembered of %d", got, n+1)
		}
		if got := len(h.v.descendants); got > 66 {
			t.Fatalf("the descendants of %d processes are remembered", got)
		}
	}
	if err := h.v.CheckInvariants(); err != nil {
		t.Error(err)
	}
	for _, a := range h.v.living {
		if len(a.views) == 0 {
			t.Error("one without views is among the living")
		}
	}
	h.now = h.now.Add(time.Hour)
	if !h.v.Empty(true) || len(h.v.descendants) != 0 || len(h.v.living) != 0 {
		t.Errorf("%d processes are remembered, %d ancestors, %d living ones", len(h.v.actors), len(h.v.descendants), len(h.v.living))
	}

	// Of those that were there a moment ago the newest stay.
	h = newHistory(t)
	h.v.Existed()
	for n := range maxDeadReadings + 10 {
		c := Caller{Actor: Actor{PID: 1000 + n, Start: 1}}
		h.v.Read(c, NewContent([]byte(fmt.Sprint(n))), h.tick, nil)
		h.dead[c.Actor] = true
	}
	h.v.Prune()
	if len(h.v.actors) != maxDeadReadings {
		t.Errorf("%d of the dead are remembered, want %d", len(h.v.actors), maxDeadReadings)
	}

	// Those that look for dead ones do it so rarely that it costs nothing: each time when as
	// many have come as stayed.
	h = newHistory(t)
	h.v.Existed()
	looked := 0
	alive := h.v.cfg.Alive
	h.v.cfg.Alive = func(a Actor) bool { looked++; return alive(a) }
	for n := range 64 {
		h.v.Read(Caller{Actor: Actor{PID: 1000 + n, Start: 1}}, h.content("A"), h.tick, nil)
	}
	if most := 64*64/2 + 2*64; looked > most { // each asks about those before
		t.Errorf("it was asked %d times whether one of 64 lives, at most %d are wanted", looked, most)
	}
}

// Of the dead those stay that hold one of the newest contents, however many hold the same.
func TestTheDeadAreThinnedOut(t *testing.T) {
	const more = 10
	var dead []*actorViews
	add := func(n int, one view) {
		one.content, one.last = &Content{}, Tick(n+1)
		dead = append(dead, &actorViews{caller: Caller{Actor: Actor{PID: n + 1}}, views: []*view{&one}})
	}
	for n := range maxDeadReadings + more {
		add(n, view{kind: read, unused: 1})
	}
	for n := range maxDeadUsed + more {
		add(maxDeadReadings+more+n, view{kind: wrote})
	}
	same := *dead[maxDeadReadings].views[0]
	same.last = 1
	dead = append(dead, &actorViews{views: []*view{&same}})
	all := slices.Clone(dead)
	thinOut(dead)
	for n, a := range all {
		gone := n < more || n >= maxDeadReadings+more && n < maxDeadReadings+2*more
		if (len(a.views) == 0) != gone {
			t.Fatalf("%d is gone: %t", n, !gone)
		}
	}
}

// big is a content of such a size that three fit into the views' limit.
func big(h *history, name string) *Content {
	c := &Content{Bytes: slab, Digest: sha256.Sum256([]byte(name))}
	h.text[c] = name
	return c
}

var slab = make([]byte, 20<<20)

// The contents that views hold are bounded: the oldest go. The last write, the last reading
// and the first reading of a process that lives stay.
func TestContentsAreBounded(t *testing.T) {
	a, x, y := process("a"), process("x"), process("y")
	h := newHistory(t)
	h.v.Existed()
	load := func(c Caller, name string) { h.v.Read(c, big(h, name), h.tick, nil) }
	load(y, "A") // and it ends
	load(a, "B") // the first
	load(a, "C")
	h.dead[y.Actor] = true
	if h.v.Bytes() != 60<<20 {
		t.Fatalf("views hold %d bytes", h.v.Bytes())
	}
	load(a, "D")
	if got := fmt.Sprint(h.contentsOf(y), h.contentsOf(a)); got != "[] [B C D]" {
		t.Errorf("%s are left", got)
	}
	if h.v.Knows(y) || !h.v.Knows(a) {
		t.Error("one is known that has no views, or the other way round")
	}
	if h.v.bytes != 60<<20 || h.v.keptBytes != 60<<20 {
		t.Errorf("%d and %d bytes are counted", h.v.bytes, h.v.keptBytes)
	}
	// The last reading of a living process is older than readings of others that ended.
	other := newHistory(t)
	other.v.Existed()
	for _, name := range []string{"A", "B"} {
		other.v.Read(a, big(other, name), other.tick, nil)
	}
	for _, name := range []string{"C", "D"} {
		other.v.Read(y, big(other, name), other.tick, nil)
		other.dead[y.Actor] = true
	}
	if got := fmt.Sprint(other.contentsOf(a), other.contentsOf(y)); got != "[A B] [D]" {
		t.Errorf("%s are left", got)
	}
	// The next time comes when as much has come again.
	load(a, "E")
	load(a, "F")
	load(a, "G")
	if got := fmt.Sprint(h.contentsOf(a)); got != "[B C D E F G]" {
		t.Errorf("%s are left", got)
	}
	h.v.Wrote(x, Write{Content: big(h, "H")})
	if got := fmt.Sprint(h.contentsOf(a), h.contentsOf(x)); got != "[B G] [H]" {
		t.Errorf("%s are left", got)
	}

	// A content that several views hold counts once.
	h = newHistory(t)
	h.v.Existed()
	same := big(h, "S")
	for range 4 {
		h.v.Read(a, same, h.tick, nil)
		h.v.Removed(x)
		h.v.Read(y, same, h.tick, nil)
	}
	if h.v.Bytes() != 20<<20 {
		t.Errorf("views of one content hold %d bytes", h.v.Bytes())
	}
}

// The base of a write stays only as far as there is room.
func TestOriginsAreBounded(t *testing.T) {
	for _, row := range []struct {
		others int // contents that live processes hold
		from   bool
	}{{1, true}, {3, false}} {
		h := newHistory(t)
		h.v.Existed()
		a := process("a")
		from := big(h, "A")
		h.v.Wrote(a, Write{Content: big(h, "B"), From: &Candidate{Content: from}})
		h.v.Wrote(process("b"), Write{Content: h.content("small")})
		h.v.Wrote(process("c"), Write{Content: h.content("small"), From: &Candidate{Kind: Nothing}})
		for n := range row.others {
			h.v.Read(Caller{Actor: Actor{PID: 100 + n, Start: 1}}, big(h, fmt.Sprint(n)), h.tick, nil)
		}
		h.v.dropOldest()
		if got := h.v.actors[a.Actor].views[0].from != nil; got != row.from {
			t.Errorf("beside %d others it is known what B was made from: %t", row.others, got)
		}
		if h.v.actors[process("c").Actor].views[0].from == nil {
			t.Error("it is not known any more that small was made from nothing")
		}
		want := int64(40<<20 + 5)
		if row.from {
			want += 20 << 20
		}
		if row.others == 3 {
			want += 40 << 20
		}
		if h.v.bytes != want {
			t.Errorf("beside %d others %d bytes are held, want %d", row.others, h.v.bytes, want)
		}
	}
	// Where there is room for one, the last write's stays.
	for range 20 { // the order of a map is another one each time
		h := newHistory(t)
		h.v.Existed()
		for n, name := range []string{"A", "B"} {
			h.v.Wrote(Caller{Actor: Actor{PID: 10 + n}}, Write{Content: big(h, name), From: &Candidate{Content: big(h, name+"0")}})
		}
		h.v.dropOldest()
		if h.v.actors[Actor{PID: 10}].views[0].from != nil || h.v.actors[Actor{PID: 11}].views[0].from == nil {
			t.Fatal("what the older one was made from stayed, or the other did not")
		}
	}

	// The dead's newest views stay before their older ones, with their bases.
	h := newHistory(t)
	h.v.Existed()
	a, y := process("a"), process("y")
	h.v.Read(y, big(h, "A"), h.tick, nil)
	h.v.Wrote(y, Write{Content: big(h, "B"), From: &Candidate{Content: big(h, "C")}})
	h.v.Read(a, big(h, "D"), h.tick, nil)
	h.dead[y.Actor] = true
	h.v.dropOldest()
	if got := fmt.Sprint(h.contentsOf(y)); got != "[B]" || h.v.actors[y.Actor].views[0].from == nil {
		t.Errorf("%s are left", got)
	}
	h.v.Read(process("b"), big(h, "E"), h.tick, nil)
	z := process("x")
	h.v.Wrote(z, Write{Content: big(h, "F"), From: &Candidate{Content: h.content("small")}})
	h.dead[z.Actor] = true
	h.v.actors[z.Actor].views[0].last = 1
	h.v.dropOldest()
	if h.v.Knows(z) || h.v.bytes != 60<<20 {
		t.Errorf("%s are left, and %d bytes are counted", h.contentsOf(z), h.v.bytes)
	}
	if got := fmt.Sprint(h.contentsOf(y)); got != "[B]" || h.v.actors[y.Actor].views[0].from != nil {
		t.Errorf("%s are left, with what they were made from", got)
	}
}

// The changes of the head that are remembered are bounded, and those in a row by one author
// are one. Earlier changes are presumed to be others'.
func TestChangesAreBounded(t *testing.T) {
	h := newHistory(t)
	a, x := process("a"), process("x")
	isA := func(c *Caller) bool { return c.Actor == a.Actor }
	if h.v.ChangedAt() != 0 {
		t.Errorf("it was changed at %d", h.v.ChangedAt())
	}
	h.v.Changed(x)
	byX := h.tick
	for range 2 * maxChanges {
		h.v.Changed(a)
		if h.v.ChangedAt() != h.tick {
			t.Fatalf("it was changed at %d, not at %d", h.v.ChangedAt(), h.tick)
		}
	}
	if h.v.changes.byOthers(byX, isA) || !h.v.changes.byOthers(byX-1, isA) {
		t.Error("changes in a row by one author are several")
	}
	if len(h.v.changes.marks) != 2 {
		t.Errorf("%d changes are remembered of two authors", len(h.v.changes.marks))
	}
	h.v.Changed()
	h.v.Changed()
	if len(h.v.changes.marks) != 4 {
		t.Error("changes that nobody has made are one")
	}
	for range maxChanges {
		h.v.Changed(a)
		h.v.Changed()
	}
	marks := h.v.changes.marks
	if len(marks) > maxChanges || len(marks) < maxChanges/4 {
		t.Errorf("%d changes are remembered", len(marks))
	}
	lost := h.v.changes.lost
	if lost < byX || lost >= marks[0].at {
		t.Errorf("changes are lost up to %d, the first one is at %d", lost, marks[0].at)
	}
	nobody := func(*Caller) bool { return true }
	h.v.changes.marks = nil
	if !h.v.changes.byOthers(lost-1, nobody) || h.v.changes.byOthers(lost, nobody) || h.v.ChangedAt() != lost {
		t.Error("it is not presumed that others have made the changes that are lost")
	}
}

// A process has written the content that it wrote last.
func TestHasWritten(t *testing.T) {
	h := newHistory(t)
	h.tell("a reads A; a writes B; x reads B; y writes A; y writes C")
	for who, want := range map[string]string{"a": "B", "x": "", "y": "C", "b": ""} {
		for _, text := range []string{"A", "B", "C"} {
			if got := h.v.HasWritten(process(who), NewContent([]byte(text))); got != (text == want) {
				t.Errorf("%s has written %s: %t", who, text, got)
			}
		}
	}
}

// Content that was made from content in flight was made from nothing that is known.
func TestInFlightIsNoOrigin(t *testing.T) {
	h := newHistory(t)
	a := process("a")
	h.v.Wrote(a, Write{Content: h.content("A"), From: &Candidate{Kind: InFlight, Content: h.content("B")}})
	if h.v.actors[a.Actor].views[0].from != nil {
		t.Error("it was made from what is in flight")
	}
}

// An empty placeholder that is read is nothing.
func TestEmptyPlaceholderIsNothing(t *testing.T) {
	h := newHistory(t)
	h.v.Vanished()
	h.v.Read(process("a"), nil, h.v.cfg.Next(), nil)
	if got, want := h.of("a"), "saw nothing, alone, family of 2"; got != want {
		t.Errorf("its reader has seen %q, want %q", got, want)
	}
}

// Candidates of one content are one; those that it is chosen from stay as they are.
func TestCandidatesOfOneContentAreOne(t *testing.T) {
	a, b := NewContent([]byte("A")), NewContent([]byte("B"))
	one, two := &view{kind: read, content: a, unused: 1, shown: 9, last: 9}, &view{kind: read, content: a, unused: 1, shown: 3, last: 3}
	told := &looks{}
	cands := []Candidate{{Content: b, At: 5}, {Content: a, At: 9, views: []*view{one}}, {Content: a, At: 3, views: []*view{two}},
		{Kind: Nothing, At: 8}, {Kind: Nothing, At: 7, looks: told}, {Kind: Nothing, At: 6, looks: &looks{}}}
	before := slices.Clone(cands)
	got := distinct(cands)
	if !slices.EqualFunc(cands, before, func(a, b Candidate) bool { return a.At == b.At }) {
		t.Error("those that it was given are in another order")
	}
	if len(got) != 3 || got[0].At != 5 || got[1].At != 8 || got[2].At != 9 {
		t.Fatalf("it has made of them %+v", got)
	}
	if got[1].looks != told || len(got[2].views) != 2 {
		t.Errorf("nothing has the answers %p, and the other %d views", got[1].looks, len(got[2].views))
	}
	h := newHistory(t)
	h.v.Use(&got[2])
	h.v.Use(&got[2])
	h.v.Use(&got[1])
	if one.unused+two.unused != 0 || len(told.used) != 1 {
		t.Errorf("of two readings %d are not used, and of the answers %d are", one.unused+two.unused, len(told.used))
	}
}
