package fs

import (
	"context"
	iofs "io/fs"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"clawfs/fs/process"
	"clawfs/txn"
)

// This file is about files that are renamed onto a registry while a program has them open
// for writing. In a bare directory the handle is the registry's then. So it is here where the
// file's former name was a registry's, too. The handle of a plain file stays one of the plain
// file, which has no name any more. Each write by it is also staged in a transaction of the
// registry.

// plainWriters are the handles of a plain file that are open for writing.
type plainWriters struct {
	mu   sync.RWMutex // guards list, and plainFile.tx of each; held for reading while one of them changes the file
	list []*plainFile
}

func (w *plainWriters) add(f *plainFile) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, f)
}

func (w *plainWriters) remove(f *plainFile) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.list, f); i >= 0 {
		w.list = slices.Delete(w.list, i, i+1)
	}
}

// plainAt returns the node of the plain file at a place, nil where there is none.
func (fsys *fileSystem) plainAt(p place) *node {
	if p.registry || p.mode != unix.S_IFREG {
		return nil
	}
	n := fsys.nodes.get(p.id.Ino)
	if n == nil || n.id != p.id {
		return nil
	}
	return n
}

// openers returns the processes that have opened handles, as far as they can be told.
func (fsys *fileSystem) openers(handles []*plainFile) []txn.Caller {
	list := make([]txn.Caller, len(handles))
	for i, f := range handles {
		list[i] = fsys.callers.Caller(f.thread)
	}
	return list
}

// areOpen reports whether somebody has one of a node's handles open still, though the
// kernel has not said of any that it is no more: its last close and the RENAME that follows
// may come at once. A handle that was closed has other descriptors if its opener has the
// file open, or else another process.
func (n *node) areOpen(handles []*plainFile, openers []txn.Caller, also txn.Actor) bool {
	for i, f := range handles {
		if !f.closed.Load() {
			return true
		}
		for _, pid := range []int{openers[i].PID, also.PID} {
			if process.HasOpen(pid, n.fsys.device.Load(), n.number.Load()) {
				return true
			}
		}
	}
	return false
}

// replaceByOpen is Store.Replace for a file with handles that are open for writing. The
// caller holds plainWriters.mu. staged says that the file's content is no version yet. Only a
// rename allows that.
func (n *node) replaceByOpen(name string, caller txn.Caller, p txn.Replacement, file *os.File) (staged bool, err error) {
	handles := n.writers.list
	openers := n.fsys.openers(handles)
	unfinished := func() bool { return p.Via == txn.ViaRename && n.areOpen(handles, openers, caller.Actor) }
	txs, staged, err := n.fsys.store.ReplaceOpen(name, caller, p, openers, unfinished)
	for i, tx := range txs {
		handles[i].tx = tx
		if !staged {
			continue
		}
		if fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			tx.TakeAfter(os.NewFile(uintptr(fd), "moved"))
		}
	}
	return staged, err
}

// moveRegistry renames a registry to another one's name. Its open handles go on with it
// there.
func (fsys *fileSystem) moveRegistry(ctx context.Context, from, to place, flags uint32) error {
	fd, err := from.dir.openChild(from.base, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "moved")
	defer file.Close()
	p, number, err := fsys.replacement(ctx, file, from, to, flags)
	if err != nil {
		return err
	}
	caller := fsys.callers.named(ctx)
	staged, err := fsys.store.Rename(from.path, to.path, caller, p, txn.Handles{
		IsOpen: func(t *txn.Tx) bool {
			f := fsys.registries.fileOf(t, &from)
			return f == nil || f.isOpen(caller.Actor) // one that is not known is about to be opened
		},
		Like: func(t *txn.Tx) iofs.File { return fsys.takeAfter(t, file, &from) },
	})
	if err != nil {
		return err
	}
	fsys.carryOver(number, to)
	fsys.lineages.drop(from.id)
	var stx unix.Statx_t
	if !staged && from.links > 1 && statFD(fd, &stx) == nil {
		if f := backingFileOf(&stx); !to.holds(f) { // the number went with this name
			fsys.origin.drop(f)
		}
	}
	fsys.haveHeard(&from)
	fsys.registries.move(&from, &to)
	fsys.follow(&to)
	return nil
}

// haveHeard is called when a registry is about to have another name, for files that have been
// committed by the rename. By the new name nobody has found their former content, and the kernel
// tells of the rename.
func (fsys *fileSystem) haveHeard(from *place) {
	for _, n := range fsys.registries.nodesOf(from.dir, from.base) {
		for _, f := range n.files.all() {
			if f.tx != nil && !f.tx.Dirty() && f.looksAtFirstWrite.Swap(0) != 0 {
				fsys.registries.clearNews(n, newsModify)
			}
		}
	}
}

// follow has files that are open for reading show the content of the registry at a
// place, to which they have been renamed.
func (fsys *fileSystem) follow(to *place) {
	for _, n := range fsys.registries.nodesOf(to.dir, to.base) {
		for _, f := range n.files.all() {
			f.follow(to)
		}
	}
}

// follow is fileSystem.follow for one file.
func (f *registryFile) follow(to *place) {
	if f.tx != nil || f.kept.Load() != nil {
		return
	}
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	if f.reading.ended {
		return
	}
	f.reading.heard()
	f.snapshot.Swap(f.snapshot.Load().Follow(to.path)).Release()
	f.shown()
}

