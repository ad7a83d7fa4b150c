package merge_test

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"clawfs/txn/merge"
)

// Each element that was moved is told, and no other; a change in a moved one is told as
// well.
func TestMovesAreTold(t *testing.T) {
	for _, c := range []struct{ from, to, moves, changes string }{
		{`["a","b","c"]`, `["c","a","b"]`, `"c"`, ""},
		{`["a","b","c"]`, `["b","c","a"]`, `"a"`, ""},
		{`["a","b"]`, `["b","a"]`, `"b"`, ""},
		{`["a","b","c","d"]`, `["a","c","x","d"]`, "", `+"x" -"b"`},
		{`["a","b","c"]`, `["c","x","a"]`, `"c"`, `+"x" -"b"`},
		{`[{"id":1},{"id":2,"v":1},{"id":3}]`, `[{"id":2,"v":2},{"id":1},{"id":3}]`, `{"id":2,"v":1}`, `1>2`},
		{`{"a":[["x"],["y"],["z"]],"b":["p","q"]}`, `{"b":["q","p"],"a":[["z"],["x"],["y"]]}`, `"q" ["z"]`, ""},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, "", ""},
		{`[1,2,3]`, `[3,2,1]`, "", `1>3 3>1`}, // by position
	} {
		d := merge.Follow(document(t, c.from), document(t, c.to), nil)
		var moves, changes []string
		for from, to := range d.Moves() {
			if to.Kind() != from.Kind() {
				t.Errorf("%s to %s: %s has become %s", c.from, c.to, from.Raw(), to.Raw())
			}
			moves = append(moves, string(from.Raw()))
		}
		for from, to := range d.Changes() {
			switch {
			case !from.Exists():
				changes = append(changes, "+"+string(to.Raw()))
			case !to.Exists():
				changes = append(changes, "-"+string(from.Raw()))
			default:
				changes = append(changes, string(from.Raw())+">"+string(to.Raw()))
			}
		}
		if got := strings.Join(moves, " "); got != c.moves {
			t.Errorf("%s to %s: moved %s, want %s", c.from, c.to, got, c.moves)
		}
		if got := strings.Join(changes, " "); got != c.changes {
			t.Errorf("%s to %s: changed %s, want %s", c.from, c.to, got, c.changes)
		}
		if !d.Reordered() && c.moves != "" {
			t.Errorf("%s to %s: nothing is in another order", c.from, c.to)
		}
		for range merge.Compare(document(t, c.from), document(t, c.to), nil).Moves() {
			t.Errorf("%s to %s: Compare tells a move", c.from, c.to)
		}
	}
}

// Elements that were not moved stay in their order, and as few are moved as can be.
func TestAsFewMovesAsCanBe(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for range 500 {
		n := 1 + random.Intn(8)
		order := random.Perm(n)
		var from, to []string
		for i := range n {
			from = append(from, fmt.Sprintf(`"e%d"`, i))
			to = append(to, fmt.Sprintf(`"e%d"`, order[i]))
		}
		text := func(l []string) string { return "[" + strings.Join(l, ",") + "]" }
		moved := map[string]bool{}
		for v := range merge.Follow(document(t, text(from)), document(t, text(to)), nil).Moves() {
			moved[string(v.Raw())] = true
		}
		stay := slices.DeleteFunc(slices.Clone(to), func(e string) bool { return moved[e] })
		if !slices.IsSorted(stay) || len(stay) != longestAscent(order) {
			t.Fatalf("%v to %v: %v were moved", from, to, moved)
		}
	}
}

// longestAscent is the length of the longest ascending part of a list, found by looking
// at all.
func longestAscent(list []int) int {
	longest := 0
	for set := range 1 << len(list) {
		last, n := -1, 0
		for i, v := range list {
			if set&(1<<i) == 0 {
				continue
			}
			if v < last {
				n = -1
				break
			}
			last, n = v, n+1
		}
		longest = max(longest, n)
	}
	return longest
}
