package seen_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// Each row of the table of reasons in docs/SEMANTICS.md is what Choose does, and each
// reason has a row.
func TestReasonsAreAsTheDocumentSays(t *testing.T) {
	text, err := os.ReadFile("../../docs/SEMANTICS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| reason | author | seen, oldest first | content | made from |\n")
	if !ok {
		t.Fatal("docs/SEMANTICS.md has no table of reasons")
	}
	told := map[seen.Reason]bool{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		reason := seen.Reason(cells[0])
		told[reason] = true
		t.Run(cells[0], func(t *testing.T) { walkReason(t, reason, cells[1], cells[2], strings.Trim(cells[3], "`"), cells[4]) })
	}
	for _, r := range []seen.Reason{
		seen.Alone, seen.Again, seen.Only, seen.Newest, seen.Told, seen.Closest,
		seen.Refuted, seen.GoneOn, seen.Reverted, seen.Unproved, seen.OtherTask, seen.Farther, seen.Unparsed,
	} {
		if !told[r] {
			t.Errorf("docs/SEMANTICS.md has no example of %q", r)
		}
	}
}

// Where the table has no row: candidates of one content, and what makes a write another
// task's. Each row is as in the table.
func TestChoice(t *testing.T) {
	for name, row := range map[string]struct {
		reason                       seen.Reason
		author, cands, content, want string
	}{
		"one content is one candidate, the newest": {
			seen.Told, "process", "read `['a']`, read `['b']`, read `['a']`", `['a','c']`, "3"},
		"a reading beside a task's is none of the task's": {
			seen.Closest, "process", "read `{'v':true}`, wrote `{'v':false}`, task `{'v':true}`", `{'v':true}`, "3"},
		"a task's content is late if it was once": {
			seen.OtherTask, "process", "late `{'m':['x']}`, task `{'m':['x']}`, wrote `{'m':['x','q']}`", `{'m':['x','p']}`, "2"},
		"… or is now": {
			seen.OtherTask, "process", "task `{'m':['x']}`, late `{'m':['x']}`, wrote `{'m':['x','q']}`", `{'m':['x','p']}`, "2"},
		"content in flight that was read needs no proof": {
			seen.Closest, "process", "in flight `{}`, read `{}`, read `{'q':'x'}`", `{'p':'y'}`, "2"},
		"a reading that is in flight now needs none": {
			seen.Closest, "process", "read `{}`, in flight `{}`, read `{'q':'x'}`", `{'p':'y'}`, "2"},
		"a write that was read again is a write": {
			seen.GoneOn, "process", "task `{'is':'idle','n':'a'}`, wrote `{'is':'busy','n':'b'}`, read `{'is':'busy','n':'b'}`", `{'is':'idle','n':'c'}`, "3"},
		"a family's tie goes to the newest": {
			seen.Closest, "family", "read `{'v':true}`, read `{'v':null}`", `{'v':false}`, "2"},
		"a process's tie goes to the oldest": {
			seen.Closest, "process", "read `{'v':true}`, read `{'v':null}`", `{'v':false}`, "1"},
		"after a write a tie goes to the newest": {
			seen.Closest, "process", "wrote `{'v':true}`, read `{'v':null}`", `{'v':false}`, "2"},
		"content in flight alone is nothing seen": {
			"", "process", "in flight `{'v':true}`", `{'v':false}`, "none"},
		"alone, but for content in flight": {
			seen.Told, "alone", "wrote `{'v':true}`, in flight `{'v':true,'q':'x'}`", `{'v':false,'q':'x'}`, "2"},
		"another task's write is no state to come back to": {
			seen.Closest, "process", "other `['a']`, read `['a','q']`", `['a']`, "1"},
		"a reading is no write to come back to": {
			seen.Closest, "process", "last `['a']`, read `['a']`, read `['a','q']`", `['a']`, "2"},
		"a write that is made again after a removal": {
			seen.Again, "remover", "wrote `['a']`, read `['a','q']`", `['a']`, "the head"},
		"a write that is spelled anew is the same": {
			seen.Again, "family", "wrote `['a', 1.0]`", `['a',1.0]`, "the head"},
		"another write after a removal": {
			seen.Told, "remover", "wrote `['a']`, read `['a','q']`", `['a','q','p']`, "2"},
		"a value that a newer view has makes it no farther from nothing": {
			seen.Closest, "process", "nothing ``, read `{'a':true,'b':true,'c':true,'q':'x'}`", `{'a':true,'b':true,'c':true,'p':'y'}`, "1"},
		"content that has all of the newer one is not made from nothing": {
			seen.Refuted, "process", "nothing ``, read `{'a':'x'}`", `{'a':'x','p':'y'}`, "2"},
		"a task that asked made it, if it lacks what the last write has": {
			seen.OtherTask, "process", "asked ``, wrote `{'a':true}`", `{'b':true}`, "1"},
		"… and not if it lacks nothing": {
			"", "process", "asked ``, wrote `{'a':true}`", `{'a':true,'b':true}`, "2"},
		"the newest view is no state to come back to": {
			seen.Closest, "process", "wrote `['a']`, read `['a','q']`, read `['a']`", `['a']`, "3"},
		"content in flight is no state to come back to": {
			"", "family", "in flight `['a']`, read `['b']`", `['a']`, "1"},
		"an earlier write is no state to come back to": {
			"", "process", "wrote `['a']`, wrote `['b']`, read `['c']`", `['a']`, "1"},
		"only a task's reading is gone on from": {
			seen.Closest, "family", "read `{'is':'idle','n':'a'}`, wrote `{'is':'busy','n':'b'}`", `{'is':'idle','n':'c'}`, "1"},
		"another task's write is not gone on from": {
			seen.Closest, "process", "task `{'is':'idle','n':'a'}`, other `{'is':'busy','n':'b'}`", `{'is':'idle','n':'c'}`, "1"},
		"a reading is not gone on from": {
			seen.Closest, "process", "task `{'is':'idle','n':'a'}`, read `{'is':'busy','n':'b'}`", `{'is':'idle','n':'c'}`, "1"},
	} {
		quoted := strings.NewReplacer("'", `"`)
		row.cands, row.content = quoted.Replace(row.cands), quoted.Replace(row.content)
		t.Run(name, func(t *testing.T) { walkReason(t, row.reason, row.author, row.cands, row.content, row.want) })
	}
}

