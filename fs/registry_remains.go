package fs

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/process"
	"clawfs/txn"
)

// A name may cease to stand for a registry's file that a process has open. Then requests by
// its descriptor mean that file, and not the one that has the name by now, as in a bare
// directory. Attributes that it sets, and bytes that it writes by a descriptor opened anew
// (/proc/self/fd), change no registry. A file without a name is seen by nobody else: a copy
// of it in memory is changed, as history has the file itself.

// remains keep such a file for the nodes that stand for it.
type remains struct {
	fsys  *fileSystem
	path  string        // the registry's
	last  *txn.Snapshot // the file's last version; nil: all its open handles show that
	users int           // how many files are open of them; guarded by registryTable.mu

	mu     sync.Mutex // guards the fields below
	fd     int        // O_PATH descriptor of the file; -1: somebody has changed it, or nobody has it open
	copy   *os.File   // of it, if somebody has changed it
	closed bool       // nobody has it open any more
}

// keep returns the remains of the registry's file at a place, once the name does not stand
// for it any more; nil where nobody has it open. It is given to leaves, and settled.
func (fsys *fileSystem) keep(at *place) *remains {
	if !at.isRegistry() {
		return nil
	}
	open, behind := false, false
	for _, n := range fsys.registries.nodesOf(at.dir, at.base) {
		if n.number.Load() != at.number {
			continue
		}
		for _, f := range n.files.all() {
			open = true
			if !behind && f.tx == nil {
				behind, _ = f.behind(false)
			}
			behind = behind || f.tx != nil
		}
	}
	if !open {
		return nil
	}
	fd, size, ok := fsys.openRegistryAt(at, unix.O_PATH)
	if !ok {
		return nil
	}
	r := &remains{fsys: fsys, path: at.path, fd: fd}
	if behind && size > 0 {
		if last, err := fsys.store.Open(at.path); err == nil {
			r.last = last
		}
	}
	return r
}

// openRegistryAt opens the file of a registry at a place, and tells its size; ok is false where
// it can't, or where another file is there by now.
func (fsys *fileSystem) openRegistryAt(at *place, flags int) (fd int, size uint64, ok bool) {
	fd, err := at.dir.openChild(at.base, flags, 0)
	if err != nil {
		return -1, 0, false
	}
	var stx unix.Statx_t
	if statFD(fd, &stx) != nil || fsys.origin.numberOfRegistry(backingFileOf(&stx)) != at.number {
		closeFD(fd)
		return -1, 0, false
	}
	return fd, stx.Size, true
}

// keeps gives remains to the nodes and the open handles of a file that a name has ceased to
// stand for. The caller holds registryTable.mu.
func (r *registryNodes) keeps(number uint64, rest *remains) {
	if r == nil || rest == nil {
		return
	}
	for _, n := range r.nodes {
		if n.number.Load() != number {
			continue
		}
		n.kept.CompareAndSwap(nil, rest)
		for _, f := range n.files.all() {
			if elsewhere := f.tx != nil && f.tx.Name() != rest.path; elsewhere {
				continue // it goes on by another name of the file
			}
			if !f.ended && f.kept.CompareAndSwap(nil, rest) {
				rest.users++
			}
		}
	}
}

// settle gives remains up that nobody has.
func (t *registryTable) settle(list ...*remains) {
	for _, rest := range list {
		if rest == nil {
			continue
		}
		t.mu.Lock()
		unused := rest.users == 0
		t.mu.Unlock()
		if unused {
			rest.close()
		}
	}
}

// uses notes an open file of which remains are left; false: nobody has had them open any
// more.
func (t *registryTable) uses(rest *remains) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if rest.users == 0 {
		return false
	}
	rest.users++
	return true
}

// opensRemains notes that a file was opened by a descriptor of one whose name does not stand
// for it.
func (t *registryTable) opensRemains(f *registryFile) {
	if rest := f.node.kept.Load(); rest != nil && t.uses(rest) && !f.kept.CompareAndSwap(nil, rest) {
		t.endUse(rest)
	}
}

// areUsed reports whether somebody has remains open.
func (t *registryTable) areUsed(rest *remains) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return rest.users > 0
}

// endUse ends uses.
func (t *registryTable) endUse(rest *remains) {
	t.mu.Lock()
	rest.users--
	t.mu.Unlock()
	t.settle(rest)
}

