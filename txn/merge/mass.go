package merge

import "clawfs/txn/jsondoc"

// fewDropped is how many elements theirs may drop without a word.
const fewDropped = 10

// noteDropped warns if theirs has dropped more than half of a collection, as a
// program does that writes a memory it never filled.
func (m *merger) noteDropped(dropped, of int) {
	if dropped <= fewDropped || 2*dropped <= of {
		return
	}
	if m.refuseMass {
		m.refused = true
		m.record(MassDeletion, Neither)
		return
	}
	m.warn(MassDeleted, dropped, of)
}

// noteDeleted warns if the whole that theirs has deleted is a large collection.
func (m *merger) noteDeleted(b jsondoc.Value, by Side) {
	if by == Theirs && isCollection(b) {
		n := b.Len()
		m.noteDropped(n, n)
	}
}

// noteReplaced warns if theirs has put something else in the place of a large
// collection.
func (m *merger) noteReplaced(b, t jsondoc.Value) {
	if b.Exists() && b.Kind() != t.Kind() {
		m.noteDeleted(b, Theirs)
	}
}
