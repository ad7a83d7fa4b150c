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
