package merge_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// speller draws documents of values that programs spell anew.
type speller struct {
	t     *rapid.T
	fresh int
}

func (s *speller) n(n int) int { return below[n].Draw(s.t, "") }

func (s *speller) word() *tree {
	s.fresh++
	return str("w" + strconv.Itoa(s.fresh))
}

var oddFractions = []string{"0.7", "0.1", "0.30000000000000004", "0.12345678901234567", "1732818300.123456", "52.520006599999995", "13.4049541", "0.8700000000000001", "21.7", "-1.1"}

func (s *speller) fraction() *tree {
	if s.n(3) == 0 {
		return num(strings.TrimRight(fmt.Sprintf("%d.%d%d%d", s.n(199), 1+s.n(9), 1_000_000+s.n(199)*s.n(199), 1_000_001+s.n(199)*s.n(199)), "0"))
	}
	return num(oddFractions[s.n(len(oddFractions))])
}

func (s *speller) id() *tree {
	s.fresh++
	return num(strconv.Itoa(1139604391234568219 + s.fresh*7_654_321_987))
}

func (s *speller) time() *tree {
	return str(fmt.Sprintf("2024-11-%02dT20:%02d:00.5%d0+00:00", 1+s.n(28), s.n(60), 1+s.n(9)))
}

func (s *speller) value() *tree {
	switch s.n(10) {
	case 0:
		return anObject()
	case 1:
		return anArray()
	case 2:
		return &tree{kind: jsondoc.Null, text: "null"}
	case 3:
		return s.time()
	case 4:
		return str(s.word().text + lone)
	case 5:
		return s.id()
	case 6:
		return s.word()
	}
	return s.fraction()
}

func (s *speller) object(most int) *tree {
	o := anObject()
	for i := range s.n(most) {
		o.set("k"+strconv.Itoa(i), s.value())
	}
	return o
}

func (s *speller) document() *tree {
	d := anObject()
	for i := range 1 + s.n(4) {
		name := "m" + strconv.Itoa(i)
		switch s.n(5) {
		case 0:
			l := anArray()
			for range s.n(6) {
				r := s.object(5)
				r.set("id", s.id())
				l.kids = append(l.kids, r)
			}
			d.set(name, l)
		case 1:
			l := anArray()
			for range s.n(6) {
				l.kids = append(l.kids, s.fraction())
			}
			d.set(name, l)
		case 2:
			o := anObject()
			for k := range s.n(4) {
				o.set(strconv.Itoa(k), s.word())
			}
			d.set(name, o)
		case 3:
			d.set(name, s.value())
		default:
			d.set(name, s.object(6))
		}
	}
	return d
}

// edited changes the parts that every language prints alike: it takes members and
// elements away, sets words, and adds words under names of its own.
func (s *speller) edited(n *tree, tag string) *tree {
	n = n.clone()
	for range 1 + s.n(4) {
		at := n
		for s.n(3) > 0 {
			inside := slices.Collect(func(yield func(*tree) bool) {
				for _, k := range at.kids {
					if k.container() && len(k.kids) > 0 && !yield(k) {
						return
					}
				}
			})
			if len(inside) == 0 {
				break
			}
			at = inside[s.n(len(inside))]
		}
		s.fresh++
		switch i := s.n(max(len(at.kids), 1)); {
		case len(at.kids) == 0, s.n(3) == 0 && at.kind == jsondoc.Object:
			if at.kind == jsondoc.Object {
				at.set(tag+strconv.Itoa(s.fresh), s.word())
			}
		case len(at.kids) == 1: // an emptied one shows nothing of the side that emptied it
		case at.kind == jsondoc.Object && at.keys[i] == "id", at.kids[i].kind == jsondoc.Null: // nor does a thing without a name, or null that is gone
		case s.n(2) == 0 || at.kind == jsondoc.Array:
			at.remove(i)
		default:
			at.kids[i] = s.word()
		}
	}
	return n
}

// text prints a document so that lone surrogates stay.
func (n *tree) text1(b *strings.Builder) {
	quoted := func(s string) string { return string(jsondoc.AppendQuoted(nil, []byte(s))) }
	switch n.kind {
	case jsondoc.Object, jsondoc.Array:
		b.WriteByte("[{"[n.kind-jsondoc.Array])
		for i, k := range n.kids {
			if i > 0 {
				b.WriteString(", ")
			}
			if n.kind == jsondoc.Object {
				b.WriteString(quoted(n.keys[i]) + ": ")
			}
			k.text1(b)
		}
		b.WriteByte("]}"[n.kind-jsondoc.Array])
	case jsondoc.String:
		b.WriteString(quoted(n.text))
	default:
		b.WriteString(n.text)
	}
}

func spelled(n *tree) *jsondoc.Doc {
	var b strings.Builder
	n.text1(&b)
	return parse(b.String())
}

// changes counts the values that a printer spells anew, by their kinds.
func (p *printer) changes(n *tree, count map[jsondoc.Kind]int) {
	for _, k := range n.kids {
		p.changes(k, count)
	}
	switch w := p.of(n.clone()); {
	case !n.container() || len(n.kids) == 0:
		if !jsondoc.Equal(spelled(w).Root(), spelled(n).Root()) {
			count[n.kind]++
		}
	case w.kind != n.kind:
		count[n.kind]++
	case len(w.kids) < len(n.kids):
		count[jsondoc.Null] += len(n.kids) - len(w.kids)
	}
}

