package merge_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// cases is how many cases all the laws together are tried on, unless
// CLAWFS_LAW_CASES has another number: scripts/campaign-merge sets it.
const cases = 50_000

// TestMain gives each law the same share of the cases, and lets no test leave a file behind.
// The tests always try the same cases. The campaign tries others, and so does -rapid.seed.
func TestMain(m *testing.M) {
	set := map[string]string{"rapid.nofailfile": "true", "rapid.seed": "1"}
	n := cases
	if v, err := strconv.Atoi(os.Getenv("CLAWFS_LAW_CASES")); err == nil {
		n = v
		delete(set, "rapid.seed")
	}
	set["rapid.checks"] = strconv.Itoa(n / (len(laws) + otherLaws))
	for name, value := range set {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run()) // the command line comes after this
}

// otherLaws are those that draw cases of their own: writers_test.go, comments_test.go,
// shapes_test.go, respell_test.go, naming_test.go, picks_test.go.
const otherLaws = 7

// triple is a case: three versions, the head and theirs with changes that may
// touch the same places, and the result of the merge.
type triple struct {
	t        *rapid.T
	maker    *maker
	b, o, t3 *jsondoc.Doc
	plainB   *tree // the base
	trees    [2]*tree
	res      *merge.Result
	out      *jsondoc.Doc
}

func drawTriple(t *rapid.T) *triple {
	m := newMaker(t)
	base := m.document()
	m.tag = "h"
	head := m.edited(base, 6)
	m.tag = "t"
	theirs := m.edited(base, 6)
	own := m.spelled()
	written := own
	if m.n(2) == 0 {
		written = &spelling{js: true, newline: "\n"}
	}
	c := &triple{t: t, maker: m, plainB: base, trees: [2]*tree{head, theirs}}
	c.b, c.o, c.t3 = parse(own.print(base)), parse(own.print(head)), parse(written.print(theirs))
	c.res = c.merge(c.b, c.o, c.t3)
	c.out = c.strict(c.res.Text)
	return c
}

// merge merges under the default policy.
func (c *triple) merge(b, o, t *jsondoc.Doc) *merge.Result {
	res, err := merge.Merge(b, o, t, nil)
	if err != nil {
		c.t.Fatalf("merge: %v", err)
	}
	return res
}

// strict parses a result as strictly, and no deeper, than the versions are.
func (c *triple) strict(text []byte) *jsondoc.Doc {
	depth := max(depthOf(c.o.Root()), depthOf(c.t3.Root()), 1)
	d, err := jsondoc.Parse(text, jsondoc.JSON, jsondoc.Limits{Depth: depth})
	if err != nil {
		c.fatalf("the result is no document: %v", err)
	}
	return d
}

func depthOf(v jsondoc.Value) int {
	deepest := 0
	for _, e := range v.Elements() {
		deepest = max(deepest, depthOf(e))
	}
	for m := range v.Members() {
		deepest = max(deepest, depthOf(m.Value))
	}
	if v.IsContainer() {
		deepest++
	}
	return deepest
}

// fatalf fails with all the documents. They are made up, and hold no secret.
func (c *triple) fatalf(format string, args ...any) {
	c.t.Helper()
	result := ""
	if c.res != nil {
		result = fmt.Sprintf("\nresult: %s\nconflicts: %v", c.res.Text, c.res.Conflicts)
	}
	c.t.Fatalf("%s\nbase:   %s\nhead:   %s\ntheirs: %s%s", fmt.Sprintf(format, args...), c.b.Source(), c.o.Source(), c.t3.Source(), result)
}

// laws hold for every three versions (docs/SEMANTICS.md, "Merging").
var laws = []struct {
	name  string
	check func(c *triple)
}{
	{"identity", identityLaw},
	{"one-sided", oneSidedLaw},
	{"agreement", agreementLaw},
	{"deterministic", deterministicLaw},
	{"by the table", tableLaw},
	{"every scalar is accounted for", scalarsLaw},
	{"a repeated commit changes nothing", repeatedLaw},
	{"policies decide conflicts only", policiesLaw},
	{"comments and layout change no value", json5Law},
}

// TestLaws tries each law on cases of its own.
func TestLaws(t *testing.T) {
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { law.check(drawTriple(t)) })
		})
	}
}

func (c *triple) wantText(what string, got *merge.Result, want []byte) {
	if !bytes.Equal(got.Text, want) || len(got.Conflicts) > 0 {
		c.fatalf("%s: got %s with %v, wanted the bytes %s", what, got.Text, got.Conflicts, want)
	}
}

func identityLaw(c *triple) {
	c.wantText("m(B,B,B)", c.merge(c.b, c.b, c.b), c.b.Source())
}

func oneSidedLaw(c *triple) {
	js := &spelling{js: true, newline: "\n"}
	c.wantText("m(B,B,T)", c.merge(c.b, c.b, c.t3), c.t3.Source())
	c.wantText("m(B,O,B)", c.merge(c.b, c.o, c.b), c.o.Source())
	if bytes.Equal(c.b.Source(), c.o.Source()) {
		return // a document that says T's is stored as T spells it
	}
	c.wantText("m(B,O,B through JavaScript)", c.merge(c.b, c.o, parse(js.print(c.plainB))), c.o.Source())
}

func agreementLaw(c *triple) {
	c.wantText("m(B,O,O)", c.merge(c.b, c.o, c.o), c.o.Source())
	c.wantText("m(none,O,O)", c.merge(nil, c.o, c.o), c.o.Source())
}

func deterministicLaw(c *triple) {
	again := c.merge(parse(string(c.b.Source())), parse(string(c.o.Source())), parse(string(c.t3.Source())))
	if !bytes.Equal(again.Text, c.res.Text) || !slices.Equal(again.Conflicts, c.res.Conflicts) || !slices.Equal(again.Warnings, c.res.Warnings) {
		c.fatalf("once more: %s\n%v", again.Text, again.Conflicts)
	}
}

