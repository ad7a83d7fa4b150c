package fs

import (
	"context"
	"io"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// copyLimit bounds the bytes that one request copies. The kernel asks again for the
// rest; nothing can interrupt a request.
const copyLimit = 128 << 20

// documentLimit bounds the bytes that one request copies out of or into a registry.
const documentLimit = 8 << 20

// manyEnds is how often a program may copy from behind the end. One that has been
// told a larger size, because it has a larger version open as well, would try for
// ever: libuv's copy does.
const manyEnds = 64

// CopyFileRange copies from this node's handle to another's. A file that a registry is
// copied into holds a version of it then, which is remembered. The process that copies
// has seen nothing.
func (n *node) CopyFileRange(ctx context.Context, from fusefs.FileHandle, offIn uint64, _ *fusefs.Inode, to fusefs.FileHandle, offOut, size, flags uint64) (uint32, syscall.Errno) {
	src, dst := int64(offIn), int64(offOut)
	switch in := from.(type) {
	case *plainFile:
		switch out := to.(type) {
		case *plainFile:
			return in.copyTo(ctx, out, src, dst, int(min(size, copyLimit)), int(flags))
		case *registryFile:
			return out.copyFrom(ctx, in, src, dst, int(min(size, documentLimit)))
		}
	case *registryFile:
		return in.copyTo(ctx, to, src, dst, int(min(size, documentLimit)))
	}
	return 0, syscall.EXDEV // the kernel copies by itself
}

// copyTo copies between plain files within the backing file system. The kernel then drops
// the pages that were copied over. Bytes that a program has stored to such a page through a
// mapping meanwhile would go with it, even those beside the copied ones. Where a program may
// do so the kernel is told to copy by itself, page by page.
func (f *plainFile) copyTo(ctx context.Context, out *plainFile, src, dst int64, size, flags int) (uint32, syscall.Errno) {
	if out.node.pages.canBeMapped() {
		out.inherit(f)
		return 0, syscall.EXDEV
	}
	if errno := out.node.dropUnlessRoot(ctx); errno != 0 {
		return 0, errno
	}
	defer out.changing()()
	var copied int
	err := out.change(func() (err error) {
		copied, err = unix.CopyFileRange(f.fd, &src, out.fd, &dst, size, flags)
		return err
	})
	if err != nil {
		return 0, plainErrno(err)
	}
	out.lineage.note(out.node.fsys, ctx, out.opened, out.closed.Load(), "")
	out.inherit(f)
	if err := out.restage(ctx); err != nil {
		return 0, commitErrno(err)
	}
	out.node.changedBeside(ctx, out.thread)
	return uint32(copied), 0
}

// inherit has the file's lineage include that of a file that is copied into it.
func (f *plainFile) inherit(from *plainFile) {
	f.lineage.inherit(f.node.fsys.lineages.find(from.node.stableID()).get())
}

// copyFrom stages a part of a plain file.
func (f *registryFile) copyFrom(ctx context.Context, in *plainFile, src, dst int64, size int) (uint32, syscall.Errno) {
	buf := make([]byte, size)
	var read int
	err := retry(func() (err error) {
		read, err = unix.Pread(in.fd, buf, src)
		return err
	})
	if err != nil {
		return 0, plainErrno(err)
	}
	if read == 0 {
		return 0, 0
	}
	return f.Write(ctx, buf[:read], dst)
}

// copyTo copies a part of the registry's content, or of staged content.
func (f *registryFile) copyTo(ctx context.Context, to fusefs.FileHandle, src, dst int64, size int) (uint32, syscall.Errno) {
	data, errno := f.content(ctx, src, size)
	if errno == 0 && len(data) == 0 && f.ends.Add(1) > manyEnds {
		return 0, syscall.EIO
	}
	if errno != 0 || len(data) == 0 {
		return 0, errno
	}
	switch out := to.(type) {
	case *registryFile:
		return out.Write(ctx, data, dst)
	case *plainFile:
		if errno := out.node.dropUnlessRoot(ctx); errno != 0 {
			return 0, errno
		}
		n, errno := out.Write(ctx, data, dst)
		if errno == 0 && f.tx == nil {
			out.lineage.copied(f.snapshot.Load().Copied())
		}
		return n, errno
	}
	return 0, syscall.EXDEV
}

// content returns a part of the content that the handle shows. It does not count as
// seen, unless it is the process's own.
func (f *registryFile) content(ctx context.Context, off int64, size int) ([]byte, syscall.Errno) {
	if c := f.changed(); c != nil {
		buf := make([]byte, size)
		n, err := c.ReadAt(buf, off)
		if err != nil && err != io.EOF {
			return nil, plainErrno(err)
		}
		return buf[:n], 0
	}
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	f.turn(ctx, off, int64(size))
	if s := f.snapshot.Load(); s != nil {
		b := part(s.Version().Bytes(), off, size)
		f.reading.passed(off+int64(len(b)), s.Size())
		return b, 0
	}
	buf := make([]byte, max(0, min(int64(size), f.tx.Size()-off)))
	if len(buf) == 0 {
		return nil, 0
	}
	n, err := f.tx.ReadAt(f.callerOf(ctx), buf, off)
	if n == 0 {
		return nil, registryErrno(err)
	}
	f.reading.passed(off+int64(n), f.tx.Size())
	return buf[:n], 0
}
