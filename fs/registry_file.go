package fs

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/process"
	"clawfs/txn"
)

// registryFile is an open registry: a snapshot, or a transaction if it was opened
// for writing.
type registryFile struct {
	node     *node // it was opened by this one
	opener   txn.Actor
	caller   txn.Caller // the process that opened it
	thread   int        // of its open(2)
	append   bool
	snapshot atomic.Pointer[txn.Snapshot] // the version shown, nil if there is a transaction
	tx       *txn.Tx
	reading  reading
	kept     atomic.Pointer[remains]     // of the file that was opened; nil: its name stands for it
	ended    bool                        // it is not open any more; guarded by registryTable.mu
	lineage  *lineage                    // of the content, for the case that it is renamed onto another registry
	begins   txn.Tick                    // a place before it was opened
	like     atomic.Pointer[backingFile] // without a name; the staged content takes its owner and mode; nil: none
	closed   atomic.Bool                 // by its opener, which has written nothing since and may have other descriptors of it

	closing closing
	number  atomic.Uint64 // the kernel's number of it, where a later daemon may take over; 0: not yet, or none may
	keeping keeping       // the part that a later daemon finds

	// ends counts copies from behind the end that nothing came of.
	ends atomic.Int32

	// looksAtFirstWrite is how often the registry had been looked at when something was staged
	// first since the last commit, plus one; 0: nothing is staged.
	looksAtFirstWrite atomic.Uint64
}

// opened says how the kernel is to use the file, which is one of its node's by
// now: without its page cache, which belongs to the inode and would mix versions.
func (f *registryFile) opened() uint32 {
	if f.tx == nil {
		return fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH
	}
	f.lineage = f.node.fsys.lineages.use(f.node.stableID())
	return fuse.FOPEN_DIRECT_IO
}

// callerOf returns the process that makes a request. Most requests come from the thread
// that has opened the file, and need no look at the process.
func (f *registryFile) callerOf(ctx context.Context) txn.Caller {
	if tid := threadOf(ctx); tid != 0 && tid == f.thread {
		return f.caller
	}
	return f.node.fsys.callers.named(ctx)
}

// size returns the size that is told: that of the version a reading from the start shows.
func (f *registryFile) size() uint64 {
	var stx unix.Statx_t
	if c := f.changed(); c != nil && statFD(int(c.Fd()), &stx) == nil {
		return stx.Size
	}
	if told := f.reading.told.Load(); told != nil {
		return uint64(told.Size())
	}
	if f.tx != nil {
		return uint64(f.tx.Size())
	}
	return uint64(f.snapshot.Load().Size())
}

// Read reads the version that is shown, or the staged content.
func (f *registryFile) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	paged := off&pageRead != 0
	off &^= pageRead
	if c := f.changed(); c != nil {
		return readAt(c, dest, off)
	}
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	if !paged {
		f.turn(ctx, off, int64(len(dest)))
	} else if f.tx != nil && off == 0 {
		f.turnToMap()
	}
	if f.tx != nil {
		n, err := f.tx.ReadAt(f.callerOf(ctx), dest, off)
		if err != nil && err != io.EOF {
			return nil, registryErrno(err)
		}
		f.reading.passed(off+int64(n), f.tx.Size())
		return inMemory(dest[:n]), 0
	}
	s := f.snapshot.Load()
	if s.Seen() {
		s.Continue()
	} else {
		s.See(f.callerOf(ctx))
	}
	if paged {
		return inMemory(part(f.page(off).Bytes(), off, len(dest))), 0
	}
	b := part(s.Version().Bytes(), off, len(dest))
	f.reading.passed(off+int64(len(b)), s.Size())
	return inMemory(b), 0
}

// part returns the bytes from off on, size at the most.
func part(b []byte, off int64, size int) []byte {
	if off >= int64(len(b)) {
		return nil
	}
	b = b[off:]
	return b[:min(size, len(b))]
}

// noteWriter takes down the writer, for the case that the registry is renamed onto another
// one. Its program's name is the one that it had at the open, which is good enough for a
// log.
func (f *registryFile) noteWriter(ctx context.Context) {
	program := ""
	if threadOf(ctx) == f.thread {
		program = f.caller.Program
	}
	f.lineage.note(f.node.fsys, ctx, f.begins, f.closed.Load(), program)
}

