package merge

import "clawfs/txn/jsondoc"

// NamesOfShort returns Names that keep the keys of short lists, too.
func NamesOfShort() *Names {
	n := NewNames()
	n.least = 1
	n.Hold(nil)
	return n
}

// MergeWithNames merges documents by the default policy with Names kept with each, those of
// a merge before if there was one.
func MergeWithNames(docs ...*jsondoc.Doc) *Result {
	for _, d := range docs {
		if d != nil && d.Kept() == nil {
			n := NewNames()
			n.least = 1
			d.Keep(n)
		}
	}
	res, err := Merge(docs[0], docs[1], docs[2], nil)
	if err != nil {
		panic(err)
	}
	return res
}

// Identities returns the number of lists whose identity is kept.
func (n *Names) Identities() (count int) {
	for _, k := range n.identities {
		if k.names != nil {
			count++
		}
	}
	return count
}

// ShareTable reports whether an identity in the one was passed on from the other, or from
// where that has it from.
func (n *Names) ShareTable(o *Names) bool {
	for _, k := range n.identities {
		for _, other := range o.identities {
			if k.table != nil && k.table == other.table {
				return true
			}
		}
	}
	return false
}

// Kept returns the number of lists whose keys are kept.
func (n *Names) Kept() int { return len(n.lists) }
