package txn

import (
	"bytes"
	"errors"
	"time"

	"clawfs/txn/jsondoc"
)

// Death says how the process that closes a file is dying. The zero value is a
// process that lives, or that exits of its own accord.
type Death struct {
	Signal int // the signal that kills it, 0 if none
}

// Flush ends the transaction, as far as one close of one of its descriptors
// can end it, and returns the error that close(2) is to return.
//
// A close by the process that opened the file commits the content staged since the last
// attempt. A close by another one, a forked child that exits, commits only if the opener
// has closed its own descriptor already; content that is no document then waits, as long
// as the opener lives. Refused content stays staged: a later write may complete it. A
// writer that is being killed aborts the transaction. A file that is being created may
// have nothing staged: it stays empty, and Show ends its hiding once it is known to be
// closed.
//
// Errors: *InvalidError, *TooLargeError, *merge.ConflictError, *StaleError,
// *AbortedError, *UnkeptError, or the storage's.
func (t *Tx) Flush(c Caller, d Death) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := c.Actor == t.opener.Actor
	switch {
	case t.aborted != nil:
		return t.aborted
	case d.Signal != 0 && t.concerns(c):
		return t.abort(c, d)
	case own:
		t.openerClosed = true
		t.redirected = t.redirected || !t.noted && t.since == t.opened
	case !t.openerClosed && t.openerLives():
		return nil
	}
	if t.dirty {
		defer t.reg().show()
	}
	err := t.attempt(ViaClose)
	var invalid *InvalidError
	if errors.As(err, &invalid) && !own && t.openerLives() {
		return nil
	}
	if err != nil && len(t.data) > 0 {
		return t.keepRefused(c, ViaClose, err)
	}
	return err
}

func (t *Tx) openerLives() bool {
	return t.opener.Known() && t.reg().store.cfg.Alive(t.opener.Actor)
}

// concerns reports whether the process opened the file or wrote to it. One that
// only inherited a descriptor can die without harm.
func (t *Tx) concerns(c Caller) bool {
	if c.Actor == t.opener.Actor {
		return true
	}
	for _, w := range t.writers {
		if w.Actor == c.Actor {
			return true
		}
	}
	return false
}

// Sync makes the staged content safe, as fsync(2) promises: it commits. Errors are those of
// Flush, with one exception. A program that writes a shorter document over a longer one may
// sync before it cuts off the rest of that: the Truncate that follows commits then. Until then
// the staged content is in quarantine, so that a crash leaves a trace of it.
func (t *Tx) Sync(c Caller) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted != nil {
		return t.aborted
	}
	defer t.reg().show()
	err := t.attempt(ViaFsync)
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(t.data) == 0 {
		return err
	}
	if t.hasOldRest(invalid) {
		t.synced = true
		return t.keepCopy(c, ViaFsync, err)
	}
	return t.keepRefused(c, ViaFsync, err)
}

// hasOldRest reports whether the staged content is a whole document, followed by bytes
// that the handle held there before, and nothing else is wrong with it.
func (t *Tx) hasOldRest(e *InvalidError) bool {
	rest := e.Cause.Offset
	return e.Cause.Kind == jsondoc.KindTrailing && len(t.data) == len(t.before) && bytes.Equal(t.data[rest:], t.before[rest:])
}

// commitSynced commits the content that was synced already and has become a document
// now. The caller holds mu.
func (t *Tx) commitSynced(c Caller) error {
	if !t.synced {
		return nil
	}
	err := t.attempt(ViaTruncate)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		return nil // more may come
	}
	if err != nil {
		return t.keepRefused(c, ViaTruncate, err)
	}
	return nil
}

// Release ends the transaction for good. Content that is still staged is committed if
// it can be, and else rejected into quarantine. Only the observer is told the result.
func (t *Tx) Release() {
	t.mu.Lock()
	if t.released {
		t.mu.Unlock()
		return
	}
	t.released = true
	t.ended.Store(true)
	if err := t.attempt(ViaRelease); err != nil && t.aborted == nil {
		_ = t.keepRefused(t.author(), ViaRelease, err)
	}
	t.setRest(nil)
	t.dropLike()
	author, leaves := t.author(), t.put && t.made
	if t.intent.Over != nil {
		t.reg().store.intents.set(t, "", Intent{})
	}
	t.mu.Unlock()
	t.reg().removeOpen(t)
	if leaves {
		t.reg().dropBlank(author)
	}
	t.reg().store.release(t.reg())
}

// Abandon ends every open transaction without a commit, as at a forced end of the daemon.
// Staged content goes to quarantine.
func (s *Store) Abandon() {
	for _, r := range s.all() {
		r.mu.Lock()
		open := make([]*Tx, 0, len(r.open))
		for t := range r.open {
			open = append(open, t)
		}
		r.mu.Unlock()
		for _, t := range open {
			t.abandon()
		}
	}
}