// shows reports whether each kind of values that a printer spells anew is there often
// enough, and whether there is any.
func (p *printer) shows(n *tree) (enough, some bool) {
	count := make(map[jsondoc.Kind]int)
	p.changes(n, count)
	for _, n := range count {
		if n < p.shown {
			return false, true
		}
	}
	return true, len(count) > 0
}

// respelling is a case: a base, two programs' edits of it, and those as a printer
// writes them.
type respelling struct {
	t                *rapid.T
	p                *printer
	b, o, th         *tree
	base, head, mine *jsondoc.Doc
}

func drawRespelling(t *rapid.T, p *printer) *respelling {
	s := &speller{t: t}
	c := &respelling{t: t, p: p, b: s.document()}
	c.o, c.th = s.edited(c.b, "o"), s.edited(c.b, "t")
	c.base, c.head, c.mine = spelled(c.b), spelled(c.o), spelled(c.th)
	return c
}

func (c *respelling) merged(b, o, t *jsondoc.Doc) *merge.Result {
	res, err := merge.Merge(b, o, t, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

// shown reports whether the rest of the base, where it was, shows its writer.
func (c *respelling) shown(n *tree) bool {
	enough, some := c.p.shows(c.common(c.b, n))
	return enough && some
}

// common returns the part of the base that is still in n, and as it was.
func (c *respelling) common(b, n *tree) *tree {
	if b.kind != n.kind || !b.container() && b.text != n.text {
		return str("")
	}
	out := &tree{kind: b.kind, text: b.text}
	left := slices.Clone(n.kids)
	for i, k := range b.kids {
		if b.kind == jsondoc.Object {
			if m := n.member(b.keys[i]); m != nil {
				out.set(b.keys[i], c.common(k, m))
			}
			continue
		}
		if at := slices.IndexFunc(left, func(m *tree) bool { return sameThing(k, m) }); at >= 0 {
			out.kids = append(out.kids, c.common(k, left[at]))
			left = slices.Delete(left, at, at+1)
		}
	}
	if len(out.kids) == 0 && len(b.kids) > 0 {
		return str("") // it was not empty before
	}
	return out
}

func sameThing(a, b *tree) bool {
	if x, y := a.member("id"), b.member("id"); x != nil && y != nil {
		return x.text == y.text
	}
	return a.kind == b.kind && !a.container() && a.text == b.text
}

func (c *respelling) want(what string, got, want *merge.Result, docs ...*jsondoc.Doc) {
	if !jsondoc.Equal(parse(string(got.Text)).Root(), parse(string(want.Text)).Root()) || !slices.Equal(got.Conflicts, want.Conflicts) {
		c.t.Fatalf("%s by %s:\nbase   %s\nhead   %s\ntheirs %s\ngot    %s %v\nwanted %s %v", what, c.p.name,
			docs[0].Source(), docs[1].Source(), docs[2].Source(), got.Text, got.Conflicts, want.Text, want.Conflicts)
	}
}

// A printer that spells a value anew does not edit it, on either side.
func TestRespellingIsNoEdit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawRespelling(t, &printers[rapid.IntRange(0, len(printers)-1).Draw(t, "printer")])
		exact := c.merged(c.base, c.head, c.mine)
		if c.shown(c.th) && c.differs(c.head) {
			written := spelled(c.p.written(c.th))
			c.want("theirs written", c.merged(c.base, c.head, written), exact, c.base, c.head, written)
		}
		if !c.p.mixed && c.shown(c.o) && c.differs(c.mine) {
			other := spelled(c.p.written(c.o))
			c.want("the head written", c.merged(c.base, other, c.mine), exact, c.base, other, c.mine)
		}
		c.unchanged()
	})
}

// differs reports whether a program has changed the base at all. If it has not, the
// other one's text is stored as it is.
func (c *respelling) differs(d *jsondoc.Doc) bool {
	return string(d.Source()) != string(c.base.Source())
}

// unchanged checks a writer that has changed nothing.
func (c *respelling) unchanged() {
	again := spelled(c.p.written(c.b))
	if !c.shown(c.b) || jsondoc.Equal(again.Root(), c.base.Root()) {
		return
	}
	if !merge.Same(c.base, again) {
		c.t.Fatalf("%s: %s is not the same as %s", c.p.name, again.Source(), c.base.Source())
	}
	if res := c.merged(c.base, c.head, again); c.differs(c.head) && string(res.Text) != string(c.head.Source()) {
		c.t.Fatalf("%s: nothing was changed in %s, but the head %s became %s", c.p.name, again.Source(), c.head.Source(), res.Text)
	}
	if c.p.mixed {
		return
	}
	if res := c.merged(c.base, again, c.mine); c.differs(c.mine) && string(res.Text) != string(c.mine.Source()) {
		c.t.Fatalf("%s: the head has changed nothing in %s, but %s became %s", c.p.name, again.Source(), c.mine.Source(), res.Text)
	}
	c.bothRespell(again)
}

// bothRespell checks that the base's own values stay where both sides only spell them
// anew, each in its way.
func (c *respelling) bothRespell(head *jsondoc.Doc) {
	q := &printers[rapid.IntRange(0, len(printers)-1).Draw(c.t, "other")]
	theirs := spelled(q.written(c.b))
	if enough, _ := q.shows(c.b); q.mixed || !enough || jsondoc.Equal(theirs.Root(), c.base.Root()) || jsondoc.Equal(theirs.Root(), head.Root()) {
		return
	}
	if res := c.merged(c.base, head, theirs); !jsondoc.Equal(parse(string(res.Text)).Root(), c.base.Root()) {
		c.t.Fatalf("%s, then %s: %s became %s, not %s", c.p.name, q.name, theirs.Source(), res.Text, c.base.Source())
	}
}
