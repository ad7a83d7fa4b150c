package fs

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// The requests that move, add and remove names. Where one of the names is a registry's,
// the store decides, or is at least told.

// place is a name in a directory, and the file there.
type place struct {
	dir      *node
	base     string
	path     string            // of a registry
	registry bool              // a regular file by this name is a registry
	mode     uint32            // type of the file as the caller sees it, 0 if there is none
	id       fusefs.StableAttr // lasting
	number   uint64            // of a registry that is there
	links    uint32            // how many names its file has
	link     fusefs.StableAttr // the registry's file by another name that is no registry's, if it has some
	file     backingFile       // the file, if it is no registry
}

// placeOf looks at a name.
func (n *node) placeOf(ctx context.Context, base string) (place, error) {
	p := place{dir: n, base: base}
	p.path, p.registry = n.registryName(base)
	var stx unix.Statx_t
	var err error
	if p.registry {
		err = n.statName(ctx, base, p.path, &stx)
	} else {
		err = statAt(n.fd, base, &stx)
	}
	switch err {
	case nil:
		p.mode = uint32(stx.Mode) & unix.S_IFMT
		if p.isRegistry() {
			p.number, p.links, p.id = stx.Ino, stx.Nlink, lastingRegistry(stx.Ino)
			if stx.Nlink > 1 && statAt(n.fd, base, &stx) == nil {
				p.link = n.fsys.origin.identify(&stx, false)
			}
			break
		}
		p.file, p.id = backingFileOf(&stx), n.fsys.origin.identify(&stx, false)
	case unix.ENOENT:
	default:
		return p, err
	}
	return p, nil
}

// isRegistry reports whether a registry is there.
func (p *place) isRegistry() bool { return p.registry && p.mode == unix.S_IFREG }

// isForOthers reports whether a registry that is renamed to this place is none there, or comes to
// stand where a symbolic link or the like was. Its nodes do not come along.
func (p *place) isForOthers() bool {
	return !p.registry || p.mode != 0 && p.mode != unix.S_IFREG
}

// Rename moves a name, with the flags of renameat2.
func (n *node) Rename(ctx context.Context, name string, newParent fusefs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	to := newParent.(*node)
	if errno := n.entriesChangeable(name); errno != 0 {
		return errno
	}
	if errno := to.entriesChangeable(newName); errno != 0 {
		return errno
	}
	source, err := n.placeOf(ctx, name)
	if err != nil {
		return plainErrno(err)
	}
	target, err := to.placeOf(ctx, newName)
	if err != nil {
		return plainErrno(err)
	}
	var rest [2]*remains
	exchanged := flags&unix.RENAME_EXCHANGE != 0
	follow := source.isRegistry() && target.isRegistry() // they are open still by another name
	if !exchanged || !follow {
		rest[1] = n.fsys.keep(&target)
	}
	if target.isForOthers() || exchanged && !follow {
		rest[0] = n.fsys.keep(&source)
	}
	errno := n.fsys.rename(ctx, source, target, flags)
	if errno == 0 {
		n.fsys.outdatePlain(target.link)
		n.fsys.moved(&source, &target, flags, rest)
	}
	n.fsys.registries.settle(rest[:]...)
	return errno
}

// moved notes that names have just been renamed, and so stand for other files, and keeps the
// remains of the files that they stood for.
func (fsys *fileSystem) moved(from, to *place, flags uint32, rest [2]*remains) {
	switch exchanged := flags&unix.RENAME_EXCHANGE != 0; {
	case fsys.areLinks(*from, *to):
	case exchanged && from.isRegistry() && to.isRegistry(): // their nodes have changed places, too
	case exchanged:
		fsys.registries.leaves(to, to.links, rest[1])
		fsys.registries.leaves(from, from.links, rest[0])
	default:
		fsys.losesName(to)
		fsys.registries.leaves(to, to.links-1, rest[1])
		fsys.remind(to.path)
		if to.isForOthers() {
			fsys.registries.leaves(from, from.links, rest[0])
		}
	}
}

