package seen

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// history is a table of views, and processes by name: sh has the children a, b and c;
// d is a's child, and f its fork; x and y are strangers; nobody can't be told.
type history struct {
	t       *testing.T
	v       *Views
	tick    Tick
	now     time.Time
	dead    map[Actor]bool
	text    map[*Content]string
	handles map[string]*handle // by process and number
	missed  []Absence
}

// handle is a file that a process has open.
type handle struct {
	pass *Reading
	at   Tick
	time time.Time
	seen *Seen // by its process as it began to write; nil: it has not begun
}

func newHistory(t *testing.T) *history {
	h := &history{t: t, now: time.Unix(1_800_000_000, 0), dead: map[Actor]bool{}, text: map[*Content]string{nil: "nothing"}, handles: map[string]*handle{}}
	h.v = New(&Config{
		ReadWindow: 30 * time.Second, KinWindow: time.Minute,
		Now: func() time.Time { return h.now }, Next: func() Tick { h.tick++; return h.tick }, Alive: func(a Actor) bool { return a.PID > 0 && !h.dead[a] },
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

// tell makes the steps of a story. Its first word may say whether the registry was there
// before: "some", "none" or "unknown". Else it was, unless the story is of a process that asks for it in vain.
func (h *history) tell(story string) {
	said, rest, _ := strings.Cut(story, " ")
	asks := strings.Contains(story, "asks") && !strings.Contains(story, "removes")
	switch {
	case said == "unknown":
	case said == "none" || said != "some" && asks:
		h.v.Vanished()
	default:
		h.v.Existed()
	}
	if said == "none" || said == "some" || said == "unknown" {
		story = rest
	}
	for step := range strings.SplitSeq(story, ";") {
		h.do(strings.TrimSpace(step))
	}
}

// do makes one step: PROCESS reads, writes, merges (a write that is merged with
// others), redirects (a write by a shell's redirection) or removes CONTENT, asks (and is told
// of nothing) or finds it by THREAD, calls (opens for writing) by THREAD, misses its
// directory, lists that without it, or dies; wait SECONDS; began, after all of them; found,
// a change that nobody has made, or gone, after one. PROCESS opens HANDLE or begins to write by it; then
// it may read or write "by HANDLE", write "from CONTENT", "merged" or "beside" unsaved bytes of its own,
// or put a file in place that was begun at an unknown time, "until HANDLE" was opened.
func (h *history) do(step string) {
	words := strings.Fields(step)
	switch words[0] {
	case "wait":
		var seconds int
		fmt.Sscan(words[1], &seconds)
		h.now = h.now.Add(time.Duration(seconds) * time.Second)
		return
	case "began":
		h.v.cfg.Began = 100
		return
	case "gone":
		h.v.Vanished()
		return
	case "found":
		h.v.Changed()
		if h.v.absences.began == forever {
			h.v.Appeared()
		}
		return
	}
	c := process(words[0])
	at := h.v.cfg.Next()
	switch words[1] {
	case "opens":
		h.handles[words[0]+words[2]] = &handle{pass: NewReading(at), at: at, time: h.now}
	case "begins":
		saw := h.v.Of(Origin{Caller: c, Event: at, At: h.now})
		h.handles[words[0]+words[2]] = &handle{pass: NewReading(at), at: at, time: h.now, seen: &saw}
	case "reads":
		on := h.handle(words, at)
		h.v.Read(c, h.content(words[2]), on.at, on.pass)
	case "writes", "merges", "redirects", "puts":
		h.write(c, words, at)
	case "removes":
		h.v.Changed(c)
		h.v.Vanished()
		h.v.Removed(c)
	case "asks":
		h.v.Missed(c, int(words[2][0]-'0'), at)
	case "finds":
		h.v.Found(c, int(words[2][0]-'0'))
	case "calls":
		h.v.PartOfCall(c, int(words[2][0]-'0'))
	case "misses", "lists":
		h.missed = append(h.missed, Absence{By: c, At: at, Time: h.now, Listed: words[1] == "lists"})
	case "dies":
		h.dead[c.Actor] = true
	default:
		h.t.Fatal(step)
	}
}

func (h *history) content(text string) *Content {
	for known, is := range h.text {
		if is == text {
			return known
		}
	}
	made := NewContent([]byte(text))
	h.text[made] = text
	return made
}

// option returns the word behind another one, "" where that is not there.
func option(words []string, name string) string {
	if i := slices.Index(words, name); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// handle returns the handle that a step names, or one that was opened by it.
func (h *history) handle(words []string, at Tick) *handle {
	if by := option(words, "by"); by != "" {
		return h.handles[words[0]+by]
	}
	return &handle{pass: NewReading(at), at: at, time: h.now}
}

func (h *history) write(c Caller, words []string, at Tick) {
	on := h.handle(words, at)
	w := Write{
		Content: h.content(words[2]), Begun: on.at,
		Merged: words[1] == "merges" || slices.Contains(words, "merged"), Redirected: words[1] == "redirects", Overlaps: slices.Contains(words, "beside"),
	}
	if words[1] == "puts" {
		w.Begun = 0
	}
	if until := option(words, "until"); until != "" {
		w.Ended = h.handles[words[0]+until].at
	}
	if from := option(words, "from"); from != "" {
		saw := h.v.Of(Origin{Caller: c, Event: at, At: h.now})
		if on.seen != nil {
			saw = *on.seen
		}
		cands := distinct(saw.Candidates)
		i := slices.IndexFunc(cands, func(c Candidate) bool { return h.text[c.Content] == from })
		if i < 0 {
			h.t.Fatalf("%v: %s is no candidate", words, from)
		}
		w.From = &cands[i]
	}
	h.v.Changed(c)
	if h.v.absences.began == forever {
		h.v.Appeared()
	}
	h.v.Wrote(c, w)
	h.v.Use(w.From)
}

// of tells the views of a writer: a PROCESS that writes now; with > behind it by a shell's
// redirection, with ~ a temporary file. It "began HANDLE": its first write was then; it
// "opened HANDLE": then it opened a file that it writes from its beginning.
func (h *history) of(writer string) string {
	words := strings.Fields(writer)
	name, redirected := strings.CutSuffix(words[0], ">")
	name, aside := strings.CutSuffix(name, "~")
	o := Origin{Caller: process(name), Event: h.tick, At: h.now, Redirected: redirected, Aside: aside, Missed: h.missed}
	if on := option(words, "began"); on != "" {
		o.Event, o.At = h.handles[name+on].at, h.handles[name+on].time
	}
	if on := option(words, "opened"); on != "" {
		o.Opened = h.handles[name+on].at
	}
	return h.describe(h.v.Of(o))
}

func (h *history) describe(s Seen) string {
	var out []string
	for _, c := range s.Candidates {
		kind := map[Kind]string{Read: "read", Wrote: "wrote", Nothing: "saw", InFlight: "writes"}[c.Kind]
		switch {
		case c.Looked:
			kind = "looked"
		case c.Late:
			kind = "late " + kind
		case c.Task:
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

// A story has the steps of several processes, and the views of one of them then.
type story struct{ steps, writer, want string }

func tellStories(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		h := newHistory(t)
		h.tell(s.steps)
		if got := h.of(s.writer); got != s.want {
			t.Errorf("{%q, %q, %q},\nwant %q", s.steps, s.writer, got, s.want)
		}
		if err := h.v.CheckInvariants(); err != nil {
			t.Errorf("%s: %v", s.steps, err)
		}
	}
}
