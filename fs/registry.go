package fs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	iofs "io/fs"
	"os"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// A registry's nodes (inodes.go) have no descriptor, since each commit makes another
// backing file: whatever is done to them is done by the registry's name, in its
// directory. A temporary file that was renamed onto a registry keeps its own node
// for as long as the kernel remembers it under that name; it answers for the
// registry, too.

// home is where a registry is found. Requests on it come through its
// directory, or from who has it open, which keeps the directory in place.
type home struct {
	dir  *node
	base string
}

// isRegistry reports whether the node is one of a registry's own.
func (n *node) isRegistry() bool { return n.inodes != nil }

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
// now; not ok if it is none. A registry's own node is always that of its name,
// whatever the kernel has made of the name meanwhile.
func (n *node) registry() (dir *node, base, path string, ok bool) {
	if n.isRegistry() {
		at := n.inodes.at.Load()
		path, ok = at.dir.registryName(at.base)
		return at.dir, at.base, path, ok
	}
	if n.own || n.Mode() != unix.S_IFREG {
		return nil, "", "", false
	}
	base, parent := n.Parent()
	if parent == nil {
		return nil, "", "", false
	}
	dir = parent.Operations().(*node)
	path, ok = dir.registryName(base)
	return dir, base, path, ok
}

// registryNumber returns the inode number of a registry in this directory. It
// follows from the directory's id and the name, so that it stays the same from
// commit to commit.
func (n *node) registryNumber(base string) uint64 {
	key := binary.LittleEndian.AppendUint64(make([]byte, 0, 64), n.id.Ino)
	sum := sha256.Sum256(append(key, base...))
	return binary.LittleEndian.Uint64(sum[:]) | registryID
}

// lookupRegistry is lookup for a name that is a registry's if it is a regular
// file's.
func (n *node) lookupRegistry(ctx context.Context, base, path string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	var stx unix.Statx_t
	changes := n.fsys.registries.changes.Load()
	creating, err := n.statName(ctx, base, path, &stx)
	if err != nil {
		return n.lookupGone(ctx, base, err, out)
	}
	if stx.Mode&unix.S_IFMT != unix.S_IFREG {
		return n.lookupPlain(ctx, base, false, out)
	}
	var child *node
	if creating != nil {
		child = n.fsys.nodes.acquire(creating.node.id)
	}
	if child == nil {
		tells := func() bool { return n.fsys.isToucher(ctx) }
		if child, err = n.fsys.registries.lookUp(ctx, n, base, path, faceOf(&stx), tells); err != nil {
			return nil, registryErrno(err)
		}
	}
	stays := child.finish(ctx, &stx)
	inode := child.entryOut(roleRegistry, &stx, out)
	if stays && !n.fsys.without(KernelCache) && n.fsys.registries.mayUse(child, changes) {
		out.SetAttrTimeout(lookupTimeout)
	}
	return inode, 0
}

