package fs

import (
	"context"
	"errors"
	iofs "io/fs"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/process"
	"clawfs/txn"
)

// A registry's nodes (registry_inodes.go) have no descriptor, since each commit makes another
// backing file: each request is done by the registry's name, in its directory. A
// temporary file that was renamed onto a registry keeps its own node
// for as long as the kernel remembers it under that name; it answers for the
// registry, too.

// home is where a registry is found. Requests on it come through its directory, or by
// an open handle, which keeps the directory in place.
type home struct {
	dir  *node
	base string
}

// isRegistry reports whether the node is one of a registry's own.
func (n *node) isRegistry() bool { return n.all.Load() != nil }

// registryName returns the path below the root of a name in this directory, and
// whether a regular file by that name is a registry.
func (n *node) registryName(base string) (path string, ok bool) {
	if n.own || n.hides(base) || !n.fsys.names.mayBeRegistry(base) {
		return "", false
	}
	dir, ok := n.path()
	if !ok {
		return "", false
	}
	path = base
	if dir != "" {
		path = dir + "/" + base
	}
	return path, n.fsys.names.classify(path) == roleRegistry
}

// registry returns the directory and the names under which the node is a registry
// now; not ok if it is none. A registry's own node is always that of its name, even
// if the kernel has another node by that name meanwhile.
func (n *node) registry() (dir *node, base, path string, ok bool) {
	if n.isRegistry() {
		at := n.all.Load().at.Load()
		path, ok = at.dir.registryName(at.base)
		return at.dir, at.base, path, ok
	}
	if n.own || n.Mode() != unix.S_IFREG {
		return nil, "", "", false
	}
	base, parent := n.Parent()
	if parent == nil {
		return n.movedTo()
	}
	dir = parent.Operations().(*node)
	path, ok = dir.registryName(base)
	return dir, base, path, ok
}

// errNotRegular says that a registry's name is one of something else than a regular file.
var errNotRegular = errors.New("no regular file")

// lookupRegistry is lookup for a name that is a registry's if it is a regular
// file's.
func (n *node) lookupRegistry(ctx context.Context, base, path string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	n.settleName(ctx, base, path)
	var stx unix.Statx_t
	var changes uint64
	var asked txn.Tick
	look := func() (*named, error) {
		changes, asked = n.fsys.registries.changes.Load(), n.fsys.store.Now()
		turns := n.fsys.registries.turns.Load()
		switch err := n.statName(ctx, base, path, &stx); {
		case err != nil:
			return nil, err
		case stx.Mode&unix.S_IFMT != unix.S_IFREG:
			return nil, errNotRegular
		}
		return &named{n, base, path, stx.Ino, sizeTimeOf(&stx), turns}, nil
	}
	isTeller := func() bool { return n.fsys.isTeller(ctx) }
	child, err := n.fsys.registries.lookUpNow(ctx, look, isTeller)
	if err == unix.ENOENT && !isTeller() {
		if asked, unsure := n.fsys.store.Latest(path); unsure != nil {
			return nil, registryErrno(unsure)
		} else if asked {
			child, err = n.fsys.registries.lookUpNow(ctx, look, isTeller)
		}
	}
	switch {
	case err == errNotRegular:
		return n.lookupPlain(ctx, base, false, out)
	case err != nil:
		return n.lookupGone(ctx, base, path, err, asked, out)
	}
	n.fsys.store.Found(path, threadOf(ctx), func() txn.Caller { return n.fsys.callers.of(ctx) })
	stays := child.finish(ctx, &stx)
	inode := child.entryOut(roleRegistry, &stx, out)
	if stays && !n.fsys.without(KernelCache) && n.fsys.registries.grantCache(child, changes) {
		out.SetAttrTimeout(lookupTimeout)
	}
	return inode, 0
}

