package txn

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"runtime/debug"
	"sync"
	"time"

	"clawfs/txn/seen"
)

// stampUnknown is no file's stamp: the next refresh reads the file.
const stampUnknown = "?"

// Registry is one registry file: its head, the queue of commits to it, and the views that each
// process has of it.
type Registry struct {
	store *Store

	users  int  // how many have acquired it; guarded by Store.mu
	parked bool // it is in Store.idle; guarded by Store.mu

	mu            sync.Mutex // guards the fields below
	name          string
	loaded        bool
	head          *Version    // nil: there is no such file, or nothing in it yet
	blank         *Version    // the file that is there and has no version yet, nil if there is none
	hidden        bool        // only processes that create blank find it
	stamp         string      // state of the live file that head or blank was read from or written as
	noDocument    string      // the stamp of a live file with other names that was found to hold no document; head is not of it
	lastSeq       uint64      // the highest number that a version ever had
	foundSeq      uint64      // the version that was there when the registry was loaded, 0 if there was none
	lastTime      time.Time   // that a version was given last
	replacingLive bool        // a commit is changing the live file: stamps say nothing now
	edit          *mergedEdit // of which takeLive is about to find the version
	advancing     int         // how many have the live file follow other hosts just now, or wait for that
	seen          *seen.Views
	kept          keptTexts // of seen
	open          map[*Tx]struct{}
	pieces        *pieces  // that were refused while there was no version
	removed       *removal // the version that was here last, if that was just now
	queue         []*request
	leading       bool
	foreignErr    error    // why the live file is not a valid document, if it is not
	foundBy       []Caller // the writers of a change that refresh is about to find: made by another name of the file, or by moving it
	foundVia      Via      // the call by which they have; empty: refresh finds a foreign change
	placed        func()   // tells the journal of the last commit that it was made; nil: it was told
	moved         bool     // the live file may be another registry's, in another dialect
	unarchived    bool     // head is not in the history, and was committed here or may be the base of an edit

	leaving  sync.Mutex // held while the file is taken away; before all other locks
	settling sync.Mutex // held while the live file is made to follow other hosts; before mu
}

// forgettable reports whether nothing would be lost if the registry were read
// anew: no view of it may still become a merge base, or, if space is scarce, no view but
// such of nothing. A registry that is in use just now is not.
func (r *Registry) forgettable(scarce bool) bool {
	if !r.mu.TryLock() {
		return false
	}
	defer r.mu.Unlock()
	if len(r.queue) > 0 || r.leading || r.removed != nil || r.pieces != nil {
		return false
	}
	return r.seen.Empty(scarce)
}

// refresh makes head the state of the live file, if that has changed behind the
// store or was not read yet, and returns the event to report, if there is one.
// The caller holds mu, and no more than that must rest on it: mu is given up while other hosts are
// asked.
func (r *Registry) refresh() (e *Event, err error) {
	if r.isChanging() {
		return nil, nil
	}
	if r.store.shared != nil && !r.isCurrent() {
		if _, err = r.settle(); err != nil || r.isChanging() {
			return nil, err
		}
	}
	return r.takeLive()
}

// takeLive is refresh when nothing is known to be changing the live file, or it can be waited for. The
// caller holds mu.
func (r *Registry) takeLive() (e *Event, err error) {
	defer func() {
		if recover() != nil { // a fault of the storage's must not leave mu locked
			err = &FaultError{Name: r.name, Stack: string(debug.Stack())}
		}
	}()
	stamp, err := r.store.storage.Stamp(r.name)
	if err != nil {
		return nil, err
	}
	defer func() { r.foundBy, r.foundVia = nil, "" }()
	if r.loaded && stamp == r.stamp {
		return nil, nil
	}
	first := !r.loaded
	e, err = r.reload()
	if first && err == nil && r.head != nil {
		r.foundSeq = r.head.Seq
	}
	if first && err == nil {
		r.takeOver()
	}
	return e, err
}

// reload reads the live file and takes over the state that it finds. The caller holds mu.
func (r *Registry) reload() (*Event, error) {
	defer func() { r.moved = false }()
	b, mtime, stamp, from, err := r.load()
	if errors.Is(err, fs.ErrNotExist) {
		return r.adoptAbsence(from)
	}
	if err != nil {
		return nil, err
	}
	c := seen.NewContent(b)
	if r.head != nil && r.head.Digest == c.Digest {
		r.stamp = stamp
		r.head = r.head.withTime(mtime)
		return nil, nil
	}
	if len(b) == 0 && (from.Blank || r.mayBeBlank()) {
		r.setBlank(stamp, mtime)
		if from.Blank {
			r.setHidden(true)
		}
		return nil, nil
	}
	return r.adopt(c, mtime, stamp, from)
}

// tellLinks has the registries that are other names of a file, which has been written by one
// of its names, take that over, and know the writers.
func (s *Store) tellLinks(stamp string, by []Caller) {
	for _, r := range s.all() {
		s.observe(r.takeLinked(stamp, by))
	}
}

