package txn

import (
	"errors"
	"io/fs"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// tryBatch applies the batch to the present head and places the result. It
// returns false where the head was overtaken meanwhile.
func (r *Registry) tryBatch(batch []*request) (bool, error) {
	r.mu.Lock()
	event, err := r.refresh()
	head, seq, removed := r.head, r.lastSeq, r.removed
	r.mu.Unlock()
	r.store.observe(event)
	if err != nil {
		return false, err
	}
	next := head
	for _, q := range batch {
		q.reset(r.name)
	}
	for _, q := range batch {
		next = r.apply(q, next, removed, &seq)
	}
	return r.place(batch, head, next)
}

// apply makes the request's change on top of head, or of what was there before
// where there is none, and returns the head after it. It touches nothing but the
// request.
func (r *Registry) apply(q *request, head *Version, removed *removal, seq *uint64) *Version {
	if head != nil {
		q.event.Seq, q.event.Parent = head.Seq, head.Seq
	}
	base, err := r.baseOf(q)
	if err != nil {
		q.err = err
		return head
	}
	onto := head
	if head == nil {
		onto = r.replaced(q, base, removed)
	}
	text, err := r.combine(q, base, onto)
	if err != nil {
		q.err = err
		return head
	}
	q.applied()
	q.left = head
	if head != nil && text.digest == head.Digest && (q.like == nil || text.digest != q.content.digest) {
		q.event.Outcome = Unchanged
		return head
	}
	*seq++
	if head == nil && onto != nil {
		q.event.Parent = onto.Seq
	}
	v := &Version{Seq: *seq, Parent: q.event.Parent, Digest: text.digest, Size: int64(len(text.bytes)), Writer: q.event.Writer.Actor, content: text}
	q.made, q.left, q.event.Seq, q.event.Changed = v, v, v.Seq, true
	q.event.Outcome = Merged
	if text.digest == q.content.digest {
		q.event.Outcome = Committed
	}
	return v
}

// baseOf chooses the merge base of the request; nil means that there was
// nothing to see.
func (r *Registry) baseOf(q *request) (*content, error) {
	if q.tx != nil {
		if c := q.tx.absorbed.Load(); c != nil {
			q.event.Base = Base{Kind: BaseInFlight, Digest: c.digest}
			return c, nil
		}
	}
	chosen, all := r.chooseFor(q.staged, q.doc)
	switch {
	case chosen != nil:
		q.event.Base = describeChoice(chosen, all)
	case q.open != nil:
		q.event.Base = Base{Kind: BaseOpen, Digest: q.open.Digest}
	default:
		q.event.Base = Base{Kind: BaseAbsent}
	}
	q.chosen, q.tasks = chosen, hasTasks(all)
	return r.ground(q, chosen, q.open)
}

// ground returns the content that a chosen candidate stands for. Content of a
// transaction that is still in flight is not in the registry yet: what was made
// from it brings that transaction's change along, so the base of both is the
// base of that transaction. It was opened earlier, so this comes to an end.
func (r *Registry) ground(q *request, chosen *candidate, open *Version) (*content, error) {
	switch {
	case chosen == nil && open == nil:
		return nil, nil
	case chosen == nil:
		return open.content, nil
	case !chosen.pending():
		return chosen.content, nil
	}
	if c := chosen.tx.absorbed.Load(); c != nil {
		return c, nil
	}
	q.absorbs = append(q.absorbs, absorption{chosen.tx, chosen.content})
	doc, err := r.parse(chosen.content)
	if err != nil {
		return nil, err
	}
	earlier, _ := r.chooseFor(chosen.staged, doc)
	return r.ground(q, earlier, chosen.staged.open)
}

func (r *Registry) chooseFor(st *staged, doc *jsondoc.Doc) (*candidate, []considered) {
	return choose(st.settled(), doc, r.parse, r.store.cfg.Policy(r.name), st.by)
}

// settled returns the candidates with the contents of transactions in flight
// filled in. What is not a document is still being written.
func (st *staged) settled() []candidate {
	out := make([]candidate, 0, len(st.candidates))
	for _, c := range st.candidates {
		if c.tx != nil {
			if c.staged = c.tx.inHand(); c.staged != nil {
				c.content = c.staged.content
			}
		}
		if c.content != nil {
			out = append(out, c)
		}
	}
	return out
}

func describeChoice(chosen *candidate, all []considered) Base {
	b := Base{Kind: BaseRead, Digest: chosen.content.digest}
	switch {
	case chosen.pending():
		b.Kind = BaseInFlight
	case chosen.write:
		b.Kind = BaseWrite
	}
	if len(all) < 2 {
		return b
	}
	for _, c := range all {
		b.Candidates = append(b.Candidates, CandidateInfo{Digest: c.content.digest, Write: c.write, Leaves: c.leaves(), Struck: string(c.why)})
	}
	return b
}

// combine returns what the registry holds after the request: its content as it
// is where nobody else committed since base, and a merge otherwise.
func (r *Registry) combine(q *request, base *content, head *Version) (*content, error) {
	switch {
	case head == nil, q.content.digest == head.Digest:
		return q.content, nil
	case base != nil && base.digest == head.Digest:
		return q.content, nil
	case r.store.cfg.RejectStale:
		return nil, &StaleError{Name: r.name, Base: q.openSeq(), Head: head.Seq}
	}
	theirs := q.doc
	headDoc, err := r.parse(head.content)
	if err != nil {
		return q.content, nil // what was no document before clawfs came gives way to the first one
	}
	var baseDoc *jsondoc.Doc
	if base != nil {
		baseDoc, _ = r.parse(base) // likewise: nothing was seen that could be compared
	}
	res, err := merge.Merge(baseDoc, headDoc, theirs, r.store.cfg.Policy(r.name))
	if err != nil {
		return nil, err
	}
	q.event.Conflicts, q.event.Warnings = res.Conflicts, res.Warnings
	switch res.Outcome {
	case merge.KeptHead:
		return head.content, nil
	case merge.TookTheirs:
		return q.content, nil
	}
	text := newContent(res.Text)
	if _, err := r.parse(text); err != nil {
		return nil, err // larger than allowed; or a fault of ours, which must never reach the disk
	}
	return text, nil
}

func (q *request) openSeq() uint64 {
	if q.open == nil {
		return 0
	}
	return q.open.Seq
}

// place writes next over head and publishes it. It returns false where head is
// no longer what the registry holds.
func (r *Registry) place(batch []*request, head, next *Version) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head != head {
		return false, nil
	}
	if next == head {
		return true, nil
	}
	var oldSeq uint64
	if head != nil {
		oldSeq = head.Seq
	}
	next.Time = r.nextTime()
	r.placing = true
	stamp, ok, err := r.write(next, oldSeq, likeOf(batch))
	r.placing = false
	if err != nil && !uncertain(err) {
		return false, err
	}
	if !ok && err == nil {
		r.stamp = stampUnknown
		return false, nil
	}
	r.head, r.stamp, r.lastTime, r.foreignErr, r.unkept = next, stamp, next.Time, nil, true
	r.lastSeq = max(r.lastSeq, next.Seq)
	r.forget()
	return true, err
}

