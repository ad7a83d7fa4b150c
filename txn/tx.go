package txn

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"clawfs/txn/seen"
)

// Tx is a transaction: the content that one open-for-write handle of a registry
// stages until it is closed. Its methods may be called concurrently.
type Tx struct {
	at     atomic.Pointer[Registry] // another one once the file has been renamed; set with mu held
	opener Caller
	opened Tick

	made     bool        // it has made the file, which was empty then
	creates  atomic.Bool // there was no version at open; false once it has committed one. Set with Registry.mu held
	outlived atomic.Bool // the file that it opened was removed, or moved to a name that is no registry's. Set with Registry.mu held
	forsaken atomic.Bool // its process has unlinked the file: nothing is committed
	rest     atomic.Pointer[restFile]

	unsaved atomic.Bool   // something is staged that was not committed
	mark    atomic.Uint64 // its name in a journal and in the memory; 0: it has none
	ended   atomic.Bool   // as released

	// attempted is the draft of the last attempt to commit, so that another
	// transaction of the same process can see it while mu is held.
	attempted atomic.Pointer[draft]

	// takenInto is the content that a later transaction of the same process
	// took from this one for its merge base, and so has in it already.
	takenInto atomic.Pointer[seen.Content]

	mu           sync.Mutex // guards the fields below; taken before Registry.mu
	headAtOpen   *Version   // or the version that its process had removed before; nil if there was none
	replaces     *removal   // its process had removed that so
	data         []byte
	shared       bool          // data belongs to a version: copy before writing
	before       []byte        // the content that the staged content was made from
	synced       bool          // staged content was synced though the rest of before is behind it
	dirty        bool          // staged content may differ from that of the last attempt
	known        *seen.Content // the staged bytes before behind, if these are known to be JSON lines; else nil
	lent         int           // length of the part of data that an earlier attempt has, too: copy before changing that
	behind       int           // length of the content at the open, or at the last commit
	anew         int           // length of the bytes that were written from the start on, without a gap, since the open
	rewritten    bool          // not all that was written since is behind that
	merged       bool          // the commit of data has left another head
	older        bool          // data is an older version of the file than the one that was renamed here
	last         *seen.Content // the content of the file when it was renamed here, while at least its beginning is as it was and nothing was committed since; nil: there is none
	readNoted    bool          // a reading of headAtOpen was recorded
	noted        bool          // the fields below are of the first write since the last commit
	writers      []Caller
	seen         seen.Seen       // the views of the writers
	patched      *seen.Candidate // the content at the open, where no process has read it yet; nil: it is among seen, or there was none
	flights      []*Tx           // the writers' other open transactions
	redirected   bool            // a shell's redirection: its descriptor was closed before anything was written
	put          bool            // staged content replaces the head, without a choice of the base
	intent       Intent
	refused      error // result of the last attempt
	overflow     error // not all that was written is there: it was too large
	aborted      *AbortedError
	changed      time.Time // when the staged content was changed last, or a time was set for it
	setTime      time.Time // the modification time that was set since then; zero: none was
	since        Tick      // the open, if the file was empty then; else the first write since the open or the last commit
	openerClosed bool
	copyID       string  // quarantined copy of the refused content
	like         fs.File // the next commit gives the registry its owner, mode, attributes and number; nil: it keeps its own
	released     bool
	epoch        int      // see Staged
	request      uint64   // see SetRequest
	rejoin       []uint64 // the marks of flights that were restored and not found yet
}

// BeginOptions say how a registry is opened for writing.
type BeginOptions struct {
	Truncate  bool    // O_TRUNC: begin with nothing
	Append    bool    // O_APPEND: where there is no version, go on behind the refused content of the same author or its kin
	Create    bool    // O_CREAT: where there is none, make a file; exclusive creations fail from then on
	Exclusive bool    // O_EXCL: it is fs.ErrExist where there is one
	Thread    int     // that opens it; 0: it is not known
	Like      fs.File // an open file that a new registry gets owner, mode and attributes from
}

// Begin opens the registry for writing: it is read first, as by Open, pinned, and
// staged. Every Tx must be given back with Release. Errors: fs.ErrExist, fs.ErrNotExist where there
// is none and none is to be made, or the storage's.
func (s *Store) Begin(name string, c Caller, o BeginOptions) (*Tx, error) {
	if !o.Truncate {
		s.CommitStaged(name)
	}
	r := s.acquire(name)
	t, err := r.beginInPlace(c, o)
	if err != nil {
		s.release(r)
		return nil, err
	}
	return t, nil
}

