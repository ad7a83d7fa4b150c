package merge_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// lineage is a document's versions, each made from one before, with the additions that
// a store keeps with them.
type lineage struct {
	t        *rapid.T
	name     string // of the member that tells elements apart
	numbers  bool   // that is a number
	fresh    int    // the next new identity
	versions []string
	docs     []*jsondoc.Doc
}

// entry is an element of a list.
type entry struct {
	key, n int
	shape  int // 0 for a usual one
}

func (l *lineage) n(n int) int { return rapid.IntRange(0, n-1).Draw(l.t, "") }

func (l *lineage) print(e entry) string {
	id := fmt.Sprintf(`"k%d"`, e.key)
	if l.numbers {
		id = fmt.Sprint(e.key)
	}
	switch e.shape {
	case 1:
		return fmt.Sprintf(`{"title":%s}`, id) // has no identity
	case 2:
		return `"none"`
	case 3:
		return fmt.Sprintf(`{%q:"\u006b%d","n":%d}`, l.name, e.key, e.n) // is the same key
	case 4:
		return fmt.Sprintf(`{%q:%s,"text":"%s%d"}`, l.name, id, strings.Repeat("long ", 300), e.n)
	}
	return fmt.Sprintf(`{%q:%s,"n":%d}`, l.name, id, e.n)
}

// edited draws a writer's edit of a list. Few edits leave something without an
// identity, or two with one; some put in again an element that was taken out.
func (l *lineage) edited(list []entry) []entry {
	list = slices.Clone(list)
	for range 1 + l.n(3) {
		at := len(list) - l.n(len(list)+1)
		switch edit := l.n(9); {
		case edit < 3 || at == len(list):
			e := entry{key: l.fresh, n: l.n(2)}
			switch l.n(8) {
			case 0:
				e.key = l.n(l.fresh + 1)
			case 1:
				e.shape = l.n(5)
			}
			l.fresh = max(l.fresh, e.key+l.n(2))
			list = slices.Insert(list, at, e)
		case edit < 5:
			list = slices.Delete(list, at, min(len(list), at+1+l.n(2)*l.n(15)))
		case edit < 8:
			list[at].n = l.n(4)
		default:
			to := l.n(len(list))
			list[at], list[to] = list[to], list[at]
		}
	}
	return list
}

func (l *lineage) add(list []entry) {
	var texts []string
	for _, e := range list {
		texts = append(texts, l.print(e))
	}
	text := `{"entries":[` + strings.Join(texts, ",\n ") + `],"more":[]}`
	d := parse(text)
	n := merge.NamesOfShort()
	if l.n(2) == 0 {
		n.Drop()
	}
	if older := len(l.docs) - 1; older >= 0 && l.n(2) == 0 {
		n.Inherit(d, l.docs[older].Kept().(*merge.Names))
	}
	d.Keep(n)
	l.versions, l.docs = append(l.versions, text), append(l.docs, d)
}

// check compares and merges three versions, and fails if the knowledge kept with them
// makes a difference.
func (l *lineage) check(b, o, th int, p *merge.Policy) {
	plainB, plainO, plainT := parse(l.versions[b]), parse(l.versions[o]), parse(l.versions[th])
	want := told(merge.Compare(plainB, plainT, p), merge.Compare(plainO, plainT, p))
	got := told(merge.Compare(l.docs[b], l.docs[th], p), merge.Compare(l.docs[o], l.docs[th], p))
	texts := l.versions[b] + "\n" + l.versions[o] + "\n" + l.versions[th]
	if got != want {
		l.t.Fatalf("%s:\n%q, without names %q", texts, got, want)
	}
	wantRes, wantErr := merge.Merge(plainB, plainO, plainT, p)
	res, err := merge.Merge(l.docs[b], l.docs[o], l.docs[th], p)
	if !reflect.DeepEqual(res, wantRes) || !reflect.DeepEqual(err, wantErr) {
		l.t.Fatalf("%s:\n%+v, %v\nwithout names\n%+v, %v", texts, res, err, wantRes, wantErr)
	}
}

var l4 = rapid.IntRange(0, 3)

