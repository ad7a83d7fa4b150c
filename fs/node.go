package fs

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/txn"
)

// fileSystem has the state that all nodes of a mount share.
type fileSystem struct {
	log         *zap.Logger
	store       *txn.Store
	names       *Patterns
	callers     callers
	credentials credentials
	origin      origin
	root        *node
	nodes       nodeTable
	registries  registryTable
	pruner      pruner
	lineages    lineages
	crowd       crowd
	watchers    atomic.Pointer[notifier] // nil: nobody is told
	device      atomic.Uint64            // of the mount; 0: not known
	disabled    []string                 // optimizations to do without
	ledger      *ledger.Ledger           // for a later daemon; nil: there will be none
	renames     sync.Map                 // by the thread that makes one: the mark of it, an uint64
}

func (fsys *fileSystem) without(optimization string) bool {
	return slices.Contains(fsys.disabled, optimization)
}

// node is an object below the mount: a file of any type and any role. But for
// registries (registry.go) it is held by one O_PATH descriptor, which keeps the
// backing inode and its number from being used again, and everything happens
// relative to it. Its role is decided from its present name at each operation, and is
// never kept: a rename makes a registry out of a temporary file.
type node struct {
	fusefs.Inode

	fsys *fileSystem
	fd   int // O_PATH descriptor, -1 for a registry
	dev  uint64
	id   fusefs.StableAttr
	own  bool // reached below .clawfs: nothing moves out of that

	number atomic.Uint64 // that programs see; a registry's node has one as long as it lives

	refs     uint64 // that the kernel holds; guarded by nodeTable.mu
	replaced *node  // it took over this node's references; guarded by nodeTable.mu

	// privileged says that the file had setuid or setgid set when its mode was
	// seen last. All changes of it come through here.
	privileged atomic.Bool

	all        atomic.Pointer[registryNodes] // those of the same registry; nil: it is none's. Set with registryTable.mu held
	as         registryNode
	left       atomic.Pointer[unix.Statx_t] // the state of a registry's file when its name ceased to stand for it; set with registryTable.mu held
	kept       atomic.Pointer[remains]      // of that file, where somebody had it open; set with registryTable.mu held
	files      registryFiles                // that are open on it as a registry
	plainFiles atomic.Int32                 // how many are open on it otherwise
	writers    plainWriters                 // those of them that are open for writing
	pages      pages                        // of it as a plain file
}

// resolution keeps openat2 below its descriptor, even if others change the name
// meanwhile.
const resolution = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS

// openChild opens a name in a directory. The last component is not followed.
func (n *node) openChild(name string, flags int, mode uint32) (fd int, err error) {
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_NOFOLLOW | unix.O_CLOEXEC),
		Mode:    uint64(mode),
		Resolve: resolution,
	}
	err = n.fsys.pruner.relieved(func() error {
		fd, err = unix.Openat2(n.fd, name, &how)
		return err
	})
	return fd, err
}

// reopen opens the node's object anew.
func (n *node) reopen(flags int) (int, error) { return n.fsys.openAgain(n.fd, flags) }

