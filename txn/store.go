package txn

import (
	"cmp"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// Config says how a Store behaves. The zero value of a field means its default.
type Config struct {
	MaxSize  int64 // bytes that a registry may have; 64 MiB
	MaxDepth int   // levels that a document may be nested; jsondoc.DefaultDepth
	DocCache int64 // bytes of parsed documents to keep; 16 MiB; less than 0: none, and appended lines are parsed with all others
	Idle     int   // registries that nobody has open to keep in memory; 256
	Whole    bool  // parse and digest each content as if nothing much like it were known
	Single   bool  // write each transaction by itself, not those together that come at once

	ReadWindow time.Duration // how long an unused reading stays a candidate; 30 s
	KinWindow  time.Duration // how long views serve kin and temporary files; 60 s

	// Boot identifies this boot of the system, since another boot may use the numbers of
	// an Actor again; empty: views are not saved for the next store.
	Boot string

	// Began is the Start of the first process that can't be older than the store; 0:
	// none is. The views of older ones are not known.
	Began uint64

	RejectStale bool // refuse content that was not made from the head, instead of merging
	ReadLatest  bool // Latest asks other hosts, if the storage is shared

	Policy func(name string) *merge.Policy // nil, or a nil result: merge's defaults

	// Dialect returns the dialect of a registry, if that is settled; else the content
	// says it. nil: it never is.
	Dialect func(name string) (d Dialect, settled bool)

	// Included reports whether a registry may be in JSON5 since a file in JSON5 includes
	// it; load reads files of the store. nil: none is.
	Included func(name string, load func(name string) ([]byte, error)) bool

	// Collect is called within a merge before memory for the result is wanted, with the bytes
	// that it is likely to take, when as much may have become garbage. nil: nothing is.
	Collect func(bytes int)

	// Room returns an empty slice with room for so many bytes, most of which are filled at once.
	// nil: make does.
	Room func(bytes int) []byte

	Now      func() time.Time                        // time.Now
	After    func(d time.Duration, f func()) Stopper // time.AfterFunc
	Alive    func(Actor) bool                        // whether a process still lives; nil: always
	Observer Observer                                // nil: nobody
}

// Stopper is the timer that Config.After returns, which can be stopped.
type Stopper interface{ Stop() bool }

func (c Config) withDefaults() Config {
	c.MaxSize = cmp.Or(c.MaxSize, 64<<20)
	c.MaxDepth = cmp.Or(c.MaxDepth, jsondoc.DefaultDepth)
	c.DocCache = cmp.Or(c.DocCache, 16<<20)
	c.Idle = cmp.Or(c.Idle, 256)
	c.ReadWindow = cmp.Or(c.ReadWindow, 30*time.Second)
	c.KinWindow = cmp.Or(c.KinWindow, 60*time.Second)
	if c.Policy == nil {
		c.Policy = func(string) *merge.Policy { return nil }
	}
	if c.Dialect == nil {
		c.Dialect = func(string) (Dialect, bool) { return Strict, false }
	}
	if c.Included == nil {
		c.Included = func(string, func(string) ([]byte, error)) bool { return false }
	}
	if c.Collect == nil {
		c.Collect = func(int) {}
	}
	if c.Room == nil {
		c.Room = func(bytes int) []byte { return make([]byte, 0, bytes) }
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
	if c.Observer == nil {
		c.Observer = ObserverFunc(func(Event) {})
	}
	return c
}

// Store holds the registries of one directory. Its methods may be called
// concurrently.
type Store struct {
	storage    Storage
	shared     Shared // the same storage, if it is one; else nil
	cfg        Config
	seenConfig seen.Config
	docs       *docCache
	copies     keptCopies
	intents    intents
	events     atomic.Uint64 // the store-wide order of reads, writes and opens
	watcher    atomic.Pointer[Observer]
	journal    Journal    // nil: none is kept
	kept       *keptViews // nil: views are kept nowhere

	hidden atomic.Int64 // registries that only their creators find
	missed atomic.Bool  // somebody was told that a registry is not there
	wider  widerLooks

	saved *savedViews // by the store before; nil if there is nothing

	stopFollowing func() // nil where nothing is followed

	mu         sync.Mutex // guards the fields below, and Registry.users and parked
	registries map[string]*Registry
	idle       []*Registry // nobody has them open, longest idle first
	evictAt    int         // length of idle at which to look for some to forget
}

// New returns a Store over the given storage. It takes over the views that the store
// before has saved, and touches nothing else until the first registry is used.
func New(storage Storage, cfg Config) *Store {
	cfg = cfg.withDefaults()
	s := &Store{
		storage:    storage,
		cfg:        cfg,
		docs:       newDocCache(cfg.DocCache, cfg.After),
		registries: make(map[string]*Registry),
		evictAt:    2 * cfg.Idle,
	}
	s.seenConfig = seen.Config{
		ReadWindow: cfg.ReadWindow, KinWindow: cfg.KinWindow, Began: cfg.Began,
		Now: cfg.Now, Next: s.Next, Alive: cfg.Alive,
	}
	s.events.Store(1) // 0 is no place
	s.restore()
	s.shared, _ = storage.(Shared)
	s.follow()
	return s
}

// Watch makes o an observer of all that happens from now on, besides the one of
// the Config and in place of one watched before.
func (s *Store) Watch(o Observer) { s.watcher.Store(&o) }

// Next returns a new place in the store-wide order of events, for something that happens
// now.
func (s *Store) Next() Tick { return Tick(s.events.Add(1)) }

// Now returns the newest place in the store-wide order of events. A caller
// keeps it with a temporary file to tell later the views that its writer could
// have.
func (s *Store) Now() Tick { return Tick(s.events.Load()) }

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
		r = &Registry{store: s, name: name, seen: seen.New(&s.seenConfig)}
		s.kept.keep(r)
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

// fewMissed is how many registries are kept in memory for no more than that somebody was
// told that they are not there.
const fewMissed = 1024

// evict forgets the registries that have been idle longest and puts off the
// next look until as many have come again as stayed. The caller holds mu.
func (s *Store) evict() {
	kept := s.idle[:0]
	for i, r := range s.idle {
		switch {
		case r.users > 0:
			r.parked = false
		case i < len(s.idle)-s.cfg.Idle && r.forgettable(i < len(s.idle)-fewMissed):
			if s.registries[r.name] == r {
				delete(s.registries, r.name)
			}
			s.kept.forgets(r)
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

// Sync makes the commits durable.
func (s *Store) Sync() error { return s.storage.Sync() }

// Close is the counterpart of New: it keeps for the next store over the same storage the views of
// living processes, and a copy of each head. Nothing may be asked of the store meanwhile or
// afterwards, but by a Sweep that is under way. It does as much as it can; the error joins those
// of the storage.
func (s *Store) Close() error {
	if s.stopFollowing != nil {
		s.stopFollowing()
	}
	s.eraseRemoved()
	return errors.Join(s.SaveViews(), s.archiveHeads())
}

// archiveHeads puts a copy of each head that was committed into the history. The
// head is the one version that nobody else has: a file that is emptied while no
// store looks after it could only be put back to the version before. The error is
// the first one of the storage.
func (s *Store) archiveHeads() error {
	var first error
	for _, r := range s.all() {
		_ = r.exclusively(func() {
			if err := r.keepHead(); err != nil && first == nil {
				first = err
			}
		})
	}
	return first
}

func (r *Registry) keepHead() error {
	r.mu.Lock()
	v, unarchived := r.head, r.unarchived
	r.unarchived = false
	r.mu.Unlock()
	if v == nil || !unarchived {
		return nil
	}
	return r.store.storage.Archive(r.name, v.Seq, v.content.Bytes, v.Digest)
}