// lookupGone is lookupRegistry where there is no registry of the name. Only the process
// that tells watchers of its removal finds the node that they watch. All others have seen
// that there is nothing.
func (n *node) lookupGone(ctx context.Context, base, path string, err error, asked txn.Tick, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	switch {
	case err != unix.ENOENT:
		return nil, registryErrno(err)
	case !n.fsys.isTeller(ctx):
		n.fsys.store.Missed(path, n.fsys.callers.of(ctx), threadOf(ctx), asked)
		return nil, syscall.ENOENT
	}
	child := n.fsys.registries.lookUpToTell(n, base)
	if child == nil {
		return nil, syscall.ENOENT
	}
	var stx unix.Statx_t
	if err := child.statRemoved(ctx, &stx); err != nil {
		stx.Mode = unix.S_IFREG
	}
	return child.entryOut(roleRegistry, &stx, out), 0
}

// placingPause is how long to wait until a deletion that is under way is done.
const placingPause = 500 * time.Microsecond

// looked is the store's answer about a registry's name.
type looked struct {
	presence txn.Presence
	info     txn.Info
}

// look returns the object that the caller finds under a registry's name in this directory.
// A file that another process creates is found once that process has closed it, or a
// process has a lock on it. A process that has inherited it open finds it at once.
func (n *node) look(ctx context.Context, base, path string) looked {
	presence, info := n.fsys.store.Look(path, func() txn.Actor { return n.fsys.callers.actorOf(ctx) })
	if presence != txn.Hidden {
		return looked{presence, info}
	}
	var stx unix.Statx_t
	if err := statAt(n.fd, base, &stx); err != nil {
		return looked{presence, info}
	}
	number := n.fsys.origin.numberOfRegistry(backingFileOf(&stx))
	switch {
	case n.fsys.registries.isOut(n, base, number):
		n.fsys.store.Show(path)
		return n.look(ctx, base, path)
	case process.HasOpen(n.fsys.callers.actorOf(ctx).PID, n.fsys.device.Load(), number):
		presence = txn.OnDisk
	}
	return looked{presence, info}
}

// statName asks for the object that the caller finds under a registry's name in this
// directory. The inode number of a regular file is the one that programs see.
func (n *node) statName(ctx context.Context, base, path string, stx *unix.Statx_t) error {
	return n.statWhere(base, stx, func() looked { return n.look(ctx, base, path) })
}

// statWhere is statName, with the store's answer from look.
func (n *node) statWhere(base string, stx *unix.Statx_t, look func() looked) error {
	for {
		err := statAt(n.fd, base, stx)
		at := look()
		switch at.presence {
		case txn.Gone, txn.Hidden:
			return unix.ENOENT
		case txn.AtHead:
			if err == unix.ENOENT { // it is being removed just now
				time.Sleep(placingPause)
				continue
			}
			n.fsys.numberOfHead(stx, err, at.info)
			return err
		case txn.Beneath:
			head := sizeTimeOfInfo(at.info)
			defer func() { stx.Size, stx.Mtime = head.size, head.mtime }()
		}
		if err == nil && stx.Mode&unix.S_IFMT == unix.S_IFREG {
			stx.Ino = n.fsys.origin.numberOfRegistry(backingFileOf(stx))
		}
		return err
	}
}

// statOpen is statName for a node, which somebody has found: nobody is kept from it.
func (n *node) statOpen(ctx context.Context, base, path string, stx *unix.Statx_t) error {
	return n.statWhere(base, stx, func() looked {
		presence, info := n.fsys.store.Look(path, func() txn.Actor { return n.fsys.callers.actorOf(ctx) })
		if presence == txn.Hidden {
			presence = txn.OnDisk
		}
		return looked{presence, info}
	})
}

// numberOfHead corrects the attributes of a registry to those of its head, while a commit
// is being placed: the file that was found may be the next version already.
func (fsys *fileSystem) numberOfHead(stx *unix.Statx_t, err error, info txn.Info) {
	head := sizeTimeOfInfo(info)
	if file := backingFileOf(stx); err == nil && stx.Mode&unix.S_IFMT == unix.S_IFREG {
		stx.Ino = fsys.origin.numberOfRegistry(file)
		if before := fsys.origin.numbers.Before(file.ino, file.birth); before != 0 && !sizeTimeOf(stx).is(head) {
			stx.Ino = before
		}
	}
	stx.Size, stx.Mtime = head.size, head.mtime
}

