package fs

import (
	"context"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
)

// A registry has many nodes. The kernel keeps watches and a size for each, by its id. So
// they are brought back all at once, before anything is served. The ledger has the size and
// time that programs were told of each. A node with those of the present head shows the
// head. Any other node is outdated, and nobody begins to read by it. A node of a file that
// the name does not stand for any more is not brought back.
//
// An open registry by which nothing was staged is brought back if the head is the version
// that it showed. It goes on in that version, at whatever offset. With it, locks go on
// to keep others out: who holds one has the registry open. What was staged by one is brought back, too,
// if that can be (restage).

// restore brings registries' nodes back, and those that are open.
func (c *carried) restore() {
	for _, n := range c.ledger.Nodes(func(id uint64) bool { return id&registryID != 0 }) {
		if c.restoreNode(n) {
			c.ledger.Again(n.ID)
		}
	}
	for number, h := range c.ledger.Handles(ledger.Registry) {
		c.restoreFile(number, h)
	}
}

// restoreNode brings a registry's node back, and reports whether that could be done.
func (c *carried) restoreNode(n ledger.Node) bool {
	if !c.node(n.Parent).Ok() {
		return false
	}
	dir := c.requests.node(n.Parent)
	var stx unix.Statx_t
	if _, ok := dir.registryName(n.Name); !ok || statAt(dir.fd, n.Name, &stx) != nil || stx.Mode&unix.S_IFMT != unix.S_IFREG {
		return false
	}
	if stx.Ino = c.fsys.origin.numberOfRegistry(backingFileOf(&stx)); stx.Ino != n.Number {
		return false
	}
	told := sizeTime{size: n.Size, mtime: statxTime(time.Unix(0, n.Modified))}
	c.fsys.registries.restore(dir, n.Name, n.ID, told, &stx)
	var out fuse.EntryOut
	status := c.requests.RawFileSystem.Lookup(nil, &fuse.InHeader{NodeId: n.ID}, ".", &out)
	if !status.Ok() {
		c.fsys.nodes.forget(n.ID, 1)
	}
	return status.Ok()
}

// LookupNode finds a node by its id alone. go-fuse asks the root for one that it does not know.
func (n *node) LookupNode(_ context.Context, id uint64, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	found := n.fsys.nodes.get(id)
	if found == nil {
		return nil, syscall.ESTALE
	}
	out.Mode = found.id.Mode
	return found.EmbeddedInode(), 0
}

// restore makes a node as a daemon before had it, with one reference. told is the size and
// time that programs were told of it, now the state of the registry's file.
func (t *registryTable) restore(dir *node, base string, id uint64, told sizeTime, now *unix.Statx_t) {
	as := registryNode{shows: told, state: outdated}
	switch {
	case told.isBlank():
		as.state = blank
	case told == sizeTimeOf(now):
		as.state = showsVersion
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.make(dir, base, now.Ino)
	n := &node{fsys: dir.fsys, fd: -1, dev: dir.dev, id: fusefs.StableAttr{Mode: unix.S_IFREG, Ino: id, Gen: 1}, as: as}
	n.all.Store(r)
	n.number.Store(now.Ino)
	dir.fsys.origin.numbers.Hold(now.Ino)
	dir.NewInode(context.Background(), n, n.id)
	r.nodes = append(r.nodes, n)
	last := *now
	r.last.Store(&last)
	dir.fsys.nodes.insert(n)
}

// restoreFile opens a registry again, if it shows the same version, or what was staged.
func (c *carried) restoreFile(number uint64, h ledger.Handle) {
	n := c.requests.node(h.Node)
	if n == nil || !n.isRegistry() {
		return
	}
	header := fuse.InHeader{NodeId: h.Node, Caller: fuse.Caller{Pid: h.Task}}
	defer c.fsys.registries.insist(n, int(h.Task))()
	var out fuse.OpenOut
	if !c.requests.Open(nil, &fuse.OpenIn{InHeader: header, Flags: h.Flags}, &out).Ok() {
		return
	}
	f := n.files.unnumbered(int(h.Task))
	if f == nil || h.Staged && !c.restage(f, number, h) || !h.Staged && f.version() != h.Shows {
		c.requests.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: out.Fh})
		return
	}
	f.resumes(number)
	c.opened(number, out.Fh)
}

// insist has a node take a file of a thread though it is not fit for it, as if the thread had
// looked again, until the function that it returns is called.
func (t *registryTable) insist(n *node, thread int) (relent func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.again[thread] = relookup{key: n.all.Load().key}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.lookedAgain(thread)
	}
}

// resumes has a file go on with a reading that another daemon has served, most likely.
func (f *registryFile) resumes(number uint64) {
	f.numbered(number)
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	f.reading.begun = true
	f.reading.inPass.Store(true)
}

// unnumbered returns the file that a thread has just opened; nil if there is none.
func (o *registryFiles) unnumbered(thread int) *registryFile {
	for _, f := range o.all() {
		if f.thread == thread && f.number.Load() == 0 {
			return f
		}
	}
	return nil
}

// version returns the number of the version that the file shows, 0 for none.
func (f *registryFile) version() uint64 {
	s := f.snapshot.Load()
	if f.tx != nil {
		if s = f.tx.Again(); s == nil {
			return 0
		}
		defer s.Release()
	}
	return s.Version().Seq
}

// shown notes, for a later daemon, the version that the file shows now.
func (f *registryFile) shown() {
	if l := f.node.fsys.ledger; l != nil && f.number.Load() != 0 {
		l.Shows(f.number.Load(), f.version())
	}
}

// movedRegistry notes by which name a registry's nodes are found now.
func (c *carried) movedRegistry(dir uint64, name string) {
	n := c.requests.node(dir)
	if _, ok := n.registryName(name); !ok {
		return
	}
	for _, is := range c.fsys.registries.nodesOf(n, name) {
		c.ledger.Move(ledger.Node{ID: is.id.Ino, Parent: dir, Name: name})
	}
}
