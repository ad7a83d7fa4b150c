package txn

import (
	"io/fs"
	"strings"

	"clawfs/txn/merge"
)

// A deletion waits a moment before it is committed: a program that moves a file
// here from another file system removes the registry and creates it anew, which
// is one transaction. Until then everybody else still sees the head.
type deletion struct {
	by      Caller
	version *Version
	timer   Stopper
	looks   int  // at the process
	idle    bool // it was, at the last look

	overtaken bool // somebody has saved the registry since, be it as it was; guarded by Registry.mu
}

// manyWindows is how many deletion windows a deletion waits whose process is busy,
// and for how many more it is remembered.
const manyWindows = 10

// looksPerWindow is how often the process is looked at in a deletion window. Who
// waits for the file system itself looks idle: it takes two looks to be sure.
const looksPerWindow = 4

// A removal is what is remembered of a deletion for a while, since it may have been
// the first half of a replacement after all: of a slow one, or of one by a program
// that moves the registry aside before it writes a new one.
type removal struct {
	by      Actor
	version *Version
	timer   Stopper
}

// Unlink deletes the registry for the caller at once, and for all others when
// the caller has ended, or after the deletion window, unless the caller creates
// it anew before. The error is fs.ErrNotExist where there is none for the
// caller, or the storage's.
func (s *Store) Unlink(name string, c Caller) error {
	r := s.acquire(name)
	defer s.release(r)
	s.settleIfDead(r)
	r.mu.Lock()
	event, err := r.refresh()
	var d *deletion
	switch {
	case err != nil:
	case r.head == nil && r.forsake(c.Actor):
	case r.head == nil, r.deletions[c.Actor] != nil:
		err = fs.ErrNotExist
	default:
		r.forsake(c.Actor)
		d = &deletion{by: c, version: r.head}
		r.addDeletion(d)
	}
	r.mu.Unlock()
	s.observe(event)
	if d != nil && !c.Known() {
		return r.commitDeletion(d) // it can't be told from others that it would be hidden from
	}
	return err
}

// forsake makes the transactions that the process has open end without a
// commit, since it has unlinked their file, and reports whether there were any.
// The caller holds mu.
func (r *Registry) forsake(a Actor) bool {
	found := false
	for t := range r.open {
		if t.opener.Actor == a && a.Known() {
			t.forsaken.Store(true)
			t.creates = false
			found = true
		}
	}
	return found
}

// takeDeletion makes a transaction part of the deletion that its process has
// begun: what was removed is what the new file replaces. The caller holds mu.
func (r *Registry) takeDeletion(t *Tx) {
	if d := r.deletions[t.opener.Actor]; d != nil {
		r.dropDeletion(d)
		t.base, t.creates = d.version, true
	}
	if m := r.removed; t.base == nil && m != nil && m.by == t.opener.Actor {
		t.base = m.version
	}
}

// addDeletion has a deletion wait, and starts its timer. The caller holds mu.
func (r *Registry) addDeletion(d *deletion) {
	if r.deletions == nil {
		r.deletions = make(map[Actor]*deletion)
	}
	r.deletions[d.by.Actor] = d
	r.store.deletions.Add(1)
	step := r.store.cfg.DeletionWindow / looksPerWindow
	d.timer = r.store.cfg.After((looksPerWindow-1)*step, func() { r.lookAfter(d) })
}

// lookAfter commits a deletion that has waited long enough: the window, or longer
// where the machine has its process wait for a processor or the disk.
func (r *Registry) lookAfter(d *deletion) {
	idle := !r.store.cfg.Busy(d.by.Actor)
	r.mu.Lock()
	if r.deletions[d.by.Actor] != d {
		r.mu.Unlock()
		return
	}
	d.looks++
	ended := d.idle && idle || d.looks > manyWindows*looksPerWindow
	d.idle = idle
	if !ended {
		d.timer = r.store.cfg.After(r.store.cfg.DeletionWindow/looksPerWindow, func() { r.lookAfter(d) })
	}
	r.mu.Unlock()
	if ended {
		_ = r.commitDeletion(d)
	}
}

// remember keeps what was removed. The caller holds mu.
func (r *Registry) remember(by Actor, v *Version) {
	r.forget()
	m := &removal{by: by, version: v}
	r.removed = m
	m.timer = r.store.cfg.After(manyWindows*r.store.cfg.DeletionWindow, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.removed == m {
			r.removed = nil
		}
	})
}

// forget gives up what was removed: something else is in its place. The caller
// holds mu.
func (r *Registry) forget() {
	if r.removed != nil {
		r.removed.timer.Stop()
		r.removed = nil
	}
}

