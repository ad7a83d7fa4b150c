package fs

import (
	"context"
	"slices"

	"clawfs/txn"
)

// An open decides whether the inode that its look-up has found is fit for it: a handle
// reads one version by an inode, and a writer has an inode that no reader has.

// openToRead adds a file to its node, with its snapshot or the one that was pinned
// when the name was looked up; false: the thread must look again.
func (t *registryTable) openToRead(f *registryFile) (ok bool) {
	n := f.node
	var unused *txn.Snapshot
	first := true
	t.withLocks(func(locks *lockQuestion) {
		ok = true
		if r := n.all.Load(); r != nil {
			if first {
				r.looks.Add(1)
				first = false
			}
			if n.as.pinned != nil {
				unused, n.as.pinned = f.snapshot.Swap(n.as.pinned), nil
			}
			s := f.snapshot.Load()
			if ok = s != nil; !ok {
				return // another one has taken it
			}
			n.rest()
			fits := n.number.Load() == r.number && n.as.shows.isOf(s.Version()) && n.files.show(s.Version())
			var next nodeState
			next, ok = n.as.state.openedToRead(fits, func() bool { return t.must(n, f.thread, locks) })
			if locks.open {
				return
			}
			n.as.state = next
			t.relooked(n, f.thread, ok, false)
		}
		if ok {
			n.files.add(f)
		}
	})
	if unused != nil {
		unused.Release()
	}
	return ok
}

// beginToWrite makes a node one for writing, for a thread; false: the thread must look
// again. Else endToWrite must follow.
func (t *registryTable) beginToWrite(n *node, thread int) (ok bool) {
	if n.all.Load() == nil {
		return true
	}
	t.withLocks(func(locks *lockQuestion) {
		n.rest()
		var next nodeState
		r := n.all.Load()
		next, ok = n.as.state.openedToWrite(r.isWriters(n), r.isFree(n), func() bool { return t.must(n, thread, locks) })
		if locks.open {
			return
		}
		if n.as.state = next; ok && r.isWriters(n) {
			r.write(n)
		}
		t.relooked(n, thread, ok, true)
		if ok {
			n.as.opens++
		}
	})
	return ok
}

// writtenBy returns the files by which somebody writes the registry of a node.
func (t *registryTable) writtenBy(n *node) []*registryFile {
	nodes := []*node{n}
	if n.all.Load() != nil {
		t.mu.Lock()
		nodes = slices.Clone(n.all.Load().nodes)
		t.mu.Unlock()
	}
	var files []*registryFile
	for _, n := range nodes {
		for _, f := range n.files.all() {
			if f.tx != nil {
				files = append(files, f)
			}
		}
	}
	return files
}

// rest notes that nobody has a node open that is about to be opened. A name may lead to
// another one by now, on which somebody has a lock. The caller holds registryTable.mu.
func (n *node) rest() {
	if n.as.opens == 0 && !n.files.any() {
		n.as.state = n.as.state.rests()
	}
}

// isFree reports whether a node can be that of writers: nobody reads a version by it, and
// nobody has another one open for writing. The caller holds registryTable.mu.
func (r *registryNodes) isFree(n *node) bool {
	return n.number.Load() == r.number && r.isWriters(n) && !n.files.readVersion()
}

// isWriters reports whether nobody has another node open for writing. The caller holds
// registryTable.mu.
func (r *registryNodes) isWriters(n *node) bool {
	w := r.writers()
	return w == nil || w == n
}

// write makes a node the one that writers get, unless it stands for a file that had the
// name before. The caller holds registryTable.mu.
func (r *registryNodes) write(n *node) {
	if n.number.Load() != r.number {
		return
	}
	if old := r.writing; old != nil && old != n {
		old.as.state = old.as.state.replacedAsWriting()
	}
	r.writing = n
}

// writers returns the node by which somebody has the registry open for writing, the one
// that writers get first; nil if nobody has. The caller holds registryTable.mu.
func (r *registryNodes) writers() *node {
	if r.writing != nil && r.writing.isWritten() {
		return r.writing
	}
	for _, n := range r.nodes {
		if n.number.Load() == r.number && n.isWritten() {
			return n
		}
	}
	return nil
}

// isWritten reports whether somebody has the node open for writing, or is about to. The
// caller holds registryTable.mu.
func (n *node) isWritten() bool { return n.as.opens > 0 || n.files.writers() > 0 }

// endToWrite adds the file that was opened, if it was.
func (t *registryTable) endToWrite(n *node, f *registryFile) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.all.Load() != nil {
		n.as.opens--
	}
	if f != nil {
		n.files.add(f)
	}
}

// must reports whether a node has to take a file of a thread that it is not fit for:
// somebody holds a lock on it; or the thread has looked again already and came back to
// the same node, since it opens a descriptor. The caller holds mu.
func (t *registryTable) must(n *node, thread int, locks *lockQuestion) bool {
	return thread == 0 || t.again[thread].key == n.all.Load().key || n.files.any() && locks.on(n)
}

// takesAny reports whether a node takes a file of a thread for reading, fit or not: it does
// so already, or the thread has looked again and came back to it.
func (t *registryTable) takesAny(n *node, thread int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := n.all.Load()
	return r != nil && (n.as.state == shared || thread == 0 || t.again[thread].key == r.key)
}

// reopenGone returns the version that is read by a node, where somebody has it open and its
// name has come to stand for another file, or for none: it is opened by that descriptor
// (/proc/self/fd). Else it returns nil.
func (n *node) reopenGone(ctx context.Context, thread int) *txn.Snapshot {
	if !n.files.any() || !n.fsys.registries.takesAny(n, thread) {
		return nil
	}
	if s := n.newest(ctx); s != nil {
		s.Release()
		return nil
	}
	for _, f := range n.files.all() {
		if s := f.again(); s != nil {
			return s
		}
	}
	return nil
}

// again opens the version that the file shows; nil where it has none.
func (f *registryFile) again() *txn.Snapshot {
	if last := f.lastVersion(); last != nil {
		return last.Again()
	}
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	if f.tx != nil {
		return f.tx.Again()
	}
	return f.snapshot.Load().Again()
}

// lookAgain notes that a thread is to look again for a registry that has gone since it
// was looked up; false: it has done so.
func (t *registryTable) lookAgain(n *node, thread int, writes bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	again := n.all.Load() != nil && thread != 0 && t.again[thread].key != n.all.Load().key
	if again || len(t.again) > 0 {
		t.relooked(n, thread, !again, writes)
	}
	return again
}

// isPinned reports whether a node shows a version that was pinned when it was looked
// up.
func (t *registryTable) isPinned(n *node) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n.as.pinned != nil
}

// relooked notes the next step of a thread that wanted to open a node: none, if it
// could; else to look again. The caller holds mu.
func (t *registryTable) relooked(n *node, thread int, ok, writes bool) {
	switch {
	case !ok:
		if len(t.again) >= manyAgain {
			for other := range t.again {
				t.lookedAgain(other)
			}
		}
		t.lookedAgain(thread)
		t.again[thread] = relookup{key: n.all.Load().key, writes: writes}
	case len(t.again) > 0:
		t.lookedAgain(thread)
	}
}
