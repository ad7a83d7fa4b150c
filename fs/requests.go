package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// requests stands between the kernel and go-fuse's fs package, for three things that
// go-fuse's keeps to itself: the umask of a creation, the flags that say that a
// caller has no privileges, and the counting of references.
type requests struct {
	fuse.RawFileSystem
	fsys *fileSystem
}

// The modes that come with requests have room for the umask.
const umaskShift = 16

func joinMode(mode, umask uint32) uint32 { return mode&0xffff | umask&0o777<<umaskShift }

func splitMode(mode uint32) (perm, umask uint32) { return mode & 0o7777, mode >> umaskShift & 0o777 }

// node returns the node that a request is on.
func (r *requests) node(id uint64) *node {
	if id == rootID {
		return r.fsys.root
	}
	return r.fsys.nodes.get(id)
}

// Lookup refuses the names by which an NFS server asks: nothing is exported.
func (r *requests) Lookup(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if name == "." || name == ".." {
		return fuse.ENOTSUP
	}
	status := r.RawFileSystem.Lookup(cancel, header, name, out)
	if status == fuse.ENOENT {
		return r.absent(header.NodeId, name, out)
	}
	r.number(out)
	return status
}

// absent answers that there is nothing of a name. The kernel may keep that as long as
// the attributes of a file of that name.
func (r *requests) absent(parent uint64, name string, out *fuse.EntryOut) fuse.Status {
	n := r.node(parent)
	if n == nil {
		return fuse.ENOENT
	}
	timeout := r.fsys.timeout(n.roleOf(name, unix.S_IFREG))
	if timeout == 0 || mayBeDirectory(name) {
		return fuse.ENOENT
	}
	*out = fuse.EntryOut{}
	out.SetEntryTimeout(timeout)
	return fuse.OK
}

// number has a reply tell the number that programs see. go-fuse takes the node's id.
func (r *requests) number(out *fuse.EntryOut) {
	if out.NodeId != 0 {
		r.numberAttr(out.NodeId, &out.Attr)
	}
}

func (r *requests) numberAttr(id uint64, out *fuse.Attr) {
	if n := r.node(id); n != nil {
		out.Ino = n.number.Load()
	}
}

// Forget ends references. go-fuse goes first: a node that it still finds must
// not be closed.
func (r *requests) Forget(id, count uint64) {
	r.RawFileSystem.Forget(id, count)
	r.fsys.nodes.forget(id, count)
}

// Create passes the umask on.
func (r *requests) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	in.Mode = joinMode(in.Mode, in.Umask)
	status := r.RawFileSystem.Create(cancel, in, name, out)
	r.number(&out.EntryOut)
	if status.Ok() && in.OpenFlags&fuse.OPEN_KILL_SUIDGID != 0 {
		return r.dropPrivileges(cancel, in.Caller, out.NodeId)
	}
	return status
}

// Tmpfile passes the umask on.
func (r *requests) Tmpfile(cancel <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	in.Mode = joinMode(in.Mode, in.Umask)
	status := r.RawFileSystem.Tmpfile(cancel, in, out)
	r.number(&out.EntryOut)
	return status
}

// Mkdir passes the umask on.
func (r *requests) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	in.Mode = joinMode(in.Mode, in.Umask)
	status := r.RawFileSystem.Mkdir(cancel, in, name, out)
	r.number(out)
	return r.relinked(status, in.NodeId)
}

// Rmdir has the kernel ask for the parent's attributes anew.
func (r *requests) Rmdir(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	return r.relinked(r.RawFileSystem.Rmdir(cancel, header, name), header.NodeId)
}

// Rename has the kernel ask for the attributes of both parents anew.
func (r *requests) Rename(cancel <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	status := r.RawFileSystem.Rename(cancel, in, from, to)
	if in.NodeId == in.Newdir {
		return status
	}
	return r.relinked(status, in.NodeId, in.Newdir)
}

// relinked has the kernel ask for the attributes of directories anew, if a request that changes
// their link counts has succeeded. The kernel does so by itself, but takes the answer to an
// earlier question for the new one, if somebody has asked at the same time.
func (r *requests) relinked(status fuse.Status, dirs ...uint64) fuse.Status {
	for _, id := range dirs {
		if n := r.node(id); status.Ok() && n != nil {
			n.forgetAttributes()
		}
	}
	return status
}

