package fs

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// The kernel keeps one size per inode, sets it by every answer to any process, and
// cuts copy_file_range(2) and mappings to it without asking. It keeps the pages of
// mappings by inode, too. If two versions of a registry shared an inode, three programs
// would break: cp would stop at the smaller size; libuv's copy would loop, because
// fstat promises bytes that never come; a cache that is keyed by the modification time
// would file old content under the new time. So each version that somebody reads has an
// inode of its own, whose size and time never change. The kernel need not even ask for
// them again.
//
//   - A name is looked up to the inode of the version that it has at present, told
//     by its size and time.
//   - Writers have an inode apart, whose size is theirs. All that write at the same
//     time share it. A reader's inode that nobody has open becomes a writer's; it is
//     no reader's again.
//   - A commit may come between look-up and open, so that the inode is not fit any more.
//     Then the open fails with ESTALE, and the kernel repeats the look-up once, by itself.
//     The second look-up gets a private inode, which can't become unfit.
//   - Where somebody holds a lock on it (flock, fcntl), an inode stays that of its name as long
//     as it is open: locks are the kernel's and belong to the inode. Each process is told then
//     the size that it could read there itself.
//   - A file that has no version yet has one inode for all, readers and writers:
//     there is nothing to read.
//
// To programs all these inodes are one: they have the same number. Once the registry has
// another number, since it was replaced by a rename, its name leads to none that has the
// former one; locks don't matter then, as in a bare directory. registry_nodestate.go has the states
// of an inode.

// registryNodes are the nodes of a registry that the kernel knows.
type registryNodes struct {
	key homeKey
	at  atomic.Pointer[home] // where the registry is found

	looks atomic.Uint64                // how often it was looked up or opened
	last  atomic.Pointer[unix.Statx_t] // its attributes as they were told last

	// registryTable.mu guards the fields below.
	nodes   []*node
	number  uint64 // that programs see, when its name was looked up last
	turned  uint64 // when it was given that, by registryTable.turns
	current *node  // the one that was looked up last, of that number
	writing *node  // the one that writers get, of that number: forWriting, blank, or shared

	passedOver bool // watchers of the directory may have passed a commit over
}

// homeKey is a home that can be compared: the id of the directory, and the name.
type homeKey struct {
	dir  uint64
	base string
}

// named is a registry's name as it was found.
type named struct {
	dir        *node
	base, path string
	number     uint64
	sizeTime   sizeTime
	turns      uint64 // registryTable.turns before
}

// registryNode is the part of a node that only a registry's nodes have.
// registryTable.mu guards it.
type registryNode struct {
	state   nodeState
	shows   sizeTime      // size and time of the look-up; all readers are told these while the state keeps them
	granted bool          // the kernel may use these without asking
	used    time.Time     // when the kernel was told last that it must ask again
	pinned  *txn.Snapshot // of a private node, for the open that follows
	opens   int           // opens under way for writing
	news    news          // for watchers that have not heard it yet
}

// relookup is the node that a thread gets after it was told to look again.
type relookup struct {
	key    homeKey // of the registry
	writes bool
	node   *node // if it has looked: the private one, or the one to write by, which counts as open
}

// registryTable holds the registries whose nodes the kernel knows. With its mutex held
// nothing of package txn is called, and no list of locks is read (withLocks); it comes
// before that of the node table.
type registryTable struct {
	mu     sync.Mutex // guards the fields below
	byHome map[homeKey]*registryNodes
	ids    uint64           // given so far
	again  map[int]relookup // by threads that were told to look again
	parted bool             // a node may have left its name that has others

	changes atomic.Uint64 // of registries, so far; added to with mu held
	turns   atomic.Uint64 // of registries to another number, so far; added to with mu held
}

func (t *registryTable) init() {
	t.byHome = make(map[homeKey]*registryNodes)
	t.again = make(map[int]relookup)
}

// manyAgain bounds the threads that were told to look again and did not.
const manyAgain = 4096

// find returns the known nodes of the registry of a name in a directory, or nil.
// The caller holds mu.
func (t *registryTable) find(dir *node, base string) *registryNodes {
	r := t.byHome[homeKey{dir.id.Ino, base}]
	if r != nil && r.at.Load().dir != dir {
		r.at.Store(&home{dir: dir, base: base})
	}
	return r
}

// make returns find, or begins to know a registry, which has a number at present. The
// caller holds mu, and adds a node.
func (t *registryTable) make(dir *node, base string, number uint64) *registryNodes {
	if r := t.find(dir, base); r != nil {
		return r
	}
	r := &registryNodes{key: homeKey{dir.id.Ino, base}, number: number, turned: t.turns.Add(1)}
	r.at.Store(&home{dir: dir, base: base})
	t.byHome[r.key] = r
	return r
}

