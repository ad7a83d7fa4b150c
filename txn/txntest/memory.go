package txntest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Step is one thing that a storage does in the course of a call.
type Step struct {
	Call string // "commit"
	Name string // of the registry
	What string // "exchange"
}

// String returns all three.
func (s Step) String() string { return s.Call + " " + s.Name + ": " + s.What }

// Memory is a txn.Storage. Its fields must be set before it is used.
type Memory struct {
	KeepVersions int   // versions kept of a registry; 64
	KeepBytes    int64 // bytes of versions kept of a registry; 64 MiB
	Pinned       func(name string, seq uint64) bool

	// Relaxed leaves commits unsynced until Sync is called.
	Relaxed bool

	// Hook is called before each step, while no lock is held. An error that it
	// returns is the step's.
	Hook func(Step) error

	mu      sync.Mutex // guards the fields below
	now     *disk      // as calls see it
	synced  *disk      // as it is after a power failure at the worst
	pending []effect   // those in now but not in synced, in the order of the calls
	states  uint64     // how many states files have had
	ids     int        // how many copies were put into quarantine
	book    book
	views   []byte // the lines that AppendViews got
	notes   map[string][]noted
	whole   bool // NotesAreWhole was called, and no note was lost since
}

// effect is a change of the disk that a power failure may undo, as long as it
// is pending. Those of one chain are undone from the last one.
type effect struct {
	step  Step
	chain string
	apply func(*disk)
	torn  func(*disk) // applied instead where the content, unsynced, was lost; nil if that can't be
}

// NewMemory returns an empty storage that syncs every commit.
func NewMemory() *Memory { return newMemory(newDisk()) }

func newMemory(d *disk) *Memory {
	return &Memory{
		KeepVersions: 64, KeepBytes: 64 << 20,
		Pinned: func(string, uint64) bool { return false },
		Hook:   func(Step) error { return nil },
		now:    d, synced: d.clone(), book: newBook(),
	}
}

// reach runs the hook before a step.
func (m *Memory) reach(call, name, what string) error {
	if err := m.Hook(Step{call, name, what}); err != nil {
		return pathError(call, name, err)
	}
	return nil
}

// put makes a change. The caller holds mu.
func (m *Memory) put(e effect) {
	e.apply(m.now)
	m.pending = append(m.pending, e)
}

// sync makes the pending effects of a chain durable. The caller holds mu.
func (m *Memory) sync(chain string) {
	rest := m.pending[:0]
	for _, e := range m.pending {
		if e.chain == chain {
			e.apply(m.synced)
		} else {
			rest = append(rest, e)
		}
	}
	clear(m.pending[len(rest):])
	m.pending = rest
}

// Sync makes everything durable.
func (m *Memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncAll()
	return nil
}

func (m *Memory) syncAll() { m.pending, m.synced = nil, m.now.clone() }

func (m *Memory) newState() uint64 {
	m.states++
	return m.states
}

// changing notes that a call changes a registry until the returned function is
// called.
func (m *Memory) changing(name string) func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.book.enter(name)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.book.leave(name)
	}
}

