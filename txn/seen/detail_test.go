package seen_test

import (
	"strings"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// Details of the rules for which docs/SEMANTICS.md has no example. A candidate is its kind, the
// signs "task" and "late", and its content; without content it is that there is nothing. An
// author with a memory is a process, one without is a family.
var details = []struct {
	name, author, seen, content string
	want                        int // the place of the candidate among those seen
}{
	{"of equal contents the newest counts", "process", `read ["a"]; read ["b"]; read ["a"]`, `["c"]`, 2},
	{"of equal contents one that comes late does", "process", `late read ["a"]; wrote ["a","q"]; read ["a"]`, `["a","c"]`, 3},
	{"what was seen again is no task's", "process", `task read {"n":"1"}; wrote {"n":"2","m":"1"}; read {"n":"1"}`, `{"n":"1"}`, 3},
	{"what was written, and read since, was written", "process", `wrote ["a"]; read ["a","q"]; read ["a"]; read ["a","z"]`, `["a"]`, 4},
	{"as from nothing each leaf is one", "family", `read ["a","b"]; nothing`, `["a","b","c"]`, 1},
	{"what a late task had in hand is no write of before", "process", `late wrote ["a"]; wrote ["a","b"]; read ["a","b","q"]`, `["a"]`, 1},
	{"what is in flight proves nothing in flight", "process", `read {"a":"1","b":false,"c":false}; in flight {}; in flight {"a":"1","b":true,"c":true}`, `{"a":"1","b":true,"c":true,"d":true}`, 1},
	{"what is not proved refutes nothing", "process", `read {"z":"1"}; in flight {"p":"2"}; in flight {"z":"1","t":true}`, `{"z":"1","p":"2"}`, 2},
	{"two that begin with nothing have one default", "process", `task nothing; wrote {"d":"1","v":"q"}`, `{"d":"1","v":"p"}`, 1},
	{"a late task that is refuted proves nothing", "process", `late read {}; read {"c":"1"}; wrote {"x":true,"y":true,"z":true,"t":"q"}`, `{"c":"1","x":true,"y":true,"z":true}`, 3},
	{"what no task has in hand is not gone on from", "process", `read {"n":"1","m":"x"}; wrote {"n":"2","m":"y"}`, `{"n":"3","m":"x"}`, 1},
	{"what a task has written is not gone on from", "process", `late wrote {"n":1,"b":true}; wrote {"n":2,"b":false}`, `{"n":3,"b":true}`, 1},
	{"where nothing can be compared the newest counts", "process", `read {; read {"`, `{"a":"c"}`, 2},
	{"what is in flight is no earlier state", "family", `in flight ["x"]; read ["a"]`, `["x"]`, 1},
}

func TestDetailsOfTheChoice(t *testing.T) {
	limits := jsondoc.Limits{Depth: 100, Size: 1 << 20}
	parse := func(c *seen.Content) (*jsondoc.Doc, error) { return jsondoc.Parse(c.Bytes, jsondoc.JSON, limits) }
	for _, d := range details {
		t.Run(d.name, func(t *testing.T) {
			k := seen.Knowledge{Memory: d.author == "process", Noted: 1}
			var cands []seen.Candidate
			for i, one := range strings.Split(d.seen, "; ") {
				c := candidate(one, seen.Tick(i+1))
				switch {
				case c.Kind == seen.Wrote && !c.Task:
					k.Last, k.ReadSince = c.Content, false
				case c.Kind == seen.Read && !c.Task:
					k.ReadSince = k.Last != nil
				}
				cands = append(cands, c)
			}
			doc, err := jsondoc.Parse([]byte(d.content), jsondoc.JSON, limits)
			if err != nil {
				t.Fatal(err)
			}
			got := seen.Choose(cands, seen.NewContent([]byte(d.content)), doc, k, seen.Documents{Parse: parse})
			if got.Head || got.Taken == nil || got.Taken.At != seen.Tick(d.want) {
				t.Errorf("made from %+v (head: %v), want candidate %d; because %q: %+v", got.Taken, got.Head, d.want, got.Why, got.Judged)
			}
		})
	}
}

// candidate reads one of those that are seen.
func candidate(text string, at seen.Tick) seen.Candidate {
	c := seen.Candidate{At: at, Kind: seen.Nothing}
	words, content := text, strings.IndexAny(text, "[{")
	if content >= 0 {
		words = text[:content]
		c.Content, c.Kind = seen.NewContent([]byte(text[content:])), seen.Read
	}
	for _, word := range strings.Fields(words) {
		switch word {
		case "wrote":
			c.Kind = seen.Wrote
		case "flight":
			c.Kind = seen.InFlight
		case "task":
			c.Task = true
		case "late":
			c.Task, c.Late = true, true
		case "looked":
			c.Looked = true
		}
	}
	return c
}
