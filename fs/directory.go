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
	node *node
	fd   int

	mu    sync.Mutex // guards what follows
	buf   []byte
	todo  []byte // of buf, not yet handed out
	known bool   // the entry handed out last has a node
}

// direntBuffer is how much of a directory is read at once.
const direntBuffer = 32 << 10

// OpendirHandle opens a directory.
func (n *node) OpendirHandle(ctx context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	if path, ok := n.path(); ok {
		n.fsys.store.SettleDead(path)
	}
	fd, err := n.openChild(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, 0, plainErrno(err)
	}
	return &directory{node: n, fd: fd}, 0, 0
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
				return nil, 0
			}
		}
		e := &fuse.DirEntry{}
		d.todo = d.todo[e.Parse(d.todo):]
		if !d.node.hides(e.Name) && !d.node.removed(ctx, e.Name) {
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

// maybeRemoved returns the path of a name that is a registry's, while removals wait.
func (n *node) maybeRemoved(base string) (path string, ok bool) {
	if !n.fsys.store.Deleting() {
		return "", false
	}
	return n.registryName(base)
}

// removed reports whether an entry is a registry that the caller has removed, which
// others still see.
func (n *node) removed(ctx context.Context, base string) bool {
	path, ok := n.maybeRemoved(base)
	if !ok {
		return false
	}
	presence, _ := n.fsys.store.Look(path, func() txn.Actor { return n.fsys.callers.actorOf(ctx) })
	return presence == txn.Gone
}

// show gives an entry the number by which the kernel knows its object.
func (d *directory) show(e *fuse.DirEntry) {
	switch e.Name {
	case ".":
		e.Ino = d.node.id.Ino
	case "..":
		e.Ino = d.node.parentID()
	default:
		e.Ino = d.node.entryID(e.Name, e.Mode, e.Ino)
		d.known = d.node.fsys.nodes.get(e.Ino) != nil
	}
}

// entryID returns the id of an entry, of which a listing tells type and backing
// inode number.
func (n *node) entryID(name string, mode uint32, ino uint64) uint64 {
	if mode&unix.S_IFMT == unix.S_IFREG {
		if _, ok := n.registryName(name); ok {
			return n.registryNumber(name)
		}
	}
	return n.fsys.origin.id(n.dev, ino, n.own || n.hides(name))
}

// parentID returns the id of the directory above.
func (n *node) parentID() uint64 {
	_, parent := n.Parent()
	if parent == nil {
		return n.id.Ino // of the root, and of what was removed
	}
	return parent.Operations().(*node).id.Ino
}

// Lookup finds the entry handed out last, for a listing with attributes. What may
// be a registry is left out, without harm: the kernel looks it up when somebody
// wants it, as it would anyway.
func (d *directory) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if _, ok := d.node.registryName(name); ok {
		return nil, syscall.EAGAIN
	}
	d.mu.Lock()
	known := d.known
	d.mu.Unlock()
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

// Ioctl is that of a plain file.
func (d *directory) Ioctl(ctx context.Context, cmd uint32, arg uint64, input, output []byte) (int32, syscall.Errno) {
	return harmlessIoctl(d.fd, cmd, output)
}
