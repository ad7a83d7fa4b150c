package fs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"clawfs/fs/process"
	"clawfs/txn"
)

// A file that is kept open shows the newest version to a reading from its start, as in a
// bare directory. A reading ends in the version in which it began. A program that has
// asked for the size, in order to read so much, reads that from the version that has the
// size.
//
// A lock on the registry is the kernel's, and the daemon is told nothing of it. So where a
// handle may show an old version, the daemon looks whether its reader holds a lock. Then
// the reader gets the newest version, at any offset. Many programs give their lock up
// before they close a file that they have written. The next holder's reading commits that
// content first.
//
// A descriptor of a file that a rename has replaced goes on with the last content of
// that file (registry_remains.go).

// reading is how far a program that reads an open registry has come.
type reading struct {
	told   atomic.Pointer[txn.Snapshot] // its size was told last, nil: that of the version shown
	toldAt atomic.Int64                 // when a size was told, in nanoseconds, if nobody has read since by it; 0: none was
	inPass atomic.Bool                  // a pass has begun and not come to the end
	mapped atomic.Pointer[txn.Version]  // mappings of the file show this one, nil: none was seen

	mu    sync.Mutex // guards the fields below; the other fields, and the version shown, change with it held
	begun bool
	next  int64     // where the last pass goes on
	at    time.Time // of the last part that was read
	ended bool      // the last descriptor is gone: shows and told are given up
}

// sizedReading is how long after a size was told somebody may begin to read so much. A
// program does so at once.
const sizedReading = time.Second

// tells notes that somebody is told the size.
func (r *reading) tells() { r.toldAt.Store(time.Now().UnixNano()) }

// isSized reports whether somebody has been told the size just now.
func (r *reading) isSized() bool {
	at := r.toldAt.Load()
	return at != 0 && time.Now().UnixNano()-at < int64(sizedReading)
}

// passed notes that a program has read up to an offset, of so many bytes that there are.
// The caller holds mu.
func (r *reading) passed(to, size int64) {
	r.begun, r.next, r.at = true, to, time.Now()
	r.inPass.Store(to > 0 && to < size)
}

// pageRead marks the offset of a reading by the kernel for a mapping, which is no pass of a program's.
const pageRead = 1 << 62

// turn has the file show the version that a program is to read, which asks for so many
// bytes from an offset on. The caller holds reading.mu.
func (f *registryFile) turn(ctx context.Context, off, size int64) {
	r := &f.reading
	continues := r.begun && off > 0
	if !continues {
		defer f.hears()
	}
	newer, staged := f.behind(r.begun && off == 0)
	if !newer && !staged && r.told.Load() == nil || continues && off == r.next {
		return
	}
	sized := !continues && r.isSized() && off+size <= int64(f.size())
	if staged || newer && (continues || sized) {
		caller := f.callerOf(ctx)
		if f.node.isLockedBy(caller) {
			if staged {
				f.node.commitReleased(caller)
			}
			f.renew(ctx)
			return
		}
	}
	switch {
	case continues:
	case sized:
		if told := r.told.Swap(nil); told != nil {
			f.show(told)
		}
	case newer && f.isSizedByKernel(off, size):
		if s := f.newest(ctx); s != nil && s.Size() == size {
			f.show(s)
		} else if s != nil {
			s.Release()
		}
	case newer:
		f.renew(ctx)
	}
}

// isSizedByKernel reports whether a program asks for just as many bytes as the file has
// that it has read before, and the kernel may have told it so many, from a look-up. The
// daemon does not hear of that. The caller holds reading.mu.
func (f *registryFile) isSizedByKernel(off, size int64) bool {
	return off == 0 && f.reading.begun && size == int64(f.size()) && f.node.fsys.registries.mayHaveTold(f.node, f.reading.at)
}

// hears notes that the size that was told is used up, for a later daemon, too. The caller holds reading.mu.
func (f *registryFile) hears() {
	f.reading.heard()
	if l, number, ok := f.inLedger(); ok && f.tx == nil {
		seq, digest := f.version()
		l.Shows(number, seq, digest)
		l.Sized(number, false)
	}
}

// sized notes for a later daemon that somebody has been told a size: the file is to show the version that has it. The
// caller holds reading.mu.
func (f *registryFile) sized() {
	l, number, ok := f.inLedger()
	if !ok || f.tx != nil {
		return
	}
	if told := f.reading.told.Load(); told != nil {
		l.Shows(number, told.Version().Seq, told.Version().Digest)
	}
	l.Sized(number, true)
}

