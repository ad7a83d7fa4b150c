package txn

// Journal is told of each content that is about to be put in place. If the process ends meanwhile the next one
// can tell by it whether that was done. It must not wait, and is called with locks held.
type Journal interface {
	// Places says that content of a digest is about to take the place of other content, and
	// holds the changes of the requests with these marks.
	Places(marks []uint64, digest, before [32]byte)

	// Placed says whether that was done, before anything else is done to the registry.
	Placed(marks []uint64, done bool)

	// Loses says that the staged content of the transactions with these marks is about to be put in place
	// as a part of another commit.
	Loses(marks []uint64)
}

// Keep has a journal told of all commits from now on. It is to be called before the first of them.
func (s *Store) Keep(j Journal) { s.journal = j }

// SetMark gives the transaction the mark that names it in a journal and in the memory.
func (t *Tx) SetMark(mark uint64) { t.mark.Store(mark) }

// journaled tells the journal of a batch that is about to be put in place. It returns a function that
// tells whether that was done.
func (s *Store) journaled(batch []*request, head, next *Version) (placed func(done bool)) {
	if s.journal == nil {
		return func(bool) {}
	}
	var marks, taken []uint64
	for _, q := range batch {
		if q.err != nil {
			continue
		}
		for _, mark := range [...]uint64{q.mark, q.part} {
			if mark != 0 {
				marks = append(marks, mark)
			}
		}
		for _, d := range q.takes {
			taken = append(taken, d.tx.mark.Load())
		}
	}
	var before [32]byte
	if head != nil {
		before = head.Digest
	}
	s.journal.Loses(taken)
	s.journal.Places(marks, next.Digest, before)
	return func(done bool) { s.journal.Placed(marks, done) }
}

// tellPlaced tells the journal that the last batch was put in place. The views that it has
// changed are kept before: without them a later daemon must find the batch's note. Only the leader
// calls it.
func (r *Registry) tellPlaced() {
	r.mu.Lock()
	placed := r.placed
	r.placed = nil
	r.mu.Unlock()
	if placed != nil {
		r.store.KeepViews()
		placed()
	}
}
