package fs

import (
	"context"
	"maps"
	"slices"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/txn"
)

// A registry has many nodes. The kernel keeps watches and a size for each, by its id. So
// they are brought back all at once, before anything is served. The ledger has the size and
// time that programs were told of each. A node with those of the present head shows the
// head. Any other node is outdated, and nobody begins to read by it. So is a node of a file that
// another one has replaced. A node of a name that stands for no registry is not brought back.
//
// An open registry goes on in the version that it showed, at any offset, or with its staged bytes
// (restage). With it, locks go on to keep others out: the holder of a lock has the registry open. All are
// opened anew before any of them goes on.

// restore brings registries' nodes back, and those that are open.
func (c *carried) restore() {
	for _, n := range c.ledger.Nodes(func(id uint64) bool { return id&registryID != 0 }) {
		if c.restoreNode(n) {
			c.ledger.Again(n.ID)
		}
	}
	c.again, c.untold = c.ledger.LookingAgain(), c.ledger.Untold()
	handles := c.ledger.Handles(ledger.Registry)
	var all []*reopened
	for _, number := range slices.Sorted(maps.Keys(handles)) { // as they were opened
		if _, _, ok := c.ledger.Node(handles[number].Node); !ok { // the kernel was never told of the handle
			c.releases(number, nil)
			continue
		}
		o, status := c.reopenRegistry(number, handles[number])
		if !status.Ok() {
			c.endsHere(handles[number], "it can't be opened: "+status.String())
			continue
		}
		all = append(all, o)
	}
	txs := make(map[uint64]*txn.Tx)
	all = slices.DeleteFunc(all, func(o *reopened) bool { // now that all are open: an open may commit bytes that others have staged
		ok := c.goesOn(o)
		if !ok {
			c.endsHere(o.handle, "its content is not known any more")
			o.giveUp(c)
		} else if o.file.tx != nil {
			txs[o.number] = o.file.tx
		}
		return !ok
	})
	for _, o := range all {
		if o.file.tx != nil && !o.file.tx.Rejoin(func(mark uint64) *txn.Tx { return txs[mark] }) {
			c.endsHere(o.handle, "another file with staged bytes of its process does not go on")
			o.giveUp(c)
			continue
		}
		o.file.resumes(o.number, o.handle.Sized)
		c.opened(o.number, o.inner)
	}
}

// reopened is an open registry of a daemon before that was opened again.
type reopened struct {
	number, inner uint64
	handle        ledger.Handle
	file          *registryFile
}

// endsHere logs that an open registry does not go on.
func (c *carried) endsHere(h ledger.Handle, why string) {
	is, _, _ := c.ledger.Node(h.Node)
	c.fsys.log.Warn("a registry that is open does not go on with this daemon", zap.String("name", is.Name), zap.Bool("staged", h.Staged), zap.String("why", why))
}

// reopenRegistry opens a registry again.
func (c *carried) reopenRegistry(number uint64, h ledger.Handle) (*reopened, fuse.Status) {
	n := c.requests.node(h.Node)
	if n == nil || !n.isRegistry() {
		return nil, fuse.Status(unix.ESTALE)
	}
	header := fuse.InHeader{NodeId: h.Node, Caller: fuse.Caller{Pid: h.Task}}
	defer c.fsys.registries.insist(n, int(h.Task))()
	before := n.files.all()
	var out fuse.OpenOut
	if status := c.requests.Open(nil, &fuse.OpenIn{InHeader: header, Flags: h.Flags}, &out); !status.Ok() {
		return nil, status
	}
	for _, f := range n.files.all() {
		if !slices.Contains(before, f) {
			return &reopened{number: number, inner: out.Fh, handle: h, file: f}, fuse.OK
		}
	}
	return nil, fuse.EIO // nobody but this daemon opens files yet
}