// heard notes that the size that was told is used up. The caller holds mu.
func (r *reading) heard() {
	r.toldAt.Store(0)
	if told := r.told.Swap(nil); told != nil {
		told.Release()
	}
}

// end gives up the facts that were told, once and for all. The process may be asking for the
// attributes just now, or others rename the file: the kernel does not wait for the end of a file.
func (r *reading) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.heard()
}

// behind reports whether there is another version than the file shows, and whether others
// have unsaved bytes.
func (f *registryFile) behind(look bool) (newer, staged bool) {
	last := f.lastVersion()
	switch {
	case f.tx != nil && last != nil:
		return f.tx.ShowsOther(last.Version()), false
	case f.tx != nil:
		return f.tx.Behind(look)
	case last != nil:
		return f.snapshot.Load().Version() != last.Version(), false
	case f.kept.Load() != nil:
		return false, false
	}
	return f.snapshot.Load().Behind(look)
}

// renew has the file show the newest version. The caller holds reading.mu.
func (f *registryFile) renew(ctx context.Context) {
	if s := f.newest(ctx); s != nil {
		f.show(s)
	}
}

// turnToAppend turns to the newest version before an append, unless something is staged
// already.
func (f *registryFile) turnToAppend(ctx context.Context) {
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	newer, staged := f.behind(false)
	if staged {
		if caller := f.callerOf(ctx); f.node.isLockedBy(caller) {
			f.node.commitReleased(caller)
			newer = true
		}
	}
	if newer {
		f.renew(ctx)
	}
}

// turnToWrite turns to the version whose size the program was told, before a write at its
// end or behind. Other places are written in the version that the program has read.
func (f *registryFile) turnToWrite(off int64) {
	if f.reading.told.Load() == nil {
		return
	}
	f.reading.mu.Lock()
	defer f.reading.mu.Unlock()
	if told := f.reading.told.Load(); told != nil && off > 0 && off >= f.tx.Size() {
		f.show(told)
		f.reading.told.Store(nil)
	}
	f.reading.heard()
}

// turnToMap turns to the version whose size the program was told, before the kernel reads
// for a mapping of a file that is open for writing. The caller holds mu.
func (f *registryFile) turnToMap() {
	if told := f.reading.told.Load(); told != nil && f.reading.isSized() {
		f.show(told)
		f.reading.told.Store(nil)
	}
}

// newest returns the newest version of the file that is open; nil where it has been replaced,
// moved to a name that is no registry's, or removed, and shows its last content.
func (f *registryFile) newest(ctx context.Context) *txn.Snapshot {
	switch last := f.lastVersion(); {
	case last != nil:
		return last.Again()
	case f.kept.Load() != nil:
		return nil
	}
	return f.node.newest(ctx)
}

// newest returns the newest version of the file that a node stands for; nil where it has
// been replaced, moved to a name that is no registry's, or removed.
func (n *node) newest(ctx context.Context) *txn.Snapshot {
	dir, base, path, ok := n.registry()
	if !ok {
		return nil
	}
	s, number, err := (&named{dir: dir, base: base, path: path}).pin(ctx)
	if err != nil {
		return nil
	}
	if number != n.number.Load() {
		s.Release()
		return nil
	}
	return s
}

// show has the file show a version, which it takes over. The caller holds reading.mu.
func (f *registryFile) show(s *txn.Snapshot) {
	if f.tx != nil {
		f.tx.Renew(s)
		s.Release()
		f.keeps(nil)
		return
	}
	f.node.fsys.registries.goesOn(f.node)
	f.snapshot.Swap(s).Release()
	f.shown()
}

// isLockedBy reports whether a process holds a lock on the node's registry.
func (n *node) isLockedBy(c txn.Caller) bool {
	return process.HoldsLock(c, n.fsys.device.Load(), n.number.Load())
}

// commitReleased commits content of the node's registry that others have staged, those
// aside that hold a lock on it. A process that holds a lock may have staged content on
// another handle: that is committed, too, as one of its several tasks has got the lock.
func (n *node) commitReleased(holder txn.Caller) {
	if _, _, path, ok := n.registry(); ok {
		n.fsys.store.CommitReleased(path, func(a txn.Actor) bool {
			return a != holder.Actor && n.isLockedBy(txn.Caller{Actor: a})
		})
	}
}

