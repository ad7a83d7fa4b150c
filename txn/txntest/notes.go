package txntest

import "slices"

// Note keeps a line about a registry.
func (m *Memory) Note(name string, line []byte) error {
	if err := m.reach("note", name, "append"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.notes == nil {
		m.notes = make(map[string][][]byte)
	}
	m.notes[name] = append(m.notes[name], slices.Clone(line))
	return nil
}

// Notes returns the lines that were kept about a registry; whole says that none is missing.
func (m *Memory) Notes(name string) (lines [][]byte, whole bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.notes[name]), m.whole, nil
}

// NotesAreWhole says that no line is missing from now on.
func (m *Memory) NotesAreWhole() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.whole = true
	return nil
}

// LoseNotes loses notes as a power failure may.
func (m *Memory) LoseNotes() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes, m.whole = nil, false
}
