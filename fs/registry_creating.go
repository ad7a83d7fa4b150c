package fs

import (
	"context"
	iofs "io/fs"
	"os"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/process"
	"clawfs/txn"
)

// A registry that somebody is creating is a file without a version. Other processes do not
// find it before it is closed or locked.

// createRegistry opens a registry that the caller has not found. If nobody creates it either,
// an empty file with the caller's owner and mode is made, which others find once it is closed.
// All its creators share its node, and so its locks.
func (n *node) createRegistry(ctx context.Context, base, path string, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	like, err := n.nameless(ctx, mode)
	if err != nil {
		return nil, nil, 0, registryErrno(err)
	}
	defer like.Close() // it has become the file, or is not wanted
	caller := n.fsys.callers.writing(ctx)
	exclusive, begins := flags&unix.O_EXCL != 0, n.fsys.store.Now()
	tx, err := n.fsys.store.Begin(path, caller, txn.BeginOptions{
		Truncate: flags&unix.O_TRUNC != 0 && !exclusive, Append: flags&unix.O_APPEND != 0,
		Create: true, Exclusive: exclusive, Like: like, Thread: threadOf(ctx),
	})
	if err != nil {
		return nil, nil, 0, registryErrno(err)
	}
	f := &registryFile{tx: tx, opener: caller.Actor, caller: caller, thread: threadOf(ctx), append: flags&unix.O_APPEND != 0, begins: begins}
	var stx unix.Statx_t
	if err := n.statCreated(ctx, base, path, like, &stx); err != nil {
		tx.Release()
		return nil, nil, 0, plainErrno(err)
	}
	n.fsys.registries.create(ctx, f, &named{dir: n, base: base, path: path, number: stx.Ino, sizeTime: sizeTimeOf(&stx)})
	fuseFlags := f.opened()
	if tx.Made() {
		f.lineage.begin()
	}
	f.node.finish(ctx, &stx)
	return f.node.entryOut(roleRegistry, &stx, out), f, fuseFlags, 0
}

// statCreated tells about the registry that was opened to be created: the file that was
// made for it, even if another one has the name meanwhile, or the one that somebody else
// was faster to make.
func (n *node) statCreated(ctx context.Context, base, path string, like *os.File, stx *unix.Statx_t) error {
	var made unix.Statx_t
	if err := statFD(int(like.Fd()), &made); err != nil {
		return err
	}
	if made.Nlink == 0 && n.statOpen(ctx, base, path, stx) == nil {
		return nil
	}
	*stx = made
	if file := backingFileOf(&made); file.links > 0 {
		stx.Ino = n.fsys.origin.numberOfRegistry(file)
	} else { // it has been removed again
		stx.Ino = n.fsys.origin.number(file, false)
	}
	return nil
}

// nameless makes a regular file in this directory, in the name of the caller,
// that has no name.
func (n *node) nameless(ctx context.Context, mode uint32) (*os.File, error) {
	fd, err := n.createFile(ctx, ".", unix.O_TMPFILE|unix.O_RDWR, mode)
	if err == unix.EOPNOTSUPP || err == unix.EISDIR || err == unix.ENOENT {
		fd, err = n.createRemoved(ctx, mode)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "nameless"), nil
}

// createRemoved is nameless for file systems without O_TMPFILE.
func (n *node) createRemoved(ctx context.Context, mode uint32) (int, error) {
	base := ownName + "-" + time.Now().Format("150405.000000000")
	fd, err := n.createFile(ctx, base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, mode)
	if err != nil {
		return -1, err
	}
	return fd, unix.Unlinkat(n.fd, base, 0)
}

// openFound opens a registry for reading that its caller has found. One that others
// are creating in its place by now the caller has not found.
func (n *node) openFound(ctx context.Context, base, path string) (*txn.Snapshot, error) {
	s, err := n.fsys.store.Open(path)
	if err == nil && s.Version().Blank() && n.look(ctx, base, path).presence == txn.Hidden {
		s.Release()
		return nil, iofs.ErrNotExist
	}
	return s, err
}

// create finds or makes the node for a file that creates its registry, and adds the
// file.
func (t *registryTable) create(ctx context.Context, f *registryFile, at *named) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.make(at.dir, at.base, at.number)
	t.turn(r, at.number)
	if at.sizeTime.isBlank() {
		f.node = t.toShow(ctx, r, at.sizeTime)
	} else {
		f.node = t.toWrite(ctx, r, at.sizeTime) // somebody else was faster
	}
	if r.current = f.node; r.isWriters(f.node) {
		r.write(f.node)
	}
	f.node.files.add(f)
}

// isOut reports whether others find a registry that has the number and that somebody is
// creating: its creator has closed it, or somebody has a lock on it.
func (t *registryTable) isOut(dir *node, base string, number uint64) bool {
	known, device := false, dir.fsys.device.Load()
	for _, n := range t.nodesOf(dir, base) {
		if n.number.Load() != number {
			continue // it stands for a file that had the name before
		}
		known = true
		for _, f := range n.files.all() {
			if f.tx != nil && f.closed.Load() && f.tx.Creates() && !process.HasOpen(f.opener.PID, device, number) {
				return true
			}
		}
	}
	return known && process.IsLocked(device, number)
}
