package fs

import (
	"io"
	"os"
	"slices"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/fs/takeover"
)

// The kernel sends a request again that a dead daemon had, whether it was done or not. A
// request that makes, removes or renames a name can't be done twice: the second time it
// would fail. So its intent is in the ledger before it is done, with the inodes that the
// names stand for. The next daemon settles the requests that were about to be done
// before it serves anything. Nobody can have changed the names meanwhile, as the kernel
// locks their directories until a request is answered. Then a request that comes again
// is answered as done, or is done.

// The kernel's numbers of the operations.
const (
	opSymlink = 6
	opMknod   = 8
	opMkdir   = 9
	opUnlink  = 10
	opRmdir   = 11
	opRename  = 12
	opWrite   = 16
	opLink    = 13
	opCreate  = 35
)

// attempt prepares a request that can't be done twice: it completes the intent, and notes it.
// done says that a daemon before has done it.
func (c *carried) attempt(header *fuse.InHeader, i *ledger.Intent) (done bool, status fuse.Status) {
	i.Dir = header.NodeId
	if done, status := c.before(header, i); done || !status.Ok() {
		return done, status
	}
	ids := []uint64{i.Dir}
	if i.NewDir != 0 {
		ids = append(ids, i.NewDir)
	}
	if status := c.node(ids...); !status.Ok() {
		return false, status
	}
	i.Was, i.Node = c.standsFor(i.Dir, i.Name)
	if i.Op == opRename {
		i.NewWas, _ = c.standsFor(i.NewDir, i.NewName)
		_, i.Replaces = c.requests.node(i.NewDir).registryName(i.NewName)
		_, isOne := c.requests.node(i.Dir).registryName(i.Name)
		i.Tells = i.Replaces && !isOne && i.Flags&unix.RENAME_EXCHANGE == 0 && header.Pid != 0
	}
	if !c.ledger.Intend(*i) {
		return false, fuse.EIO // more requests are under way than there ever are
	}
	return false, fuse.OK
}

// before completes the number of an intent, and tells whether a daemon before has done the request. Where nobody
// can tell, it fails.
func (c *carried) before(header *fuse.InHeader, i *ledger.Intent) (done bool, status fuse.Status) {
	i.Unique = takeover.Number(header.Unique)
	if c.mayBeDone(header) {
		switch c.ledger.Outcome(i.Unique) {
		case ledger.Done:
			return true, fuse.OK
		case ledger.Begun, ledger.Doubtful, ledger.Placed:
			return false, fuse.EIO
		}
	}
	return false, fuse.OK
}

// makes carries out a request that makes a name, and answers with the entry of
// that name.
func (c *carried) makes(cancel <-chan struct{}, header *fuse.InHeader, i ledger.Intent, out *fuse.EntryOut, do func() fuse.Status) fuse.Status {
	done, status := c.attempt(header, &i)
	switch {
	case !status.Ok():
		return status
	case done:
		return c.Lookup(cancel, header, i.Name, out)
	}
	return c.refers(do(), header.NodeId, i.Name, out)
}

// standsFor returns the inode that a name stands for below the mount, and the id that a node
// of it has unless it is a registry's. The directory is known.
func (c *carried) standsFor(dir uint64, name string) (ledger.Inode, uint64) {
	n := c.requests.node(dir)
	var stx unix.Statx_t
	if n == nil || statAt(n.fd, name, &stx) != nil {
		return ledger.Inode{}, 0
	}
	return ledger.Inode{Number: stx.Ino, Birth: generationOf(&stx)}, c.fsys.origin.identify(&stx, n.own).Ino
}

// found notes that an object is found by a name now, if the kernel knows it. The file system may
// not know it yet: it was told to the kernel by a daemon before.
func (c *carried) found(dir uint64, name string) {
	if _, id := c.standsFor(dir, name); id != 0 {
		c.ledger.Move(ledger.Node{ID: id, Parent: dir, Name: name})
	}
}

