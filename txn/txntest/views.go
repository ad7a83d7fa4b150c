package txntest

// AppendViews keeps what it is given until TakeViews. A power failure ends the
// processes that it tells of, so it is no part of the disk.
func (m *Memory) AppendViews(lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views = append(m.views, lines...)
	return nil
}

// TakeViews returns the record, once.
func (m *Memory) TakeViews() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.views
	m.views = nil
	return b, nil
}