// end notes that a file is not open any more.
func (t *registryTable) end(f *registryFile) {
	t.mu.Lock()
	f.ended = true
	t.mu.Unlock()
	if rest := f.kept.Load(); rest != nil {
		t.endUse(rest)
	}
}

// close gives all up. Of several uses that end at once each may find that there is none left.
func (r *remains) close() {
	r.mu.Lock()
	was, fd, c := r.closed, r.fd, r.copy
	r.closed, r.fd, r.copy = true, -1, nil
	r.mu.Unlock()
	if was {
		return
	}
	if fd >= 0 {
		closeFD(fd)
	}
	if c != nil {
		_ = c.Close() // it was in memory
	}
	if r.last != nil {
		r.last.Release()
	}
}

// remains returns the remains of the node's file, if a caller means that: it has the file
// open. A caller that has not, as by a mount of a single file, means the name. It is nil where
// the name still stands for the file.
func (n *node) remains(ctx context.Context) *remains {
	r := n.kept.Load()
	if r == nil || !n.isOpen() || !n.fsys.registries.areUsed(r) {
		return nil
	}
	caller := n.fsys.callers.of(ctx)
	if n.files.anyOf(caller.Actor) || process.HasOpen(caller.PID, n.fsys.device.Load(), n.number.Load()) {
		return r
	}
	return nil
}

// lastVersion returns the version that the file held last when its name ceased to stand for it;
// nil if all its open handles show that.
func (f *registryFile) lastVersion() *txn.Snapshot {
	if r := f.kept.Load(); r != nil {
		return r.last
	}
	return nil
}

// changed returns the copy of the node's file that somebody has changed since it lost its
// name; nil where nobody has.
func (n *node) changed() *os.File {
	r := n.kept.Load()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.copy
}

// changed is node.changed for an open file, unless the file holds bytes of its own.
func (f *registryFile) changed() *os.File {
	if f.kept.Load() == nil {
		return nil
	}
	c := f.node.changed()
	if c != nil && f.tx != nil && f.tx.Dirty() {
		return nil
	}
	return c
}

// statRemoved tells about a registry that has no name any more, or another one.
func (n *node) statRemoved(ctx context.Context, stx *unix.Statx_t) error {
	if c := n.changed(); c != nil {
		err := statFD(int(c.Fd()), stx)
		stx.Ino, stx.Nlink = n.number.Load(), 0
		return err
	}
	last, links := n.left.Load(), uint32(0)
	if last != nil {
		links = last.Nlink
	} else if last = n.all.Load().last.Load(); last == nil {
		return unix.ENOENT
	}
	*stx = *last
	stx.Nlink = links
	n.fillSizeTime(ctx, stx)
	if links > 0 {
		n.statElsewhere(stx)
	}
	return nil
}

// statElsewhere puts into the attributes of a file those that were set of it by another name.
func (n *node) statElsewhere(stx *unix.Statx_t) {
	var now unix.Statx_t
	r := n.kept.Load()
	if r == nil || r.with(func(fd int) error { return statFD(fd, &now) }) != nil {
		return
	}
	stx.Mode, stx.Uid, stx.Gid, stx.Atime, stx.Ctime = now.Mode, now.Uid, now.Gid, now.Atime, now.Ctime
	if now.Size == stx.Size {
		stx.Mtime = now.Mtime
	}
}

// change changes the remains of a file, by a descriptor of it. A file without a name is
// copied first.
func (r *remains) change(n *node, do func(fd int) error) error {
	if !n.isGone() {
		return r.with(do)
	}
	c, err := r.toChange()
	if err != nil {
		return err
	}
	return do(int(c.Fd()))
}

// with calls do with a descriptor of the remains of a file.
func (r *remains) with(do func(fd int) error) error {
	r.mu.Lock()
	fd := r.fd
	if r.copy != nil {
		fd = int(r.copy.Fd())
	}
	r.mu.Unlock()
	return do(fd)
}

