package txntest

import (
	"crypto/sha256"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// Commit implements txn.Storage.
func (m *Memory) Commit(name, stamp string, seq, oldSeq uint64, content []byte, digest [32]byte, mtime time.Time, _ fs.File) (string, bool, error) {
	if err := checkName("commit", name); err != nil {
		return "", false, err
	}
	defer m.changing(name)()
	m.mu.Lock()
	m.book.offered(name, seq, oldSeq, content, digest)
	isDir, beaten := m.now.isDir(name), m.now.files[name].stamp() != stamp
	m.mu.Unlock()
	switch {
	case isDir:
		return "", false, pathError("commit", name, fs.ErrInvalid)
	case beaten:
		return "", false, nil
	}
	c := &commit{m: m, name: name, stamp: stamp, seq: seq, oldSeq: oldSeq, new: file{content: slices.Clone(content), mtime: mtime}}
	ok, err := c.run()
	if !ok {
		return "", false, err
	}
	return c.new.stamp(), true, err
}

// commit is one Commit under way.
type commit struct {
	m           *Memory
	name, stamp string
	seq, oldSeq uint64
	new         file
}

func (c *commit) run() (bool, error) {
	if err := c.m.reach("commit", c.name, "stage"); err != nil {
		return false, err
	}
	c.put("stage", effect{apply: func(d *disk) { d.staged[c.name] = staged{file: c.new, seq: c.seq} }})
	err := c.m.reach("commit", c.name, "sync file")
	if err == nil {
		c.syncUnlessRelaxed()
		err = c.m.reach("commit", c.name, "exchange")
	}
	if err != nil || !c.exchange() {
		c.put("discard", effect{apply: func(d *disk) { delete(d.staged, c.name) }})
		return false, err
	}
	if err = c.m.reach("commit", c.name, "sync directory"); err != nil {
		err = &UncertainError{err}
	} else {
		c.syncUnlessRelaxed()
	}
	_ = c.m.reach("commit", c.name, "keep") // a failure here is made good when the history is looked at next
	c.put("keep", effect{apply: func(d *disk) { d.conclude(c.name, c.oldSeq) }})
	c.m.prune("commit", c.name)
	return true, err
}

func (c *commit) put(what string, e effect) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	e.step, e.chain = Step{"commit", c.name, what}, c.name
	c.m.put(e)
}

func (c *commit) syncUnlessRelaxed() {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if !c.m.Relaxed {
		c.m.sync(c.name)
	}
}

// exchange makes the new file live if the live one is still that of the stamp.
func (c *commit) exchange() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.m.now.files[c.name].stamp() != c.stamp {
		return false
	}
	c.new.state = c.m.newState()
	swap := func(f file) func(*disk) {
		return func(d *disk) {
			old, replaced := d.files[c.name]
			d.files[c.name] = f
			delete(d.staged, c.name)
			if replaced {
				d.staged[c.name] = staged{file: old, seq: c.oldSeq, exchanged: true}
			}
		}
	}
	e := effect{step: Step{"commit", c.name, "exchange"}, chain: c.name, apply: swap(c.new)}
	if len(c.m.now.files[c.name].content) > 0 && c.m.Relaxed { // new content is synced all the same
		lost := c.new
		lost.content = lost.content[:len(lost.content)/2]
		c.m.book.strangers[sha256.Sum256(lost.content)] = true // a store finds it, and has not written it
		e.torn = swap(lost)
	}
	c.m.put(e)
	c.m.book.committed(c.name, c.seq)
	return true
}

// UncertainError says that a commit is in place but perhaps not durable.
type UncertainError struct{ Err error }

// Error implements error.
func (e *UncertainError) Error() string { return e.Err.Error() + " (done, but perhaps not durable)" }

// Unwrap returns the error of the sync.
func (e *UncertainError) Unwrap() error { return e.Err }

// Uncertain returns true.
func (e *UncertainError) Uncertain() bool { return true }