// Symlink tells the number that programs see.
func (r *requests) Symlink(cancel <-chan struct{}, header *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	status := r.RawFileSystem.Symlink(cancel, header, target, name, out)
	r.number(out)
	return status
}

// Mknod passes the umask on.
func (r *requests) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	in.Mode = joinMode(in.Mode, in.Umask)
	status := r.RawFileSystem.Mknod(cancel, in, name, out)
	r.number(out)
	return status
}

// Link tells the number that programs see.
func (r *requests) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	status := r.RawFileSystem.Link(cancel, in, name, out)
	r.number(out)
	return status
}

// SetAttr tells the number that programs see.
func (r *requests) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	status := r.RawFileSystem.SetAttr(cancel, in, out)
	r.numberAttr(in.NodeId, &out.Attr)
	return status
}

// Open takes setuid and setgid away where somebody without privileges truncates.
func (r *requests) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if r.fsys.crowd.tell != nil {
		r.fsys.crowd.opened(in.Pid, monotonic)
	}
	if in.Mode&fuse.OPEN_KILL_SUIDGID != 0 {
		if status := r.dropPrivileges(cancel, in.Caller, in.NodeId); !status.Ok() {
			return status
		}
	}
	return r.RawFileSystem.Open(cancel, in, out)
}

// Writev takes setuid and setgid away where somebody without privileges writes.
func (r *requests) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	if in.WriteFlags&fuse.WRITE_KILL_SUIDGID != 0 {
		if status := r.dropPrivileges(cancel, in.Caller, in.NodeId); !status.Ok() {
			return 0, status
		}
	}
	// Bytes that were stored through a shared mapping come without their writer, by any
	// handle that is open for writing. Where there are several they might be taken for
	// somebody else's.
	if n := r.node(in.NodeId); in.WriteFlags&fuse.WRITE_CACHE != 0 && n != nil && n.files.writers() > 1 {
		return 0, fuse.EIO
	}
	return r.RawFileSystem.Writev(cancel, in, data)
}

// SetXAttr takes setgid away where an ACL is set by somebody outside the file's
// group.
func (r *requests) SetXAttr(cancel <-chan struct{}, in *fuse.SetXAttrIn, attr string, data []byte) fuse.Status {
	status := r.RawFileSystem.SetXAttr(cancel, in, attr, data)
	if status.Ok() && in.SetXAttrFlags&fuse.SETXATTR_ACL_KILL_SGID != 0 {
		ctx := &fuse.Context{Caller: in.Caller, Cancel: cancel}
		return fuse.Status(plainErrno(r.node(in.NodeId).dropSetgid(ctx)))
	}
	return status
}

// Read tells readings of the kernel for a mapping, which are for nobody in particular, from
// those of a program.
func (r *requests) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if in.ReadFlags&fuse.READ_LOCKOWNER == 0 {
		if n := r.node(in.NodeId); n != nil && n.isRegistry() {
			in.Offset |= pageRead
		}
	}
	return r.RawFileSystem.Read(cancel, in, buf)
}

func (r *requests) dropPrivileges(cancel <-chan struct{}, caller fuse.Caller, id uint64) fuse.Status {
	n := r.node(id)
	if n == nil || n.own {
		return fuse.OK
	}
	return fuse.Status(n.dropPrivileges(&fuse.Context{Caller: caller, Cancel: cancel}))
}

// Statx tells the number that programs see.
func (r *requests) Statx(cancel <-chan struct{}, in *fuse.StatxIn, out *fuse.StatxOut) fuse.Status {
	status := r.RawFileSystem.Statx(cancel, in, out)
	if n := r.node(in.NodeId); n != nil {
		out.Ino = n.number.Load()
	}
	return status
}

// GetAttr tells apart whether the request names a handle: go-fuse would pass any
// one that is open.
func (r *requests) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	n := r.node(in.NodeId)
	var status fuse.Status
	if n == nil || in.Flags()&fuse.FUSE_GETATTR_FH != 0 {
		status = r.RawFileSystem.GetAttr(cancel, in, out)
	} else {
		status = fuse.Status(n.Getattr(&fuse.Context{Caller: in.Caller, Cancel: cancel}, nil, out))
	}
	r.numberAttr(in.NodeId, &out.Attr)
	return status
}
