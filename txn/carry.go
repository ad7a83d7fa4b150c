package txn

import (
	"slices"
	"time"

	"clawfs/txn/seen"
)

// A transaction can go on in the store of another process, over the same storage, where the memory
// has its text and its staged bytes have survived, too.

// Staged returns the staged content, which must not be changed. shared says that it is the version
// that the transaction shows. Another epoch says that the content was exchanged for other content, and
// was not only written and truncated.
func (t *Tx) Staged() (data []byte, shared bool, epoch int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.data, t.shared, t.epoch
}

// Save leaves the transaction's text, by its mark, and reports whether the store of another process could
// go on with it. It could not where the bytes are refused as too large, the file was removed by
// its process, or takes another file's owner and mode, and in some rarer cases.
func (t *Tx) Save() (ok bool) {
	k := t.reg().store.kept
	if k == nil || t.mark.Load() == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &k.txs
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.byMark[t.mark.Load()]
	var is keptText
	if t.canBeSaved() {
		is = k.put(was.id, txText, t.mark.Load(), t.pack)
	}
	s.replace(k, t.mark.Load(), was, is)
	return is.id != 0
}

// Lose takes the transaction's text away.
func (t *Tx) Lose() {
	if k := t.reg().store.kept; k != nil && t.mark.Load() != 0 {
		k.dropTx(t.mark.Load())
	}
}

// canBeSaved reports whether pack tells all that matters. The caller holds mu.
func (t *Tx) canBeSaved() bool {
	switch {
	case !t.opener.Known() || t.released || t.aborted != nil || t.overflow != nil || t.outlived.Load() || t.forsaken.Load() || t.rest.Load() != nil:
		return false
	case t.like != nil || t.intent != (Intent{}) || t.headAtOpen != nil && len(t.headAtOpen.firstLines) > 0:
		return false
	}
	return !slices.ContainsFunc(t.flights, func(o *Tx) bool { return o.mark.Load() == 0 && !o.ended.Load() })
}

// pack adds the facts of the transaction to a text. The caller holds mu.
func (t *Tx) pack(p *seen.Packer) {
	p.Caller(&t.opener)
	for _, at := range []Tick{t.opened, t.since} {
		p.Number(uint64(at))
	}
	p.Flags(t.made, t.creates.Load(), t.shared, t.synced, t.dirty || t.refused != nil, t.rewritten, t.merged, t.older, t.readNoted, t.noted, t.redirected,
		t.put, t.openerClosed, t.unsaved.Load(), t.headAtOpen != nil, t.patched != nil, t.replaces != nil)
	for _, n := range []int{len(t.data), t.behind, t.anew} {
		p.Number(uint64(n))
	}
	if v := t.headAtOpen; v != nil {
		v.pack(p)
	}
	if t.replaces != nil {
		t.replaces.pack(p)
	}
	var before *seen.Content
	if t.unsaved.Load() && len(t.before) > 0 {
		before = t.contentOfBytes(t.before)
	}
	for _, c := range []*seen.Content{before, t.known, t.last, t.takenInto.Load()} {
		p.ContentOf(c)
	}
	p.Number(uint64(len(t.writers)))
	for i := range t.writers {
		p.Caller(&t.writers[i])
	}
	t.seen.Pack(p)
	if t.patched != nil {
		t.patched.Pack(p)
	}
	p.Number(uint64(len(t.flights)))
	for _, o := range t.flights {
		d := o.attempted.Load()
		isDone := d != nil && d.committed.Load()
		p.Flags(isDone, o.ended.Load())
		if p.Number(o.mark.Load()); isDone {
			p.ContentOf(d.content)
			p.Number(uint64(o.opened))
		}
	}
	for _, at := range []time.Time{t.changed, t.setTime} {
		p.Time(at)
	}
	p.String(t.copyID)
	p.Number(t.request)
}

// pack adds a version that has content to a text.
func (v *Version) pack(p *seen.Packer) {
	for _, n := range []uint64{v.Seq, v.Parent, uint64(v.from), uint64(v.dialect)} {
		p.Number(n)
	}
	p.Time(v.Time)
	p.Flags(v.lines)
	p.ContentOf(v.content)
}

func unpackVersion(u *seen.Unpacker) *Version {
	v := &Version{Seq: u.Number(), Parent: u.Number(), from: Tick(u.Number()), dialect: Dialect(u.Number()), Time: u.Time()}
	u.Flags(&v.lines)
	if v.content = u.ContentOf(); v.content == nil {
		u.Failed, v.content = true, seen.NewContent(nil)
	}
	v.Digest, v.Size = v.content.Digest, int64(len(v.content.Bytes))
	return v
}

