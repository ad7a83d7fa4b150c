package fs

import (
	"time"

	"golang.org/x/sys/unix"

	"clawfs/fs/process"
	"clawfs/txn"
)

// A sizeTime is how a version presents itself to stat(2). Two versions have the same only
// where programs have set their times: then a node is looked up that may show the other
// one, and the open finds out.
type sizeTime struct {
	size  uint64
	mtime unix.StatxTimestamp
}

func sizeTimeOf(stx *unix.Statx_t) sizeTime {
	return sizeTime{size: stx.Size, mtime: stx.Mtime}
}

func sizeTimeOfVersion(v *txn.Version) sizeTime {
	return sizeTimeOfInfo(txn.Info{Size: v.Size, Time: v.Time})
}

func sizeTimeOfInfo(i txn.Info) sizeTime {
	return sizeTime{size: uint64(i.Size), mtime: statxTime(i.Time)}
}

func statxTime(t time.Time) unix.StatxTimestamp {
	return unix.StatxTimestamp{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())}
}

// isBlank reports whether they are those of a file that has no version yet. No version is
// empty.
func (f sizeTime) isBlank() bool { return f.size == 0 }

// isOf reports whether they are those of a version. Of a file that has none yet any time
// is.
func (f sizeTime) isOf(v *txn.Version) bool {
	if v.Blank() {
		return f.isBlank()
	}
	return f.is(sizeTimeOfVersion(v))
}

// is reports whether a file that was given size and time has them. File systems keep
// times in nanoseconds, or less exactly.
func (f sizeTime) is(of sizeTime) bool {
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

// headIs is told the size and time of the head, when the kernel is about to be told of
// a node.
func (t *registryTable) headIs(n *node, head sizeTime) {
	if n.all.Load() == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.as.shows != head && !n.files.any() {
		n.as.state = n.as.state.headIsAnother()
	}
}

// fillSizeTime sets the size and the time that a process is to be told of a node. A node that
// shows a version has that version's. For all other nodes they are those of the file that
// the process has open itself, or the head's. It reports whether all processes are told the
// same, as long as the node lives.
func (t *registryTable) fillSizeTime(n *node, caller func() txn.Caller, stx *unix.Statx_t) (stays bool) {
	t.mu.Lock()
	stays = n.all.Load() != nil && n.as.state.keepsSizeTime()
	shows := n.as.shows
	t.mu.Unlock()
	if stays {
		stx.Size, stx.Mtime = shows.size, shows.mtime
		return true
	}
	told := n.files.sizeTimeFor(caller, sizeTimeOf(stx), func(pid int) int {
		return process.Descriptors(pid, n.fsys.device.Load(), n.number.Load())
	})
	stx.Size, stx.Mtime = told.size, told.mtime
	return false
}

// lookupTimeout is how long the kernel uses the attributes of a look-up that led to a node
// that shows a version: as long as it takes to open it, or to tell a program. The kernel is
// told of a change meanwhile. It counts from when the program that has looked up goes on,
// which may be any time later where the machine is busy: so the daemon counts nothing.
const lookupTimeout = time.Millisecond

// grantCache reports whether the kernel may be told to use size and time of a node for a
// while. It may, if no registry has changed since changes was read, which was before the
// file was looked at. The kernel is told of later changes.
func (t *registryTable) grantCache(n *node, changes uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changes.Load() != changes || !n.as.state.keepsSizeTime() {
		return false
	}
	n.as.granted = true
	return true
}

// mayHaveTold reports whether the kernel may have told a program size and time of a node
// since, without asking, and that just now (sizedReading).
func (t *registryTable) mayHaveTold(n *node, since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return n.as.granted || n.as.used.After(since) && time.Since(n.as.used) < sizedReading
}

// revokeCache reports whether the kernel may use size and time of a node without asking,
// and notes that it is about to be told not to. The caller holds registryTable.mu.
func (in *registryNode) revokeCache() bool {
	if !in.granted {
		return false
	}
	in.granted, in.used = false, time.Now()
	return true
}

// opened is called when a node was opened: the kernel's attributes of it, from the
// look-up, may not be those of the version that this file shows.
func (t *registryTable) opened(n *node) {
	t.mu.Lock()
	used := !n.as.state.keepsSizeTime() && n.as.revokeCache()
	t.mu.Unlock()
	if used {
		n.forgetAttributes()
	}
}

// outdate is called when a registry has changed: the kernel's attributes of its nodes are
// not those of the name any more. A node can be found without its name, by a mount of a
// single file for instance.
func (t *registryTable) outdate(dir *node, base string) { t.touched(dir, base, sizeTime{}, sizeTime{}) }

// touched is outdate where the version is the same, and has another time: somebody
// has set it.
func (t *registryTable) touched(dir *node, base string, before, after sizeTime) {
	var nodes []*node
	t.mu.Lock()
	t.changes.Add(1)
	if r := t.find(dir, base); r != nil {
		for _, n := range r.nodes {
			if before != after && n.as.shows == before {
				n.as.shows = after
			}
			if n.as.revokeCache() {
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
