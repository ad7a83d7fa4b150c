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

// spot is a place of a document by the positions on the way. owner is the writer
// that may make any edit there, -1 where everybody may add.
type spot struct {
	path  []int
	owner int
}

// spots divides a document among writers. It lists the spots inside a container
// behind the container, and the later ones in the document later.
func (m *maker) spots(n *tree, path []int, writers int, list []spot) []spot {
	for i, k := range n.kids {
		if n.kind == jsondoc.Object && m.isIdentity(n.keys[i]) || n.tag == tagMessages {
			continue
		}
		at := append(slices.Clone(path), i)
		shared := k.kind == jsondoc.Object && k.tag != tagTokens || k.tag == tagKeyed || k.tag == tagSet || k.tag == tagMessages
		if shared && m.n(2) == 0 {
			list = append(list, spot{at, -1})
			list = m.spots(k, at, writers, list)
		} else {
			list = append(list, spot{at, m.n(writers)})
		}
	}
	return list
}

// writer returns one writer's edit of the base.
func (m *maker) writer(base *tree, spots []spot, i int) *tree {
	c := base.clone()
	for _, s := range slices.Backward(spots) { // from behind, so that positions hold
		in, at := c, 0
		for k, step := range s.path {
			if at = step; k < len(s.path)-1 {
				in = in.kids[step]
			}
		}
		switch {
		case s.owner < 0 && m.n(2) == 0:
			m.share(in.kids[at])
		case s.owner == i && m.n(2) == 0:
			m.own(in, at)
		}
	}
	m.share(c)
	return c
}

// share adds something that no other writer adds.
func (m *maker) share(n *tree) {
	m.fresh++
	switch {
	case n.tag == tagKeyed:
		n.insert(m.n(len(n.kids)+1), m.element(n, 1))
	case n.tag == tagSet:
		m.addToSet(n)
	case n.tag == tagMessages:
		n.insert(len(n.kids), m.message())
	default:
		n.set(m.tag+"k"+strconv.Itoa(m.fresh), m.anything(1))
	}
}

// own changes or removes the values that belong to one writer.
func (m *maker) own(in *tree, at int) {
	switch k := in.kids[at]; {
	case m.n(3) == 0:
		in.remove(at)
	case k.container():
		m.edit(k)
	case in.kind == jsondoc.Object:
		in.kids[at] = m.scalar()
	}
}

// Writers whose edits are disjoint all get their edits, in every order of their
// commits: the values are the same but for the order of lists, and there is no
// conflict.
func TestWritersInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMaker(t)
		m.numbered = false
		base := m.document()
		spots := m.spots(base, nil, 3, nil)
		print := m.spelled()
		b := parse(print.print(base))
		var written [3]*jsondoc.Doc
		for i := range written {
			m.tag = "w" + strconv.Itoa(i) + "-"
			written[i] = parse(print.print(m.writer(base, spots, i)))
		}
		if m.spoiled {
			return
		}
		old, own := stringsOf(b), [3]where{}
		for i, w := range written {
			own[i] = stringsOf(w)
		}
		first := ""
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			head := commitAll(t, b, written, order)
			if got := canonical(head.Root()); first == "" {
				first = got
				checkWriters(t, old, own, stringsOf(head))
			} else if got != first {
				t.Fatalf("base %s\nwriters %s\n%s\n%s\norder %v: %s\nfirst order: %s", b.Source(), written[0].Source(), written[1].Source(), written[2].Source(), order, got, first)
			}
		}
	})
}

func commitAll(t *rapid.T, b *jsondoc.Doc, written [3]*jsondoc.Doc, order []int) *jsondoc.Doc {
	head := b
	for _, i := range order {
		res, err := merge.Merge(b, head, written[i], nil)
		if err != nil || len(res.Conflicts) > 0 {
			t.Fatalf("a conflict between disjoint edits: %v %v\nbase %s\nhead %s\ntheirs %s", err, res.Conflicts, b.Source(), head.Source(), written[i].Source())
		}
		head = parse(string(res.Text))
	}
	return head
}

// checkWriters makes sure that all additions are there and all removals hold.
func checkWriters(t *rapid.T, old where, written [3]where, now where) {
	for i, own := range written {
		for s := range own {
			if old[s] == nil && now[s] == nil && !strings.HasPrefix(s, "2026-") {
				t.Fatalf("writer %d's %q is lost", i, s)
			}
		}
		for s := range old {
			if own[s] == nil && now[s] != nil && !strings.HasPrefix(s, "=") && !strings.HasPrefix(s, "2026-") {
				t.Fatalf("%q, removed by writer %d, is back", s, i)
			}
		}
	}
}

// canonical spells a value with the elements of lists and the members of objects
// sorted.
func canonical(v jsondoc.Value) string {
	var parts []string
	for _, e := range v.Elements() {
		parts = append(parts, canonical(e))
	}
	for m := range v.Members() {
		parts = append(parts, strconv.Quote(m.Name())+":"+canonical(m.Value))
	}
	slices.Sort(parts)
	if v.IsContainer() {
		return v.Kind().String() + "(" + strings.Join(parts, ",") + ")"
	}
	switch v.Kind() {
	case jsondoc.String:
		return strconv.Quote(v.Text())
	case jsondoc.Number:
		f, _ := strconv.ParseFloat(string(v.Raw()), 64)
		return strconv.FormatFloat(f+0, 'g', -1, 64) // +0: 0 for -0
	}
	return string(v.Raw())
}

// N writers count up M times each, from their own last write. They leave the counter at B +
// N·M, and every entry that they added beside it.
func TestCountersAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		writers := rapid.IntRange(1, 4).Draw(t, "writers")
		bumps := rapid.IntRange(1, 4).Draw(t, "bumps")
		start := rapid.IntRange(-3, 1000).Draw(t, "start")
		name := rapid.SampledFrom([]string{"version", "revision", "rev", "seq"}).Draw(t, "name")
		var turns []int
		for i := range writers * bumps {
			turns = append(turns, i%writers)
		}
		turns = rapid.Permutation(turns).Draw(t, "turns")

		write := func(n int, entries string) *jsondoc.Doc {
			return parse(fmt.Sprintf("{%q: %d, \"models\": [%s]}\n", name, n, entries))
		}
		head := write(start, "")
		own := make([]*jsondoc.Doc, writers)
		count, entries := make([]int, writers), make([]string, writers)
		for i := range own {
			own[i] = head
		}
		for _, w := range turns {
			count[w]++
			if entries[w] != "" {
				entries[w] += ", "
			}
			entries[w] += fmt.Sprintf(`{"id": "%d-%d"}`, w, count[w])
			next := write(start+count[w], entries[w])
			res, err := merge.Merge(own[w], head, next, nil)
			if err != nil || len(res.Conflicts) > 0 {
				t.Fatalf("%v %v", err, res)
			}
			own[w], head = next, parse(string(res.Text))
		}
		n, _ := head.Root().Member(name)
		models, _ := head.Root().Member("models")
		if got, want := string(n.Raw()), strconv.Itoa(start+writers*bumps); got != want || models.Len() != writers*bumps {
			t.Fatalf("%s is %s, wanted %s: %s", name, got, want, head.Source())
		}
	})
}
