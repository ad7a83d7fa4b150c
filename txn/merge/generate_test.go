package merge_test

import (
	"fmt"
	"strconv"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
)

// maker draws documents and edits. Its strings are all different, so that the
// laws can follow each of them through a merge; those that begin with "=" come
// from a small pool, so that two writers write the same.
type maker struct {
	t     *rapid.T
	fresh int
	tag   string // in front of fresh strings: who made them
}

func (m *maker) n(below int) int {
	if below <= 1 {
		return 0
	}
	return rapid.IntRange(0, below-1).Draw(m.t, "")
}

func (m *maker) text() string {
	m.fresh++
	switch m.n(8) {
	case 0:
		return "=" + strconv.Itoa(m.n(3))
	case 1:
		return fmt.Sprintf("%sé%d", m.tag, m.fresh)
	}
	return m.tag + strconv.Itoa(m.fresh)
}

var numberSpellings = []string{"0", "1", "1.0", "-0", "1e2", "9007199254740993", "1e400", "0.10", "12345678901234567890", "-3"}

func (m *maker) scalar() *tree {
	switch m.n(7) {
	case 0:
		return num(numberSpellings[m.n(len(numberSpellings))])
	case 1:
		return num(strconv.Itoa(m.n(100)))
	case 2:
		return &tree{kind: jsondoc.Bool, text: []string{"true", "false"}[m.n(2)]}
	case 3:
		return &tree{kind: jsondoc.Null, text: "null"}
	}
	return str(m.text())
}

var identities = [][]string{{"id"}, {"_id"}, {"uuid"}, {"key"}, {"name"}, {"slug"}, {"pattern"}, {"containerName"}, {"requestId"}, {"path"}, {"url"}, {"provider", "id"}, {"type", "name"}}

// document draws a whole registry.
func (m *maker) document() *tree {
	switch m.n(12) {
	case 0:
		return m.keyedList(2)
	case 1:
		return m.messages()
	}
	root := m.object(3)
	return root
}

// shapes are the members that objects are made of.
var shapes = []struct {
	key  string
	make func(m *maker, depth int) *tree
}{
	{"title", func(m *maker, _ int) *tree { return m.scalar() }},
	{"mode", func(m *maker, _ int) *tree { return m.scalar() }},
	{"n/~é", func(m *maker, _ int) *tree { return m.scalar() }},
	{"version", func(m *maker, _ int) *tree { return num(strconv.Itoa(m.n(5))) }},
	{"updatedAt", func(m *maker, _ int) *tree { return num(strconv.Itoa(1_700_000_000_000 + m.n(1000))) }},
	{"lastUsedAt", func(m *maker, _ int) *tree { return str(fmt.Sprintf("2026-01-02T03:04:%02dZ", m.n(60))) }},
	{"agents", func(m *maker, d int) *tree { return m.keyedList(d) }},
	{"allow", func(m *maker, _ int) *tree { return m.set() }},
	{"messages", func(m *maker, _ int) *tree { return m.messages() }},
	{"bindings", func(m *maker, _ int) *tree { return m.messages() }},
	{"scores", func(m *maker, _ int) *tree { return m.numbers() }},
	{"args", func(m *maker, _ int) *tree { return m.args() }},
	{"login", func(m *maker, _ int) *tree { return m.tokens() }},
	{"matrix", func(m *maker, d int) *tree { return m.mixed(d) }},
	{"env", func(m *maker, d int) *tree { return m.object(d) }},
	{"plugins", func(m *maker, d int) *tree { return m.object(d) }},
}

func (m *maker) object(depth int) *tree {
	o := &tree{kind: jsondoc.Object}
	if depth <= 0 {
		return o
	}
	for range m.n(5) {
		s := shapes[m.n(len(shapes))]
		if o.member(s.key) == nil {
			o.set(s.key, s.make(m, depth-1))
		}
	}
	return o
}

