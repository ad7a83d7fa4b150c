package seen_test

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// Each row of the table of reasons in docs/SEMANTICS.md is true of Choose, and each
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

// Where the table has no row: candidates of one content, and the signs of another task's write.
// Each row is as in the table.
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
		"a program with a memory that saves again, unread, has changed nothing": {
			seen.Only, "process", "wrote `['a']`", `['a']`, "1"},
		"one without a memory that has read since returns to what it wrote": {
			seen.Newest, "family", "wrote `['a']`, read `['a','q']`", `['a']`, "2"},
		"a last write that is no document is not written again": {
			seen.Only, "family", "read `['b']`, last `{`", `['a']`, "1"},
		"only nothing is nearer for what a newer view has": {
			seen.Closest, "process", "read `{'v':true,'w':true}`, read `{'v':null,'w':null}`", `{'v':false,'w':null}`, "2"},
		"an empty document that was made from nothing takes nothing away": {
			seen.Closest, "family", "nothing ``, read `{'a':true,'b':true}`", `{}`, "1"},
		"a program that was told of nothing, and has read nothing since, changes nothing by saving again": {
			seen.Closest, "process", "wrote `['a']`, nothing ``", `['a']`, "1"},
		"what another of the writers wrote is no state to come back to": {
			seen.Closest, "process", "theirs `[true]`, read `[false]`", `[true]`, "1"},
		"a task's reading that is written again is a revert": {
			seen.Reverted, "process", "task `['a']`, wrote `['a','b']`", `['a']`, "2"},
		"defaults prove nothing beside an entry in the place of another's": {
			seen.Closest, "process", "recent `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "1"},
		"… however many they are": {
			seen.Closest, "process", "recent `{}`, recent `{'v':'1','w':'2','p':{'a':true}}`", `{'v':'1','w':'2','p':{'b':true}}`, "1"},
		"… nor do they in lists": {
			seen.Closest, "process", "recent `{'l':[]}`, recent `{'v':'1','l':[{'id':'a'}]}`", `{'v':'1','l':[{'id':'b'}]}`, "1"},
		"… nor do they where others have gone on": {
			seen.Closest, "process", "recent `{}`, recent `{'v':'1','p':{'a':true}}`, recent `{'v':'1','p':{'a':true,'c':true}}`", `{'v':'1','p':{'b':true}}`, "1"},
		"… but they do if it was read long ago": {
			seen.Refuted, "process", "read `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "2"},
		"… or if the process has written since": {
			seen.Refuted, "process", "wrote `{'w':true}`, recent `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "3"},
		"… or if it was written by another of the writers, too": {
			seen.Refuted, "process", "theirs `{}`, recent `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "3"},
		"… or of a family, which reads no check": {
			seen.Refuted, "family", "recent `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "2"},
		"… or where another entry beside it was taken over": {
			seen.Refuted, "process", "recent `{}`, recent `{'v':'1','p':{'a':'x','z':'y'}}`", `{'v':'1','p':{'b':'w','z':'y'}}`, "2"},
		"… or where the entry has got another name": {
			seen.Refuted, "process", "recent `{}`, recent `{'v':'1','p':{'a':{'n':'x'}}}`", `{'v':'1','p':{'b':{'n':'x'}}}`, "2"},
		"… or where what is gone was there before": {
			seen.Refuted, "process", "recent `{'p':{'a':true}}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "2"},
		"… or where nothing was put in its place": {
			seen.Refuted, "process", "recent `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{}}`, "2"},
		"of three that are read the content tells the newest": {
			seen.Told, "process", "read `[]`, read `['b']`, read `['b','c']`", `['b','c','d']`, "3"},
		"of two that are left the nearer is taken": {
			seen.Closest, "process", "read `[]`, read `{'c':'x'}`, read `{'c':'x','v':true}`", `{'c':'x','v':false}`, "2"},
		"what is in flight and no document proves nothing": {
			seen.Unparsed, "process", "in flight `{`, read `['b']`, read `['b','c']`", `['b','d']`, "2"},
		"what is no document can't tell what is new in flight": {
			seen.Told, "process", "read `{`, read `{'v':true}`, in flight `{'v':true,'q':'x'}`", `{'v':false,'q':'x'}`, "3"},
		"what is no document refutes nothing": {
			seen.Unparsed, "process", "read `{'a':true}`, read `{`", `{'a':false}`, "1"},
		"what is no document makes nothing no nearer": {
			seen.Closest, "family", "nothing ``, read `{'z':true}`, read `{`", `{'z':false}`, "2"},
		"a content is recent if it was read lately, though first long ago": {
			seen.Closest, "process", "read `{}`, recent `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "2"},
		"… or though another handle has it from long ago": {
			seen.Closest, "process", "recent `{}`, read `{}`, recent `{'v':'1','p':{'a':true}}`", `{'v':'1','p':{'b':true}}`, "2"},
		"what was only looked at is a check, if the content replaces it": {
			seen.Closest, "process", "looked ``, read `{'d':true,'q':'x'}`", `{'d':true,'p':'y'}`, "1"},
		"… and is gone on from, if it is only added to": {
			seen.Refuted, "process", "looked ``, read `{'a':true}`", `{'a':true,'b':true}`, "2"},
		"what is not proved is not refuted, too": {
			seen.Unproved, "process", "in flight `{'x':'1'}`, read `{'z':'1'}`, read `{'z':'1','q':'2'}`", `{'z':'1','q':'3'}`, "2"},
		"nothing that no other task asked for makes no write another task's": {
			seen.Farther, "process", "nothing ``, wrote `{'a':true}`", `{'b':true}`, "1"},
		"a task that came late and is refuted proves no other task": {
			seen.Closest, "process", "late `{'x':true,'y':true,'z':true}`, read `{'c':'1'}`, wrote `{'x':true,'y':true,'z':true,'t':'q'}`", `{'c':'1','x':true,'y':true,'z':true}`, "3"},
		"a task that came late and changes nothing proves no other task": {
			seen.Reverted, "process", "late `['a']`, wrote `['a','q']`", `['a']`, "2"},
		"a write that tells nothing is no other task's": {
			seen.Farther, "process", "late `{'v':true,'w':true}`, wrote `{'v':false,'w':true}`", `{'v':true,'w':false}`, "1"},
		"a write whose entry the content has is no other task's": {
			seen.Refuted, "process", "late `{}`, wrote `{'q':'x'}`", `{'q':'x','p':'y'}`, "2"},
		"from nothing, late, and with all of the last write": {
			seen.Told, "process", "late nothing ``, wrote `{'a':'x'}`", `{'a':'x','b':true}`, "2"},
		"from nothing, late, with all of a last write that tells nothing": {
			seen.Closest, "process", "late nothing ``, wrote `{'a':true}`", `{'a':true,'b':true}`, "2"},
		"a counter that goes on from the last write shows that it is known": {
			seen.GoneOn, "process", "late `{'rev':1,'m':['x']}`, wrote `{'rev':2,'m':['x','q']}`", `{'rev':3,'m':['x']}`, "2"},
		"a write of which the content has a part is no other task's": {
			seen.Closest, "process", "late `{}`, wrote `{'q':'x','v':true}`", `{'v':true,'p':'y'}`, "2"},
		"another task's write that nothing goes on from": {
			seen.Closest, "process", "other `{'n':'a','b':true}`, wrote `{'n':'b','b':false}`", `{'n':'c','b':true}`, "1"},
		"a third value where the last write is another task's": {
			seen.OtherTask, "process", "late `{'n':'a'}`, wrote `{'n':'b'}`", `{'n':'c'}`, "1"},
		"a task's reading that nothing goes on from": {
			seen.Closest, "process", "task `{'v':true,'w':true}`, wrote `{'v':false,'w':true}`", `{'v':true,'w':false}`, "1"},
		"a task's reading that is no document": {
			seen.Unparsed, "process", "task `{`, wrote `['a']`", `['a','b']`, "2"},
		"a last write that is no document": {
			seen.Unparsed, "process", "asked ``, wrote `{`", `{'b':true}`, "1"},
		"of two equal readings the newer one is no task's, nor is the older": {
			seen.Farther, "process", "task `{'n':'1','b':true,'c':true}`, read `{'n':'1','b':true,'c':true}`, wrote `{'n':'2','b':false,'c':false}`", `{'n':'3','b':true,'c':true}`, "2"},
	} {
		quoted := strings.NewReplacer("'", `"`)
		row.cands, row.content = quoted.Replace(row.cands), quoted.Replace(row.content)
		t.Run(name, func(t *testing.T) { walkReason(t, row.reason, row.author, row.cands, row.content, row.want) })
	}
}

var seenCell = regexp.MustCompile("(read|recent|wrote|theirs|task|late|late nothing|in flight|other|last|nothing|looked|asked) `([^`]*)`")

func walkReason(t *testing.T, reason seen.Reason, author, candidates, content, want string) {
	k := seen.Knowledge{Memory: author == "process" || author == "remover", Removed: author == "remover", Alone: author == "alone", Noted: 1}
	var cands []seen.Candidate
	for i, m := range seenCell.FindAllStringSubmatch(candidates, -1) {
		c := seen.Candidate{Content: seen.NewContent([]byte(m[2])), At: seen.Tick(i + 1)}
		switch m[1] {
		case "wrote":
			c.Kind = seen.Wrote
			k.Last, k.ReadSince = c.Content, false
		case "read", "recent":
			c.Recent, k.ReadSince = m[1] == "recent", k.Last != nil
		case "in flight":
			c.Kind = seen.InFlight
		case "task":
			c.Task = true
		case "late":
			c.Task, c.Late = true, true
		case "late nothing":
			c.Kind, c.Content, c.Task, c.Late = seen.Nothing, nil, true, true
		case "looked":
			c.Kind, c.Content, c.Looked = seen.Nothing, nil, true
		case "theirs": // another writer's write
			c.Kind = seen.Wrote
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
	choose := func(cands []seen.Candidate) seen.Choice {
		return seen.Choose(cands, seen.NewContent([]byte(content)), doc, k, seen.Documents{Parse: parse})
	}
	got := choose(cands)
	backward := slices.Clone(cands)
	slices.Reverse(backward)
	if first, again := verdicts(got), verdicts(choose(backward)); first != again {
		t.Errorf("in another order the choice is another one: %s, then %s", first, again)
	}
	if !slices.IsSortedFunc(backward, func(a, b seen.Candidate) int { return cmp.Compare(b.At, a.At) }) {
		t.Errorf("the candidates have changed: %+v", backward)
	}
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
		if (j.Struck == "") != (j.At == got.Taken.At) {
			t.Errorf("%d was taken, and of %d it says %q", got.Taken.At, j.At, j.Struck)
		}
	}
	if !found {
		t.Errorf("taken because %q, and the others: %+v", got.Why, got.Judged)
	}
}

// verdicts writes down a choice.
func verdicts(c seen.Choice) string {
	s := fmt.Sprintf("head %t, %q", c.Head, c.Why)
	for _, j := range c.Judged {
		s += fmt.Sprintf("; of %d: %d leaves, %q", j.At, j.Leaves, j.Struck)
	}
	return s
}

// A program that has read a growing list again and again, and writes it for the first time, pays
// not much more for its readings than one that has read them long ago.
func TestManyReadingsCostLittle(t *testing.T) {
	const readings = 256
	var entries []string
	var cands [2][]seen.Candidate // long ago, and recent
	docs := make(map[*seen.Content]*jsondoc.Doc)
	parse := func(c *seen.Content) (*jsondoc.Doc, error) {
		if docs[c] == nil {
			d, err := jsondoc.Parse(c.Bytes, jsondoc.JSON, jsondoc.Limits{Depth: 100, Size: 1 << 20})
			if err != nil {
				return nil, err
			}
			docs[c] = d
		}
		return docs[c], nil
	}
	list := func(entries ...string) *seen.Content {
		return seen.NewContent([]byte(`{"v":"1","l":[` + strings.Join(entries, ",") + `]}`))
	}
	for i := range readings {
		entries = append(entries, fmt.Sprintf(`{"id":"e%d","v":%d}`, i, i))
		for recent := range cands {
			cands[recent] = append(cands[recent], seen.Candidate{Content: list(entries...), At: seen.Tick(i + 1), Recent: recent == 1})
		}
	}
	written := list(append(entries[:100:100], `{"id":"own","v":1}`)...)
	doc, err := parse(written)
	if err != nil {
		t.Fatal(err)
	}
	took := func(recent int) time.Duration {
		begun := time.Now()
		seen.Choose(cands[recent], written, doc, seen.Knowledge{Memory: true, Noted: 1}, seen.Documents{Parse: parse})
		return time.Since(begun)
	}
	took(0) // parses
	took(1)
	if old, recent := min(took(0), took(0), took(0)), min(took(1), took(1), took(1)); recent > 10*old {
		t.Errorf("it takes %s, and where all was read long ago %s", recent, old)
	}
}
