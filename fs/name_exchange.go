package fs

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// exchange has two names change places, durably. A file that becomes a registry must be fit
// for it. No content can be lost.
func (fsys *fileSystem) exchange(ctx context.Context, from, to place, flags uint32) error {
	if to.mode == 0 {
		return unix.ENOENT
	}
	caller := fsys.callers.named(ctx)
	var arrivals []txn.Arrival
	for _, pair := range [][2]place{{from, to}, {to, from}} {
		if here, there := pair[0], pair[1]; here.registry {
			p, err := fsys.arrival(ctx, there, here, caller)
			if err != nil {
				return err
			}
			arrivals = append(arrivals, txn.Arrival{Name: here.path, Replacement: p})
		}
	}
	move := func() error { return renameat(from, to, flags) }
	switch {
	case from.mode == unix.S_IFDIR || to.mode == unix.S_IFDIR:
		source, okFrom := from.dir.pathOf(from.base)
		target, okTo := to.dir.pathOf(to.base)
		if !okFrom || !okTo {
			return move()
		}
		return fsys.store.ExchangeNames(source, target, caller)
	case len(arrivals) == 0:
		return move()
	case !from.isRegistry() || !to.isRegistry():
		if err := fsys.store.Arrive(caller, arrivals, move); err != nil {
			return err
		}
	default:
		if err := fsys.store.Exchange(from.path, to.path, caller, move); err != nil {
			return err
		}
		fsys.registries.exchange(&from, &to)
		fsys.follow(&from)
		fsys.follow(&to)
	}
	err := from.dir.sync()
	if to.dir != from.dir {
		err = errors.Join(err, to.dir.sync())
	}
	return err
}

// arrival returns the facts about the object that is to have a registry's name. Only a
// regular file has a content.
func (fsys *fileSystem) arrival(ctx context.Context, from, to place, caller txn.Caller) (p txn.Replacement, err error) {
	if from.mode != unix.S_IFREG {
		return p, nil
	}
	file, content, err := fsys.readPlain(from, to.path, caller)
	if err != nil {
		return p, err
	}
	defer file.Close()
	if !from.registry || len(content) == 0 {
		err = fsys.store.Check(to.path, caller, txn.ViaRename, content)
	}
	if !from.registry && err == nil {
		err = file.Sync()
	}
	if err != nil {
		return p, err
	}
	p, _, err = fsys.replacement(ctx, file, from, to, unix.RENAME_EXCHANGE)
	p.Content = content
	return p, err
}

// exchange notes that two registries have changed places: the nodes of each are those of the
// other name from now on.
func (t *registryTable) exchange(a, b *place) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ofA, lastA := t.takeOut(a)
	ofB, lastB := t.takeOut(b)
	t.putIn(b, a.number, ofA, lastA)
	t.putIn(a, b.number, ofB, lastB)
}

// takeOut takes the nodes away that stand for the registry at a place, and its attributes.
// The caller holds mu.
func (t *registryTable) takeOut(at *place) (nodes []*node, last *unix.Statx_t) {
	r := t.find(at.dir, at.base)
	if r == nil {
		return nil, nil
	}
	if r.number == at.number {
		last = r.last.Swap(nil)
	}
	r.nodes = slices.DeleteFunc(r.nodes, func(n *node) bool {
		taken := n.number.Load() == at.number
		if taken {
			nodes = append(nodes, n)
		}
		return taken
	})
	r.current, r.writing = nil, nil
	if len(r.nodes) == 0 {
		delete(t.byHome, r.key)
	}
	return nodes, last
}

// putIn makes nodes those of a place where a registry with that number is now. The caller
// holds mu.
func (t *registryTable) putIn(at *place, number uint64, nodes []*node, last *unix.Statx_t) {
	r := t.find(at.dir, at.base)
	if r == nil && len(nodes) == 0 {
		return
	}
	r = t.make(at.dir, at.base, 0)
	r.nodes = append(r.nodes, nodes...)
	for _, n := range nodes {
		n.all.Store(r)
	}
	t.turn(r, number)
	r.last.Store(last)
}
