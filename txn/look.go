package txn

import "time"

// Presence says where a process finds a registry of some name.
type Presence uint8

// What Look can find.
const (
	OnDisk Presence = iota // the backing file says whether there is one, and how large it is
	InInfo                 // there is one; Info says size and time, the backing file the rest
	Gone                   // there is none for this process, whatever the backing file says
	Staged                 // the process is creating it; nobody else sees it
)

// Info is what stat(2) shows of a registry.
type Info struct {
	Size int64 // bytes
	Time time.Time
}

// Look says how a registry of that name presents itself to a process, which who
// tells if that matters. It must be called after the backing file was looked at:
// while a commit is being placed the file already is what readers get only
// afterwards, and only the store knows what they get now.
func (s *Store) Look(name string, who func() Actor) (Presence, Info) {
	r := s.peek(name)
	if r == nil {
		return OnDisk, Info{}
	}
	s.settleIfDead(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.deletions) > 0 || r.replacing() {
		a := who()
		switch {
		case r.creating(a):
			return Staged, Info{}
		case r.deletions[a] != nil:
			return Gone, Info{}
		}
	}
	switch {
	case !r.placing:
		return OnDisk, Info{}
	case r.head == nil:
		return Gone, Info{}
	}
	return InInfo, Info{Size: r.head.Size, Time: r.head.Time}
}

// replacing reports whether a process has removed the registry and creates it
// anew, while others still see it. The caller holds mu.
func (r *Registry) replacing() bool {
	for t := range r.open {
		if t.creates {
			return true
		}
	}
	return false
}

// creating reports whether the process has a transaction open that will create
// the registry. The caller holds mu.
func (r *Registry) creating(a Actor) bool {
	for t := range r.open {
		if t.opener.Actor == a && t.creates {
			return true
		}
	}
	return false
}

// Transactions returns the number of transactions that are open, those that
// have staged nothing included.
func (s *Store) Transactions() int {
	n := 0
	for _, r := range s.all() {
		r.mu.Lock()
		n += len(r.open)
		r.mu.Unlock()
	}
	return n
}

// all returns the registries that are in memory.
func (s *Store) all() []*Registry {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Registry, 0, len(s.registries))
	for _, r := range s.registries {
		out = append(out, r)
	}
	return out
}

func (r *Registry) addOpen(t *Tx) {
	if r.open == nil {
		r.open = make(map[*Tx]struct{})
	}
	r.open[t] = struct{}{}
}

func (r *Registry) removeOpen(t *Tx) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, t)
}