// goesOn has a file go on where it was, and reports whether that could be done.
func (c *carried) goesOn(o *reopened) bool {
	f, h := o.file, o.handle
	if f.tx != nil && c.fsys.store.IsSaved(o.number) {
		return c.restage(f, o.number, h)
	}
	if h.Staged {
		return false
	}
	if _, digest := f.version(); digest == h.Digest {
		if f.tx == nil {
			f.snapshot.Load().Resume(f.caller)
		}
		return true
	}
	_, _, path, ok := f.node.registry()
	if !ok || f.tx != nil {
		return false
	}
	s := c.fsys.store.OpenVersion(path, h.Shows, h.Digest)
	if s == nil {
		return false
	}
	s.Resume(f.caller)
	f.snapshot.Swap(s).Release()
	return true
}

// giveUp closes a file that can't go on. It commits nothing. The handle's record stays as it is, so that no
// later daemon takes the file for one that goes on.
func (o *reopened) giveUp(c *carried) {
	if tx := o.file.tx; tx != nil {
		tx.GiveUp()
	}
	c.fsys.store.Drop(o.number)
	header := fuse.InHeader{NodeId: o.handle.Node, Caller: fuse.Caller{Pid: o.handle.Task}}
	c.requests.Release(nil, &fuse.ReleaseIn{InHeader: header, Fh: o.inner})
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
	stx.Ino = c.fsys.origin.numberOfRegistry(backingFileOf(&stx))
	told := sizeTime{size: n.Size, mtime: statxTime(time.Unix(0, n.Modified))}
	c.fsys.registries.restore(dir, n, told, &stx)
	if path, ok := dir.registryName(n.Name); ok && n.Unheard != 0 {
		c.unheard[path] |= 0
	}
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
// time that programs were told of it, now the state of the registry's file. That has another number
// if it has taken the place of the node's file.
func (t *registryTable) restore(dir *node, was ledger.Node, told sizeTime, now *unix.Statx_t) {
	as := registryNode{shows: told, state: outdated, news: news(was.Unheard)}
	switch {
	case was.Number != now.Ino:
	case told.isBlank():
		as.state = blank
	case told == sizeTimeOf(now):
		as.state = showsVersion
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.make(dir, was.Name, now.Ino)
	n := &node{fsys: dir.fsys, fd: -1, dev: dir.dev, id: fusefs.StableAttr{Mode: unix.S_IFREG, Ino: was.ID, Gen: 1}, as: as}
	n.all.Store(r)
	n.number.Store(was.Number)
	dir.fsys.origin.numbers.Hold(was.Number)
	dir.NewInode(context.Background(), n, n.id)
	r.nodes = append(r.nodes, n)
	if last := *now; was.Number == now.Ino {
		r.last.Store(&last)
	} else {
		last.Ino, last.Size, last.Mtime, last.Nlink = was.Number, told.size, told.mtime, 0
		n.left.Store(&last)
	}
	dir.fsys.nodes.insert(n)
}

// insist has a node take a file of a thread though it is not fit for it, as if the thread had
// looked again, until the function that it returns is called.
func (t *registryTable) insist(n *node, thread int) (relent func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := n.all.Load().key
	if t.again[thread].key == key {
		return func() {} // it has looked again by this daemon
	}
	t.again[thread] = relookup{key: key}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.lookedAgain(thread)
	}
}

// sizedOverDeath is how much longer than usual somebody may begin to read as many bytes as were told: requests have waited
// for this daemon.
const sizedOverDeath = 10 * time.Second

// resumes has a file go on with a reading that another daemon has served, most likely. sized says that somebody was told
// its size then: who does not read by that just now gets the newest version.
func (f *registryFile) resumes(number uint64, sized bool) {
	f.numbered(number)
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	f.reading.begun = true
	f.reading.inPass.Store(true)
	if f.reading.toldAt.Store(0); sized {
		f.reading.toldAt.Store(time.Now().Add(sizedOverDeath).UnixNano())
	}
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

// version returns the number and the digest of the version that the file shows, zeros for none.
func (f *registryFile) version() (seq uint64, digest [32]byte) {
	s := f.snapshot.Load()
	if f.tx != nil {
		if s = f.tx.Again(); s == nil {
			return 0, digest
		}
		defer s.Release()
	}
	return s.Version().Seq, s.Version().Digest
}

// shown notes, for a later daemon, the version that the file shows now.
func (f *registryFile) shown() {
	if l, number, ok := f.inLedger(); ok {
		seq, digest := f.version()
		l.Shows(number, seq, digest)
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
