package fs

import (
	"encoding/binary"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/fs/takeover"
)

// carried stands before requests on a mount that a later daemon can take over. It keeps the
// ledger, and brings back the objects that the kernel knows from a daemon before:
//
//   - A node, by looking its name up once more. If that leads to another object the node
//     is gone: ESTALE; then the kernel looks a path up again by itself.
//   - An open plain file, or directory, by opening its node again.
//   - Nodes of registries, and open ones with their staged bytes, before anything is
//     served (restore). By one that can't be brought back each request but the release fails
//     with EIO.
//
// A request that the kernel sends again may have been done. One on names that can't be done twice
// has left its intent (attempt), and so has one on attributes (carried_attributes.go). A commit has left the digest of
// its content (carried_staged.go).
type carried struct {
	*requests
	ledger *ledger.Ledger

	opening  sync.Map          // opens that are about to be answered, by their numbers
	bringing sync.Mutex        // held while something is brought back; before mu
	mu       sync.RWMutex      // guards the fields below
	open     map[uint64]uint64 // from handles' numbers to those of the file system
	unheard  unheard           // before anything is served
	untold   map[uint64]uint64 // handles of which the kernel may not know, by the opens' numbers
	again    map[uint32]bool   // threads that a daemon before has told to look for a registry once more
}

func newCarried(r *requests, l *ledger.Ledger) *carried {
	r.fsys.ledger = l
	c := &carried{requests: r, ledger: l, open: make(map[uint64]uint64), unheard: make(unheard), again: make(map[uint32]bool)}
	r.fsys.store.Keep(c)
	r.fsys.store.KeepIn(l)
	r.fsys.lineages.keepIn(r.fsys.store)
	return c
}

// mayBeDone reports whether a daemon before may have done a request.
func (c *carried) mayBeDone(header *fuse.InHeader) bool {
	return takeover.IsResent(header.Unique) && !c.ledger.IsInOrder()
}

// node makes sure that nodes are known.
func (c *carried) node(ids ...uint64) fuse.Status {
	for _, id := range ids {
		if id == rootID || c.ledger.IsGiven(id) {
			continue
		}
		c.bringing.Lock()
		status := c.bring(id)
		c.bringing.Unlock()
		if !status.Ok() {
			return status
		}
	}
	return fuse.OK
}

// bring brings a node back, and the directories above it. The caller holds bringing.
func (c *carried) bring(id uint64) fuse.Status {
	if id == rootID {
		return fuse.OK
	}
	n, given, ok := c.ledger.Node(id)
	switch {
	case given:
		return fuse.OK
	case !ok || id&registryID != 0:
		if c.fsys.nodes.get(id) != nil { // there was no room in the ledger
			return fuse.OK
		}
		return fuse.Status(unix.ESTALE)
	case n.Name == nameless:
		return fuse.Status(unix.ESTALE)
	}
	if status := c.bring(n.Parent); !status.Ok() {
		return status
	}
	var out fuse.EntryOut
	status := c.requests.Lookup(nil, &fuse.InHeader{NodeId: n.Parent}, n.Name, &out)
	switch {
	case status == fuse.ENOENT || status.Ok() && out.NodeId == 0:
		return fuse.Status(unix.ESTALE)
	case !status.Ok():
		return status
	case out.NodeId != id || out.Generation != n.Generation:
		c.requests.Forget(out.NodeId, 1)
		return fuse.Status(unix.ESTALE)
	}
	c.ledger.Again(id)
	return fuse.OK
}

// handle makes sure that a handle is open, and its node known. It puts the number by which the
// file system knows it in the place of the kernel's.
func (c *carried) handle(id uint64, caller fuse.Caller, number *uint64) fuse.Status {
	c.mu.RLock()
	inner, ok := c.open[*number]
	c.mu.RUnlock()
	if ok {
		*number = inner
		return fuse.OK
	}
	c.bringing.Lock()
	defer c.bringing.Unlock()
	inner, status := c.reopen(id, caller, *number)
	*number = inner
	return status
}

