package txn

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"clawfs/txn/seen"
)

// Replacement is a finished file that is to become a registry, by rename(2) or
// link(2).
type Replacement struct {
	Content   []byte // must not be changed afterwards
	Lineage   Lineage
	Time      time.Time // its modification time
	Like      fs.File   // the registry gets this file's owner, mode, attributes and inode number
	Via       Via
	Thread    int  // that renames; 0: it is not known
	NoReplace bool // fail with fs.ErrExist where there is a registry of that name

	// LooksAlike says that the registry has Like's owner, mode and attributes already,
	// so that nothing is to be done where it has the content, too.
	LooksAlike bool

	// Parts says that the registry has other names. It leaves them, even if it stays as
	// it is: what is written by one name from then on is not seen by the others.
	Parts bool
}

// changes reports whether the registry becomes another one though its content stays: by
// owner, mode or attributes, or as a file of its own.
func (p *Replacement) changes() bool { return p.Like != nil && (p.Parts || !p.LooksAlike) }

// Replace commits a finished file as the registry of that name: validated,
// merged, durable when it returns. Refused content goes to quarantine. Errors are
// those of Tx.Flush, and fs.ErrExist.
func (s *Store) Replace(name string, c Caller, p Replacement) error {
	r := s.acquire(name)
	defer s.release(r)
	return r.replace(c, p)
}

func (r *Registry) replace(c Caller, p Replacement) error {
	content := seen.NewContent(p.Content)
	var head *Version
	q := &request{draft: &draft{content: content, time: p.Time}, like: p.Like, changes: p.changes(), parts: p.Parts, via: p.Via, noReplace: p.NoReplace}
	r.mu.Lock()
	event, err := r.refresh()
	if err == nil {
		head = r.head
		q.headAtOpen = head
		r.seen.PartOfCall(c, p.Thread)
		q.seen, q.writers = r.seenBy(c, p.Lineage)
		if s, ok := r.knownBy(c, p.Lineage); ok {
			q.seen = s
		}
		if len(p.Lineage.Writers) > 0 {
			o := &p.Lineage.Writers[0]
			q.begun, q.ended, q.redirected = o.Begun(), o.Event+1, o.Redirected
		}
	}
	r.mu.Unlock()
	q.seen = r.seenBefore(q.seen)
	r.store.observe(event)
	if err != nil {
		return err
	}
	if len(p.Content) == 0 {
		if done, err := r.replaceBlank(p); done || err != nil {
			return err
		}
	}
	if q.doc, err = r.admit(content, head, q.seen); err == nil {
		r.submit(q)
		err = q.err
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		r.refuse(c, p.Via, content, err)
	}
	return err
}

// refuse quarantines what was refused and reports it.
func (r *Registry) refuse(c Caller, via Via, content *seen.Content, cause error) {
	r.tellRefusal(c, via, content.Bytes, int64(len(content.Bytes)), cause)
}

// tellRefusal reports that so many bytes were refused; lost are those that are nowhere else,
// and go to quarantine.
func (r *Registry) tellRefusal(c Caller, via Via, lost []byte, size int64, cause error) {
	head := r.Head()
	e := Event{Name: r.Name(), Outcome: Rejected, Via: via, Writer: c, Err: cause, Size: size}
	if head != nil {
		e.Seq, e.Parent = head.Seq, head.Seq
	}
	if len(lost) > 0 {
		e.Copy, _ = r.store.quarantine(&e, lost)
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

// Check reports whether content could be a new registry of that name, to which c wants to
// bring a file that holds it. What can't is reported as refused; the file keeps it. Errors
// are *InvalidError and *TooLargeError.
func (s *Store) Check(name string, c Caller, via Via, content []byte) error {
	r := s.acquire(name)
	defer s.release(r)
	_, err := r.admit(seen.NewContent(content), nil, seen.Seen{})
	if err != nil {
		r.tellRefusal(c, via, nil, int64(len(content)), err)
	}
	return err
}

// CheckSize is Check of a file's size, for whoever has not read it yet. The error is a
// *TooLargeError.
func (s *Store) CheckSize(name string, c Caller, via Via, size int64) error {
	if size <= s.cfg.MaxSize {
		return nil
	}
	r := s.acquire(name)
	defer s.release(r)
	err := &TooLargeError{Name: r.Name(), Size: size, Limit: s.cfg.MaxSize}
	r.tellRefusal(c, via, nil, size, err)
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
	old := n.version.content.Bytes
	b := make([]byte, size)
	copy(b, old)
	if bytes.Equal(b, old) {
		return n.reg.touch(c)
	}
	q := &request{draft: &draft{content: seen.NewContent(b), headAtOpen: n.version}, writers: []Caller{c}, via: ViaTruncate}
	if q.doc, err = n.reg.admit(q.content, n.version, seen.Seen{}); err == nil {
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
	s.CommitStaged(name)
	r := s.acquire(name)
	defer s.release(r)
	r.leaving.Lock()
	defer r.leaving.Unlock()
	var err error
	if fault := r.alone(func() { err = r.moveOut(c, move) }); fault != nil {
		return fault
	}
	return err
}

func (r *Registry) moveOut(c Caller, move func() error) error {
	r.mu.Lock()
	foreign, err := r.refresh()
	head := r.head
	if err == nil && !r.exists() {
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
		r.setAbsent()
	} else {
		r.stamp = stampUnknown
	}
	r.mu.Unlock()
	if err == nil {
		r.gone(c, ViaRename, head)
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
	fault := r.alone(func() {
		r.setPlacing(true)
		err = s.holding(regs[1:], f)
		r.setPlacing(false)
	})
	return errors.Join(err, fault)
}

func (r *Registry) setPlacing(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.placing = on
	if !on {
		r.stamp, r.moved = stampUnknown, true
	}
}

// RenameDir moves a directory, named like a registry, and the history of what
// is in it. Registries that are open follow their files. Errors: fs.ErrExist
// with noreplace, or the storage's.
func (s *Store) RenameDir(from, to string, noreplace bool) error {
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
