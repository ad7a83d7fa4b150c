package process

import (
	"bytes"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"clawfs/txn/seen"
)

// manyLooksForLock is how often the list of locks is read where it changes while it is
// read. Each time a lock that is held is most likely in it.
const manyLooksForLock = 4

// IsLocked reports whether a process holds a lock (flock, fcntl) on a file, told by its
// inode number and the device of its file system; device 0 is any.
//
// The kernel has a list of all locks on the machine. It gives away a page of it at a
// time, and goes on after that by counting: where a lock was given up in between, the
// next one is left out. So a list of more than one page is read until it has not
// changed from one time to the next.
func IsLocked(device, inode uint64) bool {
	return findLock(func(list []byte) bool { return hasLock(list, device, inode) })
}

// Locked says which inodes of one number are locked.
type Locked struct {
	IDs     []uint64 // by which the kernel knows these inodes
	Unknown bool     // there is a lock, and its inode can't be told
}

// FindLocks finds the locks on the inodes of one number. One that is taken or given up
// meanwhile may be found or not. The list does not tell such inodes apart: the kernel does, of
// a descriptor. A process that has taken a lock may have ended, and another one may have
// inherited the descriptor. So the openers are asked, too: the processes that have opened a
// file of the number.
func FindLocks(device, number uint64, openers []int) Locked {
	for range manyLooksForLock {
		var takers []int
		if !findLock(func(list []byte) bool {
			takers = lockers(list, device, number)
			return len(takers) > 0
		}) {
			return Locked{}
		}
		for _, pid := range append(takers, openers...) {
			if ids := LocksOpen(pid, device, number); len(ids) > 0 {
				return Locked{IDs: ids, Unknown: slices.Contains(ids, 0)}
			}
		}
		// Another process has got the lock while these were asked.
	}
	return Locked{Unknown: true}
}

// findLock reads the list until the lock is found, or is not there.
func findLock(find func(list []byte) bool) bool {
	var before []byte
	for range manyLooksForLock {
		list, pages, err := readLocks()
		if err != nil {
			return false
		}
		if find(list) {
			return true
		}
		if pages <= 1 || bytes.Equal(list, before) {
			return false
		}
		before = list
	}
	return false
}

// HoldsLock reports whether a process holds a lock on a file: the process or an ancestor
// has taken it, or the process has a descriptor with a lock. The kernel's list is not
// complete. Outside the first pid namespace it leaves out the locks of a process that has
// ended, though another one has inherited the descriptor.
func HoldsLock(c seen.Caller, device, inode uint64) bool {
	if !c.Known() {
		return false
	}
	any := false
	taken := findLock(func(list []byte) bool {
		for _, pid := range lockers(list, device, inode) {
			any = true
			if pid == c.PID || slices.ContainsFunc(c.Ancestors, func(up seen.Actor) bool { return up.PID == pid }) {
				return true
			}
		}
		return false
	})
	return taken || (any || !inFirstPIDNamespace()) && len(LocksOpen(c.PID, device, inode)) > 0
}

// firstPIDNamespace is the inode number of the first pid namespace, on every machine.
const firstPIDNamespace = 0xEFFFFFFC

// inFirstPIDNamespace reports whether the daemon is in it.
var inFirstPIDNamespace = sync.OnceValue(func() bool {
	var st unix.Stat_t
	return unix.Stat("/proc/self/ns/pid", &st) == nil && st.Ino == firstPIDNamespace
})

// lockers returns the processes that have taken the locks on a file that are in a list,
// without those that wait for one. It is -1 for a lock that belongs to a descriptor.
func lockers(list []byte, device, inode uint64) (pids []int) {
	for line := range bytes.Lines(list) {
		field := bytes.Fields(line)
		if len(field) < 6 || string(field[1]) == "->" {
			continue
		}
		if d, i, ok := parseLocked(field[5]); ok && i == inode && (d == device || device == 0) {
			pid, _ := strconv.Atoi(string(field[4]))
			pids = append(pids, pid)
		}
	}
	return pids
}

// readLocks returns the list, and how many pieces it came in.
func readLocks() (list []byte, pieces int, err error) {
	fd, err := unix.Open("/proc/locks", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	defer closeFD(fd)
	for {
		piece := make([]byte, 16<<10)
		n, err := unix.Read(fd, piece)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, 0, err
		case n == 0:
			return list, pieces, nil
		}
		list, pieces = append(list, piece[:n]...), pieces+1
	}
}

// hasLock reports whether a lock on a file is in a list.
//
//	1: FLOCK  ADVISORY  WRITE 4711 fd:01:12345 0 EOF
//	2: POSIX  ADVISORY  WRITE 4711 00:2f:4503599627370497 0 EOF
//	2: -> POSIX  ADVISORY  WRITE 4712 00:2f:4503599627370497 0 EOF
func hasLock(list []byte, device, inode uint64) bool {
	for line := range bytes.Lines(list) {
		for _, field := range bytes.Fields(line) {
			if d, i, ok := parseLocked(field); ok && i == inode && (d == device || device == 0) {
				return true
			}
		}
	}
	return false
}

// parseLocked returns the device and the inode of MAJOR:MINOR:INODE, the first two in
// hexadecimal.
func parseLocked(field []byte) (device, inode uint64, ok bool) {
	part := bytes.Split(field, []byte(":"))
	if len(part) != 3 {
		return 0, 0, false
	}
	major, majorErr := strconv.ParseUint(string(part[0]), 16, 32)
	minor, minorErr := strconv.ParseUint(string(part[1]), 16, 32)
	inode, err := strconv.ParseUint(string(part[2]), 10, 64)
	return unix.Mkdev(uint32(major), uint32(minor)), inode, majorErr == nil && minorErr == nil && err == nil
}
