package fs

import (
	"os"
	"slices"
	"testing"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// newNodes returns an empty table, and the numbers of nodes that it has told.
func newNodes() (*nodeTable, *[]int) {
	var counts []int
	t := &nodeTable{}
	t.init(func(n int) { counts = append(counts, n) })
	return t, &counts
}

// openNode returns a node that holds a descriptor.
func openNode(t *testing.T, ino, gen uint64) *node {
	t.Helper()
	fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{fd: fd, id: fusefs.StableAttr{Ino: ino, Gen: gen}}
	t.Cleanup(n.close)
	return n
}

// isOpen reports whether a node's descriptor is open.
func isOpen(n *node) bool { return n.fd >= 0 }

func TestNodeLivesAsLongAsItsReferences(t *testing.T) {
	table, _ := newNodes()
	n := openNode(t, 5, 1)
	table.insert(n) // 1
	if table.acquire(n.id) != n || table.get(5) != n {
		t.Fatal("not found")
	}
	table.hold(n) // 3
	table.forget(5, 2)
	if !isOpen(n) || table.get(5) != n {
		t.Fatal("closed with a reference left")
	}
	table.forget(5, 1)
	if isOpen(n) || table.get(5) != nil || table.acquire(n.id) != nil {
		t.Error("it lives on without references")
	}
	table.forget(5, 1) // nobody knows this id
	table.forget(6, 1)
}

func TestTooManyForgets(t *testing.T) {
	table, _ := newNodes()
	n := table.insert(openNode(t, 5, 1))
	table.forget(5, 1<<40)
	if isOpen(n) || table.count() != 0 {
		t.Error("it lives on")
	}
}

// Where two requests meet the same object, both answer with one node.
func TestFirstInsertionWins(t *testing.T) {
	table, counts := newNodes()
	first, second := openNode(t, 5, 1), openNode(t, 5, 1)
	if table.insert(first) != first || table.insert(second) != first {
		t.Fatal("the second one has won")
	}
	table.forget(5, 1)
	if !isOpen(first) {
		t.Error("the other request's reference is lost")
	}
	if !slices.Equal(*counts, []int{1}) {
		t.Errorf("told of %v nodes", *counts)
	}
}

// An inode number that is used again is another object; the kernel counts its
// references by the number.
func TestNumberUsedAgain(t *testing.T) {
	table, _ := newNodes()
	old, successor := openNode(t, 5, 1), openNode(t, 5, 2)
	table.insert(old)
	table.hold(old) // 2
	if table.acquire(successor.id) != nil {
		t.Fatal("the old object was taken for the new one")
	}
	if table.insert(successor) != successor || table.get(5) != successor {
		t.Fatal("the old object stays in its place")
	}
	table.forget(5, 2)
	if !isOpen(old) || !isOpen(successor) {
		t.Error("closed with a reference left")
	}
	table.forget(5, 1)
	if isOpen(old) || isOpen(successor) {
		t.Error("a descriptor is left")
	}
}

func TestSomeNodes(t *testing.T) {
	table, counts := newNodes()
	for ino := range uint64(5) {
		table.insert(openNode(t, ino+2, 1))
	}
	if n := len(table.some(3)); n != 3 {
		t.Errorf("3 nodes are %d", n)
	}
	if n := len(table.some(99)); n != 5 || table.count() != 5 {
		t.Errorf("all nodes are %d", n)
	}
	if !slices.Equal(*counts, []int{1, 2, 3, 4, 5}) {
		t.Errorf("told of %v nodes", *counts)
	}
}

func TestClearClosesAll(t *testing.T) {
	table, _ := newNodes()
	old, successor, registry := openNode(t, 5, 1), openNode(t, 5, 2), &node{fd: -1, id: fusefs.StableAttr{Ino: 6 | registryID, Gen: 1}}
	for _, n := range []*node{old, successor, registry} {
		table.insert(n)
	}
	fd := successor.fd
	table.clear()
	if isOpen(old) || isOpen(successor) || table.count() != 0 {
		t.Error("something is left")
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != unix.EBADF {
		t.Errorf("descriptor %d of %s: %v", fd, os.Args[0], err)
	}
}
