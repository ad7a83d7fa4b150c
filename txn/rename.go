package txn

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// Replacement is a finished file that is to become a registry, by rename(2) or
// link(2).
type Replacement struct {
	Content   []byte // must not be changed afterwards
	Lineage   Lineage
	Like      fs.File // the registry gets this file's owner, mode and attributes
	Via       Via
	NoReplace bool // fail with fs.ErrExist where there is a registry of that name
}

// Replace commits a finished file as the registry of that name: validated,
// merged, durable when it returns. What is refused goes to quarantine. Errors
// are those of Tx.Flush, and fs.ErrExist.
func (s *Store) Replace(name string, c Caller, p Replacement) error {
	r := s.acquire(name)
	defer s.release(r)
	s.settleIfDead(r)
	content := newContent(p.Content)
	q := &request{staged: &staged{content: content}, like: p.Like, via: p.Via}
	r.mu.Lock()
	event, err := r.refresh()
	if err == nil && p.NoReplace && r.head != nil && !r.deletedBy(c.Actor) {
		err = fs.ErrExist
	}
	if err == nil {
		q.open = r.head
		r.candidatesFor(q, c, p.Lineage)
		r.takeBack(c.Actor)
	}
	r.mu.Unlock()
	s.observe(event)
	if err != nil {
		return err
	}
	if q.doc, err = s.parse(name, content); err == nil {
		r.submit(q)
		err = q.err
	}
	if err != nil {
		r.refuse(c, p.Via, content, err)
	}
	return err
}

// candidatesFor fills in what is known of how the content came about. Where
// nobody who wrote it has seen the registry, the process that puts it in place
// may have, or its kin. The caller holds mu.
func (r *Registry) candidatesFor(q *request, c Caller, l Lineage) {
	for _, o := range l.Writers {
		cands, by := r.candidatesOf(o)
		q.candidates = append(q.candidates, cands...)
		q.by = q.by.and(by)
		q.writers = append(q.writers, o.Caller)
		if q.opened == 0 {
			q.opened, q.ended = o.Opened, o.Event+1
		}
	}
	for _, copied := range l.Copies {
		if copied.Name == r.name {
			q.candidates = append(q.candidates, candidate{content: copied.Version.content, order: copied.Event})
		}
	}
	if len(q.candidates) == 0 {
		q.candidates, q.by = r.candidatesOf(Origin{Caller: c, Event: r.store.Event(), At: r.store.cfg.Now()})
	}
	if len(q.writers) == 0 {
		q.writers = []Caller{c}
	}
}

func (r *Registry) deletedBy(a Actor) bool { return r.deletions[a] != nil }

// takeBack ends a deletion of the process, which puts a new file in place. The
// caller holds mu.
func (r *Registry) takeBack(a Actor) {
	if d := r.deletions[a]; d != nil {
		r.dropDeletion(d)
	}
}

// refuse quarantines what was refused and reports it.
func (r *Registry) refuse(c Caller, via Via, content *content, cause error) {
	head := r.Head()
	e := Event{Name: r.Name(), Outcome: Rejected, Via: via, Writer: c, Err: cause, Size: int64(len(content.bytes))}
	if head != nil {
		e.Seq, e.Parent = head.Seq, head.Seq
	}
	if len(content.bytes) > 0 {
		e.Copy, _ = r.store.quarantine(&e, content.bytes)
	}
	r.record(&e, head)
	r.store.observe(&e)
}

// Name returns the registry's present name.
func (r *Registry) Name() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.name
}

// Check reports whether content could be a registry of that name. Errors are
// *InvalidError and *TooLargeError.
func (s *Store) Check(name string, content []byte) error {
	_, err := s.parse(name, newContent(content))
	return err
}

// Truncate sets the length of a registry in bytes, as truncate(2) does without
// a handle: a transaction of its own. Errors are those of Tx.Flush, and
// fs.ErrNotExist.
func (s *Store) Truncate(name string, c Caller, size int64) error {
	if size > s.cfg.MaxSize {
		return &TooLargeError{Name: name, Size: size, Limit: s.cfg.MaxSize}
	}
	n, err := s.Open(name)
	if err != nil {
		return err
	}
	defer n.Release()
	old := n.version.content.bytes
	b := make([]byte, size)
	copy(b, old)
	if bytes.Equal(b, old) {
		return nil
	}
	q := &request{staged: &staged{content: newContent(b), open: n.version}, writers: []Caller{c}, via: ViaTruncate}
	if q.doc, err = s.parse(name, q.content); err == nil {
		n.reg.submit(q)
		err = q.err
	}
	if err != nil {
		n.reg.refuse(c, ViaTruncate, q.content, err)
	}
	return err
}

