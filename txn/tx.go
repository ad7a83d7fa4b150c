package txn

import (
	"io"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
)

// Tx is a transaction: what one open-for-write handle of a registry stages
// until it is closed. Its methods may be called concurrently.
type Tx struct {
	reg    *Registry
	opener Caller
	opened uint64 // place of the open in the store-wide order of events

	creates  bool        // its commit will make the file; guarded by Registry.mu
	forsaken atomic.Bool // its process has unlinked the file: nothing is committed

	// attempted is what the last attempt was to commit, so that another
	// transaction of the same process can see it while mu is held.
	attempted atomic.Pointer[staged]

	// absorbed is what a later transaction of the same process took from this
	// one for its merge base, and so has in it already.
	absorbed atomic.Pointer[content]

	mu           sync.Mutex // guards what follows; taken before Registry.mu
	base         *Version   // the head at open, nil if there was none
	data         []byte
	shared       bool    // data belongs to a version: copy before writing
	dirty        bool    // staged content may differ from that of the last attempt
	like         fs.File // gives owner, mode and attributes to the file that the commit makes
	seen         bool    // a reading of base was recorded
	noted        bool    // candidates are those of the first write since the last commit
	writers      []Caller
	candidates   []candidate
	by           author
	refused      error // result of the last attempt
	overflow     error // what was written is not all there: it was too large
	aborted      *AbortedError
	since        uint64 // place of the open, or of the last commit, in the store-wide order of events
	openerClosed bool
	copyID       string // quarantined copy of the refused content
	released     bool
}

// BeginOptions say how a registry is opened for writing.
type BeginOptions struct {
	Truncate bool    // O_TRUNC: begin with nothing
	Like     fs.File // an open file that a registry which is not there yet gets owner, mode and attributes from
}

// Begin opens the registry for writing: it is read first, pinned, and staged.
// Where there is none the transaction will create it. Every Tx must be given
// back with Release. The error is the storage's.
func (s *Store) Begin(name string, c Caller, o BeginOptions) (*Tx, error) {
	r := s.acquire(name)
	r.mu.Lock()
	event, err := r.refresh()
	if err != nil {
		r.mu.Unlock()
		s.release(r)
		return nil, err
	}
	t := &Tx{reg: r, opener: c, opened: s.next(), base: r.head}
	t.since = t.opened
	t.creates = r.head == nil
	r.takeDeletion(t)
	if t.creates {
		t.like = o.Like
	}
	switch {
	case o.Truncate || t.creates:
		t.dirty = true
	default:
		t.data, t.shared = t.base.content.bytes, true
	}
	r.addOpen(t)
	r.mu.Unlock()
	s.observe(event)
	return t, nil
}

// Name returns the registry's present name.
func (t *Tx) Name() string {
	t.reg.mu.Lock()
	defer t.reg.mu.Unlock()
	return t.reg.name
}

// Creates reports whether the transaction is to make the registry: there was
// none at open, or its process had removed it. It is false once it has.
func (t *Tx) Creates() bool {
	t.reg.mu.Lock()
	defer t.reg.mu.Unlock()
	return t.creates
}

// Dirty reports whether something is staged that no attempt to commit has seen.
func (t *Tx) Dirty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dirty
}

// Opener returns the process that began the transaction.
func (t *Tx) Opener() Caller { return t.opener }

// Size returns the length of the staged content in bytes.
func (t *Tx) Size() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.data))
}