func (fsys *fileSystem) rename(ctx context.Context, from, to place, flags uint32) syscall.Errno {
	switch {
	case from.mode == 0:
		return syscall.ENOENT
	case flags&unix.RENAME_NOREPLACE != 0 && to.mode != 0:
		return syscall.EEXIST
	case flags&unix.RENAME_EXCHANGE == 0 && fsys.areLinks(from, to):
		return 0 // as POSIX has it
	case flags&unix.RENAME_EXCHANGE != 0:
		return renameErrno(fsys.exchange(ctx, from, to, flags))
	case from.mode == unix.S_IFDIR:
		return plainErrno(fsys.renameDirectory(ctx, from, to, flags))
	case from.mode != unix.S_IFREG || !from.registry && !to.registry:
		return plainErrno(fsys.renameBehind(ctx, from, to, flags))
	case !to.registry:
		return registryErrno(fsys.store.MoveOut(from.path, fsys.callers.named(ctx), func() error { return renameat(from, to, flags) }))
	case to.mode == unix.S_IFDIR:
		return syscall.EISDIR
	case to.mode != 0 && to.mode != unix.S_IFREG:
		return renameErrno(fsys.moveOver(ctx, from, to, flags))
	}
	return renameErrno(fsys.moveIn(ctx, from, to, flags))
}

// areLinks reports whether two names are of one regular file, and one of them at least is
// a registry's.
func (fsys *fileSystem) areLinks(from, to place) bool {
	if from.mode != unix.S_IFREG || to.mode != unix.S_IFREG || !from.registry && !to.registry {
		return false
	}
	return fsys.numberAt(from) == fsys.numberAt(to)
}

// numberAt returns the number of the file at a place.
func (fsys *fileSystem) numberAt(p place) uint64 {
	if p.isRegistry() {
		return p.number
	}
	return fsys.origin.number(p.file, p.dir.own)
}

func renameat(from, to place, flags uint32) error {
	return retry(func() error { return unix.Renameat2(from.dir.fd, from.base, to.dir.fd, to.base, uint(flags)) })
}

// renameBehind renames a file that is no registry by name, or is no regular file.
func (fsys *fileSystem) renameBehind(ctx context.Context, from, to place, flags uint32) error {
	if !to.isRegistry() {
		err := renameat(from, to, flags)
		if err == nil && to.file.links == 1 {
			fsys.origin.drop(to.file)
		}
		return err
	}
	return fsys.store.Arrive(fsys.callers.named(ctx), []txn.Arrival{{Name: to.path}}, func() error { return renameat(from, to, flags) })
}

// renameDirectory moves a directory with the histories of the registries below
// it.
func (fsys *fileSystem) renameDirectory(ctx context.Context, from, to place, flags uint32) error {
	source, okFrom := from.dir.pathOf(from.base)
	target, okTo := to.dir.pathOf(to.base)
	if !okFrom || !okTo || flags&^unix.RENAME_NOREPLACE != 0 || to.mode != 0 && to.mode != unix.S_IFDIR {
		return renameat(from, to, flags)
	}
	return fsys.store.RenameDir(source, target, flags&unix.RENAME_NOREPLACE != 0, fsys.callers.named(ctx))
}

// pathOf returns the path below the root of a name in this directory; not ok where
// the directory was removed.
func (n *node) pathOf(base string) (path string, ok bool) {
	dir, ok := n.path()
	if dir == "" {
		return base, ok
	}
	return dir + "/" + base, ok
}

