package txn

import (
	"errors"
	"slices"
)

// Changing runs change, which renames files of the given registries behind the
// store, while no commit of any of them is under way, and makes the store look
// at the files again afterwards. The error is change's.
func (s *Store) Changing(names []string, change func() error) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var regs []*Registry
	for _, name := range names {
		regs = append(regs, s.acquire(name))
	}
	err := s.holding(regs, change)
	for _, r := range regs {
		s.release(r)
	}
	return err
}

// holding runs f while no commit of any of the registries is under way, and
// makes them look at their files again afterwards. Registries are held in the
// order given, which must be that of their names.
func (s *Store) holding(regs []*Registry, f func() error) error {
	if len(regs) == 0 {
		return f()
	}
	r := regs[0]
	var err error
	fault := r.alone(func() {
		r.setPlacing(true)
		err = s.holding(regs[1:], f)
		r.setPlacing(false)
	})
	return errors.Join(err, fault)
}

func (r *Registry) setPlacing(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.placing = on
	if !on {
		r.stamp, r.moved = stampUnknown, true
	}
}
