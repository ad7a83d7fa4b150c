package jsondoc

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// eager has the new text searched for in the old one wherever it can be.
var eager = measures{gap: 0, tries: 1 << 20, window: 1 << 20, shown: 2, least: 2}

// checkLike compares the document that is made of a text with the help of an old one
// with the document of Parse.
func checkLike(t interface{ Fatalf(string, ...any) }, src []byte, old *Doc, lim Limits) {
	want, wrong := Parse(src, old.grammar, lim)
	for _, m := range []measures{usual, eager} {
		got := takeOver(src, old, lim.withDefaults(), m)
		switch {
		case got == nil && wrong == nil && isShared(src, old, lim):
			t.Fatalf("from %q: of %q nothing is taken over", old.src, src)
		case got == nil:
		case wrong != nil:
			t.Fatalf("from %q: %q is taken, though: %v", old.src, src, wrong)
		case !got.tree.equal(&want.tree) || got.grammar != want.grammar || got.depth != want.depth || got.commented != want.commented || !bytes.Equal(got.src, src):
			t.Fatalf("from %q: %q has the nodes\n%v\nin place of\n%v", old.src, src, got.nodes, want.nodes)
		}
	}
	got, err := ParseLike(src, old, lim)
	var is, was *SyntaxError
	switch {
	case errors.As(wrong, &was):
		if !errors.As(err, &is) || *is != *was {
			t.Fatalf("from %q: %q: %v, alone: %v", old.src, src, err, wrong)
		}
	case err != nil || !got.tree.equal(&want.tree):
		t.Fatalf("from %q: %q: %v", old.src, src, err)
	}
}

// isShared reports whether a text begins as an old document does, which may be taken over.
func isShared(src []byte, old *Doc, lim Limits) bool {
	root := old.nodes[0]
	return old.grammar == Lines || old.grammar == JSON && root.kind() >= Array && CommonPrefix(src, old.src) > int(root.start) && old.depth == lim.withDefaults().Depth
}

