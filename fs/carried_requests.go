package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/fs/takeover"
)

// All requests, as carried prepares them.

// Lookup keeps the ledger.
func (c *carried) Lookup(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if status := c.node(header.NodeId); !status.Ok() {
		return c.mayLookAgain(status, header.Pid)
	}
	return c.refers(c.requests.Lookup(cancel, header, name, out), header.NodeId, name, out)
}

// Forget ends references: of the file system's all at once, when the kernel has none left.
func (c *carried) Forget(id, count uint64) {
	if given := c.ledger.Forget(id, count); given > 0 {
		c.requests.Forget(id, given)
	}
}

// GetAttr brings node and handle back.
func (c *carried) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	if in.Flags()&fuse.FUSE_GETATTR_FH != 0 {
		if status := c.handle(in.NodeId, in.Caller, &in.Fh_); !status.Ok() {
			return status
		}
	}
	return c.requests.GetAttr(cancel, in, out)
}

// Statx brings node and handle back.
func (c *carried) Statx(cancel <-chan struct{}, in *fuse.StatxIn, out *fuse.StatxOut) fuse.Status {
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	if in.GetattrFlags&fuse.FUSE_GETATTR_FH != 0 {
		if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
			return status
		}
	}
	return c.requests.Statx(cancel, in, out)
}

// SetAttr brings node and handle back. A truncation of a registry is a commit, unless it is by a handle, and done once.
func (c *carried) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	if isTellers(in) && takeover.IsResent(in.Unique) { // of the teller of a daemon before: by the answer the kernel tells watchers
		return c.requests.GetAttr(cancel, &fuse.GetAttrIn{InHeader: in.InHeader}, out)
	}
	if n := c.requests.node(in.NodeId); in.Valid&(fuse.FATTR_SIZE|fuse.FATTR_FH) == fuse.FATTR_SIZE && n != nil && n.role() == roleRegistry {
		done, status := c.truncates(&in.InHeader)
		switch {
		case !status.Ok():
			return status
		case done:
			return c.requests.GetAttr(cancel, &fuse.GetAttrIn{InHeader: in.InHeader}, out)
		}
		defer c.renaming(&in.InHeader, takeover.Number(in.Unique))()
	}
	if in.Valid&fuse.FATTR_FH != 0 {
		if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
			return status
		}
	}
	return c.requests.SetAttr(cancel, in, out)
}

// Mknod is done once.
func (c *carried) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return c.makes(cancel, &in.InHeader, ledger.Intent{Op: opMknod, Name: name}, out, func() fuse.Status {
		return c.requests.Mknod(cancel, in, name, out)
	})
}

// Mkdir is done once.
func (c *carried) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return c.makes(cancel, &in.InHeader, ledger.Intent{Op: opMkdir, Name: name}, out, func() fuse.Status {
		return c.requests.Mkdir(cancel, in, name, out)
	})
}

// Symlink is done once.
func (c *carried) Symlink(cancel <-chan struct{}, header *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return c.makes(cancel, header, ledger.Intent{Op: opSymlink, Name: name}, out, func() fuse.Status {
		return c.requests.Symlink(cancel, header, target, name, out)
	})
}

// Link is done once.
func (c *carried) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return c.makes(cancel, &in.InHeader, ledger.Intent{Op: opLink, Name: name, NewDir: in.Oldnodeid}, out, func() fuse.Status {
		return c.requests.Link(cancel, in, name, out)
	})
}

// Unlink is done once. It notes another name of the object, if it has one.
func (c *carried) Unlink(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	i := ledger.Intent{Op: opUnlink, Name: name}
	done, status := c.attempt(header, &i)
	if done || !status.Ok() {
		return status
	}
	status = c.requests.Unlink(cancel, header, name)
	if status.Ok() {
		c.removed(i.Node, i.Dir, name)
	}
	return status
}

// Rmdir is done once.
func (c *carried) Rmdir(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	done, status := c.attempt(header, &ledger.Intent{Op: opRmdir, Name: name})
	if done || !status.Ok() {
		return status
	}
	return c.requests.Rmdir(cancel, header, name)
}