func (m *maker) keyedList(depth int) *tree {
	l := &tree{kind: jsondoc.Array, tag: tagKeyed}
	id := identities[m.n(len(identities))]
	for range m.n(5) {
		l.kids = append(l.kids, m.element(id, depth))
	}
	return l
}

// element draws an object with an identity.
func (m *maker) element(id []string, depth int) *tree {
	e := m.object(min(depth, 2))
	for i, name := range id {
		if i < len(id)-1 {
			e.set(name, str("p"+strconv.Itoa(m.n(2))))
			continue
		}
		m.fresh++
		e.set(name, str(m.tag+"id"+strconv.Itoa(m.fresh)))
	}
	return e
}

func (m *maker) set() *tree {
	l := &tree{kind: jsondoc.Array, tag: tagSet}
	for range m.n(5) {
		m.addToSet(l)
	}
	return l
}

func (m *maker) addToSet(l *tree) {
	s := m.text()
	for _, k := range l.kids {
		if k.text == s {
			return
		}
	}
	l.insert(m.n(len(l.kids)+1), str(s))
}

func (m *maker) messages() *tree {
	l := &tree{kind: jsondoc.Array, tag: tagMessages}
	for range m.n(5) {
		l.kids = append(l.kids, m.message())
	}
	return l
}

func (m *maker) message() *tree {
	o := &tree{kind: jsondoc.Object}
	o.set("role", str([]string{"user", "bot"}[m.n(2)]))
	o.set("content", str(m.text()))
	if m.n(3) == 0 {
		o.set("meta", m.object(1))
	}
	return o
}

func (m *maker) numbers() *tree {
	l := &tree{kind: jsondoc.Array, tag: tagNumbers}
	for range m.n(6) {
		l.kids = append(l.kids, num(strconv.Itoa(m.n(4))))
	}
	return l
}

func (m *maker) args() *tree {
	l := &tree{kind: jsondoc.Array, tag: tagArgs}
	for range m.n(4) {
		l.kids = append(l.kids, str(m.text()))
	}
	return l
}

func (m *maker) tokens() *tree {
	o := &tree{kind: jsondoc.Object, tag: tagTokens}
	o.set("access", str(m.text()))
	o.set("refresh", str(m.text()))
	o.set("expires", num(strconv.Itoa(1000+m.n(1000))))
	return o
}

func (m *maker) mixed(depth int) *tree {
	l := &tree{kind: jsondoc.Array, tag: tagMixed}
	for range m.n(4) {
		l.kids = append(l.kids, m.anything(depth-1))
	}
	return l
}

func (m *maker) anything(depth int) *tree {
	if depth <= 0 || m.n(2) == 0 {
		return m.scalar()
	}
	return shapes[m.n(len(shapes))].make(m, depth)
}

// edited returns a copy of a document with some changes.
func (m *maker) edited(n *tree, most int) *tree {
	c := n.clone()
	for range 1 + m.n(most) {
		m.edit(c)
	}
	return c
}

// edit changes one container somewhere.
func (m *maker) edit(n *tree) {
	for n.container() {
		var inside []*tree
		for _, k := range n.kids {
			if k.container() {
				inside = append(inside, k)
			}
		}
		if len(inside) == 0 || m.n(3) == 0 {
			break
		}
		n = inside[m.n(len(inside))]
	}
	switch {
	case n.kind == jsondoc.Object:
		m.editObject(n)
	case n.kind == jsondoc.Array:
		m.editList(n)
	}
}

func (m *maker) editObject(o *tree) {
	if o.tag == tagTokens && m.n(2) == 0 {
		fresh := m.tokens()
		o.keys, o.kids = fresh.keys, fresh.kids
		return
	}
	if len(o.kids) == 0 || m.n(4) == 0 {
		s := shapes[m.n(len(shapes))]
		o.set(s.key, s.make(m, 2))
		return
	}
	i := m.n(len(o.kids))
	switch op := m.n(8); {
	case op == 0:
		o.remove(i)
	case op == 1:
		o.keys[i], o.keys[0] = o.keys[0], o.keys[i]
		o.kids[i], o.kids[0] = o.kids[0], o.kids[i]
	case op == 2 && !isIdentity(o.keys[i]):
		o.kids[i] = m.anything(2)
	default:
		m.bump(o, i)
	}
}

