package txn

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"

	"clawfs/txn/seen"
)

// Shared has the methods of a Storage whose registries other hosts commit to, too. All of
// them hold one newest version of each registry, and each host has an ordinary live file of
// its own, which follows that.
//
// Load and Stamp are about the live file. Load lets it follow first, as Advance does, unless it was changed
// behind the storage. Commit, Create and Remove are beaten by a commit of another host,
// too. Their errors may have one of two methods:
//
//   - Unavailable() bool: nothing was done, nor will be; for instance, there is no majority.
//   - Unknown() bool: it may have been done, or may still be; the next Load tells.
type Shared interface {
	Storage

	// Follow has moved called with the name of each registry of which Load would return
	// another version, until stop. It must be quick; a name may come twice.
	Follow(moved func(name string)) (stop func())

	// Behind reports whether a newer version is known than the live file is. Advance has that
	// follow; it may take its time. The error says why it can't.
	Behind(name string) bool
	Advance(name string) error

	// Source tells of what Load returned last of a name.
	Source(name string) Source

	// Publish makes the live file that has the stamp, and holds the content, the newest
	// version everywhere. It has no version yet if seq is 0, and is absent without a stamp. ok is false where
	// another host has committed since, or the live file is another one. Errors are those
	// of Commit.
	Publish(name, stamp string, seq uint64, content []byte, digest [32]byte, mtime time.Time) (ok bool, err error)

	// Rebase puts the newest version in place of a live file that was changed behind the
	// storage. That becomes a version of the history here.
	Rebase(name, stamp string) error

	// CatchUp returns once Load knows of each commit that anybody was told of before the
	// call. The error says why it does not: one that is Unavailable, or the local storage's.
	CatchUp(name string) error

	// Writable returns nil, or why nothing can be committed to a registry at present: an error
	// that is Unavailable. It does not wait. A registry of this host alone always can; "" stands
	// for all that are shared.
	Writable(name string) error
}

// Source tells where the live file of a shared registry comes from.
type Source struct {
	Seq    uint64 // number that the version has here
	Host   string // that made it; empty: this one
	Blank  bool   // another host has created the registry, and it has no version yet
	Edited bool   // the live file was changed behind the storage, and is no version

	// Of an edited file: the digest of the version that it was before, and an older version
	// that all go on from, as far as one is kept here.
	Before [32]byte
	Base   []byte
}

// commitTimeout is how long a commit that other hosts beat is made anew.
const commitTimeout = 5 * time.Second

// patience says how often to try again what somebody else has beaten: a number of times
// where that is rare, and for a time, with a pause, where it is usual.
type patience struct {
	store *Store
	tries int
	until time.Time
}

// next reports whether to try again, and waits before.
func (p *patience) next() bool {
	p.tries++
	if p.store.shared == nil {
		return p.tries <= maxAttempts
	}
	if p.tries == 1 {
		p.until = time.Now().Add(commitTimeout)
	}
	if p.tries > 2 {
		time.Sleep(rand.N(2 * time.Millisecond))
	}
	return p.tries <= 2 || time.Now().Before(p.until)
}

// writable returns nil, or why nothing can be committed to a registry at present.
func (s *Store) writable(name string) error {
	if s.shared == nil {
		return nil
	}
	return s.shared.Writable(name)
}

// writable is Store.writable for the name that the registry has. The caller does not hold mu.
func (r *Registry) writable() error {
	if r.store.shared == nil {
		return nil
	}
	return r.store.writable(r.Name())
}

// CatchUp returns once the registry shows each commit that anybody, on any host, was told of
// before the call. Where no other host has the registry it does nothing. The error is one that
// is Unavailable, or the storage's.
func (s *Store) CatchUp(name string) error {
	if s.shared == nil {
		return nil
	}
	if err := s.shared.CatchUp(name); err != nil {
		return err
	}
	r := s.acquire(name)
	defer s.release(r)
	var err error
	fault := r.exclusively(func() { // a commit that is under way may have been beaten
		var e *Event
		r.mu.Lock()
		r.advance()
		e, err = r.takeLive()
		r.mu.Unlock()
		s.observe(e)
	})
	return errors.Join(fault, err)
}

// unavailable reports whether an error says that nothing was done, nor will be.
func unavailable(err error) bool {
	var u interface{ Unavailable() bool }
	return errors.As(err, &u) && u.Unavailable()
}

// advance has the live file follow what other hosts have committed. The caller holds mu, which
// is given up meanwhile; a reading then shows the version before.
func (r *Registry) advance() {
	shared, name := r.store.shared, r.name
	if shared == nil || !shared.Behind(name) {
		return
	}
	r.advancing++
	r.mu.Unlock()
	defer func() {
		_ = recover() // a fault of the storage's: Load has it, too
		r.mu.Lock()
		r.advancing--
	}()
	_ = shared.Advance(name) // the storage tells it
}

// isChanging reports whether the live file is being changed, so that stamps say nothing now.
// The caller holds mu.
func (r *Registry) isChanging() bool { return r.replacingLive || r.loaded && r.advancing > 0 }

