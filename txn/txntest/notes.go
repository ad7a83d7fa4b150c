package txntest

import "slices"

// fewestNotes is how many notes of a registry are kept, as the contract has it at least.
const fewestNotes = 16

// noted is a line about a registry.
type noted struct {
	line    []byte
	durable bool
}

// Note keeps a line about a registry. A durable one, with those before it, survives LoseNotes.
func (m *Memory) Note(name string, line []byte, durably bool) error {
	if err := m.reach("note", name, "append"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.notes == nil {
		m.notes = make(map[string][]noted)
	}
	all := append(m.notes[name], noted{line: slices.Clone(line)})
	all = slices.Clone(all[max(0, len(all)-fewestNotes):])
	for i := range all {
		all[i].durable = all[i].durable || durably
	}
	m.notes[name] = all
	return nil
}

// Notes returns the lines that were kept last about a registry; whole says that none is missing.
func (m *Memory) Notes(name string) (lines [][]byte, whole bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.notes[name] {
		lines = append(lines, one.line)
	}
	return lines, m.whole, nil
}

// NotesAreWhole says that no line is missing from now on.
func (m *Memory) NotesAreWhole() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.whole = true
	return nil
}

// LoseNotes loses all notes that are not durable, as a power failure may.
func (m *Memory) LoseNotes() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, all := range m.notes {
		m.notes[name] = slices.DeleteFunc(all, func(one noted) bool { return !one.durable })
	}
	m.whole = false
}
