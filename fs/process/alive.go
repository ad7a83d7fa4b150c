package process

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"clawfs/txn/seen"
)

// Boot returns a text that identifies this boot of the system, for txn.Config. Within it
// no two processes are the same Actor. It is empty where the kernel does not tell
// processes apart, so that an Actor means nothing to another daemon.
func Boot() string {
	if !pidfdsDiffer() {
		return ""
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Began returns a number for txn.Config: the Start of each process that is older than this
// one is less. It is 0 where the kernel does not tell processes apart.
func Began() uint64 {
	if !pidfdsDiffer() {
		return 0
	}
	inode, _ := pidfdInode(os.Getpid())
	return inode
}

// Alive reports whether a process that Callers have told still runs.
func Alive(a seen.Actor) bool {
	fd, err := unix.PidfdOpen(a.PID, 0)
	if err != nil {
		return err != unix.ESRCH && err != unix.EINVAL
	}
	defer closeFD(fd)
	if isPidfs(fd) && inodeOf(fd) != a.Start {
		return false
	}
	return !hasEnded(fd)
}

// hasEnded reports whether the process of a pidfd has ended, waited for or not.
func hasEnded(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLIN|unix.POLLHUP) != 0
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
