package txn

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"runtime/debug"
	"sync"
	"time"

	"clawfs/txn/jsondoc"
)

// stampUnknown is no file's stamp: the next refresh reads the file.
const stampUnknown = "?"

// Registry is one registry file: its head, the queue of commits to it, and what
// each process has seen of it.
type Registry struct {
	store *Store

	users  int  // who has acquired it; guarded by Store.mu
	parked bool // it is in Store.idle; guarded by Store.mu

	mu          sync.Mutex // guards what follows
	name        string
	loaded      bool
	head        *Version // nil: there is no such file
	stamp       string   // state of the live file that head was read from or written as
	lastSeq     uint64   // the highest number that a version ever had
	lastTime    time.Time
	placing     bool // a commit is changing the live file: stamps say nothing now
	views       map[Actor]*actorViews
	descendants map[Actor][]*actorViews // of each process, of those in views
	nextPrune   int                     // number of actors at which to look for dead ones
	viewBytes   int64                   // of the contents that came with views since the oldest were dropped, and before
	keptBytes   int64                   // of the contents that stayed then
	open        map[*Tx]struct{}
	deletions   map[Actor]*deletion // that wait
	removed     *removal            // what was here last, if that was just now
	queue       []*request
	leading     bool
	foreignErr  error // why the live file is not a valid document, if it is not
	tookOver    bool  // what the store before had saved of it
	unkept      bool  // head was committed here and is not in the history
}

// forgettable reports whether nothing would be lost if the registry were read
// anew: no view of it may still become a merge base. A registry that is in use
// just now is not.
func (r *Registry) forgettable() bool {
	if !r.mu.TryLock() {
		return false
	}
	defer r.mu.Unlock()
	if len(r.queue) > 0 || r.leading || len(r.deletions) > 0 || r.removed != nil {
		return false
	}
	r.pruneViews()
	return len(r.views) == 0
}

// refresh makes head the state of the live file, if that has changed behind the
// store or was not read yet, and returns the event to report, if there is one.
// The caller holds mu.
func (r *Registry) refresh() (e *Event, err error) {
	defer func() {
		if recover() != nil { // a fault of the storage's must not leave mu locked
			err = &FaultError{Name: r.name, Stack: string(debug.Stack())}
		}
	}()
	if r.placing {
		return nil, nil
	}
	stamp, err := r.store.storage.Stamp(r.name)
	if err != nil {
		return nil, err
	}
	if r.loaded && stamp == r.stamp {
		return nil, nil
	}
	first := !r.loaded
	e, err = r.reload()
	if first && err == nil && !r.tookOver {
		r.tookOver = true
		r.takeOver()
	}
	return e, err
}

// reload reads the live file and takes over what it finds. The caller holds mu.
func (r *Registry) reload() (*Event, error) {
	b, mtime, stamp, err := r.store.storage.Load(r.name)
	if errors.Is(err, fs.ErrNotExist) {
		return r.adoptAbsence()
	}
	if err != nil {
		return nil, err
	}
	c := newContent(b)
	if r.head != nil && r.head.Digest == c.digest {
		r.stamp, r.lastTime = stamp, mtime
		r.head = r.head.withTime(mtime)
		return nil, nil
	}
	return r.adopt(c, mtime, stamp)
}

func (r *Registry) adoptAbsence() (*Event, error) {
	first, had := !r.loaded, r.head
	if first {
		r.readLastSeq()
	}
	r.loaded, r.head, r.stamp, r.foreignErr = true, nil, "", nil
	if had == nil {
		return nil, nil
	}
	e := &Event{Name: r.name, Outcome: Committed, Via: ViaForeign, Parent: had.Seq, Changed: true, Deleted: true}
	r.record(e, nil)
	return e, nil
}

// adopt makes content found in the backing directory the head. Content that is
// the last one recorded is that version; other content is a foreign commit.
func (r *Registry) adopt(c *content, mtime time.Time, stamp string) (*Event, error) {
	var parent uint64
	known := false
	if r.loaded {
		if r.head != nil {
			parent = r.head.Seq
		}
	} else {
		parent, known = r.readLast(c)
	}
	r.loaded, r.stamp, r.lastTime = true, stamp, mtime
	r.forget()
	v := &Version{Seq: parent, Digest: c.digest, Size: int64(len(c.bytes)), Time: mtime, content: c}
	if !known {
		r.lastSeq++
		v.Seq, v.Parent = r.lastSeq, parent
	}
	_, r.foreignErr = r.parse(c)
	switch {
	case r.foreignErr != nil && known:
		r.head = v
		return r.invalidEvent(v), nil
	case r.foreignErr != nil:
		return r.recover(v)
	}
	r.head = v
	if known || parent == 0 {
		return nil, nil
	}
	e := &Event{Name: r.name, Outcome: Committed, Via: ViaForeign, Seq: v.Seq, Parent: parent, Changed: true, Size: v.Size, Time: v.Time}
	r.record(e, v)
	return e, nil
}

