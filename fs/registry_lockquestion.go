package fs

import (
	"slices"

	"clawfs/fs/process"
)

// lockQuestion is on which of a registry's nodes somebody has a lock. It is asked without
// the table's mutex.
type lockQuestion struct {
	open     bool // it was asked, and is to be answered
	answered bool
	locked   process.Locked

	device, number uint64 // of the registry
	openers        []int  // processes that have it open
}

// on reports whether somebody has a lock on a node. Where there is no answer yet it is
// false, and the question is open: its caller changes nothing, and is called again.
func (q *lockQuestion) on(n *node) bool {
	r := n.all.Load()
	if !q.answered {
		q.open, q.device, q.number = true, n.fsys.device.Load(), n.number.Load()
		q.openers = r.openers(q.number)
	}
	return slices.Contains(q.locked.IDs, n.id.Ino) || q.locked.Unknown && n == r.likelyLocked()
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
		q = lockQuestion{answered: true, locked: process.FindLocks(q.device, q.number, q.openers)}
	}
}

func (t *registryTable) locked(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
}

// openers returns the processes that have opened a registry by a node with a number, each
// once. The caller holds registryTable.mu.
func (r *registryNodes) openers(number uint64) (pids []int) {
	for _, n := range r.nodes {
		if n.number.Load() != number {
			continue
		}
		for _, f := range n.files.all() {
			if !slices.Contains(pids, f.opener.PID) {
				pids = append(pids, f.opener.PID)
			}
		}
	}
	return pids
}

// likelyLocked returns the node on which a lock is whose holder can't be found: programs
// that lock a registry mostly write it. The caller holds registryTable.mu.
func (r *registryNodes) likelyLocked() *node {
	if w := r.writers(); w != nil {
		return w
	}
	return r.current
}

// lockedOpen returns the node on which somebody has a lock, with a reference for the kernel: the
// name leads there, whichever version the node shows. No lock matters as long as nobody has
// another node open than the one that the name leads to anyway. The caller holds
// registryTable.mu.
func (r *registryNodes) lockedOpen(at sizeTime, locks *lockQuestion) *node {
	for _, n := range r.nodes {
		if n.number.Load() != r.number || n == r.current && n.showsAt(at) || !n.files.any() || !locks.on(n) {
			continue
		}
		if n = n.fsys.nodes.acquire(n.id); n != nil {
			n.as.state, r.current = shared, n
			return n
		}
	}
	return nil
}