func isIdentity(key string) bool {
	for _, names := range identities {
		for _, n := range names {
			if n == key {
				return true
			}
		}
	}
	return false
}

// bump changes the value of a member in the way in which its sort changes.
func (m *maker) bump(o *tree, i int) {
	k := o.kids[i]
	switch {
	case o.keys[i] == "version" && k.kind == jsondoc.Number:
		if v, err := strconv.Atoi(k.text); err == nil {
			o.kids[i] = num(strconv.Itoa(v + 1 + m.n(3)))
		}
	case o.keys[i] == "updatedAt":
		o.kids[i] = num(strconv.Itoa(1_700_000_000_000 + m.n(100000)))
	case o.keys[i] == "lastUsedAt":
		o.kids[i] = str(fmt.Sprintf("2026-01-03T03:04:%02dZ", m.n(60)))
	case !k.container() && !isIdentity(o.keys[i]):
		o.kids[i] = m.scalar()
	case k.container():
		m.edit(k)
	}
}

func (m *maker) editList(l *tree) {
	n := len(l.kids)
	if n == 0 || m.n(3) == 0 {
		m.addTo(l)
		return
	}
	switch i := m.n(n); m.n(4) {
	case 0:
		l.remove(i)
	case 1:
		moved := l.kids[i]
		l.remove(i)
		l.insert(m.n(n), moved)
	default:
		switch k := l.kids[i]; {
		case k.kind == jsondoc.Object:
			m.editObject(k)
		case k.kind == jsondoc.Array:
			m.editList(k)
		case l.tag == tagNumbers:
			l.kids[i] = num(strconv.Itoa(m.n(6)))
		case l.tag == tagSet:
			l.remove(i)
			m.addToSet(l)
		default:
			l.kids[i] = m.scalar()
		}
	}
}

func (m *maker) addTo(l *tree) {
	switch l.tag {
	case tagKeyed:
		l.insert(m.n(len(l.kids)+1), m.newElement(l))
	case tagSet:
		m.addToSet(l)
	case tagMessages:
		at := len(l.kids)
		if m.n(4) == 0 {
			at = m.n(at + 1)
		}
		l.insert(at, m.message())
	case tagNumbers:
		l.kids = append(l.kids, num(strconv.Itoa(m.n(6))))
	case tagArgs:
		l.kids = append(l.kids, str(m.text()))
	default:
		l.insert(m.n(len(l.kids)+1), m.anything(2))
	}
}

// newElement draws an element with the list's identity, now and then one that
// another writer draws as well, or that the list has already.
func (m *maker) newElement(l *tree) *tree {
	id := []string{"id"}
	if len(l.kids) > 0 {
		for _, names := range identities {
			if l.kids[0].member(names[len(names)-1]) != nil {
				id = names
				break
			}
		}
	}
	e := m.element(id, 2)
	last := id[len(id)-1]
	switch m.n(12) {
	case 0, 1, 2:
		e.set(last, str("new"+strconv.Itoa(m.n(2))))
	case 3:
		if len(l.kids) > 0 {
			if v := l.kids[m.n(len(l.kids))].member(last); v != nil {
				e.set(last, v.clone())
			}
		}
	}
	return e
}

// spelled draws a way to write a document.
func (m *maker) spelled() *spelling {
	s := &spelling{newline: "\n", final: m.n(2) == 0, escapes: m.n(2) == 0}
	switch m.n(6) {
	case 0:
		s.js = true
	case 1:
		s.js, s.indent = true, "  "
	case 2:
		s.indent = "\t"
	case 3:
		s.indent, s.newline = "    ", "\r\n"
	case 4:
		s.space = true
	case 5:
		s.indent = "  "
	}
	return s
}
