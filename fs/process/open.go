package process

import (
	"bytes"
	"encoding/binary"
	"iter"
	"os"
	"strconv"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// HasOpen reports whether a process has a file open. The file is told by its inode number
// and the device of its file system; device 0 is any. A shell closes one of two descriptors
// before it writes by the other.
func HasOpen(pid int, device, number uint64) bool {
	for range descriptors(pid, device, number, "") {
		return true
	}
	return false
}

// Descriptors returns how many descriptors of a file a process has. The file is told as by HasOpen.
func Descriptors(pid int, device, number uint64) (n int) {
	for range descriptors(pid, device, number, "") {
		n++
	}
	return n
}

// LocksOpen goes through the descriptors of a file, told as by HasOpen, by which a process has a
// lock on it. It returns for each the id by which the kernel knows the inode. Several inodes of one
// file system can have one number, and have ids of their own. The id is 0 where it can't be told.
func LocksOpen(pid int, device, number uint64) (ids []uint64) {
	for fd := range descriptors(pid, device, number, "\nlock:\t") {
		ids = append(ids, idOfDescriptor(pid, fd))
	}
	return ids
}

// idOfDescriptor returns the id of the inode that a process has open by a descriptor, or 0. The
// kernel says it without asking the daemon that serves the file system.
func idOfDescriptor(pid int, fd string) uint64 {
	handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, "/proc/"+strconv.Itoa(pid)+"/fd/"+fd, unix.AT_SYMLINK_FOLLOW)
	if err != nil || handle.Type() != idHandle || handle.Size() < 8 {
		return 0
	}
	b := handle.Bytes()
	return uint64(binary.NativeEndian.Uint32(b))<<32 | uint64(binary.NativeEndian.Uint32(b[4:]))
}

// idHandle is the kernel's type of a handle that has an id, in two halves, and a generation
// (FILEID_INO64_GEN).
const idHandle = 0x81

// descriptors goes through the descriptors of a file that a process has whose fdinfo holds a
// text.
func descriptors(pid int, device, number uint64, text string) iter.Seq[string] {
	return func(yield func(fd string) bool) {
		if pid <= 0 {
			return
		}
		infos := "/proc/" + strconv.Itoa(pid) + "/fdinfo"
		entries, _ := os.ReadDir(infos) // none of a process that has ended
		want := []byte("\nino:\t" + strconv.FormatUint(number, 10) + "\n")
		for _, e := range entries {
			info, err := readProc(infos + "/" + e.Name())
			if err == nil && bytes.Contains(info, want) && bytes.Contains(info, []byte(text)) && mayBeOn(pid, device, info) && !yield(e.Name()) {
				return
			}
		}
	}
}

// mayBeOn reports whether an open file, whose fdinfo is info, can be on a device: the
// mounts that the process sees do not say that it is on another one.
func mayBeOn(pid int, device uint64, info []byte) bool {
	_, info, _ = bytes.Cut(info, []byte("\nmnt_id:\t"))
	digits, _, _ := bytes.Cut(info, []byte("\n"))
	id, err := strconv.Atoi(string(digits))
	if err != nil || device == 0 {
		return true
	}
	table, err := os.Open("/proc/" + strconv.Itoa(pid) + "/mountinfo")
	if err != nil {
		return true
	}
	defer table.Close()
	mounts, err := mountinfo.GetMountsFromReader(table, func(m *mountinfo.Info) (skip, stop bool) { return m.ID != id, m.ID == id })
	return err != nil || len(mounts) == 0 || unix.Mkdev(uint32(mounts[0].Major), uint32(mounts[0].Minor)) == device
}