// WrittenBeside has the registries that are names of a file take over what a process has just
// written there by another name, which is no registry's.
func (s *Store) WrittenBeside(other string, by Caller) {
	stamp, err := s.storage.Stamp(other)
	if err != nil || !s.storage.Linked(stamp) {
		return
	}
	for _, r := range s.all() {
		if e := r.takeLinked(stamp, []Caller{by}); e != nil {
			e.Beside = true
			s.observe(e)
		}
	}
}

// takeLinked is tellLinks for one registry, if it has the stamp.
func (r *Registry) takeLinked(stamp string, by []Caller) *Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.store.storage
	if !r.loaded || !r.exists() || r.stamp == stamp {
		return nil
	}
	if r.stamp != stampUnknown && !(s.Linked(r.stamp) && s.SameFile(r.stamp, stamp)) { // cheap to find out
		return nil
	}
	if now, err := s.Stamp(r.name); err != nil || now != stamp {
		return nil
	}
	r.foundBy = by
	e, _ := r.refresh() // the next one to ask is told the error
	return e
}

func (r *Registry) adoptAbsence(source Source) (*Event, error) {
	first, had := !r.loaded, r.head
	if first {
		if rec, _ := r.readLog(); rec.Seq > 0 && source.Host != "" {
			had = &Version{Seq: rec.Seq} // it was there, when this host looked last
		}
	}
	r.loaded = true
	r.setAbsent()
	if had == nil {
		return nil, nil
	}
	r.seen.Changed(r.foundBy...)
	e := r.foundEvent(&Event{Name: r.name, Parent: had.Seq, Deleted: true}, source)
	r.record(e, nil)
	return e, nil
}

// adopt makes content found in the backing directory the head. Content that is
// the last one recorded is that version; other content is a foreign commit.
func (r *Registry) adopt(c *seen.Content, mtime time.Time, stamp string, source Source) (*Event, error) {
	if r.loaded && r.head != nil && r.store.storage.Linked(stamp) {
		if _, err := r.admit(c, r.head, seen.Seen{}); err != nil {
			// Somebody writes by another name of the file, or has. Those bytes are neither
			// replaced nor shown, until they are a document or are written over.
			r.stamp, r.noDocument = stamp, stamp
			return nil, nil
		}
	}
	var parent uint64
	var from Tick
	known, last := false, r.head
	if r.loaded {
		from = r.beginsAfter(r.head)
		r.seen.Changed(r.foundBy...)
		if r.head == nil {
			r.seen.Appeared()
		}
		if r.head != nil {
			parent = r.head.Seq
		}
	} else {
		r.seen.Existed()
		if last, parent, known = r.readLast(c); !known {
			r.seen.Changed() // while no store was there
		}
	}
	r.loaded, r.stamp, r.unarchived = true, stamp, r.unarchived || r.store.shared != nil
	r.setBlankless()
	r.forget()
	v := &Version{Seq: parent, Digest: c.Digest, Size: int64(len(c.Bytes)), Time: mtime, content: c, from: from}
	if !known {
		r.lastSeq = max(r.lastSeq+1, source.Seq)
		v.Seq, v.Parent = r.lastSeq, parent
	}
	v.dialect, r.foreignErr = r.found(c, last, known || source.Host != "")
	v.lines = v.dialect == Lines
	switch {
	case r.foreignErr != nil && known:
		r.head = v
		return r.stillInvalid(v, last), nil
	case r.foreignErr != nil && r.store.shared != nil: // all hosts have it
		r.head = v
		return r.invalidEvent(v), nil
	case r.foreignErr != nil:
		return r.recover(v, last)
	}
	r.head = v
	if known || parent == 0 && source.Host == "" {
		return nil, nil
	}
	e := r.foundEvent(&Event{Name: r.name, Seq: v.Seq, Parent: parent, Size: v.Size, Time: v.Time}, source)
	r.tellMerged(e, v)
	r.record(e, v)
	return e, nil
}

// foundEvent returns e as the event of a change that refresh has found. The caller holds mu.
func (r *Registry) foundEvent(e *Event, source Source) *Event {
	e.Outcome, e.Changed, e.Via, e.Host = Committed, true, cmp.Or(r.foundVia, source.via()), source.Host
	if len(r.foundBy) > 0 {
		e.Writer = r.foundBy[0]
	}
	return e
}

// found returns the dialect of content that was found where a version was known, or
// why it is no document; then the dialect is Plain. The caller holds mu.
func (r *Registry) found(c *seen.Content, last *Version, known bool) (Dialect, error) {
	doc, err := r.admit(c, last, seen.Seen{})
	if err != nil && (known || r.moved) {
		doc, err = r.admit(c, nil, seen.Seen{}) // nothing was noted, or of another file
	}
	switch {
	case err != nil:
		return Plain, err
	case doc == nil:
		_, err = r.parseAs(c, Strict)
		return Plain, err
	case len(c.Bytes) == 0 && !known: // lines that have lost their content
		_, err = r.parseAs(c, Strict)
		return Plain, err
	}
	return r.noted(dialectIn(doc)), nil
}