// readLast reads what was recorded of the registry last. It returns the number
// of that version and whether c is its content.
func (r *Registry) readLast(c *content) (seq uint64, same bool) {
	rec := r.readLastSeq()
	return rec.Seq, rec.Seq > 0 && rec.Digest == hex.EncodeToString(c.digest[:])
}

// readLastSeq sets lastSeq from the log and from the history, either of which
// may be newer than the other after a crash, and returns the last record.
func (r *Registry) readLastSeq() record {
	var rec record
	if line, err := r.store.storage.LastRecord(r.name); err == nil && line != nil {
		if json.Unmarshal(line, &rec) != nil {
			rec = record{}
		}
	}
	r.lastSeq = max(r.lastSeq, rec.Seq)
	if kept, err := r.store.storage.Versions(r.name); err == nil && len(kept) > 0 {
		r.lastSeq = max(r.lastSeq, kept[len(kept)-1])
	}
	if rec.Seq == 0 {
		rec.Seq = r.lastSeq
	}
	return rec
}

// invalidEvent tells that the live file is no document.
func (r *Registry) invalidEvent(bad *Version) *Event {
	return &Event{Name: r.name, Outcome: Rejected, Via: ViaForeign, Seq: bad.Seq, Parent: bad.Parent, Changed: true, Size: bad.Size, Time: bad.Time, Err: r.foreignErr}
}

// recover puts the newest valid version back where the live file holds
// something else than a document; what it holds goes to quarantine. Where no
// valid version is known the content stays as it is besides. The caller holds mu.
func (r *Registry) recover(bad *Version) (*Event, error) {
	good := r.newestValid()
	if good == nil {
		e := r.invalidEvent(bad)
		if len(bad.content.bytes) > 0 {
			e.Copy, _ = r.store.quarantine(e, bad.content.bytes) // it stays where it is, too
		}
		r.head = bad
		r.record(e, bad)
		return e, nil
	}
	e := &Event{Name: r.name, Outcome: Committed, Via: ViaRecovery, Parent: bad.Parent, Changed: true, Err: r.foreignErr}
	id, err := r.store.quarantine(e, bad.content.bytes)
	if err != nil {
		r.head = bad // what can't be kept is not replaced
		return r.invalidEvent(bad), nil
	}
	e.Copy = id
	good.Seq, good.Parent, good.Time = bad.Seq, bad.Parent, r.nextTime()
	stamp, ok, err := r.store.storage.Commit(r.name, r.stamp, good.Seq, 0, good.content.bytes, good.Digest, good.Time, nil)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrBeaten
	}
	r.head, r.stamp, r.lastTime, r.foreignErr = good, stamp, good.Time, nil
	e.Seq, e.Size, e.Time = good.Seq, good.Size, good.Time
	r.record(e, good)
	return e, nil
}

// newestValid returns the newest valid version that is known, the one in memory
// if there is one, or nil. The caller holds mu.
func (r *Registry) newestValid() *Version {
	if r.head != nil {
		if _, err := r.parse(r.head.content); err == nil {
			return &Version{Digest: r.head.Digest, Size: r.head.Size, content: r.head.content}
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
		c := newContent(b)
		if _, err := r.parse(c); err == nil {
			return &Version{Digest: c.digest, Size: int64(len(b)), content: c}
		}
	}
	return nil
}

// parse returns the tree of c in the registry's grammar. The error is an
// *InvalidError or a *TooLargeError.
func (r *Registry) parse(c *content) (*jsondoc.Doc, error) {
	return r.store.parse(r.name, c)
}

func (s *Store) parse(name string, c *content) (*jsondoc.Doc, error) {
	if size := int64(len(c.bytes)); size > s.cfg.MaxSize {
		return nil, &TooLargeError{Name: name, Size: size, Limit: s.cfg.MaxSize}
	}
	d, err := s.docs.parse(c, s.cfg.Grammar(name), s.limits())
	var syntax *jsondoc.SyntaxError
	if errors.As(err, &syntax) {
		return nil, &InvalidError{Name: name, Cause: syntax}
	}
	return d, err
}

// nextTime returns the modification time of the next version: now, but later
// than every version before, by more than the quarter of a microsecond that
// JavaScript can't tell in times of our century.
func (r *Registry) nextTime() time.Time {
	now := r.store.cfg.Now()
	if least := r.lastTime.Add(time.Microsecond); now.Before(least) {
		return least
	}
	return now
}