func (t *Tx) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.aborted == nil && !t.released {
		_ = t.abort(t.author(), Death{})
	}
}

// author returns the process to name for the staged content.
func (t *Tx) author() Caller {
	if len(t.writers) > 0 {
		return t.writers[0]
	}
	return t.opener
}

// attempt commits the content staged since the last attempt. Without anything new
// it returns the last result again, so that every close of refused content reports
// it.
func (t *Tx) attempt(via Via) error {
	if t.aborted != nil {
		return t.aborted
	}
	switch {
	case !t.dirty:
		return t.refused
	case t.forsaken.Load():
		return t.saveRest()
	}
	if t.overflow != nil {
		t.refused = t.overflow
		return t.refused
	}
	if len(t.data) == 0 && t.Creates() && !t.put {
		t.dirty, t.refused = false, nil // the file is there, and empty
		t.unsaved.Store(false)
		return t.touch(t.author(), t.setTime)
	}
	c, doc, adds, err := t.staged()
	if err != nil {
		t.refused = err
		return err
	}
	if t.put {
		via = ViaPut
	}
	d := t.draftOf(c)
	t.attempted.Store(d)
	q := &request{draft: d, doc: doc, adds: adds, writers: t.writers, begun: t.since, replaces: t.replaces, like: t.like, changes: t.like != nil, mark: t.mark.Load(), via: via}
	if via == ViaAppend {
		q.part = t.request
	}
	if len(q.writers) == 0 {
		q.writers = []Caller{t.opener}
	}
	t.reg().submit(q)
	t.refused = q.err
	if q.err != nil {
		return q.err
	}
	t.settle(q)
	return nil
}

// settle makes the transaction ready for another write after a commit.
func (t *Tx) settle(q *request) {
	t.dirty, t.noted, t.shared, t.older, t.last = false, false, false, false, nil
	t.behind, t.rewritten = len(t.data), false
	t.know(q.content, q.adds || dialectIn(q.doc) == Lines)
	t.unsaved.Store(false)
	t.since = t.reg().store.Next()
	t.replaces, t.setTime, t.synced = nil, time.Time{}, false
	t.reg().mu.Lock()
	t.headAtOpen = t.reg().head
	t.creates.Store(false)
	t.merged = t.headAtOpen != nil && t.headAtOpen.Digest != q.content.Digest
	t.reg().mu.Unlock()
	t.takenInto.Store(nil)
	t.dropLike()
	if t.copyID != "" {
		t.reg().store.discard(t.copyID)
		t.copyID = ""
	}
}

// abort ends the transaction of a killed writer. Its content goes to quarantine.
func (t *Tx) abort(c Caller, d Death) error {
	defer t.reg().show()
	t.aborted = &AbortedError{Name: t.Name(), Signal: d.Signal}
	if !t.dirty {
		return t.aborted
	}
	e := t.event(c, ViaClose, t.aborted)
	e.Outcome = Aborted
	if len(t.data) > 0 && t.copyID == "" {
		t.copyID, _ = t.reg().store.quarantine(&e, t.data)
	}
	e.Copy = t.copyID
	t.end(&e)
	return t.aborted
}

// keepRefused quarantines refused content and reports the refusal, once for
// each content. It returns the error for the writer: the cause or, where the
// content could not even be kept, why not; the next close and the release try again
// then.
func (t *Tx) keepRefused(c Caller, via Via, cause error) error {
	if !t.dirty {
		return cause
	}
	told := cause
	if err := t.keepCopy(c, via, cause); err != nil {
		told = &UnkeptError{Name: t.Name(), Cause: cause, Err: err}
	}
	t.dirty = told != cause
	t.keepPieces(cause)
	e := t.event(c, via, told)
	e.Copy = t.copyID
	t.end(&e)
	return told
}

// keepCopy puts a copy of the staged content into quarantine in place of the
// copy that was kept before.
func (t *Tx) keepCopy(c Caller, via Via, cause error) error {
	if len(t.data) == 0 {
		return nil
	}
	e := t.event(c, via, cause)
	id, err := t.reg().store.quarantine(&e, t.data)
	if err != nil {
		return err
	}
	if t.copyID != "" {
		t.reg().store.discard(t.copyID)
	}
	t.copyID = id
	return nil
}

func (t *Tx) event(c Caller, via Via, cause error) Event {
	if t.put {
		via = ViaPut
	}
	e := Event{Name: t.Name(), Outcome: Rejected, Via: via, Writer: c, Err: cause, Size: int64(len(t.data)), Note: t.intent.Note}
	if h := t.reg().Head(); h != nil {
		e.Seq, e.Parent = h.Seq, h.Seq
	}
	return e
}

// end records and reports an event that left the head alone.
func (t *Tx) end(e *Event) {
	t.reg().record(e, t.reg().Head())
	t.reg().store.observe(e)
}
