package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

// field is a cluster on which everything that can go wrong does so.
type field struct {
	engine   *enginetest.Memory
	machines []*machine
	seed     uint64

	deaths, cuts, fulls, compactions int
}

// machine is a host that can die and come back.
type machine struct {
	name   string
	engine *enginetest.Memory
	fate   func(string) enginetest.Fate
	calm   *atomic.Bool

	mu   sync.Mutex // guards the fields below
	host *host
	dead *atomic.Bool // of that
}

// errDead is the error of all calls of a host that has died.
var errDead = errors.New("the host is dead")

// newField returns n hosts of a new cluster. Every other one syncs only now and then, and loses
// the data not synced when it dies.
func newField(t *testing.T, seed uint64, n int) *field {
	t.Helper()
	f := &field{engine: enginetest.NewMemory(), seed: seed}
	for i := range n {
		m := &machine{name: fmt.Sprintf("host%d", i), engine: f.engine, calm: &atomic.Bool{}}
		m.calm.Store(true)
		faulty := faults(seed, uint64(i))
		m.fate = func(call string) enginetest.Fate {
			if m.calm.Load() {
				return enginetest.Answered
			}
			return faulty(call)
		}
		disk := txntest.NewMemory()
		disk.Relaxed = i%2 == 1
		if err := m.start(disk); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.current().close() })
		f.machines = append(f.machines, m)
	}
	return f
}

// String returns the counts of the faults.
func (f *field) String() string {
	return fmt.Sprintf("%d deaths, %d cuts, %d times full, %d compactions", f.deaths, f.cuts, f.fulls, f.compactions)
}

func (m *machine) current() *host {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.host
}

// start begins a host on a disk.
func (m *machine) start(disk *txntest.Memory) error {
	dead := &atomic.Bool{}
	disk.Hook = func(txntest.Step) error {
		if dead.Load() {
			return errDead
		}
		return nil
	}
	h, err := tryOpen(m.engine, m.name, disk, cluster.JoinRefuse)
	if err != nil {
		return err
	}
	h.client.SetFate(m.fate)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.host, m.dead = h, dead
	return nil
}

// die has the host lose its power. It comes back with one of the states that its disk can be in.
func (m *machine) die(r *rand.Rand) error {
	old := m.current()
	m.dead.Store(true)
	old.client.Cut()
	var after *txntest.Memory
	n := 0
	for _, state := range old.disk.Crashes() {
		if n++; r.IntN(n) == 0 {
			after = state
		}
	}
	go old.close() // its calls under way are told that it is dead
	return m.start(after)
}

// create has a process create the list exclusively, with content.
func (h *host) create(c txn.Caller) error {
	tx, err := h.store.Begin(registry, c, txn.BeginOptions{Create: true, Exclusive: true})
	if err != nil {
		return err
	}
	tx.Release()
	return nil
}

// each runs do for n programs on every machine, and waits for all.
func (f *field) each(n int, do func(m *machine, pid int)) {
	var all sync.WaitGroup
	for _, m := range f.machines {
		for i := range n {
			all.Go(func() { do(m, 100+i) })
		}
	}
	all.Wait()
}

// trouble begins; end ends it, and mends everything.
func (f *field) trouble(t *testing.T) (end func()) {
	r := rand.New(rand.NewPCG(f.seed, 99))
	over := make(chan struct{})
	var running sync.WaitGroup
	for _, m := range f.machines {
		m.calm.Store(false)
	}
	running.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(3 * time.Millisecond):
				f.happen(t, r)
			}
		}
	})
	return func() {
		close(over)
		running.Wait()
		f.engine.SetFull(false)
		for _, m := range f.machines {
			m.calm.Store(true)
			m.current().client.Mend()
		}
		f.engine.Deliver()
	}
}

// happen lets something happen.
func (f *field) happen(t *testing.T, r *rand.Rand) {
	m := f.machines[r.IntN(len(f.machines))]
	switch n := r.IntN(200); {
	case n < 2:
		f.deaths++
		m.calm.Store(true)
		err := m.die(r)
		m.calm.Store(false)
		if err != nil {
			t.Errorf("%s cannot come back: %v", m.name, err)
		}
	case n < 8:
		f.cuts++
		m.current().client.Cut()
	case n < 40:
		m.current().client.Mend()
	case n < 42:
		f.fulls++
		f.engine.SetFull(true)
	case n < 60:
		f.engine.SetFull(false)
	case n < 64:
		f.compactions++
		f.engine.Compact()
	case n < 100:
		for _, m := range f.machines { // a host that has lost more versions than a record knows has to be told its Join
			_ = m.current().disk.Sync()
		}
	default:
		f.engine.Deliver()
	}
}

// rest waits until all hosts have the same.
func (f *field) rest(t *testing.T) string {
	t.Helper()
	var hosts []*host
	for _, m := range f.machines {
		hosts = append(hosts, m.current())
	}
	return agree(t, func(string) bool { return true }, hosts...)
}
