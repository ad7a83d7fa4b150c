package txntest

import (
	"bytes"
	"io"
)

// AppendViews keeps the lines that it gets until TakeViews. A power failure ends
// the processes that it tells of, so it is no part of the disk.
func (m *Memory) AppendViews(lines func(io.Writer) error) error {
	var b bytes.Buffer
	err := lines(&b)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views = append(m.views, b.Bytes()...)
	return err
}

// TakeViews returns the record, once.
func (m *Memory) TakeViews() (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.views == nil {
		return nil, nil
	}
	b := m.views
	m.views = nil
	return io.NopCloser(bytes.NewReader(b)), nil
}
