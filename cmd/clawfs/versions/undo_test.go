package versions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"clawfs/cmd/clawfs/versions"
	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// state is the content of the registry in random histories.
type state struct {
	Members map[string]any   `json:"members"`
	Models  []map[string]any `json:"models"`
	Allow   []string         `json:"allow"`
}

// change is one change of a state. Those of one history touch different things.
type change struct {
	name    string
	do      func(s *state)
	removes bool // an element: nobody can know where it stands among those that were put in its place
}

const things = 5

func begin() *state {
	s := &state{Members: map[string]any{}}
	for i := range things {
		s.Members[fmt.Sprint("m", i)] = i
		s.Models = append(s.Models, map[string]any{"id": fmt.Sprint("e", i), "limit": i, "title": "t"})
		s.Allow = append(s.Allow, fmt.Sprint("a", i))
	}
	return s
}

func (s *state) model(id string) int {
	return slices.IndexFunc(s.Models, func(m map[string]any) bool { return m["id"] == id })
}

// drawChanges draws changes in a random order.
func drawChanges(r *rand.Rand) []change {
	var all []change
	add := func(name string, do func(s *state)) {
		verb, _, _ := strings.Cut(name, " ")
		all = append(all, change{name, do, verb == "remove" || verb == "disallow"})
	}
	for i := range things {
		m, e, a := fmt.Sprint("m", i), fmt.Sprint("e", i), fmt.Sprint("a", i)
		switch r.Intn(3) {
		case 0:
			add("set "+m, func(s *state) { s.Members[m] = "new" })
		case 1:
			add("delete "+m, func(s *state) { delete(s.Members, m) })
		case 2:
			add("nest "+m, func(s *state) { s.Members[m] = map[string]any{"x": []int{1, 2}, "y": nil} })
		}
		add("add to "+m, func(s *state) { s.Members[m+"+"] = map[string]any{"id": m} })
		if r.Intn(2) == 0 {
			add("remove "+e, func(s *state) { i := s.model(e); s.Models = slices.Delete(slices.Clone(s.Models), i, i+1) })
		} else {
			add("limit of "+e, func(s *state) { s.Models[s.model(e)]["limit"] = 70 + i })
			add("title of "+e, func(s *state) { s.Models[s.model(e)]["title"] = "other" })
			add("more of "+e, func(s *state) { s.Models[s.model(e)]["more"] = []string{"x"} })
		}
		add("append "+e, func(s *state) { s.Models = append(s.Models, map[string]any{"id": e + "+", "limit": i}) })
		add("put first "+e, func(s *state) { s.Models = slices.Insert(s.Models, 0, map[string]any{"id": e + "^"}) })
		if r.Intn(2) == 0 {
			add("disallow "+a, func(s *state) {
				s.Allow = slices.DeleteFunc(slices.Clone(s.Allow), func(x string) bool { return x == a })
			})
		}
		add("allow "+a, func(s *state) { s.Allow = append(s.Allow, a+"+") })
	}
	r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	return all[:2+r.Intn(8)]
}

// text is the state after the changes, but for one; -1 is none.
func text(changes []change, but int) string {
	s := begin()
	for i, c := range changes {
		if i != but {
			c.do(s)
		}
	}
	b, _ := json.MarshalIndent(s, "", "  ")
	return string(b)
}

// seeds returns how many random histories are tried, and the first seed: CLAWFS_UNDO_SEED
// has others tried.
func seeds(t *testing.T, n int) (from, to int64) {
	if v := os.Getenv("CLAWFS_UNDO_SEED"); v != "" {
		seed, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return seed, seed + 20*int64(n)
	}
	return 1, 1 + int64(n)
}

// The undoing of each change amid later ones leaves the state without that change.
func TestUndoOfEachChangeIsRecomputation(t *testing.T) {
	from, to := seeds(t, 60)
	for seed := from; seed < to; seed++ {
		changes := drawChanges(rand.New(rand.NewSource(seed)))
		b := newBench(t)
		for i := range len(changes) + 1 {
			b.write(text(changes[:i], -1))
		}
		for i, c := range changes {
			plan, err := b.engine.Undo(b.version(uint64(i+2)), versions.UndoOptions{})
			if err != nil {
				t.Fatalf("seed %d: undo of %s: %v", seed, c.name, err)
			}
			if plan.Blocked() {
				t.Errorf("seed %d: undo of %s amid %v: conflicts %+v", seed, c.name, names(changes), plan.Conflicts)
				continue
			}
			got, want := plan.Result.Content, text(changes, i)
			if c.removes {
				got, want = sorted(t, got), sorted(t, want)
			}
			if !equal(t, got, want) {
				t.Errorf("seed %d: undo of %s amid %v:\n%s\nwant\n%s", seed, c.name, names(changes), got, want)
			}
		}
		if b.head() != text(changes, -1) {
			t.Fatal("a plan has changed something")
		}
	}
}

