package txn

import (
	"bytes"
	"errors"
	"io/fs"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// tryBatch applies the batch to the present head and places the result. It
// returns false where the head was overtaken meanwhile.
func (r *Registry) tryBatch(batch []*request) (bool, error) {
	r.mu.Lock()
	event, err := r.refresh()
	head, blank, seq, removed, changed := r.head, r.blank, r.lastSeq, r.removed, r.seen.ChangedAt()
	r.mu.Unlock()
	r.store.observe(event)
	if err != nil {
		return false, err
	}
	next := head
	var whole *request // the last one whose bytes are just those of next
	for _, q := range batch {
		q.reset(r.name)
	}
	for _, q := range batch {
		if q.noReplace && (next != nil || blank != nil) {
			q.err = fs.ErrExist
			continue
		}
		q.alone = q.seen.Alone && next == head && changed <= q.seen.Noted
		next = r.apply(q, next, removed, &seq)
		switch {
		case q.err == nil && next.Digest == q.content.Digest:
			whole = q
		case q.made != nil:
			whole = nil
		}
	}
	return r.place(batch, head, next, whole)
}

// apply makes the request's change on top of head, or without a head on top of the version that
// was removed, and returns the head after it. It touches nothing but the request.
func (r *Registry) apply(q *request, head *Version, removed *removal, seq *uint64) *Version {
	if head != nil {
		q.event.Seq, q.event.Parent = head.Seq, head.Seq
	}
	if q.err = q.intent.check(r.name, head); q.err != nil {
		return head
	}
	onto := head
	text, d, err := r.textOf(q, &onto, removed)
	if err != nil {
		q.err = err
		return head
	}
	q.applied()
	q.left = head
	if head != nil && text.Digest == head.Digest && !q.parts && (!q.changes || text.Digest != q.content.Digest) {
		q.event.Outcome, q.event.Note = Unchanged, Note{}
		return head
	}
	*seq++
	if head == nil && onto != nil {
		q.event.Parent = onto.Seq
	}
	v := &Version{
		Seq: *seq, Parent: q.event.Parent, Digest: text.Digest, Size: int64(len(text.Bytes)), Writer: q.event.Writer.Actor,
		content: text, from: r.beginsAfter(onto), dialect: r.noted(d), lines: d == Lines, firstLines: q.firstLines,
	}
	if q.firstLines == nil && head != nil && d == Strict && v.isLine() {
		v.firstLines = head.firstLines
	}
	q.made, q.left, q.event.Seq, q.event.Changed = v, v, v.Seq, true
	q.event.Outcome = Merged
	if text.Digest == q.content.Digest {
		q.event.Outcome = Committed
	}
	return v
}

// beginsAfter returns Version.from of a version that goes on from another one, nil for none.
func (r *Registry) beginsAfter(before *Version) Tick {
	if before == nil {
		return r.store.Now()
	}
	return before.from
}

// textOf returns the registry's content after the request, and its dialect. onto is
// the head; where there is none it becomes the version that was there before.
func (r *Registry) textOf(q *request, onto **Version, removed *removal) (*seen.Content, Dialect, error) {
	if text := r.added(q, *onto); text != nil {
		q.appendsLines()
		return text, Lines, nil
	}
	if err := r.docOf(q); err != nil {
		return nil, Strict, err
	}
	if err := r.readmit(q, *onto); err != nil {
		return nil, Strict, err
	}
	if names := namesOf(q.doc); names != nil {
		names.Hold(namesOf(r.known(*onto, dialectIn(q.doc))))
		defer names.Drop()
	}
	if text := r.appendedTo(q, *onto); text != nil {
		q.appendsLines()
		return text, Lines, nil
	}
	base, err := r.baseOf(q)
	if err != nil {
		return nil, Strict, err
	}
	if *onto == nil {
		*onto = r.replaced(q, q.replaces.orNewer(removed))
	}
	if lines := r.firstLines(q, *onto); lines != nil {
		if q.choice.Head {
			base = (*onto).content
		}
		return r.combine(q, base, lines)
	}
	if q.choice.Head && !(q.choice.Why == seen.Again && r.store.cfg.RejectStale) {
		return q.content, dialectIn(q.doc), nil
	}
	return r.combine(q, base, *onto)
}

// firstLines returns the version on which the request shows that it is JSON lines, with
// the lines that it remembers. It returns nil where there are none, or nothing is merged.
func (r *Registry) firstLines(q *request, head *Version) *Version {
	if head == nil || len(head.firstLines) == 0 || dialectIn(q.doc) != Lines || q.put {
		return nil
	}
	return head.withFirstLines()
}

func (q *request) appendsLines() {
	q.choice = seen.Choice{Head: true, Why: appended}
	q.event.Base = Base{Kind: BaseHead, Why: appended}
}

// readmit looks again whether and how the content is a document, where the head is
// another one than when that was looked at, in another dialect.
func (r *Registry) readmit(q *request, head *Version) (err error) {
	was, is := dialectIn(q.doc), r.dialectOf(head)
	switch {
	case q.doc != nil && was == is:
	case was == Lines && is == Strict && (head == nil || head.isLine()): // lines are added to one
	case q.doc != nil && is == Plain:
	default:
		q.doc, err = r.admit(q.content, head, q.seen)
	}
	return err
}

// appendedTo returns the head's content with the appended bytes behind it, if that makes
// JSON lines; nil otherwise. The content at the open does not matter then.
func (r *Registry) appendedTo(q *request, head *Version) *seen.Content {
	switch {
	case q.appended == nil || head == nil || r.store.cfg.RejectStale:
		return nil
	case r.dialectOf(head) == Lines || dialectIn(q.doc) == Lines:
	case len(q.appended) < len(q.content.Bytes) || !head.isLine():
		return nil
	}
	line := bytes.TrimPrefix(q.appended, []byte("\n"))
	text := bytes.Clone(head.withFirstLines().content.Bytes)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	c := seen.NewContent(append(text, line...))
	if doc, err := r.admit(c, head, q.seen); err != nil || dialectIn(doc) != Lines {
		return nil
	}
	if c.Digest == q.content.Digest {
		return q.content
	}
	return c
}

// combine returns the content of the registry after the request, and its dialect: the
// request's content as it is where nobody else committed since base, and a merge
// otherwise.
func (r *Registry) combine(q *request, base *seen.Content, head *Version) (*seen.Content, Dialect, error) {
	theirs, own := q.doc, dialectIn(q.doc)
	switch {
	case head == nil, q.content.Digest == head.Digest:
		return q.content, own, nil
	case base != nil && base.Digest == head.Digest:
		return q.content, own, nil
	case r.store.cfg.RejectStale:
		return nil, own, &StaleError{Name: r.name, Base: q.openSeq(), Head: head.Seq}
	}
	d := own
	if was := r.dialectOf(head); own == Strict {
		// A registry that was removed may have been in another dialect.
		if doc, err := r.parseLike(q.content, r.known(head, was), was); err == nil {
			theirs, d = doc, was
		}
	}
	headDoc, err := r.parseLike(head.content, theirs, d)
	if err != nil {
		return q.content, own, nil // a file that was no document before clawfs came gives way to the first one
	}
	var baseDoc *jsondoc.Doc
	if base != nil {
		baseDoc, _ = r.parseLike(base, headDoc, d) // likewise: such a base can't be compared
	}
	r.store.docs.makeRoom(base)
	res, err := merge.MergeInRoom(baseDoc, headDoc, theirs, r.policyFor(q), r.store.roomForMerge)
	if err != nil {
		return nil, own, err
	}
	q.event.Conflicts, q.event.Warnings = res.Conflicts, res.Warnings
	q.event.Applied, q.event.More, q.event.Kept = res.Applied, res.More, res.Kept
	switch res.Outcome {
	case merge.KeptHead:
		return head.content, d, nil
	case merge.TookTheirs:
		if res.TwoLines {
			q.firstLines = head.firstLinesFor(q.content)
		}
		return q.content, own, nil
	}
	text := r.newContent(res.Text, head)
	r.store.cfg.Collect(len(res.Text))
	merged, err := r.parseLike(text, headDoc, d)
	switch {
	case err != nil:
		return nil, own, err // larger than allowed; or a fault of ours, which must never reach the disk
	case d != JSON5 && jsondoc.Equal(merged.Root(), theirs.Root()):
		return q.content, own, nil // nothing of anybody else's is in it: the writer's own spelling counts
	}
	if names := namesOf(merged); names != nil {
		names.Inherit(merged, namesOf(headDoc))
	}
	return text, d, nil
}

// roomForMerge is Config.Room for the result of a merge.
func (s *Store) roomForMerge(bytes int) []byte {
	s.cfg.Collect(bytes)
	return s.cfg.Room(bytes)
}

// policyFor returns how a request is merged.
func (r *Registry) policyFor(q *request) *merge.Policy {
	p := r.store.cfg.Policy(r.name)
	if !q.yields || p != nil && p.OnConflict == merge.Reject {
		return p
	}
	var yielding merge.Policy
	if p != nil {
		yielding = *p
	}
	yielding.OnConflict = merge.TakeOurs
	return &yielding
}

func (q *request) openSeq() uint64 {
	if q.headAtOpen == nil {
		return 0
	}
	return q.headAtOpen.Seq
}

// place writes next over head and publishes it; whole is the request whose bytes it holds,
// if there is one. It returns false where the registry has another head by now.
func (r *Registry) place(batch []*request, head, next *Version, whole *request) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head != head {
		return false, nil
	}
	if next == head {
		if whole != nil {
			r.setTime(r.timeFor(whole), &whole.event)
		}
		return true, nil
	}
	var oldSeq uint64
	if head != nil {
		oldSeq = head.Seq
	}
	next.Time = r.timeFor(whole)
	r.replacingLive = true
	placed := r.store.journaled(batch, head, next)
	stamp, ok, err := r.write(next, oldSeq, likeOf(batch))
	if r.placed = func() { placed(true) }; err != nil || !ok {
		r.placed = nil
		placed(false)
	}
	r.replacingLive = false
	if err != nil && !uncertain(err) {
		return false, err
	}
	if !ok && err == nil {
		r.stamp = stampUnknown
		return false, nil
	}
	if head == nil {
		r.seen.Appeared()
	}
	r.head, r.stamp, r.foreignErr, r.unarchived = next, stamp, nil, true
	r.lastSeq = max(r.lastSeq, next.Seq)
	r.setBlankless()
	r.forget()
	return true, err
}