// openAgain opens the object of a descriptor anew.
func (fsys *fileSystem) openAgain(open, flags int) (fd int, err error) {
	err = fsys.pruner.relieved(func() error {
		fd, err = unix.Open(procPath(open), flags|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

// stableID returns an identity that stays the same from commit to commit.
func (n *node) stableID() fusefs.StableAttr {
	if n.isRegistry() {
		return lastingRegistry(n.number.Load())
	}
	return n.id
}

// lastingRegistry is lasting for a registry with a number. No object that is none has
// this generation.
func lastingRegistry(number uint64) fusefs.StableAttr {
	return fusefs.StableAttr{Mode: unix.S_IFREG, Ino: number}
}

// observe notes the attributes that a reply is about to tell.
func (n *node) observe(stx *unix.Statx_t) {
	n.privileged.Store(stx.Mode&(unix.S_ISUID|unix.S_ISGID) != 0)
}

func statFD(fd int, stx *unix.Statx_t) error {
	return retry(func() error { return unix.Statx(fd, "", unix.AT_EMPTY_PATH, statxMask, stx) })
}

// statAt asks the backing file system about a name in a directory.
func statAt(dir int, name string, stx *unix.Statx_t) error {
	return retry(func() error { return unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statxMask, stx) })
}

// child returns the node of a name, with a reference for the kernel, and its
// state. Where the name was seen before, its node is most likely known and no
// descriptor needs to be opened.
func (n *node) child(ctx context.Context, name string, seen bool, stx *unix.Statx_t) (*node, error) {
	own := n.own || n.hides(name)
	if seen {
		if err := statAt(n.fd, name, stx); err != nil {
			return nil, err
		}
		if known := n.fsys.nodes.acquire(n.fsys.origin.identify(stx, own)); known != nil {
			known.renumber(n, name, stx)
			known.observe(stx)
			return known, nil
		}
	}
	fd, err := n.openChild(name, unix.O_PATH, 0)
	if err != nil {
		return nil, err
	}
	return n.adopt(ctx, fd, own, stx)
}

// renumber has a node that was found by a name carry the number of its file: a commit may
// have parted the name from a registry's. While the file is being renamed onto a registry
// the number goes over to that, and the node has it for good.
func (n *node) renumber(dir *node, name string, stx *unix.Statx_t) {
	if n.fsys.origin.number(backingFileOf(stx), n.own) == n.number.Load() {
		return
	}
	n.writers.mu.RLock()
	defer n.writers.mu.RUnlock()
	var now unix.Statx_t
	if statAt(dir.fd, name, &now) == nil && n.fsys.origin.identify(&now, n.own) == n.id {
		n.number.Store(n.fsys.origin.number(backingFileOf(&now), n.own))
	}
}

// adopt makes a node of an O_PATH descriptor, which it takes over, or finds the
// one that is known; with a reference for the kernel.
func (n *node) adopt(ctx context.Context, fd int, own bool, stx *unix.Statx_t) (*node, error) {
	if err := statFD(fd, stx); err != nil {
		closeFD(fd)
		return nil, err
	}
	made := &node{fsys: n.fsys, fd: fd, dev: deviceOf(stx), id: n.fsys.origin.identify(stx, own), own: own}
	made.number.Store(n.fsys.origin.number(backingFileOf(stx), own))
	n.NewInode(ctx, made, made.id) // before others can find it
	winner := n.fsys.nodes.insert(made)
	if winner != made {
		closeFD(fd)
	}
	winner.observe(stx)
	return winner, nil
}

// close gives up the node's descriptor, and those of the nodes it has replaced.
func (n *node) close() {
	if n.isRegistry() {
		n.fsys.registries.drop(n)
		return
	}
	for ; n != nil; n = n.replaced {
		if n.fd >= 0 {
			closeFD(n.fd)
			n.fd = -1
		}
	}
}

// path returns the node's present path below the root, "" for the root itself;
// not ok where it has none: it, or a directory above it, was removed.
func (n *node) path() (path string, ok bool) {
	var parts []string
	at := n.EmbeddedInode()
	for !at.IsRoot() {
		name, parent := at.Parent()
		if parent == nil {
			return "", false
		}
		parts = append(parts, name)
		at = parent
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteString(parts[i])
		if i > 0 {
			b.WriteByte('/')
		}
	}
	return b.String(), true
}

// hides reports whether a name in this directory is left out of listings.
func (n *node) hides(name string) bool { return name == ownName && n.IsRoot() }

// role returns the role of the node under its present name.
func (n *node) role() role {
	switch {
	case n.own:
		return roleOwn
	case n.isRegistry():
		return roleRegistry
	case n.Mode() != unix.S_IFREG:
		return rolePlain
	}
	name, parent := n.Parent()
	if parent == nil {
		return rolePlain
	}
	return parent.Operations().(*node).roleOf(name, n.Mode())
}

// roleOf returns the role of an object of a type under a name in this directory.
func (n *node) roleOf(name string, mode uint32) role {
	if n.own || n.hides(name) {
		return roleOwn
	}
	if mode&unix.S_IFMT == unix.S_IFREG {
		if _, ok := n.registryName(name); ok {
			return roleRegistry
		}
	}
	return rolePlain
}

// entriesChangeable returns EROFS where no entry may be made, changed or removed
// under any of the names in this directory.
func (n *node) entriesChangeable(names ...string) syscall.Errno {
	if n.own {
		return syscall.EROFS
	}
	for _, name := range names {
		if n.hides(name) {
			return syscall.EROFS
		}
	}
	return 0
}

// changeable returns EROFS where the node is below .clawfs.
func (n *node) changeable() syscall.Errno {
	if n.own {
		return syscall.EROFS
	}
	return 0
}

// Statfs tells about the file system below.
func (n *node) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	var st syscall.Statfs_t
	if err := retry(func() error { return syscall.Fstatfs(n.fsys.root.fd, &st) }); err != nil {
		return plainErrno(err)
	}
	out.FromStatfsT(&st)
	return 0
}
