package fs

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// The kernel keeps one size per inode, sets it by every answer to any process, and
// cuts copy_file_range(2) and mappings to it without asking; and it keeps the pages
// of mappings by inode. So an inode that is open for reading must have one size as
// long as it lives and show one content as long as it is open, and a registry has
// an inode for each version that somebody sees: else cp copies too little, the copy
// of libuv, which takes what fstat told, tries for ever, and who keeps what it has
// read by the time that fstat tells keeps it under that of a later version. Nor does
// the kernel have to ask for the size and the time of such an inode again.
//
//   - A name is looked up to the inode of the version that it has at present, told
//     by its size and time.
//   - Who writes has an inode apart, whose size is the writer's business. All that
//     write at the same time share it. A reader's inode that nobody has open becomes
//     a writer's; it is no reader's again.
//   - Who opens an inode that is not fit for it any more, because of what happened
//     since it was looked up, is told to look again (ESTALE, which the kernel does
//     by itself, once), and gets one that nobody can take away.
//   - Where somebody holds a lock on it (flock, fcntl), an inode stays that of its
//     name as long as it is open: locks are the kernel's and belong to the inode.
//     Each process is told then what it could read there itself.
//
// To programs all these inodes are one: they have the same number.

// inodes are a registry's nodes that the kernel knows.
type inodes struct {
	number uint64               // that programs see
	at     atomic.Pointer[home] // where the registry is found

	looks atomic.Uint64                // how often it was looked up or opened
	last  atomic.Pointer[unix.Statx_t] // what was told of it last

	// inodeTable.mu guards what follows.
	nodes   []*node
	current *node // the one that was looked up last
	writing *node // the one that is for writing
}

// inode is what a node has to do with it. inodeTable.mu guards it.
type inode struct {
	face   face          // as looked up: what all see who read
	taken  bool          // by who writes, or it was told another face
	shared bool          // whoever opens it has a size of its own
	until  time.Time     // so long the kernel may use the face without asking
	pinned *txn.Snapshot // of who was told to look again, for the open that follows
	opens  int           // that are under way for writing
	owed   bool          // watchers of it are to be told of a commit
}

// again is what a thread gets that was told to look again.
type again struct {
	number uint64 // of the registry
	writes bool
	node   *node // if it has looked: the one that shows a pinned snapshot
}

// inodeTable holds the registries of which the kernel knows a node. With its mutex
// held nothing of package txn is called; it comes before that of the node table.
type inodeTable struct {
	mu       sync.Mutex // guards what follows
	byNumber map[uint64]*inodes
	ids      uint64        // given so far
	again    map[int]again // by threads that were told to look again

	changes atomic.Uint64 // of registries, so far; added to with mu held
}

func (t *inodeTable) init() {
	t.byNumber = make(map[uint64]*inodes)
	t.again = make(map[int]again)
}

// manyAgain bounds the threads that were told to look again and did not.
const manyAgain = 4096

// find returns what is known of the registry of a name in a directory, or nil. The
// caller holds mu.
func (t *inodeTable) find(dir *node, base string) *inodes {
	r := t.byNumber[dir.registryNumber(base)]
	if r != nil && r.at.Load().dir != dir {
		r.at.Store(&home{dir: dir, base: base})
	}
	return r
}

// make returns find, or begins to know. The caller holds mu, and adds a node.
func (t *inodeTable) make(dir *node, base string) *inodes {
	if r := t.find(dir, base); r != nil {
		return r
	}
	r := &inodes{number: dir.registryNumber(base)}
	r.at.Store(&home{dir: dir, base: base})
	t.byNumber[r.number] = r
	return r
}

// add makes a node, with a reference for the kernel. The caller holds mu.
func (t *inodeTable) add(ctx context.Context, r *inodes, as inode) *node {
	t.ids++
	dir := r.at.Load().dir
	id := fusefs.StableAttr{Mode: unix.S_IFREG, Ino: registryID | t.ids, Gen: 1}
	n := &node{fsys: dir.fsys, fd: -1, dev: dir.dev, id: id, inodes: r, inode: as}
	dir.NewInode(ctx, n, id)
	r.nodes = append(r.nodes, n)
	return dir.fsys.nodes.insert(n)
}

