package jsondoc

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// equal reports whether two trees are the same to the last bit.
func (t *tree) equal(o *tree) bool {
	return slices.Equal(t.nodes, o.nodes) && slices.Equal(t.spans, o.spans) && slices.Equal(t.far, o.far)
}

// A value that is too long for its node keeps its length: in a document that was parsed, and in
// one that was taken over from the same place or from another one.
func TestLongValues(t *testing.T) {
	long, blank := `"`+strings.Repeat("x", tooLong)+`"`, "["+strings.Repeat(" ", tooLong)+"]"
	was := fmt.Sprintf(`{"a":[1,%s],"b":%s,"c":{"d":%s}}`, long, blank, blank)
	old, err := Parse([]byte(was), JSON, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, is := range []string{was, strings.Replace(was, "1", "1,2", 1), strings.Replace(was, "1,", "[],", 1), was[:len(was)-2] + `,"e":1}}`, was[:len(was)-3] + `3]}}`} {
		checkLike(t, []byte(is), old, Limits{})
		d, err := ParseLike([]byte(is), old, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := d.Root().Member("a")
		b, _ := d.Root().Member("b")
		if n := a.Len(); n < 2 || !strings.Contains(is, string(a.Raw())) {
			t.Errorf("the first list has %d elements", n)
		}
		for i, e := range a.Elements() {
			if i == a.Len()-1 && string(e.Raw()) != long {
				t.Error("the long string is another one")
			}
		}
		if string(b.Raw()) != blank || !b.IsEmpty() || b.Kind() != Array {
			t.Error("the long empty list is another one")
		}
	}
}

// A container that takes its members from an empty one, or loses all of them, is as Parse
// makes it.
func TestParseLikeOfEmptyContainers(t *testing.T) {
	for _, texts := range [][2]string{
		{`[[],1]`, `[[2],1]`}, {`[[ ],1]`, `[[ 2],1]`}, {`[1,[]]`, `[1,[[]]]`}, {`{"a":{},"b":1}`, `{"a":{"c":{}},"b":1}`},
		{`[]`, `[[]]`}, {`[[[]],[[]]]`, `[[],[[[]]]]`}, {"[[], [[]], 1]", "[[], [[1]], 1]"},
	} {
		for _, pair := range [][2]string{texts, {texts[1], texts[0]}} {
			old, err := Parse([]byte(pair[0]), JSON, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			checkLike(t, []byte(pair[1]), old, Limits{})
		}
	}
}

// A tree takes eight bytes for a value, and as many again for a container that holds something.
func TestTreesAreSmall(t *testing.T) {
	const records = 10_000
	text := []byte("[" + list(records, `{"id":"abc","text":"x"}`) + "]")
	d, err := Parse(text, JSON, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	like, err := ParseLike(append(text[:len(text)-1:len(text)-1], ",1]"...), d, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Doc{d, like} {
		if size := d.MemSize(); size > records*48*21/20 {
			t.Errorf("a record takes %d bytes", size/records)
		}
	}
}
