package fs

import (
	"context"
	"sync/atomic"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Some of a registry's nodes may have watchers that have not heard of a change. The
// notifier (notify.go) has them told.

// A debt is what the watchers of a node have not heard from the kernel.
type debt uint8

const (
	owesModify debt = 1 << iota // it has another content: IN_MODIFY
	owesClose                   // it was closed after writing: IN_CLOSE_WRITE
	owesAttrib                  // it has another mode, owner, or the like: IN_ATTRIB
	owesDelete                  // it has no name any more: IN_ATTRIB, IN_DELETE_SELF
)

// owe notes what watchers of a registry's nodes are to be told: of those that concerns says,
// which may be nil for all. Of a node without a name there is one thing to tell. It reports
// whether there is anybody to tell.
func (t *registryTable) owe(dir *node, base string, what debt, concerns func(*node) bool) (owes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(dir, base)
	if r == nil {
		return false
	}
	for _, n := range r.nodes {
		switch {
		case concerns != nil && !concerns(n):
			continue
		case n.isGone():
			n.as.owed |= owesDelete
		default:
			n.as.owed |= what
		}
		owes = true
	}
	return owes
}

// heardBy says which nodes are owed what those who watch one of them have heard from the
// kernel: the others of the same file.
func heardBy(n *node) (concerns func(*node) bool) {
	number := n.number.Load()
	return func(other *node) bool { return other != n && other.number.Load() == number }
}

// heard has watchers of those nodes of a registry that concerns says told what those of one
// node, and those of the directory, have heard from the kernel.
func (fsys *fileSystem) heard(dir *node, base, path string, what debt, concerns func(*node) bool) {
	if w := fsys.watchers.Load(); w != nil && what != 0 && fsys.registries.owe(dir, base, what, concerns) {
		w.remind(path)
	}
}

// closing notes which nodes there are when a file is closed that was open for writing. Programs
// that watch one of them are to be told of the close. The kernel releases the file somewhat
// later, when others may have begun to watch.
type closing struct{ newest atomic.Uint64 } // id of the newest node; 0: it was not closed

// note is called when a descriptor of the file is closed.
func (c *closing) note(t *registryTable) {
	t.mu.Lock()
	c.newest.Store(registryID | t.ids)
	t.mu.Unlock()
}

// heardBy is heardBy for the close.
func (c *closing) heardBy(n *node) (concerns func(*node) bool) {
	others, newest := heardBy(n), c.newest.Load()
	return func(other *node) bool { return others(other) && (newest == 0 || other.id.Ino <= newest) }
}

// isGone reports whether a registry's node stands for a file that has no name any more.
func (n *node) isGone() bool {
	left := n.left.Load()
	return left != nil && left.Nlink == 0
}

// debtors returns the nodes of a registry whose watchers are to be told something, and
// whether those of its directory are to be told that it was modified, too.
func (t *registryTable) debtors(dir *node, base string) (nodes []*node, directory bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(dir, base)
	if r == nil {
		return nil, false
	}
	for _, n := range r.nodes {
		if n.as.owed != 0 {
			nodes = append(nodes, n)
		}
	}
	directory, r.passedOver = r.passedOver, false
	return nodes, directory
}

// owed returns what the watchers of a node are to be told.
func (t *registryTable) owed(n *node) debt {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.as.owed&owesDelete != 0 && !n.isGone() {
		n.as.owed = n.as.owed&^owesDelete | owesAttrib // it has lost one of its names
	}
	return n.as.owed
}

// toTell returns a node whose watchers are to be told of another content, or nil. The
// caller holds registryTable.mu.
func (r *registryNodes) toTell() *node {
	for _, n := range r.nodes {
		if n.as.owed&owesModify != 0 && !n.isGone() {
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

// told is called where the kernel makes events for the watchers of a node, which may be
// none of a registry's.
func (t *registryTable) told(n *node, what debt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.as.owed &^= what
}

// mayPassOver is called instead where watchers may pass the event over that the kernel
// makes for a node by which the registry was written, and for its directory.
func (t *registryTable) mayPassOver(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := n.all.Load(); r != nil && n.as.owed&owesModify != 0 {
		r.passedOver = true
	}
}

// tellName is the name below .clawfs by which the toucher reaches the node whose watchers
// are being told. An event for the name of a registry would be one for its directory, too,
// whose watchers have heard of the change from the kernel; nobody watches .clawfs.
const tellName = "tell"

// telling is what the toucher has been ordered to tell.
type telling struct{ node *node } // nil: it goes by the registry's own name

// tells returns what the toucher is telling if the request comes from it, or nil.
func (fsys *fileSystem) tells(ctx context.Context) *telling {
	w := fsys.watchers.Load()
	if w == nil {
		return nil
	}
	now := w.telling.Load()
	if now == nil || !fsys.isToucher(ctx) {
		return nil
	}
	return now
}

// lookupToTell finds the node whose watchers are being told. That has one name for
// the toucher if it has none for others, so that the toucher can remove it.
func (n *node) lookupToTell(ctx context.Context, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	now := n.fsys.tells(ctx)
	if now == nil || now.node == nil {
		return nil, syscall.ENOENT
	}
	child := n.fsys.nodes.acquire(now.node.id)
	if child == nil {
		return nil, syscall.ENOENT
	}
	var stx unix.Statx_t
	stat := child.stat
	if child.isGone() {
		stat = child.statRemoved
	}
	if stat(ctx, &stx) != nil {
		stx.Mode = unix.S_IFREG
	}
	stx.Nlink = max(stx.Nlink, 1)
	return child.entryOut(roleRegistry, &stx, out), 0
}

// openedToTell is the toucher's open file. Nothing can be done with it: when it is closed
// the kernel tells watchers that something was written.
type openedToTell struct{}

// removeToTell answers the toucher where it removes a node that has lost its last name.
func (n *node) removeToTell(ctx context.Context) syscall.Errno {
	now := n.fsys.tells(ctx)
	if now == nil || now.node == nil || !now.node.isGone() {
		return syscall.EROFS
	}
	n.fsys.registries.told(now.node, owesDelete|owesModify|owesClose|owesAttrib)
	return 0
}