// pieces are the texts that edits put into a text.
var pieces = []string{
	"", ",", ":", "[", "]", "{", "}", "[]", "{}", " ", "\n", "1", "12", ".5", "e3", "-", "true", "null", `"`, `""`, `"a"`, `"a":1`, `"\u0061":2`, `,"b":[`, `,{"id":"x"}`,
	`{"id":"x"},`, `\`, "\\u0", "\xff", "\u00e9", "\n{\"a\":1}\n", `,"c":{"a":1,"b":2}`, "\ufeff",
}

// edited changes a text in some places.
func edited(t *rapid.T, text []byte) []byte {
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		at := rapid.IntRange(0, len(text)).Draw(t, "at")
		cut := min(len(text)-at, rapid.SampledFrom([]int{0, 0, 1, 2, 5, 17, 60}).Draw(t, "cut"))
		put := []byte(rapid.SampledFrom(pieces).Draw(t, "put"))
		if rapid.IntRange(0, 3).Draw(t, "copy") == 0 {
			from := rapid.IntRange(0, len(text)).Draw(t, "from")
			put = text[from:min(len(text), from+rapid.IntRange(0, 40).Draw(t, "length"))]
		}
		text = slices.Concat(text[:at], put, text[at+cut:])
	}
	return text
}

// anyText returns a document, in lines where it is to be.
func anyText(t *rapid.T, g Grammar) []byte {
	if g == Lines {
		var b strings.Builder
		for range rapid.IntRange(0, 5).Draw(t, "lines") {
			anyValue(t, &b, 2, "")
			b.WriteByte('\n')
		}
		return []byte(strings.TrimSuffix(b.String(), rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end")))
	}
	var b strings.Builder
	b.WriteString(rapid.SampledFrom([]string{"", " "}).Draw(t, "before"))
	anyValue(t, &b, 4, rapid.SampledFrom([]string{"", " ", "\n  "}).Draw(t, "space"))
	b.WriteString(rapid.SampledFrom([]string{"", "\n"}).Draw(t, "behind"))
	return []byte(b.String())
}

func anyValue(t *rapid.T, b *strings.Builder, depth int, space string) {
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind %= 4
	}
	n := rapid.SampledFrom([]int{0, 1, 2, 3, 15}).Draw(t, "size")
	switch kind {
	case 0:
		b.WriteString(rapid.SampledFrom([]string{"0", "7", "12", "-1.5e3", "77"}).Draw(t, "number"))
	case 1:
		b.WriteString(rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word"))
	case 2, 3:
		b.WriteString(rapid.SampledFrom([]string{`""`, `"a"`, `"ab"`, `"\n"`, `"é, [{"`, `"\u0061"`}).Draw(t, "string"))
	case 4, 5:
		b.WriteByte('[')
		for i := range n {
			b.WriteString(strings.Repeat(","+space, min(i, 1)))
			anyValue(t, b, depth-1, space)
		}
		b.WriteByte(']')
	default:
		b.WriteByte('{')
		for i := range n {
			b.WriteString(strings.Repeat(","+space, min(i, 1)))
			name := fmt.Sprintf("%c", 'a'+i)
			if rapid.IntRange(0, 5).Draw(t, "escaped") == 0 {
				name = fmt.Sprintf(`\u%04x`, 'a'+i)
			}
			b.WriteString(`"` + name + `":` + space)
			anyValue(t, b, depth-1, space)
		}
		b.WriteByte('}')
	}
}

// With any older version at hand a text is parsed to the same nodes, and refused with the
// same error.
func TestParseLikeIsParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom([]Grammar{JSON, JSON, JSON5, Lines}).Draw(t, "grammar")
		lim := Limits{Depth: rapid.SampledFrom([]int{0, 4}).Draw(t, "depth")}
		was := anyText(t, g)
		old, err := Parse(was, g, lim)
		if err != nil {
			return
		}
		is := edited(t, was)
		checkLike(t, is, old, lim)
		if next := takeOver(is, old, lim.withDefaults(), eager); next != nil {
			checkLike(t, edited(t, is), next, lim) // nodes that were taken over are taken over once more
		}
		checkLike(t, anyText(t, g), old, lim)
	})
}

// A text that goes beyond a limit is refused, also where an older version kept to it or was
// read under another one.
func TestParseLikeKeepsLimits(t *testing.T) {
	for _, c := range []struct {
		was, is   string
		then, now Limits
	}{
		{`[1,[2]]`, `[1,[2],3]`, Limits{Size: 8}, Limits{Size: 8}},
		{`[1,[2]]`, `[1,[2],[[3]]]`, Limits{Depth: 2}, Limits{Depth: 2}},
		{`[1,[[2]]]`, `[1,[[2]],3]`, Limits{}, Limits{Depth: 2}},
	} {
		old, err := Parse([]byte(c.was), JSON, c.then)
		if err != nil {
			t.Fatal(err)
		}
		_, want := Parse([]byte(c.is), JSON, c.now)
		if _, got := ParseLike([]byte(c.is), old, c.now); want == nil || got == nil || got.Error() != want.Error() {
			t.Errorf("%s after %s: %v, want %v", c.is, c.was, got, want)
		}
	}
}

// texts are edited in all ways.
var texts = []string{
	`{"version":42,"models":[{"id":"a","n":1.50,"t":"\u00e9\n"},{"id":"b","ok":true,"x":null}],"of":{"a":1,"b":2,"\u0063":3}}`,
	"[[1,2,[3,4]],[1,2,[3,4]],{\"a\":{\"a\":[]}}, 5, 6]\n", "{\"a\":1}\n{\"a\":2}\n[3]\n4", `[1,2,3,1,2,3,1,2,3]`,
	` {"a":{"b":1,"c":2},"d":{"b":1,"c":2},"e":{"b":1,"c":2,"a":3}}`,
	`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":[{"a":1},{"a":1}]}`,
}

