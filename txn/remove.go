package txn

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// removalMemory is how long a removal is remembered.
const removalMemory = 2 * time.Second

// A removal is a deletion that is remembered for a while, since it may be the first
// half of a replacement: by a program that moves a file here from another file
// system, or that moves the registry aside before it writes a new one.
type removal struct {
	by      Caller
	at      Tick // before it
	moved   bool // it was renamed to another name
	version *Version
	when    time.Time
	timer   Stopper // nil: nothing ends it
}

// Unlink deletes the registry. The error is fs.ErrNotExist where there is none, or
// the storage's.
//
// Transactions of a file that has another name, which is known as a registry's, are those of
// that name from then on. Content that they have staged is committed before, if it is whole.
func (s *Store) Unlink(name string, c Caller) error {
	return s.UnlinkName(name, c, func() Rest { return nil })
}

// UnlinkName is Unlink for a file that may have names that no registry is known by. rest returns
// that file for each transaction that the process has open; nil if nobody can read it afterwards.
func (s *Store) UnlinkName(name string, c Caller, rest func() Rest) error {
	r := s.acquire(name)
	defer s.release(r)
	other := s.otherNameOf(r)
	if other == nil {
		r.leaving.Lock()
		defer r.leaving.Unlock()
		for _, t := range r.handles() {
			if t.opener.Actor == c.Actor && c.Known() {
				t.setRest(rest())
			}
		}
		return r.unlink(c, nil)
	}
	defer s.release(other)
	s.commitWhole(name)
	r.leaving.Lock()
	defer r.leaving.Unlock()
	m := s.hold(r, other, other.Name())
	defer m.letGo()
	m.detach()
	err := r.unlink(c, nil)
	if err != nil && !uncertain(err) {
		m.attach(r)
		return err
	}
	m.arrive(c)
	return err
}

// otherNameOf acquires a registry that is known as another name of r's file, while somebody
// has that open for writing; nil: there is none.
func (s *Store) otherNameOf(r *Registry) *Registry {
	if len(r.handles()) == 0 {
		return nil
	}
	_, _ = r.present() // unlink tells the error
	r.mu.Lock()
	stamp := r.stamp
	r.mu.Unlock()
	if !s.storage.Linked(stamp) {
		return nil
	}
	for _, other := range s.all() {
		if other != r && other.isAt(stamp) {
			return s.acquire(other.Name())
		}
	}
	return nil
}

// isAt reports whether the registry's file is the one with that stamp.
func (r *Registry) isAt(stamp string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.stamp
	if now == stampUnknown {
		now, _ = r.store.storage.Stamp(r.name)
	}
	return r.loaded && r.exists() && r.store.storage.SameFile(now, stamp)
}

// unlink deletes the registry, or only a version of it. The error is fs.ErrNotExist
// where there is nothing, or another version. The caller holds leaving.
func (r *Registry) unlink(c Caller, only *Version) error {
	for p := (patience{store: r.store}); p.next(); {
		var err error
		if fault := r.exclusively(func() { err = r.delete(c, only) }); fault != nil {
			return fault
		}
		if !errors.Is(err, ErrBeaten) {
			return err
		}
	}
	return ErrBeaten
}

// forsake makes the transactions that the process has open end without a
// commit, since it has unlinked their file. The caller holds mu.
func (r *Registry) forsake(a Actor) {
	for t := range r.open {
		if t.opener.Actor == a && a.Known() {
			t.forsaken.Store(true)
			t.creates.Store(false)
		}
	}
}

// takeDeletion makes a transaction that creates the registry the second half of a
// replacement, if its process has removed the registry that was here: the new file
// replaces that one. The caller holds mu.
func (r *Registry) takeDeletion(t *Tx) {
	if m := r.removed; r.head == nil && m != nil && m.by.Actor == t.opener.Actor {
		t.headAtOpen, t.replaces = m.version, m
	}
}

// remember keeps the removed version. The caller holds mu.
func (r *Registry) remember(by Caller, moved bool, v *Version) {
	r.remembers(&removal{by: by, at: r.store.Now(), moved: moved, version: v, when: r.store.cfg.Now()})
}

// remembers is remember for a removal that may have been made a moment ago. The caller holds mu.
func (r *Registry) remembers(m *removal) {
	r.forget()
	r.removed = m
	m.timer = r.store.cfg.After(removalMemory-r.store.cfg.Now().Sub(m.when), func() {
		r.mu.Lock()
		over := r.removed == m
		if over {
			r.removed = nil
		}
		name := r.name
		r.mu.Unlock()
		if over {
			r.store.eraseBrief(name)
		}
	})
}

