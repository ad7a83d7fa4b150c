package process

import (
	"sync"

	"golang.org/x/sys/unix"
)

// serials tells processes of one id apart on kernels that don't. It holds a pidfd of each
// process that it was asked about: as long as that process lives, no other one has its id.
type serials struct {
	mu     sync.Mutex // guards the fields below
	last   uint64
	living map[int]heldProcess
	sweep  int // number of processes at which to look for ended ones
}

type heldProcess struct {
	fd     int
	serial uint64
}

func newSerials() *serials {
	return &serials{living: make(map[int]heldProcess), sweep: 64}
}

// of returns a number for the process that has the id now.
func (t *serials) of(pid int) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.living[pid]; ok {
		if !hasEnded(p.fd) {
			return p.serial
		}
		closeFD(p.fd)
		delete(t.living, pid)
	}
	if len(t.living) >= t.sweep {
		t.dropEnded()
	}
	t.last++
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		t.living[pid] = heldProcess{fd: fd, serial: t.last}
	}
	return t.last
}

// dropEnded gives up the pidfds of processes that have ended. It is called each time when
// the number of processes has doubled. The caller holds mu.
func (t *serials) dropEnded() {
	for pid, p := range t.living {
		if hasEnded(p.fd) {
			closeFD(p.fd)
			delete(t.living, pid)
		}
	}
	t.sweep = 2 * max(len(t.living), 32)
}

// close gives all descriptors up.
func (t *serials) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for pid, p := range t.living {
		closeFD(p.fd)
		delete(t.living, pid)
	}
}
