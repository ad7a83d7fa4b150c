package txn

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// Shared has the methods of a Storage whose registries other hosts commit to, too. All of
// them hold one newest version of each registry, and each host has an ordinary live file of
// its own, which follows that.
//
// Load and Stamp are about the live file as it is here; neither waits for another host. Stamp
// tells of another one than Load has told of, too, where Advance or Publish has something to do.
// Commit, Create and Remove are beaten by a commit of another host, too. Their errors may
// have one of two methods:
//
//   - Unavailable() bool: nothing was done, nor will be; for instance, there is no majority.
//   - Unknown() bool: it may have been done, or may still be; the next Load tells.
type Shared interface {
	Storage

	// Follow has moved called with the name of each registry whose live file is not the newest
	// version, until stop. It must be quick; a name may come twice.
	Follow(moved func(name string)) (stop func())

	// Behind reports whether a newer version is known than the live file is. Advance has that
	// follow; it may take its time. The error says why it can't.
	Behind(name string) bool
	Advance(name string) error

	// Find is Load, and tells where the live file comes from.
	Find(name string) (content []byte, mtime time.Time, stamp string, from Source, err error)

	// Base returns the newest content that is kept here and that a live file, which was changed
	// behind the storage, can have been made from: one that the cluster had. nil: none is.
	Base(name string) []byte

	// Publish makes the live file that has the stamp, and holds the content, the newest
	// version everywhere. It has no version yet if seq is 0, and is absent without a stamp. ok is false where
	// another host has committed since, or the live file is another one. Errors are those
	// of Commit.
	Publish(name, stamp string, seq uint64, content []byte, digest [32]byte, mtime time.Time) (ok bool, err error)

	// Newest returns the content of the newest version, for Merge; nil: there is none. The error
	// may be one that is Unavailable.
	Newest(name string) ([]byte, error)

	// Merge makes content the newest version everywhere and here, in place of the live file that has the
	// stamp and the digest live; that becomes a version of the history here. ok is false where
	// the newest version is another one than Newest has returned last, or the live file is
	// another one. Errors are those of Commit.
	Merge(name, stamp string, live [32]byte, content []byte, digest [32]byte, mtime time.Time) (ok bool, err error)

	// Rebase puts the newest version in place of a live file that was changed behind the
	// storage. That becomes a version of the history here. ok is false where the live file is
	// another one than the stamp's.
	Rebase(name, stamp string) (ok bool, err error)

	// CatchUp returns once Advance knows of each commit that anybody was told of before the
	// call. The error, which is Unavailable, says why it does not.
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

	Before [32]byte // digest of the version that an edited file was before
}

// commitTimeout is how long a commit that other hosts beat is made anew.
const commitTimeout = 5 * time.Second

// patience says how often to try again a step that somebody else has beaten: a number
// of times where that is rare, and for a time, with a pause, where it is usual.
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
	var behind, err error
	fault := r.exclusively(func() { // a commit that is under way may have been beaten
		var e *Event
		r.mu.Lock()
		if behind, err = r.settle(); err == nil {
			e, err = r.takeLive()
		}
		r.mu.Unlock()
		s.observe(e)
	})
	return errors.Join(fault, behind, err)
}

// Latest is CatchUp where the configuration wants each reading to be of the newest version; asked is false,
// and nothing was done, where it does not. The error is an *UnsureError.
func (s *Store) Latest(name string) (asked bool, err error) {
	if s.shared == nil || !s.cfg.ReadLatest {
		return false, nil
	}
	if err := s.CatchUp(name); err != nil {
		return true, &UnsureError{name, err}
	}
	return true, nil
}

// unavailable reports whether an error says that nothing was done, nor will be.
func unavailable(err error) bool {
	var u interface{ Unavailable() bool }
	return errors.As(err, &u) && u.Unavailable()
}

// undecided reports whether an error says that the cluster could not be asked, or did not answer.
func undecided(err error) bool {
	var u interface{ Unknown() bool }
	return unavailable(err) || errors.As(err, &u) && u.Unknown()
}

