package fs

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// What follows are the requests that move, add and remove names. Where one of the
// names is a registry's, the store decides or at least comes to know.

// place is a name in a directory, and what is there.
type place struct {
	dir      *node
	base     string
	path     string            // of a registry
	registry bool              // a regular file by this name is a registry
	mode     uint32            // type of what is there as the caller sees it, 0 if nothing is
	id       fusefs.StableAttr // lasting
}

// placeOf looks at a name.
func (n *node) placeOf(ctx context.Context, base string) (place, error) {
	p := place{dir: n, base: base}
	p.path, p.registry = n.registryName(base)
	var stx unix.Statx_t
	var err error
	if p.registry {
		_, err = n.statName(ctx, base, p.path, &stx)
	} else {
		err = statAt(n.fd, base, &stx)
	}
	switch err {
	case nil:
		p.mode = uint32(stx.Mode) & unix.S_IFMT
		p.id = n.fsys.origin.identify(&stx, false)
		if p.isRegistry() {
			p.id = fusefs.StableAttr{Mode: unix.S_IFREG, Ino: n.registryNumber(base), Gen: 1}
		}
	case unix.ENOENT:
	default:
		return p, err
	}
	return p, nil
}

// isRegistry reports whether a registry is there.
func (p *place) isRegistry() bool { return p.registry && p.mode == unix.S_IFREG }

// Rename moves a name, with the flags of renameat2.
func (n *node) Rename(ctx context.Context, name string, newParent fusefs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	to := newParent.(*node)
	if errno := n.entriesChangeable(name); errno != 0 {
		return errno
	}
	if errno := to.entriesChangeable(newName); errno != 0 {
		return errno
	}
	source, err := n.placeOf(ctx, name)
	if err != nil {
		return plainErrno(err)
	}
	target, err := to.placeOf(ctx, newName)
	if err == nil && target.mode == 0 && source.mode != unix.S_IFREG {
		err = to.vacate(ctx, newName)
	}
	if err != nil {
		return plainErrno(err)
	}
	return n.fsys.rename(ctx, source, target, flags)
}

func (fsys *fileSystem) rename(ctx context.Context, from, to place, flags uint32) syscall.Errno {
	switch {
	case from.mode == 0:
		return syscall.ENOENT
	case flags&unix.RENAME_NOREPLACE != 0 && to.mode != 0:
		return syscall.EEXIST
	case from.mode == unix.S_IFDIR:
		return plainErrno(fsys.renameDirectory(ctx, from, to, flags))
	case from.mode != unix.S_IFREG || !from.registry && !to.registry:
		return plainErrno(fsys.renameBehind(from, to, flags))
	case flags&unix.RENAME_EXCHANGE != 0:
		return renameErrno(fsys.exchange(from, to, flags))
	case !to.registry:
		return registryErrno(fsys.store.MoveOut(from.path, fsys.callers.named(ctx), func() error { return renameat(from, to, flags) }))
	case to.mode == unix.S_IFDIR:
		return syscall.EISDIR
	case to.mode != 0 && to.mode != unix.S_IFREG:
		return renameErrno(fsys.moveOver(ctx, from, to, flags))
	}
	return renameErrno(fsys.moveIn(ctx, from, to, flags))
}

func renameat(from, to place, flags uint32) error {
	return retry(func() error { return unix.Renameat2(from.dir.fd, from.base, to.dir.fd, to.base, uint(flags)) })
}

// renameBehind renames what is no registry, or has its type against it, and lets
// the store look again where a registry goes thereby.
func (fsys *fileSystem) renameBehind(from, to place, flags uint32) error {
	if !to.isRegistry() {
		return renameat(from, to, flags)
	}
	return fsys.store.Changing([]string{to.path}, func() error { return renameat(from, to, flags) })
}

// renameDirectory moves a directory with the histories of the registries below
// it.
func (fsys *fileSystem) renameDirectory(ctx context.Context, from, to place, flags uint32) error {
	source, okFrom := from.dir.pathOf(from.base)
	target, okTo := to.dir.pathOf(to.base)
	if !okFrom || !okTo || flags&^unix.RENAME_NOREPLACE != 0 || to.mode != 0 && to.mode != unix.S_IFDIR {
		if err := errors.Join(fsys.store.Settle(source), fsys.store.Settle(target)); err != nil {
			return err
		}
		return renameat(from, to, flags)
	}
	return fsys.store.RenameDir(source, target, flags&unix.RENAME_NOREPLACE != 0)
}