// pack adds a removal to a text.
func (m *removal) pack(p *seen.Packer) {
	p.Caller(&m.by)
	p.Number(uint64(m.at))
	p.Flags(m.moved)
	p.Time(m.when)
	m.version.pack(p)
}

func unpackRemoval(u *seen.Unpacker) *removal {
	m := &removal{by: u.Caller(), at: Tick(u.Number())}
	u.Flags(&m.moved)
	m.when, m.version = u.Time(), unpackVersion(u)
	return m
}

// contentOfBytes returns content that holds bytes which the transaction has shown. The caller holds mu.
func (t *Tx) contentOfBytes(b []byte) *seen.Content {
	if h := t.headAtOpen; h != nil && len(h.content.Bytes) == len(b) && &h.content.Bytes[0] == &b[0] {
		return h.content
	}
	return seen.NewContent(b)
}

// Restore makes a transaction that has just begun the one that has left a text by a mark, with its staged
// bytes; data returns so many of them. request is the number that was given to SetRequest before the last
// text. Transactions in flight are found once all are restored (Rejoin). ok is false where that can't be
// done; the transaction must not be used then.
func (t *Tx) Restore(mark uint64, data func(size int) []byte) (request uint64, ok bool) {
	k := t.reg().store.kept
	if k == nil {
		return 0, false
	}
	u := k.openTx(mark, t.reg().Head().contentOf)
	if u == nil {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	size, hasHead := t.unpack(u)
	switch {
	case u.Failed:
	case t.shared && hasHead:
		t.data, ok = t.headAtOpen.content.Bytes, true
	case !t.shared:
		t.data = data(size)
		ok = t.data != nil || size == 0
	}
	t.lent, t.refused = 0, nil
	t.epoch++
	return t.request, ok
}

// unpack undoes pack, but for the staged bytes. The caller holds mu.
func (t *Tx) unpack(u *seen.Unpacker) (size int, hasHead bool) {
	t.opener = u.Caller()
	t.opened, t.since = Tick(u.Number()), Tick(u.Number())
	var creates, unsaved, isPatched, isReplacing bool
	u.Flags(&t.made, &creates, &t.shared, &t.synced, &t.dirty, &t.rewritten, &t.merged, &t.older, &t.readNoted, &t.noted, &t.redirected,
		&t.put, &t.openerClosed, &unsaved, &hasHead, &isPatched, &isReplacing)
	size = int(u.Number())
	t.behind, t.anew = int(u.Number()), int(u.Number())
	t.headAtOpen = nil
	if hasHead {
		t.headAtOpen = t.reg().again(unpackVersion(u))
	}
	if t.replaces = nil; isReplacing {
		t.replaces = unpackRemoval(u)
		t.headAtOpen = t.replaces.version
	}
	before, known, last, taken := u.ContentOf(), u.ContentOf(), u.ContentOf(), u.ContentOf()
	t.known, t.last, t.before = known, last, nil
	t.takenInto.Store(taken)
	if before != nil {
		t.before = before.Bytes
	}
	t.writers = nil
	for range u.Number() {
		if u.Failed {
			break
		}
		t.writers = append(t.writers, u.Caller())
	}
	r := t.reg()
	r.mu.Lock()
	t.seen = r.seen.UnpackSeen(u)
	t.patched = nil
	if isPatched {
		c := r.seen.UnpackCandidate(u)
		t.patched = &c
	}
	r.mu.Unlock()
	t.unpackFlights(u)
	t.changed, t.setTime = u.Time(), u.Time()
	t.copyID, t.request = u.String(), u.Number()
	t.creates.Store(creates)
	t.unsaved.Store(unsaved)
	return size, hasHead
}

// unpackFlights is unpack for the transactions in flight. The caller holds mu.
func (t *Tx) unpackFlights(u *seen.Unpacker) {
	t.flights, t.rejoin = nil, nil
	for range u.Number() {
		if u.Failed {
			break
		}
		var isDone, ended bool
		u.Flags(&isDone, &ended)
		mark := u.Number()
		switch {
		case isDone:
			o := &Tx{}
			d := &draft{tx: o, content: u.ContentOf()}
			o.opened = Tick(u.Number())
			d.committed.Store(true)
			o.attempted.Store(d)
			t.flights = append(t.flights, o)
		case !ended:
			t.rejoin = append(t.rejoin, mark)
		}
	}
}

// again returns a version that is the head if it is the same.
func (r *Registry) again(v *Version) *Version {
	if h := r.Head(); h != nil && h.Digest == v.Digest {
		return h
	}
	return v
}

// Rejoin finds the transactions in flight that a restored one has known, by their marks. It reports whether
// all are there.
func (t *Tx) Rejoin(byMark func(uint64) *Tx) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, mark := range t.rejoin {
		o := byMark(mark)
		if o == nil {
			return false
		}
		t.flights = append(t.flights, o)
	}
	return true
}

