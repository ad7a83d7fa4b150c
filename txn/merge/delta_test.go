package merge_test

import (
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

// What a program shows that has seen a change is telling, and something weaker is what
// two may do by chance.
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

// A document may look as if it was made from a later version, and may lack what that
// has added.
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

// What shows that a document was made from the later version, not from the older one.
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
