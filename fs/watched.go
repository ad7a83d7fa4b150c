package fs

// Some of a registry's nodes have watchers that are to be told of a commit (notify.go).

// owe notes that watchers of a registry's nodes are to be told of a commit.
func (t *registryTable) owe(dir *node, base string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.find(dir, base); r != nil {
		for _, n := range r.nodes {
			n.as.owed = true
		}
	}
}

// owed returns how many nodes of a registry there are whose watchers are to be
// told.
func (t *registryTable) owed(dir *node, base string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(dir, base)
	if r == nil {
		return 0
	}
	count := 0
	for _, n := range r.nodes {
		if n.as.owed {
			count++
		}
	}
	return count
}

// toTell returns a node whose watchers are to be told, or nil. The caller holds
// registryTable.mu.
func (r *registryNodes) toTell() *node {
	for _, n := range r.nodes {
		if n.as.owed {
			return n
		}
	}
	return nil
}

// lookUpToTell returns such a node of a registry that is gone, with a reference for
// the kernel, or nil.
func (t *registryTable) lookUpToTell(dir *node, base string) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.find(dir, base); r != nil {
		if n := r.toTell(); n != nil {
			return n.fsys.nodes.acquire(n.id)
		}
	}
	return nil
}

// told is called where the kernel makes an event for the watchers of a node, which
// may be none of a registry's.
func (t *registryTable) told(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.as.owed = false
}
