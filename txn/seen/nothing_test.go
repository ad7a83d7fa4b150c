package seen

import (
	"testing"
	"time"
)

// A process that was told that there is no registry has seen that, till it is told otherwise.
func TestNothingIsSeen(t *testing.T) {
	tellStories(t, []story{
		// The kernel's own question, for the call by which a program writes, is none.
		{"none a asks 1; a calls 1", "a", "family of 2"},
		{"none a asks 1; a asks 1; a calls 1", "a", "saw nothing, alone, family of 2"},
		{"none a calls 1", "a", "family of 2"},
		{"none a asks 0; a calls 0", "a", "saw nothing, alone, family of 2"},
		{"none a asks 1; a asks 2; a calls 1; a writes A from nothing", "a", "wrote A, alone, memory, last A"},
		{"none a asks 1; a calls 2", "a", "saw nothing, alone, family of 2"},
		{"none a asks 1; x writes A; a finds 1; a finds 1; a calls 1", "a", "saw nothing, family of 2"},
		{"none a asks 1; x writes A; a finds 1; wait 3; a finds 1; a calls 1", "a", "family of 2"},
		{"none a asks 1; x writes A; a finds 2; a calls 1", "a", "family of 2"},
		{"none a asks 2; a finds 1; a asks 1; a finds 1; a calls 1; a writes A from nothing", "a", "wrote A, alone, memory, last A"},

		// Answers that count: not one after the first write, not a look-up just before a
		// temporary file was written.
		{"none a opens 1; a asks 1", "a began 1", "family of 2"},
		{"none a asks 1; x writes A; a finds 1", "a~", "saw nothing, family of 2"},
		{"none a asks 1; x writes A; a finds 1; wait 3", "a~", "family of 2"},
		{"none a asks 1; x writes A; a finds 0", "a~", "family of 2"},
		{"none a asks 1", "a~", "saw nothing, alone, family of 2"},
		{"none a asks 1; wait 61", "a", "saw nothing, alone, family of 2"},

		// Content that was seen since then, by itself or by its children.
		{"none a asks 1; x writes A; d reads A", "a", "read A, alone, family of 2"},
		{"some a redirects A; x removes -; a asks 1; wait 61", "a", "saw nothing, alone, family of 2"},
		{"none a asks 1; x writes A; d removes -; wait 61", "a", "saw nothing, family of 2"},
		{"none a asks 1; wait 61; a opens 1; x writes A; d reads A", "a began 1", "saw nothing, family of 2"},
		{"none a asks 1; a opens 1; x writes A; a reads A", "a began 1", "saw nothing, memory"},
		{"some a reads A; x removes -; x writes B", "a", "read A, memory"},
		{"none a asks 1; x writes A; b reads A", "a", "saw nothing, family of 1"},

		// Several threads that were told, before the first of them wrote, are several tasks.
		{"some a asks 1; a writes A from nothing; a reads A; x removes -; a asks 2; a asks 3; a writes B from nothing", "a", "task saw nothing, wrote B, memory, last B"},
		{"none a asks 1; a asks 2; a writes A from nothing; a writes B from nothing", "a", "wrote B, alone, memory, last B"},
		{"none a asks 1; a asks 2; a asks 3; a writes A from nothing; a writes B from nothing", "a", "task saw nothing, wrote B, memory, last B"},
		{"none a asks 1; a finds 1; a asks 2; a writes A from nothing", "a", "wrote A, alone, memory, last A"},

		// A registry that others have created since, and the process has read: a check, perhaps.
		{"none a asks 1; x writes A; a reads A; y writes B; a reads B", "a", "looked nothing, read A, read B, memory"},
		{"none a asks 1; d writes A; a reads A; x writes B", "a", "read A, memory"},
		{"none a asks 1; found; a reads A", "a", "looked nothing, read A, memory"},
		{"none a asks 1; x writes A; x removes -; x writes B; a reads B", "a", "read B, alone, memory"},
		{"some a reads A; x removes -; a asks 1; x writes B; a reads B", "a", "looked nothing, read A, read B, memory"},
		{"some x writes A; a reads A", "a", "read A, alone, memory"},
		{"none a asks 1; x writes A; a reads A; a asks 1; a finds 1", "a", "looked nothing, read A, memory"},
		{"none a asks 1; x writes A; a reads A; a asks 2", "a", "read A, task saw nothing, memory"},
		{"none a asks 1; x writes A; a finds 1; a reads A", "a", "looked nothing, read A, memory"},

		// An answer about the directory is one about the registry, and a listing is one for its
		// own process.
		{"none a misses", "a", "saw nothing, alone, family of 2"},
		{"none a misses; x writes A", "y", "family of 7"},
		{"none a misses; x writes A", "a", "saw nothing, family of 2"},
		{"none a misses; x writes A; a reads A", "a", "looked nothing, read A, memory"},
		{"none y misses; x writes A; a reads A", "a", "read A, alone, memory"},
		{"none a misses; x writes A; a reads A; wait 31", "a", "looked nothing, read A, memory"},
		{"none a asks 1; wait 301; x writes A; wait 301; a reads A", "a", "looked nothing, read A, memory"},
		{"none a asks 1; wait 301; x writes A; a reads A; wait 301; a writes B from nothing", "a", "wrote B, alone, memory, last B"},
		{"none x writes A; a misses", "a", "family of 2"},
		{"none a misses; x writes A; x removes -; x writes B", "a", "family of 2"},
		{"none a misses; a dies; x writes A", "c", "saw nothing, family of 4"},
		{"none a misses; a dies; wait 61; x writes A", "c", "family of 4"},
		{"none y misses; x writes A", "c", "family of 4"},
		{"none a lists; a dies; x writes A", "c", "family of 4"},
		{"none a lists; x writes A", "a", "saw nothing, family of 2"},
		{"none a misses; a asks 1; x writes A; a finds 1", "a", "family of 2"},
		{"none a asks 1; a finds 1; a misses; a dies; x writes A", "b", "saw nothing, family of 3"},
		{"none a asks 1; a finds 1; a misses; b opens 1; a finds 1; a dies", "b began 1", "saw nothing, alone, family of 3"},
		{"none a misses; a misses; x writes A; y writes B; a reads B", "a", "looked nothing, read B, memory"},

		// … while the registry is not there: an answer from before it last was there is none.
		{"none a misses; gone; x writes A", "a", "saw nothing, family of 2"},
		{"unknown a misses; gone; x writes A", "a", "saw nothing, family of 2"},
		{"some a misses; x removes -; x writes B", "a", "family of 2"},

		// An answer to one of a family is one to all of it, for a minute.
		{"none a asks 1; a dies; wait 61; x writes A", "c", "family of 4"},
		{"none c opens 1; a asks 1; a dies", "c began 1", "family of 4"},
		{"none a asks 1; c opens 1; a finds 1; a dies", "c began 1", "saw nothing, alone, family of 4"},
	})
}

