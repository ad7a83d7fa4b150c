package fs

// lockQuestion is whether a registry is locked, which is asked without the table's
// mutex.
type lockQuestion struct {
	open     bool // it was asked, and is to be answered
	answered bool
	locked   bool
	written  bool   // it is locked by a descriptor that is open for writing
	device   uint64 // of the file system that the registry is on
	number   uint64 // of the registry
	writers  []int  // processes that have it open for writing
}

// held returns the answer for the registry of a node. Where there is none yet it is false,
// and the question is open: its caller changes nothing, and is called again.
func (q *lockQuestion) held(n *node) bool {
	if !q.answered {
		q.open, q.device, q.number = true, n.fsys.device.Load(), n.number.Load()
		if r := n.all.Load(); r.writing != nil {
			q.writers = r.writing.files.openers()
		}
	}
	return q.locked
}

// heldToRead is held for a node by which nobody writes: a lock is not on it that was taken by
// a descriptor open for writing.
func (q *lockQuestion) heldToRead(n *node) bool {
	return q.held(n) && (!q.written || n.files.writers() > 0)
}

// heldToWrite reports whether a lock was taken by a descriptor that is open for writing. It is
// false where that can't be told.
func (q *lockQuestion) heldToWrite(n *node) bool { return q.held(n) && q.written }

// withLocks calls do with mu held, and once more if it has asked whether a registry is
// locked.
func (t *registryTable) withLocks(do func(*lockQuestion)) {
	var q lockQuestion
	for {
		t.locked(func() { do(&q) })
		if !q.open {
			return
		}
		locked, written := lockOn(q.device, q.number, q.writers)
		q = lockQuestion{answered: true, locked: locked, written: written}
	}
}

func (t *registryTable) locked(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
}