// drop forgets a node that the kernel has forgotten.
func (t *inodeTable) drop(n *node) {
	t.mu.Lock()
	r := n.inodes
	if i := slices.Index(r.nodes, n); i >= 0 {
		r.nodes = slices.Delete(r.nodes, i, i+1)
	}
	if r.current == n {
		r.current = nil
	}
	if r.writing == n {
		r.writing = nil
	}
	if len(r.nodes) == 0 && t.byNumber[r.number] == r {
		delete(t.byNumber, r.number)
	}
	pinned := n.inode.pinned
	n.inode.pinned = nil
	t.mu.Unlock()
	if pinned != nil {
		pinned.Release() // nobody has opened it
	}
}

// lookUp returns the node to answer with where a registry's name is looked up that
// has a face at present; with a reference for the kernel. tells is whether it is
// looked up in order to tell watchers.
func (t *inodeTable) lookUp(ctx context.Context, dir *node, base, path string, at face, tells func() bool) (*node, error) {
	thread := threadOf(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.make(dir, base)
	if n := r.toTell(); n != nil && tells() {
		if n = n.fsys.nodes.acquire(n.id); n != nil {
			return n, nil
		}
	}
	r.looks.Add(1)
	if a := t.again[thread]; a.number == r.number {
		if a.writes {
			return t.toWrite(ctx, r, at), nil
		}
		return t.toReadApart(ctx, r, path, thread)
	}
	old := r.current
	if n := hold(old, at); n != nil {
		return n, nil
	}
	if old != nil && old.files.any() && (old.inode.shared || t.isLocked(r)) {
		if n := dir.fsys.nodes.acquire(old.id); n != nil {
			n.inode.shared = true
			return n, nil
		}
	}
	r.current = nil
	for _, n := range r.nodes {
		if r.current = hold(n, at); r.current != nil {
			return r.current, nil
		}
	}
	r.current = t.add(ctx, r, inode{face: at})
	return r.current, nil
}

// hold takes a reference to a node that a name with that face can be looked up to;
// it returns nil if it can't. The caller holds inodeTable.mu.
func hold(n *node, at face) *node {
	if n == nil || n.inode.taken || n.inode.shared || n.inode.pinned != nil || n.inode.face != at {
		return nil
	}
	return n.fsys.nodes.acquire(n.id)
}

// toWrite returns the node for a thread that was told to look again in order to
// write. The caller holds mu.
func (t *inodeTable) toWrite(ctx context.Context, r *inodes, at face) *node {
	if r.writing != nil {
		if n := r.writing.fsys.nodes.acquire(r.writing.id); n != nil {
			return n
		}
	}
	r.writing = t.add(ctx, r, inode{face: at, taken: true})
	return r.writing
}

// isWritten reports whether somebody has the registry open for writing. The caller
// holds inodeTable.mu.
func (r *inodes) isWritten() bool {
	return r.writing != nil && (r.writing.inode.opens > 0 || r.writing.files.any())
}

// toReadApart returns a node that shows the present head and is nobody else's, for
// a thread that was told to look again. The kernel may ask for it twice. The caller
// holds mu, which is given up meanwhile.
func (t *inodeTable) toReadApart(ctx context.Context, r *inodes, path string, thread int) (*node, error) {
	at := r.at.Load()
	if n := t.again[thread].node; n != nil && n.inode.pinned != nil {
		if n = at.dir.fsys.nodes.acquire(n.id); n != nil {
			return n, nil
		}
	}
	t.mu.Unlock()
	pinned, err := at.dir.fsys.store.Open(path)
	t.mu.Lock()
	if err != nil {
		return nil, err
	}
	r = t.make(at.dir, at.base)
	n := t.add(ctx, r, inode{face: faceOfVersion(pinned.Version()), pinned: pinned})
	t.again[thread] = again{number: r.number, node: n}
	return n, nil
}

// openToRead adds a file to its node, with its snapshot or the one that was pinned
// when the name was looked up; false: the thread must look again.
func (t *inodeTable) openToRead(f *registryFile) bool {
	var unused *txn.Snapshot
	defer func() {
		if unused != nil {
			unused.Release()
		}
	}()
	n := f.node
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := n.inodes; r != nil {
		r.looks.Add(1)
		in := &n.inode
		if in.pinned != nil {
			unused, f.snapshot, in.pinned = f.snapshot, in.pinned, nil
		}
		fit := !in.taken && in.face.isOf(f.snapshot.Version()) && n.files.show(f.snapshot.Version())
		if !fit && !in.shared && !t.share(n, f.thread, false) {
			return false
		}
		t.done(f.thread)
	}
	n.files.add(f)
	return true
}

// beginToWrite makes a node one for writing, for a thread of a process; false: the
// thread must look again. Else endToWrite must follow.
func (t *inodeTable) beginToWrite(n *node, thread int, a txn.Actor) bool {
	creates := n.files.creating(a) != nil
	t.mu.Lock()
	defer t.mu.Unlock()
	r := n.inodes
	if r == nil {
		return true
	}
	if r.writing != n && !n.inode.shared && !creates {
		if r.isWritten() || n.files.any() || n.inode.pinned != nil {
			if !t.share(n, thread, true) {
				return false
			}
		} else {
			n.inode.taken = true
			r.writing = n
		}
	}
	t.done(thread)
	n.inode.opens++
	return true
}

// endToWrite adds the file that was opened, if it was.
func (t *inodeTable) endToWrite(n *node, f *registryFile) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.inodes != nil {
		n.inode.opens--
	}
	if f != nil {
		n.files.add(f)
	}
}