// beginInPlace is begin while nobody takes the file away, and makes one where there is none
// and one is wanted.
func (r *Registry) beginInPlace(c Caller, o BeginOptions) (t *Tx, err error) {
	r.leaving.Lock()
	defer r.leaving.Unlock()
	t, err = r.begin(c, o, false)
	if o.Create && errors.Is(err, fs.ErrNotExist) {
		if fault := r.exclusively(func() { t, err = r.begin(c, o, true) }); fault != nil {
			err = fault
		}
	}
	return t, err
}

// begin is Begin; only the leader creates.
func (r *Registry) begin(c Caller, o BeginOptions, create bool) (*Tx, error) {
	for p := (patience{store: r.store}); p.next(); {
		r.mu.Lock()
		event, err := r.refresh()
		beaten, made := false, false
		switch {
		case err != nil:
		case o.Create && o.Exclusive && r.exists():
			err = fs.ErrExist
		case !r.exists() && create:
			made, err = r.create(o.Like)
			beaten = !made
		case !r.exists():
			err = fs.ErrNotExist
		case o.Truncate:
			err = r.store.writable(r.name)
		}
		var t *Tx
		if err == nil && !beaten {
			r.seen.PartOfCall(c, o.Thread)
			t = r.newTx(c, o)
			t.made = made
		}
		blank := r.blank != nil && !made
		r.mu.Unlock()
		r.store.observe(event)
		if t != nil && o.Truncate && blank && !create {
			_ = r.touch(c, time.Time{}) // it was empty before
		}
		if t != nil || err != nil {
			return t, err
		}
	}
	return nil, ErrBeaten
}

// newTx begins a transaction on the present head. The caller holds mu.
func (r *Registry) newTx(c Caller, o BeginOptions) *Tx {
	t := &Tx{opener: c, opened: r.store.Next(), headAtOpen: r.head}
	t.at.Store(r)
	t.since = t.opened
	t.creates.Store(r.head == nil)
	r.takeDeletion(t)
	switch {
	case r.head == nil && o.Truncate:
		r.pieces = nil
	case r.head == nil && o.Append:
		t.join(c)
	case r.head == nil:
	case o.Truncate:
		t.dirty = true
		t.unsaved.Store(true)
		t.changed = r.store.cfg.Now()
	default:
		t.data, t.shared = t.headAtOpen.content.Bytes, true
		t.behind = len(t.data)
	}
	if t.shared {
		t.know(t.headAtOpen.content, t.headAtOpen.lines)
	}
	t.rewritten = o.Truncate && r.head != nil
	r.addOpen(t)
	return t
}

// Name returns the registry's present name.
func (t *Tx) Name() string {
	return t.reg().Name()
}

// Creates reports whether the transaction is to make the first version: there was
// none at open. It is false once it has.
func (t *Tx) Creates() bool { return t.creates.Load() }

// reg returns the registry whose file the transaction has open.
func (t *Tx) reg() *Registry { return t.at.Load() }

// Dirty reports whether something is staged that no attempt to commit has seen.
func (t *Tx) Dirty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dirty
}

// Made reports whether it has made the file.
func (t *Tx) Made() bool { return t.made }

// Size returns the length of the staged content in bytes.
func (t *Tx) Size() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.data))
}

