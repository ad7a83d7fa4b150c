package merge

// maxScript bounds the length of the edit scripts that are searched for, and
// with it the cost: n·maxScript steps at worst, and maxScript² numbers.
const maxScript = 128

// run is a run of equal elements: length of them from b in one list and from x
// in the other.
type run struct{ b, x, length int }

// shortestScript returns the runs that two lists have in common by a shortest
// edit script; ok is false if it would be longer than maxScript.
func shortestScript(b, x []int32) (runs []run, ok bool) {
	limit := min(len(b)+len(x), maxScript)
	if d := len(b) - len(x); d > limit || -d > limit {
		return nil, false
	}
	// reach[k] is how far in b the furthest path on diagonal k goes, where k is
	// the position in b less that in x; offset makes the index positive.
	offset := limit + 1
	reach := make([]int32, 2*offset+1)
	var history [][]int32 // reach as it was before each step, its middle part only
	for d := 0; d <= limit; d++ {
		history = append(history, append([]int32(nil), reach[offset-d-1:offset+d+2]...))
		for k := -d; k <= d; k += 2 {
			i := furthest(reach[offset-d-1:], d+1+k, d, k)
			for i < len(b) && i-k < len(x) && i-k >= 0 && b[i] == x[i-k] {
				i++
			}
			reach[offset+k] = int32(i)
			if i >= len(b) && i-k >= len(x) {
				return backtrack(b, x, history), true
			}
		}
	}
	return nil, false
}

// furthest returns where the path on diagonal k starts after d steps: from the
// diagonal above, by a deletion, or from the one below, by an insertion. at is
// the index of k in reach.
func furthest(reach []int32, at, d, k int) int {
	switch {
	case d == 0:
		return 0
	case k == -d, reach[at-1] < reach[at+1]: // above diagonal d nothing was reached: 0
		return int(reach[at+1])
	}
	return int(reach[at-1]) + 1
}

// backtrack walks the steps back and collects the runs, in order.
func backtrack(b, x []int32, history [][]int32) []run {
	var runs []run
	i, j := len(b), len(x)
	for d := len(history) - 1; d >= 0; d-- {
		k := i - j
		start := furthest(history[d], d+1+k, d, k)
		if n := i - start; n > 0 {
			runs = append(runs, run{start, start - k, n})
		}
		i, j = start, start-k
		if d == 0 {
			break
		}
		if prev := history[d]; k == -d || prev[d+1+k-1] < prev[d+1+k+1] {
			j-- // an insertion
		} else {
			i-- // a deletion
		}
	}
	for l, r := 0, len(runs)-1; l < r; l, r = l+1, r-1 {
		runs[l], runs[r] = runs[r], runs[l]
	}
	return runs
}
