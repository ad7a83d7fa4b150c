package fs

import (
	"context"
	"sync/atomic"
	"syscall"
	"unsafe"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// plainFile is an open plain file, or an open file below .clawfs: a descriptor
// of the backing file, on which offsets come with each request.
type plainFile struct {
	node     *node
	fd       int
	flags    uint32 // of its open(2)
	thread   int    // of its open(2)
	writable bool
	opened   txn.Tick
	lineage  *lineage    // if writable
	closed   atomic.Bool // one of its descriptors was
	tx       *txn.Tx     // of the registry that it was renamed onto; nil: it was not
	closing  closing
}

// plainFlags returns the flags with which the backing file is opened. The kernel
// has dealt with O_APPEND and O_DIRECT itself: its requests have absolute
// offsets, and unaligned buffers.
func plainFlags(flags uint32) int {
	const kept = unix.O_ACCMODE | unix.O_TRUNC | unix.O_SYNC | unix.O_DSYNC | unix.O_NOATIME
	return int(flags)&kept | unix.O_LARGEFILE | unix.O_NOCTTY
}

func writes(flags uint32) bool { return flags&unix.O_ACCMODE != unix.O_RDONLY }

// newPlainFile makes a handle of a descriptor, which it takes over, and says how
// the kernel is to use it. The pages of a plain file stay valid from one open to
// the next unless it was changed otherwise than through the kernel.
func newPlainFile(ctx context.Context, n *node, fd int, flags uint32) (*plainFile, uint32) {
	var fuseFlags uint32
	keep := n.pages.noteOpen(fd, flags)
	switch {
	case n.own:
		fuseFlags = fuse.FOPEN_DIRECT_IO // the daemon writes there itself
	case keep && !n.fsys.without(KernelCache):
		fuseFlags = fuse.FOPEN_KEEP_CACHE
	}
	n.plainFiles.Add(1)
	f := &plainFile{node: n, fd: fd, flags: flags, thread: threadOf(ctx), writable: writes(flags), opened: n.fsys.store.Now()}
	if !f.writable {
		fuseFlags |= fuse.FOPEN_NOFLUSH
	} else {
		n.writers.add(f)
		f.lineage = n.fsys.lineages.use(n.id)
		if flags&unix.O_TRUNC != 0 {
			f.lineage.begin()
		}
	}
	return f, fuseFlags
}

// Open opens a regular file.
func (n *node) Open(ctx context.Context, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	if writes(flags) || flags&unix.O_TRUNC != 0 {
		if errno := n.changeable(); errno != 0 {
			return nil, 0, errno
		}
	}
	if n.fsys.tells(ctx) != nil && !n.own {
		n.fsys.registries.clearNews(n, newsClose)
		return openedToTell{}, fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH, 0
	}
	if r := n.remains(ctx); r != nil && (writes(flags) || flags&unix.O_TRUNC != 0 || n.changed() != nil) {
		return r.open(n, flags)
	}
	if dir, base, path, ok := n.registry(); ok {
		return n.openRegistry(ctx, dir, base, path, flags)
	}
	if n.isRegistry() {
		return nil, 0, syscall.ESTALE // its name has come to mean something else: the kernel looks again
	}
	fd, err := n.reopen(plainFlags(flags))
	if err != nil {
		return nil, 0, plainErrno(err)
	}
	h, fuseFlags := newPlainFile(ctx, n, fd, flags)
	if flags&unix.O_TRUNC != 0 {
		n.changedBeside(ctx, 0)
	}
	return h, fuseFlags, 0
}

// Read reads at an offset. Large reads are spliced.
func (f *plainFile) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if len(dest) >= splicedFrom && len(dest) < maxWrite {
		return fuse.ReadResultFd(uintptr(f.fd), off, len(dest)), 0
	}
	var n int
	err := retry(func() (err error) {
		n, err = unix.Pread(f.fd, dest, off)
		return err
	})
	if err != nil {
		return nil, plainErrno(err)
	}
	return inMemory(dest[:n]), 0
}

// inMemory answers with bytes that are in memory. They are written to the kernel
// as they are, without the detour through a pipe that go-fuse tries else.
func inMemory(b []byte) fuse.ReadResult { return fuse.ReadResultVector([][]byte{b}) }

// splicedFrom is the size from which splicing costs less than copying. The largest
// reads have no room for their header in a pipe.
const splicedFrom = 64 << 10

// Write writes at an offset.
func (f *plainFile) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	f.lineage.note(f.node.fsys, ctx, f.opened, f.closed.Load(), "")
	defer f.node.pages.zeroing.writing(data, off)()
	defer f.changing()()
	if f.tx != nil {
		if err := f.stage(ctx, data, off); err != nil {
			return 0, commitErrno(err)
		}
	}
	var n int
	err := f.change(func() (err error) {
		n, err = unix.Pwrite(f.fd, data, off)
		return err
	})
	if err != nil {
		return 0, plainErrno(err)
	}
	f.node.changedBeside(ctx, f.thread)
	return uint32(n), 0
}