// readLast reads the last record of the registry: the version, as far as it is known,
// nil if that is not the last one; its number; and whether c is its content.
func (r *Registry) readLast(c *seen.Content) (v *Version, seq uint64, same bool) {
	rec, _ := r.readLog()
	if rec.Seq == 0 {
		return nil, r.lastSeq, false
	}
	v = &Version{Seq: rec.Seq, dialect: ParseDialect(rec.Dialect), content: c}
	if rec.Digest == hex.EncodeToString(c.Digest[:]) {
		return v, rec.Seq, true
	}
	if line := FirstLine(c.Bytes, rec.Digest); line != nil {
		v.content = seen.NewContent(line)
	} else if b, err := r.store.storage.Version(r.name, rec.Seq); err == nil {
		v.content = seen.NewContent(b)
	} else {
		v.content = seen.NewContent(nil)
	}
	if r.lastSeq > rec.Seq && v.dialect == Strict {
		v = nil // the record of a later version was lost
	}
	return v, rec.Seq, false
}

// readLog sets lastSeq from the log and from the history, and returns the last record,
// if there is one. Either of the two may be newer than the other after a crash.
func (r *Registry) readLog() (rec Record, ok bool) {
	if line, err := r.store.storage.LastRecord(r.name); err == nil && line != nil {
		ok = json.Unmarshal(line, &rec) == nil
		if !ok {
			rec = Record{}
		}
	}
	r.lastSeq = max(r.lastSeq, rec.Seq)
	if kept, err := r.store.storage.Versions(r.name); err == nil && len(kept) > 0 {
		r.lastSeq = max(r.lastSeq, kept[len(kept)-1])
	}
	return rec, ok
}

// invalidEvent tells that the live file is no document.
func (r *Registry) invalidEvent(bad *Version) *Event {
	return &Event{Name: r.name, Outcome: Rejected, Via: ViaForeign, Seq: bad.Seq, Parent: bad.Parent, Changed: true, Size: bad.Size, Time: bad.Time, Err: r.foreignErr}
}

// stillInvalid returns the event of content that is no document and was none when it was
// recorded, nil if that was told then.
func (r *Registry) stillInvalid(bad, last *Version) *Event {
	if last.dialect == Plain {
		return nil
	}
	e := r.invalidEvent(bad)
	r.record(e, bad)
	return e
}

// recover puts the newest valid version back where the live file is no document; its
// content goes to quarantine. Where no valid version is known, the content stays in
// place, too, and an empty file is blank. The caller holds mu.
func (r *Registry) recover(bad, last *Version) (*Event, error) {
	good := r.newestValid(r.dialectOf(last))
	if good == nil {
		e := r.invalidEvent(bad)
		if len(bad.content.Bytes) == 0 {
			e.Seq, e.Changed = 0, r.head != nil
			r.setBlank(r.stamp, bad.Time)
			r.record(e, nil)
			return e, nil
		}
		if last == nil || last.dialect != Plain {
			e.Copy, _ = r.store.quarantine(e, bad.content.Bytes) // it stays where it is, too
		}
		r.head = bad
		r.record(e, bad)
		return e, nil
	}
	e := &Event{Name: r.name, Outcome: Committed, Via: ViaRecovery, Parent: bad.Parent, Changed: true, Err: r.foreignErr}
	id, err := r.store.quarantine(e, bad.content.Bytes)
	if err != nil {
		r.head = bad // content that can't be kept is not replaced
		return r.invalidEvent(bad), nil
	}
	e.Copy = id
	good.Seq, good.Parent, good.Time = bad.Seq, bad.Parent, r.nextTime()
	stamp, ok, err := r.store.storage.Restore(r.name, r.stamp, good.Seq, good.content.Bytes, good.Digest, good.Time)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrBeaten
	}
	r.head, r.stamp, r.foreignErr = good, stamp, nil
	e.Seq, e.Size, e.Time = good.Seq, good.Size, good.Time
	r.record(e, good)
	return e, nil
}

// newestValid returns the newest valid version that is known, the one in memory
// if there is one, or nil; d is the dialect that they are in. The caller holds mu.
func (r *Registry) newestValid(d Dialect) *Version {
	if h := r.head; h != nil && h.dialect != Plain {
		if _, err := r.parseAs(h.content, d); err == nil {
			return &Version{Digest: h.Digest, Size: h.Size, content: h.content, dialect: h.dialect}
		}
	}
	kept, err := r.store.storage.Versions(r.name)
	if err != nil {
		return nil
	}
	for i := len(kept) - 1; i >= 0; i-- {
		b, err := r.store.storage.Version(r.name, kept[i])
		if err != nil {
			continue
		}
		c := seen.NewContent(b)
		if _, err := r.parseAs(c, d); err == nil {
			return &Version{Digest: c.Digest, Size: int64(len(b)), content: c, dialect: r.noted(d)}
		}
	}
	return nil
}

// Name returns the registry's present name.
func (r *Registry) Name() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.name
}
