package fs

import (
	"context"
	"syscall"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// pruner keeps the number of nodes, and so of descriptors, within the process's
// limit: the kernel remembers names as long as it has memory, and each costs a
// descriptor here. Above the mark it asks the kernel to forget the names that
// nobody uses.
type pruner struct {
	nodes *nodeTable
	root  *node
	mark  int           // number of nodes from which there are too many
	wake  chan struct{} // of one: there may be too many

	notify func(nodes []*fusefs.Inode) syscall.Errno // names nodes to the kernel
}

const (
	pruneBatch = 512                   // nodes named to the kernel at once
	prunePause = 20 * time.Millisecond // for the kernel to forget
	pruneLimit = 50                    // tries of a request that lacks a descriptor
)

func (p *pruner) init(fsys *fileSystem, descriptors uint64) {
	p.nodes, p.root = &fsys.nodes, fsys.root
	p.mark = int(min(descriptors/2, 1<<30))
	p.wake = make(chan struct{}, 1)
	p.notify = func(nodes []*fusefs.Inode) syscall.Errno { return p.root.NotifyPrune(nodes) }
}

// crowded is told the number of nodes.
func (p *pruner) crowded(count int) {
	if count > p.mark {
		p.kick()
	}
}

func (p *pruner) kick() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// relieved calls open, and again as long as descriptors are short and the kernel
// may still give some back.
func (p *pruner) relieved(open func() error) error {
	for try := 0; ; try++ {
		err := retry(open)
		switch {
		case err == unix.EAGAIN && try < pruneLimit: // openat2 lost a race against a rename
		case (err == unix.EMFILE || err == unix.ENFILE) && try < pruneLimit:
			p.kick()
			time.Sleep(prunePause)
		default:
			return err
		}
	}
}

// run prunes when there is need to, until ctx ends. The kernel takes locks in
// answer, so no handler may do it.
func (p *pruner) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		p.prune()
		select {
		case <-ctx.Done():
			return
		case <-time.After(prunePause):
		}
	}
}

// prune names any half of the nodes to the kernel: those in use stay.
func (p *pruner) prune() {
	list := p.nodes.some(max(p.nodes.count()/2, pruneBatch))
	for len(list) > 0 {
		batch := list[:min(pruneBatch, len(list))]
		list = list[len(batch):]
		if p.notify(batch) == syscall.ENOSYS {
			dropNames(batch)
		}
	}
}

// dropNames has the kernel drop the nodes' names, for kernels before 6.18. With that of a
// directory it would take away the mounts below.
func dropNames(nodes []*fusefs.Inode) {
	for _, n := range nodes {
		if name, parent := n.Parent(); parent != nil && !n.IsDir() {
			parent.NotifyEntry(name)
		}
	}
}
