package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// sort is the kind of a place of a shape, as the program's users mean it.
type sort uint8

const (
	word     sort = iota // a short text that is set to another one
	label                // a short text that stays as it is
	prose                // a text that is edited
	point                // two to four numbers that are one value
	amount               // a number that is set to another one
	record               // an object with these members
	byName               // an object with members that are added and removed
	things               // a list of objects that people know one from the other
	texts                // a list of lines, each at its place
	words                // a list of distinct strings whose order matters to nobody
	appended             // a list at whose end things are added
)

// shape is the shape of a document of a real program: its places, not their values.
type shape struct {
	sort sort
	// members are those of a record, each with its shape.
	members []field
	// of is the shape of a collection's elements; id names the member that tells its
	// elements apart, "" for none; shared is a member that two things may well have in
	// common, as a key with two bindings.
	of         *shape
	id, shared string
}

type field struct {
	name string
	is   shape
}

func obj(members ...field) shape          { return shape{sort: record, members: members} }
func is(name string, s sort) field        { return field{name, shape{sort: s}} }
func at(name string, s shape) field       { return field{name, s} }
func many(of shape) shape                 { return shape{sort: things, of: &of} }
func manyBy(id string, of shape) shape    { return shape{sort: things, of: &of, id: id} }
func manyUnder(id string, of shape) shape { return shape{sort: things, of: &of, shared: id} }
func named(of shape) shape                { return shape{sort: byName, of: &of} }
func log(of shape) shape                  { return shape{sort: appended, of: &of} }

// shapes are taken from real programs.
var shapes = map[string]shape{
	"a notebook": obj(at("cells", manyBy("id", obj(is("cell_type", label), is("source", texts), at("metadata", named(shape{sort: word}))))), is("nbformat", amount)),
	"a pipeline": obj(is("name", word), at("jobs", named(obj(is("runs-on", word), at("steps", many(obj(is("uses", label), is("with", word), is("if", word)))), is("script", texts))))),
	"features of a map": obj(is("type", label), at("features", many(obj(is("type", label),
		at("geometry", obj(is("type", label), is("coordinates", point))), at("properties", named(shape{sort: prose})))))),
	"a workflow of nodes": obj(at("nodes", manyBy("id", obj(is("name", word), is("type", label), is("position", point), at("parameters", named(shape{sort: prose}))))),
		at("connections", named(shape{sort: words})), at("settings", named(shape{sort: word}))),
	"key bindings":           manyUnder("key", obj(is("command", word), is("when", word))),
	"parameters of an API":   obj(at("paths", named(obj(at("get", obj(is("summary", prose), at("parameters", manyUnder("name", obj(is("in", word), is("description", prose)))))))))),
	"bookmarks":              obj(at("roots", obj(at("bar", obj(is("name", word), at("children", manyUnder("url", obj(is("title", word), is("folder", word), is("added", amount))))))))),
	"a dashboard":            obj(is("title", word), at("cards", many(obj(is("type", label), is("entities", words), is("title", prose), at("options", named(shape{sort: word})))))),
	"a transcript":           obj(is("model", word), at("messages", log(obj(is("role", label), is("content", prose), is("at", amount))))),
	"a queue":                obj(at("queue", log(obj(is("command", word), is("session", word), is("priority", amount))))),
	"to-dos":                 obj(at("todos", many(obj(is("content", prose), is("status", word), is("activeForm", prose))))),
	"logins at registries":   obj(at("auths", named(obj(is("email", word)))), is("credsStore", word)),
	"a package":              obj(is("name", word), at("scripts", named(shape{sort: word})), at("dependencies", named(shape{sort: word})), is("files", words), is("keywords", words)),
	"settings of an editor":  named(shape{sort: word}),
	"permissions":            obj(at("permissions", obj(is("allow", words), is("deny", words))), at("env", named(shape{sort: word}))),
	"models of providers":    obj(at("providers", named(obj(is("baseUrl", word), at("models", manyBy("id", obj(is("name", word), is("contextWindow", amount), is("input", words)))))))),
	"a theme":                obj(at("colors", named(shape{sort: point})), at("tokenColors", manyUnder("name", obj(is("fontStyle", word), is("scope", words), at("settings", named(shape{sort: word})))))),
	"snippets":               named(obj(is("prefix", word), is("body", texts), is("description", prose))),
	"a memory":               obj(at("entities", manyBy("name", obj(is("entityType", word), is("observations", words))))),
	"servers of a protocol":  obj(at("mcpServers", named(obj(is("command", word), at("env", named(shape{sort: word})))))),
	"sessions with messages": named(obj(is("channel", word), at("messages", log(obj(is("role", label), is("content", prose)))))),
}