// tellNewest has the files that the caller has open on the node tell the size of the
// newest version, if nobody is reading by them just now. As long as a program may be about
// to copy another version by the same inode, the kernel must not be told a size other than
// that version's. A program that holds a lock is told the newest size all the same.
func (n *node) tellNewest(ctx context.Context) {
	var caller txn.Caller
	isOurs := func(f *registryFile) bool {
		if !caller.Known() {
			caller = n.fsys.callers.of(ctx)
		}
		return n.isAbout(f, caller)
	}
	for _, f := range n.files.all() {
		if f.tx != nil && !isOurs(f) {
			continue // others may be committing it just now
		}
		newer, staged := f.behind(false)
		f.reading.mu.Lock()
		if newer || staged || f.reading.begun && !f.reading.isSized() {
			if isOurs(f) {
				f.tell(ctx, caller, newer, staged)
			}
		}
		f.reading.mu.Unlock()
	}
}

// isAbout reports whether a process that asks for the node's attributes may ask for those
// of a file on it: its own, or one that it has inherited and has open still. The kernel asks
// in the middle of an open, too: a child that writes does not speak for its parent. Nor does
// one that has opened the node itself.
func (n *node) isAbout(f *registryFile, caller txn.Caller) bool {
	if f.opener == caller.Actor {
		return caller.Known()
	}
	return caller.DescendsFrom(f.opener) && !n.files.anyOf(caller.Actor) && process.HasOpen(caller.PID, n.fsys.device.Load(), n.number.Load())
}

// tell is tellNewest for one file. The caller holds reading.mu.
func (f *registryFile) tell(ctx context.Context, caller txn.Caller, newer, staged bool) {
	n, r := f.node, &f.reading
	if r.ended {
		return
	}
	if newer || staged {
		mayWait := r.inPass.Load() || n.isCopied(f, caller) || f.tx != nil && f.tx.Merged()
		if (staged || mayWait) && n.isLockedBy(caller) {
			if staged {
				n.commitReleased(caller)
				newer = true
			}
			mayWait = false
		}
		if newer && !mayWait {
			if s := f.newest(ctx); s != nil {
				if f.tx == nil {
					n.fsys.registries.goesOn(n)
				}
				r.heard()
				r.told.Store(s)
			}
		}
	}
	r.tells()
	f.sized()
}

// isCopied reports whether others may be about to read the version that the node shows by
// its size.
func (n *node) isCopied(but *registryFile, caller txn.Caller) bool {
	for _, f := range n.files.all() {
		if f == but || f.tx != nil || f.isOf(caller) {
			continue
		}
		if r := &f.reading; r.isSized() || r.inPass.Load() || r.mapped.Load() != nil {
			return true
		}
	}
	return false
}

// goesOn notes that a file of a node shows another version from now on.
func (t *registryTable) goesOn(n *node) {
	t.mu.Lock()
	used := false
	if n.all.Load() != nil {
		n.as.state = n.as.state.goesOn()
		used = n.as.revokeCache()
	}
	t.mu.Unlock()
	if used {
		n.forgetAttributes()
	}
}

// page returns the version that a mapping of the file shows, before the kernel reads a
// part of it. A new mapping, which the kernel reads from the start, shows the version that
// a program could read then. The caller holds mu.
func (f *registryFile) page(off int64) *txn.Version {
	r := &f.reading
	if off == 0 || r.mapped.Load() == nil {
		shown := f.snapshot.Load()
		if told := r.told.Load(); told != nil && r.isSized() {
			shown = told
		}
		r.mapped.Store(shown.Version())
	}
	return r.mapped.Load()
}

// settleName commits content that its writer has given up with a lock on a registry, if the
// caller has that lock now. The caller asks by the name.
func (n *node) settleName(ctx context.Context, base, path string) {
	if !n.fsys.store.IsStaged(path) {
		return
	}
	caller := n.fsys.callers.of(ctx)
	for _, m := range n.fsys.registries.nodesOf(n, base) {
		for _, f := range m.files.all() {
			if f.isOf(caller) && m.isLockedBy(caller) {
				m.commitReleased(caller)
				return
			}
		}
	}
}
