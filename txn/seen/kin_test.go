package seen

import (
	"fmt"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
)

// Contents that a command of a family may have got from others of it.
func TestWhatAFamilyHasSeen(t *testing.T) {
	tellStories(t, []story{
		// Only content seen within the last minute.
		{"sh reads A; wait 61", "c", "family of 4"},
		{"a reads A; wait 61; b reads B", "c", "read B, alone, family of 1"},
		{"a reads A; c opens 1; a reads B", "c began 1", "read A, alone, family of 1"},

		// Readings that others can't have known, since both processes were there at once.
		{"a reads A; b reads A; b writes B; b dies", "c", "wrote B, alone, last B, family of 1"},
		{"a reads A; c reads A; c writes B; c dies", "b", "task read A, wrote B, last B, family of 1"},
		{"a reads A; b reads A; a dies; b writes B; b dies", "c", "task read A, wrote B, last B, family of 1"},
		{"a reads A; a dies; b reads A; b writes B; b dies", "c", "wrote B, alone, last B, family of 1"},
		{"b reads A; b dies; a reads A; a writes B; a dies", "c", "task read A, wrote B, last B, family of 1"},
		{"b reads A; a reads A; a writes B; a dies", "c", "task read A, wrote B, last B, family of 1"},
		{"a reads A; a writes W; wait 50; b redirects Z; wait 20", "c", "wrote Z, alone, last Z, family of 1"},
		{"a reads A; a dies; b reads A; b writes B", "c", "task read A, wrote B, last B, family of 1"},
		{"d reads A; d dies; b reads A; b writes B", "c", "wrote B, alone, last B, family of 1"},
		{"d reads A; d dies; a dies; b reads A; b writes B", "c", "task read A, wrote B, last B, family of 1"},
		{"d reads A; a redirects B", "a", "wrote B, alone, last B, family of 2"},
		{"sh reads A; b reads A; b writes B", "c", "task read A, wrote B, last B, family of 1"},
		{"a reads A; a dies; sh redirects B", "c", "wrote B, alone, last B, family of 1"},
		{"a redirects A; x writes B; b reads B; y writes C; c reads C", "d", "wrote A, last A, family of 2"},
		{"a redirects Z; a dies; x writes A; b reads A; y writes B; c reads B", "sh", "read A, read B, wrote Z, last Z, read since, family of 1"},
		{"a redirects A; b redirects B; x writes C; a reads C", "c", "read C, task wrote A, wrote B, last B, read since, family of 1"},
		{"a reads A; x writes B; a reads B; x writes C; a reads C", "c", "read A, read B, read C, family of 1"},

		// Writes that others, which live, can't have known; and content that its own writer
		// has read before.
		{"a redirects A; a dies; b reads A; b writes B", "c", "task wrote A, wrote B, last B, family of 1"},
		{"sh redirects A; b reads A; b writes B", "sh", "task wrote A, wrote B, last B, family of 1"},
		{"sh redirects A; b reads A; b writes B; b dies", "sh", "wrote B, alone, last B, family of 1"},
		{"a redirects A; b redirects B from A; a dies", "c", "wrote B, alone, last B, family of 1"},
		{"a reads A; b reads A; b reads A; b writes B; b dies; a writes C", "c", "task wrote B, wrote C, last C, family of 1"},

		// A process knows what a child of its own did that has ended.
		{"a redirects A; d reads A; d writes B; d dies", "c", "wrote B, alone, last B, family of 1"},
		{"a redirects A; d reads A; d writes B", "c", "task wrote A, wrote B, last B, family of 1"},
		{"a reads A; d writes B; d dies", "c", "wrote B, alone, last B, family of 1"},

		// The last reading is older than one that another process has made before.
		{"b opens 1; x writes B; a reads B; a dies; b reads A by 1; b dies", "c", "read A, read B, family of 1"},

		// A process that has removed the registry has made room for its own content.
		{"a reads A; a dies; c removes -", "c", "read A, alone, family of 1"},
		{"a reads A; x writes X; b redirects B; b dies; d reads A", "c", "read A, wrote B, last B, read since, family of 1"},
		{"a reads A; a dies; b removes -", "c", "saw nothing, task read A, family of 1"},
		{"a reads A; b removes -; b dies", "c", "saw nothing, alone, family of 1"},

		// A reading that a write was made from, and one since the family was told of nothing.
		{"a reads A; x writes X; b redirects B from A", "c", "wrote B, alone, last B, family of 1"},
		{"d reads A; d dies; b redirects B from A; x removes -; a asks 1", "a", "saw nothing, alone, family of 2"},
		{"d reads A; d dies; x removes -; a asks 1", "a", "read A, saw nothing, family of 2"},

		// A merged write has not seen the content that went into it.
		{"a reads A; a merges B; a dies; b reads B; b dies", "c", "read B, alone, last B, family of 1"},
		{"b opens 1; a redirects Z; a merges B; a dies; b reads Z by 1; b dies", "c", "read Z, wrote B, last B, family of 1"},

		// A reading whose process knew of a later write, though that is not the last one, is used up.
		{"c reads A; sh redirects B; b writes C; b dies", "d", "wrote C, alone, last C, family of 1"},
		{"sh writes B; d writes C; d dies; a writes D", "c", "wrote D, alone, last D, family of 1"},
		{"b reads A; d reads A; c opens 1; b writes B", "c began 1", "read A, read A, alone, family of 1"},
		{"sh reads A; d reads A; d dies; a reads A", "b", "read A, read A, alone, family of 1"},
		{"c reads A; c dies; d reads A; a reads A", "b", "read A, read A, read A, alone, family of 1"},

		// The last change of a registry counts, a removal, too; and content seen since
		// then.
		{"d reads A; c redirects B; wait 40; d removes -; d reads A", "a", "read A, alone, family of 2"},
		{"a writes B; b reads B; wait 40; b reads A; wait 40", "c", "read A, alone, family of 1"},
		{"sh writes B; a removes -", "b", "saw nothing, task wrote B, family of 1"},
		{"b redirects B; sh removes -; b reads A", "d", "read A, alone, family of 1"},
		{"d writes B; d removes -; d reads A", "b", "read A, alone, family of 1"},

		// A file that was put in place when both its writer and the reader had ended.
		{"b opens 1; c reads A; b dies; c dies; b puts B until 1", "a", "wrote B, alone, last B, family of 1"},
		{"b opens 1; c reads A; b dies; b puts B until 1", "a", "task read A, wrote B, last B, family of 1"},
		{"b opens 1; c reads A; b dies; b puts B until 1; c dies", "a", "task read A, wrote B, last B, family of 1"},
		{"c reads A; c dies; b opens 1; b dies; b puts B until 1", "d", "task read A, wrote B, last B, family of 1"},
		{"a opens 1; c reads A; c dies; a puts B until 1", "sh", "task read A, wrote B, last B, family of 1"},
		{"a opens 1; c reads A; c dies; a dies; a puts B until 1", "sh", "wrote B, alone, last B, family of 1"},

		// Content that somebody has read since it was written does not count since then.
		{"d writes B; d reads A; d reads B", "d", "read A, read B, wrote B, alone, memory, last B, read since"},
		{"b removes -; b dies; x writes B; a reads B", "c", "read B, family of 1"},

		// A command that has opened the registry while another of its family wrote.
		{"c opens 1; a redirects B", "c opened 1", "wrote B, last B, family of 1"},
		{"a opens 1; c redirects B", "a opened 1", "wrote B, alone, last B, family of 1"},
		{"d opens 1; a redirects B", "d opened 1", "wrote B, alone, last B, family of 2"},

		// The process with the memory.
		{"x reads A", "f", "family of 8"},
		{"a redirects A; x writes B", "f", "wrote A, last A, family of 2"},
		{"f writes B; f reads C; a reads D", "f", "read C, wrote B, alone, memory, last B, read since"},
		{"began; a redirects A", "a", "wrote A, older, family of 2"},
		{"began; x writes A", "nobody", "family of -1"},
	})

	forked := Caller{Actor: Actor{PID: 50, Start: 50}, Forked: true} // its parent is in another namespace
	h := newHistory(t)
	h.do("x reads A")
	if s := h.v.Of(Origin{Caller: forked, Event: h.tick, At: h.now}); s.Memory || len(s.Candidates) > 0 {
		t.Errorf("a fork of nobody has seen %+v", s)
	}
}

