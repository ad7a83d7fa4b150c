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
	tag   string // in front of fresh strings: the side that made them
	// id are the members that tell the elements of the document's keyed lists
	// apart; numbered says that they are numbers, drawn one after the other.
	id       []string
	numbered bool
	// huge says that the document has numbers that JavaScript spells null, in the
	// place of null: nobody could tell the two apart.
	huge bool
	// spoiled says that some list has an element without identity, or two with
	// the same one.
	spoiled bool
}

var identities = [][]string{{"id"}, {"_id"}, {"uuid"}, {"key"}, {"name"}, {"slug"}, {"pattern"}, {"containerName"}, {"requestId"}, {"path"}, {"url"}, {"provider", "id"}, {"type", "name"}}

func newMaker(t *rapid.T) *maker {
	m := &maker{t: t, tag: "b"}
	m.id = identities[m.n(len(identities))]
	m.huge = m.n(4) == 0
	m.numbered = len(m.id) == 1 && m.n(4) == 0
	return m
}

// below[n] draws a number below n.
var below = func() (g [200]*rapid.Generator[int]) {
	for n := 1; n < len(g); n++ {
		g[n] = rapid.IntRange(0, n-1)
	}
	return g
}()

func (m *maker) n(n int) int {
	if n <= 1 {
		return 0
	}
	return below[n].Draw(m.t, "")
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

var numberSpellings = []string{"0", "1", "1.0", "-0", "1e2", "9007199254740993", "0.10", "12345678901234567890", "-3"}

func (m *maker) scalar() *tree {
	switch m.n(7) {
	case 0:
		return num(numberSpellings[m.n(len(numberSpellings))])
	case 1:
		return num(strconv.Itoa(m.n(100)))
	case 2:
		return &tree{kind: jsondoc.Bool, text: []string{"true", "false"}[m.n(2)]}
	case 3:
		if m.huge {
			return num("1e400")
		}
		return &tree{kind: jsondoc.Null, text: "null"}
	}
	return str(m.text())
}

// document draws a whole registry.
func (m *maker) document() *tree {
	switch m.n(12) {
	case 0:
		return m.keyedList(2)
	case 1:
		return m.messages()
	}
	return m.object(3)
}

// shapeKeys are the members that objects are made of.
var shapeKeys = []string{"title", "mode", "n/~é", "version", "updatedAt", "lastUsedAt", "agents", "entries", "allow",
	"messages", "bindings", "scores", "args", "login", "matrix", "env", "plugins"}

// shape draws the value of a member of such a name.
func (m *maker) shape(key string, depth int) *tree {
	switch key {
	case "version":
		return num(strconv.Itoa(m.n(5)))
	case "updatedAt":
		return num(strconv.Itoa(1_700_000_000_000 + m.n(100)*m.n(100)))
	case "lastUsedAt":
		return str(fmt.Sprintf("2026-01-02T03:%02d:%02dZ", m.n(60), m.n(60)))
	case "agents", "entries":
		return m.keyedList(depth)
	case "allow":
		return m.set()
	case "messages", "bindings":
		return m.messages()
	case "scores":
		return m.numbers()
	case "args":
		return m.args()
	case "login":
		return m.tokens()
	case "matrix":
		return m.mixed(depth)
	case "env", "plugins":
		return m.object(depth)
	}
	return m.scalar()
}

func (m *maker) aShape() string { return shapeKeys[m.n(len(shapeKeys))] }

func (m *maker) object(depth int) *tree {
	o := &tree{kind: jsondoc.Object}
	if depth <= 0 {
		return o
	}
	most := 6
	if m.n(12) == 0 {
		most = 25 // more than are searched one by one
	}
	for range m.n(most) {
		if key := m.aShape(); o.member(key) == nil {
			o.set(key, m.shape(key, depth-1))
		}
	}
	return o
}

func (m *maker) keyedList(depth int) *tree {
	l := &tree{kind: jsondoc.Array, tag: tagKeyed}
	for range m.n(5) {
		l.kids = append(l.kids, m.element(l, depth))
	}
	return l
}

// element draws an object with an identity that the list does not have yet.
func (m *maker) element(l *tree, depth int) *tree {
	e := m.object(min(depth, 2))
	last := m.id[len(m.id)-1]
	if len(m.id) > 1 {
		e.set(m.id[0], str("=p"+strconv.Itoa(m.n(2))))
	}
	if !m.numbered {
		m.fresh++
		e.set(last, str(m.tag+"id"+strconv.Itoa(m.fresh)))
		return e
	}
	next := 1
	for _, k := range l.kids {
		if v := k.member(last); v != nil {
			if n, err := strconv.Atoi(v.text); err == nil {
				next = max(next, n+1)
			}
		}
	}
	e.set(last, num(strconv.Itoa(next)))
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
	o.set("role", str([]string{"=user", "=bot"}[m.n(2)]))
	o.set("content", str(m.text()))
	if m.n(3) == 0 {
		o.set("meta", m.object(1))
	}
	return o
}

func (m *maker) numbers() *tree {
	l := &tree{kind: jsondoc.Array, tag: tagNumbers}
	most := 6
	if m.n(3) == 0 {
		most = 12 // more than make a tuple
	}
	for range m.n(most) {
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
	o.set("expires", num(strconv.Itoa(1000+m.n(100))))
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
	return m.shape(m.aShape(), depth)
}

// edited returns a copy of a document with up to so many changes.
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
	switch n.kind {
	case jsondoc.Object:
		m.editObject(n)
	case jsondoc.Array:
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
		key := m.aShape()
		o.set(key, m.shape(key, 2))
		return
	}
	i := m.n(len(o.kids))
	identity := m.isIdentity(o.keys[i])
	switch op := m.n(16); {
	case op < 2 && (!identity || m.n(20) == 0):
		m.spoiled = m.spoiled || identity
		o.remove(i)
	case op < 4:
		o.keys[i], o.keys[0] = o.keys[0], o.keys[i]
		o.kids[i], o.kids[0] = o.kids[0], o.kids[i]
	case op == 4 && !identity:
		o.kids[i] = m.otherKind(o.keys[i])
	default:
		m.bump(o, i)
	}
}

// otherKind draws a value that a program might put in the place of a member.
func (m *maker) otherKind(key string) *tree {
	switch {
	case key == "version":
		return str(m.text())
	case key == "lastUsedAt":
		return num(strconv.Itoa(m.n(10)))
	case m.n(2) == 0:
		return m.scalar()
	case key == "title" || key == "mode":
		return m.object(1)
	}
	return m.shape(key, 2)
}

func (m *maker) isIdentity(key string) bool {
	for _, name := range m.id {
		if name == key {
			return true
		}
	}
	return false
}

// bump changes the value of a member in the way in which its sort changes.
func (m *maker) bump(o *tree, i int) {
	k := o.kids[i]
	switch key := o.keys[i]; {
	case m.isIdentity(key):
	case key == "version" && k.kind == jsondoc.Number:
		if v, err := strconv.Atoi(k.text); err == nil {
			o.kids[i] = num(strconv.Itoa(v + m.n(4)))
		}
	case key == "updatedAt", key == "lastUsedAt":
		o.kids[i] = m.shape(key, 0)
	case k.container():
		m.edit(k)
	default:
		o.kids[i] = m.scalar()
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
		m.editElement(l, i)
	}
}

func (m *maker) editElement(l *tree, i int) {
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
	case l.tag == tagArgs:
		l.kids[i] = str(m.text())
	default:
		l.kids[i] = m.scalar()
	}
}