// toChange returns the copy, which it makes at first.
func (r *remains) toChange() (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.copy != nil {
		return r.copy, nil
	}
	fd, err := r.fsys.openAgain(r.fd, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	from := os.NewFile(uintptr(fd), "remains")
	defer from.Close()
	mem, err := unix.MemfdCreate("remains", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	to := os.NewFile(uintptr(mem), "remains")
	if err := copyWhole(to, from); err != nil {
		return nil, afterClose(err, to)
	}
	closeFD(r.fd)
	r.fd, r.copy = -1, to
	return to, nil
}

// copyWhole copies a file's content, mode, owner, times and attributes, as far as the file
// that is copied to can have them.
func copyWhole(to, from *os.File) error {
	var stx unix.Statx_t
	if err := statFD(int(from.Fd()), &stx); err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	fd := int(to.Fd())
	_ = unix.Fchown(fd, int(stx.Uid), int(stx.Gid)) // a daemon that is not root may not
	if err := unix.Fchmod(fd, uint32(stx.Mode&0o7777)); err != nil {
		return err
	}
	list, _ := listxattr(int(from.Fd()))
	value := make([]byte, 64<<10) // the most there is
	for name := range strings.FieldsFuncSeq(string(list), func(c rune) bool { return c == 0 }) {
		if size, err := getxattr(int(from.Fd()), name, value); err == nil {
			_ = unix.Fsetxattr(fd, name, value[:size], 0)
		}
	}
	times := [2]unix.Timespec{{Sec: stx.Atime.Sec, Nsec: int64(stx.Atime.Nsec)}, {Sec: stx.Mtime.Sec, Nsec: int64(stx.Mtime.Nsec)}}
	return unix.UtimesNanoAt(fd, "", times[:], unix.AT_EMPTY_PATH)
}

// largestRemains is the largest size of a file without a name: it is in memory.
const largestRemains = 64 << 20

// remainsFile is an open file that has no name. Its bytes are the same for all handles that
// were opened so.
type remainsFile struct {
	node   *node
	of     *remains
	file   *os.File
	append bool
}

// set sets the size of a file without a name, and times with it.
func (r *remains) set(n *node, in *fuse.SetAttrIn) syscall.Errno {
	if !n.isGone() {
		return syscall.ESTALE
	}
	if in.Size > largestRemains {
		return syscall.EFBIG
	}
	return plainErrno(r.change(n, func(fd int) error {
		if err := unix.Ftruncate(fd, int64(in.Size)); err != nil {
			return err
		}
		return setTimes(fd, in)
	}))
}

// open opens the remains of a file without a name. A file with another name is not written
// by a descriptor of the former one.
func (r *remains) open(n *node, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	if !n.isGone() {
		return nil, 0, syscall.ESTALE
	}
	if !n.fsys.registries.uses(r) {
		return nil, 0, syscall.ESTALE
	}
	file, err := r.toChange()
	if err == nil && flags&unix.O_TRUNC != 0 {
		err = file.Truncate(0)
	}
	if err != nil {
		n.fsys.registries.endUse(r)
		return nil, 0, plainErrno(err)
	}
	n.plainFiles.Add(1)
	return &remainsFile{node: n, of: r, file: file, append: flags&unix.O_APPEND != 0}, fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH, 0
}

// Read reads at an offset.
func (f *remainsFile) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return readAt(f.file, dest, off&^pageRead)
}

func readAt(f *os.File, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n, err := f.ReadAt(dest, off)
	if err != nil && err != io.EOF {
		return nil, plainErrno(err)
	}
	return inMemory(dest[:n]), 0
}

// Write writes at an offset, or with O_APPEND at the end.
func (f *remainsFile) Write(_ context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if f.append {
		f.of.mu.Lock()
		defer f.of.mu.Unlock()
		size, err := f.file.Seek(0, io.SeekEnd)
		if err != nil {
			return 0, plainErrno(err)
		}
		off = size
	}
	if off+int64(len(data)) > largestRemains {
		return 0, syscall.EFBIG
	}
	n, err := f.file.WriteAt(data, off)
	if err != nil {
		return 0, plainErrno(err)
	}
	return uint32(n), 0
}

// Allocate implements fallocate(2).
func (f *remainsFile) Allocate(_ context.Context, off, size uint64, mode uint32) syscall.Errno {
	if off+size > largestRemains {
		return syscall.EFBIG
	}
	return plainErrno(unix.Fallocate(int(f.file.Fd()), mode, int64(off), int64(size)))
}

// Fsync has nothing to do: nobody finds the file after a crash.
func (f *remainsFile) Fsync(context.Context, uint32) syscall.Errno { return 0 }

// Release is the end of the last descriptor.
func (f *remainsFile) Release(context.Context) syscall.Errno {
	f.node.plainFiles.Add(-1)
	f.node.fsys.registries.endUse(f.of)
	return 0
}