// painter draws documents of a shape and edits of them. Every thing in a list has a
// number of its own that is not written: it is how people know it again.
type painter struct {
	*maker
	uid       int
	unknown   int // how many of the things around have nothing that tells them apart
	conflicts int // places that both sides have set, where only one value can be had
}

func (p *painter) text() string {
	p.fresh++
	return fmt.Sprintf("%s-%d-%x", p.tag, p.fresh, 1_000_003*p.fresh%65_521)
}

func (p *painter) draw(s *shape) *tree {
	n := &tree{kind: jsondoc.Object}
	switch s.sort {
	case word, label:
		return str(p.text())
	case prose:
		return str(p.text() + " " + p.text() + " " + p.text() + " " + p.text())
	case amount:
		p.fresh++
		return num(strconv.Itoa(p.fresh))
	case point:
		n.kind = jsondoc.Array
		for range 2 {
			n.kids = append(n.kids, num(strconv.Itoa(p.n(90))+".5"))
		}
	case record:
		for i := range s.members {
			n.set(s.members[i].name, p.draw(&s.members[i].is))
		}
	case byName:
		for range p.n(5) {
			n.set("n"+p.text(), p.draw(s.of))
		}
	default:
		n.kind = jsondoc.Array
		for range p.n(6) {
			n.kids = append(n.kids, p.element(s))
		}
	}
	return n
}

// element draws an element of a list: a thing, a line or a word.
func (p *painter) element(s *shape) *tree {
	var e *tree
	switch s.sort {
	case words:
		e = str(p.text())
	case texts:
		e = str("  " + p.text() + "\n")
	default:
		e = &tree{kind: jsondoc.Object}
		if name := s.id + s.shared; name != "" {
			e.set(name, str(p.text()))
		}
		thing := p.draw(s.of)
		for i, key := range thing.keys {
			e.set(key, thing.kids[i])
		}
	}
	p.uid++
	e.uid = p.uid
	return e
}

// sides are the two sides' edits of the base. They are edited in step, so that no
// two edits are for one place unless that is meant.
type sides [2]*tree

// edit lets each side make its edits of a place that all have.
func (p *painter) edit(s *shape, base *tree, x sides) {
	one := p.n(2) // the side that may set a value that can be set but once
	switch s.sort {
	case label:
	case word, prose, amount:
		if p.n(3) == 0 {
			p.tag = sideTags[one]
			p.set(s, x[one])
		}
	case point:
		p.editPoint(s, x, one)
	case record:
		for i := range s.members {
			name := s.members[i].name
			p.edit(&s.members[i].is, base.member(name), sides{x[0].member(name), x[1].member(name)})
		}
	case byName:
		p.editNames(s, base, x)
	default:
		p.editElements(s, base, x)
	}
}

var sideTags = [2]string{"h", "t"}

// set gives a scalar another value: of prose a part of it.
func (p *painter) set(s *shape, n *tree) {
	if s.sort == prose {
		n.text += ", " + p.text()
		return
	}
	n.text = p.draw(s).text
}

func (p *painter) editPoint(s *shape, x sides, one int) {
	switch p.n(6) {
	case 0:
		*x[one] = *p.draw(s)
	case 1:
		if p.unknown > 0 {
			return // both variants of the thing that it is in are kept
		}
		x[0].kids[0] = num("100." + strconv.Itoa(p.n(9)))
		x[1].kids[1] = num("-100." + strconv.Itoa(p.n(9)))
		p.conflicts++
	}
}

func (p *painter) editNames(s *shape, base *tree, x sides) {
	for i, name := range base.keys {
		switch one := p.n(2); p.n(4) {
		case 0:
			for k, key := range x[one].keys {
				if key == name {
					x[one].remove(k)
					break
				}
			}
		case 1, 2:
			p.edit(s.of, base.kids[i], sides{x[0].member(name), x[1].member(name)})
		}
	}
	for side, n := range x {
		p.tag = sideTags[side]
		for range p.n(3) {
			n.set("n"+p.text(), p.draw(s.of))
		}
	}
}