// settle finds the requests that a daemon before has done. It must come before anything is
// served. A directory may be known by its new name only once its own rename is settled.
func (c *carried) settle() {
	list := c.ledger.Intents()
	for before := -1; len(list) != before; {
		before = len(list)
		list = slices.DeleteFunc(list, c.settles)
	}
}

// settles settles one intent. It returns false where a directory is not found.
func (c *carried) settles(i ledger.Intent) bool {
	if i.Op == opWrite || isOnAttributes(i) {
		return true // its file settles it, or settleAttributes
	}
	if !c.node(i.Dir).Ok() {
		return false
	}
	now, _ := c.standsFor(i.Dir, i.Name)
	outcome := ledger.Undone
	switch i.Op {
	case opRename:
		if !c.node(i.NewDir).Ok() {
			return false
		}
		newNow, _ := c.standsFor(i.NewDir, i.NewName)
		if i.Tells && now == i.Was && now != (ledger.Inode{}) {
			outcome = c.replaced(i)
		} else {
			outcome = renamed(i, now, newNow)
		}
		if outcome == ledger.Done {
			c.found(i.Dir, i.Name)
			c.found(i.NewDir, i.NewName)
		}
	case opUnlink, opRmdir:
		if i.Was != (ledger.Inode{}) && now == (ledger.Inode{}) {
			outcome = ledger.Done
			c.removed(i.Node, i.Dir, i.Name)
		}
	default:
		if i.Was == (ledger.Inode{}) && now != (ledger.Inode{}) {
			outcome = ledger.Done
		}
	}
	c.ledger.Settle(i.Unique, outcome)
	return true
}

// replaced tells whether a rename has committed a file that still has its former name, and takes that
// away if so.
func (c *carried) replaced(i ledger.Intent) ledger.Outcome {
	outcome := ledger.Done
	if !i.Placed {
		to := c.requests.node(i.NewDir)
		path, ok := to.registryName(i.NewName)
		if !ok {
			return ledger.Doubtful
		}
		outcome = c.outcomeAt(to, i.NewName, path, i.Places)
	}
	if outcome == ledger.Done && !i.Placed {
		c.wasReplaced(i)
	}
	if outcome == ledger.Done && unix.Unlinkat(c.requests.node(i.Dir).fd, i.Name, 0) != nil {
		return ledger.Doubtful
	}
	return outcome
}

// wasReplaced has the store know the writers of a file that was put in place of a registry.
func (c *carried) wasReplaced(i ledger.Intent) {
	from, to := c.requests.node(i.Dir), c.requests.node(i.NewDir)
	path, isOne := to.registryName(i.NewName)
	fd, err := from.openChild(i.Name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil || !isOne {
		return
	}
	file := os.NewFile(uintptr(fd), "replaced")
	defer file.Close()
	var stx unix.Statx_t
	content, err := io.ReadAll(file)
	if err == nil && statFD(fd, &stx) == nil {
		c.fsys.store.WasReplaced(path, c.fsys.lineages.find(c.fsys.origin.identify(&stx, false)).get(), content)
	}
}

// renamed tells from the present inodes of its two names whether a rename was done. Where
// a commit that is not noted replaces a registry, the file of the former name is removed after it: if that
// is still there, and the registry is another version, the commit may be another one's.
func renamed(i ledger.Intent, now, newNow ledger.Inode) ledger.Outcome {
	unchanged := now == i.Was && newNow == i.NewWas
	switch {
	case unchanged || i.Was == ledger.Inode{}:
		return ledger.Undone
	case i.Flags&unix.RENAME_EXCHANGE != 0:
		if now == i.NewWas && newNow == i.Was {
			return ledger.Done
		}
		return ledger.Doubtful
	case now == ledger.Inode{}:
		return ledger.Done
	case i.Replaces:
		return ledger.Doubtful
	}
	return ledger.Undone
}