// Rename is done once. It notes the new names, and another name of the file that was
// replaced.
func (c *carried) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	i := ledger.Intent{Op: opRename, Flags: in.Flags, Name: oldName, NewDir: in.Newdir, NewName: newName}
	done, status := c.attempt(&in.InHeader, &i)
	if done || !status.Ok() {
		return status
	}
	_, replaced := c.standsFor(in.Newdir, newName)
	defer c.renaming(&in.InHeader, i.Unique)()
	status = c.requests.Rename(cancel, in, oldName, newName)
	if status.Ok() {
		c.removed(replaced, in.Newdir, newName)
		c.found(in.NodeId, oldName)
		c.found(in.Newdir, newName)
		c.movedRegistry(in.NodeId, oldName)
		c.movedRegistry(in.Newdir, newName)
	}
	return status
}

// Readlink brings the node back.
func (c *carried) Readlink(cancel <-chan struct{}, header *fuse.InHeader) ([]byte, fuse.Status) {
	if status := c.node(header.NodeId); !status.Ok() {
		return nil, status
	}
	return c.requests.Readlink(cancel, header)
}

// Access brings the node back.
func (c *carried) Access(cancel <-chan struct{}, in *fuse.AccessIn) fuse.Status {
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	return c.requests.Access(cancel, in)
}

// GetXAttr brings the node back.
func (c *carried) GetXAttr(cancel <-chan struct{}, header *fuse.InHeader, attr string, dest []byte) (uint32, fuse.Status) {
	if status := c.node(header.NodeId); !status.Ok() {
		return 0, status
	}
	return c.requests.GetXAttr(cancel, header, attr, dest)
}

// ListXAttr brings the node back.
func (c *carried) ListXAttr(cancel <-chan struct{}, header *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	if status := c.node(header.NodeId); !status.Ok() {
		return 0, status
	}
	return c.requests.ListXAttr(cancel, header, dest)
}

// SetXAttr creates an attribute once, if it is to create it.
func (c *carried) SetXAttr(cancel <-chan struct{}, in *fuse.SetXAttrIn, attr string, data []byte) fuse.Status {
	if in.Flags&unix.XATTR_CREATE != 0 {
		if done, status := c.attempts(&in.InHeader, opSetXattr, attr); done || !status.Ok() {
			return status
		}
	}
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	return c.requests.SetXAttr(cancel, in, attr, data)
}

// RemoveXAttr is done once.
func (c *carried) RemoveXAttr(cancel <-chan struct{}, header *fuse.InHeader, attr string) fuse.Status {
	if done, status := c.attempts(header, opRemoveXattr, attr); done || !status.Ok() {
		return status
	}
	return c.requests.RemoveXAttr(cancel, header, attr)
}

// StatFs brings the node back.
func (c *carried) StatFs(cancel <-chan struct{}, header *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	if status := c.node(header.NodeId); !status.Ok() {
		return status
	}
	return c.requests.StatFs(cancel, header, out)
}

// Create makes a file once; one that a daemon before has made it opens.
func (c *carried) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	done, status := c.attempt(&in.InHeader, &ledger.Intent{Op: opCreate, Name: name})
	if status.Ok() {
		status = c.node(in.NodeId)
	}
	if !status.Ok() {
		return status
	}
	if done {
		in.Flags &^= unix.O_EXCL
	}
	return c.created(c.requests.Create(cancel, in, name, out), in, name, out)
}

// Tmpfile keeps the ledger. The file has no name, so that it is not brought back.
func (c *carried) Tmpfile(cancel <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	return c.created(c.requests.Tmpfile(cancel, in, out), in, nameless, out)
}

func (c *carried) created(status fuse.Status, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	c.opensAnew(&in.InHeader) // last: while somebody has it open, a file that is being created stays
	if status.Ok() {
		c.refers(status, in.NodeId, name, &out.EntryOut)
		c.opens(&in.InHeader, out.NodeId, in.Flags, c.kindOf(out.NodeId, &out.OpenOut), &out.OpenOut)
	}
	return status
}