// moveIn commits a finished file as a registry.
func (fsys *fileSystem) moveIn(ctx context.Context, from, to place, flags uint32) error {
	if from.registry {
		return fsys.moveRegistry(ctx, from, to, flags)
	}
	moved := fsys.plainAt(from)
	if moved != nil {
		moved.writers.mu.Lock()
		defer moved.writers.mu.Unlock()
	}
	caller := fsys.callers.named(ctx)
	file, content, err := fsys.readPlain(from, to.path, caller)
	if err != nil {
		return err
	}
	defer file.Close()
	p, number, err := fsys.replacement(ctx, file, from, to, flags)
	if err != nil {
		return err
	}
	p.Content = content
	staged := false
	if moved != nil && len(moved.writers.list) > 0 {
		fsys.tellsNothing(ctx)
		staged, err = moved.replaceByOpen(to.path, caller, p, file)
	} else {
		if from.file.links > 1 {
			p.Like, p.LooksAlike = linkedFile{file}, false
		}
		p.Mark = fsys.markOf(threadOf(ctx))
		err = fsys.store.Replace(to.path, caller, p)
	}
	if err != nil {
		return err
	}
	fsys.carryOver(number, to)
	fsys.lineages.drop(from.id)
	switch {
	case staged: // the commit that follows takes the number over
	case to.holds(from.file):
		fsys.outdatePlain(from.id)
	default:
		fsys.origin.drop(from.file)
	}
	return retry(func() error { return unix.Unlinkat(from.dir.fd, from.base, 0) })
}

// replacement returns the facts about an open file that is about to become a registry by a
// rename, but for its content, and its number.
func (fsys *fileSystem) replacement(ctx context.Context, file *os.File, from, to place, flags uint32) (p txn.Replacement, number uint64, err error) {
	var stx unix.Statx_t
	if err := statFD(int(file.Fd()), &stx); err != nil {
		return p, 0, err
	}
	alike, links := false, uint32(0)
	if to.isRegistry() {
		alike, links = fsys.looksAlike(file, to)
	}
	return txn.Replacement{
		Via: txn.ViaRename, Thread: threadOf(ctx), NoReplace: flags&unix.RENAME_NOREPLACE != 0,
		Lineage: fsys.lineages.find(from.id).get(), Time: modified(&stx),
		Like: file, LooksAlike: alike, Parts: links > 1,
	}, fsys.origin.numberOfRegistry(backingFileOf(&stx)), nil
}

// modified returns a file's modification time.
func modified(stx *unix.Statx_t) time.Time { return time.Unix(stx.Mtime.Sec, int64(stx.Mtime.Nsec)) }

// carryOver has a registry carry the number of the file that was renamed onto it, if the
// commit has not: it changed nothing else. Where another number has come between, that
// stays.
func (fsys *fileSystem) carryOver(number uint64, to place) {
	var stx unix.Statx_t
	if number == to.number || !to.isRegistry() || statAt(to.dir.fd, to.base, &stx) != nil {
		return
	}
	if file := backingFileOf(&stx); fsys.origin.number(file, false) == to.number {
		fsys.origin.carry(file, number)
		fsys.registries.outdate(to.dir, to.base)
	}
}

// moveOver moves a file onto a registry's name that a symbolic link or a fifo has.
// There is nothing to merge it with.
func (fsys *fileSystem) moveOver(ctx context.Context, from, to place, flags uint32) error {
	caller := fsys.callers.named(ctx)
	file, content, err := fsys.readPlain(from, to.path, caller)
	if err != nil {
		return err
	}
	defer file.Close()
	if len(content) > 0 { // an empty file is one that is to be filled
		err = fsys.store.Check(to.path, caller, txn.ViaRename, content)
	}
	if err := errors.Join(err, file.Sync()); err != nil {
		return err
	}
	p, _, err := fsys.replacement(ctx, file, from, to, flags)
	if err != nil {
		return err
	}
	p.Content = content
	names := []txn.Arrival{{Name: to.path, Replacement: p}}
	if from.registry {
		fsys.store.CommitStaged(from.path)
		names = append(names, txn.Arrival{Name: from.path})
	}
	if err := fsys.store.Arrive(caller, names, func() error { return renameat(from, to, flags) }); err != nil {
		return err
	}
	fsys.lineages.drop(from.id)
	return to.dir.sync()
}