// pathOf returns the path below the root of a name in this directory; not ok where
// the directory was removed.
func (n *node) pathOf(base string) (path string, ok bool) {
	dir, ok := n.path()
	if dir == "" {
		return base, ok
	}
	return dir + "/" + base, ok
}

// exchange has two names change places. What becomes a registry thereby must be
// fit for it.
func (fsys *fileSystem) exchange(from, to place, flags uint32) error {
	var names []string
	for _, pair := range [][2]place{{from, to}, {to, from}} {
		here, there := pair[0], pair[1]
		if !here.registry {
			continue
		}
		names = append(names, here.path)
		if there.mode != unix.S_IFREG || there.registry {
			continue
		}
		_, content, err := fsys.readPlain(there)
		if err != nil {
			return err
		}
		if err := fsys.store.Check(here.path, content); err != nil {
			return err
		}
	}
	return fsys.store.Changing(names, func() error { return renameat(from, to, flags) })
}

// moveIn commits a finished file as a registry. A registry that moves to a name
// which is free goes there as it is.
func (fsys *fileSystem) moveIn(ctx context.Context, from, to place, flags uint32) error {
	if from.registry && to.mode == 0 {
		if err := to.dir.vacate(ctx, to.base); err != nil {
			return err
		}
		noreplace := flags&unix.RENAME_NOREPLACE != 0
		return fsys.store.Changing([]string{from.path, to.path}, func() error { return fsys.dir.Rename(from.path, to.path, noreplace) })
	}
	file, content, err := fsys.readPlain(from)
	if err != nil {
		return err
	}
	defer file.Close()
	caller := fsys.callers.named(ctx)
	p := txn.Replacement{
		Content: content, Via: txn.ViaRename, NoReplace: flags&unix.RENAME_NOREPLACE != 0,
		Lineage: fsys.lineages.find(from.id).get(),
	}
	if !fsys.looksAlike(file, to) {
		p.Like = file
	}
	if err := fsys.store.Replace(to.path, caller, p); err != nil {
		return err
	}
	if from.registry {
		err = fsys.store.Remove(from.path, caller)
	} else {
		err = retry(func() error { return unix.Unlinkat(from.dir.fd, from.base, 0) })
	}
	fsys.lineages.drop(from.id)
	return err
}

// moveOver has a file take the place of what is no registry though its name is
// one's: a symbolic link, a fifo. There is nothing to merge it with. The store
// adopts it.
func (fsys *fileSystem) moveOver(ctx context.Context, from, to place, flags uint32) error {
	file, content, err := fsys.readPlain(from)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := errors.Join(fsys.store.Check(to.path, content), file.Sync()); err != nil {
		return err
	}
	move := func() error { return renameat(from, to, flags) }
	if from.registry {
		err = fsys.store.MoveOut(from.path, fsys.callers.named(ctx), move)
	} else {
		err = move()
	}
	if err != nil {
		return err
	}
	fsys.lineages.drop(from.id)
	return to.dir.sync()
}

