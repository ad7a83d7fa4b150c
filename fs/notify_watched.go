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

// news are the events that the watchers of a node have not got from the kernel.
type news uint8

const (
	newsModify news = 1 << iota // it has another content: IN_MODIFY
	newsClose                   // it was closed after writing: IN_CLOSE_WRITE
	newsAttrib                  // it has another mode, owner, or the like: IN_ATTRIB
	newsDelete                  // it has no name any more: IN_ATTRIB, IN_DELETE_SELF
)

// addNews adds news for the watchers of a registry's nodes: of all nodes, or of those that
// concerns selects. A node without a name has one piece of news only: that it has none. The
// result says whether there is such a node.
func (t *registryTable) addNews(dir *node, base string, what news, concerns func(*node) bool) (any bool) {
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
			n.setNews(n.as.news | newsDelete)
		default:
			n.setNews(n.as.news | what)
		}
		any = true
	}
	return any
}

// setNews sets the news for a registry's node, for a later daemon, too. The caller holds registryTable.mu.
func (n *node) setNews(what news) {
	if what == n.as.news {
		return
	}
	n.as.news = what
	if l := n.fsys.ledger; l != nil {
		l.Unheard(n.id.Ino, uint32(what))
	}
}

// keepNews notes the news for a node for a later daemon once more: the ledger may not have known the node.
func (t *registryTable) keepNews(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.as.news != 0 {
		n.fsys.ledger.Unheard(n.id.Ino, uint32(n.as.news))
	}
}

// unheard are the news for registries, by their names, that a daemon before has left untold.
type unheard map[string]news

// tellUnheard has watchers told of them.
func (fsys *fileSystem) tellUnheard(all unheard) {
	for path, what := range all {
		fsys.addNews(path, what)
		fsys.remind(path)
	}
}

// heardBy selects the nodes whose watchers have not heard of a change that was made by a node:
// the other nodes of the same file.
func heardBy(n *node) (concerns func(*node) bool) {
	number := n.number.Load()
	return func(other *node) bool { return other != n && other.number.Load() == number }
}

// heard is called when the kernel has told the watchers of one node and of the directory. It has
// the watchers of the nodes that concerns selects told, too.
func (fsys *fileSystem) heard(dir *node, base, path string, what news, concerns func(*node) bool) {
	if w := fsys.watchers.Load(); w != nil && what != 0 && fsys.registries.addNews(dir, base, what, concerns) {
		w.remind(path)
	}
}

// closing notes the nodes that there are when a file is closed that was open for writing.
// Programs that watch one of them are to be told of the close. The kernel releases the file
// somewhat later, when others may have begun to watch.
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

// isGone reports whether a registry's node stands for a file that has lost its last name.
func (n *node) isGone() bool {
	left := n.left.Load()
	return left != nil && left.Nlink == 0
}

// withNews returns the nodes of a registry for which there are news, and whether watchers of
// the directory are to be told that it was modified.
func (t *registryTable) withNews(dir *node, base string) (nodes []*node, directory bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(dir, base)
	if r == nil {
		return nil, false
	}
	for _, n := range r.nodes {
		if n.as.news != 0 {
			nodes = append(nodes, n)
		}
	}
	directory, r.passedOver = r.passedOver, false
	return nodes, directory
}

// newsOf returns the news for the watchers of a node.
func (t *registryTable) newsOf(n *node) news {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.as.news&newsDelete != 0 && !n.isGone() {
		n.setNews(n.as.news&^newsDelete | newsAttrib) // it has lost one of its names
	}
	return n.as.news
}

// toTell returns a node whose watchers are to be told of another content, or nil. The
// caller holds registryTable.mu.
func (r *registryNodes) toTell() *node {
	for _, n := range r.nodes {
		if n.as.news&newsModify != 0 && !n.isGone() {
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

// clearNews is called where the kernel makes events for the watchers of a node. The node may
// be none of a registry's.
func (t *registryTable) clearNews(n *node, what news) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.setNews(n.as.news &^ what)
}

// mayPassOver is called instead where watchers may pass over the event of a write: that of the
// node by which the registry was written, and that of its directory.
func (t *registryTable) mayPassOver(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := n.all.Load(); r != nil && n.as.news&newsModify != 0 {
		r.passedOver = true
	}
}

// tellName is the name below .clawfs by which the teller reaches the node whose watchers
// are being told. An event by the registry's own name would reach the watchers of its
// directory, too, which have heard of the change from the kernel. Nobody watches .clawfs.
const tellName = "tell"

// telling is the order that the teller carries out.
type telling struct{ node *node } // nil: it goes by the registry's own name

// tells returns the teller's order, if the request comes from the teller; else nil.
func (fsys *fileSystem) tells(ctx context.Context) *telling {
	w := fsys.watchers.Load()
	if w == nil {
		return nil
	}
	now := w.telling.Load()
	if now == nil || !fsys.isTeller(ctx) {
		return nil
	}
	return now
}

// lookupToTell finds the node whose watchers are being told. If it has lost its last name it
// has one for the teller, so that the teller can remove it.
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

// openedToTell is the teller's open file. Its one use is the close: then the kernel tells
// watchers that a writer has closed the file.
type openedToTell struct{}

// removeToTell answers the teller where it removes a node that has lost its last name.
func (n *node) removeToTell(ctx context.Context) syscall.Errno {
	now := n.fsys.tells(ctx)
	if now == nil || now.node == nil || !now.node.isGone() {
		return syscall.EROFS
	}
	n.fsys.registries.clearNews(now.node, newsDelete|newsModify|newsClose|newsAttrib)
	return 0
}
