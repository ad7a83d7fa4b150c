package fs

import (
	"bytes"
	"context"
	iofs "io/fs"
	"os"
	"strconv"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// A registry that somebody is creating is a file without a version. Other processes do not
// find it before it is closed or locked.

// openFound opens a registry for reading that its caller has found. One that others
// are creating in its place by now the caller has not found.
func (n *node) openFound(ctx context.Context, base, path string) (*txn.Snapshot, error) {
	s, err := n.fsys.store.Open(path)
	if err == nil && s.Version().Blank() && n.look(ctx, base, path).presence == txn.Hidden {
		s.Release()
		return nil, iofs.ErrNotExist
	}
	return s, err
}

// create finds or makes the node for a file that creates its registry, and adds the
// file.
func (t *registryTable) create(ctx context.Context, f *registryFile, at *named) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.make(at.dir, at.base, at.number)
	t.turn(r, at.number)
	if at.sizeTime.isBlank() {
		f.node = t.toShow(ctx, r, at.sizeTime)
	} else {
		f.node = t.toWrite(ctx, r, at.sizeTime) // somebody else was faster
	}
	if r.current = f.node; !r.isWritten() {
		r.write(f.node)
	}
	f.node.files.add(f)
}

// isOut reports whether others find a registry that has the number and that somebody is
// creating: its creator has closed it, or somebody has a lock on it.
func (t *registryTable) isOut(dir *node, base string, number uint64) bool {
	known, device := false, dir.fsys.device.Load()
	for _, n := range t.nodesOf(dir, base) {
		if n.number.Load() != number {
			continue // it stands for a file that had the name before
		}
		known = true
		for _, f := range n.files.all() {
			if f.tx != nil && f.closed.Load() && f.tx.Creates() && !hasOpen(f.opener.PID, device, number) {
				return true
			}
		}
	}
	return known && isLocked(device, number)
}

// hasOpen reports whether a process has a file open, told by its inode number and the
// device of its file system; device 0 is any. A shell closes one of two descriptors
// before it writes by the other.
func hasOpen(pid int, device, number uint64) bool {
	return anyOpen(pid, device, number, func([]byte) bool { return true })
}

// hasLockOpen is hasOpen for a descriptor with a lock.
func hasLockOpen(pid int, device, number uint64) bool {
	return anyOpen(pid, device, number, func(info []byte) bool { return bytes.Contains(info, []byte("\nlock:\t")) })
}

// hasLockToWrite is hasLockOpen for a descriptor that is open for writing.
func hasLockToWrite(pid int, device, number uint64) bool {
	return anyOpen(pid, device, number, func(info []byte) bool {
		_, flags, _ := bytes.Cut(info, []byte("\nflags:\t"))
		octal, _, _ := bytes.Cut(flags, []byte("\n"))
		n, err := strconv.ParseUint(string(octal), 8, 64)
		return err == nil && n&unix.O_ACCMODE != unix.O_RDONLY && bytes.Contains(info, []byte("\nlock:\t"))
	})
}

// anyOpen is hasOpen for a descriptor whose fdinfo satisfies wanted.
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