// sync makes the names in a directory durable.
func (n *node) sync() error {
	fd, err := n.openChild(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return syncFD(fd, 0)
}

// looksAlike reports whether a file has the owner, the mode and the attributes of the one
// at a place, so that the commit of it changes the content only; and how many names that
// one has.
func (fsys *fileSystem) looksAlike(file *os.File, at place) (alike bool, links uint32) {
	var a, b unix.Statx_t
	if statFD(int(file.Fd()), &a) != nil || statAt(at.dir.fd, at.base, &b) != nil {
		return false, 0
	}
	if a.Mode != b.Mode || a.Uid != b.Uid || a.Gid != b.Gid {
		return false, b.Nlink
	}
	there, err := at.dir.openChild(at.base, unix.O_PATH, 0)
	if err != nil {
		return false, b.Nlink
	}
	defer closeFD(there)
	for _, fd := range []int{int(file.Fd()), there} {
		if list, err := listxattr(fd); err != nil && err != unix.EOPNOTSUPP || len(list) > 0 {
			return false, b.Nlink
		}
	}
	return true, b.Nlink
}

// readPlain opens and reads a file that the caller renames to a registry's name. Errors are
// those of readOpen.
func (fsys *fileSystem) readPlain(p place, name string, caller txn.Caller) (*os.File, []byte, error) {
	fd, err := p.dir.openChild(p.base, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return fsys.readOpen(fd, name, caller, txn.ViaRename)
}

// readOpen reads a file by its descriptor, which it takes over. The caller wants the file to
// be the registry of that name. The error is a *txn.TooLargeError where it is larger than a
// registry may be.
func (fsys *fileSystem) readOpen(fd int, name string, caller txn.Caller, via txn.Via) (*os.File, []byte, error) {
	file := os.NewFile(uintptr(fd), name)
	info, err := file.Stat()
	if err == nil {
		err = fsys.store.CheckSize(name, caller, via, info.Size())
	}
	if err != nil {
		return nil, nil, afterClose(err, file)
	}
	content := make([]byte, info.Size(), info.Size()+1)
	n, err := file.ReadAt(content, 0)
	if err != nil && err != io.EOF {
		return nil, nil, afterClose(err, file)
	}
	return file, content[:n], nil
}

// Unlink removes a name that is no directory's.
func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	if n.own && name == tellName {
		return n.removeToTell(ctx)
	}
	if errno := n.entriesChangeable(name); errno != 0 {
		return errno
	}
	at, err := n.placeOf(ctx, name)
	if err != nil {
		return plainErrno(err)
	}
	if at.isRegistry() {
		rest := n.fsys.keep(&at)
		defer n.fsys.registries.settle(rest)
		err := n.fsys.store.UnlinkName(at.path, n.fsys.callers.named(ctx), func() txn.Rest { return n.fsys.restOf(&at, rest) })
		if err == nil {
			n.fsys.outdatePlain(at.link)
			n.fsys.losesName(&at)
			n.fsys.registries.leaves(&at, at.links-1, rest)
			n.fsys.remind(at.path)
		}
		return registryErrno(err)
	}
	if at.file.links == 1 {
		n.fsys.origin.drop(at.file)
	}
	err = retry(func() error { return unix.Unlinkat(n.fd, name, 0) })
	if err == nil {
		n.fsys.losesName(&at)
	}
	return plainErrno(err)
}

// losesName has the watchers of registries told that their file has a name less, which it had at a
// place. The kernel tells those of the file that it has found there.
func (fsys *fileSystem) losesName(at *place) {
	if at.mode == unix.S_IFREG && max(at.links, at.file.links) > 1 {
		fsys.heardByNumber(fsys.numberAt(*at), newsAttrib, nil)
	}
}

// Rmdir removes an empty directory.
func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno {
	if errno := n.entriesChangeable(name); errno != 0 {
		return errno
	}
	return plainErrno(retry(func() error { return unix.Unlinkat(n.fd, name, unix.AT_REMOVEDIR) }))
}
