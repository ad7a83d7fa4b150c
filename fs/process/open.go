package process

import (
	"bytes"
	"os"
	"strconv"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// HasOpen reports whether a process has a file open. The file is told by its inode number
// and the device of its file system; device 0 is any. A shell closes one of two descriptors
// before it writes by the other.
func HasOpen(pid int, device, number uint64) bool {
	return anyOpen(pid, device, number, func([]byte) bool { return true })
}

// HasLockOpen is HasOpen for a descriptor with a lock.
func HasLockOpen(pid int, device, number uint64) bool {
	return anyOpen(pid, device, number, func(info []byte) bool { return bytes.Contains(info, []byte("\nlock:\t")) })
}

// HasLockToWrite is HasLockOpen for a descriptor that is open for writing.
func HasLockToWrite(pid int, device, number uint64) bool {
	return anyOpen(pid, device, number, func(info []byte) bool {
		_, flags, _ := bytes.Cut(info, []byte("\nflags:\t"))
		octal, _, _ := bytes.Cut(flags, []byte("\n"))
		n, err := strconv.ParseUint(string(octal), 8, 64)
		return err == nil && n&unix.O_ACCMODE != unix.O_RDONLY && bytes.Contains(info, []byte("\nlock:\t"))
	})
}

// anyOpen is HasOpen for a descriptor whose fdinfo satisfies wanted.
func anyOpen(pid int, device, number uint64, wanted func(info []byte) bool) bool {
	if pid == 0 {
		return false
	}
	infos := "/proc/" + strconv.Itoa(pid) + "/fdinfo"
	entries, _ := os.ReadDir(infos) // none of a process that has ended
	want := []byte("\nino:\t" + strconv.FormatUint(number, 10) + "\n")
	for _, e := range entries {
		info, err := readProc(infos + "/" + e.Name())
		if err == nil && bytes.Contains(info, want) && wanted(info) && mayBeOn(pid, device, info) {
			return true
		}
	}
	return false
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