func (m *maker) addTo(l *tree) {
	at := m.n(len(l.kids) + 1)
	switch l.tag {
	case tagKeyed:
		l.insert(at, m.newElement(l))
	case tagSet:
		m.addToSet(l)
	case tagMessages:
		if m.n(4) > 0 {
			at = len(l.kids)
		}
		l.insert(at, m.message())
	case tagNumbers:
		l.insert(at, num(strconv.Itoa(m.n(6))))
	case tagArgs:
		l.insert(at, str(m.text()))
	default:
		l.insert(at, m.anything(2))
	}
}

// newElement draws an element of a keyed list, now and then one that another
// writer draws as well, or that the list has already.
func (m *maker) newElement(l *tree) *tree {
	e := m.element(l, 2)
	last := m.id[len(m.id)-1]
	var key *tree
	switch m.n(24) {
	case 0, 1, 2, 3, 4, 5:
		if !m.numbered {
			key = str("=new" + strconv.Itoa(m.n(2)))
		}
	case 6:
		if len(l.kids) > 0 {
			key = l.kids[m.n(len(l.kids))].member(last)
		}
	}
	if key == nil {
		return e
	}
	for _, k := range l.kids {
		if v := k.member(last); v != nil && v.text == key.text {
			m.spoiled = true
		}
	}
	e.set(last, key.clone())
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