// timeFor returns the modification time of the version that a request leaves; the request
// may be nil. The caller holds mu.
func (r *Registry) timeFor(whole *request) time.Time {
	if whole != nil && !whole.time.IsZero() {
		return whole.time
	}
	return r.nextTime()
}

// write lets go of mu, which the caller holds, while the storage works.
func (r *Registry) write(v *Version, oldSeq uint64, like fs.File) (stamp string, ok bool, err error) {
	name, stamp := r.name, r.stamp
	r.mu.Unlock()
	defer r.mu.Lock()
	return r.store.storage.Commit(name, stamp, v.Seq, oldSeq, v.content.Bytes, v.Digest, v.Time, like)
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

// conclude records the outcome of each request: the views of its writers, the log,
// and the versions of the batch that never were live but lost a conflict to a later
// one.
func (r *Registry) conclude(batch []*request) {
	r.mu.Lock()
	head, stamp := r.head, r.stamp
	r.store.docs.trim(head.contentOf())
	linked := r.store.storage.Linked(stamp)
	var by []Caller
	for _, q := range batch {
		if q.err == nil {
			r.seeWritten(q)
			if q.made != nil {
				by = append(by, q.writers...)
			}
		}
	}
	r.mu.Unlock()
	if linked && len(by) > 0 {
		r.store.tellLinks(stamp, by)
	}
	for i, q := range batch {
		q.answered = true
		if q.err != nil {
			continue
		}
		if head != nil {
			q.event.Size, q.event.Time, q.event.Linked = head.Size, head.Time, linked
		}
		r.keepLosers(q, batch[:i])
		r.record(&q.event, q.left)
		r.store.observe(&q.event)
	}
}

// seeWritten makes the content a view of its writers and uses up the
// reading that it was based on. The caller holds mu.
func (r *Registry) seeWritten(q *request) {
	if q.made != nil {
		r.seen.Changed(q.writers...)
	}
	w := seen.Write{
		Content: q.content, Begun: q.begun, Ended: q.ended, From: q.choice.Taken, Redirected: q.redirected,
		Merged: q.left == nil || q.left.Digest != q.content.Digest,
	}
	for _, writer := range q.writers {
		w.Overlaps = r.writesElsewhere(writer, q.tx)
		r.seen.Wrote(writer, w)
	}
	r.seen.UseChoice(&q.choice)
}

// keepLosers keeps the content that lost a conflict, or gave way to a put, where it is not
// in the history already: the version that the request found, if that was made and
// superseded within the batch, and the request's own content, if the head won.
func (r *Registry) keepLosers(q *request, earlier []*request) {
	lost := false
	for _, c := range q.event.Conflicts {
		lost = lost || c.Won == merge.Head
	}
	if lost {
		q.event.Copy, _ = r.store.quarantine(&q.event, q.content.Bytes)
	}
	if len(q.event.Conflicts) == 0 && !q.put {
		return
	}
	for _, e := range earlier {
		if e.made != nil && e.made.Seq == q.event.Parent {
			_ = r.store.storage.Archive(r.name, e.made.Seq, e.made.content.Bytes, e.made.Digest)
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