// After a restart of an older build nobody knows since when the registry exists: content that a
// process has removed is none that it has seen since.
func TestRemovalIsNoContent(t *testing.T) {
	h := newHistory(t)
	h.v.Existed()
	a := process("a")
	h.v.Read(a, h.content("A"), 0, nil)
	h.v.actors[a.Actor].views = nil
	h.v.Removed(a)
	h.v.Missed(a, 1, h.v.cfg.Next())
	h.do("x writes B")
	if got, want := h.of("a"), "saw nothing, memory, removed"; got != want {
		t.Errorf("it has seen %q, want %q", got, want)
	}
	h.do("a reads B")
	if got, want := h.of("a"), "looked nothing, read B, memory, removed"; got != want {
		t.Errorf("it has seen %q, want %q", got, want)
	}
}

// The answers that are remembered are bounded: the newest of one process, and the
// processes that asked last; the ended ones among them only as long as they may matter.
func TestAnswersAreBounded(t *testing.T) {
	h := newHistory(t)
	h.v.Vanished()
	asker := func(n int) Caller { return Caller{Actor: Actor{PID: 1000 + n, Start: 1}} }
	for n := range maxLookers {
		h.now = h.now.Add(time.Second)
		h.v.Missed(asker(n), 1, h.v.cfg.Next())
	}
	h.now = h.now.Add(time.Second)
	h.v.Missed(asker(0), 1, h.v.cfg.Next())
	h.v.Missed(asker(maxLookers), 1, h.v.cfg.Next())
	knows := func(n int) bool { return h.v.absences.looks[asker(n).Actor] != nil }
	if len(h.v.absences.looks) != maxLookers || !knows(0) || knows(1) || !knows(2) || !knows(maxLookers) {
		t.Errorf("%d processes are remembered; the first, which asked again: %t; the second: %t; the third: %t; the last: %t",
			len(h.v.absences.looks), knows(0), knows(1), knows(2), knows(maxLookers))
	}
	first := h.tick + 1
	for range maxLooks {
		h.v.Missed(asker(5), 1, h.v.cfg.Next())
	}
	if answers := h.v.absences.looks[asker(5).Actor].answers; len(answers) != maxLooks || answers[0].at != first {
		t.Errorf("%d answers are remembered, the first of %d, want %d of %d", len(answers), answers[0].at, maxLooks, first)
	}

	of := h.v.absences.looks[asker(5).Actor]
	for range maxLooks + 3 {
		of.uses(h.v.cfg.Next())
	}
	if len(of.used) != maxLooks || of.used[maxLooks-1] != h.tick || of.usedSince(h.tick-2) != 2 {
		t.Errorf("%d uses are remembered, the last one at %d of %d", len(of.used), of.used[maxLooks-1], h.tick)
	}

	h = newHistory(t)
	h.v.Vanished()
	for _, step := range []string{"a asks 1", "b asks 1", "wait 31", "c asks 1", "a dies", "c dies"} {
		h.do(step)
	}
	h.v.Prune()
	for name, want := range map[string]bool{"a": false, "b": true, "c": true} {
		if got := h.v.absences.looks[process(name).Actor] != nil; got != want {
			t.Errorf("%s is remembered: %t", name, got)
		}
	}
	if !h.v.Empty(true) || h.v.Empty(false) || !h.v.AnyMissed() {
		t.Error("answers are not content, but they are something")
	}
	h = newHistory(t)
	h.v.Vanished()
	h.do("a asks 1")
	h.do("a calls 1")
	if h.v.AnyMissed() || !h.v.Empty(false) {
		t.Error("somebody is remembered who was told nothing")
	}
	h.do("a reads A")
	if h.v.Empty(true) || h.v.Empty(false) {
		t.Error("a reading is content")
	}
}

