package merge

// scratch lends slices to a recursion. What was taken behind a mark is given
// back at once by release, and used again.
type scratch[T any] struct{ buf []T }

// take lends n zeroed elements.
func (s *scratch[T]) take(n int) []T {
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

// gather lends a slice of what fill appends to the empty slice it is given.
func (s *scratch[T]) gather(fill func([]T) []T) []T {
	from := len(s.buf)
	s.buf = fill(s.buf)
	return s.buf[from:len(s.buf):len(s.buf)]
}

func (s *scratch[T]) mark() int { return len(s.buf) }

func (s *scratch[T]) release(mark int) { s.buf = s.buf[:mark] }