// A writer pays the same however many of its family have read: the newest contents count.
func TestFamilysCandidatesAreBounded(t *testing.T) {
	h := newHistory(t)
	h.v.Existed()
	sh := process("sh")
	member := func(n int) Caller {
		return Caller{Actor: Actor{PID: 1000 + n, Start: uint64(1000 + n)}, Ancestors: []Actor{sh.Actor}}
	}
	const readings = maxKinReadings + 10
	for n := range readings {
		h.v.Read(member(n), h.content(fmt.Sprint(n)), h.tick, nil)
	}
	s := h.v.Of(Origin{Caller: process("c"), Event: h.tick, At: h.now})
	if len(s.Candidates) != maxKinReadings {
		t.Errorf("%d candidates, want %d", len(s.Candidates), maxKinReadings)
	}
	for _, c := range s.Candidates {
		var n int
		fmt.Sscan(h.text[c.Content], &n)
		if n < readings-maxKinReadings {
			t.Errorf("the reading of %d counts, and newer ones do not", n)
		}
	}
	h.v.Read(member(readings/2), h.content("again"), h.tick, nil)
	f := h.v.familyOf(&Origin{Caller: process("c"), Event: h.tick, At: h.now}, false)
	if newest, last := h.v.newestOf(&f, &Origin{Caller: process("c"), Event: h.tick}); h.text[newest.content] != "again" || last.view != nil {
		t.Errorf("the newest is %q, the last write %v", h.text[newest.content], last.view)
	}
	for i := range len(f.views) - 1 {
		if f.views[i].last < f.views[i+1].last {
			t.Fatalf("view %d is older than the next", i)
		}
	}
}

