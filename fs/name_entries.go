package fs

import (
	"context"
	"strings"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// The requests on the names in a directory.

// Lookup finds a name.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	return n.lookup(ctx, name, n.GetChild(name) != nil, out)
}

// lookup is Lookup; seen says that the name's node is most likely known.
func (n *node) lookup(ctx context.Context, name string, seen bool, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if path, ok := n.registryName(name); ok {
		return n.lookupRegistry(ctx, name, path, out)
	}
	if n.own && name == tellName {
		return n.lookupToTell(ctx, out)
	}
	return n.lookupPlain(ctx, name, seen, out)
}

func (n *node) lookupPlain(ctx context.Context, name string, seen bool, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	var stx unix.Statx_t
	asked := n.fsys.store.Now()
	child, err := n.child(ctx, name, seen, &stx)
	if err == unix.ENOENT && !n.own && mayBeDirectory(name) {
		if path, ok := n.pathOf(name); ok {
			n.fsys.store.MissedBelow(path, n.fsys.callers.of(ctx), threadOf(ctx), asked)
		}
	}
	if err != nil {
		return nil, plainErrno(err)
	}
	return child.entryOut(n.roleOf(name, uint32(stx.Mode)), &stx, out), 0
}

// mayBeDirectory reports whether a name is such as programs give to directories. An answer
// that there is no such directory is also one that there are no registries below it. So
// the kernel must ask each time.
func mayBeDirectory(name string) bool { return !strings.Contains(strings.TrimLeft(name, "."), ".") }

// made answers a request that has just made a name.
func (n *node) made(ctx context.Context, name string, err error, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if err != nil {
		return nil, plainErrno(err)
	}
	return n.lookup(ctx, name, false, out)
}

// Create makes a regular file and opens it.
func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	if errno := n.entriesChangeable(name); errno != 0 {
		return nil, nil, 0, errno
	}
	if path, ok := n.registryName(name); ok {
		return n.createRegistry(ctx, name, path, flags, mode, out)
	}
	// Somebody may have put a fifo there behind our back: that must not block.
	how := plainFlags(flags) | int(flags&unix.O_EXCL) | unix.O_CREAT | unix.O_NONBLOCK
	fd, err := n.createFile(ctx, name, how, mode)
	if err != nil {
		return nil, nil, 0, plainErrno(err)
	}
	return n.created(ctx, fd, flags, n.roleOf(name, unix.S_IFREG), out)
}

// Tmpfile makes a regular file without a name and opens it.
func (n *node) Tmpfile(ctx context.Context, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	if errno := n.changeable(); errno != 0 {
		return nil, nil, 0, errno
	}
	how := plainFlags(flags) | int(flags&unix.O_EXCL) | unix.O_TMPFILE
	fd, err := n.createFile(ctx, ".", how, mode)
	if err != nil {
		return nil, nil, 0, plainErrno(err)
	}
	return n.created(ctx, fd, flags, rolePlain, out)
}

func (n *node) createFile(ctx context.Context, name string, flags int, mode uint32) (fd int, err error) {
	perm := n.creationMode(mode)
	err = n.fsys.credentials.as(ctx, func() error {
		fd, err = n.openChild(name, flags, perm)
		return err
	})
	return fd, err
}

// created answers with a file that was made, or at least opened, by createFile.
func (n *node) created(ctx context.Context, fd int, flags uint32, r role, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	var stx unix.Statx_t
	pin, err := n.fsys.openAgain(fd, unix.O_PATH)
	if err != nil {
		closeFD(fd)
		return nil, nil, 0, plainErrno(err)
	}
	child, err := n.adopt(ctx, pin, false, &stx)
	if err != nil {
		closeFD(fd)
		return nil, nil, 0, plainErrno(err)
	}
	h, fuseFlags := newPlainFile(ctx, child, fd, flags)
	h.lineage.begin()
	inode := child.entryOut(r, &stx, out)
	out.SetEntryTimeout(0) // it may be renamed onto a registry
	return inode, h, fuseFlags, 0
}

// Mkdir makes a directory.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if errno := n.entriesChangeable(name); errno != 0 {
		return nil, errno
	}
	if path, ok := n.pathOf(name); ok {
		n.fsys.store.MadeDir(path, threadOf(ctx))
	}
	perm := n.creationMode(mode)
	err := n.fsys.credentials.as(ctx, func() error { return unix.Mkdirat(n.fd, name, perm) })
	return n.made(ctx, name, err, out)
}

// Mknod makes a fifo, a socket, a device or a regular file.
func (n *node) Mknod(ctx context.Context, name string, mode, dev uint32, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if errno := n.entriesChangeable(name); errno != 0 {
		return nil, errno
	}
	what := mode&unix.S_IFMT | n.creationMode(mode)
	err := n.fsys.credentials.as(ctx, func() error { return unix.Mknodat(n.fd, name, what, int(dev)) })
	return n.made(ctx, name, err, out)
}

// Symlink makes a symbolic link.
func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if errno := n.entriesChangeable(name); errno != 0 {
		return nil, errno
	}
	err := n.fsys.credentials.as(ctx, func() error { return unix.Symlinkat(target, n.fd, name) })
	return n.made(ctx, name, err, out)
}

// Readlink reads a symbolic link.
func (n *node) Readlink(ctx context.Context) ([]byte, syscall.Errno) {
	buf := make([]byte, unix.PathMax)
	var size int
	err := retry(func() (err error) {
		size, err = unix.Readlinkat(n.fd, "", buf)
		return err
	})
	if err != nil {
		return nil, plainErrno(err)
	}
	return buf[:size], 0
}

// creationMode returns the permissions of an object that is to be made in this directory.
// They come with the umask, which a default ACL replaces.
func (n *node) creationMode(mode uint32) uint32 {
	perm, umask := splitMode(mode)
	if perm&umask == 0 || n.hasDefaultACL() {
		return perm
	}
	return perm &^ umask
}
