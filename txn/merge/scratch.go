package merge

// scratch lends slices to a recursion. Slices taken behind a mark are given
// back at once by release, and used again.
type scratch[T any] struct{ buf []T }

// large is the number of elements from which on they are not lent: memory for the
// largest container, twice over, would stay with the merge to its end.
const large = 4096

// take lends n zeroed elements.
func (s *scratch[T]) take(n int) []T {
	if n >= large {
		return make([]T, n)
	}
	from := len(s.buf)
	if from+n > cap(s.buf) {
		// Slices lent before keep the old memory.
		s.buf = make([]T, from, 2*(from+n)+16)
	}
	s.buf = s.buf[:from+n]
	out := s.buf[from : from+n : from+n]
	clear(out)
	return out
}

func (s *scratch[T]) mark() int { return len(s.buf) }

func (s *scratch[T]) release(mark int) { s.buf = s.buf[:mark] }