// isCurrent reports whether the live file is the one that head or blank stands for, and no other
// host has another one. The caller holds mu.
func (r *Registry) isCurrent() (is bool) {
	defer func() { _ = recover() }() // a fault of the storage's: takeLive has it, too
	stamp, err := r.store.storage.Stamp(r.name)
	return err == nil && r.loaded && stamp == r.stamp
}

// settle has the live file follow the versions that other hosts have committed, and decides the
// fate of one that was changed behind the store. behind says why it could not follow. The caller
// holds mu, which is given up meanwhile, since other hosts are asked; a reader is shown the former
// version then.
func (r *Registry) settle() (behind, err error) {
	shared, name := r.store.shared, r.name
	r.advancing++
	r.mu.Unlock()
	r.settling.Lock()
	defer func() {
		if recover() != nil { // a fault of the storage's must not leave mu unlocked
			err = &FaultError{Name: name, Stack: string(debug.Stack())}
		}
		r.settling.Unlock()
		r.mu.Lock()
		r.advancing--
	}()
	for p := (patience{store: r.store}); p.next(); {
		behind = shared.Advance(name) // the storage tells it, too
		if again, err := r.takeEdit(name); !again {
			return behind, err
		}
	}
	return behind, ErrBeaten
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

// load reads the live file. The caller holds mu.
func (r *Registry) load() (content []byte, mtime time.Time, stamp string, from Source, err error) {
	if r.store.shared != nil {
		return r.store.shared.Find(r.name)
	}
	content, mtime, stamp, err = r.store.storage.Load(r.name)
	return content, mtime, stamp, from, err
}

// follow has registries follow the commits of other hosts, until Close.
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

// publishAbsence has all hosts know that the live file was taken away from here. Where
// another one has committed meanwhile, that is here afterwards. last is the number of the last
// version.
func (s *Store) publishAbsence(name string, last uint64) error {
	shared := s.shared
	if shared == nil {
		return nil
	}
	ok, err := shared.Publish(name, "", last+1, nil, [32]byte{}, time.Time{})
	if !ok && err == nil {
		_, err = shared.Rebase(name, "")
	}
	if undecided(err) && shared.Writable(name) == nil {
		return nil // it is published later
	}
	return err
}

// takeEdit decides about a live file that was changed behind the store, where the storage
// is shared. It becomes the newest version everywhere if it is a document, or absent. Where
// another host has committed meanwhile it is merged with that. Content that is no document goes to
// quarantine, and the newest version is in its place again. again
// says that the file is to be looked at again. Where nothing can be committed this host shows
// the file, until something can. The caller does not hold mu.
func (r *Registry) takeEdit(name string) (again bool, err error) {
	shared := r.store.shared
	content, mtime, stamp, from, err := shared.Find(name)
	if !from.Edited || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, nil // a reader of it is told the error
	}
	c := seen.NewContent(content)
	seq, head, refused := r.judgeEdit(c, stamp)
	if refused == nil {
		ok, err := shared.Publish(name, stamp, seq, content, c.Digest, mtime)
		if ok || undecided(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	} else if unavailable(shared.Writable(name)) {
		return false, nil
	}
	if stamp == "" || len(content) == 0 {
		switch _, err := shared.Rebase(name, stamp); {
		case undecided(err):
			return false, nil
		case err != nil:
			return false, err
		}
		return true, nil
	}
	if refused == nil {
		return r.mergeEdit(name, stamp, c, mtime, from, head)
	}
	return r.refuseEdit(name, stamp, c, refused)
}

// refuseEdit puts the newest version in place of a live file that can't become one, which goes
// to quarantine.
func (r *Registry) refuseEdit(name, stamp string, c *seen.Content, why error) (again bool, err error) {
	e := Event{Name: name, Outcome: Rejected, Via: ViaForeign, Err: why, Size: int64(len(c.Bytes))}
	if e.Copy, err = r.store.quarantine(&e, c.Bytes); err != nil {
		return false, err // content that can't be kept is not replaced
	}
	ok, err := r.store.shared.Rebase(name, stamp)
	if !ok {
		r.store.discard(e.Copy)
		if undecided(err) {
			return false, nil
		}
		return err == nil, err
	}
	head := r.Head()
	if head != nil {
		e.Seq, e.Parent = head.Seq, head.Seq
	}
	r.record(&e, head)
	r.store.observe(&e)
	return true, nil
}

// mergeEdit merges a live file that was changed behind the store with the newest version, which
// wins where both have changed the same. The live file stays as it is until the result
// is a version everywhere.
func (r *Registry) mergeEdit(name, stamp string, c *seen.Content, mtime time.Time, from Source, head *Version) (again bool, err error) {
	shared := r.store.shared
	newest, err := shared.Newest(name)
	if err != nil {
		if undecided(err) {
			err = nil
		}
		return false, err
	}
	var base *seen.Content
	if head != nil && head.Digest == from.Before {
		base = head.content
	} else if b := shared.Base(name); b != nil {
		base = seen.NewContent(b)
	}
	q := &request{draft: &draft{content: c}, via: ViaForeign, yields: true, event: Event{Name: name, Via: ViaForeign}}
	text, err := r.mergeOnto(q, base, newest)
	if err != nil {
		return r.refuseEdit(name, stamp, c, err)
	}
	edit := &mergedEdit{event: q.event, digest: text.Digest}
	edit.event.Outcome = Merged
	for _, one := range q.event.Conflicts {
		if one.Won == merge.Head && edit.event.Copy == "" {
			if edit.event.Copy, err = r.store.quarantine(&edit.event, c.Bytes); err != nil {
				return false, err
			}
		}
	}
	if text.Digest != c.Digest {
		mtime = r.store.cfg.Now()
	}
	ok, err := shared.Merge(name, stamp, c.Digest, text.Bytes, text.Digest, mtime)
	if !ok {
		if edit.event.Copy != "" {
			r.store.discard(edit.event.Copy)
		}
		if undecided(err) {
			return false, nil
		}
		return err == nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edit = edit
	return true, nil
}

// mergedEdit is how a live file that was changed behind the store was merged, for the event of
// the version that it became.
type mergedEdit struct {
	event  Event
	digest [32]byte
}

// tellMerged completes the event of a version that came of an edit. The caller holds mu.
func (r *Registry) tellMerged(e *Event, v *Version) {
	m := r.edit
	r.edit = nil
	if m == nil || m.digest != v.Digest {
		return
	}
	e.Outcome, e.Via, e.Copy = Merged, ViaForeign, m.event.Copy
	e.Conflicts, e.Warnings = m.event.Conflicts, m.event.Warnings
	e.Applied, e.More, e.Kept = m.event.Applied, m.event.More, m.event.Kept
}

// mergeOnto returns the content that an edit and the newest version's content are merged to.
func (r *Registry) mergeOnto(q *request, base *seen.Content, newest []byte) (*seen.Content, error) {
	if len(newest) == 0 {
		return q.content, nil
	}
	c := seen.NewContent(newest)
	r.mu.Lock()
	d, err := r.found(c, nil, true)
	r.mu.Unlock()
	if err != nil {
		return q.content, nil // a version that is no document gives way to the first one
	}
	onto := &Version{content: c, Digest: c.Digest, Size: int64(len(newest)), dialect: d, lines: d == Lines}
	if q.doc, err = r.admit(q.content, onto, seen.Seen{}); err != nil {
		return nil, err
	}
	text, _, err := r.combine(q, base, onto)
	return text, err
}

// judgeEdit returns the number that a live file that was changed behind the store would have as a
// version, 0 for none yet, and the version from before. The error says why it can't be one.
func (r *Registry) judgeEdit(c *seen.Content, stamp string) (seq uint64, head *Version, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case stamp == "":
	case len(c.Bytes) == 0 && r.mayBeBlank():
		return 0, r.head, nil
	default:
		if _, err := r.found(c, r.head, false); err != nil {
			return 0, r.head, err
		}
	}
	return r.lastSeq + 1, r.head, nil
}
