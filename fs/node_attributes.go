package fs

import (
	"context"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// plainTimeout is how long the kernel may answer for plain files by itself. All
// changes through the mount reach its caches at once: it is the time after which
// a change made behind clawfs's back is seen.
const plainTimeout = time.Second

// timeout returns how long the kernel may keep a name of a role and its attributes. A
// name that may be a registry's is asked for each time.
func (fsys *fileSystem) timeout(r role) time.Duration {
	if r == rolePlain && !fsys.without(KernelCache) {
		return plainTimeout
	}
	return 0
}

// attrTimeout returns how long the kernel may keep the attributes of a node whose role is r.
// A plain file with several names may be a registry by another one, by which it is changed
// without the kernel knowing that this is the same file.
func (fsys *fileSystem) attrTimeout(r role, links uint32, mode uint16) time.Duration {
	if links > 1 && mode&unix.S_IFMT != unix.S_IFDIR {
		return 0
	}
	return fsys.timeout(r)
}

// Getattr implements stat(2). Only lseek(2) names its handle.
func (n *node) Getattr(ctx context.Context, f fusefs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if n.files.any() {
		n.tellNewest(ctx)
	}
	errno := n.attrOut(ctx, out)
	if size, ok := sizeOf(f); ok && errno == 0 {
		out.Size = size
	}
	return errno
}

// Statx tells the facts that Getattr tells, and the time of birth.
func (n *node) Statx(ctx context.Context, _ fusefs.FileHandle, flags, mask uint32, out *fuse.StatxOut) syscall.Errno {
	if n.files.any() {
		n.tellNewest(ctx)
	}
	var stx unix.Statx_t
	if err := n.stat(ctx, &stx); err != nil {
		return plainErrno(err)
	}
	out.FromStatx(&stx)
	out.Ino = n.id.Ino
	out.SetTimeout(n.fsys.attrTimeout(n.role(), stx.Nlink, stx.Mode))
	return 0
}

// youth is how long a file that was written counts as one that may be renamed onto
// a registry next. The kernel would go on to know it by the registry's name until that
// times out, and a watch that is set in that time would be on the wrong object. It
// could be told to forget all names (FUSE_NOTIFY_INC_EPOCH), but with the name of a
// directory it takes away the mounts below, in a container for instance.
const youth = time.Minute

// nameTimeout returns how long the kernel may keep the node's name, for a role.
func (n *node) nameTimeout(r role) time.Duration {
	if r == rolePlain && n.fsys.lineages.find(n.id).youngerThan(youth) {
		return 0
	}
	return n.fsys.timeout(r)
}

// attrOut answers with the node's attributes.
func (n *node) attrOut(ctx context.Context, out *fuse.AttrOut) syscall.Errno {
	var stx unix.Statx_t
	if err := n.stat(ctx, &stx); err != nil {
		return plainErrno(err)
	}
	n.fillAttr(&stx, &out.Attr)
	out.SetTimeout(n.fsys.attrTimeout(n.role(), stx.Nlink, stx.Mode))
	return 0
}

// entryOut answers with a node found, or made, under a name whose role is r.
func (n *node) entryOut(r role, stx *unix.Statx_t, out *fuse.EntryOut) *fusefs.Inode {
	n.fillAttr(stx, &out.Attr)
	out.SetEntryTimeout(n.nameTimeout(r))
	out.SetAttrTimeout(n.fsys.attrTimeout(r, stx.Nlink, stx.Mode))
	return n.EmbeddedInode()
}

func (n *node) fillAttr(stx *unix.Statx_t, out *fuse.Attr) {
	*out = fuse.Attr{
		Ino:       n.id.Ino,
		Size:      stx.Size,
		Blocks:    stx.Blocks,
		Atime:     uint64(stx.Atime.Sec),
		Mtime:     uint64(stx.Mtime.Sec),
		Ctime:     uint64(stx.Ctime.Sec),
		Atimensec: stx.Atime.Nsec,
		Mtimensec: stx.Mtime.Nsec,
		Ctimensec: stx.Ctime.Nsec,
		Mode:      uint32(stx.Mode),
		Nlink:     stx.Nlink,
		Owner:     fuse.Owner{Uid: stx.Uid, Gid: stx.Gid},
		Rdev:      uint32(unix.Mkdev(stx.Rdev_major, stx.Rdev_minor)),
		Blksize:   stx.Blksize,
	}
}

// Setattr implements chmod, chown, truncate and utimensat. A file that is open for writing is
// truncated through its handle: its mode may have changed since.
func (n *node) Setattr(ctx context.Context, f fusefs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if errno := n.changeable(); errno != 0 {
		return errno
	}
	if isTellers(in) {
		if errno := n.answerTeller(ctx, in); errno != 0 {
			return errno
		}
		return n.Getattr(ctx, f, out)
	}
	if _, _, path, ok := n.registry(); ok || n.isRegistry() {
		if errno := n.setRegistry(ctx, path, f, in); errno != 0 {
			return errno
		}
	} else if err := n.pages.noteChange(n.fd, func() error { return n.setPlain(ctx, f, in) }); err != nil {
		return plainErrno(err)
	} else if _, sized := in.GetSize(); sized {
		n.changedBeside(ctx, 0)
	} else {
		n.heardBeside(newsOfAttributes(in))
	}
	return n.Getattr(ctx, f, out)
}

// setPlain applies the attributes that a request sets. The order matters: a change of the
// owner takes setuid and setgid away, a truncation sets times.
func (n *node) setPlain(ctx context.Context, f fusefs.FileHandle, in *fuse.SetAttrIn) error {
	if err := setOwnerAndMode(n.fd, in); err != nil {
		return err
	}
	if size, ok := in.GetSize(); ok {
		if err := n.truncate(ctx, f, int64(size)); err != nil {
			return err
		}
	}
	if in.Valid&fuse.FATTR_KILL_SUIDGID != 0 {
		if errno := n.dropPrivileges(ctx); errno != 0 {
			return errno
		}
	}
	return setTimes(n.fd, in)
}

// setRegistry is setPlain for a registry: a new size is a transaction.
func (n *node) setRegistry(ctx context.Context, path string, f fusefs.FileHandle, in *fuse.SetAttrIn) syscall.Errno {
	size, sized := in.GetSize()
	rest := n.remains(ctx)
	if h, ok := f.(*registryFile); sized && rest != nil && (!ok || h.tx == nil) {
		return rest.set(n, in)
	}
	if sized {
		if errno := n.truncateRegistry(ctx, path, f, int64(size)); errno != 0 {
			return errno
		}
	}
	if in.Valid&fuse.FATTR_KILL_SUIDGID != 0 {
		if errno := n.dropPrivileges(ctx); errno != 0 {
			return errno
		}
	}
	if rest == nil && n.stageTime(ctx, in) {
		rest := *in
		rest.Valid &^= fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW
		in = &rest
	}
	const metadata = fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_ATIME | fuse.FATTR_MTIME
	if in.Valid&metadata == 0 || sized && in.Valid&(metadata&^(fuse.FATTR_ATIME|fuse.FATTR_MTIME)) == 0 {
		return 0 // the times that come with a size are those of the commit
	}
	return registryErrno(n.changeObject(ctx, newsOfAttributes(in), func(fd int) error {
		if err := setOwnerAndMode(fd, in); err != nil {
			return err
		}
		return setTimes(fd, in)
	}))
}

// stageTime sets the modification time of the content that the caller has staged, even
// if the request came by another descriptor or name. It reports whether there was any.
func (n *node) stageTime(ctx context.Context, in *fuse.SetAttrIn) (staged bool) {
	if in.Valid&fuse.FATTR_MTIME == 0 {
		return false
	}
	to := time.Unix(int64(in.Mtime), int64(in.Mtimensec))
	if in.Valid&fuse.FATTR_MTIME_NOW != 0 {
		to = time.Time{}
	}
	files := n.fsys.registries.writtenBy(n)
	if len(files) == 0 {
		return false
	}
	caller := n.fsys.callers.of(ctx)
	for _, f := range files {
		if f.isOf(caller) && f.tx.SetTime(to) {
			staged = true
			f.keeps(nil)
		}
	}
	return staged
}

func setOwnerAndMode(fd int, in *fuse.SetAttrIn) error {
	if in.Valid&(fuse.FATTR_UID|fuse.FATTR_GID) != 0 {
		if err := chown(fd, in); err != nil {
			return err
		}
	}
	if mode, ok := in.GetMode(); ok {
		return chmod(fd, mode)
	}
	return nil
}

func chown(fd int, in *fuse.SetAttrIn) error {
	uid, gid := -1, -1
	if id, ok := in.GetUID(); ok {
		uid = int(id)
	}
	if id, ok := in.GetGID(); ok {
		gid = int(id)
	}
	return retry(func() error { return unix.Fchownat(fd, "", uid, gid, unix.AT_EMPTY_PATH) })
}

func chmod(fd int, mode uint32) error {
	return retry(func() error { return unix.Chmod(procPath(fd), mode) })
}

func (n *node) truncate(ctx context.Context, f fusefs.FileHandle, size int64) error {
	if size == 0 {
		n.fsys.lineages.find(n.id).begin()
	}
	if h, ok := f.(*plainFile); ok && h.writable {
		return h.truncate(ctx, size)
	}
	return retry(func() error { return unix.Truncate(procPath(n.fd), size) })
}

func setTimes(fd int, in *fuse.SetAttrIn) error {
	if in.Valid&(fuse.FATTR_ATIME|fuse.FATTR_MTIME) == 0 {
		return nil
	}
	times := [2]unix.Timespec{
		timespec(in.Valid&fuse.FATTR_ATIME != 0, in.Valid&fuse.FATTR_ATIME_NOW != 0, in.Atime, in.Atimensec),
		timespec(in.Valid&fuse.FATTR_MTIME != 0, in.Valid&fuse.FATTR_MTIME_NOW != 0, in.Mtime, in.Mtimensec),
	}
	return retry(func() error { return unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH) })
}