// sync makes the names in a directory durable.
func (n *node) sync() error {
	fd, err := n.openChild(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return syncFD(fd, 0)
}

// looksAlike reports whether a file has the owner, the mode and the attributes of
// what is there, so that the commit of it changes the content only.
func (fsys *fileSystem) looksAlike(file *os.File, at place) bool {
	var a, b unix.Statx_t
	if statFD(int(file.Fd()), &a) != nil || statAt(at.dir.fd, at.base, &b) != nil {
		return false
	}
	if a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid {
		return false
	}
	there, err := at.dir.openChild(at.base, unix.O_PATH, 0)
	if err != nil {
		return false
	}
	defer closeFD(there)
	for _, fd := range []int{int(file.Fd()), there} {
		if list, err := listxattr(fd); err != nil && err != unix.EOPNOTSUPP || len(list) > 0 {
			return false
		}
	}
	return true
}

// readPlain opens and reads a file that is to become a registry.
func (fsys *fileSystem) readPlain(p place) (*os.File, []byte, error) {
	fd, err := p.dir.openChild(p.base, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return fsys.readOpen(fd)
}

// readOpen reads a file by its descriptor, which it takes over. The error is a
// *txn.TooLargeError where it is larger than a registry may be.
func (fsys *fileSystem) readOpen(fd int) (*os.File, []byte, error) {
	file := os.NewFile(uintptr(fd), "moved")
	limit := fsys.store.MaxSize()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, joinClose(err, file)
	}
	if info.Size() > limit {
		return nil, nil, joinClose(&txn.TooLargeError{Name: file.Name(), Size: info.Size(), Limit: limit}, file)
	}
	content := make([]byte, info.Size(), info.Size()+1)
	n, err := file.ReadAt(content, 0)
	if err != nil && err != io.EOF {
		return nil, nil, joinClose(err, file)
	}
	return file, content[:n], nil
}

// Link gives a file a further name. It is also how a file made without one gets
// its first. A registry's name makes it a commit of what the file holds.
func (n *node) Link(ctx context.Context, target fusefs.InodeEmbedder, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	file := target.(*node)
	if errno := n.entriesChangeable(name); errno != 0 {
		return nil, errno
	}
	if errno := file.changeable(); errno != 0 {
		return nil, errno
	}
	to, err := n.placeOf(ctx, name)
	if err != nil {
		return nil, plainErrno(err)
	}
	if to.mode != 0 {
		return nil, syscall.EEXIST
	}
	_, _, from, isRegistry := file.registry()
	switch {
	case isRegistry || file.isRegistry():
		return n.linkRegistry(ctx, file, from, to, out)
	case to.registry && file.Mode() == unix.S_IFREG:
		return n.linkIn(ctx, file, to, out)
	}
	if err := link(file.fd, to); err != nil {
		return nil, plainErrno(err)
	}
	var stx unix.Statx_t
	if err := file.stat(ctx, &stx); err != nil {
		return nil, plainErrno(err)
	}
	n.fsys.nodes.hold(file)
	return file.entryOut(n.roleOf(name, uint32(stx.Mode)), &stx, out), 0
}

// link makes a name for an open object. By way of /proc no privilege is needed; the
// link there is followed to the object itself, even if that is a symbolic link.
func link(fd int, to place) error {
	return retry(func() error {
		return unix.Linkat(unix.AT_FDCWD, procPath(fd), to.dir.fd, to.base, unix.AT_SYMLINK_FOLLOW)
	})
}

// linkRegistry gives a registry's file a second name. The next commit by either
// name parts them again, as programs that rename a temporary file do.
func (n *node) linkRegistry(ctx context.Context, file *node, from string, to place, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if err := n.vacate(ctx, to.base); err != nil {
		return nil, registryErrno(err)
	}
	names := []string{from}
	if to.registry {
		names = append(names, to.path)
	}
	err := n.fsys.store.Changing(names, func() error {
		return file.withObject(ctx, func(fd int) error { return link(fd, to) })
	})
	if err != nil {
		return nil, registryErrno(err)
	}
	return n.lookup(ctx, to.base, false, out)
}

// linkIn commits what a file without a name, or with another one, holds.
func (n *node) linkIn(ctx context.Context, file *node, to place, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	fd, err := file.reopen(unix.O_RDONLY)
	if err != nil {
		return nil, plainErrno(err)
	}
	like, content, err := n.fsys.readOpen(fd)
	if err != nil {
		return nil, renameErrno(err)
	}
	defer like.Close()
	err = n.fsys.store.Replace(to.path, n.fsys.callers.named(ctx), txn.Replacement{
		Content: content, Like: like, Via: txn.ViaLink, NoReplace: true,
		Lineage: n.fsys.lineages.find(file.lasting()).get(),
	})
	if err != nil {
		return nil, renameErrno(err)
	}
	return n.lookup(ctx, to.base, false, out)
}

// Unlink removes a name that is no directory's.
func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	if errno := n.entriesChangeable(name); errno != 0 {
		return errno
	}
	at, err := n.placeOf(ctx, name)
	if err != nil {
		return plainErrno(err)
	}
	if at.isRegistry() {
		return registryErrno(n.fsys.store.Unlink(at.path, n.fsys.callers.named(ctx)))
	}
	return plainErrno(retry(func() error { return unix.Unlinkat(n.fd, name, 0) }))
}

// Rmdir removes an empty directory.
func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno {
	if errno := n.entriesChangeable(name); errno != 0 {
		return errno
	}
	if path, ok := n.pathOf(name); ok && n.fsys.store.Deleting() {
		if err := n.fsys.store.Settle(path); err != nil {
			return plainErrno(err)
		}
	}
	return plainErrno(retry(func() error { return unix.Unlinkat(n.fd, name, unix.AT_REMOVEDIR) }))
}
