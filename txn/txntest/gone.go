package txntest

import (
	"maps"
	"slices"
	"time"
)

// FirstRecord implements txn.Storage.
func (m *Memory) FirstRecord(name string) ([]byte, error) {
	log, err := m.Log(name)
	if err != nil || len(log) == 0 {
		return nil, err
	}
	return log[0], nil
}

// Forget implements txn.Storage.
func (m *Memory) Forget(name string, seqs ...uint64) error {
	if err := checkName("forget", name); err != nil {
		return err
	}
	defer m.changing(name)()
	if err := m.reach("forget", name, "remove"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views = nil
	for _, seq := range seqs {
		delete(m.now.hist[name].versions, seq)
	}
	m.syncAll()
	return nil
}

// Gone implements txn.Storage. All that it tells of was changed at the beginning of time,
// in the order of the names.
func (m *Memory) Gone(yield func(name string, room int64, changed time.Time) bool) error {
	m.mu.Lock()
	names := slices.Sorted(maps.Keys(m.now.hist))
	room := make(map[string]int64)
	for name, h := range m.now.hist {
		for _, content := range h.versions {
			room[name] += int64(len(content))
		}
		for _, line := range h.log {
			room[name] += int64(len(line))
		}
		if _, live := m.now.files[name]; live {
			delete(room, name)
		}
	}
	m.mu.Unlock()
	for i, name := range names {
		if room[name] > 0 && !yield(name, room[name], time.Unix(int64(i), 0)) {
			return nil
		}
	}
	return nil
}

// Erase implements txn.Storage.
func (m *Memory) Erase(name string) (bool, error) {
	if err := checkName("erase", name); err != nil {
		return false, err
	}
	defer m.changing(name)()
	if err := m.reach("erase", name, "remove"); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, live := m.now.files[name]; live {
		return false, nil
	}
	delete(m.now.hist, name)
	delete(m.book.last, name)
	delete(m.notes, name)
	m.syncAll()
	return true, nil
}
