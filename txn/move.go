package txn

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"

	"clawfs/txn/seen"
)

// Handles are the questions of a Rename about the transactions of the file that
// it moves.
type Handles struct {
	IsOpen func(*Tx) bool    // whether somebody has it open still
	Like   func(*Tx) fs.File // the file that moves, open: staged content takes over its owner and mode; nil: it takes over none
}

// Rename moves a registry to another name. To a free one its history goes along; one that
// is there is replaced as by Replace. Of several that move or remove a registry one
// succeeds. Its transactions are those of the other name from then on.
//
// Content that is staged on them is committed first, if it is whole. If it is not, or there is
// no version yet, and IsOpen says that somebody has one of them open still, the rename
// succeeds, and the transaction goes on: staged says so. Others find the former content of the
// name, or that of the file if the name was free.
//
// Of p the content and its time are the registry's. Errors are those of Replace,
// fs.ErrNotExist, and the storage's.
func (s *Store) Rename(from, to string, c Caller, p Replacement, h Handles) (staged bool, err error) {
	if err := errors.Join(s.writable(from), s.writable(to)); err != nil {
		return false, err
	}
	s.commitWhole(from)
	source, target := s.acquire(from), s.acquire(to)
	defer s.release(source)
	defer s.release(target)
	source.leaving.Lock()
	defer source.leaving.Unlock()
	if source == target {
		_, err := source.present()
		return false, err
	}
	m := s.hold(source, target, to)
	m.like = h.Like
	defer m.letGo()
	for try := (patience{store: s}); try.next(); {
		v, err := source.present()
		if err != nil {
			return false, err
		}
		staged = slices.ContainsFunc(m.txs, func(t *Tx) bool { return (v.Blank() || t.unsaved.Load()) && h.IsOpen(t) })
		switch _, err = target.present(); {
		case err == nil && p.NoReplace:
			return false, fs.ErrExist
		case err == nil:
			err = m.replace(c, p, v, staged)
		case errors.Is(err, fs.ErrNotExist):
			err = m.toFree(from, to, c, p, v, staged)
		}
		if !errors.Is(err, ErrBeaten) {
			return staged && (err == nil || uncertain(err)), err
		}
	}
	return false, ErrBeaten
}

// commitWhole commits the staged content of a registry, as far as it is whole: it is
// about to move.
func (s *Store) commitWhole(name string) {
	r := s.peek(name)
	if r == nil {
		return
	}
	for _, t := range r.handles() {
		if t.unsaved.Load() {
			t.commitIfWhole()
		}
	}
}

// handles returns the transactions of the file that is there, in the order in which they
// were begun.
func (r *Registry) handles() []*Tx {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*Tx
	for t := range r.open {
		if !t.outlived.Load() {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *Tx) int { return cmp.Compare(a.opened, b.opened) })
	return list
}

// A moving is a Rename under way. Nobody uses the transactions of the file meanwhile.
type moving struct {
	store    *Store
	from, to *Registry
	txs      []*Tx // locked
	acquired int   // how often to was acquired for them
	done     bool  // they are to's
	like     func(*Tx) fs.File
}

// hold begins a moving. The caller holds leaving, so that no transaction is added.
func (s *Store) hold(from, to *Registry, name string) *moving {
	m := s.gather(from, to, name)
	m.lock()
	return m
}

// gather is hold before the transactions are locked.
func (s *Store) gather(from, to *Registry, name string) *moving {
	m := &moving{store: s, from: from, to: to}
	for _, t := range from.handles() {
		s.acquire(name)
		m.acquired++
		m.txs = append(m.txs, t)
	}
	return m
}

// lock locks the transactions, and leaves out those that have ended.
func (m *moving) lock() {
	for _, t := range m.txs {
		t.mu.Lock()
	}
	m.txs = slices.DeleteFunc(m.txs, func(t *Tx) bool {
		ended := t.released || t.aborted != nil || t.forsaken.Load()
		if ended {
			t.mu.Unlock()
		}
		return ended
	})
}

