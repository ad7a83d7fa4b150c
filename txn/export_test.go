package txn

// Queued returns how many commits of a registry wait for their turn.
func (s *Store) Queued(name string) int {
	r := s.peek(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.queue)
}

// InMemory returns how many registries are in memory.
func (s *Store) InMemory() int { return len(s.all()) }

// ViewBytes returns how much memory the contents take that views of a registry
// hold.
func (s *Store) ViewBytes(name string) int64 {
	r := s.peek(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	held := make(map[*content]bool)
	var size int64
	for _, a := range r.views {
		for _, v := range a.views {
			if !held[v.content] {
				held[v.content] = true
				size += int64(len(v.content.bytes))
			}
		}
	}
	return size
}

// CachedDocs returns how many parsed documents are kept.
func (s *Store) CachedDocs() int {
	s.docs.mu.Lock()
	defer s.docs.mu.Unlock()
	return s.docs.used.Len()
}