// The selection among some views: some contents that no write has used, and some others.
func TestSelection(t *testing.T) {
	content := func(n int) *Content { return &Content{Bytes: []byte{byte(n)}} }
	a, b, c := content(1), content(2), content(3)
	s := selection{readings: 2, uses: 1}
	for i, one := range []struct {
		view *view
		want bool
	}{
		{&view{kind: read, content: a, unused: 1}, true},
		{&view{kind: read, content: a, unused: 1}, true}, // how often does not matter
		{&view{kind: read, content: b, unused: 1}, true},
		{&view{kind: read, content: c, unused: 1}, false},
		{&view{kind: read, content: c, usedUp: 5}, true}, // it was used up since
		{&view{kind: wrote, content: c}, true},
		{&view{kind: wrote, content: a}, false},
		{&view{kind: read, content: a, usedUp: 9}, true}, // it was not used up then
	} {
		if got := s.admit(one.view, 7); got != one.want {
			t.Errorf("view %d is selected: %t", i, got)
		}
	}
}

// The earlier views of each member of a family are known, as they were when the write began,
// and as far as the limits go.
func TestWhatAFamilyHadBefore(t *testing.T) {
	for story, want := range map[string]string{
		"b reads A; d reads A; c opens 1; b writes B":             "A",
		"b reads A; d reads A; b removes -; c opens 1; d reads B": "A",
	} {
		h := newHistory(t)
		h.tell("some " + story)
		s := h.v.Of(Origin{Caller: process("c"), Event: h.handles["c1"].at, At: h.now})
		var got []string
		for _, c := range s.Earlier {
			got = append(got, h.text[c])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: before that it had %q, want %s", story, got, want)
		}
	}
	h := newHistory(t)
	h.tell("some a reads 0; b reads 0")
	for i := range 2 * (maxKinReadings + maxKinUsed) {
		h.do(fmt.Sprintf("a reads %d", i))
		h.do(fmt.Sprintf("b reads x%d", i))
	}
	if s := h.v.Of(Origin{Caller: process("c"), Event: h.tick, At: h.now}); len(s.Earlier) == 0 || len(s.Earlier) > maxKinReadings+maxKinUsed {
		t.Errorf("of %d candidates, %d contents of before are known", len(s.Candidates), len(s.Earlier))
	}
}

// A family that writes an earlier state again replaces the newest state that it has seen.
// That is the one written last, even if a member has read an older one later.
func TestAnEarlierStateReplacesTheNewestState(t *testing.T) {
	for story, want := range map[string]string{
		"some sh redirects [0]; a writes [1]; c reads [1]; a writes [2]; b reads [2]; a dies; b dies; c dies":                               "[2]",
		"some sh redirects [0]; a writes [1]; c reads [1]; a writes [2]; b opens 1; a writes [3]; b reads [2] by 1; a dies; b dies; c dies": "[3]",
	} {
		h := newHistory(t)
		h.tell(story)
		saw := h.v.Of(Origin{Caller: process("sh"), Event: h.v.cfg.Next(), At: h.now})
		limits := jsondoc.Limits{Depth: 100, Size: 1 << 20}
		parse := func(c *Content) (*jsondoc.Doc, error) { return jsondoc.Parse(c.Bytes, jsondoc.JSON, limits) }
		for _, again := range []string{"[0]", "[1]"} {
			doc, err := jsondoc.Parse([]byte(again), jsondoc.JSON, limits)
			if err != nil {
				t.Fatal(err)
			}
			got := Choose(saw.Candidates, NewContent([]byte(again)), doc, saw.Knowledge, Documents{Parse: parse})
			if got.Taken == nil || string(got.Taken.Content.Bytes) != want {
				t.Errorf("%s; %s again: made from %+v (head: %v), because %q; want %s", story, again, got.Taken, got.Head, got.Why, want)
			}
		}
	}
}

// An earlier state replaces the newest one also where a write was made from it since, and
// where it is closer to something else that the family has read.
func TestAnEarlierStateThatWasUsedUp(t *testing.T) {
	h := newHistory(t)
	h.tell(`some b reads ["x"]; b writes ["x","y"] from ["x"]; b dies; c reads ["x","y"]; c dies; a redirects ["z","v","w"]`)
	saw := h.v.Of(Origin{Caller: process("sh"), Event: h.v.cfg.Next(), At: h.now})
	parse := func(c *Content) (*jsondoc.Doc, error) {
		return jsondoc.Parse(c.Bytes, jsondoc.JSON, jsondoc.Limits{Depth: 100, Size: 1 << 20})
	}
	for again, want := range map[string]string{`["x"]`: `["z","v","w"]`, `["q"]`: `["x","y"]`} {
		content := NewContent([]byte(again))
		doc, err := parse(content)
		if err != nil {
			t.Fatal(err)
		}
		got := Choose(saw.Candidates, content, doc, saw.Knowledge, Documents{Parse: parse})
		if got.Taken == nil || string(got.Taken.Content.Bytes) != want {
			t.Errorf("%s is made from %+v, because %q; want %s", again, got.Taken, got.Why, want)
		}
	}
}
