package merge_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// model gives the result that a merge must have, by the table of docs/SEMANTICS.md
// and nothing else: it walks the three versions and the result side by side,
// through objects and lists whose elements have an identity. Where it comes to a
// list without identities it stops; the laws of the strings hold for those.
type model struct {
	id        []string // the identity of the document's keyed lists
	problems  []string
	conflicts []string // that the log has to hold, sorted when done
	opaque    []string // paths of the lists it has stopped at
}

// place is a place in the four documents; a version that does not have it holds
// the zero Value.
type place struct {
	b, o, t, m jsondoc.Value
	path, name string
	credential bool // the place is inside a credential
}

func (c *model) fail(p place, format string, args ...any) {
	c.problems = append(c.problems, p.path+": "+fmt.Sprintf(format, args...))
}

func (c *model) conflict(p place, kind merge.ConflictKind, won merge.Side) {
	c.conflicts = append(c.conflicts, merge.Conflict{Path: p.path, Kind: kind, Won: won}.String())
}

// says reports whether x says the same as base, respelled perhaps.
func says(base, x jsondoc.Value) bool {
	if !base.Exists() || !x.Exists() {
		return base.Exists() == x.Exists()
	}
	return jsondoc.EqualAsJS(base, x)
}

func equal(a, b jsondoc.Value) bool {
	if !a.Exists() || !b.Exists() {
		return a.Exists() == b.Exists()
	}
	return jsondoc.Equal(a, b)
}

// want checks that the place has one version's value.
func (c *model) want(p place, x jsondoc.Value, why string) {
	switch {
	case p.m.Exists() != x.Exists():
		c.fail(p, "%s: there is %v, wanted %v", why, p.m.Exists(), x.Exists())
	case x.Exists() && !jsondoc.EqualAsJS(p.m, x):
		c.fail(p, "%s: got %s, wanted %s", why, p.m.Raw(), x.Raw())
	}
}

func (c *model) check(p place) {
	switch {
	case says(p.b, p.t):
		if p.o.Exists() && p.m.Exists() && string(p.o.Raw()) != string(p.m.Raw()) {
			c.fail(p, "untouched by T: got %s, wanted the bytes %s", p.m.Raw(), p.o.Raw())
		}
		c.want(p, p.o, "untouched by T")
	case says(p.b, p.o):
		c.want(p, p.t, "untouched by the head")
	case p.o.Exists() && sortOf(p.name, p.o) == "counter" && equal(p.o, p.t) && c.sum(p): // two bumps, not one
	case equal(p.o, p.t) && (p.path == "" || !p.o.Exists() || !p.o.IsContainer() || p.name == "args"): // else there may be counters inside
		c.want(p, p.o, "the same on both sides")
	case !p.o.Exists():
		c.deleted(p, p.t, merge.Head)
	case !p.t.Exists():
		c.deleted(p, p.o, merge.Theirs)
	case p.o.Kind() == jsondoc.Object && p.t.Kind() == jsondoc.Object:
		c.object(p)
	case p.o.Kind() == jsondoc.Array && p.t.Kind() == jsondoc.Array && p.name != "args":
		c.list(p)
	default:
		c.leaf(p)
	}
}

// deleted is a place that one side has deleted and the other changed to x.
func (c *model) deleted(p place, x jsondoc.Value, by merge.Side) {
	other := merge.Head + merge.Theirs - by
	switch {
	case !c.changed(p, x):
		c.want(p, jsondoc.Value{}, "deleted, only counters and stamps touched")
	case p.credential || isCredential(p.b):
		c.want(p, jsondoc.Value{}, "a credential that was deleted")
		c.conflict(p, merge.Deleted, by)
	default:
		c.want(p, x, "deleted on one side, modified on the other")
		c.conflict(p, merge.Deleted, other)
	}
}

