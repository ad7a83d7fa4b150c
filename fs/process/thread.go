package process

import (
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
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