// sorted returns a state with its lists in one order.
func sorted(t *testing.T, content string) string {
	var s state
	if err := json.Unmarshal([]byte(content), &s); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(s.Models, func(a, b map[string]any) int { return strings.Compare(a["id"].(string), b["id"].(string)) })
	slices.Sort(s.Allow)
	b, _ := json.Marshal(&s)
	return string(b)
}

func names(changes []change) (all []string) {
	for _, c := range changes {
		all = append(all, c.name)
	}
	return all
}

// All changes undone one after the other, in a random order, leave the first state, and each
// undoing undone brings back the state before it.
func TestUndoAllInAnyOrder(t *testing.T) {
	from, to := seeds(t, 10)
	for seed := from; seed < to; seed++ {
		r := rand.New(rand.NewSource(seed))
		changes := drawChanges(r)
		b := newBench(t)
		for i := range len(changes) + 1 {
			b.write(text(changes[:i], -1))
		}
		undo := func(seq uint64) {
			plan, err := b.engine.Undo(b.version(seq), versions.UndoOptions{})
			b.ok(err)
			if plan.Blocked() {
				t.Fatalf("seed %d: conflicts %+v", seed, plan.Conflicts)
			}
			b.ok(b.engine.Commit(plan.Commit()))
		}
		for _, i := range r.Perm(len(changes)) {
			before := b.head()
			undo(uint64(i + 2))
			if r.Intn(3) == 0 {
				after := b.head()
				undo(0)
				if b.head() != before {
					t.Fatalf("seed %d: undone in turn:\n%s\nwant\n%s", seed, b.head(), before)
				}
				undo(0)
				if b.head() != after {
					t.Fatalf("seed %d: undone once more:\n%s\nwant\n%s", seed, b.head(), after)
				}
			}
		}
		if want := text(nil, -1); !equal(t, sorted(t, b.head()), sorted(t, want)) {
			t.Errorf("seed %d: %v undone:\n%s\nwant\n%s", seed, names(changes), b.head(), want)
		}
	}
}

// Where a later change has touched the same member it is a conflict that says both, and
// the choice decides; all else is undone. Members that nobody touched later go back.
func TestUndoOfChangesThatOverlap(t *testing.T) {
	const members = 4
	from, to := seeds(t, 100)
	for seed := from; seed < to; seed++ {
		r := rand.New(rand.NewSource(seed))
		var history []map[string]int
		now := map[string]int{"k0": 0, "k1": 0}
		for i := range 6 {
			next := map[string]int{}
			for k, v := range now {
				next[k] = v
			}
			for range 1 + r.Intn(2) {
				if k := fmt.Sprint("k", r.Intn(members)); r.Intn(3) == 0 {
					delete(next, k)
				} else {
					next[k] = 10 * (i + 1) // unlike anything before
				}
			}
			next["always"] = i
			history, now = append(history, next), next
		}
		b := newBench(t)
		for _, s := range history {
			text, _ := json.Marshal(s)
			b.write(string(text))
		}
		for n := 1; n < len(history); n++ {
			for wins, name := range map[versions.Winner]string{versions.Nobody: "nobody", versions.Later: "later", versions.Undone: "undone"} {
				plan, err := b.engine.Undo(b.version(uint64(n+1)), versions.UndoOptions{Wins: wins})
				b.ok(err)
				want, conflicts := overlap(history[n], history[n-1], now, wins)
				var got map[string]int
				if plan.Result != nil {
					b.ok(json.Unmarshal([]byte(plan.Result.Content), &got))
				}
				if len(plan.Conflicts) != conflicts || plan.Blocked() != (wins == versions.Nobody && conflicts > 0) {
					t.Fatalf("seed %d, version %d, %s wins: %d conflicts, want %d; blocked %v", seed, n+1, name, len(plan.Conflicts), conflicts, plan.Blocked())
				}
				if !plan.Blocked() && fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("seed %d, version %d, %s wins: %v, want %v\nbase %v\nbefore %v\nhead %v", seed, n+1, name, got, want, history[n], history[n-1], now)
				}
			}
		}
	}
}

// overlap computes the result of undoing, member by member.
func overlap(base, before, head map[string]int, wins versions.Winner) (want map[string]int, conflicts int) {
	want = map[string]int{}
	at := func(m map[string]int, k string) string {
		if v, ok := m[k]; ok {
			return fmt.Sprint(v)
		}
		return ""
	}
	for _, k := range []string{"k0", "k1", "k2", "k3", "always"} {
		was, is, now := at(before, k), at(base, k), at(head, k)
		result := now
		switch {
		case was == is || was == now:
		case is == now:
			result = was
		default:
			conflicts++
			if wins == versions.Undone {
				result = was
			}
		}
		if result != "" {
			n, _ := strconv.Atoi(result)
			want[k] = n
		}
	}
	return want, conflicts
}

