package txn

import (
	"errors"
	"slices"
)

// Exchange runs exchange, which has the files of two registries change places, while no commit
// of either is under way. The transactions of each file are those of the other name from then
// on. Content that is staged on them is committed before, if it is whole; else it stays staged.
// c is the writer of both new heads. The error is exchange's.
func (s *Store) Exchange(one, other string, c Caller, exchange func() error) error {
	if err := errors.Join(s.writable(one), s.writable(other)); err != nil {
		return err
	}
	s.commitWhole(one)
	s.commitWhole(other)
	names := []string{one, other}
	slices.Sort(names)
	regs := []*Registry{s.acquire(names[0]), s.acquire(names[1])}
	for _, r := range regs {
		defer s.release(r)
		r.leaving.Lock()
		defer r.leaving.Unlock()
	}
	there, back := s.gather(regs[0], regs[1], names[1]), s.gather(regs[1], regs[0], names[0])
	there.lock()
	back.lock()
	defer func() {
		there.unlock()
		back.unlock()
		there.release()
		back.release()
	}()
	there.detach()
	back.detach()
	if err := s.exclusively(regs, exchange); err != nil {
		there.attach(regs[0])
		back.attach(regs[1])
		return err
	}
	there.arrive(c)
	back.arrive(c)
	return nil
}

// arrive makes the transactions those of the registry that has their file by now. c has put
// it there.
func (m *moving) arrive(c Caller) {
	m.to.mu.Lock()
	m.to.foundBy, m.to.foundVia = []Caller{c}, ViaRename
	e, _ := m.to.refresh() // the next one to ask is told the error
	m.to.mu.Unlock()
	m.store.observe(e)
	m.attach(m.to)
	m.done = true
	for _, t := range m.txs {
		t.flights, t.replaces = nil, nil
		t.takenInto.Store(nil)
		if !t.unsaved.Load() && t.headAtOpen != nil {
			t.goesOn()
			continue
		}
		m.to.mu.Lock()
		t.headAtOpen = m.to.head
		t.creates.Store(m.to.head == nil)
		m.to.mu.Unlock()
	}
}
