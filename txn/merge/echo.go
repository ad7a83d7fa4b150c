package merge

import (
	"slices"

	"clawfs/txn/jsondoc"
	"clawfs/txn/roundtrip"
)

// echo is a document as its writer reads it and writes it back, as far as the written text
// shows.
type echo struct {
	of, doc *jsondoc.Doc // the document as it is, and as the writer has it
	trip    *roundtrip.Trip
	pairs   []pair // values that the writer has spelled anew and not changed
	origins map[jsondoc.Value]jsondoc.Value
}

// pair is a value of the document and the one that the writer has put in its place.
type pair struct {
	of, is jsondoc.Value // is does not exist where the writer has left a member out
	// key is that of a member that was left out, in the writer's object without it,
	// behind the position there of the member before, -1 for the first.
	key, in jsondoc.Value
	behind  int
	family  roundtrip.Family
	emptied bool // the writer has emptied the container, which it spells as one of another kind
}

// echoOf returns the echo of base in x, nil if there is none. The numbers of JavaScript are
// left to respelled.
func echoOf(base, x *jsondoc.Doc, p *Policy) *echo {
	if x.Grammar() == jsondoc.Lines {
		return nil // a log's lines are not written back
	}
	return echoBy(roundtrip.Tell(base, x, roundtrip.JavaScript), base, x, p)
}

// echoBy lines the documents up by the values that a trip makes of base's. Families
// that do not show often enough then were not at work: they are dropped one by one,
// since one that was not may hide another.
func echoBy(t *roundtrip.Trip, base, x *jsondoc.Doc, p *Policy) *echo {
	for t != nil {
		doc, err := t.Of(base)
		if err != nil {
			return nil // longer than a document may be: nothing is told
		}
		l := listener{echo: echo{of: base, doc: doc, trip: t}}
		r := rootRules(p)
		l.value(base.Root(), doc.Root(), x.Root(), "", &r)
		shown := make(map[roundtrip.Family]int)
		for _, p := range l.pairs {
			if !p.emptied {
				shown[p.family]++
			}
		}
		families := t.Families()
		missing := slices.IndexFunc(families, func(f roundtrip.Family) bool { return shown[f] < f.Shown() })
		if missing < 0 {
			return &l.echo
		}
		t = t.Without(families[missing])
	}
	return nil
}

// origin returns the value of the document that a value of the echo was made of.
func (e *echo) origin(v jsondoc.Value) jsondoc.Value {
	if e == nil || !v.Exists() {
		return v
	}
	if e.origins == nil {
		e.origins = make(map[jsondoc.Value]jsondoc.Value)
		e.trace(e.of.Root(), e.doc.Root())
	}
	return e.origins[v]
}

func (e *echo) trace(of, is jsondoc.Value) {
	e.origins[is] = of
	e.kids(of, is, func(of, is, _ jsondoc.Value) { e.trace(of, is) }, nil)
}

// kids calls each with the values in a container, as they are and as the writer has
// them, and dropped with the members that the writer leaves out. key is that of a
// member that stays one.
func (e *echo) kids(of, is jsondoc.Value, each func(of, is, key jsondoc.Value), dropped func(m jsondoc.Member)) {
	if !of.IsContainer() || !is.IsContainer() {
		return
	}
	var kids, keys []jsondoc.Value
	for _, v := range is.Elements() {
		kids, keys = append(kids, v), append(keys, jsondoc.Value{})
	}
	for m := range is.Members() {
		kids, keys = append(kids, m.Value), append(keys, m.Key)
	}
	i := 0
	for _, v := range of.Elements() {
		each(v, kids[i], keys[i])
		i++
	}
	for m := range of.Members() {
		if is.Kind() == jsondoc.Object && e.trip.Drops(m.Value) {
			if dropped != nil {
				dropped(m)
			}
			continue
		}
		each(m.Value, kids[i], keys[i])
		i++
	}
}

// listener lines an echo up with the writer's document.
type listener struct {
	aligner
	echo
}

// value looks at a place of some name that the document, its echo and the written
// document have.
func (l *listener) value(of, is, x jsondoc.Value, name string, r *rules) {
	switch {
	case of.IsContainer() != is.IsContainer() || of.IsEmpty(): // scalars are empty, too
		l.leaf(of, is, x)
	case is.Kind() != x.Kind():
		if l.trip.Empties(of.Kind(), x) {
			l.pairs = append(l.pairs, pair{of: of, is: x, emptied: true})
		}
	case is.Kind() == jsondoc.Object:
		l.object(of, is, x, r)
	default:
		l.list(of, is, x, name, r)
	}
}

// leaf notes a value that was spelled anew and not changed.
func (l *listener) leaf(of, is, x jsondoc.Value) {
	if jsondoc.Equal(is, x) && !jsondoc.Equal(of, x) {
		if f, ok := l.trip.Changed(of, is); ok {
			l.pairs = append(l.pairs, pair{of: of, is: x, family: f})
		}
	}
}

func (l *listener) object(of, is, x jsondoc.Value, r *rules) {
	marks := l.members.mark()
	defer l.members.release(marks)
	members := l.membersOf(x)
	index := nameIndex{of: members}
	behind := -1
	l.kids(of, is, func(of, is, key jsondoc.Value) {
		i := index.find(key)
		if i < 0 {
			return
		}
		behind = i
		below := r.member(key)
		l.value(of, is, members[i].Value, members[i].Name(), &below)
	}, func(m jsondoc.Member) {
		if index.find(m.Key) >= 0 {
			return
		}
		f, _ := l.trip.Changes(m.Value, true)
		l.pairs = append(l.pairs, pair{of: m.Value, key: m.Key, in: x, behind: behind, family: f})
	})
}

func (l *listener) list(of, is, x jsondoc.Value, name string, r *rules) {
	marks := l.values.mark()
	defer l.values.release(marks)
	var origins []jsondoc.Value
	l.kids(of, is, func(of, _, _ jsondoc.Value) { origins = append(origins, of) }, nil)
	echoes, written := l.elementsOf(is), l.elementsOf(x)
	found, _ := l.alignTwo(name, r, echoes, written)
	if of.Kind() == jsondoc.Object {
		f, _ := l.trip.Changes(of, false)
		l.pairs = append(l.pairs, pair{of: of, is: x, family: f})
	}
	below := r.element()
	for i, m := range found {
		if m.at >= 0 {
			l.value(origins[m.at], echoes[m.at], written[i], "", &below)
		}
	}
}