// share has a node take a file that it is not fit for, where it must: it is
// locked, or the thread has looked again in vain, by way of a descriptor. Else the
// thread is to look again. The caller holds mu.
func (t *inodeTable) share(n *node, thread int, writes bool) bool {
	r := n.inodes
	looked := t.again[thread].number == r.number
	if looked || thread == 0 || n.files.any() && t.isLocked(r) {
		n.inode.shared = true
		return true
	}
	if len(t.again) >= manyAgain {
		clear(t.again)
	}
	t.again[thread] = again{number: r.number, writes: writes}
	return false
}

// done is called when a thread has opened what it looked for. The caller holds mu.
func (t *inodeTable) done(thread int) {
	if len(t.again) > 0 {
		delete(t.again, thread)
	}
}

// isLocked reports whether a process holds a lock on the registry. The caller holds
// mu.
func (t *inodeTable) isLocked(r *inodes) bool {
	locks, err := readProc("/proc/locks")
	if err != nil {
		return false
	}
	return bytes.Contains(locks, []byte(":"+strconv.FormatUint(r.number, 10)+" "))
}

// create makes a node for a file that creates its registry, and adds the file.
func (t *inodeTable) create(ctx context.Context, f *registryFile, dir *node, base string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.make(dir, base)
	f.node = t.add(ctx, r, inode{taken: true})
	if !r.isWritten() {
		r.writing = f.node
	}
	f.node.files.add(f)
}

// creating returns the file by which a process is creating a registry, or nil.
func (t *inodeTable) creating(dir *node, base string, a txn.Actor) *registryFile {
	t.mu.Lock()
	var nodes []*node
	if r := t.find(dir, base); r != nil {
		nodes = slices.Clone(r.nodes)
	}
	t.mu.Unlock()
	for _, n := range nodes {
		if f := n.files.creating(a); f != nil {
			return f
		}
	}
	return nil
}

// owe notes that watchers of a registry's nodes are to be told of a commit.
func (t *inodeTable) owe(dir *node, base string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.find(dir, base); r != nil {
		for _, n := range r.nodes {
			n.inode.owed = true
		}
	}
}

// owed returns how many nodes of a registry there are whose watchers are to be
// told.
func (t *inodeTable) owed(dir *node, base string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.find(dir, base)
	if r == nil {
		return 0
	}
	count := 0
	for _, n := range r.nodes {
		if n.inode.owed {
			count++
		}
	}
	return count
}

// toTell returns a node whose watchers are to be told, or nil. The caller holds
// inodeTable.mu.
func (r *inodes) toTell() *node {
	for _, n := range r.nodes {
		if n.inode.owed {
			return n
		}
	}
	return nil
}

// lookUpToTell returns such a node of a registry that is gone, with a reference for
// the kernel, or nil.
func (t *inodeTable) lookUpToTell(dir *node, base string) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.find(dir, base); r != nil {
		if n := r.toTell(); n != nil {
			return n.fsys.nodes.acquire(n.id)
		}
	}
	return nil
}

// told is called where the kernel makes an event for the watchers of a node, which
// may be none of a registry's.
func (t *inodeTable) told(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n.inode.owed = false
}
