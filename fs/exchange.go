package fs

import (
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// exchange has two names change places. A file that becomes a registry must be fit for
// it. No content can be lost.
func (fsys *fileSystem) exchange(ctx context.Context, from, to place, flags uint32) error {
	var names []string
	caller := fsys.callers.named(ctx)
	for _, pair := range [][2]place{{from, to}, {to, from}} {
		here, there := pair[0], pair[1]
		if !here.registry {
			continue
		}
		names = append(names, here.path)
		if there.mode != unix.S_IFREG {
			continue
		}
		file, content, err := fsys.readPlain(there, here.path, caller)
		if err != nil {
			return err
		}
		_ = file.Close()
		if there.registry && len(content) > 0 {
			continue
		}
		if err := fsys.store.Check(here.path, caller, txn.ViaRename, content); err != nil {
			return err
		}
	}
	move := func() error { return renameat(from, to, flags) }
	if !from.isRegistry() || !to.isRegistry() {
		return fsys.store.Exclusively(names, move)
	}
	if err := fsys.store.Exchange(from.path, to.path, caller, move); err != nil {
		return err
	}
	fsys.registries.exchange(&from, &to)
	fsys.follow(&from)
	fsys.follow(&to)
	return nil
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