// write lets go of mu, which the caller holds, while the storage works.
func (r *Registry) write(v *Version, oldSeq uint64, like fs.File) (stamp string, ok bool, err error) {
	name, stamp := r.name, r.stamp
	r.mu.Unlock()
	defer r.mu.Lock()
	return r.store.storage.Commit(name, stamp, v.Seq, oldSeq, v.content.bytes, v.Digest, v.Time, like)
}

// uncertain reports whether an error of Storage.Commit left the new content in
// place, though perhaps not durably.
func uncertain(err error) bool {
	var u interface{ Uncertain() bool }
	return errors.As(err, &u) && u.Uncertain()
}

func likeOf(batch []*request) fs.File {
	for i := len(batch) - 1; i >= 0; i-- {
		if batch[i].err == nil && batch[i].like != nil {
			return batch[i].like
		}
	}
	return nil
}

// conclude records what became of each request: the views of those who wrote,
// the log, and the versions of the batch that never were live but lost a
// conflict to a later one.
func (r *Registry) conclude(batch []*request) {
	r.mu.Lock()
	head := r.head
	for _, q := range batch {
		if q.err == nil {
			r.seeWritten(q)
			for _, d := range r.deletions {
				d.overtaken = true
			}
		}
	}
	r.mu.Unlock()
	for i, q := range batch {
		q.answered = true
		if q.err != nil {
			continue
		}
		if head != nil {
			q.event.Size, q.event.Time = head.Size, head.Time
		}
		r.keepLosers(q, batch[:i])
		r.record(&q.event, q.left)
		r.store.observe(&q.event)
	}
}

// seeWritten makes the content a view of those who wrote it and uses up the
// reading that it was based on. The caller holds mu.
func (r *Registry) seeWritten(q *request) {
	for _, w := range q.writers {
		r.noteWrite(w, q)
		if a := r.views[w.Actor]; a != nil && q.tasks {
			a.tasks = true
		}
	}
	if q.chosen == nil {
		return
	}
	event := r.store.next()
	for _, v := range q.chosen.views {
		if v.use(event) {
			break
		}
	}
}

// keepLosers keeps what lost a conflict, where it is not in the history already:
// the version with which the request's content was merged, if that was made and
// superseded within the batch, and the content itself, if the head won.
func (r *Registry) keepLosers(q *request, earlier []*request) {
	lost := false
	for _, c := range q.event.Conflicts {
		lost = lost || c.Won == merge.Head
	}
	if lost {
		q.event.Copy, _ = r.store.quarantine(&q.event, q.content.bytes)
	}
	if len(q.event.Conflicts) == 0 {
		return
	}
	for _, e := range earlier {
		if e.made != nil && e.made.Seq == q.event.Parent {
			_ = r.store.storage.Archive(r.name, e.made.Seq, e.made.content.bytes, e.made.Digest)
		}
	}
}

// observe reports an event, if there is one.
func (s *Store) observe(e *Event) {
	if e == nil {
		return
	}
	s.cfg.Observer.Observe(*e)
	if w := s.watcher.Load(); w != nil {
		(*w).Observe(*e)
	}
}
