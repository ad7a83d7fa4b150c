package merge_test

import (
	"slices"
	"strings"

	"clawfs/txn/jsondoc"
)

// where holds the places of every string of a document, list positions as "*".
type where map[string][]string

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

func stringsOf(d *jsondoc.Doc) where {
	w := make(where)
	w.add(d.Root(), "")
	return w
}

func (w where) add(v jsondoc.Value, path string) {
	if v.Kind() == jsondoc.String {
		w[v.Text()] = append(w[v.Text()], path)
	}
	for _, e := range v.Elements() {
		w.add(e, path+"/*")
	}
	for m := range v.Members() {
		w.add(m.Value, path+"/"+escapePointer.Replace(m.Name()))
	}
}

// scalarsLaw follows each string that is there once: additions are present,
// untouched ones are there, deleted ones stay so, nothing is invented, and missing
// ones are in the conflict log. Stamps are aside, and strings from the small pool.
func scalarsLaw(c *triple) {
	b, o, t, m := stringsOf(c.b), stringsOf(c.o), stringsOf(c.t3), stringsOf(c.out)
	logged := loggedPlaces(c)
	for s := range m {
		if o[s] == nil && t[s] == nil {
			c.fatalf("%q comes from nowhere", s)
		}
	}
	all := make(map[string]bool)
	for _, w := range []where{b, o, t} {
		for s := range w {
			all[s] = true
		}
	}
	for s := range all {
		if strings.HasPrefix(s, "=") || strings.HasPrefix(s, "2026-") || len(b[s]) > 1 || len(o[s]) > 1 || len(t[s]) > 1 {
			continue
		}
		inB, inO, inT := b[s] != nil, o[s] != nil, t[s] != nil
		want := inO || inT
		if inB {
			want = inO && inT
		}
		if got := m[s] != nil; got == want || logged(o[s]) || logged(t[s]) {
			continue
		}
		switch {
		case want:
			c.fatalf("%q is missing and not in the conflict log", s)
		case !anew(s, c.b, c.o) && !anew(s, c.b, c.t3):
			c.fatalf("%q is back, and not in the conflict log", s)
		}
	}
}

// loggedPlaces returns whether a place is in the conflict log, or below one that
// is.
func loggedPlaces(c *triple) func(paths []string) bool {
	var log []string
	for _, k := range c.res.Conflicts {
		steps := strings.Split(k.Path, "/")
		for i, s := range steps {
			if s != "" && strings.Trim(s, "0123456789") == "" {
				steps[i] = "*"
			}
		}
		log = append(log, strings.Join(steps, "/"))
	}
	return func(paths []string) bool {
		return slices.ContainsFunc(paths, func(path string) bool {
			return slices.ContainsFunc(log, func(l string) bool { return path == l || strings.HasPrefix(path, l+"/") })
		})
	}
}

// anew reports whether a string is in a list of x in an element that the base does
// not have as it is: moved and edited, it may be a new one. A scalar that stands
// elsewhere is one, too, where lists are compared position by position.
func anew(s string, base, x *jsondoc.Doc) bool {
	e, at, ok := elementOf(x.Root(), s)
	if !ok {
		return false
	}
	old, was, ok := elementOf(base.Root(), s)
	return !ok || !jsondoc.EqualAsJS(old, e) || !e.IsContainer() && at != was
}

// elementOf returns the outermost element of a list that holds a string, and its
// position.
func elementOf(v jsondoc.Value, s string) (e jsondoc.Value, at int, ok bool) {
	for i, e := range v.Elements() {
		if holds(e, s) {
			return e, i, true
		}
	}
	for m := range v.Members() {
		if e, at, ok := elementOf(m.Value, s); ok {
			return e, at, true
		}
	}
	return jsondoc.Value{}, 0, false
}

func holds(v jsondoc.Value, s string) bool {
	if v.Kind() == jsondoc.String && v.Text() == s {
		return true
	}
	for _, e := range v.Elements() {
		if holds(e, s) {
			return true
		}
	}
	for m := range v.Members() {
		if holds(m.Value, s) {
			return true
		}
	}
	return false
}
