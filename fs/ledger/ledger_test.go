package ledger

import (
	"errors"
	"strings"
	"testing"
)

// next returns the ledger as the next daemon opens it.
func next(t *testing.T, l *Ledger) *Ledger {
	t.Helper()
	n, err := Open(l.FD())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func node(id, parent uint64, name string) Node {
	return Node{ID: id, Generation: 7, Parent: parent, Name: name, Number: id, Size: 3, Modified: -5}
}

func newLedger(t *testing.T) *Ledger {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func TestNodesOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	long := strings.Repeat("n", 255)
	for _, n := range []Node{node(10, 1, "a"), node(11, 10, long), node(12, 10, "gone"), node(13, 1, "b"), node(10, 1, "a")} {
		l.Refer(n)
	}
	l.Move(node(13, 10, long[:200]))
	if given := l.Forget(12, 1); given != 1 {
		t.Errorf("1 reference was given, not %d", given)
	}
	l = next(t, l)
	for _, want := range []Node{node(10, 1, "a"), node(11, 10, long), node(13, 10, long[:200])} {
		if got, given, ok := l.Node(want.ID); !ok || given || got != want {
			t.Errorf("%+v, %t, want %+v", got, ok, want)
		}
	}
	if got, _, ok := l.Node(12); ok {
		t.Errorf("%+v was forgotten", got)
	}
	l.Again(10)
	for i, want := range []uint64{0, 1} { // the kernel has two, this daemon has told of one
		if got := l.Forget(10, 1); got != want {
			t.Errorf("forgotten %d times: %d", i+1, got)
		}
	}
	if got := l.Forget(10, 5); got != 0 {
		t.Errorf("of a node that is not known, %d", got)
	}
	l.Move(node(11, 1, "short"))
	l.Refer(node(14, 1, long))
	l = next(t, l)
	for _, want := range []Node{node(11, 1, "short"), node(14, 1, long), node(13, 10, long[:200])} {
		if got, given, ok := l.Node(want.ID); !ok || given || got != want {
			t.Errorf("%+v, %t, want %+v", got, ok, want)
		}
	}
}

func TestHandlesOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	a, b := l.Add(Handle{Node: 10, Flags: 1, Kind: File}), l.Add(Handle{Node: 11, Kind: Directory})
	l.Drop(a)
	second := next(t, l)
	c := second.Add(Handle{Node: 12, Flags: 2, Kind: Registry, Task: 5, Shows: 8})
	if c == a || placeOf(c) != placeOf(a) {
		t.Errorf("the place of %x is used by %x", a, c)
	}
	second.Shows(c, 9, [32]byte{9})
	second.Stages(c, true)
	for number, want := range map[uint64]Handle{b: {Node: 11, Kind: Directory}, c: {Node: 12, Flags: 2, Kind: Registry, Task: 5, Shows: 9, Digest: [32]byte{9}, Staged: true}} {
		if got, ok := second.Handle(number); !ok || got != want {
			t.Errorf("%x: %+v, %t", number, got, ok)
		}
	}
	if all := second.Handles(Registry); len(all) != 1 || all[c].Node != 12 {
		t.Errorf("of registries: %v", all)
	}
	for _, number := range []uint64{0, a, 1 << 40, 99} {
		if got, ok := second.Handle(number); ok {
			t.Errorf("%x: %+v", number, got)
		}
	}
}

func TestAnotherFormatIsRefused(t *testing.T) {
	l := newLedger(t)
	if err := Check(l.FD()); err != nil {
		t.Error(err)
	}
	l.memory[0]++
	var e *FormatError
	if _, err := Open(l.FD()); !errors.As(err, &e) || e.Found != Format()+1 {
		t.Errorf("%v", err)
	}
	if err := Check(l.FD()); !errors.As(err, &e) || e.Found != Format()+1 {
		t.Errorf("%v", err)
	}
}

func TestIntentsOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	long := strings.Repeat("n", 255)
	rename := Intent{Unique: 4, Op: 12, Flags: 2, Dir: 1, NewDir: 10, Node: 11, Name: "a", NewName: long, Was: Inode{5, 6}, NewWas: Inode{7, 8}, Replaces: true}
	for _, i := range []Intent{{Unique: 2, Op: 9, Dir: 1, Name: "d"}, rename, {Unique: 6, Op: 10, Dir: 1, Name: "u"}} {
		if !l.Intend(i) {
			t.Fatal("there is no room")
		}
	}
	l.Answered(6)
	l = next(t, l)
	for _, i := range l.Intents() {
		switch i.Unique {
		case 2:
			l.Settle(2, Done)
		case 4:
			if i != rename {
				t.Errorf("%+v, want %+v", i, rename)
			}
		default:
			t.Errorf("%+v was answered", i)
		}
	}
	l = next(t, l)
	for unique, want := range map[uint64]Outcome{2: Done, 4: Begun, 6: None} {
		if got := l.Outcome(unique); got != want {
			t.Errorf("request %d: %d, want %d", unique, got, want)
		}
	}
	for range oldIntent {
		l = next(t, l)
	}
	if got := l.Outcome(2); got != None {
		t.Errorf("after many daemons: %d", got)
	}
}

func TestFullIntentsAreTold(t *testing.T) {
	l := newLedger(t)
	for i := range uint64(mostIntents - 1) {
		if !l.Intend(Intent{Unique: i + 1}) {
			t.Fatalf("no room for %d", i)
		}
	}
	if l.Intend(Intent{Unique: 1 << 30}) || !l.Intend(Intent{Unique: 1}) {
		t.Error("there is room for more, or none for what is there")
	}
	l.Answered(7)
	if !l.Intend(Intent{Unique: 1 << 30}) {
		t.Error("the room of what was answered is not used")
	}
}

// A daemon that has left in order says so to the next one, and to no later one.
func TestLeavingInOrder(t *testing.T) {
	l := newLedger(t)
	for _, leaves := range []bool{true, false} {
		if leaves {
			l.Leave()
		}
		next, err := Open(l.FD())
		if err != nil {
			t.Fatal(err)
		}
		if next.IsInOrder() != leaves {
			t.Errorf("left in order: %t, and the next daemon finds %t", leaves, next.IsInOrder())
		}
		next.Close()
	}
}

// A handle of which the kernel may not know is found by the request that has opened it.
func TestHandlesUntold(t *testing.T) {
	l := newLedger(t)
	told := l.Add(Handle{Node: 5, Kind: File, Request: 40})
	untold := l.Add(Handle{Node: 5, Kind: File, Request: 42})
	l.Told(told)
	next, err := Open(l.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if got := next.Untold(); len(got) != 1 || got[42] != untold {
		t.Errorf("%v, want 42: %d", got, untold)
	}
}