// Write stages data: with O_APPEND at the end of this handle's content, which may not be
// where the kernel takes it to be.
func (f *registryFile) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if f.tx == nil {
		return 0, syscall.EBADF
	}
	caller := f.callerOf(ctx)
	if threadOf(ctx) != f.thread {
		caller = f.node.fsys.callers.Describe(caller, "")
	}
	f.noteWriter(ctx)
	f.noteFirstWrite()
	var n int
	var err error
	if f.append {
		f.turnToAppend(ctx)
		f.tx.SetRequest(f.node.fsys.markOf(threadOf(ctx)))
		n, err = f.tx.Append(caller, data)
		f.wrote(f.tx.Size()-int64(n), data[:n])
		f.committed() // the lines that were appended
	} else {
		f.turnToWrite(off)
		n, err = f.tx.WriteAt(caller, data, off)
		f.wrote(off, data[:n])
	}
	return uint32(n), commitErrno(err)
}

// Flush is one close of one descriptor: it commits.
func (f *registryFile) Flush(ctx context.Context) syscall.Errno {
	if f.tx == nil {
		return 0
	}
	death := txn.Death{Signal: process.DeathSignal(threadOf(ctx))}
	caller := f.callerOf(ctx)
	if caller.Known() {
		caller.Program = process.Program(caller.PID) // it may have executed another one since
	}
	closed := f.closed.Swap(false) // not before it is done
	err := f.tx.Flush(caller, death)
	f.closed.Store(closed || caller.Actor == f.opener)
	f.committed()
	f.closing.note(&f.node.fsys.registries)
	return commitErrno(err)
}

// noteFirstWrite is called at each write, and when the file is truncated by opening it. The kernel
// tells watchers of this inode then. A watcher that reads at the first of these events still
// sees the old version, and may pass over the next event.
func (f *registryFile) noteFirstWrite() {
	f.closed.Store(false)
	f.looksAtFirstWrite.CompareAndSwap(0, f.node.looks()+1)
}

// committed is called after an attempt to commit. Watchers of this inode know of it,
// unless somebody has looked at the registry since the kernel told them: most likely a
// watcher, which may have seen the version before.
func (f *registryFile) committed() {
	f.keeps(nil)
	if f.tx.Dirty() {
		return
	}
	if begun := f.looksAtFirstWrite.Swap(0); begun == f.node.looks()+1 {
		f.node.fsys.registries.clearNews(f.node, newsModify)
	} else {
		f.node.fsys.registries.mayPassOver(f.node)
	}
}

// Fsync commits, or makes safe the content that can't be committed yet.
func (f *registryFile) Fsync(ctx context.Context, _ uint32) syscall.Errno {
	if f.tx != nil {
		err := f.tx.Sync(f.callerOf(ctx))
		f.committed()
		if err == nil && f.tx.Creates() {
			if dir, _, _, ok := f.node.registry(); ok {
				err = dir.sync() // there is a name, and nothing to commit
			}
		}
		if err != nil {
			return commitErrno(err)
		}
	}
	return commitErrno(f.node.fsys.store.Sync())
}

// Release is the end of the last descriptor. The kernel does not wait for it: whoever has closed the
// file, or has heard of that, may ask for anything before it is done, and even before it begins.
func (f *registryFile) Release(context.Context) syscall.Errno {
	creates := f.tx != nil && f.tx.Creates()
	if !creates { // by a file that is there others find what it creates (isOut)
		f.node.files.remove(f)
	}
	f.node.fsys.registries.end(f)
	f.reading.end()
	if f.tx != nil {
		f.tx.Release()
		if creates {
			f.node.files.remove(f)
		}
		f.committed()
		if dir, base, path, ok := f.node.registry(); ok {
			f.node.fsys.heard(dir, base, path, newsClose, f.closing.heardBy(f.node))
		}
		if like := f.like.Load(); like != nil {
			f.node.fsys.origin.drop(*like)
		}
		f.node.fsys.lineages.release(f.lineage)
	} else {
		f.snapshot.Load().Release()
	}
	return 0
}

