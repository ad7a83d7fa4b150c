package fs

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"

	"clawfs/fs/process"
	"clawfs/txn"
)

// listener is a file system with only the parts that lineages ask for.
func listener() *fileSystem {
	return &fileSystem{callers: callers{process.NewCallers(true)}, store: txn.New(nil, txn.Config{})}
}

func newLineages() *lineages {
	var t lineages
	t.init()
	return &t
}

func fileID(ino uint64) fusefs.StableAttr { return fusefs.StableAttr{Ino: ino, Gen: 1} }

// manyWriters fills a lineage with writers that are told by their ids.
func manyWriters(n int) []txn.Origin {
	writers := make([]txn.Origin, n)
	for i := range writers {
		writers[i].Actor = txn.Actor{PID: i + 1<<23, Start: 1}
	}
	return writers
}

func TestLineageNotesWriters(t *testing.T) {
	fsys, l := listener(), &lineage{}
	other := sleeper(t).Process.Pid
	for _, tid := range []int{os.Getpid(), os.Getpid(), other, os.Getpid(), other} {
		l.note(fsys, requestOf(tid), 3, false, "")
	}
	l.note(fsys, context.Background(), 0, false, "") // nobody that can be told
	var pids []int
	for _, w := range l.get().Writers {
		pids = append(pids, w.PID)
		if w.Opened != 3 || w.At.IsZero() || w.Program == "" || len(w.Ancestors) == 0 {
			t.Errorf("%d is noted as %+v", w.PID, w)
		}
	}
	if !slices.Equal(pids, []int{os.Getpid(), other}) {
		t.Errorf("the writers are %v", pids)
	}
}

// Of too many writers the first and the last stay.
func TestLineageBounds(t *testing.T) {
	l := &lineage{writers: manyWriters(maxWriters)}
	first := l.writers[0].Actor
	l.note(listener(), requestOf(os.Getpid()), 0, false, "")
	got := l.get().Writers
	if len(got) != maxWriters || got[0].Actor != first || got[maxWriters-1].PID != os.Getpid() {
		t.Errorf("%d writers, from %d to %d", len(got), got[0].PID, got[len(got)-1].PID)
	}
	for i := range maxCopies + 3 {
		l.copied(txn.Copied{Name: "a.json", Version: &txn.Version{Seq: uint64(i)}})
	}
	if n := len(l.get().Copies); n != maxCopies {
		t.Errorf("%d copies", n)
	}
}

func TestLineageCopies(t *testing.T) {
	l, v := &lineage{}, &txn.Version{Seq: 1}
	l.copied(txn.Copied{Name: "a.json", Version: v})
	l.copied(txn.Copied{Name: "a.json", Version: v})
	l.copied(txn.Copied{Name: "b.json", Version: v})
	if n := len(l.get().Copies); n != 2 {
		t.Errorf("%d copies of two versions", n)
	}
}

func TestLineageInherits(t *testing.T) {
	l := &lineage{writers: manyWriters(2)}
	from := txn.Lineage{Writers: manyWriters(maxWriters + 5), Copies: make([]txn.Copied, maxCopies+5)}
	l.inherit(from)
	l.inherit(from)
	got := l.get()
	if len(got.Writers) != maxWriters || len(got.Copies) != maxCopies {
		t.Errorf("%d writers and %d copies", len(got.Writers), len(got.Copies))
	}
	seen := make(map[txn.Actor]bool)
	for _, w := range got.Writers {
		if seen[w.Actor] {
			t.Errorf("%d was taken over twice", w.PID)
		}
		seen[w.Actor] = true
	}
}

// Content from before a truncation says nothing about the content after it; a writer from
// before counts anew.
func TestLineageBegins(t *testing.T) {
	fsys, l := listener(), &lineage{}
	l.note(fsys, requestOf(os.Getpid()), 0, false, "")
	l.copied(txn.Copied{Name: "a.json"})
	l.begin()
	if got := l.get(); len(got.Writers)+len(got.Copies) > 0 {
		t.Errorf("left: %+v", got)
	}
	l.note(fsys, requestOf(os.Getpid()), 0, false, "")
	if n := len(l.get().Writers); n != 1 {
		t.Errorf("%d writers after it", n)
	}
}

func TestLineageOfNothing(t *testing.T) {
	var l *lineage
	l.begin()
	if got := l.get(); l.youngerThan(time.Hour) || len(got.Writers)+len(got.Copies) > 0 {
		t.Errorf("of nothing is known %+v", got)
	}
}

func TestLineageAge(t *testing.T) {
	l := &lineage{}
	if l.youngerThan(time.Hour) {
		t.Error("young, and nobody wrote")
	}
	l.last = time.Now().Add(-2 * time.Minute)
	if l.youngerThan(time.Minute) || !l.youngerThan(3*time.Minute) {
		t.Error("two minutes are told wrong")
	}
}

// A pruning forgets old files, and neither those in use nor the young.
func TestLineagesArePruned(t *testing.T) {
	table := newLineages()
	old, used, young := fileID(1), fileID(2), fileID(3)
	for _, id := range []fusefs.StableAttr{old, used} {
		table.use(id).last = time.Now().Add(-2 * lineageLife)
	}
	table.release(table.find(old))
	table.release(table.use(young))
	table.pruneAt = 3
	table.use(fileID(4))
	if table.find(old) != nil || table.find(used) == nil || table.find(young) == nil {
		t.Errorf("kept: old %t, used %t, young %t", table.find(old) != nil, table.find(used) != nil, table.find(young) != nil)
	}
	if table.pruneAt != fewLineages {
		t.Errorf("the next pruning is at %d", table.pruneAt)
	}
}

func TestLineagesOfOneFileAreOne(t *testing.T) {
	table := newLineages()
	first, second := table.use(fileID(1)), table.use(fileID(1))
	if first != second || table.find(fileID(1)) != first || table.find(fileID(2)) != nil {
		t.Error("two open files of one have two lineages, or none another's")
	}
	table.release(first)
	table.drop(fileID(1))
	if table.find(fileID(1)) == nil {
		t.Error("dropped while in use")
	}
	table.release(second)
	table.drop(fileID(1))
	if table.find(fileID(1)) != nil {
		t.Error("kept after it has gone")
	}
}
