package seen

import (
	"slices"
	"strings"
	"testing"
)

// The views of a writer, after the steps of several processes.
func TestWhatAWriterHasSeen(t *testing.T) {
	tellStories(t, []story{
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
		{"a reads A; a writes B; a dies; b reads B", "c", "read B, wrote B, alone, last B, family of 1"},
		{"a reads A; a merges B; a dies", "c", "wrote B, last B, family of 1"},
		{"a reads A; a merges B; a dies; x writes C; b reads C; b dies", "c", "read C, last B, read since, family of 1"},
		{"sh reads A; x writes B; a reads B; a dies", "c", "read B, family of 1"},
		{"sh reads A", "d", "read A, alone, family of 1"},
		{"d reads A; d dies; x writes B; b reads B", "d", "read A, memory"},
		{"a asks 1", "a", "saw nothing, alone, family of 2"},
		{"a asks 1; x writes A", "a", "saw nothing, family of 2"},
		{"a asks 1; x writes A; a reads A", "a", "looked nothing, read A, memory"},
		{"a asks 1; x writes A; a reads A; wait 301", "a", "looked nothing, read A, memory"},
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
		{"a reads A; a redirects B; c reads B; x writes C", "b", "read B, wrote B, last B, family of 1"},
		{"a writes A; b writes B; a writes C", "c", "task wrote B, wrote C, last C, family of 1"},
		{"a writes A; x writes B; b reads B; a writes C; b reads C", "c", "read C, task read B, wrote C, last C, family of 1"},
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
	})
}

// Writers of one content have together the views of each; alone they are only if both
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
	if both := two.And(one); both.Last != b || !both.ReadSince || !both.Removed || !both.Memory {
		t.Errorf("the other way round %+v", both)
	}
	if one.Memory, two.Memory = false, true; !one.And(two).Memory {
		t.Error("nobody has a memory, but one of them does")
	}
	one.Before, two.Before = []Origin{{Event: 1}}, []Origin{{Event: 2}}
	one.Earlier, two.Earlier = []*Content{a}, []*Content{b}
	if both := one.And(two); len(both.Before) != 2 || len(both.Earlier) != 2 {
		t.Errorf("of 2 each it is known what %d had seen, and %d contents of before", len(both.Before), len(both.Earlier))
	}
	if got := one.Add(Candidate{Content: b}); len(got.Candidates) != 2 || got.Candidates[1].Content != b || len(one.Candidates) != 1 {
		t.Errorf("one more candidate: %+v", got)
	}
	if got := (Seen{}).And(one); len(got.Candidates) != 1 || got.Noted != 5 {
		t.Errorf("with nothing: %+v", got)
	}
	if got := one.And(Seen{}); len(got.Candidates) != 1 || got.Noted != 5 {
		t.Errorf("nothing with it: %+v", got)
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
		if one.overlapsWrite(other) != c.want || other.overlapsWrite(one) != c.want {
			t.Errorf("%+v: beside %v", c, !c.want)
		}
	}
}

// Content that a program has copied from the registry counts as seen, unless its author has
// written since.
func TestCopiedContentIsSeen(t *testing.T) {
	a, b := NewContent([]byte("A")), NewContent([]byte("B"))
	for _, c := range []struct {
		kind Kind
		at   Tick
		want int
	}{{Read, 9, 2}, {Wrote, 9, 1}, {Nothing, 9, 1}, {Wrote, 3, 2}, {Read, 3, 2}} {
		s := Seen{Candidates: []Candidate{{Content: a, Kind: c.kind, At: c.at}}}
		if got := s.AddCopy(b, 5); len(got.Candidates) != c.want || c.want == 2 && (got.Candidates[1].Content != b || got.Candidates[1].Kind != Read || got.Candidates[1].At != 5) {
			t.Errorf("copied at 5, beside %d at %d: %+v", c.kind, c.at, got.Candidates)
		}
	}
}

// A program that starts takes a while from its first reading to its first write.
func TestReadingsOfAProgramThatStarts(t *testing.T) {
	for _, test := range []struct {
		steps string
		want  []bool
	}{
		{"a reads A; wait 280; x writes B; a reads B", []bool{true, true}},
		{"a reads A; wait 320; x writes B; a reads B", []bool{false, true}},
		{"a reads A; wait 200; a reads A; wait 200; x writes B; a reads B", []bool{true, true}},
	} {
		h := newHistory(t)
		for step := range strings.SplitSeq(test.steps, "; ") {
			h.do(step)
		}
		var recent []bool
		for _, c := range h.v.Of(Origin{Caller: process("a"), Event: h.tick, At: h.now}).Candidates {
			recent = append(recent, c.Recent)
		}
		if !slices.Equal(recent, test.want) {
			t.Errorf("%s: recent %v, want %v", test.steps, recent, test.want)
		}
	}
}
