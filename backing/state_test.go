package backing

import (
	"os"
	"path/filepath"
	"testing"
)

// Two stamps are of one file where they have its inode, in spite of any writes in between,
// and by any of its names.
func TestSameFile(t *testing.T) {
	b := newBench(t, Options{})
	at := func(name string) string { return filepath.Join(b.path, name) }
	b.must(os.WriteFile(at("a.json"), []byte("[1]"), 0o600))
	b.must(os.WriteFile(at("other.json"), []byte("[1]"), 0o600))
	stamp := func(name string) string {
		s, err := b.d.Stamp(name)
		b.must(err)
		return s
	}
	before := stamp("a.json")
	b.must(os.Link(at("a.json"), at("b.json")))
	b.must(os.WriteFile(at("b.json"), []byte("[1,2]"), 0o600))
	after := stamp("b.json")
	if before == after || !b.d.SameFile(before, after) || !b.d.Linked(after) {
		t.Errorf("%q and %q are of one file", before, after)
	}
	for _, other := range []string{stamp("other.json"), stamp("gone.json"), "", "?"} {
		if b.d.SameFile(after, other) || b.d.SameFile(other, after) {
			t.Errorf("%q and %q are taken for one file", after, other)
		}
	}
	if b.d.SameFile("?", "?") {
		t.Error("what is no stamp is taken for a file's")
	}
}
