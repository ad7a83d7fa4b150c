package uring

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringEntries is how many submissions a ring has room for: one for each entry of a thread,
// and the poll.
const ringEntries = 128

// ring is an instance of io_uring. Only the thread that made it may use it.
type ring struct {
	fd             int
	memory, sqes   []byte // mapped
	sqTail         *uint32
	cqHead, cqTail *uint32
	sqMask, cqMask uint32
	cqesOffset     uint32
	pending        uint32 // submissions that the kernel has not taken yet
}

// newRing makes a ring that is used by the calling thread.
func newRing() (*ring, error) {
	p := params{flags: setupSQE128 | setupCoopTaskrun | setupSingleIssuer | setupDeferTaskrun | setupNoSQArray}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, ringEntries, uintptr(unsafe.Pointer(&p)), 0)
	switch errno {
	case 0:
	case unix.ENOMEM: // a ring counts against that limit, but for root
		return nil, fmt.Errorf("memory is short, or the limit of locked memory (ulimit -l) too low: %w", os.NewSyscallError("io_uring_setup", errno))
	default:
		return nil, os.NewSyscallError("io_uring_setup", errno)
	}
	r := &ring{fd: int(fd)}
	if err := r.mapMemory(&p); err != nil {
		r.close()
		return nil, os.NewSyscallError("mmap", err)
	}
	return r, nil
}

func (r *ring) mapMemory(p *params) (err error) {
	if p.features&featSingleMmap == 0 {
		return unix.ENOTSUP
	}
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	size := p.cq.cqes + p.cqEntries*uint32(unsafe.Sizeof(completion{}))
	if r.memory, err = unix.Mmap(r.fd, offRing, int(size), prot, flags); err != nil {
		return err
	}
	if r.sqes, err = unix.Mmap(r.fd, offSQEs, int(p.sqEntries)*int(unsafe.Sizeof(submission{})), prot, flags); err != nil {
		return err
	}
	at := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.memory[offset])) }
	r.sqTail, r.sqMask = at(p.sq.tail), *at(p.sq.ringMask)
	r.cqHead, r.cqTail, r.cqMask = at(p.cq.head), at(p.cq.tail), *at(p.cq.ringMask)
	r.cqesOffset = p.cq.cqes
	return nil
}

func (r *ring) close() {
	for _, mapped := range [][]byte{r.memory, r.sqes} {
		if mapped != nil {
			_ = unix.Munmap(mapped)
		}
	}
	_ = unix.Close(r.fd)
}

// push puts a submission into the ring. There is room, as each command is one at a time.
func (r *ring) push(s submission) {
	tail := *r.sqTail
	*(*submission)(unsafe.Pointer(&r.sqes[(tail&r.sqMask)*uint32(unsafe.Sizeof(s))])) = s
	atomic.StoreUint32(r.sqTail, tail+1)
	r.pending++
}

// enter gives the kernel the pushed commands, and waits for so many completions.
func (r *ring) enter(wait uintptr) error {
	n, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.pending), wait, enterGetEvents, 0, 0)
	if errno != 0 {
		return errno
	}
	r.pending -= uint32(n)
	return nil
}

// peek returns the completion that comes after so many others, if there is one.
func (r *ring) peek(after uint32) (completion, bool) {
	head := *r.cqHead + after
	if head == atomic.LoadUint32(r.cqTail) {
		return completion{}, false
	}
	return *(*completion)(unsafe.Pointer(&r.memory[r.cqesOffset+(head&r.cqMask)*uint32(unsafe.Sizeof(completion{}))])), true
}

// take takes the completion that comes next off the ring.
func (r *ring) take() { atomic.StoreUint32(r.cqHead, *r.cqHead+1) }