func (m *moving) letGo() {
	m.unlock()
	m.release()
}

func (m *moving) unlock() {
	for _, t := range m.txs {
		t.mu.Unlock()
	}
}

// release gives back the registries acquired for the transactions.
func (m *moving) release() {
	for i := range m.acquired {
		if i < len(m.txs) && m.done {
			m.store.release(m.from)
		} else {
			m.store.release(m.to)
		}
	}
}

// detach takes the transactions away from where they are: a change of the file is no
// matter of theirs. attach gives them to a registry.
func (m *moving) detach() {
	m.from.mu.Lock()
	defer m.from.mu.Unlock()
	for _, t := range m.txs {
		delete(m.from.open, t)
	}
}

func (m *moving) attach(r *Registry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range m.txs {
		t.at.Store(r)
		r.addOpen(t)
	}
}

// replace has the registry take the place of another one. The error is ErrBeaten where
// the former has been committed to meanwhile: that moves, too.
func (m *moving) replace(c Caller, p Replacement, v *Version, staged bool) error {
	p.Content = v.content.Bytes
	if len(p.Content) > 0 {
		p.Time = v.Time // else the file's own: nobody has told that of an empty file
	}
	if writers := m.from.writersOf(v, p.Lineage); len(writers) > 0 && !staged {
		p.Lineage.Writers = writers
	}
	var err error
	if staged {
		_, err = m.to.replaceBlank(p)
	} else {
		err = m.to.replace(c, p)
	}
	if err != nil {
		return err
	}
	m.detach()
	if err = m.from.unlink(c, v); err != nil && !uncertain(err) {
		m.attach(m.from)
		if errors.Is(err, fs.ErrNotExist) {
			return ErrBeaten
		}
		return err
	}
	m.goOn(c, p, v, staged)
	for _, t := range m.txs {
		if !staged || !t.dirty {
			continue
		}
		if like := m.like(t); like != nil {
			t.dropLike()
			t.like = like
		}
	}
	return err
}

// toFree moves the registry and its history to a name that is free. The error is ErrBeaten
// where it is not.
func (m *moving) toFree(from, to string, c Caller, p Replacement, v *Version, staged bool) error {
	m.to.mu.Lock()
	last := m.to.lastSeq
	m.to.mu.Unlock()
	m.detach()
	done := false
	regs := []*Registry{m.from, m.to}
	if to < from {
		slices.Reverse(regs)
	}
	err := m.store.exclusively(regs, func() error {
		if v.Blank() {
			if err := m.to.recordAbsence(last); err != nil {
				return err
			}
		}
		err := m.store.storage.Rename(from, to, true)
		if done = err == nil || uncertain(err); done {
			m.to.moveFrom(m.from, c)
		}
		return err
	})
	if !done {
		m.attach(m.from)
		if errors.Is(err, fs.ErrExist) && !p.NoReplace {
			return ErrBeaten
		}
		return err
	}
	_, _ = m.to.present() // the next one to ask is told the error
	m.to.mu.Lock()
	m.to.seen.PartOfCall(c, p.Thread)
	m.to.mu.Unlock()
	writers := m.from.writersOf(v, p.Lineage)
	m.to.takeWrites(writers, v)
	m.to.isPlaced(c, writers)
	m.goOn(c, p, v, staged)
	return err
}

// moveFrom has a registry take the state of another one, whose file and history have
// moved here.
func (r *Registry) moveFrom(other *Registry, c Caller) {
	other.mu.Lock()
	unarchived, head := other.unarchived, other.head
	other.setAbsent()
	other.unarchived = false
	other.seen.Changed(c)
	if head != nil {
		other.remember(c, true, head)
	}
	other.mu.Unlock()
	r.mu.Lock()
	r.loaded, r.unarchived = false, unarchived
	r.setAbsent()
	r.seen.Changed(c)
	r.seen.Appeared()
	r.mu.Unlock()
}