// change changes the content of the file.
func (f *plainFile) change(how func() error) error {
	return f.node.pages.noteChange(f.fd, func() error { return retry(how) })
}

// Flush is one close of one descriptor that was opened for writing. File systems that report errors of
// writing at close are asked by closing a duplicate.
func (f *plainFile) Flush(ctx context.Context) syscall.Errno {
	f.closed.Store(true)
	if tx := f.moved(); tx != nil {
		return f.flushMoved(ctx, tx)
	}
	fd, err := unix.FcntlInt(uintptr(f.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0 // no descriptor left: the close itself succeeds
	}
	if err := unix.Close(fd); err != unix.EINTR {
		return plainErrno(err)
	}
	return 0
}

// Fsync makes the file durable.
func (f *plainFile) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	if tx := f.moved(); tx != nil {
		return f.syncMoved(ctx, tx)
	}
	return plainErrno(syncFD(f.fd, flags))
}

func syncFD(fd int, flags uint32) error {
	const dataOnly = 1 // FUSE_FSYNC_FDATASYNC
	if flags&dataOnly != 0 {
		return retry(func() error { return unix.Fdatasync(fd) })
	}
	return retry(func() error { return unix.Fsync(fd) })
}

// Release is the end of the last descriptor.
func (f *plainFile) Release(ctx context.Context) syscall.Errno {
	f.node.plainFiles.Add(-1)
	f.node.pages.noteClose(f.flags)
	if f.writable {
		f.node.writers.remove(f)
		f.node.fsys.lineages.release(f.lineage)
		f.node.heardBeside(newsClose)
		if f.tx != nil {
			f.releaseMoved(f.tx)
		}
	}
	closeFD(f.fd)
	return 0
}

// Allocate implements fallocate(2).
func (f *plainFile) Allocate(ctx context.Context, off, size uint64, mode uint32) syscall.Errno {
	if errno := f.node.dropUnlessRoot(ctx); errno != 0 {
		return errno
	}
	allocate := func() error {
		defer f.changing()()
		err := f.change(func() error { return unix.Fallocate(f.fd, mode, int64(off), int64(size)) })
		if err == nil {
			err = f.restage(ctx)
		}
		if err == nil {
			f.node.changedBeside(ctx, f.thread)
		}
		return err
	}
	if mode&(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_ZERO_RANGE) != 0 && f.node.pages.canBeMapped() {
		return plainErrno(f.zero(int64(off), int64(size), allocate))
	}
	return plainErrno(allocate())
}

// zero makes a range zero that others may store to through a mapping. When it returns
// the kernel has no page with the old bytes, and none is on its way.
func (f *plainFile) zero(off, size int64, allocate func() error) error {
	f.node.pages.zeroing.begin(off, off+size)
	defer f.node.pages.zeroing.end()
	if err := allocate(); err != nil {
		return err
	}
	_ = f.node.NotifyContent(off, size) // writes them, and drops them
	return nil
}

// Lseek finds data and holes.
func (f *plainFile) Lseek(ctx context.Context, off uint64, whence uint32) (uint64, syscall.Errno) {
	pos, err := unix.Seek(f.fd, int64(off), int(whence))
	if err != nil {
		return 0, plainErrno(err)
	}
	return uint64(pos), 0
}

// Ioctl passes on the requests that only read a file's flags: lsattr and cp rely on them.
// An ioctl runs with the daemon's rights, and some of the others destroy the file system
// below.
func (f *plainFile) Ioctl(ctx context.Context, cmd uint32, arg uint64, input, output []byte) (int32, syscall.Errno) {
	return harmlessIoctl(f.fd, cmd, output)
}

func harmlessIoctl(fd int, cmd uint32, output []byte) (int32, syscall.Errno) {
	size, ok := ioctlSize(cmd)
	if !ok || len(output) < size {
		return 0, syscall.ENOTTY
	}
	result, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(cmd), uintptr(unsafe.Pointer(&output[0])))
	if errno == syscall.EOPNOTSUPP {
		errno = syscall.ENOTTY
	}
	return int32(result), errno
}

// ioctlSize returns the size of a harmless ioctl's result.
func ioctlSize(cmd uint32) (size int, ok bool) {
	const fsIocFsgetxattr = 0x801c581f // struct fsxattr
	switch cmd {
	case unix.FS_IOC_GETFLAGS:
		return 8, true
	case fsIocFsgetxattr:
		return 28, true
	}
	return 0, false
}
