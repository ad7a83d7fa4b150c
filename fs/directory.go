package fs

import (
	"context"
	"sync"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// directory is an open directory: a stream of its entries, with the backing file
// system's own positions.
type directory struct {
	node   *node
	fd     int
	opened txn.Tick // a place behind the open

	mu    sync.Mutex // guards the fields below
	buf   []byte
	todo  []byte // of buf, not yet handed out
	known bool   // the entry handed out last has a node
	apart bool   // the id of its node is not its number
}

// direntBuffer is how much of a directory is read at once.
const direntBuffer = 32 << 10

// OpendirHandle opens a directory.
func (n *node) OpendirHandle(ctx context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	fd, err := n.openChild(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, 0, plainErrno(err)
	}
	return &directory{node: n, fd: fd, opened: n.fsys.store.Now()}, 0, 0
}

// Readdirent returns the next entry, nil at the end.
func (d *directory) Readdirent(ctx context.Context) (*fuse.DirEntry, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if len(d.todo) == 0 {
			if err := d.fill(); err != nil {
				return nil, plainErrno(err)
			}
			if len(d.todo) == 0 {
				if path, ok := d.node.path(); ok && !d.node.own {
					d.node.fsys.store.Listed(path, d.node.fsys.callers.of(ctx), d.opened)
				}
				return nil, 0
			}
		}
		e := &fuse.DirEntry{}
		d.todo = d.todo[e.Parse(d.todo):]
		if !d.node.hides(e.Name) && !d.node.conceals(ctx, e.Name) {
			d.show(e)
			return e, 0
		}
	}
}

func (d *directory) fill() error {
	if d.buf == nil {
		d.buf = make([]byte, direntBuffer)
	}
	return retry(func() error {
		n, err := unix.Getdents(d.fd, d.buf)
		d.todo = d.buf[:max(n, 0)]
		return err
	})
}

// conceals reports whether an entry is a registry that others are creating, and the
// caller does not find yet.
func (n *node) conceals(ctx context.Context, base string) bool {
	if !n.fsys.store.Hiding() {
		return false
	}
	path, ok := n.registryName(base)
	return ok && n.look(ctx, base, path).presence == txn.Hidden
}

// show gives an entry the number by which the kernel knows its object.
func (d *directory) show(e *fuse.DirEntry) {
	switch e.Name {
	case ".":
		e.Ino = d.node.number.Load()
	case "..":
		e.Ino = d.node.parentNumber()
	default:
		id := d.node.fsys.origin.id(d.node.dev, e.Ino, d.node.own || d.node.hides(e.Name))
		e.Ino = d.node.entryNumber(e.Name, e.Ino, id)
		d.known = d.node.fsys.nodes.get(id) != nil
		d.apart = id != e.Ino
	}
}

// entryNumber returns the number of an entry, given its backing inode number from the
// listing; id is that of its node, if it has one that is not a registry's.
func (n *node) entryNumber(name string, ino, id uint64) uint64 {
	if n.own || n.hides(name) || n.dev != n.fsys.origin.dev {
		return id
	}
	if number, ok := n.fsys.origin.numbers.OfListed(ino); ok {
		return number
	}
	var stx unix.Statx_t
	if err := statAt(n.fd, name, &stx); err != nil || stx.Ino != ino {
		return id // it has changed since it was read
	}
	return n.fsys.origin.number(backingFileOf(&stx), false)
}

// parentNumber returns the number of the directory above.
func (n *node) parentNumber() uint64 {
	_, parent := n.Parent()
	if parent == nil {
		return n.number.Load() // of the root, and of a directory that was removed
	}
	return parent.Operations().(*node).number.Load()
}

// Lookup finds the entry handed out last, for a listing with attributes. An entry that
// may be a registry is left out, and so is one with another number than go-fuse would
// tell. That does no harm: the kernel looks it up when somebody wants it, as it would
// anyway.
func (d *directory) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if _, ok := d.node.registryName(name); ok {
		return nil, syscall.EAGAIN
	}
	d.mu.Lock()
	known, apart := d.known, d.apart
	d.mu.Unlock()
	if apart {
		return nil, syscall.EAGAIN
	}
	return d.node.lookup(ctx, name, known, out)
}

// Seekdir goes to a position that an earlier entry came with.
func (d *directory) Seekdir(ctx context.Context, off uint64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.todo = nil
	_, err := unix.Seek(d.fd, int64(off), unix.SEEK_SET)
	return plainErrno(err)
}

// Fsyncdir makes the directory's entries durable.
func (d *directory) Fsyncdir(ctx context.Context, flags uint32) syscall.Errno {
	return plainErrno(syncFD(d.fd, flags))
}

// Releasedir is the end of the last descriptor.
func (d *directory) Releasedir(ctx context.Context, flags uint32) { closeFD(d.fd) }
