package process

import (
	"sync"

	"golang.org/x/sys/unix"
)

// heldThreads are threads that requests came from lately, each with a pidfd, by which
// one question to the kernel tells that it is the same thread still. As long as it
// is, it belongs to the same process.
type heldThreads struct {
	mu    sync.Mutex // guards slots
	slots [manyHeld]heldThread
	none  bool // hold none
}

// manyHeld bounds the descriptors that are held.
const manyHeld = 64

type heldThread struct {
	tid    int // 0: the slot is free
	fd     int
	thread thread
}

// get returns a thread, with the inode of its process's pidfd; not ok where it is gone.
func (h *heldThreads) get(tid int) (thread, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slot := &h.slots[tid%manyHeld]
	if slot.tid == tid {
		if t, ok := infoOf(slot.fd); ok && t.process == slot.thread.process {
			t.inode = slot.thread.inode
			return t, true
		}
	}
	if slot.tid != 0 {
		closeFD(slot.fd)
		slot.tid = 0
	}
	fd, err := unix.PidfdOpen(tid, pidfdThread)
	if err != nil {
		return threadOfStatus(tid)
	}
	t, ok := infoOf(fd)
	if !ok {
		closeFD(fd)
		return threadOfStatus(tid)
	}
	if t.process == tid {
		t.inode = inodeOf(fd)
	} else if t.inode, ok = pidfdInode(t.process); ok {
		_, ok = infoOf(fd) // as long as the thread lives, its process does
	}
	if !ok {
		closeFD(fd)
		return thread{}, false
	}
	if h.none {
		closeFD(fd)
		return t, true
	}
	*slot = heldThread{tid: tid, fd: fd, thread: t}
	return t, true
}

// close gives all up.
func (h *heldThreads) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.slots {
		if h.slots[i].tid != 0 {
			closeFD(h.slots[i].fd)
		}
		h.slots[i] = heldThread{}
	}
}
