package merge

import (
	"iter"
	"slices"

	"clawfs/txn/jsondoc"
)

// moved is an element that is in another order relative to the others of its list.
type moved struct{ from, to jsondoc.Value }

// Moves yields the elements of lists that were moved, as they were and as they are; the changes
// inside of one are among Changes. Of a list as few are yielded as can be: the others have kept
// their order. There are none unless Follow has made the delta.
func (d *Delta) Moves() iter.Seq2[jsondoc.Value, jsondoc.Value] {
	return func(yield func(from, to jsondoc.Value) bool) {
		for _, m := range d.moves {
			if !yield(d.echo.origin(m.from), m.to) {
				return
			}
		}
	}
}

// noteMoves notes the elements of a list that were moved: all but the longest run of
// those that have kept their order.
func (c *comparer) noteMoves(a, b []jsondoc.Value, found []match) {
	stay := inOrder(found)
	for i, m := range found {
		switch {
		case m.at < 0:
		case len(stay) > 0 && stay[0] == int32(i):
			stay = stay[1:]
		default:
			c.delta.moves = append(c.delta.moves, moved{a[m.at], b[i]})
		}
	}
}

// inOrder returns the indexes of the longest sequence of elements whose matches ascend
// (C. Schensted, Longest Increasing and Decreasing Subsequences, 1961).
func inOrder(found []match) []int32 {
	var ends []int32 // the index of the least match that ends a sequence of each length
	before := make([]int32, len(found))
	for i, m := range found {
		if m.at < 0 {
			continue
		}
		n, _ := slices.BinarySearchFunc(ends, m.at, func(end, at int32) int { return int(found[end].at - at) })
		if before[i] = -1; n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, 0)
		}
		ends[n] = int32(i)
	}
	if len(ends) == 0 {
		return nil
	}
	for i, at := len(ends)-1, ends[len(ends)-1]; i >= 0; i-- {
		ends[i], at = at, before[at]
	}
	return ends
}
