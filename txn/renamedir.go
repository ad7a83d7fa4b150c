package txn

import (
	"cmp"
	"slices"
	"strings"
)

// RenameDir moves a directory, named like a registry, and the history of the registries in it.
// Registries that are open follow their files. Errors: fs.ErrExist with noreplace, or the
// storage's.
func (s *Store) RenameDir(from, to string, noreplace bool) error {
	return s.moveDirs(s.below(from), func(name string) string { return movedName(name, from, to) }, func() error {
		return s.storage.Rename(from, to, noreplace)
	})
}

// ExchangeDirs has two directories, named like registries, change places, with the
// histories of what is in them. Registries that are open follow their files. The error is
// the storage's.
func (s *Store) ExchangeDirs(one, other string) error {
	regs := append(s.below(one), s.below(other)...)
	return s.moveDirs(regs, func(name string) string { return cmp.Or(movedName(name, one, other), movedName(name, other, one)) }, func() error {
		return s.storage.Exchange(one, other)
	})
}

// movedName returns the name that something below a directory has when that has moved; ""
// for what is not below it.
func movedName(name, from, to string) string {
	if rest, ok := strings.CutPrefix(name, from+"/"); ok {
		return to + "/" + rest
	}
	return ""
}

// moveDirs runs move, which gives registries the names that renamed says, while no commit of
// any of them is under way. The error is move's.
func (s *Store) moveDirs(regs []*Registry, renamed func(string) string, move func() error) error {
	slices.SortFunc(regs, func(a, b *Registry) int { return strings.Compare(a.Name(), b.Name()) })
	return s.exclusively(slices.Compact(regs), func() error {
		err := move()
		if err == nil || uncertain(err) {
			s.rekey(regs, renamed)
			s.saved.rename(renamed)
		}
		return err
	})
}

// rekey gives registries the names that they have after their directory was
// renamed. One whose new name is in use by then keeps the old one, under which
// it will find its file gone.
func (s *Store) rekey(regs []*Registry, renamed func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range regs {
		if s.registries[r.name] == r {
			delete(s.registries, r.name)
		}
	}
	for _, r := range regs {
		r.mu.Lock()
		name := renamed(r.name)
		if other := s.registries[name]; other != nil && other.users > 0 {
			name = r.name
		}
		s.registries[name] = r
		r.name = name
		r.mu.Unlock()
	}
}