// reopen opens a handle again that a daemon before had open. The caller holds bringing.
func (c *carried) reopen(id uint64, caller fuse.Caller, number uint64) (uint64, fuse.Status) {
	c.mu.RLock()
	inner, ok := c.open[number]
	c.mu.RUnlock()
	if ok {
		return inner, fuse.OK
	}
	h, ok := c.ledger.Handle(number)
	if !ok || h.Node != id || h.Kind == ledger.Registry {
		return 0, fuse.EIO
	}
	if status := c.bring(id); !status.Ok() {
		return 0, status
	}
	if n := c.requests.node(id); n != nil && n.role() == roleRegistry {
		return 0, fuse.EIO // it was renamed onto a registry while it was open
	}
	in := &fuse.OpenIn{InHeader: fuse.InHeader{NodeId: id, Caller: caller}, Flags: h.Flags}
	var out fuse.OpenOut
	var status fuse.Status
	if h.Kind == ledger.Directory {
		status = c.requests.OpenDir(nil, in, &out)
	} else {
		status = c.requests.Open(nil, in, &out)
	}
	if status.Ok() {
		c.opened(number, out.Fh)
	}
	return out.Fh, status
}

// looksAgain reports, once, whether a daemon before has told a thread to look for a registry once more.
func (c *carried) looksAgain(thread uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	does := c.again[thread]
	delete(c.again, thread)
	return does
}

// opening is an open that is about to be answered: the thread, and the number of the handle, 0 if there is none.
type opening struct {
	thread uint32
	number uint64
}

// answered notes that the kernel has the answer to a request. Only then a thread does not look again any more,
// and the kernel knows the handle: another daemon may have to open the file once more.
func (c *carried) answered(unique uint64) {
	c.ledger.Answered(unique)
	o, ok := c.opening.LoadAndDelete(unique)
	if !ok {
		return
	}
	opened := o.(opening)
	c.ledger.Told(opened.number)
	c.mu.RLock()
	again := c.again[opened.thread]
	c.mu.RUnlock()
	if !again {
		c.ledger.LooksAgain(opened.thread, false)
	}
}

// mayLookAgain notes that a thread looks for a file once more if it is told so by the status that is returned. The kernel
// does that once for each open, whatever the reason: the node of a registry that it finds then must take the file.
func (c *carried) mayLookAgain(status fuse.Status, thread uint32) fuse.Status {
	if status == fuse.Status(unix.ESTALE) {
		c.mu.Lock()
		c.again[thread] = true
		c.mu.Unlock()
		c.ledger.LooksAgain(thread, true)
	}
	return status
}

func (c *carried) opened(number, inner uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[number] = inner
}

// opens notes that the kernel is about to be told of a handle, and gives it its number.
func (c *carried) opens(header *fuse.InHeader, id uint64, flags uint32, kind ledger.Kind, out *fuse.OpenOut) {
	const once = unix.O_CREAT | unix.O_EXCL | unix.O_TRUNC // done by the open
	task, request := header.Pid, takeover.Number(header.Unique)
	h := ledger.Handle{Node: id, Flags: flags &^ once, Kind: kind, Task: task, Request: request}
	inner := out.Fh
	var f *registryFile
	if n := c.requests.node(id); kind == ledger.Registry && n != nil {
		f = n.files.unnumbered(int(task))
	}
	if f != nil {
		h.Shows, h.Digest = f.version()
		h.Staged, h.Sized = f.tx != nil && !f.tx.Clean(), true
	}
	out.Fh = c.ledger.Add(h)
	if f != nil {
		f.numbered(out.Fh)
	}
	c.opened(out.Fh, inner)
	c.opening.Store(request, opening{task, out.Fh})
}

// opensAnew closes the file that a request has opened before, which the kernel sends again: it does not know
// that. What the open itself has staged is dropped.
func (c *carried) opensAnew(header *fuse.InHeader) {
	if !takeover.IsResent(header.Unique) {
		return
	}
	c.mu.Lock()
	number, ok := c.untold[takeover.Number(header.Unique)]
	delete(c.untold, takeover.Number(header.Unique))
	c.mu.Unlock()
	if !ok {
		return
	}
	h, _ := c.ledger.Handle(number)
	in := fuse.ReleaseIn{InHeader: fuse.InHeader{NodeId: h.Node, Caller: fuse.Caller{Pid: h.Task}}}
	c.releases(number, func(inner uint64) {
		in.Fh = inner
		if h.Kind == ledger.Directory {
			c.requests.ReleaseDir(&in)
			return
		}
		if n := c.requests.node(h.Node); n != nil && h.Kind == ledger.Registry {
			n.giveUp(number)
		}
		c.requests.Release(nil, &in)
	})
}

