package merge_test

import (
	"fmt"
	"strings"
	"testing"

	"clawfs/txn/merge"
)

func TestCompareCountsLeaves(t *testing.T) {
	for _, c := range []struct {
		from, to string
		leaves   int
		empty    bool
	}{
		{`{"a":1.0,"b":"é"}`, `{ "b":"\u00e9", "a":1 }`, 0, true},
		{`{"a":1}`, `{"a":2}`, 1, false},
		{`{"a":1}`, `{"a":{"x":1,"y":[2,3]}}`, 3, false},
		{`{"a":{"x":1,"y":[2,3]}}`, `{}`, 3, false},
		{`{}`, `{"a":{}}`, 1, false},
		{`{"version":1,"updatedAt":1700000000000}`, `{"version":2,"updatedAt":1700000001000}`, 0, false},
		{`{"args":["a","b"]}`, `{"args":["a","c"]}`, 2, false},
		{`["a","b"]`, `["b","a"]`, 1, false},
		{`[{"id":1,"x":1},{"id":2}]`, `[{"id":2,"y":1},{"id":3}]`, 4, false},
		{`[1,2,3]`, `[1,9,3]`, 1, false},
		{`{"o":{"a":1,"b":[2]}}`, `{"o":[1,2,3]}`, 3, false},
		{`{"o":[1,2,3]}`, `{"o":{"a":1,"b":{"c":2}}}`, 3, false},
		{`{"o":[]}`, `{"o":{}}`, 0, true}, // PHP and Lua write one for the other
		{`{"o":{}}`, `{"o":5}`, 1, false},
		{`[["p"],["a"],["b"],["a"],["c"],["q"]]`, `[["x"],["b"],["a"],["c"],["y"]]`, 5, false},
		{`[["p"],["a"],["b"],["a"],["b"],["q"]]`, `[["x"],["a"],["b"],["y"]]`, 6, false},
		{`{"a":{},"b":{},"c":{},"o":{}}`, `{"a":[],"b":[],"c":[],"o":[1,2]}`, 2, false},
		{`{"a":{},"b":{},"c":{},"o":{"k":1}}`, `{"a":[],"b":[],"c":[],"o":[]}`, 1, false},
		{`{"a":{},"b":{},"c":{},"o":{}}`, `{"a":[],"b":[],"c":[],"o":{"k":1}}`, 1, false},
		{`{"a":[],"b":[],"c":[],"o":[]}`, `{"a":{},"b":{},"c":{},"o":[1,2]}`, 2, false},
		{`{"o":"x"}`, `{"o":["x","y"]}`, 2, false},
		{`[["a","b"],["c"]]`, `[["a","b"],["c","d"]]`, 1, false},
		{`{"updatedAt":"2026-01-01T00:00:00Z"}`, `{"updatedAt":"2026-01-02"}`, 0, false},
		{`{"rev":1}`, `{"rev":"x"}`, 1, false},
		{`{"a":null}`, `{}`, 1, false},
		{`{"a":{"b":{}}}`, `{"a":{}}`, 1, false},
		{`{"messages":[{"role":"user","text":"a"}]}`, `{"messages":[{"role":"user","text":"a"},{"role":"bot","text":"b"}]}`, 2, false},
	} {
		d := merge.Compare(document(t, c.from), document(t, c.to), nil)
		if d.Leaves() != c.leaves || d.Empty() != c.empty {
			t.Errorf("%s to %s: %d leaves, empty %v; wanted %d, %v", c.from, c.to, d.Leaves(), d.Empty(), c.leaves, c.empty)
		}
	}
}