// Load implements txn.Storage.
func (m *Memory) Load(name string) ([]byte, time.Time, string, error) {
	if err := checkName("load", name); err != nil {
		return nil, time.Time{}, "", err
	}
	if err := m.reach("load", name, "read"); err != nil {
		return nil, time.Time{}, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.now.files[name]
	switch {
	case ok:
		return slices.Clone(f.content), f.mtime, f.stamp(), nil
	case m.now.isDir(name):
		return nil, time.Time{}, "", pathError("load", name, fs.ErrInvalid)
	}
	return nil, time.Time{}, "", pathError("load", name, fs.ErrNotExist)
}

// Stamp implements txn.Storage.
func (m *Memory) Stamp(name string) (string, error) {
	if err := checkName("stat", name); err != nil {
		return "", err
	}
	if err := m.reach("stat", name, "look"); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now.files[name].stamp(), nil
}

// Rename implements txn.Storage. It is durable at once, with all that was done
// before.
func (m *Memory) Rename(from, to string, noreplace bool) error {
	for _, name := range [...]string{from, to} {
		if err := checkName("rename", name); err != nil {
			return err
		}
	}
	if err := m.reach("rename", from, "rename"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	source, isFile := m.now.files[from]
	target, replaced := m.now.files[to]
	switch {
	case !isFile && !m.now.isDir(from), !m.now.isDir(parent(to)):
		return pathError("rename", from, fs.ErrNotExist)
	case noreplace && (replaced || m.now.isDir(to)):
		return pathError("rename", from, fs.ErrExist)
	case isFile && m.now.isDir(to):
		return pathError("rename", from, syscall.EISDIR)
	case !isFile && replaced:
		return pathError("rename", from, syscall.ENOTDIR)
	case !isFile && hasBelow(m.now.files, to):
		return pathError("rename", from, syscall.ENOTEMPTY)
	case from == to:
		return nil
	}
	if replaced {
		m.quarantine(to, target.content, []byte(`{"outcome":"replaced"}`))
	}
	m.now.rename(from, to)
	if isFile {
		source.state = m.newState()
		m.now.files[to] = source
	}
	swapNames(m.book.last, from, to)
	m.syncAll()
	return nil
}

// Exchange implements txn.Storage.
func (m *Memory) Exchange(one, other string) error {
	for _, name := range [...]string{one, other} {
		if err := checkName("exchange", name); err != nil {
			return err
		}
	}
	if err := m.reach("exchange", one, "exchange"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range [...]string{one, other} {
		if _, isFile := m.now.files[name]; !isFile && !m.now.isDir(name) {
			return pathError("exchange", one, fs.ErrNotExist)
		}
	}
	if one != other && (below(one, other) || below(other, one)) {
		return pathError("exchange", one, syscall.EINVAL)
	}
	m.now.exchange(one, other)
	exchangeNames(m.book.last, one, other)
	m.syncAll()
	return nil
}

// LastRecord implements txn.Storage.
func (m *Memory) LastRecord(name string) ([]byte, error) {
	log, err := m.Log(name)
	if err != nil || len(log) == 0 {
		return nil, err
	}
	return log[len(log)-1], nil
}

// Log returns all lines recorded for a registry, oldest first.
func (m *Memory) Log(name string) ([][]byte, error) {
	if err := checkName("read log", name); err != nil {
		return nil, err
	}
	if err := m.reach("read log", name, "read"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.now.hist[name].log), nil
}

// unsyncedLines is how many lines of a log a power failure may lose. Older ones
// have been written by the kernel meanwhile.
const unsyncedLines = 3

// Record implements txn.Storage.
func (m *Memory) Record(name string, line []byte) error {
	if err := checkName("record", name); err != nil {
		return err
	}
	if err := m.reach("record", name, "append"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.book.object("record", name, line)
	line = slices.Clone(line)
	chain := "log of " + name
	m.put(effect{Step{"record", name, "append"}, chain, func(d *disk) { d.record(name, line) }, nil})
	n := 0
	for i := len(m.pending) - 1; i >= 0; i-- {
		if m.pending[i].chain != chain {
			continue
		}
		if n++; n > unsyncedLines {
			m.pending[i].apply(m.synced)
			m.pending = slices.Delete(m.pending, i, i+1)
		}
	}
	return nil
}

// Archive implements txn.Storage.
func (m *Memory) Archive(name string, seq uint64, content []byte, digest [32]byte) error {
	if err := checkName("archive", name); err != nil {
		return err
	}
	defer m.changing(name)()
	m.mu.Lock()
	m.book.offered(name, seq, 0, content, digest)
	m.mu.Unlock()
	for _, what := range [...]string{"write copy", "sync copy"} {
		if err := m.reach("archive", name, what); err != nil {
			return err
		}
	}
	m.mu.Lock()
	content = slices.Clone(content)
	m.put(effect{Step{"archive", name, "keep"}, name, func(d *disk) { d.keep(name, seq, content) }, nil})
	if !m.Relaxed {
		m.sync(name)
	}
	m.mu.Unlock()
	m.prune("archive", name)
	return nil
}

// Version implements txn.Storage.
func (m *Memory) Version(name string, seq uint64) ([]byte, error) {
	if err := checkName("read version", name); err != nil {
		return nil, err
	}
	if err := m.reach("read version", name, "read"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.now.hist[name].versions[seq]
	if !ok {
		return nil, pathError("read version", name, fs.ErrNotExist)
	}
	return slices.Clone(b), nil
}

// Versions implements txn.Storage.
func (m *Memory) Versions(name string) ([]uint64, error) {
	if err := checkName("list versions", name); err != nil {
		return nil, err
	}
	if err := m.reach("list versions", name, "list"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.now.hist[name].versions)), nil
}

// Quarantine implements txn.Storage.
func (m *Memory) Quarantine(name string, content, meta []byte) (string, error) {
	if err := checkName("quarantine", name); err != nil {
		return "", err
	}
	for _, what := range [...]string{"write copy", "sync copy"} {
		if err := m.reach("quarantine", name, what); err != nil {
			return "", err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.book.object("quarantine's meta", name, meta)
	return m.quarantine(name, slices.Clone(content), slices.Clone(meta)), nil
}

func (m *Memory) quarantine(name string, content, meta []byte) string {
	m.ids++
	id := fmt.Sprintf("copy-%06d", m.ids)
	for _, d := range [...]*disk{m.now, m.synced} {
		d.copies[id] = Copy{name, content, meta}
	}
	return id
}

// IsKept implements txn.Storage.
func (m *Memory) IsKept(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.now.copies[id]
	return ok
}

// Discard implements txn.Storage.
func (m *Memory) Discard(id string) error {
	if err := m.reach("discard", id, "unlink"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.now.copies[id]; !ok {
		return pathError("discard", id, fs.ErrNotExist)
	}
	m.put(effect{Step{"discard", id, "unlink"}, "copy " + id, func(d *disk) { delete(d.copies, id) }, nil})
	return nil
}

// Quarantined returns how many copies are in quarantine.
func (m *Memory) Quarantined() int { return len(m.Copies()) }

// Copies returns the copies in quarantine by their ids.
func (m *Memory) Copies() map[string]Copy {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.now.copies)
}

// Foreign writes a live file behind the storage's back, durably. A nil content
// removes it.
func (m *Memory) Foreign(name string, content []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sync(name)
	f := file{content: slices.Clone(content), mtime: time.Unix(0, int64(m.states)), state: m.newState()}
	for _, d := range [...]*disk{m.now, m.synced} {
		if content == nil {
			delete(d.files, name)
		} else {
			d.files[name] = f
		}
	}
	m.book.strangers[sha256.Sum256(content)] = true
}

// Mkdir makes a directory. Those above a file need not be made.
func (m *Memory) Mkdir(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range [...]*disk{m.now, m.synced} {
		d.dirs[name] = true
	}
}
