package merge_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// told spells out a delta.
func told(d *merge.Delta, other *merge.Delta) string {
	var b strings.Builder
	for from, to := range d.Changes() {
		for _, v := range []jsondoc.Value{from, to} {
			if v.Exists() {
				at, _ := v.Span()
				fmt.Fprintf(&b, "%d:%s ", at, v.Raw())
			} else {
				b.WriteString("- ")
			}
		}
	}
	fmt.Fprint(&b, d.Leaves(), d.Reordered(), d.Tells(), d.Keeps(), d.Replaces(), d.Takes(),
		d.Echoes(other), d.Misses(other), d.GoesOnFrom(other), d.TellsBeyond(other))
	return b.String()
}

// Names of elements that are kept change no result, however often they are used.
func TestKeptNamesChangeNothing(t *testing.T) {
	lists := 0
	rapid.Check(t, func(t *rapid.T) {
		c := drawTriple(t)
		compare := func() []string {
			fromBase, fromHead := merge.Compare(c.b, c.t3, nil), merge.Compare(c.o, c.t3, nil)
			return []string{told(fromBase, fromHead), told(fromHead, fromBase)}
		}
		want := compare()
		n := merge.NamesOfShort()
		c.t3.Keep(n)
		defer c.t3.Keep(nil)
		for range 2 {
			if got := compare(); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\n%s\n%s:\n%q, without names %q", c.b.Source(), c.o.Source(), c.t3.Source(), got, want)
			}
			if got := c.merge(c.b, c.o, c.t3); !reflect.DeepEqual(got, c.res) {
				t.Fatalf("%s\n%s\n%s:\n%s, without names %s", c.b.Source(), c.o.Source(), c.t3.Source(), got.Text, c.res.Text)
			}
		}
		lists += n.Kept()
	})
	if lists == 0 {
		t.Error("no list had names")
	}
}

// Names are found once for a list, with any list that it is compared and merged with.
func TestNamesAreKept(t *testing.T) {
	list := func(n int) *jsondoc.Doc { // another one throughout, so that its ends tell nothing
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"id":"%d","of":%d}`, i, n)
		}
		return parse("[" + strings.TrimPrefix(b.String(), ",") + "]")
	}
	for n, want := range map[int]int{10: 0, 100: 1} {
		is, names := list(n), merge.NewNames()
		names.Hold(nil)
		is.Keep(names)
		for older := range 3 {
			_ = merge.Compare(list(n-1-older), is, nil)
		}
		if names.Kept() != want {
			t.Errorf("of %d elements: %d lists, not %d", n, names.Kept(), want)
		}
	}
}
