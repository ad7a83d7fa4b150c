package txn

import (
	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

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
	return r.seen.Bytes()
}

// CachedDocs returns how many parsed documents are kept.
func (s *Store) CachedDocs() int {
	s.docs.mu.Lock()
	defer s.docs.mu.Unlock()
	return s.docs.used.Len()
}

// Contradictions returns ways to make a store contradict itself, by the sentence that
// CheckInvariants then has. Each is given a registry with one version that one process
// has written.
func Contradictions() map[string]func(s *Store, r *Registry) {
	return map[string]func(*Store, *Registry){
		"is in the table as":            func(s *Store, r *Registry) { r.name = "other.json" },
		"will never be forgotten":       func(s *Store, r *Registry) { r.parked = false; s.idle = nil },
		"is not once among":             func(s *Store, r *Registry) { s.idle = append(s.idle, r) },
		"0 users and 1 open":            func(s *Store, r *Registry) { t := &Tx{}; t.at.Store(r); r.addOpen(t) },
		"of another registry":           func(s *Store, r *Registry) { r.users++; r.addOpen(&Tx{}) },
		"are to be forgotten":           func(s *Store, r *Registry) { s.evictAt = 1 },
		"are counted as hidden":         func(s *Store, r *Registry) { s.hidden.Add(1) },
		"has a version and is blank":    func(s *Store, r *Registry) { r.blank = r.head },
		"what is not there is hidden":   func(s *Store, r *Registry) { r.hidden = true },
		"pieces of what is to be one":   func(s *Store, r *Registry) { r.pieces = &pieces{} },
		"nobody leads":                  func(s *Store, r *Registry) { r.queue = []*request{{}} },
		"was never read":                func(s *Store, r *Registry) { r.loaded = false },
		"the head is version 1":         func(s *Store, r *Registry) { r.lastSeq = 0 },
		"digest and size":               func(s *Store, r *Registry) { r.head.Size++ },
		"not one document":              func(s *Store, r *Registry) { s.cfg.MaxSize = 1 },
		"the last record is of 1":       func(s *Store, r *Registry) { s.recordOther(r) },
		"the live file is not the head": func(s *Store, r *Registry) { r.setHead(`["other"]`) },
		"and there is no version":       func(s *Store, r *Registry) { r.head = nil },
		"there is no live file":         func(s *Store, r *Registry) { _, _ = s.storage.Remove(r.name, r.stamp, 1); r.stamp = "" },
		"is not found by its content":   func(s *Store, r *Registry) { clear(s.docs.docs) },
		"are counted as":                func(s *Store, r *Registry) { s.docs.size++ },
		"of parsed documents are kept":  func(s *Store, r *Registry) { s.fillDocs() },
		"copies are remembered":         func(s *Store, r *Registry) { s.copies.list = make([]*keptCopy, manyCopies+1) },
		"stands for 0 refusals":         func(s *Store, r *Registry) { s.copies.list = []*keptCopy{{name: r.name}} },
		"answers about directories":     func(s *Store, r *Registry) { s.wider.list = make([]widerLook, maxWiderLooks+1) },
	}
}

// recordOther records a version of the head's number that is not the head.
func (s *Store) recordOther(r *Registry) {
	r.record(&Event{Name: r.name, Seq: r.head.Seq}, &Version{Digest: [32]byte{1}})
}

func (r *Registry) setHead(content string) {
	c := seen.NewContent([]byte(content))
	r.head = &Version{Seq: 2, Parent: 1, Digest: c.Digest, Size: int64(len(content)), content: c}
	r.lastSeq = 2
}

func (s *Store) fillDocs() {
	for range oneMerge + 1 {
		_, _ = s.docs.parse(seen.NewContent([]byte("[]")), nil, jsondoc.JSON, jsondoc.Limits{})
	}
	s.docs.limit = 1
}

// Contradict has a store contradict itself in one way.
func (s *Store) Contradict(name string, how func(*Store, *Registry)) { how(s, s.peek(name)) }

// Acquire has a registry be in use for good.
func (s *Store) Acquire(name string) { s.acquire(name) }

// InUse reports whether somebody uses a registry.
func (s *Store) InUse() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.registries {
		if r.users > 0 {
			return true
		}
	}
	return false
}