// via is by which discovery it is found.
func (s Source) via() Via {
	if s.Host != "" {
		return ViaPeer
	}
	return ViaForeign
}

// load reads the live file. Where the storage is shared, it decides first about a change
// that was made behind the store. The caller holds mu.
func (r *Registry) load() (content []byte, mtime time.Time, stamp string, from Source, err error) {
	for p := (patience{store: r.store}); p.next(); {
		content, mtime, stamp, err = r.store.storage.Load(r.name)
		if from = r.source(); !from.Edited || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return content, mtime, stamp, from, err
		}
		again, failed := r.takeEdit(content, mtime, stamp, from)
		switch {
		case failed != nil:
			return nil, mtime, "", from, failed
		case !again:
			return content, mtime, stamp, r.source(), err
		}
	}
	return nil, mtime, "", from, ErrBeaten
}

// source is Shared.Source; nothing is told where the storage is not shared.
func (r *Registry) source() Source {
	if r.store.shared == nil {
		return Source{}
	}
	return r.store.shared.Source(r.name)
}

// follow has registries follow what other hosts commit, until Close.
func (s *Store) follow() {
	if s.shared == nil {
		return
	}
	f := &follower{store: s, waiting: make(map[string]bool), room: make(chan struct{}, manyFollowing)}
	stop := s.shared.Follow(f.moved)
	s.stopFollowing = func() {
		stop()
		f.end()
	}
}

// manyFollowing is how many registries follow at a time.
const manyFollowing = 4

// edited is a change that was made behind the store and that is to be merged: the live file
// is the newest version again.
type edited struct {
	content, base *seen.Content
	copy          string // in quarantine
}

// publishAbsence has all hosts know that the live file was taken away from here. Where
// another one has committed meanwhile, that is here afterwards. The caller holds mu.
func (r *Registry) publishAbsence() error {
	shared := r.store.shared
	if shared == nil {
		return nil
	}
	ok, err := shared.Publish(r.name, "", r.lastSeq+1, nil, [32]byte{}, time.Time{})
	if !ok && err == nil {
		err = shared.Rebase(r.name, "")
	}
	if !ok {
		r.stamp = stampUnknown
	}
	return err
}

// takeEdit decides about a live file that was changed behind the store, where the storage
// is shared. It becomes the newest version everywhere if it is a document, or absent, and
// no other host has committed meanwhile. Otherwise it goes to quarantine, the newest
// version is in its place again, and once that is done it is merged like a write. again
// says that the file is to be read again. Where nothing can be committed this host shows
// the file, until something can. The caller holds mu.
func (r *Registry) takeEdit(content []byte, mtime time.Time, stamp string, from Source) (again bool, err error) {
	shared := r.store.shared
	c, seq := seen.NewContent(content), r.lastSeq+1
	valid := stamp == ""
	switch {
	case valid:
	case len(content) == 0 && r.mayBeBlank():
		valid, seq = true, 0
	default:
		_, failed := r.found(c, r.head, false)
		valid = failed == nil
	}
	if valid {
		ok, err := shared.Publish(r.name, stamp, seq, content, c.Digest, mtime)
		if ok || unavailable(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	} else if unavailable(shared.Writable(r.name)) {
		return false, nil
	}
	if stamp == "" || len(content) == 0 {
		return true, shared.Rebase(r.name, stamp)
	}
	name := r.name
	e := Event{Name: name, Outcome: Rejected, Via: ViaForeign, Err: errEdited, Size: int64(len(content))}
	id, err := r.store.quarantine(&e, content)
	if err != nil {
		return false, err // a file that can't be kept is not replaced
	}
	if err := shared.Rebase(r.name, stamp); err != nil {
		return false, err
	}
	edit := edited{content: c, copy: id}
	switch {
	case r.head != nil && r.head.Digest == from.Before:
		edit.base = r.head.content
	case from.Base != nil:
		edit.base = seen.NewContent(from.Base)
	}
	r.store.merging.Go(func() { r.store.merge(name, edit) })
	return true, nil
}

// errEdited is why content that was found in a live file is in quarantine until it is
// merged.
var errEdited = errors.New("changed behind clawfs, and to be merged")

// merge merges an edit of a live file with the commits of other hosts.
func (s *Store) merge(name string, e edited) {
	r := s.acquire(name)
	defer s.release(r)
	q := &request{draft: &draft{content: e.content}, via: ViaForeign}
	from := seen.Candidate{Content: e.base, Kind: seen.Read, At: s.Next()}
	if e.base == nil {
		from.Kind = seen.Nothing
	}
	q.seen = seen.Seen{Candidates: []seen.Candidate{from}}
	var err error
	if q.doc, err = r.admit(e.content, r.Head(), q.seen); err == nil {
		r.submit(q)
		err = q.err
	}
	if err == nil {
		s.discard(e.copy)
		return
	}
	head := r.Head()
	event := Event{Name: r.Name(), Outcome: Rejected, Via: ViaForeign, Err: err, Size: int64(len(e.content.Bytes)), Copy: e.copy}
	if head != nil {
		event.Seq, event.Parent = head.Seq, head.Seq
	}
	r.record(&event, head)
	s.observe(&event)
}
