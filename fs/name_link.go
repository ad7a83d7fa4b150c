package fs

import (
	"context"
	"os"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// Link gives a file a further name. It is also how a file made without one gets
// its first. A registry's name makes it a commit of the file's content.
func (n *node) Link(ctx context.Context, target fusefs.InodeEmbedder, name string, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	file := target.(*node)
	if errno := n.entriesChangeable(name); errno != 0 {
		return nil, errno
	}
	if errno := file.changeable(); errno != 0 {
		return nil, errno
	}
	to, err := n.placeOf(ctx, name)
	if err != nil {
		return nil, plainErrno(err)
	}
	if to.mode != 0 {
		return nil, syscall.EEXIST
	}
	_, _, from, isRegistry := file.registry()
	switch {
	case isRegistry || file.isRegistry():
		return n.linkRegistry(ctx, file, from, to, out)
	case to.registry && file.Mode() == unix.S_IFREG:
		return n.linkIn(ctx, file, to, out)
	}
	if err := link(file.fd, to); err != nil {
		return nil, plainErrno(err)
	}
	var stx unix.Statx_t
	if err := file.stat(ctx, &stx); err != nil {
		return nil, plainErrno(err)
	}
	file.heardBeside(newsAttrib)
	n.fsys.nodes.hold(file)
	return file.entryOut(n.roleOf(name, uint32(stx.Mode)), &stx, out), 0
}

// link makes a name for an open object. By way of /proc no privilege is needed; the
// link there is followed to the object itself, even if that is a symbolic link.
func link(fd int, to place) error {
	return retry(func() error {
		return unix.Linkat(unix.AT_FDCWD, procPath(fd), to.dir.fd, to.base, unix.AT_SYMLINK_FOLLOW)
	})
}

// linkRegistry gives a registry's file a further name.
func (n *node) linkRegistry(ctx context.Context, file *node, from string, to place, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	n.fsys.store.CommitStaged(from)
	names := []string{from}
	if to.registry {
		names = append(names, to.path)
	}
	err := n.fsys.store.Exclusively(names, func() error {
		return file.withObject(ctx, func(fd int) error { return link(fd, to) })
	})
	if err != nil {
		return nil, registryErrno(err)
	}
	n.fsys.heardByNumber(file.number.Load(), newsAttrib, file)
	if to.registry {
		n.fsys.store.PartOfCall(to.path, n.fsys.callers.of(ctx), threadOf(ctx))
		if from != "" {
			n.fsys.store.Linked(from, to.path, n.fsys.lineages.find(file.stableID()).get())
		}
	}
	return n.lookup(ctx, to.base, false, out)
}

// linkIn commits the content of a file without a name, or with another one.
func (n *node) linkIn(ctx context.Context, file *node, to place, out *fuse.EntryOut) (*fusefs.Inode, syscall.Errno) {
	if err := n.commitLink(ctx, file, to); err != nil {
		return nil, renameErrno(err)
	}
	return n.lookup(ctx, to.base, false, out)
}

// commitLink is linkIn without the answer.
func (n *node) commitLink(ctx context.Context, file *node, to place) error {
	file.writers.mu.Lock()
	defer file.writers.mu.Unlock()
	fd, err := file.reopen(unix.O_RDONLY)
	if err != nil {
		return err
	}
	caller := n.fsys.callers.named(ctx)
	like, content, err := n.fsys.readOpen(fd, to.path, caller, txn.ViaLink)
	if err != nil {
		return err
	}
	defer like.Close()
	var stx unix.Statx_t
	if err := statFD(fd, &stx); err != nil {
		return err
	}
	link := n.linkOf(file, like, to)
	p := txn.Replacement{
		Content: content, Time: modified(&stx), Like: like, Via: txn.ViaLink, Thread: threadOf(ctx), NoReplace: true,
		Lineage: n.fsys.lineages.find(file.stableID()).get(),
	}
	if link == nil {
		_, err = file.replaceByOpen(to.path, caller, p, like)
	} else {
		p.Like = linkedFile{like}
		err = n.fsys.store.LinkIn(to.path, caller, p, link)
	}
	if err := statFD(fd, &stx); err != nil {
		return err
	}
	switch linked := backingFileOf(&stx); {
	case linked.links == 0 || err == nil && !to.holds(linked): // the number went with the registry's name
		n.fsys.origin.drop(linked)
		n.fsys.outdatePlain(file.stableID())
	case err == nil: // it has become the registry's file itself
		n.fsys.origin.carry(linked, file.number.Load())
	}
	return err
}

// linkedFile is an open file that becomes a registry, and has a name that it does not lose:
// bytes that are written by the one name are read by the other afterwards.
type linkedFile struct{ *os.File }

// KeepsName says so to package backing.
func (linkedFile) KeepsName() bool { return true }

// holds reports whether the name stands for a file.
func (p *place) holds(f backingFile) bool {
	var stx unix.Statx_t
	return statAt(p.dir.fd, p.base, &stx) == nil && stx.Ino == f.ino && deviceOf(&stx) == f.dev
}

// linkOf returns a function that gives an open file a registry's name durably. It returns
// nil where the file has no name yet: its writers may go on writing to it.
func (n *node) linkOf(file *node, open *os.File, to place) func() error {
	info, err := open.Stat()
	if err != nil {
		return nil
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Nlink == 0 {
		return nil
	}
	return func() error {
		if err := open.Sync(); err != nil {
			return err
		}
		if err := link(file.fd, to); err != nil {
			return err
		}
		return n.sync()
	}
}
