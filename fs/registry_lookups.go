package fs

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// A look-up finds the inode to which a registry's name leads: that of the present version, the
// one that writers share, the one that is locked, or a private one for a thread that was told
// to look again.

// errOvertaken says that a registry was found under its name with a number that others
// know to be a former one by now.
var errOvertaken = errors.New("the registry has another number by now")

// isOvertaken reports whether others have found another number under a registry's name since
// somebody was about to look at it. The order of the two looks is not known. If the former
// number were taken for the present one, the nodes of the file that has the name would be
// taken for those of one that is gone. The caller holds mu.
func (t *registryTable) isOvertaken(at *named) bool {
	r := t.find(at.dir, at.base)
	return r != nil && r.number != at.number && r.turned > at.turns
}

// lookUpNow is lookUp for the file that look finds under the name. If others have overtaken
// that look, it looks once more.
func (t *registryTable) lookUpNow(ctx context.Context, look func() (*named, error), tells func() bool) (*node, error) {
	for {
		at, err := look()
		if err != nil {
			return nil, err
		}
		if n, err := t.lookUp(ctx, at, tells); err != errOvertaken {
			return n, err
		}
	}
}

// lookUp returns the node to answer with where a registry's name is looked up, with a
// reference for the kernel. tells is whether it is looked up in order to tell watchers.
// errOvertaken: the name is to be looked at once more.
func (t *registryTable) lookUp(ctx context.Context, at *named, tells func() bool) (n *node, err error) {
	thread := threadOf(ctx)
	counted := false
	t.withLocks(func(locks *lockQuestion) {
		if t.isOvertaken(at) {
			err = errOvertaken
			return
		}
		r := t.make(at.dir, at.base, at.number)
		if n = r.toTell(); n != nil && tells() {
			if n = n.fsys.nodes.acquire(n.id); n != nil {
				return
			}
		}
		if !counted {
			r.looks.Add(1)
			counted = true
		}
		t.turn(r, at.number)
		switch a := t.again[thread]; {
		case a.key != r.key || at.sizeTime.isBlank():
			n = t.toLookUp(ctx, r, at.sizeTime, locks)
		case a.writes:
			n = t.toWriteNext(ctx, r, at.sizeTime, thread)
		default:
			if n = r.lockedOpen(at.sizeTime, locks); n == nil && !locks.open {
				n, err = t.toReadApart(ctx, at, thread)
			}
		}
	})
	return n, err
}

// toLookUp returns the node that a name leads to, with a reference for the kernel; nil
// while it is asked whether the registry is locked. The caller holds mu.
func (t *registryTable) toLookUp(ctx context.Context, r *registryNodes, at sizeTime, locks *lockQuestion) *node {
	if n := r.lockedOpen(at, locks); n != nil || locks.open {
		return n
	}
	old := r.current
	if n := old.acquireIfShows(r.number, at); n != nil {
		return n
	}
	if old != nil && old.as.state == shared && old.files.any() {
		if n := old.fsys.nodes.acquire(old.id); n != nil {
			return n
		}
	}
	r.current = t.toShow(ctx, r, at)
	return r.current
}

// toShow finds or makes the node that shows a size and a time. The caller holds mu.
func (t *registryTable) toShow(ctx context.Context, r *registryNodes, at sizeTime) *node {
	for _, n := range r.nodes {
		if n = n.acquireIfShows(r.number, at); n != nil {
			return n
		}
	}
	as := registryNode{shows: at}
	if at.isBlank() {
		as.state = blank
	}
	return t.add(ctx, r, r.number, as)
}

// acquireIfShows takes a reference to a node that a name with that number, size and time
// can be looked up to; it returns nil if it can't. The caller holds registryTable.mu.
func (n *node) acquireIfShows(number uint64, at sizeTime) *node {
	if n == nil || n.number.Load() != number {
		return nil
	}
	if n.showsAt(at) {
		return n.fsys.nodes.acquire(n.id)
	}
	return nil
}

// showsAt reports whether all that a node shows has that size and time. The caller holds
// registryTable.mu.
func (n *node) showsAt(at sizeTime) bool {
	return n.as.state == showsVersion && n.as.shows == at || n.as.state == blank && at.isBlank()
}

// toWrite returns the node for a thread that was told to look again in order to
// write. The caller holds mu.
func (t *registryTable) toWrite(ctx context.Context, r *registryNodes, at sizeTime) *node {
	if w := cmp.Or(r.writers(), r.writing); w != nil {
		if n := w.fsys.nodes.acquire(w.id); n != nil {
			return n
		}
	}
	n := t.add(ctx, r, r.number, registryNode{shows: at, state: forWriting})
	r.write(n)
	return n
}

// toWriteNext is toWrite for a look-up, which an open follows. Until then the node stays the
// one of writers: one that others got meanwhile would have other locks. The caller holds mu.
func (t *registryTable) toWriteNext(ctx context.Context, r *registryNodes, at sizeTime, thread int) *node {
	n := t.toWrite(ctx, r, at)
	t.lookedAgain(thread)
	n.as.opens++
	t.again[thread] = relookup{key: r.key, writes: true, node: n}
	return n
}

// lookedAgain forgets that a thread is to look again. The caller holds mu.
func (t *registryTable) lookedAgain(thread int) {
	if a := t.again[thread]; a.writes && a.node != nil {
		a.node.as.opens--
	}
	delete(t.again, thread)
}

// toReadApart returns a node that shows the present head and is nobody else's, for
// a thread that was told to look again. The kernel may ask for it twice. The caller
// holds mu, which is given up meanwhile.
func (t *registryTable) toReadApart(ctx context.Context, at *named, thread int) (*node, error) {
	if n := t.again[thread].node; n != nil && n.as.pinned != nil {
		if n = at.dir.fsys.nodes.acquire(n.id); n != nil {
			return n, nil
		}
	}
	t.mu.Unlock()
	pinned, number, err := at.pin(ctx)
	t.mu.Lock()
	if err != nil {
		return nil, err
	}
	r := t.make(at.dir, at.base, number)
	n := t.add(ctx, r, number, registryNode{state: private, shows: sizeTimeOfVersion(pinned.Version()), pinned: pinned})
	t.again[thread] = relookup{key: r.key, node: n}
	return n, nil
}

// manyPins is how often the head is pinned at most, if it changes each time before its
// number is known.
const manyPins = 8

// pin returns the present head and its number.
func (at *named) pin(ctx context.Context) (pinned *txn.Snapshot, number uint64, err error) {
	number = at.number
	for i := 1; ; i++ {
		if pinned, err = at.dir.openFound(ctx, at.base, at.path); err != nil {
			return nil, 0, err
		}
		var stx unix.Statx_t
		if err := at.dir.statName(ctx, at.base, at.path, &stx); err != nil || i == manyPins {
			return pinned, number, nil
		}
		number = stx.Ino
		if sizeTimeOf(&stx).isOf(pinned.Version()) {
			return pinned, number, nil
		}
		pinned.Release()
	}
}
