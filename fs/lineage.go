package fs

import (
	"context"
	"slices"
	"sync"
	"time"

	"clawfs/txn"
)

// lineage is what is known of how a file's content came about, for the case that
// the file is renamed onto a registry: who wrote it, and which versions were
// copied into it. A reading of it costs nothing, a writing little.
type lineage struct {
	mu      sync.Mutex // guards what follows
	writers []txn.Origin
	copies  []txn.Copied
	thread  int // the one that wrote last
}

// Who writes a file that so many have written is no program that makes a temporary
// file. The first and the last tell most.
const (
	maxWriters = 16
	maxCopies  = 16
)

// note takes down who writes, at its first write.
func (l *lineage) note(fsys *fileSystem, ctx context.Context) {
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.writers, func(o txn.Origin) bool { return o.Actor == caller.Actor }) {
		return
	}
	if len(l.writers) == maxWriters {
		l.writers = slices.Delete(l.writers, 1, 2)
	}
	caller.Program = programName(caller.PID)
	l.writers = append(l.writers, txn.Origin{Caller: caller, Event: fsys.store.Event(), At: time.Now()})
}

// begin forgets what was there before the content was truncated.
func (l *lineage) begin() {
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

// youngerThan reports whether somebody began to write the file within that time.
func (l *lineage) youngerThan(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.writers) > 0 && time.Since(l.writers[len(l.writers)-1].At) < d
}

// get returns what is known.
func (l *lineage) get() txn.Lineage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return txn.Lineage{Writers: slices.Clone(l.writers), Copies: slices.Clone(l.copies)}
}