// One edit of a text, and many pairs of edits, lead from the old nodes to those of Parse,
// and back.
func TestParseLikeAfterEachEdit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, text := range texts {
		was := []byte(text)
		g := JSON
		if bytes.Contains(was, []byte("\n{")) {
			g = Lines
		}
		old, err := Parse(was, g, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		each := func(is []byte) {
			checkLike(t, is, old, Limits{})
			if d, err := Parse(is, g, Limits{}); err == nil {
				checkLike(t, was, d, Limits{})
			}
		}
		for at := range len(was) + 1 {
			for _, piece := range pieces {
				for cut := range min(4, len(was)-at+1) {
					each(splicedFor(was, at, cut, []byte(piece)))
				}
			}
			for cut := range len(was) - at + 1 {
				each(splicedFor(was, at, cut, nil))
				each(splicedFor(was, random.IntN(len(was)+1), 0, was[at:at+cut]))
				each(splicedFor(was, random.IntN(len(was)+1), random.IntN(30), was[at:at+cut]))
			}
		}
	}
}

// FuzzParseLike edits a text in two places and holds ParseLike against Parse.
func FuzzParseLike(f *testing.F) {
	for i, s := range texts {
		for k, piece := range pieces {
			f.Add([]byte(s), k, i, []byte(piece), 3*k, k, []byte(pieces[(k+i)%len(pieces)]))
		}
	}
	f.Fuzz(func(t *testing.T, was []byte, at, cut int, put []byte, at2, cut2 int, put2 []byte) {
		is := splicedFor(splicedFor(was, at, cut, put), at2, cut2, put2)
		for _, g := range []Grammar{JSON, Lines} {
			for _, lim := range []Limits{{}, {Depth: 3}} {
				if old, err := Parse(was, g, lim); err == nil {
					checkLike(t, is, old, lim)
				}
				if old, err := Parse(is, g, lim); err == nil {
					checkLike(t, was, old, lim)
				}
			}
		}
	})
}

// splicedFor puts bytes into a text in the place of others, wherever the numbers lead.
func splicedFor(text []byte, at, cut int, put []byte) []byte {
	at = int(uint(at) % uint(len(text)+1))
	cut = int(uint(cut) % uint(len(text)-at+1))
	return slices.Concat(text[:at], put, text[at+cut:])
}

// taken returns how many nodes were not parsed, and how many there are.
func taken(t *testing.T, src, was []byte, m measures) (copied, all int) {
	t.Helper()
	old, err := Parse(was, JSON, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r := newReuse(src, old, Limits{}.withDefaults(), m)
	if r == nil || !r.read() {
		t.Fatal("nothing was taken over")
	}
	for _, c := range r.copied {
		copied += c.to - c.from
	}
	return copied, len(r.nodes)
}

// Parts that were not changed are not parsed.
func TestParseLikeParsesOnlyWhatChanged(t *testing.T) {
	states := make([]int, 3000)
	for i := range states {
		states[i] = 1
	}
	was := []byte(document(states, "\n  "))
	for what, edit := range map[string]func(){
		"nothing":                func() {},
		"one record":             func() { states[1500] = 2 },
		"records far apart":      func() { states[3], states[1000], states[2999] = 2, 2, 2 },
		"records taken out":      func() { states[500], states[501], states[2500] = 0, 0, 0 },
		"many in one place":      func() { clear(states[700:1300]) },
		"the first and the last": func() { states[0], states[2999] = 3, 3 },
	} {
		for i := range states {
			states[i] = 1
		}
		edit()
		is := []byte(document(states, "\n  "))
		for _, texts := range [][2][]byte{{is, was}, {was, is}} {
			copied, all := taken(t, texts[0], texts[1], usual)
			missing := 0 // in the old text
			if len(texts[0]) > len(texts[1]) {
				for _, s := range states {
					if s == 0 {
						missing += 17
					}
				}
			}
			if all-copied-missing > 300 {
				t.Errorf("%s: %d of %d nodes were parsed, %d of which are new", what, all-copied, all, missing)
			}
		}
	}
}
