package merge

import (
	"bytes"

	"clawfs/txn/jsondoc"
)

// areTwoLines reports whether head and theirs are one line each that were made from nothing,
// and rather two records than one document. Two programs that begin a file of JSON lines at
// once leave it like that. One merged document would be neither. A program that has
// seen a line, and writes one with another identity, has changed it.
func (v versions) areTwoLines() bool {
	return v.base == nil && isLine(v.head) && isLine(v.theirs) && areTwoRecords(v.head.Root(), v.theirs.Root())
}

func isLine(d *jsondoc.Doc) bool {
	i := bytes.IndexByte(d.Source(), '\n')
	return d.Grammar() == jsondoc.JSON && (i < 0 || i == len(d.Source())-1)
}

// areTwoRecords reports whether two objects have the same members, and another identity.
func areTwoRecords(x, y jsondoc.Value) bool {
	if x.Kind() != jsondoc.Object || x.Len() != y.Len() {
		return false
	}
	for m := range x.Members() {
		if _, ok := y.Member(m.Name()); !ok {
			return false
		}
	}
	for _, name := range identityNames {
		a, inX := scalarKey(x, name)
		b, inY := scalarKey(y, name)
		if inX && inY {
			return !bytes.Equal(a, b)
		}
	}
	return false
}