// turn is told the number that a registry has at present. Nodes of another number stand
// for a file that had the name before. The caller holds mu.
func (t *registryTable) turn(r *registryNodes, number uint64) {
	if r.number == number {
		return
	}
	r.leave(0)
	r.number, r.turned, r.current, r.writing = number, t.turns.Add(1), nil, nil
	for _, n := range r.nodes {
		if n.number.Load() == number && (n.as.state == forWriting || n.as.state == blank && n.files.any()) {
			r.writing = n
		}
	}
}

// leave notes that the name does not stand any more for the file that it stood for, and how
// many names that has. The caller holds registryTable.mu.
func (r *registryNodes) leave(names uint32) {
	last := r.last.Swap(nil)
	if last == nil {
		return
	}
	for _, n := range r.nodes {
		if n.number.Load() != r.number {
			continue
		}
		left := *last
		left.Nlink = names
		n.left.Store(&left)
		n.setNews(n.as.news | newsDelete)
	}
}

// leaves notes that a name does not stand any more for the registry that was found there,
// which has so many names left. A process that has it open by a name that it had before is told so, too.
// The kernel tells the watchers of the node that it has found by the name. rest is the remains of the
// file, nil if there are none.
func (t *registryTable) leaves(at *place, names uint32, rest *remains) {
	if !at.isRegistry() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(at.dir, at.base)
	if r != nil && r.number == at.number {
		if r.leave(names); r.current != nil {
			r.current.setNews(0)
		}
	}
	r.keeps(at.number, rest)
	if t.parted = t.parted || names > 0; !t.parted {
		return
	}
	t.parted = false
	for _, r := range t.byHome {
		for _, n := range r.nodes {
			left := n.left.Load()
			if left != nil && n.number.Load() == at.number {
				now := *left
				now.Nlink = names
				left = &now
				n.left.Store(left)
			}
			t.parted = t.parted || left != nil && left.Nlink > 0
		}
	}
}

// add makes a node that has a number, with a reference for the kernel. The caller holds
// mu.
func (t *registryTable) add(ctx context.Context, r *registryNodes, number uint64, as registryNode) *node {
	t.ids++
	dir := r.at.Load().dir
	id := fusefs.StableAttr{Mode: unix.S_IFREG, Ino: registryID | t.ids, Gen: 1}
	n := &node{fsys: dir.fsys, fd: -1, dev: dir.dev, id: id, as: as}
	n.all.Store(r)
	n.number.Store(number)
	dir.fsys.origin.numbers.Hold(number)
	dir.NewInode(ctx, n, id)
	r.nodes = append(r.nodes, n)
	return dir.fsys.nodes.insert(n)
}

// nodesOf returns the nodes of the registry of a name in a directory.
func (t *registryTable) nodesOf(dir *node, base string) []*node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.find(dir, base); r != nil {
		return slices.Clone(r.nodes)
	}
	return nil
}

// move notes that a registry has another name: its nodes are those of that from now on. The
// node that had the name before has another number.
func (t *registryTable) move(from, to *place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(from.dir, from.base)
	if r == nil {
		return
	}
	var moved []*node
	r.nodes = slices.DeleteFunc(r.nodes, func(n *node) bool {
		moves := n.number.Load() == from.number
		if moves {
			moved = append(moved, n)
		}
		return moves
	})
	if len(moved) == 0 {
		return
	}
	last := r.last.Load()
	t.turn(r, 0)
	if len(r.nodes) == 0 {
		delete(t.byHome, r.key)
	}
	target := t.make(to.dir, to.base, 0)
	target.nodes = append(target.nodes, moved...)
	for _, n := range moved {
		n.all.Store(target)
	}
	replaced := target.current
	if t.turn(target, from.number); replaced != nil {
		replaced.setNews(0)
	}
	target.last.Store(last)
}

// drop forgets a node that the kernel has forgotten.
func (t *registryTable) drop(n *node) {
	t.mu.Lock()
	r := n.all.Load()
	if i := slices.Index(r.nodes, n); i >= 0 {
		r.nodes = slices.Delete(r.nodes, i, i+1)
	}
	if r.current == n {
		r.current = nil
	}
	if r.writing == n {
		r.writing = nil
	}
	if len(r.nodes) == 0 && t.byHome[r.key] == r {
		delete(t.byHome, r.key)
	}
	pinned := n.as.pinned
	n.as.pinned = nil
	t.mu.Unlock()
	n.fsys.origin.numbers.LetGo(n.number.Load())
	if pinned != nil {
		pinned.Release() // nobody has opened it
	}
}