// replaced returns the version to merge a request with that finds no registry: what
// was just removed, if the author had seen it or an earlier one; else nil. What a
// program writes that knows the registry from its kin only, such as cp, may be a new
// one: it is not if the program itself has removed the old one, or if it still holds
// most of what the kin had seen.
func (r *Registry) replaced(q *request, base *content, m *removal) *Version {
	switch {
	case m == nil || base == nil:
		return nil
	case !q.by.kin || q.event.Writer.Actor == m.by:
		return m.version
	}
	from, err := r.parse(base)
	if err != nil || !merge.Compare(from, q.doc, r.store.cfg.Policy(r.name)).Keeps() {
		return nil
	}
	return m.version
}

// dropDeletion ends the waiting of a deletion. It reports whether it did wait.
// The caller holds mu.
func (r *Registry) dropDeletion(d *deletion) bool {
	if r.deletions[d.by.Actor] != d {
		return false
	}
	delete(r.deletions, d.by.Actor)
	r.store.deletions.Add(-1)
	d.timer.Stop()
	return true
}

// waiting returns the deletions that wait and that pick takes.
func (r *Registry) waiting(pick func(*deletion) bool) []*deletion {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*deletion
	for _, d := range r.deletions {
		if pick(d) {
			out = append(out, d)
		}
	}
	return out
}

// Deleting reports whether deletions wait, so that names may be hidden from some
// processes and not from others.
func (s *Store) Deleting() bool { return s.deletions.Load() > 0 }

// SettleDead commits the deletions below a directory, named as in Settle, whose
// processes have ended, so that a listing does not show them.
func (s *Store) SettleDead(dir string) {
	if !s.Deleting() {
		return
	}
	for _, r := range s.below(dir) {
		s.settleIfDead(r)
	}
}

// settleIfDead commits the deletions whose processes have ended.
func (s *Store) settleIfDead(r *Registry) {
	if !s.Deleting() {
		return
	}
	for _, d := range r.waiting(func(d *deletion) bool { return !s.cfg.Alive(d.by.Actor) }) {
		_ = r.commitDeletion(d)
	}
}

// Settle commits the deletions that wait at or below a directory, named like a
// registry ("" is the root), so that the directory can be removed or renamed.
// It returns the first error of the storage.
func (s *Store) Settle(dir string) error {
	var first error
	for _, r := range s.below(dir) {
		for _, d := range r.waiting(func(*deletion) bool { return true }) {
			if err := r.commitDeletion(d); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// below returns the registries in memory below a directory.
func (s *Store) below(dir string) []*Registry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Registry
	for name, r := range s.registries {
		if dir == "" || strings.HasPrefix(name, dir+"/") {
			out = append(out, r)
		}
	}
	return out
}

// commitDeletion makes a deletion that waits happen, unless it was taken back
// meanwhile.
func (r *Registry) commitDeletion(d *deletion) error {
	var err error
	r.alone(func() { err = r.delete(d) })
	return err
}

// alone runs f while no commit of the registry is under way.
func (r *Registry) alone(f func()) { r.submit(&request{alone: f}) }

// delete removes the live file. Where somebody has saved it since the caller
// removed it, it stays: it is not what the caller had deleted.
func (r *Registry) delete(d *deletion) error {
	r.mu.Lock()
	if !r.dropDeletion(d) {
		r.mu.Unlock()
		return nil
	}
	foreign, err := r.refresh()
	head := r.head
	r.mu.Unlock()
	r.store.observe(foreign)
	if err != nil || head == nil {
		return err
	}
	e := Event{Name: r.name, Outcome: Unchanged, Via: ViaUnlink, Writer: d.by, Seq: head.Seq, Parent: head.Seq, Size: head.Size, Time: head.Time}
	if !d.overtaken && (head == d.version || head.Digest == d.version.Digest) {
		if err := r.removeLive(head); err != nil {
			return err
		}
		r.mu.Lock()
		r.remember(d.by.Actor, head)
		r.mu.Unlock()
		e.Outcome, e.Changed, e.Deleted, e.Seq, e.Size = Committed, true, true, 0, 0
		head = nil
	}
	r.record(&e, head)
	r.store.observe(&e)
	return nil
}

// removeLive deletes the live file, which goes to the history. Only the leader
// calls it.
func (r *Registry) removeLive(head *Version) error {
	r.mu.Lock()
	r.placing = true
	stamp := r.stamp
	r.mu.Unlock()
	ok, err := r.store.storage.Remove(r.name, stamp, head.Seq)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.placing = false
	if err != nil {
		return err
	}
	if !ok {
		r.stamp = stampUnknown
		return ErrBeaten
	}
	r.head, r.stamp = nil, ""
	return nil
}