// A program that has seen a change shows it by telling values; weaker signs may come by
// chance.
func TestDeltasTellAndEcho(t *testing.T) {
	base := `{"a":1,"on":false,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`
	for _, c := range []struct {
		one, other    string
		tells, echoes bool
	}{
		{`{"a":2,"on":true,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":2,"on":true,"l":[],"version":1,"seenAt":1700000000000}`, true, true},
		{`{"a":2,"on":false,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":2,"on":true,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, true, false},
		{`{"a":1,"on":null,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":1,"on":true,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, false, false},
		{`{"a":1,"on":true,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":1,"on":true,"l":[{"id":"y"}],"version":1,"seenAt":1700000000000}`, false, true},
		{`{"a":1,"on":true,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":1,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, false, false},
		{`{"a":1,"on":null,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":1,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, false, false},
		{`{"a":1,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":1,"on":null,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, false, false},
		{`{"a":1,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, `{"a":1,"l":[{"id":"x"}],"version":1,"seenAt":1700000000000}`, false, true},
		{`{"a":1,"on":false,"l":[],"version":2,"seenAt":1700000000000}`, `{"a":1,"on":false,"l":[],"version":3,"seenAt":1700000000000}`, false, true},
		{`{"a":1,"on":false,"l":[{"id":"x"}],"version":2,"seenAt":1700000009000}`, `{"a":1,"on":false,"l":[{"id":"x"}],"version":2,"seenAt":1700000009000}`, false, false},
		{`{"a":1,"on":false,"l":[{"id":"x"}],"version":1}`, `{"a":1,"on":false,"l":[{"id":"x"}],"version":1}`, false, false},
	} {
		one := merge.Compare(document(t, base), document(t, c.one), nil)
		other := merge.Compare(document(t, base), document(t, c.other), nil)
		if one.Tells() != c.tells || one.Echoes(other) != c.echoes || other.Echoes(one) != c.echoes {
			t.Errorf("%s, then %s: tells %v, echoes %v; wanted %v, %v", c.one, c.other, one.Tells(), one.Echoes(other), c.tells, c.echoes)
		}
	}
}

// A document may look as if it was made from a later version, and may lack the
// additions of that.
func TestDeltasGoOn(t *testing.T) {
	for _, c := range []struct {
		older, later, made string
		goesOn, misses     bool
	}{
		{`{"s":"idle","n":1}`, `{"s":"busy","n":2}`, `{"s":"idle","n":3}`, true, false},
		{`{"s":"idle","n":1}`, `{"s":"busy","n":2}`, `{"s":"idle","n":2}`, false, false},
		{`{"s":"idle","m":"a"}`, `{"s":"busy","m":"a"}`, `{"s":"idle","m":"b"}`, false, false},
		{`{"on":null}`, `{"on":true}`, `{"on":false}`, false, false},
		{`{"updatedAt":1700000000000}`, `{"updatedAt":1700000001000}`, `{"updatedAt":1700000002000}`, false, false},
		{`{"version":1}`, `{"version":2}`, `{"version":3}`, true, false},
		{`{"version":3}`, `{"version":2}`, `{"version":1}`, true, false},
		{`{"version":1}`, `{"version":3}`, `{"version":2}`, false, false},
		{`{"version":3}`, `{"version":2}`, `{"version":4}`, false, false},
		{`{"a":{"x":1}}`, `{"a":{"x":2}}`, `{"a":[3]}`, false, false},
		{`{"args":["a"]}`, `{"args":["b"]}`, `{"args":["c"]}`, false, false},
		{`{"sizes":[1]}`, `{"sizes":[2]}`, `{"sizes":[3]}`, false, false},
		{`{"n":1,"l":[]}`, `{"n":2,"l":["x"]}`, `{"n":3,"l":[]}`, true, true},
		{`{"n":1}`, `{"n":2,"new":1}`, `{"n":3}`, true, true},
		{`{"n":1,"old":1}`, `{"n":2,"old":1}`, `{"n":3}`, true, false},
		{`[{"id":1}]`, `[{"id":1},{"id":2}]`, `[{"id":1},{"id":3}]`, false, true},
	} {
		older := merge.Compare(document(t, c.older), document(t, c.made), nil)
		later := merge.Compare(document(t, c.later), document(t, c.made), nil)
		if older.GoesOnFrom(later) != c.goesOn || older.Misses(later) != c.misses {
			t.Errorf("%s, %s, %s: goes on %v, misses %v", c.older, c.later, c.made, older.GoesOnFrom(later), older.Misses(later))
		}
	}
}

// These documents were made from the later version, not from the older one.
func TestDeltasTellBeyond(t *testing.T) {
	for _, c := range []struct {
		older, later, made string
		beyond             bool
	}{
		{`{}`, `{"q":"x"}`, `{"q":"x","p":1}`, true},
		{`{}`, `{"q":"x"}`, `{"p":"y"}`, false},
		{`{}`, `{"q":true}`, `{"q":true,"p":1}`, false},
		{`{"q":"w"}`, `{"q":"x"}`, `{"q":"x"}`, true},
		{`{}`, `{"o":{"a":"x"}}`, `{"o":{"a":"x"}}`, true},
		{`{}`, `{"o":{"a":true}}`, `{"o":{"a":true}}`, false},
		{`{}`, `{"o":{"a":{"b":["x"]}}}`, `{"o":{"a":{"b":["x"]}}}`, true},
		{`{}`, `{"o":{"a":"x","b":"y"}}`, `{"o":{"a":"x"}}`, false},
		{`{}`, `{"o":{"a":"x","updatedAt":1700000000000}}`, `{"o":{"a":"x"}}`, true},
		{`{}`, `{"o":{"a":"x"}}`, `{"o":{"a":"z"}}`, false},
		{`{}`, `{"o":{"a":"x"}}`, `{"o":{"a":"x","b":"y"}}`, true},
		{`{"o":{}}`, `{"o":5}`, `{"o":{"a":"x"}}`, false},
		{`[]`, `["a"]`, `["a","b"]`, true},
		{`[]`, `[{"t":"x"}]`, `[{"t":"x"},{"t":"y"}]`, true},
		{`[]`, `[{"t":"x","s":"1"}]`, `[{"t":"x","s":"2"}]`, false},
		{`[]`, `[{"id":"x","s":"1"}]`, `[{"id":"x","s":"1"},{"id":"y"}]`, true},
	} {
		made := document(t, c.made)
		older, later := merge.Compare(document(t, c.older), made, nil), merge.Compare(document(t, c.later), made, nil)
		if got := older.TellsBeyond(later); got != c.beyond {
			t.Errorf("%s, %s, %s: tells beyond %v", c.older, c.later, c.made, got)
		}
	}
}

func TestDeltasTakeAndReplace(t *testing.T) {
	for _, c := range []struct {
		from, to        string
		takes, replaces bool
	}{
		{`{"a":1}`, `{"a":1,"b":2}`, false, false},
		{`{"a":1}`, `{"b":2}`, true, true},
		{`{"a":1}`, `{}`, true, false},
		{`{"a":1}`, `{"a":2}`, true, false},
		{`{"updatedAt":1700000000000}`, `{}`, false, false},
		{`{"updatedAt":1700000000000}`, `{"b":1}`, false, false},
		{`{"version":1}`, `{"version":2}`, false, false},
	} {
		d := merge.Compare(document(t, c.from), document(t, c.to), nil)
		if d.Takes() != c.takes || d.Replaces() != c.replaces {
			t.Errorf("%s, %s: takes %v, replaces %v", c.from, c.to, d.Takes(), d.Replaces())
		}
	}
}

// A delta tells the changes of a document relative to a base, and two of them whether it goes
// on from a later head.
func TestDeltasOfThree(t *testing.T) {
	for _, c := range []struct{ name, base, head, theirs, want string }{
		{"an empty object that became a list", `[{},0]`, `[]`, `[[]]`, `1 takes echoes -0`},
		{"nothing", `["y"]`, `[]`, `["y"]`, `0 keeps`},
		{"an empty object that became a list, a member of the head", `{}`, `{"id":1}`, `[]`, `0`},
		{"an entry for another one", `[{"t":"x"}]`, `[]`, `[{"r":"x"}]`, `2 tells replaces takes echoes +{"r":"x"} -{"t":"x"}`},
		{"two strings, and a number of the head", `[]`, `["v",4]`, `["p","v"]`, `2 tells +"p" +"v"`},
		{"a time of a list that the head has removed", `{"at":[1700000000000]}`, `{}`, `{"at":[],"provider":1}`, `2 tells replaces takes -1700000000000 +1`},
		{"empty objects that became lists, with a member of the head", `{}`, `{"log":{},"text":{"a":"x"}}`, `{"log":[],"text":[]}`, `2 tells misses +[] +[]`},
		{"a removal of what the head has changed", `{"auths":false}`, `{"auths":1}`, `{}`, `1 takes misses -false`},
		{"a number for an object", `{"b":{}}`, `{"b":false}`, `{"b":1.0}`, `1 tells takes -{} +1.0`},
		{"a number, and a list of the head", `[]`, `[[]]`, `[2]`, `1 tells misses +2`},
		{"a list and a text, and two objects of the head", `{}`, `{"at":{},"jobs":{}}`, `{"at":[],"jobs":"1"}`, `2 tells +[] +"1"`},
		{"the same number behind an object", `[]`, `[1]`, `[{},1]`, `2 tells tells beyond +{} +1`},
		{"most of it removed", `[4,3,2]`, `[]`, `[2]`, `2 takes echoes -4 -3`},
		{"part of an object removed", `[{"updatedAt":6,"name":{"at":"  x","id":"p"}}]`, `[]`, `[{"updatedAt":6,"name":{"id":"p"},"b":1}]`, `2 tells keeps replaces takes -"  x" +1`},
		{"an object, and a list of the head", `[]`, `[[]]`, `[{"id":"p"}]`, `1 tells misses +{"id":"p"}`},
		{"a removal, and another kind of the head", `[1]`, `{"expires":4}`, `[]`, `1 takes -1`},
		{"a time", `{}`, `{}`, `{"updatedAt":1.0}`, `0 +1.0`},
		{"one more, and another order of the head", `[4,3,1]`, `[3,1,4]`, `[4,4,3,1]`, `1 tells keeps +4`},
		{"another order", `["r","w","w"]`, `{}`, `["w","r","w"]`, `1 reordered keeps`},
		{"a text for a number, an object of the head", `{"id":5}`, `{"id":{}}`, `{"id":"x"}`, `1 tells takes -5 +"x"`},
		{"a list that is filled and something for another one", `[1,[]]`, `[]`, `[["a"],"p"]`, `4 tells replaces takes echoes +["a"] +"p" -1 -[]`},
		{"a list of the same, with more of the head", `[{"log":[3]}]`, `[{"log":[3],"id":"x y"}]`, `[]`, `1 takes misses -{"log":[3]}`},
		{"part of what the head has added", `[]`, `[{"jobs":1,"type":1},"p"]`, `[{"type":1}]`, `1 tells misses +{"type":1}`},
		{"an object for a text, null of the head", `{"access":"x"}`, `{"access":null}`, `{"access":{}}`, `1 tells takes -"x" +{}`},
		{"an object of which one member is the head's", `[]`, `[{"t":6}]`, `[{"r":"a","t":""}]`, `2 tells misses +{"r":"a","t":""}`},
		{"an object that is filled, and one that became a list", `{"text":{},"a":{}}`, `{}`, `{"text":{"text":"x y"},"a":[]}`, `1 tells +"x y"`},
		{"an object, a list of the head", `{}`, `{"jobs":[1],"type":[]}`, `{"jobs":{"id":5},"type":{}}`, `2 tells +{"id":5} +{}`},
		{"a list for a number, another number spelled with more digits", `{"auths":0.1,"text":1.0}`, `{}`, `{"auths":0.10000000000000001,"text":[]}`, `1 tells keeps takes -1.0 +[]`},
	} {
		base, head, theirs := document(t, c.base), document(t, c.head), document(t, c.theirs)
		d, ofHead, later := merge.Compare(base, theirs, nil), merge.Compare(base, head, nil), merge.Compare(head, theirs, nil)
		said := []string{fmt.Sprint(d.Leaves())}
		for _, one := range []struct {
			word string
			so   bool
		}{
			{"reordered", d.Reordered()}, {"tells", d.Tells()}, {"keeps", d.Keeps()}, {"replaces", d.Replaces()}, {"takes", d.Takes()},
			{"echoes", d.Echoes(ofHead)}, {"misses", d.Misses(later)}, {"goes on", d.GoesOnFrom(later)}, {"tells beyond", d.TellsBeyond(later)},
		} {
			if one.so {
				said = append(said, one.word)
			}
		}
		for from, to := range d.Changes() {
			if from.Exists() {
				said = append(said, "-"+string(from.Raw()))
			}
			if to.Exists() {
				said = append(said, "+"+string(to.Raw()))
			}
		}
		if got := strings.Join(said, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
