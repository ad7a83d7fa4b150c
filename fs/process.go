package fs

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// thread has the facts that the kernel tells of a thread.
type thread struct {
	process, parent int    // ids
	inode           uint64 // of the thread's pidfd, 0 if not known
}

// pidfdThread has a pidfd stand for a thread (PIDFD_THREAD, since 6.9).
const pidfdThread = unix.O_EXCL

// threadInfo asks the kernel about a thread; not ok where it is gone.
func threadInfo(tid int) (thread, bool) {
	fd, err := unix.PidfdOpen(tid, pidfdThread)
	if err != nil {
		return threadStatus(tid)
	}
	defer closeFD(fd)
	if t, ok := infoOf(fd); ok {
		return t, true
	}
	return threadStatus(tid)
}

// infoOf asks about the thread of a pidfd; not ok where that is gone, or on kernels
// before 6.13.
func infoOf(fd int) (thread, bool) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_PID}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.PIDFD_GET_INFO, uintptr(unsafe.Pointer(&info)))
	if errno != 0 || info.Tgid == 0 {
		return thread{}, false
	}
	return thread{process: int(info.Tgid), parent: int(info.Ppid)}, true
}

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

// threadOfStatus is threadStatus, with the inode.
func threadOfStatus(tid int) (t thread, ok bool) {
	if t, ok = threadStatus(tid); ok {
		t.inode, ok = pidfdInode(t.process)
	}
	return t, ok
}

// threadStatus is threadInfo for kernels before 6.13. The file is one of those
// that no exec holds up.
func threadStatus(tid int) (thread, bool) {
	text, err := readProc("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return thread{}, false
	}
	var t thread
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "Tgid":
			t.process, _ = strconv.Atoi(strings.TrimSpace(value))
		case "PPid":
			t.parent, _ = strconv.Atoi(strings.TrimSpace(value))
			return t, t.process > 0
		}
	}
	return thread{}, false
}

// readProc reads a small file below /proc. It leaves out the steps by which os.ReadFile
// serves files that can be waited for.
func readProc(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer closeFD(fd)
	buf := make([]byte, 4096)
	n := 0
	err = retry(func() error {
		n, err = unix.Read(fd, buf)
		return err
	})
	return buf[:max(n, 0)], err
}

// pidfdInode returns the inode number of a process's pidfd, not ok where it has
// gone.
func pidfdInode(pid int) (inode uint64, ok bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, false
	}
	defer closeFD(fd)
	return inodeOf(fd), true
}

func inodeOf(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}

// pidfdsDiffer reports whether this kernel gives each process's pidfd an inode
// of its own. Where all have one, it is that of every anonymous file.
func pidfdsDiffer() bool {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false
	}
	defer closeFD(fd)
	return isPidfs(fd)
}

func isPidfs(fd int) bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.PID_FS_MAGIC
}

// processTable tells processes of one id apart by holding a pidfd of each that
// it was asked about: as long as that process lives, nobody else has its id.
type processTable struct {
	mu     sync.Mutex // guards what follows
	last   uint64
	living map[int]heldProcess
	sweep  int // number of processes at which to look for ended ones
}

type heldProcess struct {
	fd     int
	serial uint64
}

func newProcessTable() *processTable {
	return &processTable{living: make(map[int]heldProcess), sweep: 64}
}

// serial returns a number for the process that has the id now.
func (t *processTable) serial(pid int) uint64 {
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

// dropEnded gives up the pidfds of processes that have ended. It is called each time when the number of
// processes has doubled. The caller holds mu.
func (t *processTable) dropEnded() {
	for pid, p := range t.living {
		if hasEnded(p.fd) {
			closeFD(p.fd)
			delete(t.living, pid)
		}
	}
	t.sweep = 2 * max(len(t.living), 32)
}

// Flags of a task, and the bit of SIGKILL among pending signals
// (linux/sched.h).
const (
	flagExiting  = 0x4
	flagForked   = 0x40 // it was forked and has not called exec
	flagSignaled = 0x400
	bitKilled    = 1 << (9 - 1)
)

// deathOf says how a thread is dying that closes a file: by which signal, or of
// its own accord, or not at all.
//
// /proc/TID/stat tells it, but makes the reader wait while the thread is in the middle of
// an exec. A thread that is exiting has given up its memory before it
// closes its files, and one that executes a program has not; statm tells that
// without waiting.
func deathOf(tid int) txn.Death {
	proc := "/proc/" + strconv.Itoa(tid)
	statm, err := readProc(proc + "/statm")
	if err != nil || !bytes.HasPrefix(statm, []byte("0 ")) {
		return txn.Death{}
	}
	text, err := readProc(proc + "/stat")
	if err != nil {
		return txn.Death{}
	}
	flags, status, ok := parseStat(text)
	if !ok || flags&flagExiting == 0 {
		return txn.Death{}
	}
	if signal := int(status & 0x7f); signal != 0 {
		return txn.Death{Signal: signal}
	}
	if status == 0 && flags&flagSignaled != 0 && isKilled(proc) {
		return txn.Death{Signal: int(unix.SIGKILL)} // the status is not shown to everybody
	}
	return txn.Death{}
}

// hasOnlyForked reports whether a process was forked and has not executed a program
// since. One of its threads must be in a request that is no part of an exec: then none of
// its threads holds the lock that /proc/PID/stat waits for. The kernel sets the flag for
// each new thread, so that only the first one's counts.
func hasOnlyForked(pid int) (bool, error) {
	text, err := readProc("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false, err
	}
	flags, _, ok := parseStat(text)
	if !ok {
		return false, errors.New("/proc/PID/stat has other fields")
	}
	return flags&flagForked != 0, nil
}

// parseStat returns flags and exit code of a task out of /proc/TID/stat: fields
// 9 and 52, the name in parentheses being the second.
func parseStat(text []byte) (flags, status uint64, ok bool) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return 0, 0, false
	}
	fields := bytes.Fields(text[end+1:])
	const first = 3 // number of the first field behind the name
	if len(fields) <= 52-first {
		return 0, 0, false
	}
	flags, err := strconv.ParseUint(string(fields[9-first]), 10, 64)
	if err != nil {
		return 0, 0, false
	}
	status, err = strconv.ParseUint(string(fields[52-first]), 10, 64)
	return flags, status, err == nil
}

// isKilled reports whether SIGKILL is pending for a process.
func isKilled(proc string) bool {
	text, err := readProc(proc + "/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "ShdPnd:"); ok {
			pending, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return err == nil && pending&bitKilled != 0
		}
	}
	return false
}
