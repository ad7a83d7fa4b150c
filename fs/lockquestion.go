package fs

// lockQuestion is whether a registry is locked, which is asked without the table's
// mutex.
type lockQuestion struct {
	open     bool // it was asked, and is to be answered
	answered bool
	locked   bool
	device   uint64 // of the file system that the registry is on
	number   uint64 // of the registry
}

// held returns the answer for the registry of a node. Where there is none yet it is false,
// and the question is open: its caller changes nothing, and is called again.
func (q *lockQuestion) held(n *node) bool {
	if !q.answered {
		q.open, q.device, q.number = true, n.fsys.device.Load(), n.number.Load()
	}
	return q.locked
}

// withLocks calls do with mu held, and once more if it has asked whether a registry is
// locked.
func (t *registryTable) withLocks(do func(*lockQuestion)) {
	var q lockQuestion
	for {
		t.locked(func() { do(&q) })
		if !q.open {
			return
		}
		q = lockQuestion{answered: true, locked: isLocked(q.device, q.number)}
	}
}

func (t *registryTable) locked(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
}
