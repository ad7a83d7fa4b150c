package merge_test

import (
	"slices"
	"strconv"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// list checks a place that is a list in the head and in theirs.
func (c *model) list(p place) {
	if p.b.Exists() && p.b.Kind() != jsondoc.Array {
		p.b = jsondoc.Value{}
	}
	if !p.m.Exists() || p.m.Kind() != jsondoc.Array {
		c.fail(p, "a list on both sides has become something else")
		return
	}
	switch {
	case p.name == "allow":
		c.set(p)
	case c.keyed(p):
		c.keyedList(p)
	case tuple(p) && equal(p.o, p.t):
		c.want(p, p.o, "the same tuple on both sides")
	case tuple(p):
		c.leaf(p)
	case p.name == "scores" && inStep(p):
		c.positions(p)
	default:
		c.opaque = append(c.opaque, p.path)
	}
}

// tuple reports whether a list is a few numbers that are one value: equally many in
// all versions.
func tuple(p place) bool {
	n := p.o.Len()
	return p.name == "scores" && n >= 2 && n <= 6 && n == p.t.Len() && (!p.b.Exists() || p.b.Len() == 0 || p.b.Len() == n)
}

// inStep reports whether a series is compared position by position: it is short, or most of
// its numbers stand where they stood.
func inStep(p place) bool {
	n := p.o.Len()
	if !p.b.Exists() || n == 0 || p.b.Len() != n || p.t.Len() != n {
		return false
	}
	for _, x := range []jsondoc.Value{p.o, p.t} {
		still := 0
		for i, e := range x.Elements() {
			if says(element(p.b, i), e) {
				still++
			}
		}
		if n > 6 && 2*still < n {
			return false
		}
	}
	return true
}

// set checks an ordered set of strings.
func (c *model) set(p place) {
	has := func(v jsondoc.Value) map[string]bool {
		set := make(map[string]bool)
		if v.Exists() {
			for _, e := range v.Elements() {
				set[e.Text()] = true
			}
		}
		return set
	}
	b, o, t, m := has(p.b), has(p.o), has(p.t), has(p.m)
	for _, set := range []map[string]bool{b, o, t, m} {
		for s := range set {
			want := o[s] || t[s]
			if b[s] {
				want = o[s] && t[s]
			}
			if m[s] != want {
				c.fail(p, "%q in the set: %v, wanted %v", s, m[s], want)
			}
		}
	}
	if len(m) != p.m.Len() {
		c.fail(p, "a set holds a string twice: %s", p.m.Raw())
	}
}

// keyed reports whether the elements of a list have the document's identity, each
// its own, in every version.
func (c *model) keyed(p place) bool {
	for _, v := range []jsondoc.Value{p.b, p.o, p.t} {
		if _, ok := c.byKey(v); !ok {
			return false
		}
	}
	return true
}

// byKey returns the elements of a list by their identity; ok is false if one has
// none or shares it.
func (c *model) byKey(v jsondoc.Value) (at map[string]int, ok bool) {
	at = make(map[string]int)
	if !v.Exists() {
		return at, true
	}
	for i, e := range v.Elements() {
		if e.Kind() != jsondoc.Object {
			return nil, false
		}
		// The last member of a composite is unique by itself unless it is drawn twice.
		x, ok := e.Member(c.id[len(c.id)-1])
		if !ok || x.IsContainer() {
			return nil, false
		}
		key := string(x.Raw())
		if _, twice := at[key]; twice {
			return nil, false
		}
		at[key] = i
	}
	return at, true
}

func (c *model) keyedList(p place) {
	b, _ := c.byKey(p.b)
	o, _ := c.byKey(p.o)
	t, _ := c.byKey(p.t)
	m, ok := c.byKey(p.m)
	if !ok {
		switch {
		case p.name == "entries": // a log keeps both of two things with one number
			c.opaque = append(c.opaque, p.path)
		case c.twoThings(p, b, o, t):
			c.opaque = append(c.opaque, p.path)
			for _, x := range []jsondoc.Value{p.o, p.t} {
				for _, e := range x.Elements() {
					c.addedOnce(p, b, o, t, e)
				}
			}
		default:
			c.fail(p, "an identity is there twice, or not at all: %s", p.m.Raw())
		}
		return
	}
	drawn := c.drawn(b, o, t)
	for _, key := range keysOf(b, o, t, m) {
		next := place{credential: p.credential}
		position := -1
		for _, v := range []struct {
			at   map[string]int
			list jsondoc.Value
			dst  *jsondoc.Value
		}{{t, p.t, &next.t}, {b, p.b, &next.b}, {o, p.o, &next.o}, {m, p.m, &next.m}} {
			if i, ok := v.at[key]; ok {
				*v.dst = element(v.list, i)
				if v.dst != &next.b {
					position = i
				}
			}
		}
		next.path = p.path + "/" + strconv.Itoa(position)
		if drawn(key) && !equal(next.o, next.t) {
			c.conflict(next, merge.SameNumber, merge.Theirs)
			c.want(next, next.t, "a number drawn by both")
			continue
		}
		c.check(next)
	}
}

// guesses are the identities that only happen to be unique at times.
var guesses = []string{"key", "name", "pattern", "path", "url"}

// twoThings reports whether both sides have added an element under one guessed
// identity, and nothing shows that they mean one thing.
func (c *model) twoThings(p place, b, o, t map[string]int) bool {
	if !slices.Contains(guesses, c.id[len(c.id)-1]) {
		return false
	}
	for key := range o {
		_, inB := b[key]
		_, inT := t[key]
		if !inB && inT && key[0] == '"' && !c.oneThing(element(p.o, o[key]), element(p.t, t[key])) {
			return true
		}
	}
	return false
}

// addedOnce checks that an element that one side has added and the other has not,
// or has under another content, is in the result as it is.
func (c *model) addedOnce(p place, b, o, t map[string]int, e jsondoc.Value) {
	id, _ := e.Member(c.id[len(c.id)-1])
	key := id.Raw()
	if _, old := b[string(key)]; old {
		return
	}
	i, inO := o[string(key)]
	k, inT := t[string(key)]
	if inO && inT && c.oneThing(element(p.o, i), element(p.t, k)) {
		return
	}
	for _, x := range p.m.Elements() {
		if jsondoc.EqualAsJS(x, e) {
			return
		}
	}
	c.fail(p, "an addition is missing: %s", e.Raw())
}

// oneThing reports whether two elements of one identity show that they are one: they
// share more than that and contradict each other nowhere. The identity is one member,
// since the last one of a composite tells the elements apart by itself here (byKey).
func (c *model) oneThing(x, y jsondoc.Value) bool {
	if x.Len() == 1 || y.Len() == 1 {
		return true
	}
	return shared(x, y) > 1 && !contradict(x, y, "")
}

func shared(x, y jsondoc.Value) int {
	n := 0
	for m := range x.Members() {
		if _, ok := y.Member(m.Name()); ok {
			n++
		}
	}
	return n
}

func contradict(x, y jsondoc.Value, name string) bool {
	switch {
	case x.Kind() == jsondoc.Object && y.Kind() == jsondoc.Object:
		for m := range x.Members() {
			if v, ok := y.Member(m.Name()); ok && contradict(m.Value, v, m.Name()) {
				return true
			}
		}
		return false
	case x.Kind() == jsondoc.Array && y.Kind() == jsondoc.Array && name != "args":
		numbers := func(v jsondoc.Value) bool {
			for _, e := range v.Elements() {
				if e.Kind() != jsondoc.Number && e.Kind() != jsondoc.Null {
					return false
				}
			}
			return true
		}
		return numbers(x) && numbers(y) && x.Len() == y.Len() && x.Len() >= 2 && x.Len() <= 6 && !equal(x, y)
	}
	sort := sortOf(name, x)
	return !equal(x, y) && (sort == "" || sort != sortOf(name, y))
}

// drawn returns whether both sides have given a new element the next number.
func (c *model) drawn(b, o, t map[string]int) func(key string) bool {
	last, ok := 0, true
	for key := range b {
		n, err := strconv.Atoi(key)
		ok = ok && err == nil
		last = max(last, n)
	}
	reach := 1
	for _, key := range keysOf(o, t) {
		if _, old := b[key]; !old {
			reach++
		}
	}
	return func(key string) bool {
		_, inB := b[key]
		_, inO := o[key]
		_, inT := t[key]
		n, err := strconv.Atoi(key)
		if len(b) == 0 {
			last = -1
		}
		return ok && err == nil && !inB && inO && inT && n > last && n-last <= reach
	}
}

func keysOf(lists ...map[string]int) []string {
	var keys []string
	for _, l := range lists {
		for key := range l {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func element(list jsondoc.Value, at int) jsondoc.Value {
	for i, e := range list.Elements() {
		if i == at {
			return e
		}
	}
	return jsondoc.Value{}
}

// positions checks a list of numbers that is equally long in all versions.
func (c *model) positions(p place) {
	if p.m.Len() != p.b.Len() {
		c.fail(p, "a list of %d numbers, wanted %d", p.m.Len(), p.b.Len())
		return
	}
	for i := range p.b.Len() {
		c.check(place{b: element(p.b, i), o: element(p.o, i), t: element(p.t, i), m: element(p.m, i), path: p.path + "/" + strconv.Itoa(i)})
	}
}
