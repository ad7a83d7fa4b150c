package fs

import (
	"context"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// registryFile is an open registry: a snapshot, or a transaction if it was opened
// for writing.
type registryFile struct {
	node     *node // under which it was opened
	opener   txn.Actor
	caller   txn.Caller // who opened it
	thread   int        // by which
	append   bool
	snapshot *txn.Snapshot
	tx       *txn.Tx
	lineage  *lineage // of what is written, for the case that it is renamed onto another registry
	like     *os.File // what a registry that is being created gets its attributes from

	// ends counts copies from behind the end that nothing came of.
	ends atomic.Int32

	// begun is how often the registry had been looked at when something was staged
	// first since the last commit, plus one; 0: nothing is staged.
	begun atomic.Uint64
}

// opened says how the kernel is to use the file, which is one of its node's by
// now: without its page cache, which belongs to the inode and would mix versions.
func (f *registryFile) opened() uint32 {
	if f.tx == nil {
		return fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH
	}
	f.lineage = f.node.fsys.lineages.use(f.node.lasting())
	return fuse.FOPEN_DIRECT_IO
}

// callerOf returns who makes a request: most come from the thread that has opened
// the file, and need no look at the process.
func (f *registryFile) callerOf(ctx context.Context) txn.Caller {
	if tid := threadOf(ctx); tid != 0 && tid == f.thread {
		return f.caller
	}
	return f.node.fsys.callers.named(ctx)
}

func (f *registryFile) size() uint64 {
	if f.tx != nil {
		return uint64(f.tx.Size())
	}
	return uint64(f.snapshot.Size())
}

// Read reads the pinned version, or what is staged.
func (f *registryFile) Read(ctx context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if f.tx == nil {
		if !f.snapshot.Seen() {
			f.snapshot.See(f.callerOf(ctx))
		}
		return inMemory(part(f.snapshot.Version().Bytes(), off, len(dest))), 0
	}
	n, err := f.tx.ReadAt(f.callerOf(ctx), dest, off)
	if err != nil && err != io.EOF {
		return nil, registryErrno(err)
	}
	return inMemory(dest[:n]), 0
}

// part returns the bytes from off on, size at the most.
func part(b []byte, off int64, size int) []byte {
	if off >= int64(len(b)) {
		return nil
	}
	b = b[off:]
	return b[:min(size, len(b))]
}

// Write stages data: at the end of this handle's content with O_APPEND, whatever
// the kernel takes for the end.
func (f *registryFile) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if f.tx == nil {
		return 0, syscall.EBADF
	}
	caller := f.callerOf(ctx)
	f.lineage.note(f.node.fsys, ctx, 0)
	f.staging()
	var n int
	var err error
	if f.append {
		n, err = f.tx.Append(caller, data)
	} else {
		n, err = f.tx.WriteAt(caller, data, off)
	}
	return uint32(n), commitErrno(err)
}

// Flush is one close of one descriptor: it commits.
func (f *registryFile) Flush(ctx context.Context) syscall.Errno {
	if f.tx == nil {
		return 0
	}
	death := deathOf(threadOf(ctx))
	caller := f.callerOf(ctx)
	if caller.Known() {
		caller.Program = programName(caller.PID) // it may have executed another one since
	}
	err := f.tx.Flush(caller, death)
	f.committed()
	return commitErrno(err)
}

// staging is called when something is staged, and when the file is truncated by
// opening it. The kernel tells watchers of this inode then: of the first of these they
// may have read what was there before, and pass over the next.
func (f *registryFile) staging() { f.begun.CompareAndSwap(0, f.node.looks()+1) }

// committed is called after an attempt to commit. Watchers of this inode know of it,
// unless somebody has looked at the registry since the kernel told them: most likely
// one of them, who may have seen what was there before.
func (f *registryFile) committed() {
	if f.tx.Dirty() {
		return
	}
	if begun := f.begun.Swap(0); begun == f.node.looks()+1 {
		f.node.fsys.registries.told(f.node)
	}
}

// Fsync commits, or makes safe what can't be committed yet.
func (f *registryFile) Fsync(ctx context.Context, _ uint32) syscall.Errno {
	if f.tx != nil {
		err := f.tx.Sync(f.callerOf(ctx))
		f.committed()
		if err != nil {
			return commitErrno(err)
		}
	}
	return commitErrno(f.node.fsys.dir.Sync())
}

// Release is the end of the last descriptor.
func (f *registryFile) Release(context.Context) syscall.Errno {
	f.node.files.remove(f)
	if f.tx != nil {
		f.tx.Release()
		f.committed()
		f.node.fsys.lineages.release(f.lineage)
	} else {
		f.snapshot.Release()
	}
	if f.like != nil {
		_ = f.like.Close() // a commit has taken over what it held
	}
	return 0
}

// Allocate implements fallocate(2) as far as a document can: it grows with zeros.
func (f *registryFile) Allocate(ctx context.Context, off, size uint64, mode uint32) syscall.Errno {
	switch {
	case f.tx == nil:
		return syscall.EBADF
	case mode == unix.FALLOC_FL_KEEP_SIZE:
		return 0
	case mode != 0:
		return syscall.EOPNOTSUPP
	}
	f.staging()
	if end := int64(off + size); end > f.tx.Size() {
		return commitErrno(f.tx.Truncate(f.callerOf(ctx), end))
	}
	return 0
}

// Lseek finds data, which is all there is, and the hole behind it.
func (f *registryFile) Lseek(_ context.Context, off uint64, whence uint32) (uint64, syscall.Errno) {
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

// show reports whether nobody reads another content than that of a version. All
// that read have the same one, unless the node is shared.
func (o *registryFiles) show(v *txn.Version) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range o.list {
		if f.snapshot != nil {
			return f.snapshot.Version().Digest == v.Digest
		}
	}
	return true
}

// creating returns a file by which the process is creating the registry, or nil.
func (o *registryFiles) creating(a txn.Actor) *registryFile {
	for _, f := range o.all() {
		if f.like != nil && f.opener == a && f.tx.Creates() {
			return f
		}
	}
	return nil
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

// sizeFor returns the size to tell a process of an inode whose files show several.
// The kernel does not say which descriptor fstat(2) is about: it is the largest of
// those that the process has open or may have inherited, since one that is told
// less reads less; or the head's, if it has none.
func (o *registryFiles) sizeFor(who func() txn.Caller, head uint64) uint64 {
	files := o.all()
	if len(files) == 0 {
		return head
	}
	caller := who()
	var size uint64
	found := false
	for _, f := range files {
		if f.opener == caller.Actor && caller.Known() || isAncestor(f.opener, caller) {
			size, found = max(size, f.size()), true
		}
	}
	if !found {
		return head
	}
	return size
}

// sizeOf returns the size of what an open file shows, where the request says which
// one it is about.
func sizeOf(f fusefs.FileHandle) (size uint64, ok bool) {
	if h, ok := f.(*registryFile); ok {
		return h.size(), true
	}
	return 0, false
}