// ReadAt reads staged content, as io.ReaderAt does. Where that still is what
// the registry held at open, the caller has seen that version.
func (t *Tx) ReadAt(c Caller, p []byte, off int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if off >= int64(len(t.data)) {
		return 0, io.EOF
	}
	if t.shared && !t.seen {
		t.reg.mu.Lock()
		t.noteRead(c)
		t.reg.mu.Unlock()
	}
	n := copy(p, t.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt stages p at off bytes; what lies between the end and off becomes
// zeros. It returns *TooLargeError beyond the size limit of registries and
// *AbortedError after the writer was killed.
func (t *Tx) WriteAt(c Caller, p []byte, off int64) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.write(c, p, off)
}

// Append stages p behind the staged content and returns what WriteAt does.
func (t *Tx) Append(c Caller, p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.write(c, p, int64(len(t.data)))
}

func (t *Tx) write(c Caller, p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if err := t.prepare(c, end); err != nil {
		return 0, err
	}
	if old := int64(len(t.data)); end > old {
		t.grow(int(end))
		clear(t.data[old:max(off, old)])
	}
	copy(t.data[off:], p)
	return len(p), nil
}

// grow makes data longer; what comes behind is not cleared. A registry that is
// written anew has about the length that it had: once a quarter of that is written,
// there is room for all of it. Until then the room doubles.
func (t *Tx) grow(size int) {
	if size <= cap(t.data) {
		t.data = t.data[:size]
		return
	}
	room := max(size, 2*cap(t.data))
	if t.base != nil {
		if like := int(t.base.Size) + 4096; like > size && like < 4*max(room, 1<<20) {
			room = like
		}
	}
	t.data = append(make([]byte, 0, room), t.data...)[:size]
}

// Truncate sets the length of the staged content in bytes and returns what
// WriteAt does. After content that was too large it begins anew.
func (t *Tx) Truncate(c Caller, size int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if size == int64(len(t.data)) && !t.dirty {
		return nil
	}
	if err := t.prepare(c, size); err != nil {
		return err
	}
	t.overflow = nil // what did not fit would have been cut off, or is said anew
	t.resize(size)
	return nil
}

// prepare checks that the transaction can take a change up to the given size
// and notes who makes it.
func (t *Tx) prepare(c Caller, size int64) error {
	if t.aborted != nil {
		return t.aborted
	}
	if limit := t.reg.store.cfg.MaxSize; size > limit {
		t.overflow = &TooLargeError{Name: t.Name(), Size: size, Limit: limit}
		t.dirty = true
		return t.overflow
	}
	t.noteWriter(c)
	if t.shared {
		t.data, t.shared = slices.Clone(t.data), false
	}
	if t.attempted.Load() != nil {
		t.data = slices.Clone(t.data) // the bytes attempted belong to the commit
		t.attempted.Store(nil)
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

// noteWriter takes down what a process could have seen when it first wrote.
// Content that was not truncated holds what was read at open, whoever read it.
func (t *Tx) noteWriter(c Caller) {
	if !t.noted {
		t.noted, t.writers, t.candidates, t.by = true, nil, nil, author{}
	} else if slices.ContainsFunc(t.writers, func(w Caller) bool { return w.Actor == c.Actor }) {
		return
	}
	s := t.reg.store
	r := t.reg
	r.mu.Lock()
	defer r.mu.Unlock()
	cands, by := r.candidatesOf(Origin{Caller: c, Event: s.Event(), At: s.cfg.Now(), Opened: t.since})
	if t.shared && !t.seen {
		// It may be all written anew from what a relative had read, or a part of it.
		t.noteRead(c)
		cands = append(cands, candidate{content: t.base.content, order: s.next()})
	}
	t.writers = append(t.writers, c)
	t.candidates = append(t.candidates, cands...)
	t.candidates = append(t.candidates, r.inFlight(t, c)...)
	t.by = t.by.and(by)
}

// noteRead records, once, that the content at open was seen. The caller holds
// mu and Registry.mu.
func (t *Tx) noteRead(c Caller) {
	t.seen = true
	t.reg.noteRead(c, t.base)
}

// inFlight returns the transactions that the same process opened before t and
// that have not ended: what they hold, the process knows.
func (r *Registry) inFlight(t *Tx, c Caller) []candidate {
	var out []candidate
	for o := range r.open {
		if o != t && o.opened < t.opened && o.opener.Actor == c.Actor && c.Known() {
			out = append(out, candidate{tx: o, write: true, order: o.opened})
		}
	}
	return out
}

// staged is content of a transaction together with what is known of how it was
// made. It is immutable, but for committed.
type staged struct {
	content    *content
	candidates []candidate
	by         author
	open       *Version // the head at open, the base where nothing was seen
	committed  atomic.Bool
}

// inHand returns what the process has staged in t, nil if that can't be told
// just now or is nothing.
func (t *Tx) inHand() *staged {
	if s := t.attempted.Load(); s != nil {
		return s
	}
	if !t.mu.TryLock() {
		return nil
	}
	defer t.mu.Unlock()
	if !t.dirty || len(t.data) == 0 {
		return nil
	}
	return t.stage(newContent(slices.Clone(t.data)))
}

// stage returns content of the transaction with what the transaction knows of
// it. The caller holds mu.
func (t *Tx) stage(c *content) *staged {
	return &staged{content: c, candidates: slices.Clone(t.candidates), by: t.by, open: t.base}
}