// The plan that was shown is done, or nothing: another version that came meanwhile is told.
func TestPlanIsForOneHead(t *testing.T) {
	b := newBench(t)
	b.write(`{"a":1}`, `{"a":2}`, `{"a":2,"b":1}`)
	plan, err := b.engine.Undo(b.version(2), versions.UndoOptions{})
	b.ok(err)
	b.write(`{"a":2,"b":1,"c":1}`)
	var moved *versions.MovedError
	if err := b.engine.Commit(plan.Commit()); !errors.As(err, &moved) {
		t.Fatalf("it ended with %v", err)
	}
	if b.head() != `{"a":2,"b":1,"c":1}` {
		t.Errorf("it holds %s", b.head())
	}
	plan, err = b.engine.Undo(b.version(2), versions.UndoOptions{})
	b.ok(err)
	b.ok(b.engine.Commit(plan.Commit()))
	if b.head() != `{"a":1,"b":1,"c":1}` {
		t.Errorf("it holds %s", b.head())
	}
	r, err := b.place().Last()
	b.ok(err)
	if r.Undid != 2 || r.Program != "clawfs" {
		t.Errorf("recorded %+v", r.Record)
	}
}

// The registry's own rules line things up, but no policy decides a conflict of undoing.
func TestUndoGoesByTheRules(t *testing.T) {
	b := newBench(t)
	b.policy = &merge.Policy{OnConflict: merge.Reject, RefuseMassDelete: true, Rules: []merge.Rule{
		{Path: "/keys", Identity: []string{"chord"}, OnConflict: merge.Reject},
		{Path: "/tuple", As: merge.AsAtomic},
	}}
	b.write(`{"keys":[{"chord":"a","do":1},{"chord":"b","do":1}],"tuple":{"x":1,"y":1}}`,
		`{"keys":[{"chord":"a","do":2},{"chord":"b","do":1}],"tuple":{"x":2,"y":1}}`,
		`{"keys":[{"chord":"b","do":3},{"chord":"a","do":2}],"tuple":{"x":2,"y":3}}`)
	plan, err := b.engine.Undo(b.version(2), versions.UndoOptions{})
	b.ok(err)
	if len(plan.Conflicts) != 1 || plan.Conflicts[0].Path != "/tuple" || len(plan.Conflicts[0].Differences) == 0 {
		t.Fatalf("conflicts %+v", plan.Conflicts)
	}
	plan, err = b.engine.Undo(b.version(2), versions.UndoOptions{Wins: versions.Undone})
	b.ok(err)
	if want := `{"keys":[{"chord":"b","do":3},{"chord":"a","do":1}],"tuple":{"x":1,"y":1}}`; plan.Result.Content != want {
		t.Errorf("%s, want %s", plan.Result.Content, want)
	}
}

// Of several changes of a version one can be undone: of a value, of an element, of an order.
func TestUndoInPart(t *testing.T) {
	b := newBench(t)
	b.write(`{"l":[{"id":1,"v":1},{"id":2},{"id":3}],"a":1,"b":1}`, `{"l":[{"id":3},{"id":1,"v":2},{"id":4}],"a":2}`, `{"l":[{"id":3},{"id":1,"v":2},{"id":4},{"id":5}],"a":2}`)
	for path, want := range map[string]string{
		"/a":     `{"l":[{"id":3},{"id":1,"v":2},{"id":4},{"id":5}],"a":1}`,
		"/b":     `{"l":[{"id":3},{"id":1,"v":2},{"id":4},{"id":5}],"a":2,"b":1}`,
		"/l/1/v": `{"l":[{"id":3},{"id":1,"v":1},{"id":4},{"id":5}],"a":2}`,
		"/l/0":   `{"l":[{"id":1,"v":2},{"id":4},{"id":5},{"id":3}],"a":2}`,
		"/l/2":   `{"l":[{"id":3},{"id":1,"v":2},{"id":5}],"a":2}`,
		"/l":     `{"l":[{"id":1,"v":1},{"id":5},{"id":2},{"id":3}],"a":2}`,
		"/l/1":   `{"l":[{"id":3},{"id":1,"v":1},{"id":4},{"id":5}],"a":2}`,
	} {
		plan, err := b.engine.Undo(b.version(2), versions.UndoOptions{Paths: []string{path}})
		b.ok(err)
		if plan.Blocked() || plan.Result.Content != want || !plan.Note.InPart {
			t.Errorf("%s undone: %+v, %v, want %s", path, plan.Result, plan.Conflicts, want)
		}
	}
}

