package txn

import (
	"sync"
	"sync/atomic"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// Config says how a Store behaves. The zero value of a field means its default.
type Config struct {
	MaxSize  int64 // bytes that a registry may have; 64 MiB
	MaxDepth int   // levels that a document may be nested; jsondoc.DefaultDepth
	DocCache int64 // bytes of parsed documents to keep; 16 MiB; less than 0: none
	Idle     int   // registries that nobody has open to keep in memory; 256
	Single   bool  // write each transaction by itself, not those together that come at once

	ReadWindow     time.Duration // how long an unused reading stays a candidate; 30 s
	KinWindow      time.Duration // how long views serve kin and temporary files; 60 s
	DeletionWindow time.Duration // how long a deletion waits for its file to be created anew, ten times that if its process is busy; 200 ms

	// Boot identifies this boot of the system, as far as an Actor is told by what
	// another boot uses again; empty: views are not saved for the next store.
	Boot string

	// Began is the Start of the first process that can't be older than the store; 0:
	// none is. What older ones have seen is not known.
	Began uint64

	RejectStale bool // refuse what was not made from the head, instead of merging

	Policy  func(name string) *merge.Policy   // nil, or a nil result: merge's defaults
	Grammar func(name string) jsondoc.Grammar // nil: strict JSON

	Now      func() time.Time                        // time.Now
	After    func(d time.Duration, f func()) Stopper // time.AfterFunc
	Alive    func(Actor) bool                        // whether a process still lives; nil: always
	Busy     func(Actor) bool                        // whether a process runs or is about to; nil: never
	Observer Observer                                // nil: nobody
}

// Stopper is what Config.After returns: a timer that can be stopped.
type Stopper interface{ Stop() bool }

func (c Config) withDefaults() Config {
	setDefault(&c.MaxSize, 64<<20)
	setDefault(&c.MaxDepth, jsondoc.DefaultDepth)
	setDefault(&c.DocCache, 16<<20)
	setDefault(&c.Idle, 256)
	setDefault(&c.ReadWindow, 30*time.Second)
	setDefault(&c.KinWindow, 60*time.Second)
	setDefault(&c.DeletionWindow, 200*time.Millisecond)
	if c.Policy == nil {
		c.Policy = func(string) *merge.Policy { return nil }
	}
	if c.Grammar == nil {
		c.Grammar = func(string) jsondoc.Grammar { return jsondoc.JSON }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = func(d time.Duration, f func()) Stopper { return time.AfterFunc(d, f) }
	}
	if c.Alive == nil {
		c.Alive = func(Actor) bool { return true }
	}
	if c.Busy == nil {
		c.Busy = func(Actor) bool { return false }
	}
	if c.Observer == nil {
		c.Observer = ObserverFunc(func(Event) {})
	}
	return c
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Store holds the registries of one directory. Its methods may be called
// concurrently.
type Store struct {
	storage Storage
	cfg     Config
	docs    *docCache
	events  atomic.Uint64 // the store-wide order of reads, writes and opens
	watcher atomic.Pointer[Observer]

	deletions atomic.Int64 // that wait

	restoring sync.Once
	saved     atomic.Pointer[savedViews] // by the store before; set by restoring

	mu         sync.Mutex // guards what follows, and Registry.users and parked
	registries map[string]*Registry
	idle       []*Registry // nobody has them open, longest idle first
	evictAt    int         // length of idle at which to look for some to forget
}

// New returns a Store over the given storage. It touches nothing until the
// first registry is used.
func New(storage Storage, cfg Config) *Store {
	cfg = cfg.withDefaults()
	return &Store{
		storage:    storage,
		cfg:        cfg,
		docs:       newDocCache(cfg.DocCache, cfg.After),
		registries: make(map[string]*Registry),
		evictAt:    2 * cfg.Idle,
	}
}

// Watch makes o an observer of all that happens from now on, besides the one of
// the Config and in place of one watched before.
func (s *Store) Watch(o Observer) { s.watcher.Store(&o) }

// next returns the next place in the store-wide order of events.
func (s *Store) next() uint64 { return s.events.Add(1) }

// Event returns the newest place in the store-wide order of events. A caller
// keeps it with a temporary file to say later what its writer could have seen.
func (s *Store) Event() uint64 { return s.events.Load() }

func (s *Store) limits() jsondoc.Limits {
	return jsondoc.Limits{Depth: s.cfg.MaxDepth, Size: s.cfg.MaxSize}
}

// acquire returns the registry of that name, which stays in memory until it is
// released as often as it was acquired.
func (s *Store) acquire(name string) *Registry {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.registries[name]
	if r == nil {
		r = &Registry{store: s, name: name, views: make(map[Actor]*actorViews), descendants: make(map[Actor][]*actorViews)}
		s.registries[name] = r
	}
	r.users++
	return r
}

// release gives up one acquisition. A registry that nobody uses stays in memory
// for a while, since programs come back to the same few files; how many do is
// bounded, and one whose views may still serve somebody is kept beyond that.
func (s *Store) release(r *Registry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.users--
	if r.users > 0 || r.parked {
		return
	}
	r.parked = true
	s.idle = append(s.idle, r)
	if len(s.idle) >= s.evictAt {
		s.evict()
	}
}

// evict forgets the registries that have been idle longest and puts off the
// next look until as many have come again as stayed. The caller holds mu.
func (s *Store) evict() {
	kept := s.idle[:0]
	for i, r := range s.idle {
		switch {
		case r.users > 0:
			r.parked = false
		case i < len(s.idle)-s.cfg.Idle && r.forgettable():
			if s.registries[r.name] == r {
				delete(s.registries, r.name)
			}
		default:
			kept = append(kept, r)
		}
	}
	clear(s.idle[len(kept):])
	s.idle = kept
	s.evictAt = 2 * max(len(kept), s.cfg.Idle)
}

// peek returns the registry of that name if it is in memory.
func (s *Store) peek(name string) *Registry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.registries[name]
}

// Keep puts a copy of each head that was committed into the history. The head is
// the one version that nobody else has: a file that is emptied while no store
// looks after it could only be put back to the version before. It is to be called
// at the end, since it costs a write for each registry; the error is the first one
// of the storage.
func (s *Store) Keep() error {
	var first error
	for _, r := range s.all() {
		r.alone(func() {
			if err := r.keepHead(); err != nil && first == nil {
				first = err
			}
		})
	}
	return first
}

func (r *Registry) keepHead() error {
	r.mu.Lock()
	v, unkept := r.head, r.unkept
	r.unkept = false
	r.mu.Unlock()
	if v == nil || !unkept {
		return nil
	}
	return r.store.storage.Archive(r.name, v.Seq, v.content.bytes, v.Digest)
}

// MaxSize returns the size limit of registries in bytes.
func (s *Store) MaxSize() int64 { return s.cfg.MaxSize }
