package backing

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OneSync is the optimization that a commit syncs once where that makes both durable, the
// content of the new file and its name.
const OneSync = "one-sync"

// Optimizations returns the names that Options.Without may hold.
func Optimizations() []string { return []string{OneSync, DirectWrites} }

// A commit syncs the new file, exchanges it, and syncs the directory. Where the file system
// has a journal on the device that contents are on, the first sync is spared: the content is
// only written (writeOut). The sync of the directory makes it durable, and no name of it is
// durable before:
//
//   - sync_file_range returns when the device has the content, perhaps in its cache, and when
//     a transaction of the journal has the place and the size of it. Both ext4 and xfs end the
//     writing of a page only after they have noted that.
//   - The exchange comes later, so it is in that transaction or in one behind it, and the journal
//     writes transactions in order.
//   - The sync of the directory, or the file system by itself, makes the transaction with the
//     exchange durable. Either has the device flush its cache before the record that
//     completes the transaction.
//
// The last sentence is wrong for a journal on another device, where that one's cache is flushed,
// and where the file system is mounted so as not to flush. Without a journal (ext2, or ext4
// made so) the sync of a directory says nothing of the files in it. So it is in btrfs, whose log holds
// only the files that were synced. A file system that is not known here gets two syncs. So does
// ext4 with any other mode of its journal than the usual one.

// syncsAll reports whether the sync of a directory makes all durable that was written before
// on its file system. It is true only where the kernel's facts about the mount prove it.
func syncsAll(dir int) bool {
	var st unix.Statx_t
	if unix.Statx(dir, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st) != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return false
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	m, ok := findMount(mounts, st.Mnt_id)
	if !ok {
		return false
	}
	switch m.kind {
	case "ext4":
		return isOrdered(m.device)
	case "xfs":
		return !slices.ContainsFunc(m.options, isElsewhere)
	}
	return false
}

// mountOf has the kernel's facts about a mount.
type mountOf struct {
	device  string   // as "8:1"
	kind    string   // of file system
	options []string // of the file system, not of the mount
}

// findMount returns the facts of /proc/self/mountinfo on a mount (proc_pid_mountinfo(5)).
func findMount(mountinfo []byte, id uint64) (m mountOf, ok bool) {
	for lines := bufio.NewScanner(bytes.NewReader(mountinfo)); lines.Scan(); {
		of, super, _ := strings.Cut(lines.Text(), " - ")
		fields, supers := strings.Fields(of), strings.Fields(super)
		if len(fields) < 3 || len(supers) != 3 || fields[0] != strconv.FormatUint(id, 10) {
			continue
		}
		return mountOf{device: fields[2], kind: supers[0], options: strings.Split(supers[2], ",")}, true
	}
	return mountOf{}, false
}

// isElsewhere reports whether an option of xfs says that its log, or the content of files, is
// on another device.
func isElsewhere(option string) bool {
	return strings.HasPrefix(option, "logdev=") || strings.HasPrefix(option, "rtdev=")
}

// isOrdered reports whether an ext4 on a device has its journal in itself, writes contents
// before it, and flushes the device. The kernel lists all options in full: one that is not
// listed is not set.
func isOrdered(device string) bool {
	link, err := os.Readlink("/sys/dev/block/" + device)
	if err != nil {
		return false
	}
	name := filepath.Base(link)
	text, err := os.ReadFile(filepath.Join("/proc/fs/ext4", name, "options"))
	if err != nil {
		return false
	}
	options := strings.Split(string(text), "\n")
	if !slices.Contains(options, "barrier") || !slices.Contains(options, "data=ordered") {
		return false
	}
	journals, err := os.ReadDir("/proc/fs/jbd2") // one in a file has its inode number behind the device's name
	return err == nil && slices.ContainsFunc(journals, func(e os.DirEntry) bool { return isJournalIn(e.Name(), name) })
}

func isJournalIn(journal, device string) bool {
	inode, ok := strings.CutPrefix(journal, device+"-")
	_, err := strconv.ParseUint(inode, 10, 64)
	return ok && err == nil
}

// writeOut hands the content of a file to the device, and waits until it has it.
func writeOut(fd int) error {
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	return retry(func() error { return unix.SyncFileRange(fd, 0, 0, all) })
}
