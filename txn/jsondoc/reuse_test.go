package jsondoc

import (
	"errors"
	"strings"
	"testing"
)

// A name that is there twice is found wherever the two come from: copied from two old
// objects, or new and behind many others.
func TestParseLikeFindsNamesThatAreThereTwice(t *testing.T) {
	many := `"f1":1,"f2":1,"f3":1,"f4":1,"f5":1,"f6":1,"f7":1,"f8":1,"f9":1,"fa":1`
	for name, c := range map[string]struct{ was, is string }{
		"from two old objects": {`{"a":{"b":1,"c":2,"e":5},"d":{"x":1,"c":2}}`, `{"a":{"b":1,"c":2,"e":5,"x":1,"c":2}}`},
		"new, behind many":     {`{"a":1,"c":2}`, `{"a":1,` + many + `,"a":3,"c":2}`},
		"among many new ones":  {`{"a":1,"c":2}`, `{"a":1,` + many + `,"fa":3,"c":2}`},
		"copied and new":       {`{"a":1,"b":[1],"c":2}`, `{"a":1,"b":[1],"a":1,"c":2}`},
	} {
		t.Run(name, func(t *testing.T) {
			old, err := Parse([]byte(c.was), JSON, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []measures{usual, eager} {
				if takeOver([]byte(c.is), old, Limits{}.withDefaults(), m) != nil {
					t.Errorf("%s is taken for a document", c.is)
				}
			}
			var wrong *SyntaxError
			if _, err := ParseLike([]byte(c.is), old, Limits{}); !errors.As(err, &wrong) || wrong.Kind != KindDuplicate {
				t.Errorf("%s: %v", c.is, err)
			}
		})
	}
}

// list returns the text of a list of numbers or words.
func list(n int, element string) string { return strings.Repeat(element+",", n-1) + element }

// Searches that are in vain get rarer, and are given up. Where the old text is found, the next
// difference is searched for at once.
func TestParseLikeSearchesAreBounded(t *testing.T) {
	m := measures{gap: 100, tries: 64, window: 100, shown: 8, least: 8}
	read := func(was, is string, m measures) *reuse {
		t.Helper()
		old, err := Parse([]byte(was), JSON, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		r := newReuse([]byte(is), old, Limits{}.withDefaults(), m)
		if r == nil || !r.read() {
			t.Fatal("nothing was taken over")
		}
		return r
	}
	other := "[" + list(4000, "22222") + "]"
	if used := m.tries - read("["+list(4000, "11111")+"]", other, m).tries; used < 2 || used > 16 {
		t.Errorf("of 4000 elements that are new, it is searched behind %d", used)
	}
	few := m
	few.tries = 3
	if left := read("["+list(4000, "11111")+"]", other, few).tries; left != 0 {
		t.Errorf("with 3 searches %d are left", left)
	}
	if used := m.tries - read("[1,"+list(9, "1")+"]", "[2,"+list(9, "2")+"]", m).tries; used != 0 {
		t.Errorf("for a few bytes it is searched %d times", used)
	}
	// Two differences with known text between them: the second search must not wait for
	// as many elements as the first one has taken.
	known := list(12, "33333")
	was := "[" + list(30, "11111") + "," + known + "," + list(3, "44444") + "," + list(12, "55555") + ",66666]"
	is := "[" + list(30, "22222") + "," + known + "," + list(3, "77777") + "," + list(12, "55555") + ",88888]"
	wide := m
	wide.window = 1000
	copied := 0
	for _, c := range read(was, is, wide).copied {
		copied += c.to - c.from
	}
	if copied < 15 {
		t.Errorf("of two lists that are known %d elements are taken over", copied)
	}
}

// Of many scalars, and of many lines, those behind a change are taken over.
func TestParseLikeTakesOverScalarsAndLines(t *testing.T) {
	for _, c := range []struct {
		grammar Grammar
		was, is string
	}{
		{JSON, "[" + list(1000, "1") + "," + list(1000, "2") + "]", "[" + list(1000, "1") + ",3," + list(1000, "2") + "]"},
		{Lines, strings.Repeat("{\"a\":1}\n", 300) + strings.Repeat("{\"b\":1}\n", 300), strings.Repeat("{\"a\":1}\n", 300) + "[3]\n" + strings.Repeat("{\"b\":1}\n", 300)},
	} {
		old, err := Parse([]byte(c.was), c.grammar, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		r := newReuse([]byte(c.is), old, Limits{}.withDefaults(), usual)
		if r == nil || !r.read() {
			t.Fatal("nothing was taken over")
		}
		last := r.copied[len(r.copied)-1]
		if behind := last.to - last.from; last.to != len(r.nodes) || behind < 800 {
			t.Errorf("grammar %v: of %d nodes the last %d are taken over", c.grammar, len(r.nodes), behind)
		}
	}
}
