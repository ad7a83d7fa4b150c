package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuantileIsTheNearestRank(t *testing.T) {
	list := []int64{50, 10, 40, 20, 30}
	for q, want := range map[float64]float64{0: 10, 0.5: 30, 0.95: 50, 1: 50} {
		if got := quantile(list, q); got != want {
			t.Errorf("quantile %g: %g, want %g", q, got, want)
		}
	}
	if !math.IsNaN(quantile(nil, 0.5)) {
		t.Error("there is no median of nothing")
	}
}

// A ratio is taken round by round: a slow round slows both.
func TestRatioComparesWithinRounds(t *testing.T) {
	r := &results{}
	for round, pair := range [][2]float64{{1, 2}, {10, 30}, {100, 400}} {
		r.Rows = append(r.Rows, row{"w", "base", "p50 ms", round, pair[0]}, row{"w", "ours", "p50 ms", round, pair[1]})
	}
	r.Rows = append(r.Rows, row{"w", "ours", "p50 ms", 3, 7}) // without a baseline
	want := spread{3, 2, 4, true}
	if got := r.ratio("w", "p50 ms", "ours", "base"); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got := r.ratio("w", "p50 ms", "nobody", "base"); got.there {
		t.Errorf("a ratio of nothing: %v", got)
	}
	if got := r.value("w", "base", "p50 ms"); got.median != 10 {
		t.Errorf("median %v", got)
	}
}

func TestBudgetsAreJudgedByTheirMedian(t *testing.T) {
	at := func(v float64) spread { return spread{v, v, v, true} }
	for _, c := range []struct {
		budget
		want string
	}{
		{budget{limit: 1.5, value: at(1.5)}, "met"},
		{budget{limit: 1.5, value: at(1.51)}, "NOT met"},
		{budget{limit: 5, atLeast: true, value: at(5)}, "met"},
		{budget{limit: 5, atLeast: true, value: at(4.9)}, "NOT met"},
		{budget{limit: 5}, "not measured"},
	} {
		if got := c.verdict(); got != c.want {
			t.Errorf("%s of %v: %s, want %s", c.limits(), c.value, got, c.want)
		}
	}
}

// allMeasured are results of one round of all works, with a value for each column, of
// clawfs's own subjects or the others.
func allMeasured(value func(column string, ours bool) float64) *results {
	b := &bench{counts: full(), bare: &place{}, loop: &place{}, ours: &place{}}
	r := &results{}
	for _, w := range b.works() {
		for _, s := range w.subjects {
			v := values{}
			for _, column := range w.columns {
				v[column] = value(column, s.place == b.ours)
			}
			r.add(w, s, 0, v)
		}
	}
	return r
}

// Every budget finds the work, the subject and the column that it names.
func TestBudgetsReferToWhatIsMeasured(t *testing.T) {
	r := allMeasured(func(string, bool) float64 { return 1 })
	for _, one := range r.budgets() {
		if !one.value.there {
			t.Errorf("nothing measures %q", one.text)
		}
	}
}

func TestPageShowsMediansAndRatios(t *testing.T) {
	w := work{name: "commit", about: "a document is replaced", columns: []string{"p50 ms", "lost"}, baseline: "bare",
		subjects: []subject{{name: "bare"}, {name: "clawfs"}}}
	r := &results{}
	for round := range 3 {
		r.add(w, w.subjects[0], round, values{"p50 ms": 2})
		r.add(w, w.subjects[1], round, values{"p50 ms": 2 + float64(round), "lost": 0})
	}
	var got strings.Builder
	writeTable(&got, tableOf(r, w))
	want := `|        | p50 ms | least … most | ÷ bare | lost |
|--------|-------:|-------------:|-------:|-----:|
| bare   |      2 |        2 … 2 |      1 |    - |
| clawfs |      3 |        2 … 4 |   1.50 |    0 |
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is beside does all works of clawfs's own subjects, right behind each, and each
// measured column is compared, be more or less the better.
func TestARevisionBesideIsCompared(t *testing.T) {
	b := &bench{counts: full(), bare: &place{}, loop: &place{}, ours: &place{}, beside: []*place{{name: "1234abc"}, {name: "device"}}}
	for _, w := range b.works() {
		own, beside := 0, 0
		all := b.besides(w.subjects)
		for i, s := range all {
			switch s.place {
			case b.ours:
				own++
			case b.beside[0], b.beside[1]:
				beside++
				before := all[i-1-slices.Index(b.beside, s.place)]
				if before.place != b.ours || before.name != s.like || before.style != s.style || s.name == s.like || !s.does(before.name) {
					t.Errorf("%s: %q is behind %q", w.name, s.name, before.name)
				}
			}
		}
		if own == 0 || 2*own != beside {
			t.Errorf("%s: %d subjects of clawfs, %d beside", w.name, own, beside)
		}
	}
	w := work{name: "append", columns: []string{"ops /s", "p50 ms", "lost"}, subjects: b.besides([]subject{{name: "bare"}, {name: "clawfs: in place", place: b.ours}})}
	r := &results{}
	r.add(w, w.subjects[1], 0, values{"ops /s": 300, "p50 ms": 3, "lost": 0})
	r.add(w, w.subjects[2], 0, values{"ops /s": 100, "p50 ms": 2, "lost": 0})
	want := [][]string{
		{"append", "clawfs: in place", "1234abc", "ops /s", "3", "3 … 3", ""},
		{"append", "clawfs: in place", "1234abc", "p50 ms", "0.667", "0.667 … 0.667", "less"},
	}
	if diff := cmp.Diff(want, tableAgainst(r)[1:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestResultsReplaceThoseOnThePage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte("before\n"+resultsBegin+"old\n"+resultsEnd+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceResults(file, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if want := "before\n" + resultsBegin + "\nnew\n\n" + resultsEnd + "after\n"; err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, string(got)))
	}
	if err := os.WriteFile(file, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if replaceResults(file, "new") == nil {
		t.Error("a page without marks took results")
	}
}

// A chart's lines stay inside its axes, the fastest on top.
func TestChartsKeepToTheirAxes(t *testing.T) {
	c := chart{xs: []float64{1, 32}, xNames: []string{"1", "32"}}
	c.point("slow <&>", 1, 3)
	c.point("slow <&>", 32, 70)
	c.point("fast", 32, 4000)
	if low, high := c.bounds(); low != 0 || high != 4 {
		t.Errorf("bounds 10^%g … 10^%g", low, high)
	}
	if c.y(4000) >= c.y(70) || c.y(4000) < plotTop || c.y(3) > plotTop+innerHeight {
		t.Errorf("4000 at %g, 70 at %g, 3 at %g", c.y(4000), c.y(70), c.y(3))
	}
	if svg := c.svg(); !strings.Contains(svg, "slow &lt;&amp;&gt;") || strings.Contains(svg, "NaN") {
		t.Errorf("%s", svg)
	}
}

func TestAddedEntriesAreCountedOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	for _, c := range []struct {
		content string
		want    int
	}{
		{string(seed(3)), 0},
		{`{"entries":[{"id":"e0"},{"id":"w0-1"},{"id":"w0-1"},{"id":"w1-1"}]}`, 2},
		{`{"entries":[{"id":"w0-1"}`, 0},
	} {
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := addedIn(file); err != nil || got != c.want {
			t.Errorf("%d, %v, want %d in %s", got, err, c.want, c.content)
		}
	}
	if !json.Valid(seed(0)) || !json.Valid(seed(2)) {
		t.Error("seed is not valid")
	}
}