// forget gives up the removed version: something else is in its place. The caller
// holds mu.
func (r *Registry) forget() {
	if r.removed != nil {
		r.removed.timer.Stop()
		r.removed = nil
	}
}

// orNewer returns the removal that a new file goes on from: that by its own process, m, or
// the last one, if there is no other or it has moved a newer version aside.
func (m *removal) orNewer(last *removal) *removal {
	if m == nil || last != nil && last.moved && last.version.Seq > m.version.Seq {
		return last
	}
	return m
}

// replaced returns the version to merge a request with that finds no registry, nil for
// none. It is the version that was here a moment ago, if the author had seen that or one
// that it goes on from (Version.from). It counts in three cases:
//
//   - the author has taken it away itself: that is the first half of a replacement;
//   - the author has a memory of the registry;
//   - the content holds most of the content that a family had seen. Where it was removed,
//     and not moved aside, only readings by a family other than the remover's count.
//
// Content that was made from nothing goes on from a version that its author has moved aside, if
// others than the author and the processes that it has started have created it since.
func (r *Registry) replaced(q *request, m *removal) *Version {
	taken := q.choice.Taken
	switch {
	case m == nil:
		return nil
	case taken != nil && taken.Content == nil:
		r.mu.Lock()
		defer r.mu.Unlock()
		if m.moved && q.event.Writer.Actor == m.by.Actor && taken.At < m.version.from && r.seen.ChangedBeside(m.by, taken.At, m.at+1) {
			return m.version
		}
		return nil
	case q.event.Writer.Actor == m.by.Actor:
		return m.version
	case taken == nil || taken.At < m.version.from || !m.moved && slices.Contains(m.by.Ancestors, q.event.Writer.Actor):
		return nil
	case q.seen.Memory:
		return m.version
	case m.moved:
	case taken.Kind != seen.Read || m.by.Actor == q.seen.Family || slices.Contains(m.by.Ancestors, q.seen.Family):
		return nil
	}
	from, err := r.parseAs(taken.Content, dialectIn(q.doc))
	if err != nil || !merge.Compare(from, q.doc, r.store.cfg.Policy(r.name)).Keeps() {
		return nil
	}
	return m.version
}

// below returns the registries in memory by a name, or below it.
func (s *Store) below(dir string) []*Registry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Registry
	for name, r := range s.registries {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			out = append(out, r)
		}
	}
	return out
}

// exclusively runs f while no commit of the registry is under way. The error is a
// *FaultError where f has panicked.
func (r *Registry) exclusively(f func()) error {
	q := &request{draft: &draft{}, during: f}
	r.submit(q)
	return q.err
}

// delete removes the live file; see unlink. After an error that says that it is
// uncertain the file is gone, though perhaps not durably. Only the leader calls it.
func (r *Registry) delete(c Caller, only *Version) error {
	r.mu.Lock()
	foreign, err := r.refresh()
	head, intent := r.head, r.store.intents.of(r.name, c.Actor)
	if err == nil && (!r.exists() || only != nil && !only.is(cmp.Or(head, r.blank))) {
		err = fs.ErrNotExist
	}
	r.mu.Unlock()
	r.store.observe(foreign)
	if err == nil {
		err = intent.check(r.name, head)
	}
	if err == nil {
		err = r.removeLive(head)
	}
	if err != nil && !uncertain(err) {
		return err
	}
	r.mu.Lock()
	r.forsake(c.Actor)
	r.mu.Unlock()
	r.gone(c, ViaUnlink, head, intent.Note)
	return err
}

// gone remembers and reports that the file is gone; head is nil where it had no version
// yet.
func (r *Registry) gone(c Caller, via Via, head *Version, n Note) {
	e := Event{Name: r.name, Outcome: Committed, Via: via, Writer: c, Changed: true, Deleted: true, Note: n}
	if head != nil {
		r.mu.Lock()
		r.remember(c, via == ViaRename, head)
		r.seen.Changed(c)
		if via == ViaUnlink {
			r.seen.Removed(c)
		}
		r.mu.Unlock()
		e.Parent = head.Seq
		r.record(&e, nil)
	}
	r.store.observe(&e)
}

// removeLive deletes the live file, which goes to the history; head is nil where it
// has no version yet.
func (r *Registry) removeLive(head *Version) error {
	var seq uint64
	if head != nil {
		seq = head.Seq
	}
	r.mu.Lock()
	r.replacingLive = true
	stamp := r.stamp
	r.mu.Unlock()
	ok, err := r.store.storage.Remove(r.name, stamp, seq)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replacingLive = false
	switch {
	case ok:
		r.setAbsent()
	case err == nil:
		r.stamp = stampUnknown
		return ErrBeaten
	}
	return err
}
