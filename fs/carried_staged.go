package fs

import (
	"context"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/txn"
)

// What is staged by an open registry goes on with a later daemon if it was all written since the open,
// which truncated or created the file. Its bytes are in the ledger before a write is answered, with
// what the transaction says of itself. Of other open registries it is only noted that something is
// staged.
//
// A commit is in the ledger before it is put in place: the digests of the content that is to be in
// place then, and of that before, for each handle and each rename that it takes in. That is taken
// back before the next commit to the same registry. So a later daemon finds out by what the registry
// holds whether the commit was made. It neither loses one that was not, nor makes one twice.

// keeping is what a later daemon finds of an open registry.
type keeping struct {
	mu    sync.Mutex // guards the fields below, and the handle's record; before the locks of package txn
	saved bool       // what is staged, and what the transaction says of itself
	wrote bool       // that was saved since the first write
	lost  bool       // something is staged that is not kept, or can't be
}

// inLedger returns the ledger and the file's number in it; ok is false where nothing is kept.
func (f *registryFile) inLedger() (l *ledger.Ledger, number uint64, ok bool) {
	l, number = f.node.fsys.ledger, f.number.Load()
	return l, number, l != nil && number != 0
}

// numbered begins to keep an open file for a later daemon, by its number.
func (f *registryFile) numbered(number uint64) {
	f.number.Store(number)
	if f.tx == nil {
		return
	}
	f.tx.SetMark(number)
	f.saves()
}

// saves keeps what the transaction says of itself, if another daemon could go on with it.
func (f *registryFile) saves() {
	l, number, ok := f.inLedger()
	if !ok || f.append {
		return
	}
	f.keeping.mu.Lock()
	defer f.keeping.mu.Unlock()
	text, ok := f.tx.Save()
	f.keeping.saved = ok && !f.keeping.lost && l.Save(number, text)
	if !f.keeping.saved {
		l.Lose(number)
	}
}

// loses has nothing of what is staged kept.
func (f *registryFile) loses() {
	f.stage(txn.Actor{}, func(*ledger.Ledger, uint64) bool { return false })
}

// wrote keeps what was just staged, before the program is told that it was.
func (f *registryFile) wrote(by txn.Actor, at int64, data []byte, err error) {
	f.stage(by, func(l *ledger.Ledger, number uint64) bool { return err == nil && l.Stage(number, at, data) })
}

// cut is wrote for a truncation.
func (f *registryFile) cut(by txn.Actor, err error) {
	f.stage(by, func(l *ledger.Ledger, number uint64) bool { return err == nil && l.Cut(number, f.tx.Size()) })
}

// stage keeps by how what a process has staged, if another daemon could go on with that.
func (f *registryFile) stage(by txn.Actor, how func(l *ledger.Ledger, number uint64) bool) {
	l, number, ok := f.inLedger()
	if !ok {
		return
	}
	k := &f.keeping
	k.mu.Lock()
	defer k.mu.Unlock()
	k.saved = k.saved && by == f.opener && f.tx.BeganEmpty()
	if k.saved && !k.wrote {
		text, ok := f.tx.Save()
		k.saved, k.wrote = ok && l.Save(number, text), true
	}
	if k.saved = k.saved && how(l, number); !k.saved {
		k.lost = true
		l.Lose(number)
	}
	if !f.tx.Clean() {
		l.Stages(number, true)
	}
}

// settled notes that nothing is staged any more, if that is so.
func (f *registryFile) settled() {
	l, number, ok := f.inLedger()
	if !ok {
		return
	}
	f.keeping.mu.Lock()
	defer f.keeping.mu.Unlock()
	if f.tx.Clean() {
		f.keeping.saved = f.keeping.saved && f.tx.BeganEmpty()
		l.Shows(number, f.version())
		l.Stages(number, false)
	}
}

// restage makes a file that was just opened again what another daemon has left: something was staged
// by it. It reports whether that could be done. Where that was committed the file shows the head.
func (c *carried) restage(f *registryFile, number uint64, h ledger.Handle) bool {
	switch c.outcome(f.node, h.Places) {
	case ledger.Done:
		c.ledger.Stages(number, false)
		return true
	case ledger.Doubtful:
		return false
	}
	c.ledger.PlacedStaged(number, false)
	note, data, ok := c.ledger.Saved(number)
	if !ok || f.tx == nil || !f.tx.Restore(note, data) {
		return false
	}
	f.noteFirstWrite()
	return true
}

// outcome tells whether content was put in place of a registry. One that was is made durable: its
// daemon may have died before.
func (c *carried) outcome(n *node, p ledger.Placing) ledger.Outcome {
	dir, base, path, ok := n.registry()
	if !ok {
		return ledger.Doubtful
	}
	return c.outcomeAt(dir, base, path, p)
}

// outcomeAt is outcome for a registry's name.
func (c *carried) outcomeAt(dir *node, base, path string, p ledger.Placing) ledger.Outcome {
	if p == (ledger.Placing{}) {
		return ledger.Undone
	}
	var head [32]byte
	if s, err := c.fsys.store.Open(path); err == nil {
		if !s.Version().Blank() {
			head = s.Version().Digest
		}
		s.Release()
	}
	switch {
	case head == p.Content:
		if dir.syncChild(base) != nil || dir.sync() != nil {
			return ledger.Doubtful
		}
		return ledger.Done
	case head == p.Before:
		return ledger.Undone
	}
	return ledger.Doubtful
}

// syncChild makes a file durable.
func (n *node) syncChild(base string) error {
	fd, err := n.openChild(base, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return syncFD(fd, 0)
}

// requestMark tells the mark of a request from that of a handle.
const requestMark = 1 << 63

// renaming notes, until the function that it returns is called, which request a thread makes.
func (c *carried) renaming(header *fuse.InHeader, unique uint64) (done func()) {
	if header.Pid == 0 {
		return func() {}
	}
	c.fsys.renames.Store(int(header.Pid), unique|requestMark)
	return func() { c.fsys.renames.Delete(int(header.Pid)) }
}

// markOf returns the mark of the rename that a thread makes; 0: it has none.
func (fsys *fileSystem) markOf(thread int) uint64 {
	mark, ok := fsys.renames.Load(thread)
	if !ok {
		return 0
	}
	return mark.(uint64)
}

// tellsNothing notes for a later daemon that the rename that a thread makes commits by another way
// than a single commit.
func (fsys *fileSystem) tellsNothing(ctx context.Context) {
	if mark := fsys.markOf(threadOf(ctx)); mark != 0 {
		fsys.ledger.TellsNothing(mark &^ requestMark)
	}
}

// Places is told by the store what is about to be put in place.
func (c *carried) Places(marks []uint64, digest, before [32]byte) {
	p := ledger.Placing{Content: digest, Before: before}
	for _, mark := range marks {
		if mark&requestMark != 0 {
			c.ledger.PlacesIntended(mark&^requestMark, p)
		} else {
			c.ledger.PlacesStaged(mark, p)
		}
	}
}

// Placed is told whether that was done.
func (c *carried) Placed(marks []uint64, done bool) {
	for _, mark := range marks {
		if mark&requestMark != 0 {
			c.ledger.PlacedIntended(mark&^requestMark, done)
		} else {
			c.ledger.PlacedStaged(mark, done)
		}
	}
}

// Loses is told that what is staged goes into another commit.
func (c *carried) Loses(marks []uint64) {
	for _, mark := range marks {
		c.ledger.Lose(mark)
	}
}