var seenCell = regexp.MustCompile("(read|wrote|task|late|in flight|other|last|nothing|asked) `([^`]*)`")

func walkReason(t *testing.T, reason seen.Reason, author, candidates, content, want string) {
	k := seen.Knowledge{Memory: author == "process" || author == "remover", Removed: author == "remover", Alone: author == "alone", Noted: 1}
	var cands []seen.Candidate
	for i, m := range seenCell.FindAllStringSubmatch(candidates, -1) {
		c := seen.Candidate{Content: seen.NewContent([]byte(m[2])), At: seen.Tick(i + 1)}
		switch m[1] {
		case "wrote":
			c.Kind = seen.Wrote
			k.Last, k.ReadSince = c.Content, false
		case "read":
			k.ReadSince = k.Last != nil
		case "in flight":
			c.Kind = seen.InFlight
		case "task":
			c.Task = true
		case "late":
			c.Task, c.Late = true, true
		case "nothing":
			c.Kind, c.Content = seen.Nothing, nil
		case "asked": // by another task
			c.Kind, c.Content, c.Task = seen.Nothing, nil, true
		case "other": // its last write, by another task
			c.Kind, c.Task = seen.Wrote, true
			k.Last, k.ReadSince = c.Content, false
		case "last": // its last write, which is no candidate
			k.Last, k.ReadSince = c.Content, false
			continue
		}
		cands = append(cands, c)
	}
	doc, err := jsondoc.Parse([]byte(content), jsondoc.JSON, jsondoc.Limits{Depth: 100, Size: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	parse := func(c *seen.Content) (*jsondoc.Doc, error) {
		return jsondoc.Parse(c.Bytes, jsondoc.JSON, jsondoc.Limits{Depth: 100, Size: 1 << 20})
	}
	got := seen.Choose(cands, seen.NewContent([]byte(content)), doc, k, seen.Documents{Parse: parse})
	if want == "the head" {
		if !got.Head || got.Why != reason {
			t.Errorf("made from %+v, %q", got.Taken, got.Why)
		}
		return
	}
	if want == "none" {
		if got.Head || got.Taken != nil {
			t.Errorf("made from %+v, %q", got.Taken, got.Why)
		}
		return
	}
	contents := map[[32]byte]bool{}
	for _, j := range got.Judged {
		if j.Content == nil {
			continue
		}
		if contents[j.Content.Digest] {
			t.Errorf("%s is judged twice", j.Content.Bytes)
		}
		contents[j.Content.Digest] = true
	}
	n, err := strconv.Atoi(want)
	if err != nil || got.Head || got.Taken == nil || got.Taken.At != seen.Tick(n) {
		t.Errorf("made from %+v (head: %v), want candidate %s", got.Taken, got.Head, want)
	}
	found := got.Why == reason || reason == ""
	for _, j := range got.Judged {
		found = found || j.Struck == reason
	}
	if !found {
		t.Errorf("taken because %q, and the others: %+v", got.Why, got.Judged)
	}
}
