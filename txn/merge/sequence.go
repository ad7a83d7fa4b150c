package merge

import "clawfs/txn/jsondoc"

// alignSequence matches the elements of x with those of base, by content and
// place; dst gets one match for each element of x. The cost is near linear:
//
//  1. the equal elements at both ends;
//  2. between them the shortest edit script (E. W. Myers, An O(ND) Difference
//     Algorithm, 1986) unless it is longer than maxScript, in which case equal
//     elements that are unique, and their neighbours (P. Heckel, A Technique for
//     Isolating Differences Between Files, 1978);
//  3. the equal ones of the rest, in its order: elements that were moved;
//  4. in the gaps, elements that were edited.
func (a *aligner) alignSequence(dst []match, base, x []jsondoc.Value) {
	s := a.sequences(dst, base, x)
	s.alignEqual()
	s.pairEdited(nil)
}

// sequences is the alignment of two versions of a list.
type sequences struct {
	*aligner
	base, x []jsondoc.Value
	dst     []match
	taken   []bool // by element of base: it is matched
}

func (a *aligner) sequences(dst []match, base, x []jsondoc.Value) sequences {
	for i := range dst {
		dst[i].at = -1
	}
	return sequences{aligner: a, base: base, x: x, dst: dst, taken: make([]bool, len(base))}
}

// alignEqual does the first three steps.
func (s *sequences) alignEqual() {
	lo, hiB, hiX := s.trim()
	if lo < hiB && lo < hiX {
		s.alignMiddle(lo, hiB, hiX)
	}
}

func (s *sequences) match(b, x int, same bool) {
	s.dst[x] = match{int32(b), same}
	s.taken[b] = true
}

// trim matches the equal elements at both ends and returns the rest: base[lo:hiB]
// and x[lo:hiX].
func (s *sequences) trim() (lo, hiB, hiX int) {
	hiB, hiX = len(s.base), len(s.x)
	for lo < hiB && lo < hiX && s.unchanged(s.base[lo], s.x[lo]) {
		s.match(lo, lo, true)
		lo++
	}
	for lo < hiB && lo < hiX && s.unchanged(s.base[hiB-1], s.x[hiX-1]) {
		hiB--
		hiX--
		s.match(hiB, hiX, true)
	}
	return lo, hiB, hiX
}

func (s *sequences) alignMiddle(lo, hiB, hiX int) {
	idsB, idsX := s.classes(s.base[lo:hiB], s.x[lo:hiX])
	if script, ok := shortestScript(idsB, idsX); ok {
		for _, run := range script {
			for i := range run.length {
				s.match(lo+run.b+i, lo+run.x+i, true)
			}
		}
	} else {
		s.matchUnique(lo, idsB, idsX)
		s.matchNeighbours(lo, idsB, idsX)
	}
	s.matchRest(lo, idsB, idsX)
}

// classes numbers elements: two of base have the same number if they are equal,
// one of x has that of the element of base that it respells. A hash finds the
// candidates, the values decide.
func (s *sequences) classes(base, x []jsondoc.Value) (idsB, idsX []int32) {
	byHash := make(map[uint64][]int32, len(base))
	var first []jsondoc.Value // of each class
	number := func(v jsondoc.Value, same func(a, b jsondoc.Value) bool) int32 {
		h := s.hash(v)
		for _, c := range byHash[h] {
			if same(first[c], v) {
				return c
			}
		}
		c := int32(len(first))
		first = append(first, v)
		byHash[h] = append(byHash[h], c)
		return c
	}
	idsB = make([]int32, len(base))
	for i, v := range base {
		idsB[i] = number(v, jsondoc.Equal)
	}
	idsX = make([]int32, len(x))
	for i, v := range x {
		idsX[i] = number(v, respelled)
	}
	return idsB, idsX
}

// occurrences counts how often each class occurs and notes where it did last.
type occurrences struct{ count, last []int32 }

func countClasses(ids []int32, classes int) occurrences {
	o := occurrences{make([]int32, classes), make([]int32, classes)}
	for i, c := range ids {
		o.count[c]++
		o.last[c] = int32(i)
	}
	return o
}

func classCount(ids ...[]int32) int {
	n := int32(0)
	for _, list := range ids {
		for _, c := range list {
			n = max(n, c+1)
		}
	}
	return int(n)
}

// matchUnique matches elements that occur once in both versions.
func (s *sequences) matchUnique(lo int, idsB, idsX []int32) {
	n := classCount(idsB, idsX)
	inB, inX := countClasses(idsB, n), countClasses(idsX, n)
	for i, c := range idsX {
		if inB.count[c] == 1 && inX.count[c] == 1 {
			s.match(lo+int(inB.last[c]), lo+i, true)
		}
	}
}

// matchNeighbours matches equal elements that stand beside matched ones.
func (s *sequences) matchNeighbours(lo int, idsB, idsX []int32) {
	try := func(i, k int) {
		if i >= 0 && i < len(idsB) && k >= 0 && k < len(idsX) && idsB[i] == idsX[k] && !s.taken[lo+i] && s.dst[lo+k].at < 0 {
			s.match(lo+i, lo+k, true)
		}
	}
	for k := range idsX {
		if at := s.dst[lo+k].at; at >= 0 {
			try(int(at)-lo+1, k+1)
		}
	}
	for k := len(idsX) - 1; k >= 0; k-- {
		if at := s.dst[lo+k].at; at >= 0 {
			try(int(at)-lo-1, k-1)
		}
	}
}

// matchRest matches equal elements that are left in the order in which they
// come.
func (s *sequences) matchRest(lo int, idsB, idsX []int32) {
	n := classCount(idsB, idsX)
	head, next := make([]int32, n), make([]int32, len(idsB)) // per class the free elements of base, ascending, from 1
	for i := len(idsB) - 1; i >= 0; i-- {
		if !s.taken[lo+i] {
			next[i], head[idsB[i]] = head[idsB[i]], int32(i+1)
		}
	}
	for k, c := range idsX {
		if i := head[c]; i > 0 && s.dst[lo+k].at < 0 {
			head[c] = next[i-1]
			s.match(lo+int(i-1), lo+k, true)
		}
	}
}

// pairEdited does the last step: it pairs the elements left between matched ones,
// except for the elements of x that are marked as new.
func (s *sequences) pairEdited(new []bool) {
	for k := 0; k < len(s.x); k++ {
		if s.dst[k].at >= 0 {
			continue
		}
		end := k
		for end < len(s.x) && s.dst[end].at < 0 {
			end++
		}
		from := 0
		if k > 0 {
			from = int(s.dst[k-1].at) + 1
		}
		to := from
		for to < len(s.base) && !s.taken[to] {
			to++
		}
		if to > from {
			s.pairGap(from, to, k, end, new)
		}
		k = end
	}
}