// changed reports whether x differs from the base in more than counters and stamps.
func (c *model) changed(p place, x jsondoc.Value) bool {
	wrap := func(v jsondoc.Value) string { return "{" + strconv.Quote(p.name) + ":" + stripped(v, p.name) + "}" }
	if sort, other := sortOf(p.name, p.b), sortOf(p.name, x); sort != "" && sort == other {
		return false
	}
	return !says(parse(wrap(p.b)).Root(), parse(wrap(x)).Root())
}

// stripped spells a value without its stamps and with its counters at 0.
func stripped(v jsondoc.Value, name string) string {
	var parts []string
	switch {
	case v.Kind() == jsondoc.Object:
		for m := range v.Members() {
			switch sortOf(m.Name(), m.Value) {
			case "stamp":
			case "counter":
				parts = append(parts, string(m.Key.Raw())+":0")
			default:
				parts = append(parts, string(m.Key.Raw())+":"+stripped(m.Value, m.Name()))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	case v.Kind() == jsondoc.Array && name != "args":
		for _, e := range v.Elements() {
			parts = append(parts, stripped(e, ""))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return string(v.Raw())
}

// sortOf tells counters and stamps.
func sortOf(name string, v jsondoc.Value) string {
	if v.IsContainer() {
		return ""
	}
	_, whole := integerOf(v)
	switch {
	case name == "version" && whole:
		return "counter"
	case name == "lastUsedAt", name == "updatedAt" && (v.Kind() == jsondoc.Number || v.Kind() == jsondoc.Null):
		return "stamp"
	}
	return ""
}

func integerOf(v jsondoc.Value) (int64, bool) {
	if !v.Exists() || v.Kind() != jsondoc.Number {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	return n, err == nil
}

// isCredential reports whether an object holds tokens.
func isCredential(v jsondoc.Value) bool {
	for _, name := range []string{"access", "refresh"} {
		if x, ok := member(v, name); ok && x.Kind() == jsondoc.String {
			return true
		}
	}
	return false
}

func member(v jsondoc.Value, name string) (jsondoc.Value, bool) {
	if !v.Exists() {
		return jsondoc.Value{}, false
	}
	return v.Member(name)
}

// leaf is a place that both sides have changed, to things that have no inside in
// common.
func (c *model) leaf(p place) {
	switch container := p.b.Exists() && p.b.IsContainer(); {
	case container && !c.changed(p, p.o):
		c.want(p, p.t, "the head has touched counters and stamps only")
		return
	case container && !c.changed(p, p.t):
		c.want(p, p.o, "T has touched counters and stamps only")
		return
	}
	switch sort := sortOf(p.name, p.o); {
	case sort == "counter" && sortOf(p.name, p.t) == sort && c.sum(p):
		return
	case sort == "stamp" && sortOf(p.name, p.t) == sort:
		c.stamp(p)
		return
	}
	kind := merge.Changed
	switch {
	case !p.b.Exists():
		kind = merge.Added
	case p.b.Kind() != p.o.Kind() || p.b.Kind() != p.t.Kind():
		kind = merge.TypeChanged
	}
	c.want(p, p.t, "a conflict")
	c.conflict(p, kind, merge.Theirs)
}

// sum checks a counter; it returns false where one side did not count up.
func (c *model) sum(p place) bool {
	b, ok := integerOf(p.b)
	o, _ := integerOf(p.o)
	t, _ := integerOf(p.t)
	if !ok || o < b || t < b {
		return false
	}
	if n, _ := integerOf(p.m); n != o+t-b {
		c.fail(p, "a counter at %d, wanted %d", n, o+t-b)
	}
	return true
}

// stamp checks that the later of two times is there, and one of the two values
// where they are no times.
func (c *model) stamp(p place) {
	o, okO := timeOf(p.o)
	t, okT := timeOf(p.t)
	switch {
	case okO && okT && o > t:
		c.want(p, p.o, "the later stamp")
	case okO && okT && t > o:
		c.want(p, p.t, "the later stamp")
	case !equal(p.m, p.o) && !equal(p.m, p.t):
		c.fail(p, "a stamp that nobody wrote: %s", p.m.Raw())
	}
}

// timeOf returns the milliseconds of the two sorts of stamps that the maker draws.
func timeOf(v jsondoc.Value) (int64, bool) {
	if n, ok := integerOf(v); ok && n > 1_000_000_000_000 && n < 2_000_000_000_000 {
		return n, true
	}
	at, err := time.Parse(time.RFC3339, v.Text())
	return at.UnixMilli(), err == nil
}

func (c *model) object(p place) {
	if p.b.Exists() && p.b.Kind() != jsondoc.Object {
		p.b = jsondoc.Value{}
	}
	if !p.m.Exists() || p.m.Kind() != jsondoc.Object {
		c.fail(p, "an object on both sides has become something else")
		return
	}
	inside := p.credential || isCredential(p.o)
	decided := c.tokens(p)
	for _, name := range names(p.o, p.t, p.b, p.m) {
		if decided && slices.Contains(tokenNames, name) {
			continue
		}
		next := place{path: p.path + "/" + escapePointer.Replace(name), name: name, credential: inside}
		next.b, _ = member(p.b, name)
		next.o, _ = member(p.o, name)
		next.t, _ = member(p.t, name)
		next.m, _ = member(p.m, name)
		c.check(next)
	}
}

// names returns the names of the members of all versions, each once.
func names(versions ...jsondoc.Value) []string {
	var list []string
	for _, v := range versions {
		if v.Exists() {
			for m := range v.Members() {
				if !slices.Contains(list, m.Name()) {
					list = append(list, m.Name())
				}
			}
		}
	}
	return list
}

var tokenNames = []string{"access", "refresh", "expires"}

// tokens checks a group that both sides have renewed: it is one side's whole
// group. It returns false where there is no such group.
func (c *model) tokens(p place) bool {
	var rows [][4]jsondoc.Value
	tokens, changedO, changedT, differ, inO, inT := 0, false, false, false, 0, 0
	for i, name := range tokenNames {
		var r [4]jsondoc.Value
		for k, v := range []jsondoc.Value{p.b, p.o, p.t, p.m} {
			r[k], _ = member(v, name)
		}
		if !r[1].Exists() && !r[2].Exists() {
			continue
		}
		if i < 2 {
			tokens++
		}
		rows = append(rows, r)
		changedO = changedO || !says(r[0], r[1])
		changedT = changedT || !says(r[0], r[2])
		differ = differ || !equal(r[1], r[2])
		if r[1].Exists() {
			inO++
		}
		if r[2].Exists() {
			inT++
		}
	}
	if tokens == 0 || len(rows) < 2 || !changedO || !changedT || !differ {
		return false
	}
	winner, kind := merge.Theirs, merge.TokensRotated
	switch {
	case inO == 0:
		winner, kind = merge.Head, merge.Deleted
	case inT == 0:
		kind = merge.Deleted
	}
	for _, r := range rows {
		next := p
		next.path, next.m = p.path+"/"+"(token)", r[3]
		c.want(next, r[winner-merge.Head+1], "a group of tokens")
	}
	c.conflict(p, kind, winner)
	return true
}

// checkConflicts compares the log with the expected conflicts, lists without
// identities aside.
func (c *model) checkConflicts(log []merge.Conflict) {
	var got []string
	for _, k := range log {
		inOpaque := slices.ContainsFunc(c.opaque, func(list string) bool { return k.Path == list || strings.HasPrefix(k.Path, list+"/") })
		if !inOpaque {
			got = append(got, k.String())
		}
	}
	slices.Sort(got)
	slices.Sort(c.conflicts)
	if !slices.Equal(got, c.conflicts) {
		c.problems = append(c.problems, fmt.Sprintf("the conflict log holds %q, wanted %q", got, c.conflicts))
	}
}

// parse reads a document that the tests made.
func parse(text string) *jsondoc.Doc {
	d, err := jsondoc.Parse([]byte(text), jsondoc.JSON, jsondoc.Limits{})
	if err != nil {
		panic(err.Error() + "\n" + text)
	}
	return d
}
