package uring

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// queue is one of the kernel's queues.
type queue struct {
	id   int
	busy atomic.Int32 // entries with a request
	size atomic.Int32 // entries, those included that are being made
}

// reserve is how many entries of a queue shall be free.
const reserve = 2

// thread serves an entry of a queue with a ring.
type thread struct {
	server *Server
	queue  *queue
	ring   *ring
	entry  *entry
	now    atomic.Uint64 // the request that is being handled, or 0
}

// prepare makes what the thread needs. The calling goroutine is the thread from here on.
func (t *thread) prepare() (err error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	if t.server.processors.IsSet(t.queue.id) {
		var one unix.CPUSet
		one.Set(t.queue.id)
		_ = unix.SchedSetaffinity(0, &one) // without it, it is slower
	}
	if t.ring, err = newRing(); err != nil {
		return err
	}
	if t.entry, err = newEntry(t.server.plan.payload()); err != nil {
		t.ring.close()
		return os.NewSyscallError("mmap", err)
	}
	return nil
}

func (t *thread) release() {
	t.ring.close()
	t.entry.close()
}

// register makes the entry known to the kernel.
func (t *thread) register() error {
	t.ring.push(submission{
		opcode: opURingCmd, fd: int32(t.server.fd), cmdOp: cmdRegister, qid: uint16(t.queue.id),
		addr: uint64(uintptr(unsafe.Pointer(t.entry.iovecs))), len: uint32(len(t.entry.iovecs)),
	})
	for t.ring.pending > 0 {
		if err := t.ring.enter(0); err != nil && !again(err) {
			return os.NewSyscallError("io_uring_enter", err)
		}
	}
	// A command that was not accepted has completed by now. One that was completes with
	// the first request.
	if c, ok := t.ring.peek(); ok && c.res < 0 {
		return unix.Errno(-c.res)
	}
	return nil
}

// again reports whether a call of io_uring_enter that failed may be repeated.
func again(err error) bool {
	switch err {
	case unix.EINTR:
		return true
	case unix.EAGAIN, unix.EBUSY: // memory is short
		time.Sleep(time.Millisecond)
		return true
	}
	return false
}

// run handles requests until the connection ends, and returns why it did.
func (t *thread) run() error {
	t.server.interrupts.watch(&t.now)
	defer t.server.interrupts.unwatch(&t.now)
	for {
		c, ok := t.ring.peek()
		if !ok {
			if err := t.ring.enter(1); err != nil && !again(err) {
				return os.NewSyscallError("io_uring_enter", err)
			}
			continue
		}
		t.ring.take()
		if c.res != 0 {
			return unix.Errno(-c.res)
		}
		commit := t.entry.commitID()
		t.handle()
		t.ring.push(submission{
			opcode: opURingCmd, fd: int32(t.server.fd), cmdOp: cmdCommitAndFetch, qid: uint16(t.queue.id), commitID: commit,
		})
	}
}

// handle handles the request in the entry.
func (t *thread) handle() {
	if t.queue.size.Load()-t.queue.busy.Add(1) < reserve {
		t.server.grow(t.queue)
	}
	opcode := t.entry.opcode()
	t.server.interrupts.begin(&t.now, t.entry.unique())
	if !t.entry.serve(t.server.handler) {
		t.server.log("a request of FUSE over io_uring makes no sense, or its answer does not: operation %d", opcode)
	}
	t.now.Store(0)
	t.queue.busy.Add(-1)
}