func timespec(set, now bool, sec uint64, nsec uint32) unix.Timespec {
	switch {
	case !set:
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	case now:
		return unix.Timespec{Nsec: unix.UTIME_NOW}
	}
	return unix.Timespec{Sec: int64(sec), Nsec: int64(nsec)}
}

// dropPrivileges takes setuid away, and setgid where it means one, as a write by
// somebody without privileges does. The daemon's own writes would leave them, and so
// would content of a registry that is refused.
func (n *node) dropPrivileges(ctx context.Context) syscall.Errno {
	switch {
	case !n.privileged.Load():
		return 0
	case n.isRegistry():
		return registryErrno(n.changeObject(ctx, newsAttrib, dropPrivilegesOf))
	}
	return plainErrno(dropPrivilegesOf(n.fd))
}

// dropUnlessRoot is dropPrivileges for the requests that change content without telling the
// rights of their caller. Only root keeps setuid and setgid.
func (n *node) dropUnlessRoot(ctx context.Context) syscall.Errno {
	if caller, ok := fuse.FromContext(ctx); ok && caller.Uid == 0 {
		return 0
	}
	return n.dropPrivileges(ctx)
}

func dropPrivilegesOf(fd int) error {
	var stx unix.Statx_t
	if err := statFD(fd, &stx); err != nil {
		return err
	}
	const groupRuns = unix.S_ISGID | unix.S_IXGRP
	mode := stx.Mode & 0o7777 &^ unix.S_ISUID
	if mode&groupRuns == groupRuns {
		mode &^= unix.S_ISGID
	}
	if stx.Mode&unix.S_IFMT != unix.S_IFREG || mode == stx.Mode&0o7777 {
		return nil
	}
	return chmod(fd, uint32(mode))
}

// dropSetgid takes setgid away.
func (n *node) dropSetgid(ctx context.Context) error {
	return n.changeObject(ctx, newsAttrib, func(fd int) error {
		var stx unix.Statx_t
		if err := statFD(fd, &stx); err != nil || stx.Mode&unix.S_ISGID == 0 {
			return err
		}
		return chmod(fd, uint32(stx.Mode&0o7777&^unix.S_ISGID))
	})
}