// prune drops the oldest versions beyond the limits, but never the newest.
func (m *Memory) prune(call, name string) {
	m.mu.Lock()
	kept := maps.Clone(m.now.hist[name].versions)
	m.mu.Unlock()
	seqs := slices.Sorted(maps.Keys(kept))
	n, size := len(seqs), int64(0)
	for _, b := range kept {
		size += int64(len(b))
	}
	for i := 0; i < len(seqs)-1 && (n > m.KeepVersions || size > m.KeepBytes); i++ {
		n--
		size -= int64(len(kept[seqs[i]]))
		if m.Pinned(name, seqs[i]) {
			continue
		}
		m.mu.Lock()
		m.put(effect{Step{call, name, "prune"}, name, func(d *disk) { delete(d.hist[name].versions, seqs[i]) }, nil})
		m.mu.Unlock()
	}
}

// Linked implements txn.Storage.
func (m *Memory) Linked(string) bool { return false }

// SameFile implements txn.Storage: no file has two names.
func (m *Memory) SameFile(string, string) bool { return false }

// Restore implements txn.Storage. No file has other names here.
func (m *Memory) Restore(name, stamp string, seq uint64, content []byte, digest [32]byte, mtime time.Time) (string, bool, error) {
	return m.Commit(name, stamp, seq, 0, content, digest, mtime, nil)
}

// Create implements txn.Storage.
func (m *Memory) Create(name string, _ fs.File) (string, bool, error) {
	if err := checkName("create", name); err != nil {
		return "", false, err
	}
	defer m.changing(name)()
	if err := m.reach("create", name, "sync log"); err != nil {
		return "", false, err
	}
	m.mu.Lock()
	m.sync("log of " + name)
	m.mu.Unlock()
	if err := m.reach("create", name, "create"); err != nil {
		return "", false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch _, ok := m.now.files[name]; {
	case ok, m.now.isDir(name):
		return "", false, nil
	}
	f := file{mtime: time.Unix(0, int64(m.states)), state: m.newState()}
	m.put(effect{Step{"create", name, "create"}, name, func(d *disk) { d.files[name] = f }, nil})
	return f.stamp(), true, nil
}

// SetTime implements txn.Storage.
func (m *Memory) SetTime(name, stamp string, mtime time.Time) (string, bool, error) {
	if err := checkName("set time", name); err != nil {
		return "", false, err
	}
	defer m.changing(name)()
	if err := m.reach("set time", name, "set"); err != nil {
		return "", false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.now.files[name]
	if !ok || f.stamp() != stamp {
		return "", false, nil
	}
	f.mtime, f.state = mtime, m.newState()
	m.put(effect{Step{"set time", name, "set"}, name, func(d *disk) { d.files[name] = f }, nil})
	return f.stamp(), true, nil
}

// Remove implements txn.Storage.
func (m *Memory) Remove(name, stamp string, oldSeq uint64) (bool, error) {
	if err := checkName("remove", name); err != nil {
		return false, err
	}
	defer m.changing(name)()
	if err := m.reach("remove", name, "take away"); err != nil {
		return false, err
	}
	m.mu.Lock()
	if f, ok := m.now.files[name]; !ok || f.stamp() != stamp {
		m.mu.Unlock()
		return false, nil
	}
	m.put(effect{Step{"remove", name, "take away"}, name, func(d *disk) {
		d.staged[name] = staged{file: d.files[name], seq: oldSeq, exchanged: true}
		delete(d.files, name)
	}, nil})
	m.mu.Unlock()
	err := m.reach("remove", name, "sync directory")
	m.mu.Lock()
	if err != nil {
		err = &UncertainError{err}
	} else if !m.Relaxed {
		m.sync(name)
	}
	m.put(effect{Step{"remove", name, "keep"}, name, func(d *disk) { d.conclude(name, oldSeq) }, nil})
	m.mu.Unlock()
	m.prune("remove", name)
	return true, err
}