func tableLaw(c *triple) {
	if bytes.Equal(c.b.Source(), c.o.Source()) {
		return // nothing is merged: the one-sided law
	}
	m := model{id: c.maker.id}
	p := place{b: c.b.Root(), o: c.o.Root(), t: c.t3.Root(), m: c.out.Root()}
	m.check(p)
	m.checkConflicts(c.res.Conflicts)
	if len(m.problems) > 0 {
		c.fatalf("%s", strings.Join(m.problems, "\n"))
	}
}

// repeatedLaw: a writer that does not know whether its commit went through, and
// sends it again, changes nothing. Logs and counters count twice; and of elements
// without identity nobody can tell those that both sides have edited, or that are
// equal.
func repeatedLaw(c *triple) {
	head, theirs := c.trees[0], c.trees[1]
	if hasLogsOrCounters(c.plainB) || hasLogsOrCounters(head) || hasLogsOrCounters(theirs) || c.editedTwice() || c.repeatsIdentity() {
		return
	}
	again := c.merge(c.b, c.out, c.t3)
	if d := c.strict(again.Text); !jsondoc.Equal(d.Root(), c.out.Root()) {
		c.fatalf("committed again: %s", again.Text)
	}
}

// repeatsIdentity reports whether the merge has kept two elements of one guessed
// identity: to the next one the list has no identities.
func (c *triple) repeatsIdentity() bool {
	return slices.ContainsFunc(c.res.Warnings, func(w merge.Warning) bool { return w.Kind == merge.RepeatedIdentity })
}

// editedTwice reports whether an element of the base, in a list without
// identities, is in neither the head nor theirs as it was, or such a list holds
// equal elements.
func (c *triple) editedTwice() bool {
	elements := func(n *tree) map[string]bool {
		set := make(map[string]bool)
		c.sequenceElements(n, set)
		return set
	}
	base, head, theirs := elements(c.plainB), elements(c.trees[0]), elements(c.trees[1])
	for e := range base {
		if !head[e] && !theirs[e] {
			return true
		}
	}
	return base[repeats] || head[repeats] || theirs[repeats]
}

// repeats stands for a list that holds an element twice.
const repeats = "repeats"

// sequenceElements collects the elements of lists without identities, spelled. One scalar
// looks like another, so of these it collects the lists.
func (c *triple) sequenceElements(n *tree, into map[string]bool) {
	own := make(map[string]bool)
	for _, k := range n.kids {
		if n.tag == tagMessages || n.tag == tagKeyed && c.maker.spoiled || k.tag == tagNumbers || k.tag == tagMixed {
			text := (&spelling{}).print(k)
			into[text] = true
			into[repeats] = into[repeats] || own[text]
			own[text] = true
		}
		c.sequenceElements(k, into)
	}
}

func hasLogsOrCounters(n *tree) bool {
	for i, k := range n.kids {
		if n.kind == jsondoc.Object {
			switch n.keys[i] {
			case "messages", "entries", "version":
				return true
			}
		}
		if hasLogsOrCounters(k) {
			return true
		}
	}
	return false
}

// policiesLaw: the policy decides about conflicts and about nothing else.
func policiesLaw(c *triple) {
	_, err := merge.Merge(c.b, c.o, c.t3, &merge.Policy{OnConflict: merge.Reject})
	var refused *merge.ConflictError
	switch {
	case errors.As(err, &refused) != (len(c.res.Conflicts) > 0):
		c.fatalf("reject: %v", err)
	case refused != nil && len(refused.Conflicts) == 0:
		c.fatalf("reject: refused without a reason")
	}
	ours, err := merge.Merge(c.b, c.o, c.t3, &merge.Policy{OnConflict: merge.TakeOurs})
	if err != nil {
		c.fatalf("ours: %v", err)
	}
	c.strict(ours.Text)
	if (len(ours.Conflicts) > 0) != (len(c.res.Conflicts) > 0) || len(c.res.Conflicts) == 0 && !bytes.Equal(ours.Text, c.res.Text) {
		c.fatalf("ours: %s with %v", ours.Text, ours.Conflicts)
	}
}

// json5Law: a head that is written by hand, with comments, is merged to the same
// value as a plain one.
func json5Law(c *triple) {
	five := func(n *tree, s *spelling) *jsondoc.Doc {
		d, err := jsondoc.Parse([]byte(s.print(n)), jsondoc.JSON5, jsondoc.Limits{})
		if err != nil {
			c.fatalf("the test's own JSON5: %v\n%s", err, s.print(n))
		}
		return d
	}
	hand := func() *spelling { return &spelling{newline: "\n", indent: "  ", five: true} }
	b, o, t := five(c.plainB, hand()), five(c.trees[0], hand()), five(c.trees[1], &spelling{newline: "\n", indent: "  "})
	res := c.merge(b, o, t)
	out, err := jsondoc.Parse(res.Text, jsondoc.JSON5, jsondoc.Limits{})
	if err != nil {
		c.fatalf("JSON5: %v in\n%s\nfrom %s", err, res.Text, o.Source())
	}
	plain := &spelling{newline: "\n"}
	want := c.merge(parse(plain.print(c.plainB)), parse(plain.print(c.trees[0])), parse(plain.print(c.trees[1])))
	if !jsondoc.EqualAsJS(out.Root(), parse(string(want.Text)).Root()) {
		c.fatalf("JSON5: got\n%s\nfrom\n%s\nand\n%s\nwanted %s", res.Text, o.Source(), t.Source(), want.Text)
	}
}
