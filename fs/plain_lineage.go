package fs

import (
	"context"
	"slices"
	"sync"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"

	"clawfs/txn"
)

// lineage has the writers of a file, and the versions that were copied into it, for the
// case that the file is renamed onto a registry.
type lineage struct {
	users int // files that are open for writing; guarded by lineages.mu
	of    *lineages
	id    fusefs.StableAttr
	kept  uint32 // id of its text for a later daemon, 0: there is none; guarded by lineages.keeping

	mu      sync.Mutex // guards the fields below
	writers []txn.Origin
	copies  []txn.Copied
	thread  int       // the one that wrote last
	last    time.Time // when it was opened for writing, or a process wrote that had not before
}

// lineages holds that of the files that were written lately. It is no part of
// their nodes: the kernel may forget a temporary file between its last write and
// its rename.
type lineages struct {
	mu      sync.Mutex // guards byID, and users of each
	byID    map[fusefs.StableAttr]*lineage
	pruneAt int // number at which to look for old ones

	keeping sync.Mutex // guards the fields below; last of all locks of this package
	store   *txn.Store // keeps texts for a later daemon; nil: there will be none
	kept    []*lineage // that have a text, the oldest first
}

// A temporary file is renamed soon after it was written, if at all.
const (
	fewLineages = 1024
	lineageLife = 10 * time.Minute
)

func (t *lineages) init() {
	t.byID = make(map[fusefs.StableAttr]*lineage)
	t.pruneAt = fewLineages
}

// use returns the lineage of a file that is opened for writing. Its caller gives it back
// with release.
func (t *lineages) use(id fusefs.StableAttr) *lineage {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.byID[id]
	if l == nil {
		if len(t.byID) >= t.pruneAt {
			t.prune()
		}
		l = &lineage{of: t, id: id}
		t.byID[id] = l
	}
	l.users++
	l.opened()
	return l
}

func (t *lineages) release(l *lineage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.users--
}

// prune forgets lineages of long ago. It is called each time when as many have come
// again as stayed. The caller holds mu.
func (t *lineages) prune() {
	for id, l := range t.byID {
		if l.users == 0 && !l.youngerThan(lineageLife) {
			delete(t.byID, id)
			t.unkeep(l)
		}
	}
	t.pruneAt = 2 * max(len(t.byID), fewLineages/2)
}

// find returns the lineage of a file, nil where nothing is known.
func (t *lineages) find(id fusefs.StableAttr) *lineage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// drop forgets a file that has gone.
func (t *lineages) drop(id fusefs.StableAttr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.byID[id]; l != nil && l.users == 0 {
		delete(t.byID, id)
		t.unkeep(l)
	}
}

// A file that so many processes have written is no temporary file. The first and the last
// tell most.
const (
	maxWriters = 16
	maxCopies  = 16
)

// note takes down a writer at its first write. opened is when its descriptor was opened.
// closed says that a duplicate of the descriptor was closed since: a shell does so first
// with a file that it redirects to. program is the name of the writer's program, for the
// log; empty: the kernel is asked.
func (l *lineage) note(fsys *fileSystem, ctx context.Context, opened txn.Tick, closed bool, program string) {
	tid := threadOf(ctx)
	l.mu.Lock()
	same := tid != 0 && tid == l.thread
	l.thread = tid
	l.mu.Unlock()
	if same {
		return
	}
	caller := fsys.callers.of(ctx)
	if !caller.Known() {
		return
	}
	caller = fsys.callers.Describe(caller, program)
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.writers, func(o txn.Origin) bool { return o.Actor == caller.Actor }) {
		return
	}
	if len(l.writers) == maxWriters {
		l.writers = slices.Delete(l.writers, 1, 2)
	}
	l.last = time.Now()
	l.writers = append(l.writers, txn.Origin{Caller: caller, Event: fsys.store.Now(), At: l.last, Opened: opened, Redirected: closed})
	l.of.keep(l)
}

// opened notes that somebody is about to write the file.
func (l *lineage) opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = time.Now()
}

// begin forgets the lineage from before the content was truncated. A nil lineage
// has nothing to forget.
func (l *lineage) begin() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writers, l.copies, l.thread = nil, nil, 0
	l.of.unkeep(l)
}

// copied takes down that a version was copied into the file.
func (l *lineage) copied(c txn.Copied) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := func(o txn.Copied) bool { return o.Name == c.Name && o.Version == c.Version }
	if len(l.copies) < maxCopies && !slices.ContainsFunc(l.copies, same) {
		l.copies = append(l.copies, c)
		l.of.keep(l)
	}
}

// inherit takes over the lineage of a file that was copied into this one.
func (l *lineage) inherit(from txn.Lineage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range from.Writers {
		known := slices.ContainsFunc(l.writers, func(w txn.Origin) bool { return w.Actor == o.Actor })
		if !known && len(l.writers) < maxWriters {
			l.writers = append(l.writers, o)
		}
	}
	l.copies = append(l.copies, from.Copies[:min(len(from.Copies), maxCopies-len(l.copies))]...)
	l.of.keep(l)
}

// youngerThan reports whether somebody began to write the file, or opened it for that,
// within that time.
func (l *lineage) youngerThan(d time.Duration) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.last) < d
}

// get returns the known lineage; of a nil lineage that is nothing.
func (l *lineage) get() txn.Lineage {
	if l == nil {
		return txn.Lineage{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return txn.Lineage{Writers: slices.Clone(l.writers), Copies: slices.Clone(l.copies)}
}

// mostKept is how many lineages are kept for a later daemon, the newest: a temporary file is renamed soon.
const mostKept = 4096

// keep keeps a lineage for a later daemon. The caller holds its mu.
func (t *lineages) keep(l *lineage) {
	if t == nil {
		return // it is in no table
	}
	t.keeping.Lock()
	defer t.keeping.Unlock()
	if t.store == nil {
		return
	}
	isNew := l.kept == 0
	l.kept = t.store.KeepLineage(l.kept, [3]uint64{uint64(l.id.Mode), l.id.Ino, l.id.Gen}, txn.Lineage{Writers: l.writers, Copies: l.copies})
	if !isNew || l.kept == 0 {
		return
	}
	if t.kept = append(t.kept, l); len(t.kept) > mostKept {
		for _, old := range t.kept[:len(t.kept)-mostKept/2] {
			t.store.DropLineage(old.kept)
			old.kept = 0
		}
		t.kept = slices.Clone(t.kept[len(t.kept)-mostKept/2:])
	}
}

// unkeep ends keep.
func (t *lineages) unkeep(l *lineage) {
	if t == nil {
		return
	}
	t.keeping.Lock()
	defer t.keeping.Unlock()
	if l.kept == 0 {
		return
	}
	t.store.DropLineage(l.kept)
	l.kept = 0
	if i := slices.Index(t.kept, l); i >= 0 {
		t.kept = slices.Delete(t.kept, i, i+1)
	}
}

// keepIn has lineages be kept by the store from now on, and takes over those of the daemon before.
func (t *lineages) keepIn(s *txn.Store) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keeping.Lock()
	defer t.keeping.Unlock()
	t.store = s
	for _, was := range s.Lineages() {
		id := fusefs.StableAttr{Mode: uint32(was.File[0]), Ino: was.File[1], Gen: was.File[2]}
		l := &lineage{of: t, id: id, kept: was.ID, writers: was.Writers, copies: was.Copies, last: time.Now()}
		t.byID[id] = l
		t.kept = append(t.kept, l)
	}
}
