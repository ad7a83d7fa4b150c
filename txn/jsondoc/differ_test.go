package jsondoc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// left returns the nodes that differ in nothing, as text; containers by their bracket.
func (n Nodes) left() []string {
	differs := make([]bool, len(n.d.nodes))
	for _, r := range n.runs {
		for i := r.from; i < r.to; i++ {
			differs[i] = true
		}
	}
	var out []string
	for i := range n.d.nodes {
		v := Value{n.d, uint32(i)}
		switch {
		case differs[i]:
		case v.IsContainer():
			out = append(out, fmt.Sprint(v.Kind(), v.IsEmpty()))
		default:
			out = append(out, string(v.Raw()))
		}
	}
	return out
}

func (n Nodes) len() int {
	sum := 0
	for _, r := range n.runs {
		sum += r.to - r.from
	}
	return sum
}

func parsed(t interface{ Fatal(...any) }, text string) *Doc {
	d, err := Parse([]byte(text), JSON, Limits{})
	if err != nil {
		t.Fatal(err, text)
	}
	return d
}

// document returns records, each in one of several states; state 0 is left out.
func document(states []int, space string) string {
	var records []string
	for i, s := range states {
		if s > 0 {
			records = append(records, fmt.Sprintf(`{"id": "job-%d",%s"cost": %d.5, "on": true, "list": [], "of": {"a": 0.1, "b": [%d, null]}}`, i, space, i*s, s))
		}
	}
	return `{"jobs": [` + strings.Join(records, ","+space) + `]}`
}

// The returned values hold all differences: the rest is the same in both.
func TestDifferingLeavesOnlyWhatIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 120)
		space := rapid.SampledFrom([]string{"", " ", "\n  "})
		was := states.Draw(t, "was")
		is := slices.Clone(was)
		for range rapid.IntRange(0, 5).Draw(t, "edits") {
			if len(is) > 0 {
				from := rapid.IntRange(0, len(is)-1).Draw(t, "from")
				to := min(len(is), from+rapid.IntRange(1, 40).Draw(t, "length"))
				copy(is[from:to], states.Draw(t, "is"))
			}
		}
		a, b := parsed(t, document(was, space.Draw(t, "space"))), parsed(t, document(is, space.Draw(t, "space")))
		inA, inB := Differing(a, b)
		if x, y := inA.left(), inB.left(); !slices.Equal(x, y) {
			t.Fatalf("%s\n%s\nleft %q\nand  %q", a.src, b.src, x, y)
		}
	})
}

// Values far from all changes are not looked at.
func TestDifferingFindsWhereDocumentsGoOn(t *testing.T) {
	states := make([]int, 2000)
	for i := range states {
		states[i] = 1
	}
	was := parsed(t, document(states, " "))
	for what, edit := range map[string]func(){
		"nothing is changed":    func() {},
		"values are changed":    func() { states[3], states[1000], states[1999] = 2, 2, 2 },
		"records are taken out": func() { states[500], states[501], states[1500] = 0, 0, 0 },
		"many in one place":     func() { clear(states[700:1300]) },
	} {
		for i := range states {
			states[i] = 1
		}
		edit()
		for _, space := range []string{" ", "\n"} {
			is := parsed(t, document(states, space))
			inA, inB := Differing(was, is)
			if most := len(was.nodes) - len(is.nodes) + 200; inA.len() > most || inB.len() > 200 {
				t.Errorf("%s, space %q: %d nodes differ and %d", what, space, inA.len(), inB.len())
			}
		}
	}
}