// A writer that was told that there is nothing, and has made its content from something
// else, has used that answer up. So it is not in hand when it writes next.
func TestAnswerIsUsedUpByAnotherChoice(t *testing.T) {
	const used, unused = "wrote B, alone, memory, last B", "task saw nothing, wrote B, memory, last B"
	for _, row := range []struct {
		struck      Reason
		task, taken bool
		want        string
	}{
		{"", false, false, unused},
		{Reverted, false, false, used},
		{Reverted, true, false, unused},
		{"", false, true, used},
	} {
		h := newHistory(t)
		h.tell("some a reads A; a removes -; a asks 1")
		c := Choice{Judged: []Judged{{Candidate: Candidate{Kind: Nothing}, Struck: Reverted}}} // told of its directory
		for _, one := range h.v.Of(Origin{Caller: process("a"), Event: h.tick, At: h.now}).Candidates {
			if one.Kind != Nothing {
				continue
			}
			if row.taken {
				c.Taken = &one
			}
			one.Task = row.task
			c.Judged = append(c.Judged, Judged{Candidate: one, Struck: row.struck})
		}
		h.do("a writes B")
		h.v.UseChoice(&c)
		if got := h.of("a"); got != row.want {
			t.Errorf("struck for %q (a task's: %v, taken: %v): then it has seen %q, want %q", row.struck, row.task, row.taken, got, row.want)
		}
	}
}