// MoveOut runs move, which renames the live file of a registry to a name that
// is none, while no commit of it is under way, and records the registry as
// deleted. The error is move's, or fs.ErrNotExist.
func (s *Store) MoveOut(name string, c Caller, move func() error) error {
	r := s.acquire(name)
	defer s.release(r)
	s.settleIfDead(r)
	var err error
	r.alone(func() { err = r.moveOut(c, move) })
	return err
}

func (r *Registry) moveOut(c Caller, move func() error) error {
	r.mu.Lock()
	foreign, err := r.refresh()
	head := r.head
	if err == nil && (head == nil || r.deletedBy(c.Actor)) {
		err = fs.ErrNotExist
	}
	r.placing = err == nil
	r.mu.Unlock()
	r.store.observe(foreign)
	if err != nil {
		return err
	}
	err = move()
	r.mu.Lock()
	r.placing = false
	if err == nil {
		r.head, r.stamp = nil, ""
		r.remember(c.Actor, head)
	} else {
		r.stamp = stampUnknown
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	e := Event{Name: r.name, Outcome: Committed, Via: ViaRename, Writer: c, Parent: head.Seq, Changed: true, Deleted: true}
	r.record(&e, nil)
	r.store.observe(&e)
	return nil
}

// Remove deletes a registry at once, as when it was renamed onto another one.
// The error is the storage's.
func (s *Store) Remove(name string, c Caller) error {
	if err := s.Unlink(name, c); err != nil {
		return err
	}
	return s.SettleOf(name, c.Actor)
}

// SettleOf commits the deletion of a registry that a process has begun, if it has:
// something that is no commit is about to take the name. The error is the storage's.
func (s *Store) SettleOf(name string, a Actor) error {
	if !s.Deleting() {
		return nil
	}
	r := s.acquire(name)
	defer s.release(r)
	var err error
	for _, d := range r.waiting(func(d *deletion) bool { return d.by.Actor == a }) {
		err = r.commitDeletion(d)
	}
	return err
}

// Changing runs change, which renames files of the given registries behind the
// store, while no commit of any of them is under way, and makes the store look
// at the files again afterwards. The error is change's.
func (s *Store) Changing(names []string, change func() error) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	var regs []*Registry
	for _, name := range names {
		regs = append(regs, s.acquire(name))
	}
	err := s.holding(regs, change)
	for _, r := range regs {
		s.release(r)
	}
	return err
}

// holding runs f while no commit of any of the registries is under way, and
// makes them look at their files again afterwards. Registries are held in the
// order given, which must be that of their names.
func (s *Store) holding(regs []*Registry, f func() error) error {
	if len(regs) == 0 {
		return f()
	}
	r := regs[0]
	var err error
	r.alone(func() {
		r.setPlacing(true)
		err = s.holding(regs[1:], f)
		r.setPlacing(false)
	})
	return err
}

func (r *Registry) setPlacing(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.placing = on
	if !on {
		r.stamp = stampUnknown
	}
}

// RenameDir moves a directory, named like a registry, and the history of what
// is in it. Registries that are open follow their files. Errors: fs.ErrExist
// with noreplace, or the storage's.
func (s *Store) RenameDir(from, to string, noreplace bool) error {
	if err := errors.Join(s.Settle(from), s.Settle(to)); err != nil {
		return err
	}
	regs := s.below(from)
	slices.SortFunc(regs, func(a, b *Registry) int { return strings.Compare(a.Name(), b.Name()) })
	return s.holding(regs, func() error {
		if err := s.storage.Rename(from, to, noreplace); err != nil {
			return err
		}
		s.rekey(regs, from, to)
		return nil
	})
}

// rekey gives registries the names that they have after their directory was
// renamed. One whose new name is in use by then keeps the old one, under which
// it will find its file gone.
func (s *Store) rekey(regs []*Registry, from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range regs {
		r.mu.Lock()
		name := to + strings.TrimPrefix(r.name, from)
		if other := s.registries[name]; other == nil || other.users == 0 {
			delete(s.registries, r.name)
			s.registries[name] = r
			r.name = name
		}
		r.mu.Unlock()
	}
}
