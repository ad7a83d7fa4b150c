package fs

import (
	"context"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
	"clawfs/fs/takeover"
)

// An open registry that is written goes on with a later daemon. Its transaction's facts are in the
// ledger as a text, and its staged bytes in a room of the ledger, before a request that changes
// them is answered. Of a transaction that can't be told it is only noted that something is staged:
// then each use of it fails with EIO.
//
// A commit is in the ledger before it is put in place: the digests of the content that is to be in
// place then, and of the content before, for each handle and each rename that it takes in. That is
// taken back before the next commit to the same registry. So a later daemon finds out by the content of
// the registry whether the commit was made. It neither loses one that was not, nor makes one twice.

// keeping is the part of an open registry that a later daemon finds.
type keeping struct {
	mu     sync.Mutex // guards the fields below, and the handle's record; before the locks of package txn
	filled bool       // the room holds the staged bytes, but for the change that is to be kept
	epoch  int        // the transaction's, when that was so
}

// inLedger returns the ledger and the file's number in it; ok is false where nothing is kept.
func (f *registryFile) inLedger() (l *ledger.Ledger, number uint64, ok bool) {
	l, number = f.node.fsys.ledger, f.number.Load()
	return l, number, l != nil && number != 0
}

// numbered begins to keep an open file for a later daemon, by its number.
func (f *registryFile) numbered(number uint64) {
	f.number.Store(number)
	if f.tx != nil {
		f.tx.SetMark(number)
		f.keeps(nil)
	}
}

// wrote keeps bytes that were just staged.
func (f *registryFile) wrote(at int64, data []byte) {
	f.keeps(func(l *ledger.Ledger, number uint64) bool { return l.Stage(number, at, data) })
}

// cut keeps a truncation.
func (f *registryFile) cut() {
	f.keeps(func(l *ledger.Ledger, number uint64) bool { return l.Cut(number, f.tx.Size()) })
}

// keeps keeps the transaction as it is now, before a program is told of its change. change makes the same
// change in the room; nil: the staged bytes are as they were. Something is noted to be staged before the
// text says so, and not to be staged any more after the text has said so.
func (f *registryFile) keeps(change func(l *ledger.Ledger, number uint64) bool) {
	l, number, ok := f.inLedger()
	if !ok {
		return
	}
	k := &f.keeping
	k.mu.Lock()
	defer k.mu.Unlock()
	data, shared, epoch := f.tx.Staged()
	switch {
	case shared:
		k.filled = false
	case k.filled && k.epoch == epoch:
		if change != nil && !change(l, number) {
			ok = false
		}
	case l.Fill(number, data):
		k.filled, k.epoch = true, epoch
	default:
		ok = false
	}
	clean := f.tx.Clean()
	if !clean {
		l.Stages(number, true)
	}
	if !ok {
		k.filled = false
		f.tx.Lose()
	} else {
		f.tx.Save()
	}
	if clean {
		seq, digest := f.version()
		l.Shows(number, seq, digest)
		l.Stages(number, false)
	}
}

// restage makes the transaction of a file that was just opened again the one that another daemon has left. It
// reports whether that could be done.
func (c *carried) restage(f *registryFile, number uint64, h ledger.Handle) bool {
	outcome := c.outcome(f.node, h.Places)
	if f.tx == nil || outcome == ledger.Doubtful {
		return false
	}
	request, ok := f.tx.Restore(number, func(size int) []byte { return c.ledger.Staged(number, size) })
	if !ok {
		return false
	}
	committed := outcome == ledger.Done || !h.Staged
	if committed && f.tx.IsUnsaved() {
		f.tx.WasCommitted()
	}
	c.ledger.PlacedStaged(number, committed)
	c.settleAppends(f, number, request)
	f.caller = f.tx.Opener()
	f.opener = f.caller.Actor
	if f.tx.IsUnsaved() {
		f.noteFirstWrite()
	}
	return true
}

// settleAppends settles the appends by a file that a daemon before was about to make. request is the last one
// that is in the transaction's text.
func (c *carried) settleAppends(f *registryFile, number, request uint64) {
	for _, i := range c.ledger.Intents() {
		if i.Op != opWrite || i.NewDir != number {
			continue
		}
		outcome := ledger.Done
		if !i.Placed && i.Unique|requestMark != request {
			outcome = c.outcome(f.node, i.Places)
		}
		c.ledger.Settle(i.Unique, outcome)
	}
}

// appends notes that a request is about to append to an open registry, by the number of the handle. done says that
// a daemon before has done it.
func (c *carried) appends(header *fuse.InHeader, number uint64) (done bool, status fuse.Status) {
	unique := takeover.Number(header.Unique)
	if c.mayBeDone(header) {
		switch c.ledger.Outcome(unique) {
		case ledger.Done:
			return true, fuse.OK
		case ledger.Begun, ledger.Placed, ledger.Doubtful:
			return false, fuse.EIO
		}
	}
	if !c.ledger.Intend(ledger.Intent{Unique: unique, Op: opWrite, Dir: header.NodeId, NewDir: number}) {
		return false, fuse.EIO // more requests are under way than there ever are
	}
	return false, fuse.OK
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
		c.unheard[path] |= newsModify
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

// renaming notes the request of a thread until the function that it returns is called.
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

// Places is told of content that is about to be put in place.
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

// Loses is told that staged content goes into another commit: the text does not say so.
func (c *carried) Loses(marks []uint64) {
	for _, mark := range marks {
		if mark != 0 {
			c.fsys.store.Drop(mark)
		}
	}
}
