package uring

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// thread serves entries of a queue with a ring.
type thread struct {
	server   *Server
	queue    int          // its number
	id       atomic.Int64 // the kernel's
	relief   bool         // it has one entry, and handles everything itself
	careful  bool         // it handles nothing itself
	ring     *ring
	entries  []*entry // by the user_data of their commands
	alive    int      // entries that have not ended
	handed   int      // entries whose requests are handled elsewhere
	followed bool     // another thread has the entries that the queue gets
	event    int      // eventfd: something was answered elsewhere

	mu       sync.Mutex // guards answered, and event against its end
	answered []*entry   // elsewhere

	step atomic.Uint64 // goes up when a handler begins, and when it ends

	seen, stuck uint64 // for the watch: the step that it saw last, and the last one at which it was stuck
}

// reserve is how many entries of a thread shall be free.
const reserve = 2

// eventData is the user_data of the poll on event.
const eventData = 1 << 32

// prepare makes the event, the ring and so many entries for the thread. The calling
// goroutine is the thread from here on.
func (t *thread) prepare(entries int) (err error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	t.id.Store(int64(unix.Gettid()))
	if t.server.processors.IsSet(t.queue) {
		var one unix.CPUSet
		one.Set(t.queue)
		_ = unix.SchedSetaffinity(0, &one) // without it, it is slower
	}
	if t.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		t.event = -1
		return os.NewSyscallError("eventfd", err)
	}
	if t.ring, err = newRing(); err != nil {
		return err
	}
	for range entries {
		if err := t.addEntry(); err != nil {
			return err
		}
	}
	return nil
}

// addEntry maps an entry.
func (t *thread) addEntry() error {
	e, err := newEntry(t.server.plan.payload())
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	e.index = len(t.entries)
	t.entries = append(t.entries, e)
	t.server.interrupts.watch(&e.now)
	return nil
}

// release gives back the things that prepare has made, as far as it has come.
func (t *thread) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ring != nil {
		t.ring.close()
	}
	for _, e := range t.entries {
		t.server.interrupts.unwatch(&e.now)
		e.close()
	}
	if t.event >= 0 {
		_ = unix.Close(t.event)
	}
}

// register makes the entries known to the kernel.
func (t *thread) register() error {
	t.watchEvent()
	for _, e := range t.entries {
		t.pushRegister(e)
	}
	for t.ring.pending > 0 {
		if err := t.ring.enter(0); err != nil && !again(err) {
			return os.NewSyscallError("io_uring_enter", err)
		}
	}
	// A command that was not accepted has completed by now. One that was completes with
	// its first request.
	for i := uint32(0); ; i++ {
		c, ok := t.ring.peek(i)
		switch {
		case !ok:
			return nil
		case c.res < 0:
			return unix.Errno(-c.res)
		}
	}
}

func (t *thread) pushRegister(e *entry) {
	t.ring.push(submission{
		opcode: opURingCmd, fd: int32(t.server.fd), cmdOp: cmdRegister, qid: uint16(t.queue), userData: uint64(e.index),
		addr: uint64(uintptr(unsafe.Pointer(e.iovecs))), len: uint32(len(e.iovecs)),
	})
	t.alive++
}

// commit has the kernel take the answer in an entry and put the next request there.
func (t *thread) commit(e *entry) {
	t.ring.push(submission{
		opcode: opURingCmd, fd: int32(t.server.fd), cmdOp: cmdCommitAndFetch, qid: uint16(t.queue), userData: uint64(e.index), commitID: e.commit,
	})
}

// watchEvent has the ring complete something whenever event is written to. It is never read.
func (t *thread) watchEvent() {
	t.ring.push(submission{opcode: opPollAdd, fd: int32(t.event), len: pollAddMulti, cmdFlags: unix.POLLIN, userData: eventData})
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

// run handles requests until the connection ends. Answers go to the kernel together, when
// no request is left.
func (t *thread) run() {
	for t.alive > 0 {
		c, ok := t.ring.peek(0)
		if !ok {
			if err := t.ring.enter(1); err != nil && !again(err) {
				t.server.log("a thread of FUSE over io_uring has ended: io_uring_enter: %v", err)
				t.abandon()
				return
			}
			continue
		}
		t.ring.take()
		switch {
		case c.userData == eventData:
			t.collect()
			if c.flags&cqeMore == 0 {
				t.watchEvent()
			}
		case c.res != 0:
			t.alive--
			t.server.over(unix.Errno(-c.res))
		default:
			t.begin(t.entries[c.userData])
		}
	}
}

// abandon waits for handlers that still use the entries.
func (t *thread) abandon() {
	for t.handed > 0 {
		time.Sleep(time.Millisecond)
		t.mu.Lock()
		t.handed -= len(t.answered)
		t.answered = nil
		t.mu.Unlock()
	}
}

// begin has the request handled that has come in an entry.
func (t *thread) begin(e *entry) {
	e.commit = e.commitID()
	if !t.relief && (t.careful || !t.server.quick(e.peek())) {
		t.handOver(e)
		return
	}
	t.step.Add(1)
	if t.relief {
		t.server.relief[t.queue].busy.Add(1)
		defer t.server.relief[t.queue].busy.Add(-1)
	} else {
		t.server.watch.rouse()
	}
	t.server.handle(e)
	t.step.Add(1)
	t.commit(e)
}

// handOver has a request handled elsewhere, as it may have to wait, and makes sure that
// enough entries are free.
func (t *thread) handOver(e *entry) {
	t.handed++
	go func() {
		t.server.handle(e)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.answered = append(t.answered, e)
		if len(t.answered) == 1 {
			_, _ = unix.Write(t.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // it never blocks
		}
	}()
	for t.alive-t.handed < reserve && t.grow() {
	}
}

// grow gives the queue an entry more, and reports whether this thread has it: when the ring is
// full the queue gets another thread.
func (t *thread) grow() bool {
	if len(t.entries) == ringEntries-1 {
		if !t.followed {
			t.followed = t.server.follow(t)
		}
		return false
	}
	if !t.server.allot(1) {
		return false
	}
	if err := t.addEntry(); err != nil {
		t.server.allot(-1)
		t.server.log("an entry of FUSE over io_uring can't be made: %v", err)
		return false
	}
	t.pushRegister(t.entries[len(t.entries)-1])
	return true
}

// collect commits the requests that were answered elsewhere.
func (t *thread) collect() {
	t.mu.Lock()
	answered := t.answered
	t.answered = nil
	t.mu.Unlock()
	for _, e := range answered {
		t.handed--
		t.commit(e)
	}
}
