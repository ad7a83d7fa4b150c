package txn

import "time"

// Presence says where a process finds a registry of some name.
type Presence uint8

// The answers of Look.
const (
	OnDisk  Presence = iota // the backing file says whether there is one, and how large it is
	AtHead                  // there is one; Info says size and time, the backing file the rest
	Gone                    // there is none for this process, even if there is a backing file
	Hidden                  // others are creating it: there is none for this process yet, unless they have closed it or somebody locks it
	Beneath                 // as AtHead; the backing file holds no document, which was written by another of its names
)

// Info has the facts that stat(2) shows of a registry.
type Info struct {
	Size int64 // bytes
	Time time.Time
}

// Look says how a registry of that name presents itself to a process, which the
// function who returns if that matters. It must be called after the backing file
// was looked at: while a commit is being placed the file already has the content
// that readers get only afterwards, and only the store knows the content that they
// get now.
func (s *Store) Look(name string, who func() Actor) (Presence, Info) {
	r := s.peek(name)
	if r == nil {
		return OnDisk, Info{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.hidden && !r.isOpenedBy(who()):
		return Hidden, Info{}
	case !r.isChanging() && r.isBeneath():
		return Beneath, Info{Size: r.head.Size, Time: r.head.Time}
	case !r.isChanging():
		return OnDisk, Info{}
	case r.head != nil:
		return AtHead, Info{Size: r.head.Size, Time: r.head.Time}
	case r.blank != nil:
		return AtHead, Info{Time: r.blank.Time}
	}
	return Gone, Info{}
}

// isBeneath reports whether the live file holds no document, and the registry goes on showing its
// head. The caller holds mu.
func (r *Registry) isBeneath() bool {
	if r.head == nil || r.noDocument == "" || r.noDocument != r.stamp {
		return false
	}
	now, err := r.store.storage.Stamp(r.name)
	return err == nil && now == r.stamp
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
	for other := range r.open {
		if !other.outlived.Load() {
			return
		}
	}
	r.setHidden(false) // nobody creates it any more
}