// Opener returns the process that has opened the file.
func (t *Tx) Opener() Caller { return t.opener }

// IsUnsaved reports whether something is staged that was not committed.
func (t *Tx) IsUnsaved() bool { return t.unsaved.Load() }

// SetRequest gives the transaction the number of the request that is about to change it, for its next text.
func (t *Tx) SetRequest(number uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.request = number
}

// WasCommitted notes that the store before has put the staged content in place, and has not said so.
func (t *Tx) WasCommitted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.reg()
	q := &request{draft: t.draftOf(seen.NewContent(slices.Clone(t.data))), writers: t.writers, begun: t.since}
	if len(q.writers) == 0 {
		q.writers = []Caller{t.opener}
	}
	r.mu.Lock()
	q.left, q.made = r.head, r.head
	r.seeWritten(q)
	r.mu.Unlock()
	t.settle(q)
	t.known = nil
}

// WasReplaced notes that the store before has put a file with such content, of these writers, in place of a registry,
// and has not said so.
func (s *Store) WasReplaced(name string, l Lineage, content []byte) {
	r := s.acquire(name)
	defer s.release(r)
	if _, err := r.present(); err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := seen.NewContent(content)
	w := seen.Write{Content: c, Merged: r.head == nil || r.head.Digest != c.Digest}
	for _, o := range l.Writers {
		w.Begun, w.Ended, w.Redirected = o.Begun(), o.Event+1, o.Redirected
		r.seen.Changed(o.Caller)
		r.seen.Wrote(o.Caller, w)
	}
}

// GiveUp has nothing of the transaction be committed: it is not the one that it was to be.
func (t *Tx) GiveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dirty, t.refused, t.copyID = false, nil, ""
	t.unsaved.Store(false)
	t.mark.Store(0)
}

// IsSaved reports whether a transaction has left a text by a mark.
func (s *Store) IsSaved(mark uint64) bool {
	if s.kept == nil {
		return false
	}
	s.kept.txs.mu.Lock()
	defer s.kept.txs.mu.Unlock()
	_, ok := s.kept.txs.byMark[mark]
	return ok
}

// OpenVersion opens a version for reading that need not be the head; nil where its content is not there any
// more.
func (s *Store) OpenVersion(name string, seq uint64, digest [32]byte) *Snapshot {
	r := s.acquire(name)
	head, err := r.present()
	c := r.contentWith(digest)
	if err != nil || c == nil {
		s.release(r)
		return nil
	}
	v := &Version{Seq: seq, Digest: digest, Size: int64(len(c.Bytes)), content: c, dialect: head.dialect}
	return &Snapshot{reg: r, version: v, opened: 1, pass: seen.NewReading(s.Next())}
}

// manyVersions is how many of the last versions are looked through for a content.
const manyVersions = 64

// contentWith returns the content that has a digest, of the memory or of the history.
func (r *Registry) contentWith(digest [32]byte) *seen.Content {
	if k := r.store.kept; k != nil {
		k.mu.Lock()
		held := k.contents[digest]
		k.mu.Unlock()
		if held != nil {
			if c := k.content(uint64(held.id)); c != nil {
				return c
			}
		}
	}
	name := r.Name()
	kept, err := r.store.storage.Versions(name)
	if err != nil {
		return nil
	}
	for _, seq := range slices.Backward(kept[max(0, len(kept)-manyVersions):]) {
		if b, err := r.store.storage.Version(name, seq); err == nil {
			if c := seen.NewContent(b); c.Digest == digest {
				return c
			}
		}
	}
	return nil
}

// Resume goes on with a reading of the store before: if the caller has read the version there, that is noted
// already.
func (n *Snapshot) Resume(c Caller) {
	n.reg.mu.Lock()
	defer n.reg.mu.Unlock()
	if n.reg.seen.HasRead(c, n.version.Digest) {
		n.noted.Store(true)
	}
}