// giveUp has the file of a handle commit nothing.
func (n *node) giveUp(number uint64) {
	for _, f := range n.files.all() {
		if f.tx != nil && f.number.Load() == number {
			f.tx.GiveUp()
		}
	}
}

// kindOf returns the kind of an opened handle. Every handle of a registry is
// FOPEN_DIRECT_IO; others, if they are, are below .clawfs.
func (c *carried) kindOf(id uint64, out *fuse.OpenOut) ledger.Kind {
	if n := c.requests.node(id); out.OpenFlags&fuse.FOPEN_DIRECT_IO != 0 && n != nil && !n.own {
		return ledger.Registry
	}
	return ledger.File
}

// releases forgets a handle after do has closed it, by the number that it has in the file system. A handle that
// this daemon has not opened is only forgotten.
func (c *carried) releases(number uint64, do func(inner uint64)) {
	c.mu.Lock()
	inner, ok := c.open[number]
	delete(c.open, number)
	c.mu.Unlock()
	if ok {
		do(inner)
	}
	c.ledger.Drop(number)
	c.fsys.store.Drop(number)
}

// refers notes the answer that the kernel is about to get for a name.
func (c *carried) refers(status fuse.Status, parent uint64, name string, out *fuse.EntryOut) fuse.Status {
	if status.Ok() && out.NodeId != 0 {
		if is, _, ok := c.ledger.Node(out.NodeId); ok && name == tellName {
			parent, name = is.Parent, is.Name // whoever tells watchers has found it by another way
		}
		c.ledger.Refer(ledger.Node{
			ID: out.NodeId, Generation: out.Generation, Parent: parent, Name: name,
			Number: out.Ino, Size: out.Size, Modified: int64(out.Mtime)*1e9 + int64(out.Mtimensec),
		})
		if out.NodeId&registryID != 0 {
			if n := c.requests.node(out.NodeId); n != nil {
				c.fsys.registries.keepNews(n)
			}
		}
	}
	return status
}

// listed is refers for a listing with attributes: of each entry a struct fuse_entry_out, a
// struct fuse_dirent, and the name, padded to eight bytes. An entry without a node was not
// looked up.
func (c *carried) listed(dir uint64, list []byte) {
	const generationAt, attributesAt, nameLengthAt, nameAt = 8, 40, 128 + 16, 128 + 24
	const sizeAt, modifiedAt, nanosecondsAt = attributesAt + 8, attributesAt + 32, attributesAt + 52
	for len(list) >= nameAt {
		id, length := binary.NativeEndian.Uint64(list), int(binary.NativeEndian.Uint32(list[nameLengthAt:]))
		size := (nameAt + length + 7) &^ 7
		if size > len(list) {
			return
		}
		if id != 0 {
			c.ledger.Refer(ledger.Node{
				ID: id, Generation: binary.NativeEndian.Uint64(list[generationAt:]),
				Parent: dir, Name: string(list[nameAt:][:length]),
				Number: binary.NativeEndian.Uint64(list[attributesAt:]), Size: binary.NativeEndian.Uint64(list[sizeAt:]),
				Modified: int64(binary.NativeEndian.Uint64(list[modifiedAt:]))*1e9 + int64(binary.NativeEndian.Uint32(list[nanosecondsAt:])),
			})
		}
		list = list[size:]
	}
}

// nameless stands for the name of an object that has none that is known.
const nameless = "/"

// removed notes that a name does not stand for an object any more. It may have another one.
func (c *carried) removed(id, dir uint64, name string) {
	is, _, ok := c.ledger.Node(id)
	if !ok || is.Parent != dir || is.Name != name {
		return
	}
	is.Name, is.Parent = nameless, rootID
	if n := c.requests.node(id); n != nil {
		if other, parent := n.Parent(); parent != nil {
			is.Name, is.Parent = other, parent.StableAttr().Ino
		}
	}
	c.ledger.Move(is)
}
