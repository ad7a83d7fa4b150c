package txntest

// SaveViews keeps what it is given until TakeViews. A power failure ends the
// processes that it tells of, so it is no part of the disk.
func (m *Memory) SaveViews(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views = b
	return nil
}

// TakeViews returns what was saved last, once.
func (m *Memory) TakeViews() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.views
	m.views = nil
	return b, nil
}
