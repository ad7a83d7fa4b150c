package txn

import (
	"slices"
	"strings"
)

// RenameDir moves a directory, named like a registry, and the history of what
// is in it. Registries that are open follow their files. Errors: fs.ErrExist
// with noreplace, or the storage's.
func (s *Store) RenameDir(from, to string, noreplace bool) error {
	regs := s.below(from)
	slices.SortFunc(regs, func(a, b *Registry) int { return strings.Compare(a.Name(), b.Name()) })
	return s.exclusively(regs, func() error {
		if err := s.storage.Rename(from, to, noreplace); err != nil {
			return err
		}
		s.rekey(regs, from, to)
		s.saved.rename(from, to)
		return nil
	})
}

// rekey gives registries the names that they have after their directory was
// renamed. One whose new name is in use by then keeps the old one, under which
// it will find its file gone.
func (s *Store) rekey(regs []*Registry, from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range regs {
		r.mu.Lock()
		name := to + strings.TrimPrefix(r.name, from)
		if other := s.registries[name]; other == nil || other.users == 0 {
			delete(s.registries, r.name)
			s.registries[name] = r
			r.name = name
		}
		r.mu.Unlock()
	}
}
