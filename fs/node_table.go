package fs

import (
	"maps"
	"sync"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
)

// nodeTable holds the nodes that the kernel knows, each with the number of
// references that the kernel has been given and not yet forgotten. A node's
// descriptor lives exactly as long as its references. A handler that finds a node here
// gets a reference in the same step, so that it can't be closed before the reply
// that carries it.
//
// A handler that answers with a node takes one reference by acquire, insert or
// hold; the kernel gives them back by FORGET.
type nodeTable struct {
	mu   sync.Mutex       // guards byID, and refs and replaced of every node
	byID map[uint64]*node // by node id, without the root

	crowded func(count int) // told after each insertion
}

func (t *nodeTable) init(crowded func(int)) {
	t.byID = make(map[uint64]*node)
	t.crowded = crowded
}

// acquire returns the node with an identity, with a further reference, or nil.
func (t *nodeTable) acquire(id fusefs.StableAttr) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.byID[id.Ino]
	if n == nil || n.id != id {
		return nil
	}
	n.refs++
	return n
}

// insert adds a node, with one reference. Where another request was faster it
// returns the other's node instead, and n must be dropped. A different object
// under the same id takes over the kernel's references, since the kernel counts
// them by id; the old one's descriptor stays until they are gone.
func (t *nodeTable) insert(n *node) *node {
	t.mu.Lock()
	old := t.byID[n.id.Ino]
	if old != nil && old.id == n.id {
		old.refs++
		t.mu.Unlock()
		return old
	}
	n.refs = 1
	if old != nil {
		n.refs += old.refs
		n.replaced = old
	}
	t.byID[n.id.Ino] = n
	count := len(t.byID)
	t.mu.Unlock()
	t.crowded(count)
	return n
}

// hold takes a further reference to a node that the kernel refers to already.
func (t *nodeTable) hold(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.refs++
}

// forget gives references back. The last one ends the node.
func (t *nodeTable) forget(id, count uint64) {
	t.mu.Lock()
	n := t.byID[id]
	if n == nil {
		t.mu.Unlock()
		return
	}
	n.refs -= min(count, n.refs)
	if n.refs > 0 {
		t.mu.Unlock()
		return
	}
	delete(t.byID, id)
	t.mu.Unlock()
	n.close()
}

// get returns the node with an id that the kernel sent, without a reference: it
// lives at least as long as the request. It is nil for the root.
func (t *nodeTable) get(id uint64) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// some returns up to limit nodes, without references.
func (t *nodeTable) some(limit int) []*fusefs.Inode {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*fusefs.Inode, 0, min(limit, len(t.byID)))
	for _, n := range t.byID {
		if len(list) == limit {
			break
		}
		list = append(list, n.EmbeddedInode())
	}
	return list
}

func (t *nodeTable) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

// clear ends all nodes, after the last request.
func (t *nodeTable) clear() {
	t.mu.Lock()
	all := maps.Clone(t.byID)
	clear(t.byID)
	t.mu.Unlock()
	for _, n := range all {
		n.close()
	}
}