// stat tells about the node as its caller sees it.
func (n *node) stat(ctx context.Context, stx *unix.Statx_t) error {
	dir, base, path, ok := n.registry()
	switch {
	case ok:
		err := dir.statOpen(ctx, base, path, stx)
		another := err == nil && (stx.Mode&unix.S_IFMT != unix.S_IFREG || stx.Ino != n.number.Load() && n.isOpen())
		switch gone := err == unix.ENOENT || another; {
		case gone && n.isRegistry():
			return n.statRemoved(ctx, stx)
		case gone: // it was renamed there, and has been removed or replaced since
			return statFD(n.fd, stx)
		case err != nil:
			return err
		}
		n.finish(ctx, stx)
	case n.isRegistry():
		return n.statRemoved(ctx, stx)
	default:
		if err := statFD(n.fd, stx); err != nil {
			return err
		}
		n.observe(stx)
	}
	return nil
}

// isOpen reports whether somebody has the node open. A request on such a node means the
// file, and not the one that its name stands for by now. So does a mount of a single file.
func (n *node) isOpen() bool { return n.files.any() || n.plainFiles.Load() > 0 }

// fillSizeTime turns the state of a registry's head into the facts that the caller is to
// be told of the node. It reports whether size and time stay the same as long as the
// node lives.
func (n *node) fillSizeTime(ctx context.Context, stx *unix.Statx_t) (stays bool) {
	n.fsys.registries.headIs(n, sizeTimeOf(stx))
	return n.fsys.registries.fillSizeTime(n, func() txn.Caller { return n.fsys.callers.of(ctx) }, stx)
}

// finish corrects a registry's attributes to those that the caller is to be told: never a
// size smaller than it could read, or programs read less. It reports whether size and
// time stay the same as long as the node lives.
func (n *node) finish(ctx context.Context, stx *unix.Statx_t) (stays bool) {
	stays = n.fillSizeTime(ctx, stx)
	n.observe(stx)
	if n.isRegistry() {
		if kept := *stx; kept.Ino == n.number.Load() {
			n.all.Load().last.Store(&kept)
		}
		return stays
	}
	var own unix.Statx_t
	if n.plainFiles.Load() > 0 && statFD(n.fd, &own) == nil {
		if stx.Size = max(stx.Size, own.Size); n.writers.haveMoved() {
			stx.Size, stx.Mtime = own.Size, own.Mtime
		}
	}
	return false
}

// withObject calls do with an O_PATH descriptor of the backing file that the node
// stands for at present.
func (n *node) withObject(ctx context.Context, do func(fd int) error) error {
	if r := n.remains(ctx); r != nil {
		return r.with(do)
	}
	dir, base, _, ok := n.registry()
	switch {
	case ok:
		return n.withRegistry(dir, base, do)
	case n.isRegistry():
		return unix.ENOENT
	}
	return do(n.fd)
}

