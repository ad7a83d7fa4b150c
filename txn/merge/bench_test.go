package merge_test

import (
	"bytes"
	"fmt"
	"testing"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// BenchmarkMerge merges three documents of 10 MB that are parsed already: both
// sides have changed, added and removed entries. The budget is 300 ms.
func BenchmarkMerge(b *testing.B) {
	const entries = 100_000
	base, head, theirs := registry(b, entries, 0), registry(b, entries, 3), registry(b, entries, 7)
	b.SetBytes(int64(len(base.Source()) + len(head.Source()) + len(theirs.Source())))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := merge.Merge(base, head, theirs, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// registry has n entries. A side other than 0 has changed one in a thousand,
// removed one in a thousand, and added a hundred.
func registry(b *testing.B, n, side int) *jsondoc.Doc {
	var text bytes.Buffer
	text.WriteString("{\n  \"entries\": [")
	separator := ""
	add := func(id, content string) {
		fmt.Fprintf(&text, "%s\n    {\n      \"id\": %q,\n      \"text\": %q\n    }", separator, id, content)
		separator = ","
	}
	for i := range n {
		switch {
		case side > 0 && i%1000 == side+1:
		case side > 0 && i%1000 == side:
			add(fmt.Sprintf("e%d", i), fmt.Sprintf("changed by side %d", side))
		default:
			add(fmt.Sprintf("e%d", i), "an entry of ordinary length, as a registry of tools or models holds it")
		}
	}
	for i := range min(side, 1) * 100 {
		add(fmt.Sprintf("side-%d-%d", side, i), "new")
	}
	text.WriteString("\n  ]\n}\n")
	doc, err := jsondoc.Parse(text.Bytes(), jsondoc.JSON, jsondoc.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	return doc
}
