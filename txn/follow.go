package txn

import "sync"

// A follower has registries take over the commits of other hosts.
type follower struct {
	store *Store
	room  chan struct{} // holds one for each registry that follows just now
	work  sync.WaitGroup

	mu      sync.Mutex      // guards the fields below
	waiting map[string]bool // names that moved was told of and that nobody has begun to read
	ended   bool
}

// moved has the registry of that name follow. It does not wait.
func (f *follower) moved(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended || f.waiting[name] {
		return
	}
	f.waiting[name] = true
	f.work.Add(1)
	go f.follow(name)
}

func (f *follower) follow(name string) {
	defer f.work.Done()
	f.room <- struct{}{}
	defer func() { <-f.room }()
	f.mu.Lock()
	delete(f.waiting, name)
	ended := f.ended
	f.mu.Unlock()
	if ended {
		return
	}
	r := f.store.acquire(name)
	defer f.store.release(r)
	_ = r.exclusively(func() { _, _ = r.present() }) // the next one to ask is told the error
}

// end returns when no registry follows any more.
func (f *follower) end() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.work.Wait()
}