// ReadAt reads staged content, as io.ReaderAt does. If that still is the
// registry's content at open, the caller has seen that version.
func (t *Tx) ReadAt(c Caller, p []byte, off int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.data) == 0 {
		t.seeNothing(c)
	}
	if off >= int64(len(t.data)) {
		return 0, io.EOF
	}
	if t.shared && !t.readNoted {
		t.reg().mu.Lock()
		t.noteRead(c)
		t.reg().mu.Unlock()
	}
	n := copy(p, t.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt stages p at off bytes; a gap between the end and off becomes zeros. It
// returns *TooLargeError beyond the size limit of registries and *AbortedError after
// the writer was killed.
func (t *Tx) WriteAt(c Caller, p []byte, off int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rewritten = true
	if off > 0 {
		t.writeBehind(c)
	}
	return t.write(c, p, off)
}

func (t *Tx) write(c Caller, p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if err := t.prepare(c, off, end); err != nil {
		return 0, err
	}
	if off == 0 {
		t.last = nil
	}
	if old := int64(len(t.data)); end > old {
		t.grow(int(end))
		clear(t.data[old:max(off, old)])
	}
	copy(t.data[off:], p)
	if off <= int64(t.anew) {
		t.anew = max(t.anew, int(end))
	}
	return len(p), nil
}

// grow makes data longer; the new bytes are not cleared. A registry that is
// written anew has about the length that it had: once a quarter of that is written,
// there is room for all of it. Until then the room doubles.
func (t *Tx) grow(size int) {
	if size <= cap(t.data) {
		t.data = t.data[:size]
		return
	}
	room := max(size, 2*cap(t.data))
	if t.headAtOpen != nil {
		if like := int(t.headAtOpen.Size) + 4096; like > size && like < 4*max(room, 1<<20) {
			room = like
		}
	}
	t.data = append(t.room(room), t.data...)[:size]
}

// room returns an empty slice with room for staged content.
func (t *Tx) room(bytes int) []byte { return t.reg().store.cfg.Room(bytes) }

// Truncate sets the length of the staged content in bytes and returns the result of
// WriteAt. After content that was too large it begins anew.
func (t *Tx) Truncate(c Caller, size int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if size > 0 {
		t.writeBehind(c)
	}
	if size == int64(len(t.data)) && !t.dirty {
		return t.touch(c, time.Time{})
	}
	if err := t.prepare(c, size, size); err != nil {
		return err
	}
	t.overflow = nil // the bytes that did not fit would have been cut off, or are written anew
	t.rewritten = true
	if size == 0 {
		t.last = nil
	}
	t.resize(size)
	return t.commitSynced(c)
}

// prepare checks that the transaction can take a change of the bytes behind from, up to the
// given size, and notes the writer.
func (t *Tx) prepare(c Caller, from, size int64) error {
	if t.aborted != nil {
		return t.aborted
	}
	if limit := t.reg().store.cfg.MaxSize; size > limit {
		t.overflow = &TooLargeError{Name: t.Name(), Size: size, Limit: limit}
		t.dirty = true
		return t.overflow
	}
	if !t.unsaved.Load() {
		if err := t.reg().writable(); err != nil {
			return err
		}
	}
	t.noteWriter(c)
	if !t.dirty && !t.beganEmpty() {
		t.since = t.reg().store.Next()
	}
	if !t.unsaved.Swap(true) {
		t.before = t.data // not changed from here on
	}
	t.noteTime(time.Time{})
	if t.attempted.Load() != nil {
		t.lent = len(t.data) // the bytes attempted belong to the commit
		t.attempted.Store(nil)
	}
	if t.shared || from < int64(t.lent) {
		t.data = append(t.room(max(len(t.data), int(size))), t.data...)
		t.shared, t.lent = false, 0
	}
	t.dirty = true
	return nil
}

// resize changes the length of data, filling with zeros.
func (t *Tx) resize(size int64) {
	old := len(t.data)
	if int(size) <= old {
		clear(t.data[size:])
		t.data = t.data[:size]
		return
	}
	t.grow(int(size))
	clear(t.data[old:])
}

// noteWriter notes the views of a process at its first write.
func (t *Tx) noteWriter(c Caller) {
	if !t.noted {
		t.noted, t.writers, t.seen, t.flights, t.patched = true, nil, seen.Seen{}, nil, nil
	} else if slices.ContainsFunc(t.writers, func(w Caller) bool { return w.Actor == c.Actor }) {
		return
	}
	s, r := t.reg().store, t.reg()
	r.mu.Lock()
	var opened Tick
	if t.beganEmpty() {
		opened = t.opened
	}
	saw := r.seenOf(Origin{Caller: c, Event: s.Now(), At: s.cfg.Now(), Opened: opened, Redirected: t.redirected})
	if t.shared && !t.readNoted {
		t.patched = &seen.Candidate{Content: t.headAtOpen.content, At: s.Next()}
	}
	flights := r.inFlight(t, c)
	r.mu.Unlock()
	t.writers = append(t.writers, c)
	t.seen = t.seen.And(r.seenBefore(saw))
	t.flights = append(t.flights, flights...)
}

// beganEmpty reports whether all that is staged was written since the open, which
// truncated or created the file.
func (t *Tx) beganEmpty() bool { return !t.shared && t.since == t.opened }

// seeNothing notes that the process has read the file, which is empty: if it is a placeholder,
// and nothing is staged, it has seen that nothing is there. The caller holds mu.
func (t *Tx) seeNothing(c Caller) {
	r := t.reg()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sawNothing(c)
	if !t.readNoted && t.isClean() && t.headAtOpen == nil {
		t.readNoted = true
		r.missed(c, 0, t.since)
	}
}

// noteRead records, once, that the content at open was seen. The caller holds
// mu and Registry.mu.
func (t *Tx) noteRead(c Caller) {
	t.readNoted = true
	t.reg().seen.Read(c, t.headAtOpen.content, t.since, nil)
}
