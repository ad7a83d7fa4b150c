package backing

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Durability is that the steps reach the disk: with Fsync before the commit
// returns, with an interval later and once for many commits.
func TestIntervalSyncsLaterAndOnce(t *testing.T) {
	h := &hook{}
	b := newBench(t, Options{Durability: Durability(time.Hour), reach: h.reach})
	b.commits("a", 5)
	b.commits("b", 1)
	if slices.Contains(h.seen, "sync later") {
		t.Error("synced before the interval was over")
	}
	b.must(b.d.Sync())
	if n := count(h.seen, "sync later"); n != 2 {
		t.Errorf("%d files synced, want 2", n)
	}
	b.must(b.d.Sync())
	if n := count(h.seen, "sync later"); n != 2 {
		t.Errorf("%d files synced although there was nothing new", n)
	}
	b.must(b.d.Archive("a", 9, []byte("v9"), [32]byte{}))
	b.close()
	if n := count(h.seen, "sync later"); n != 3 {
		t.Errorf("%d files synced, want 3: Close has to sync what is left", n)
	}
}

// A removal reaches the disk as a commit does. That of an empty file need not: nothing is lost.
func TestARemovalIsSynced(t *testing.T) {
	h := &hook{}
	b := newBench(t, Options{Durability: Durability(time.Hour), reach: h.reach})
	stamp := b.commits("a", 1)
	empty, ok, err := b.d.Create("b", nil)
	if b.must(err); !ok {
		t.Fatal("b is there already")
	}
	b.must(b.d.Sync())
	before := count(h.seen, "sync later")
	for _, c := range []struct {
		name, stamp string
		seq         uint64
		want        int
	}{{"b", empty, 0, 0}, {"a", stamp, 1, 1}} {
		if ok, err := b.d.Remove(c.name, c.stamp, c.seq); !ok || err != nil {
			t.Fatal(ok, err)
		}
		b.must(b.d.Sync())
		if n := count(h.seen, "sync later") - before; n != c.want {
			t.Errorf("after the removal of %s %d files are synced, want %d", c.name, n, c.want)
		}
	}
}

func count(steps []string, step string) (n int) {
	for _, s := range steps {
		if s == step {
			n++
		}
	}
	return n
}

func TestIntervalSyncsByItself(t *testing.T) {
	synced := make(chan struct{}, 100)
	reach := func(step string) error {
		if step == "sync later" {
			synced <- struct{}{}
		}
		return nil
	}
	b := newBench(t, Options{Durability: Durability(time.Millisecond), reach: reach})
	stamp := b.commits("a", 1)
	for i := uint64(2); i < 4; i++ {
		select {
		case <-synced:
		case <-time.After(10 * time.Second):
			t.Fatal("never synced")
		}
		stamp = b.commit("a", stamp, i, i-1, "v")
	}
}

// A sync that nobody waits for and that fails is told of. A sync that could not even be tried
// is tried again; one that the disk has lost is not, since the kernel would call the next
// attempt a success.
func TestIntervalSyncThatFails(t *testing.T) {
	for fault, again := range map[unix.Errno]bool{unix.EIO: false, unix.EMFILE: true} {
		h := &hook{at: "sync later"}
		failures := make(chan error, 10)
		b := newBench(t, Options{Durability: Durability(time.Millisecond), reach: h.reach, SyncFailed: func(err error) { failures <- err }})
		h.do = func() error { return fault }
		b.commits("a", 1)
		select {
		case err := <-failures:
			if !errors.Is(err, fault) {
				t.Errorf("told of %v, want %v", err, fault)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("never told")
		}
		b.close()
		if n := count(h.seen, "sync later"); (n > 1) != again {
			t.Errorf("%v: tried %d times", fault, n)
		}
	}
}

// Without any syncing everything else is the same.
func TestNoDurability(t *testing.T) {
	h := &hook{}
	b := newBench(t, Options{Durability: None, reach: h.reach})
	b.commits("a", 3)
	b.reopen()
	b.wantKept("a", "1:v1", "2:v2")
	if slices.Contains(h.seen, "sync later") {
		t.Error("synced")
	}
}