// fileOf returns the handle of a transaction of the registry that is at a place; nil if it is
// not known.
func (t *registryTable) fileOf(tx *txn.Tx, at *place) *registryFile {
	for _, n := range t.nodesOf(at.dir, at.base) {
		for _, f := range n.files.all() {
			if f.tx == tx {
				return f
			}
		}
	}
	return nil
}

// isOpen reports whether somebody has the handle open still, as areOpen does: its opener, or
// else another process.
func (f *registryFile) isOpen(also txn.Actor) bool {
	if !f.closed.Load() {
		return true
	}
	device, number := f.node.fsys.device.Load(), f.node.number.Load()
	return process.HasOpen(f.opener.PID, device, number) || process.HasOpen(also.PID, device, number)
}

// takeAfter returns the file of a registry that has just moved, for the bytes that are still
// staged of it. It returns nil if the file can't be had. Without a name the file keeps its
// number as long as the handle.
func (fsys *fileSystem) takeAfter(t *txn.Tx, file *os.File, from *place) iofs.File {
	var stx unix.Statx_t
	f := fsys.registries.fileOf(t, from)
	if f == nil || statFD(int(file.Fd()), &stx) != nil {
		return nil
	}
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if like := backingFileOf(&stx); like.links == 0 {
		fsys.origin.carry(like, from.number)
		f.like.Store(&like)
	}
	return os.NewFile(uintptr(fd), "moved")
}

// changing keeps renames from coming between a change by a handle and its staging. The
// caller changes the file, and then calls the function that is returned.
func (f *plainFile) changing() (changed func()) {
	f.node.writers.mu.RLock()
	return f.node.writers.mu.RUnlock
}

// haveMoved reports whether the file was renamed onto a registry, or linked to its name.
func (w *plainWriters) haveMoved() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.ContainsFunc(w.list, func(f *plainFile) bool { return f.tx != nil })
}

// movedTo returns the directory and the names of the registry that a file without a name of
// its own was linked to; not ok if it was not.
func (n *node) movedTo() (dir *node, base, path string, ok bool) {
	n.writers.mu.RLock()
	for _, f := range n.writers.list {
		if f.tx != nil {
			path = f.tx.Name()
		}
	}
	n.writers.mu.RUnlock()
	if path == "" {
		return nil, "", "", false
	}
	dir, base, ok = n.fsys.known(path)
	return dir, base, path, ok
}

// moved returns the transaction of a registry that the file was renamed onto, or nil.
func (f *plainFile) moved() *txn.Tx {
	defer f.changing()()
	return f.tx
}

// stage stages a write by the handle of a file that has become a registry. The caller has
// called changing, and f.tx is not nil.
func (f *plainFile) stage(ctx context.Context, data []byte, off int64) error {
	caller := f.node.fsys.callers.writing(ctx)
	var err error
	if f.flags&unix.O_APPEND != 0 {
		_, err = f.tx.Append(caller, data)
	} else {
		_, err = f.tx.WriteAt(caller, data, off)
	}
	return err
}

// restage stages the whole content of a file that has become a registry, after a change
// that is no write. The caller has called changing.
func (f *plainFile) restage(ctx context.Context) error {
	if f.tx == nil {
		return nil
	}
	fd, err := f.node.fsys.openAgain(f.fd, unix.O_RDONLY)
	if err != nil {
		return err
	}
	caller := f.node.fsys.callers.writing(ctx)
	file, content, err := f.node.fsys.readOpen(fd, f.tx.Name(), caller, txn.ViaRename)
	if err != nil {
		return err
	}
	_ = file.Close() // it was only read
	if err := f.tx.Truncate(caller, int64(len(content))); err != nil || len(content) == 0 {
		return err
	}
	_, err = f.tx.WriteAt(caller, content, 0)
	return err
}

// truncate sets the length of the file.
func (f *plainFile) truncate(ctx context.Context, size int64) error {
	defer f.changing()()
	if f.tx != nil {
		if err := f.tx.Truncate(f.node.fsys.callers.named(ctx), size); err != nil {
			return err
		}
	}
	return retry(func() error { return unix.Ftruncate(f.fd, size) })
}

// flushMoved is Flush for a file that has become a registry.
func (f *plainFile) flushMoved(ctx context.Context, tx *txn.Tx) syscall.Errno {
	death := txn.Death{Signal: process.DeathSignal(threadOf(ctx))}
	err := tx.Flush(f.node.fsys.callers.named(ctx), death)
	f.closing.note(&f.node.fsys.registries)
	return commitErrno(err)
}

// syncMoved is Fsync for a file that has become a registry.
func (f *plainFile) syncMoved(ctx context.Context, tx *txn.Tx) syscall.Errno {
	if err := tx.Sync(f.node.fsys.callers.named(ctx)); err != nil {
		return commitErrno(err)
	}
	return commitErrno(f.node.fsys.store.Sync())
}

// releaseMoved is Release for a file that has become a registry.
func (f *plainFile) releaseMoved(tx *txn.Tx) {
	tx.Release()
	if dir, base, ok := f.node.fsys.known(tx.Name()); ok {
		f.node.fsys.heard(dir, base, tx.Name(), newsClose, f.closing.heardBy(f.node))
	}
	var stx unix.Statx_t
	if statFD(f.fd, &stx) == nil && stx.Nlink == 0 {
		f.node.fsys.origin.drop(backingFileOf(&stx))
	}
}