// lookupGone is lookupRegistry where nothing can be told of the name: only who
// tells watchers that a registry is gone finds what they watch.
func (n *node) lookupGone(ctx context.Context, base string, err error, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if err != unix.ENOENT || !n.fsys.isToucher(ctx) {
		return nil, registryErrno(err)
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

// statName asks what the caller finds under a registry's name in this directory:
// it may be what it is creating there.
func (n *node) statName(ctx context.Context, base, path string, stx *unix.Statx_t) (creating *registryFile, err error) {
	for {
		deleting := n.fsys.store.Deleting()
		err := statAt(n.fd, base, stx)
		presence, info := n.fsys.store.Look(path, func() txn.Actor { return n.fsys.callers.actorOf(ctx) })
		switch presence {
		case txn.Gone:
			return nil, unix.ENOENT
		case txn.Staged:
			return n.statStaged(ctx, base, stx)
		case txn.InInfo:
			if err == unix.ENOENT { // it is being removed just now
				time.Sleep(placingPause)
				continue
			}
			stx.Size = uint64(info.Size)
			stx.Mtime = unix.StatxTimestamp{Sec: info.Time.Unix(), Nsec: uint32(info.Time.Nanosecond())}
		}
		if deleting && presence == txn.OnDisk && err == nil {
			// Look may have made a deletion come true, of this name or of another one of
			// the same file.
			if stx.Nlink > 1 {
				n.fsys.store.SettleDead("")
			}
			return nil, statAt(n.fd, base, stx)
		}
		return nil, err
	}
}

// statStaged tells about a registry that the caller is creating.
func (n *node) statStaged(ctx context.Context, base string, stx *unix.Statx_t) (*registryFile, error) {
	f := n.fsys.registries.creating(n, base, n.fsys.callers.actorOf(ctx))
	if f == nil {
		return nil, unix.ENOENT
	}
	err := statFD(int(f.like.Fd()), stx)
	stx.Size, stx.Nlink = uint64(f.tx.Size()), 1
	return f, err
}

// stat tells about the node as its caller sees it.
func (n *node) stat(ctx context.Context, stx *unix.Statx_t) error {
	dir, base, path, ok := n.registry()
	switch {
	case ok:
		if _, err := dir.statName(ctx, base, path, stx); err != nil {
			if n.isRegistry() && err == unix.ENOENT {
				return n.statRemoved(ctx, stx)
			}
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

// statRemoved tells about a registry that has no name any more, or another one.
func (n *node) statRemoved(ctx context.Context, stx *unix.Statx_t) error {
	last := n.inodes.last.Load()
	if last == nil {
		return unix.ENOENT
	}
	*stx = *last
	stx.Nlink = 0
	n.present(ctx, stx)
	return nil
}

func (n *node) present(ctx context.Context, stx *unix.Statx_t) (stays bool) {
	return n.fsys.registries.present(n, func() txn.Caller { return n.fsys.callers.of(ctx) }, stx)
}

// finish makes a registry's state what the caller is to be told: never a size
// smaller than what it could read, or programs read less. It reports whether size and
// time stay the same as long as the node lives.
func (n *node) finish(ctx context.Context, stx *unix.Statx_t) (stays bool) {
	stays = n.present(ctx, stx)
	if n.isRegistry() {
		kept := *stx
		n.inodes.last.Store(&kept)
		return stays
	}
	var own unix.Statx_t
	if n.plainFiles.Load() > 0 && statFD(n.fd, &own) == nil {
		stx.Size = max(stx.Size, own.Size)
	}
	return false
}

// withObject calls do with an O_PATH descriptor of the backing file that the node
// stands for at present.
func (n *node) withObject(ctx context.Context, do func(fd int) error) error {
	dir, base, _, ok := n.registry()
	switch {
	case ok:
		return n.withRegistry(ctx, dir, base, do)
	case n.isRegistry():
		return unix.ENOENT
	}
	return do(n.fd)
}

func (n *node) withRegistry(ctx context.Context, dir *node, base string, do func(fd int) error) error {
	if f := n.creating(ctx); f != nil {
		return do(int(f.like.Fd()))
	}
	fd, err := dir.openChild(base, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return do(fd)
}

// creating returns a file of the node by which the caller is creating the registry,
// or nil.
func (n *node) creating(ctx context.Context) *registryFile {
	if n.files.writers() == 0 {
		return nil
	}
	return n.files.creating(n.fsys.callers.actorOf(ctx))
}

// changeObject is withObject for what changes a file's metadata. No commit of a
// registry is under way meanwhile: it would take over what there was before.
func (n *node) changeObject(ctx context.Context, do func(fd int) error) error {
	dir, base, path, ok := n.registry()
	if !ok || n.creating(ctx) != nil {
		return n.withObject(ctx, do)
	}
	return n.fsys.store.Changing([]string{path}, func() error {
		return n.withRegistry(ctx, dir, base, func(fd int) error {
			var before, after unix.Statx_t
			if err := statFD(fd, &before); err != nil {
				return err
			}
			err := do(fd)
			if statFD(fd, &after) == nil {
				n.fsys.registries.touched(dir, base, faceOf(&before), faceOf(&after))
			}
			return err
		})
	})
}

// openRegistry opens a registry: for reading, pinned to its head; for writing, as
// a transaction. ESTALE has the kernel look its name up again.
func (n *node) openRegistry(ctx context.Context, path string, flags uint32) (fusefs.FileHandle, uint32, syscall.Errno) {
	caller := n.fsys.callers.of(ctx)
	f := &registryFile{node: n, opener: caller.Actor, thread: threadOf(ctx), append: flags&unix.O_APPEND != 0}
	if writes(flags) || flags&unix.O_TRUNC != 0 {
		if !n.fsys.registries.beginToWrite(n, f.thread, caller.Actor) {
			return nil, 0, syscall.ESTALE
		}
		caller.Program = programName(caller.PID)
		options := txn.BeginOptions{Truncate: flags&unix.O_TRUNC != 0}
		if creating := n.files.creating(caller.Actor); creating != nil {
			options.Like = creating.like
		}
		var err error
		if f.tx, err = n.fsys.store.Begin(path, caller, options); err != nil {
			n.fsys.registries.endToWrite(n, nil)
			return nil, 0, registryErrno(err)
		}
		n.fsys.registries.endToWrite(n, f)
		if options.Truncate {
			f.staging()
		}
	} else {
		var err error
		if f.snapshot, err = n.fsys.store.Open(path); err != nil {
			return nil, 0, registryErrno(err)
		}
		if !n.fsys.registries.openToRead(f) {
			f.snapshot.Release()
			return nil, 0, syscall.ESTALE
		}
	}
	f.caller = caller
	n.fsys.registries.opened(n)
	return f, f.opened(), 0
}

// createRegistry opens a registry that does not exist yet. Nobody else sees it
// before it is committed; until then a file without a name has its owner, its
// mode and its attributes.
func (n *node) createRegistry(ctx context.Context, base, path string, flags, mode uint32, out *fuse.EntryOut) (*fusefs.Inode, fusefs.FileHandle, uint32, syscall.Errno) {
	like, err := n.nameless(ctx, mode)
	if err != nil {
		return nil, nil, 0, registryErrno(err)
	}
	caller := n.fsys.callers.named(ctx)
	exclusive := flags&unix.O_EXCL != 0
	tx, err := n.fsys.store.Begin(path, caller, txn.BeginOptions{Truncate: flags&unix.O_TRUNC != 0 && !exclusive, Like: like})
	if err != nil {
		return nil, nil, 0, registryErrno(joinClose(err, like))
	}
	if exclusive && !tx.Creates() {
		tx.Release()
		return nil, nil, 0, registryErrno(joinClose(iofs.ErrExist, like))
	}
	f := &registryFile{
		tx: tx, like: like, opener: caller.Actor, caller: caller, thread: threadOf(ctx), append: flags&unix.O_APPEND != 0,
	}
	n.fsys.registries.create(ctx, f, n, base)
	fuseFlags := f.opened()
	var stx unix.Statx_t
	if _, err := n.statName(ctx, base, path, &stx); err != nil {
		// Somebody was faster and has removed it again: it is as if it had been empty.
		_ = statFD(int(like.Fd()), &stx)
	}
	f.node.finish(ctx, &stx)
	return f.node.entryOut(roleRegistry, &stx, out), f, fuseFlags, 0
}

// nameless makes a regular file in this directory, in the name of the caller,
// that has no name.
func (n *node) nameless(ctx context.Context, mode uint32) (*os.File, error) {
	fd, err := n.createFile(ctx, ".", unix.O_TMPFILE|unix.O_RDWR, mode)
	if err == unix.EOPNOTSUPP || err == unix.EISDIR || err == unix.ENOENT {
		fd, err = n.createRemoved(ctx, mode)
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "nameless"), nil
}

// createRemoved is nameless for file systems without O_TMPFILE.
func (n *node) createRemoved(ctx context.Context, mode uint32) (int, error) {
	base := ownName + "-" + time.Now().Format("150405.000000000")
	fd, err := n.createFile(ctx, base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, mode)
	if err != nil {
		return -1, err
	}
	return fd, unix.Unlinkat(n.fd, base, 0)
}

func joinClose(err error, f *os.File) error {
	_ = f.Close() // it held nothing
	return err
}

// truncateRegistry is truncate(2), or ftruncate(2) on a handle that is open for
// writing. ESTALE has the kernel look the name up again.
func (n *node) truncateRegistry(ctx context.Context, path string, f fusefs.FileHandle, size int64) syscall.Errno {
	caller := n.fsys.callers.named(ctx)
	if h, ok := f.(*registryFile); ok && h.tx != nil {
		h.lineage.note(h.node.fsys, ctx, 0)
		h.staging()
		return registryErrno(h.tx.Truncate(caller, size))
	}
	if creating := n.files.creating(caller.Actor); creating != nil {
		return registryErrno(creating.tx.Truncate(caller, size))
	}
	if !n.fsys.registries.beginToWrite(n, threadOf(ctx), caller.Actor) {
		return syscall.ESTALE
	}
	defer n.fsys.registries.endToWrite(n, nil)
	if err := n.fsys.store.Truncate(path, caller, size); err != nil {
		return registryErrno(err)
	}
	n.fsys.registries.told(n)
	return 0
}
