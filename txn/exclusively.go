package txn

import (
	"errors"
	"slices"
)

// Exclusively runs change, which renames files of the given registries behind the
// store, while no commit of any of them is under way, and makes the store look
// at the files again afterwards. The error is change's.
func (s *Store) Exclusively(names []string, change func() error) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var regs []*Registry
	for _, name := range names {
		regs = append(regs, s.acquire(name))
	}
	err := s.exclusively(regs, change)
	for _, r := range regs {
		s.release(r)
	}
	return err
}

// exclusively runs f while no commit of any of the registries is under way, and
// makes them look at their files again afterwards. Registries are held in the
// order given, which must be that of their names.
func (s *Store) exclusively(regs []*Registry, f func() error) error {
	if len(regs) == 0 {
		return f()
	}
	r := regs[0]
	var err error
	fault := r.exclusively(func() {
		r.setReplacingLive(true)
		err = s.exclusively(regs[1:], f)
		r.setReplacingLive(false)
	})
	return errors.Join(err, fault)
}

func (r *Registry) setReplacingLive(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replacingLive = on
	if !on {
		r.stamp, r.moved = stampUnknown, true
	}
}
