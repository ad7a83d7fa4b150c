package txn

import (
	"cmp"
	"slices"
	"strings"
)

// RenameDir moves a directory, named like a registry, and the histories of the registries
// in it. c does it. Registries that are open follow their files, and the views of one stay
// its views under its new name. Errors: fs.ErrExist with noreplace, or the storage's.
func (s *Store) RenameDir(from, to string, noreplace bool, c Caller) error {
	renamed := func(name string) string { return movedName(name, from, to) }
	return s.moveAll(s.below(from), renamed, c, func() error { return s.storage.Rename(from, to, noreplace) })
}

// ExchangeNames has two names, at least one of a directory, change places, as RenameDir
// moves one. The error is the storage's.
func (s *Store) ExchangeNames(one, other string, c Caller) error {
	renamed := func(name string) string {
		return cmp.Or(movedName(name, one, other), movedName(name, other, one))
	}
	return s.moveAll(append(s.below(one), s.below(other)...), renamed, c, func() error { return s.storage.Exchange(one, other) })
}

// movedName returns the name that something by a name or below it has when that has moved;
// "" for a name elsewhere.
func movedName(name, from, to string) string {
	if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
		return to + rest
	}
	return ""
}

// moveAll runs move, by which c gives registries the names that renamed says, while no commit
// of any of them is under way. The error is move's.
func (s *Store) moveAll(regs []*Registry, renamed func(string) string, c Caller, move func() error) error {
	if err := s.writable(""); err != nil {
		return err
	}
	slices.SortFunc(regs, func(a, b *Registry) int { return strings.Compare(a.Name(), b.Name()) })
	return s.exclusively(slices.Compact(regs), func() error {
		err := move()
		if err == nil || uncertain(err) {
			s.rekey(regs, renamed, c)
			s.saved.rename(renamed)
			s.kept.renamed(renamed)
		}
		return err
	})
}

// rekey gives registries the names that they have after c has renamed their directory. One
// whose new name is in use by then keeps the old one, under which it will find its file gone.
// While a registry is elsewhere it may be none, and be changed: that comes back with it.
func (s *Store) rekey(regs []*Registry, renamed func(string) string, c Caller) {
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
		displaced := s.registries[name]
		if displaced != nil && displaced.users > 0 {
			name, displaced = r.name, nil
		}
		s.registries[name] = r
		r.name = name
		r.foundBy, r.foundVia = []Caller{c}, ViaRename
		r.seen.Renamed()
		r.mu.Unlock()
		if displaced != nil && displaced != r {
			s.kept.forgets(displaced)
		}
	}
}