// A content that is no document can be put back as a whole, not merged.
func TestUndoOfWhatIsNoDocument(t *testing.T) {
	b := newBench(t)
	b.ok(os.WriteFile(b.place().Path(), []byte("no document"), 0o600))
	b.write(`{"a":1}`, `{"a":2}`)
	plan, err := b.engine.Undo(b.version(2), versions.UndoOptions{})
	var none *versions.NotDocumentError
	if !errors.As(err, &none) {
		t.Fatalf("%+v, %v", plan, err)
	}
	plan, err = b.engine.Restore(b.version(1))
	b.ok(err)
	if plan.Result.Content != "no document" || plan.Note != (txn.Note{Restored: 1}) || !plan.Changes() {
		t.Errorf("planned %+v", plan)
	}
}

// A repaired or edited text takes the place of the head that was shown.
func TestReplace(t *testing.T) {
	b := newBench(t)
	b.write(`{"a":1}`)
	text, err := versions.Repair(`{"a":1,'b':2,}`)
	b.ok(err)
	plan, err := b.engine.Replace(b.place(), text, txn.Note{FromQuarantine: "x"})
	b.ok(err)
	if len(plan.Differences) != 1 || plan.Differences[0].Change != versions.Added || *plan.Differences[0].To != "/b" {
		t.Errorf("differences %+v", plan.Differences)
	}
	b.ok(b.engine.Commit(plan.Commit()))
	if !equal(t, b.head(), `{"a":1,"b":2}`) {
		t.Errorf("it holds %s", b.head())
	}
	var syntax *jsondoc.SyntaxError
	if err := b.engine.Check(b.place(), []byte("{\n  \"a\": }")); !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column != 8 {
		t.Errorf("checked: %v", err)
	}
	b.ok(b.engine.Check(b.place(), []byte(`{}`)))
	if _, err := versions.Repair(`{}`); !errors.Is(err, versions.ErrValid) {
		t.Errorf("a valid one: %v", err)
	}
}

// One difference is undone even where another one has the same path: the element that was removed
// from a list, and the one that stands in its place since.
func TestUndoOfOneDifferenceOfTwoAtAPath(t *testing.T) {
	const before, after = `[{"id":"a"},{"id":"b"},{"id":"c","v":1}]`, `[{"id":"a"},{"id":"c","v":2}]`
	differences := versions.Compare(parse(t, before), parse(t, after), nil)
	if len(differences) != 2 {
		t.Fatalf("they differ at %d places", len(differences))
	}
	for _, d := range differences {
		b := newBench(t)
		b.write(before, after)
		plan, err := b.engine.Undo(b.version(2), versions.UndoOptions{Only: &d})
		b.ok(err)
		want := map[string]string{versions.Removed: `[{"id":"a"},{"id":"b"},{"id":"c","v":2}]`, versions.Changed: `[{"id":"a"},{"id":"c","v":1}]`}[d.Change]
		if got := plan.Result.Content; !equal(t, got, want) || !plan.Note.InPart {
			t.Errorf("%s: %s, want %s", d.Change, got, want)
		}
	}
	b := newBench(t)
	b.write(after, before)
	var none *versions.NotThereError
	if _, err := b.engine.Undo(b.version(2), versions.UndoOptions{Only: &differences[0]}); !errors.As(err, &none) {
		t.Errorf("what has not been changed: %v", err)
	}
}

// A flag for a removal is heeded, or refused: not all of it comes back where a part is wanted.
func TestUndoOfARemovalHeedsItsOptions(t *testing.T) {
	b := newBench(t)
	b.write(`{"a":1}`, `{"a":2}`)
	plan, err := b.engine.Undo(b.version(2), versions.UndoOptions{Since: 5})
	var order *versions.OrderError
	if !errors.As(err, &order) {
		t.Errorf("since a later version: %+v, %v", plan, err)
	}
	plan, err = b.engine.Undo(b.version(1), versions.UndoOptions{Wins: versions.Undone})
	b.ok(err)
	b.ok(b.engine.Commit(plan.Commit()))
	var gone *versions.GoneError
	if plan, err = b.engine.Undo(b.version(0), versions.UndoOptions{Paths: []string{"/a"}}); !errors.As(err, &gone) {
		t.Errorf("a part of a removal: %+v, %v", plan, err)
	}
	plan, err = b.engine.Undo(b.version(0), versions.UndoOptions{Since: 1})
	b.ok(err)
	if plan.Result.Content != `{"a":1}` || plan.Note.Restored != 1 {
		t.Errorf("since version 1 it is %+v", plan.Result)
	}
}