// editElements edits a list: each element is removed, replaced or edited by one side
// at most, or edited by both at different places, and both add some. Where nothing
// tells the elements apart one of them is removed or replaced at most.
func (p *painter) editElements(s *shape, base *tree, x sides) {
	known := s.id+s.shared != "" || s.sort == words
	gone := s.sort == appended
	for _, e := range base.kids {
		one := p.n(2)
		p.tag = sideTags[one]
		n := x[one]
		k := n.find(e.uid)
		switch op := p.n(8); {
		case op < 2 && (known || !gone):
			gone = true
			if op == 0 {
				n.remove(k)
			} else {
				n.kids[k] = p.element(s)
			}
		case op < 5 && e.container():
			both := sides{x[0].kids[x[0].find(e.uid)], x[1].kids[x[1].find(e.uid)]}
			if known {
				p.edit(s.of, e, both)
			} else {
				m := s.of.members[p.n(len(s.of.members))]
				p.unknown++
				p.edit(&m.is, e.member(m.name), sides{both[0].member(m.name), both[1].member(m.name)})
				p.unknown--
			}
		}
	}
	for side, n := range x {
		p.tag = sideTags[side]
		for range p.n(3) {
			where := p.n(len(n.kids) + 1)
			if s.sort == appended {
				where = len(n.kids)
			}
			n.insert(where, p.element(s))
		}
		if p.n(2) == 0 && (s.sort != texts || !gone) { // else the place of an equal line is a matter of taste
			p.addAlike(s, n)
		}
	}
	if s.sort == appended && p.n(4) == 0 && len(base.kids) > 1 {
		p.sumUp(s, base, x)
	}
}

// addAlike adds an element that the other side may well add, too, elsewhere: an
// equal line, or another thing under one name.
func (p *painter) addAlike(s *shape, n *tree) {
	var e *tree
	switch {
	case s.sort == texts:
		e = str("    return 1\n")
	case s.shared != "":
		e = p.element(s)
		e.set(s.shared, str("shared"))
	case s.sort == appended:
		e = p.element(s)
		for i := range e.kids {
			e.kids[i] = str("ok")
		}
	default:
		return
	}
	p.uid++
	e.uid = p.uid
	if s.sort == appended {
		n.insert(len(n.kids), e)
	} else {
		n.insert(p.n(len(n.kids)+1), e)
	}
}

// sumUp has one side put one element in the place of the first few that nobody has
// edited.
func (p *painter) sumUp(s *shape, base *tree, x sides) {
	one := p.n(2)
	p.tag = sideTags[one]
	n := 1 + p.n(len(base.kids)-1)
	for _, e := range base.kids[:n] {
		for _, v := range x {
			if k := v.find(e.uid); k < 0 || (&spelling{}).print(v.kids[k]) != (&spelling{}).print(e) {
				return
			}
		}
	}
	x[one].kids = append([]*tree{p.element(s)}, x[one].kids[n:]...)
}

// Two programs that write documents of the shapes of real ones, each of them in places of its
// own, both get what they want, in the places where they put it. A plain merge that knows each
// thing from the other gives the right result: reference_test.go.
func TestShapes(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(shapes))
	rapid.Check(t, func(t *rapid.T) {
		s := shapes[rapid.SampledFrom(names).Draw(t, "shape")]
		p := &painter{maker: newMaker(t)}
		p.tag = "b"
		base := p.draw(&s)
		x := sides{base.clone(), base.clone()}
		p.edit(&s, base, x)
		checkShape(t, p, &s, base, x)
	})
}

func checkShape(t *rapid.T, p *painter, s *shape, base *tree, x sides) {
	print := p.spelled()
	b, o, th := parse(print.print(base)), parse(print.print(x[0])), parse(print.print(x[1]))
	if jsondoc.Equal(o.Root(), th.Root()) {
		return // two writers of the same document have written it once
	}
	res, err := merge.Merge(b, o, th, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := parse(print.print(reference(s, base, x[0], x[1])))
	if !jsondoc.Equal(parse(string(res.Text)).Root(), want.Root()) || len(res.Conflicts) != p.conflicts && !jsondoc.Equal(b.Root(), o.Root()) && !jsondoc.Equal(b.Root(), th.Root()) {
		t.Fatalf("base   %s\nhead   %s\ntheirs %s\ngot    %s\nwant   %s\n%v, wanted %d conflicts\n%v", b.Source(), o.Source(), th.Source(), res.Text, want.Source(), res.Conflicts, p.conflicts, res.Applied)
	}
}
