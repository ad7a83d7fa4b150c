package txn

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
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
		if s.shared != nil {
			_, _ = r.present() // other hosts get the change, too; the next one to ask is told the error
		}
		s.release(r)
	}
	return err
}

// Arrival is a file that has come to have a registry's name.
type Arrival struct {
	Name        string // of the registry
	Replacement        // how it came; Content is nil where it is no document
}

// Arrive runs change, by which c puts other files by the names of registries, while no
// commit of any of them is under way. The files that were there before take no part: nothing
// is merged. A document is a write of those that have written the file. The error is
// change's.
func (s *Store) Arrive(c Caller, files []Arrival, change func() error) error {
	slices.SortFunc(files, func(a, b Arrival) int { return strings.Compare(a.Name, b.Name) })
	var regs []*Registry
	for _, a := range files {
		r := s.acquire(a.Name)
		defer s.release(r)
		regs = append(regs, r)
	}
	err := s.exclusively(regs, func() error {
		err := change()
		if err == nil {
			for _, r := range regs {
				r.changedBy(c)
			}
		}
		return err
	})
	if err == nil {
		for i, r := range regs {
			r.arrived(c, &files[i].Replacement)
		}
	}
	return err
}

// changedBy says whose doing it is if refresh finds another file next.
func (r *Registry) changedBy(c Caller) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.foundBy, r.foundVia = []Caller{c}, ViaRename
}

// arrived notes the file that c has put here, and its writers.
func (r *Registry) arrived(c Caller, p *Replacement) {
	r.mu.Lock()
	e, _ := r.refresh() // the next one to ask is told the error
	if head := r.head; head != nil && p.Content != nil && head.Digest == sha256.Sum256(p.Content) {
		r.linked(c, *p, head.content)
	}
	r.mu.Unlock()
	r.store.observe(e)
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
