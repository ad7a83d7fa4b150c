package ledger

import (
	"errors"
	"strings"
	"testing"
)

// next is what the next daemon finds.
func next(t *testing.T, l *Ledger) *Ledger {
	t.Helper()
	n, err := Open(l.FD())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
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
	for _, n := range []Node{{10, 7, 1, "a"}, {11, 7, 10, long}, {12, 7, 10, "gone"}, {13, 7, 1, "b"}, {10, 7, 1, "a"}} {
		l.Refer(n)
	}
	l.Move(Node{13, 7, 10, long[:200]})
	if given := l.Forget(12, 1); given != 1 {
		t.Errorf("1 reference was given, not %d", given)
	}
	l = next(t, l)
	for _, want := range []Node{{10, 7, 1, "a"}, {11, 7, 10, long}, {13, 7, 10, long[:200]}} {
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
	l.Move(Node{11, 7, 1, "short"})
	l.Refer(Node{14, 7, 1, long})
	l = next(t, l)
	for _, want := range []Node{{11, 7, 1, "short"}, {14, 7, 1, long}, {13, 7, 10, long[:200]}} {
		if got, given, ok := l.Node(want.ID); !ok || given || got != want {
			t.Errorf("%+v, %t, want %+v", got, ok, want)
		}
	}
}

func TestHandlesOutliveTheirDaemon(t *testing.T) {
	l := newLedger(t)
	a, b := l.Add(Handle{10, 1, File}), l.Add(Handle{11, 0, Directory})
	l.Drop(a)
	second := next(t, l)
	c := second.Add(Handle{12, 2, Registry})
	if c == a || placeOf(c) != placeOf(a) {
		t.Errorf("the place of %x is used by %x", a, c)
	}
	for number, want := range map[uint64]Handle{b: {11, 0, Directory}, c: {12, 2, Registry}} {
		if got, ok := second.Handle(number); !ok || got != want {
			t.Errorf("%x: %+v, %t", number, got, ok)
		}
	}
	for _, number := range []uint64{0, a, 1 << 40, 99} {
		if got, ok := second.Handle(number); ok {
			t.Errorf("%x: %+v", number, got)
		}
	}
}

func TestAnotherFormatIsRefused(t *testing.T) {
	l := newLedger(t)
	l.memory[0]++
	var e *FormatError
	if _, err := Open(l.FD()); !errors.As(err, &e) || e.Found != Format+1 {
		t.Errorf("%v", err)
	}
}
