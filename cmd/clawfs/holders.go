package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
)

// holder is a process that keeps a mount busy.
type holder struct {
	PID     int
	Program string
	Use     string // the file that it uses: a path below the mount
}

// scanLimit bounds the search for holders: links below /proc of a process in
// the middle of an exec that waits for the very daemon can hang.
const scanLimit = 2 * time.Second

// heldBy lists holders for the end of a sentence; "" if none can be seen.
func heldBy(holders []holder) string {
	if len(holders) == 0 {
		return ""
	}
	const most = 5
	names := make([]string, 0, most+1)
	for i, h := range holders {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(holders)-most))
			break
		}
		names = append(names, fmt.Sprintf("%s (%d) has %s", h.Program, h.PID, h.Use))
	}
	return ": " + strings.Join(names, ", ")
}

// findHolders returns the processes that have a file of a mount open, mapped, as
// working directory, root or program, by ascending process id, one use each. Of
// other users' processes an ordinary user sees none. When time is up it returns
// the processes found so far.
func findHolders(m *mountinfo.Info) []holder {
	found := make(chan holder)
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(found)
		for _, pid := range mountpoint.Processes() {
			if use, ok := usesMount(pid, m); ok {
				select {
				case found <- holder{PID: pid, Program: mountpoint.Command(pid), Use: use}:
				case <-done:
					return
				}
			}
		}
	}()
	var holders []holder
	for limit := time.After(scanLimit); ; {
		select {
		case h, ok := <-found:
			if !ok {
				return holders
			}
			holders = append(holders, h)
		case <-limit:
			return holders
		}
	}
}

// usesMount looks for a use of anything in a mount by a process. Paths don't tell enough: files
// that were opened before the mount have the same ones.
func usesMount(pid int, m *mountinfo.Info) (path string, ok bool) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	links := []string{"cwd", "root", "exe"}
	if fds, err := os.ReadDir(filepath.Join(proc, "fd")); err == nil {
		for _, fd := range fds {
			links = append(links, filepath.Join("fd", fd.Name()))
		}
	}
	for _, link := range links {
		link = filepath.Join(proc, link)
		if mountID(link) != uint64(m.ID) {
			continue
		}
		if target, err := os.Readlink(link); err == nil {
			return target, true
		}
	}
	return mapsMount(filepath.Join(proc, "maps"), m)
}

// mountID returns the id of the mount that a path leads to, as the mount table
// has it, or 0. It asks for nothing that the kernel doesn't know by itself, so
// that the daemon behind the mount is not involved.
func mountID(path string) uint64 {
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC|unix.AT_NO_AUTOMOUNT, 0, &st) != nil {
		return 0
	}
	return st.Mnt_id
}

// mapsMount looks for a mapping of a file on the device of a mount.
func mapsMount(maps string, m *mountinfo.Info) (path string, ok bool) {
	f, err := os.Open(maps)
	if err != nil {
		return "", false
	}
	defer f.Close()
	device := fmt.Sprintf("%02x:%02x", m.Major, m.Minor)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// address, permissions, offset, device, inode, path
		fields := strings.Fields(lines.Text())
		if len(fields) > 5 && fields[3] == device {
			return strings.Join(fields[5:], " "), true
		}
	}
	return "", false
}