func (n *node) withRegistry(dir *node, base string, do func(fd int) error) error {
	fd, err := dir.openChild(base, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return do(fd)
}

// changeObject is withObject for changes of a file's metadata. No commit of a registry is
// under way meanwhile: it would take over the metadata from before. Watchers of a registry's
// other nodes are to be told that.
func (n *node) changeObject(ctx context.Context, what news, do func(fd int) error) error {
	if r := n.remains(ctx); r != nil {
		return r.change(n, do)
	}
	dir, base, path, ok := n.registry()
	if !ok {
		err := n.withObject(ctx, do)
		if err == nil && !n.isRegistry() {
			n.heardBeside(what)
		}
		return err
	}
	err := n.fsys.store.Exclusively([]string{path}, func() error {
		return n.withRegistry(dir, base, func(fd int) error {
			var before, after unix.Statx_t
			if err := statFD(fd, &before); err != nil {
				return err
			}
			err := do(fd)
			if statFD(fd, &after) == nil {
				n.fsys.registries.touched(dir, base, sizeTimeOf(&before), sizeTimeOf(&after))
			}
			return err
		})
	})
	if err == nil {
		n.fsys.heard(dir, base, path, what, heardBy(n))
	}
	return err
}

// openRegistry opens a registry: for reading, pinned to its head; for writing, as
// a transaction. ESTALE has the kernel look its name up again.
func (n *node) openRegistry(ctx context.Context, dir *node, base, path string, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	if flags&unix.O_TRUNC == 0 {
		if _, err := n.fsys.store.Latest(path); err != nil {
			return nil, 0, registryErrno(err)
		}
	}
	caller := n.fsys.callers.of(ctx)
	f := &registryFile{node: n, opener: caller.Actor, thread: threadOf(ctx), append: flags&unix.O_APPEND != 0, begins: n.fsys.store.Now()}
	if writes(flags) || flags&unix.O_TRUNC != 0 {
		if !n.fsys.registries.beginToWrite(n, f.thread) {
			n.fsys.store.PartOfCall(path, caller, f.thread) // the next look-up is, too
			return nil, 0, syscall.ESTALE
		}
		caller = n.fsys.callers.Describe(caller, "")
		options := txn.BeginOptions{Truncate: flags&unix.O_TRUNC != 0, Append: f.append, Thread: f.thread}
		var err error
		if f.tx, err = n.fsys.store.Begin(path, caller, options); err != nil {
			n.fsys.registries.endToWrite(n, nil)
			return nil, 0, n.openErrno(err, f.thread, true)
		}
		n.fsys.registries.endToWrite(n, f)
		if options.Truncate {
			f.noteFirstWrite()
		}
	} else {
		s, err := dir.openFound(ctx, base, path)
		again := n.reopenGone(ctx, f.thread)
		if again != nil {
			if err == nil {
				s.Release()
			}
			s, err = again, nil
		}
		if err != nil && !n.fsys.registries.isPinned(n) {
			return nil, 0, n.openErrno(err, f.thread, false)
		}
		f.snapshot.Store(s)
		if !n.fsys.registries.openToRead(f) {
			if s := f.snapshot.Load(); s != nil {
				s.Release()
			}
			return nil, 0, syscall.ESTALE
		}
		if again != nil {
			n.fsys.registries.opensRemains(f)
		}
	}
	f.caller = caller
	f.reading.tells()
	n.fsys.registries.opened(n)
	fuseFlags := f.opened()
	if flags&unix.O_TRUNC != 0 {
		f.lineage.begin()
	}
	return f, fuseFlags, 0
}

// openErrno is registryErrno for a registry that was just found. Where it has gone
// meanwhile the kernel looks its name up again, once. It finds nothing, or a node that
// nobody can take away, or it makes a new one.
func (n *node) openErrno(err error, thread int, writes bool) syscall.Errno {
	if errors.Is(err, iofs.ErrNotExist) && n.fsys.registries.lookAgain(n, thread, writes) {
		return syscall.ESTALE
	}
	return registryErrno(err)
}

// truncateRegistry is truncate(2), or ftruncate(2) on a handle that is open for
// writing. ESTALE has the kernel look the name up again.
func (n *node) truncateRegistry(ctx context.Context, path string, f fusefs.FileHandle, size int64) syscall.Errno {
	caller := n.fsys.callers.named(ctx)
	if h, ok := f.(*registryFile); ok && h.tx != nil {
		h.noteWriter(ctx)
		h.noteFirstWrite()
		err := h.tx.Truncate(caller, size)
		h.cut()
		h.committed()
		return commitErrno(err)
	}
	if h, ok := f.(*plainFile); ok && h.writable {
		return plainErrno(h.truncate(ctx, size))
	}
	if creating := n.files.creating(caller.Actor); creating != nil {
		err := creating.tx.Truncate(caller, size)
		creating.cut()
		return registryErrno(err)
	}
	if !n.fsys.registries.beginToWrite(n, threadOf(ctx)) {
		return syscall.ESTALE
	}
	defer n.fsys.registries.endToWrite(n, nil)
	if err := n.fsys.store.Truncate(path, caller, size, n.fsys.markOf(threadOf(ctx))); err != nil {
		return registryErrno(err)
	}
	n.fsys.registries.clearNews(n, newsModify)
	return 0
}