// writersOf returns those writers of a file whose last write of this registry is just the
// content of a version.
func (r *Registry) writersOf(v *Version, l Lineage) []Origin {
	r.mu.Lock()
	defer r.mu.Unlock()
	var writers []Origin
	for _, o := range l.Writers {
		if r.seen.HasWritten(o.Caller, v.content) {
			writers = append(writers, o)
		}
	}
	return writers
}

// takeWrites makes the content of a file that has moved here a write of its writers: it may be
// a temporary file of theirs.
func (r *Registry) takeWrites(writers []Origin, v *Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range writers {
		r.tookName(o.Caller, seen.Write{Content: v.content, Begun: o.Begun(), Ended: o.Event + 1, Redirected: o.Redirected})
	}
}

// tookName makes the content that took the name, which was free, a write of its writer. If
// that was told of nothing, it has made the content from that. The caller holds mu.
func (r *Registry) tookName(writer Caller, w seen.Write) {
	saw := r.seenOf(Origin{Caller: writer, Event: r.store.Now(), At: r.store.cfg.Now()})
	if i := slices.IndexFunc(saw.Candidates, func(c seen.Candidate) bool { return c.Kind == seen.Nothing }); i >= 0 {
		w.From = &saw.Candidates[i]
	}
	r.seen.Changed(writer)
	r.seen.Wrote(writer, w)
	r.seen.Use(w.From)
}

// isPlaced notes that a caller has put a file of these writers in place of the registry: if that
// is none of its own it knows by this that there is a registry.
func (r *Registry) isPlaced(c Caller, writers []Origin) {
	if slices.ContainsFunc(writers, func(o Origin) bool { return o.Actor == c.Actor }) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	saw := r.seenOf(Origin{Caller: c, Event: r.store.Now(), At: r.store.cfg.Now()})
	if slices.ContainsFunc(saw.Candidates, func(c seen.Candidate) bool { return c.Kind == seen.Nothing }) {
		r.seen.Placed(c)
	}
}

// goOn makes the transactions those of the registry to which c has moved their file, which
// held v.
func (m *moving) goOn(c Caller, p Replacement, v *Version, staged bool) {
	m.attach(m.to)
	m.done = true
	written := slices.ContainsFunc(m.txs, func(t *Tx) bool { return t.unsaved.Load() })
	for _, t := range m.txs {
		t.flights, t.replaces = nil, nil
		t.takenInto.Store(nil)
		switch began := t.unsaved.Load(); {
		case staged && (began || v.Blank() && !written):
			t.stays(c, p)
			if !began {
				t.noteTime(v.Time)
			}
		case began || t.headAtOpen == nil:
			// Refused content is nobody's concern any more. A process that has the file open since
			// it was empty, and has written nothing, reads the content that is there then.
		default:
			t.goesOn()
		}
	}
}

// goesOn makes a transaction without unsaved bytes one of the registry that its file has
// been renamed to. The caller holds mu.
func (t *Tx) goesOn() {
	r := t.reg()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := t.headAtOpen.content
	if !t.shared {
		c = seen.NewContent(slices.Clone(t.data))
	} else if r.head == nil || r.head.Digest != c.Digest {
		t.data, t.shared, t.older = slices.Clone(t.data), false, true
		t.epoch++
	}
	t.continues(c)
	t.merged = t.merged && !t.older
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
	if fault := r.exclusively(func() { err = r.moveOut(c, move) }); fault != nil {
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
	if err == nil {
		err = r.store.writable(r.name)
	}
	r.replacingLive = err == nil
	r.mu.Unlock()
	r.store.observe(foreign)
	if err != nil {
		return err
	}
	if err = move(); err != nil {
		r.mu.Lock()
		r.replacingLive, r.stamp = false, stampUnknown
		r.mu.Unlock()
		return err
	}
	r.mu.Lock()
	r.setAbsent()
	last := r.lastSeq
	r.mu.Unlock()
	err = r.store.publishAbsence(r.name, last)
	r.mu.Lock()
	r.replacingLive = false
	r.mu.Unlock()
	r.gone(c, ViaRename, head, Note{})
	return err
}