// Allocate implements fallocate(2) as far as a document can: it grows with zeros.
func (f *registryFile) Allocate(ctx context.Context, off, size uint64, mode uint32) syscall.Errno {
	switch {
	case f.tx == nil:
		return syscall.EBADF
	case mode == unix.FALLOC_FL_KEEP_SIZE:
		return commitErrno(f.tx.Touch(f.callerOf(ctx)))
	case mode != 0:
		return syscall.EOPNOTSUPP
	}
	if errno := f.node.dropUnlessRoot(ctx); errno != 0 {
		return errno
	}
	f.noteFirstWrite()
	if end := int64(off + size); end > f.tx.Size() {
		caller := f.callerOf(ctx)
		err := f.tx.Truncate(caller, end)
		f.cut()
		return commitErrno(err)
	}
	return 0
}

// Lseek finds data, which is all there is, and the hole behind it.
func (f *registryFile) Lseek(ctx context.Context, off uint64, whence uint32) (uint64, syscall.Errno) {
	f.node.tellNewest(ctx)
	size := f.size()
	switch {
	case off >= size:
		return 0, syscall.ENXIO
	case whence == unix.SEEK_DATA:
		return off, 0
	}
	return size, 0
}

// registryFiles are the open files of one registry's node.
type registryFiles struct {
	mu   sync.Mutex // guards list
	list []*registryFile
}

func (o *registryFiles) add(f *registryFile) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, f)
}

func (o *registryFiles) remove(f *registryFile) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.list, f); i >= 0 {
		o.list = slices.Delete(o.list, i, i+1)
	}
}

// all returns the open files.
func (o *registryFiles) all() []*registryFile {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.list)
}

func (o *registryFiles) any() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.list) > 0
}

// anyOf reports whether a process has opened one of the files.
func (o *registryFiles) anyOf(a txn.Actor) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.list, func(f *registryFile) bool { return f.opener == a })
}

// show reports whether nobody reads another content than that of a version. All
// that read have the same one, unless the node is shared.
func (o *registryFiles) show(v *txn.Version) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.list {
		if s := f.snapshot.Load(); s != nil {
			return s.Version().Digest == v.Digest
		}
	}
	return true
}

// creating returns a file by which the process is creating the registry, or nil.
func (o *registryFiles) creating(a txn.Actor) *registryFile {
	for _, f := range o.all() {
		if f.tx != nil && f.opener == a && f.tx.Creates() {
			return f
		}
	}
	return nil
}

// readVersion reports whether somebody reads a version. A reader of a file that has none
// yet reads nothing.
func (o *registryFiles) readVersion() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.list, func(f *registryFile) bool {
		s := f.snapshot.Load()
		return s != nil && !s.Version().Blank()
	})
}

// writers returns how many files are open for writing.
func (o *registryFiles) writers() int {
	n := 0
	for _, f := range o.all() {
		if f.tx != nil {
			n++
		}
	}
	return n
}

// sizeTimeFor returns size and time to tell a process of an inode whose files show several
// sizes. The kernel does not name the descriptor that fstat(2) is about. So the size is
// the largest of those that the process has open or may have inherited, since a process
// that is told less reads less. The time is that of the content that it has staged last.
// If it has none, they are the head's. descriptors counts those that a process has of the inode.
func (o *registryFiles) sizeTimeFor(who func() txn.Caller, head sizeTime, descriptors func(pid int) int) sizeTime {
	files := o.all()
	if len(files) == 0 {
		return head
	}
	caller := who()
	found, last := false, time.Time{}
	told := head
	files = slices.DeleteFunc(files, func(f *registryFile) bool { return !f.isOf(caller) })
	open := slices.DeleteFunc(slices.Clone(files), func(f *registryFile) bool { return f.tx != nil && f.closed.Load() })
	if n := len(open); n > 0 && n < len(files) && descriptors(caller.PID) <= n {
		files = open // the kernel is about to say that the others are at their end
	}
	for _, f := range files {
		if size := f.size(); !found || size > told.size {
			told.size, found = size, true
		}
		if f.tx == nil {
			continue
		}
		if modified, since, staged := f.tx.Time(); staged && since.After(last) {
			told.mtime, last = statxTime(modified), since
		}
	}
	return told
}

// isOf reports whether a process has opened the file, or may have inherited it.
func (f *registryFile) isOf(c txn.Caller) bool {
	return f.opener == c.Actor && c.Known() || c.DescendsFrom(f.opener)
}

// sizeOf returns the size that an open file shows, where the request names its file.
func sizeOf(f fusefs.FileHandle) (size uint64, ok bool) {
	if h, ok := f.(*registryFile); ok {
		return h.size(), true
	}
	return 0, false
}
