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
		l = &lineage{}
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
}

// copied takes down that a version was copied into the file.
func (l *lineage) copied(c txn.Copied) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := func(o txn.Copied) bool { return o.Name == c.Name && o.Version == c.Version }
	if len(l.copies) < maxCopies && !slices.ContainsFunc(l.copies, same) {
		l.copies = append(l.copies, c)
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
