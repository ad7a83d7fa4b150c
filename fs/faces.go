package fs

import (
	"time"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// A face is how a version presents itself to stat(2). No two versions of a registry
// have the same.
type face struct {
	size  uint64
	mtime unix.StatxTimestamp
}

func faceOf(stx *unix.Statx_t) face { return face{size: stx.Size, mtime: stx.Mtime} }

func faceOfVersion(v *txn.Version) face {
	return face{size: uint64(v.Size), mtime: unix.StatxTimestamp{Sec: v.Time.Unix(), Nsec: uint32(v.Time.Nanosecond())}}
}

// isOf reports whether the face is that of a version. File systems keep times in
// nanoseconds, or less exactly.
func (f face) isOf(v *txn.Version) bool {
	of := faceOfVersion(v)
	if f.size != of.size || f.mtime.Sec != of.mtime.Sec {
		return false
	}
	for unit := uint32(1); unit <= 1e9; unit *= 10 {
		if of.mtime.Nsec-of.mtime.Nsec%unit == f.mtime.Nsec {
			return true
		}
	}
	return false
}

// present makes the state of a registry's head what a process is to be told that asks
// about a node. It reports whether that is the same for all, and stays so: what is
// told to those who read. Of a node for writing it is what the process has staged
// itself, or the head's.
func (t *inodeTable) present(n *node, caller func() txn.Caller, stx *unix.Statx_t) (stays bool) {
	t.mu.Lock()
	in := &n.inode
	stays = n.inodes != nil && !in.taken && !in.shared
	if stays && in.face != faceOf(stx) && in.pinned == nil && !n.files.any() {
		in.taken, stays = true, false // nobody's to read any more
	}
	at := in.face
	t.mu.Unlock()
	if stays {
		stx.Size, stx.Mtime = at.size, at.mtime
		return true
	}
	stx.Size = n.files.sizeFor(caller, stx.Size)
	return false
}

// lookupTimeout is how long the kernel uses what it was told when it looked a name up
// to a node whose face stays: as long as it takes to open it, or to tell a program.
// It is told of what changes meanwhile. The kernel counts in ticks, of up to ten
// milliseconds each, and adds one.
const (
	lookupTimeout = time.Millisecond
	lookupTicks   = 25 * time.Millisecond
)

// mayUse reports whether the kernel may be told to use the face of a node for a while:
// if nothing has changed since there were so many changes, before its name was looked
// at. Of what changes later it is told.
func (t *inodeTable) mayUse(n *node, changes uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changes.Load() != changes || n.inode.taken || n.inode.shared {
		return false
	}
	n.inode.until = time.Now().Add(lookupTicks)
	return true
}

// used reports whether the kernel may use the face of a node without asking, and
// notes that it is about to be told not to. The caller holds mu.
func (in *inode) used() bool {
	if in.until.IsZero() {
		return false
	}
	used := time.Now().Before(in.until)
	in.until = time.Time{}
	return used
}

// opened is called when a node was opened: what the kernel was told of it when it was
// looked up may not be what this file shows.
func (t *inodeTable) opened(n *node) {
	t.mu.Lock()
	used := (n.inode.taken || n.inode.shared) && n.inode.used()
	t.mu.Unlock()
	if used {
		n.forgetAttributes()
	}
}

// outdate is called when a registry has changed: what the kernel was told of its
// nodes is not what the name stands for. A node can be found without its name, by a
// mount of a single file for instance.
func (t *inodeTable) outdate(dir *node, base string) { t.touched(dir, base, face{}, face{}) }

// touched is outdate where the version is the same, and has another face: somebody
// has set its time.
func (t *inodeTable) touched(dir *node, base string, before, after face) {
	var nodes []*node
	t.mu.Lock()
	t.changes.Add(1)
	if r := t.find(dir, base); r != nil {
		for _, n := range r.nodes {
			if before != after && n.inode.face == before {
				n.inode.face = after
			}
			if n.inode.used() {
				nodes = append(nodes, n)
			}
		}
	}
	t.mu.Unlock()
	for _, n := range nodes {
		n.forgetAttributes()
	}
}

// forgetAttributes has the kernel ask for the node's attributes when it needs them
// next. It waits for nothing.
func (n *node) forgetAttributes() { _ = n.NotifyContent(-1, 0) } // a node that the kernel has forgotten has none