// Identities that are kept and passed on from version to version change no result.
func TestKnownIdentitiesChangeNothing(t *testing.T) {
	known := 0
	rapid.Check(t, func(t *rapid.T) {
		l := &lineage{t: t, name: []string{"id", "name", "path", "ref"}[l4.Draw(t, "")]}
		l.numbers = l.n(3) == 0
		policies := []*merge.Policy{nil, nil, {OnConflict: merge.Reject}, {RefuseMassDelete: true},
			{Rules: []merge.Rule{{Path: "/entries", Identity: []string{l.name}}}}}
		p := policies[l.n(len(policies))]
		lists, size := make([][]entry, 1), l.n(40)
		for ; l.fresh < size; l.fresh++ {
			lists[0] = append(lists[0], entry{key: l.fresh})
		}
		l.add(lists[0])
		for range 1 + l.n(5) {
			next := l.edited(lists[max(0, len(lists)-1-l.n(3))])
			lists = append(lists, next)
			l.add(next)
			newest := len(lists) - 1
			l.check(max(0, newest-1-l.n(3)), max(0, newest-1-l.n(2)), newest, p)
		}
		for _, d := range l.docs {
			known += d.Kept().(*merge.Names).Identities()
		}
	})
	if known == 0 {
		t.Error("no list had a known identity")
	}
}

// An identity is found once, and passed on from version to version.
func TestIdentitiesArePassedOn(t *testing.T) {
	element := func(i int) string { return fmt.Sprintf(`{"id":"%d"}`, i) }
	list := numbered(200, `{"id":"%d"}`)
	doc := func(list []string) *jsondoc.Doc {
		d := parse("[" + strings.Join(list, ",") + "]")
		d.Keep(merge.NewNames())
		return d
	}
	base := doc(list)
	for i := range 20 {
		theirs := doc(append(list[:len(list):len(list)], element(1000+i)))
		list = append(list[:180:180], append([]string{element(2000 + i)}, list[180:]...)...)
		head := doc(list)
		if _, err := merge.Merge(base, head, theirs, nil); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*jsondoc.Doc{head, theirs} {
			if !d.Kept().(*merge.Names).ShareTable(base.Kept().(*merge.Names)) {
				t.Fatalf("after %d versions it was looked for again", i)
			}
		}
		base = head
	}
}

// Where a look at all elements is needed, it is taken.
func TestWhatIsLeftOutCounts(t *testing.T) {
	numbered := numbered(100, `{"id":%d,"name":"n%[1]d"}`)
	with := func(list []string, more ...string) []string { return append(list[:len(list):len(list)], more...) }
	named := with([]string{`{"name":"a"}`}, numbered...)
	inserted := slices.Insert(slices.Clone(numbered), 3, `{"id":500,"name":"i"}`)
	for name, c := range map[string]struct{ before, base, head, theirs []string }{
		"the next number":    {numbered, numbered, with(numbered, `{"id":100,"name":"x"}`), with(numbered, `{"id":100,"name":"y"}`)},
		"an earlier name":    {named, named[1:], with(named[1:], `{"id":200,"name":"x"}`), with(named[1:], `{"id":200,"name":"y"}`)},
		"one name is absent": {with(numbered, `{"name":"a"}`), numbered, with(numbered, `{"id":200,"name":"x"}`), with(numbered, `{"id":200,"name":"y"}`)},
		"repeated":           {numbered, numbered, with(numbered, numbered[3]), with(numbered, `{"id":200}`)},
		"repeated, and new":  {numbered, inserted, with(inserted, `{"id":500,"name":"x"}`), with(inserted, `{"id":200}`)},
	} {
		doc := func(list []string) *jsondoc.Doc { return parse("[" + strings.Join(list, ",") + "]") }
		want, _ := merge.Merge(doc(c.base), doc(c.head), doc(c.theirs), nil)
		before, base := doc(c.before), doc(c.base)
		for _, d := range []*jsondoc.Doc{before, base} {
			d.Keep(merge.NewNames())
		}
		merge.Compare(base, before, nil)
		base.Kept().(*merge.Names).Inherit(base, before.Kept().(*merge.Names))
		got, _ := merge.Merge(base, doc(c.head), doc(c.theirs), nil)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%s %+v\nwithout names\n%s %+v", name, got.Text, got, want.Text, want)
		}
	}
}