// Open gives the handle a number of its own.
func (c *carried) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	c.opensAnew(&in.InHeader)
	again := c.looksAgain(in.Pid)
	if status := c.node(in.NodeId); !status.Ok() {
		return c.mayLookAgain(status, in.Pid)
	}
	if n := c.requests.node(in.NodeId); again && n != nil && n.isRegistry() {
		defer c.fsys.registries.insist(n, int(in.Pid))()
	}
	status := c.mayLookAgain(c.requests.Open(cancel, in, out), in.Pid)
	if status != fuse.Status(unix.ESTALE) {
		c.opening.Store(takeover.Number(in.Unique), opening{thread: in.Pid})
	}
	if status.Ok() {
		c.opens(&in.InHeader, in.NodeId, in.Flags, c.kindOf(in.NodeId, out), out)
	}
	return status
}

// OpenDir gives the handle a number of its own.
func (c *carried) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	c.opensAnew(&in.InHeader)
	if status := c.node(in.NodeId); !status.Ok() {
		return status
	}
	status := c.requests.OpenDir(cancel, in, out)
	if status.Ok() {
		c.opens(&in.InHeader, in.NodeId, in.Flags, ledger.Directory, out)
	}
	return status
}

// Read brings the handle back.
func (c *carried) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return nil, status
	}
	return c.requests.Read(cancel, in, buf)
}

// Writev brings the handle back.
func (c *carried) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	number := in.Fh
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return 0, status
	}
	h, _ := c.ledger.Handle(number)
	if h.Kind != ledger.Registry || h.Flags&unix.O_APPEND == 0 {
		return c.requests.Writev(cancel, in, data)
	}
	done, status := c.appends(&in.InHeader, number)
	if !status.Ok() {
		return 0, status
	}
	if done {
		return in.Size, fuse.OK
	}
	defer c.renaming(&in.InHeader, takeover.Number(in.Unique))()
	return c.requests.Writev(cancel, in, data)
}

// CopyFileRange brings both handles back.
func (c *carried) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	if status := c.handle(in.NodeId, in.Caller, &in.FhIn); !status.Ok() {
		return 0, status
	}
	if status := c.handle(in.NodeIdOut, in.Caller, &in.FhOut); !status.Ok() {
		return 0, status
	}
	return c.requests.CopyFileRange(cancel, in)
}

// Ioctl brings the handle back. A setting of a registry's transaction goes with its daemon.
func (c *carried) Ioctl(cancel <-chan struct{}, in *fuse.IoctlIn, inbuf []byte, out *fuse.IoctlOut, outbuf []byte) fuse.Status {
	number := in.Fh
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	status := c.requests.Ioctl(cancel, in, inbuf, out, outbuf)
	if _, harmless := ioctlSize(in.Cmd); status.Ok() && !harmless {
		c.ledger.Stages(number, true)
	}
	return status
}

// Lseek brings the handle back.
func (c *carried) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	return c.requests.Lseek(cancel, in, out)
}

// Flush brings the handle back.
func (c *carried) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	return c.requests.Flush(cancel, in)
}

// Fsync brings the handle back.
func (c *carried) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	return c.requests.Fsync(cancel, in)
}

// FsyncDir brings the handle back.
func (c *carried) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	return c.requests.FsyncDir(cancel, in)
}

// Fallocate brings the handle back.
func (c *carried) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	return c.requests.Fallocate(cancel, in)
}

// ReadDir brings the handle back.
func (c *carried) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	return c.requests.ReadDir(cancel, in, out)
}

// ReadDirPlus brings the handle back. The node that it looks up is noted.
func (c *carried) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	if status := c.handle(in.NodeId, in.Caller, &in.Fh); !status.Ok() {
		return status
	}
	status := c.requests.ReadDirPlus(cancel, in, out)
	if status.Ok() {
		c.listed(in.NodeId, out.Bytes())
	}
	return status
}

// Release forgets the handle.
func (c *carried) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	c.releases(in.Fh, func(inner uint64) {
		in.Fh = inner
		c.requests.Release(cancel, in)
	})
}

// ReleaseDir forgets the handle.
func (c *carried) ReleaseDir(in *fuse.ReleaseIn) {
	c.releases(in.Fh, func(inner uint64) {
		in.Fh = inner
		c.requests.ReleaseDir(in)
	})
}
