package mountpoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// Server returns the id of the process that serves a FUSE mount; 0 if none can be seen. The
// mount is not asked. Kernels that tell no connection of an open FUSE device give 0, and
// so does a process of another user.
func Server(m *mountinfo.Info) int {
	own := Command(os.Getpid())
	var likely, others []int // those of this program are few
	for _, pid := range Processes() {
		if Command(pid) == own {
			likely = append(likely, pid)
		} else {
			others = append(others, pid)
		}
	}
	for _, pid := range append(likely, others...) {
		if serves(pid, m.Minor) {
			return pid
		}
	}
	return 0
}

// Command returns the name that the kernel has for a process, "?" if there is none.
func Command(pid int) string {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(name))
}

// serves reports whether a process has the device of a FUSE connection open.
func serves(pid, connection int) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fdinfo")
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	want := []byte(fmt.Sprintf("\nfuse_connection:\t%d\n", connection))
	for _, fd := range fds {
		info, err := os.ReadFile(filepath.Join(dir, fd.Name()))
		if err == nil && bytes.Contains(info, want) {
			return true
		}
	}
	return false
}

// IsStopped reports whether a process is stopped, by a signal or a debugger.
func IsStopped(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(text, []byte("\nState:\t"))
	return bytes.HasPrefix(state, []byte("T")) || bytes.HasPrefix(state, []byte("t"))
}

// Processes returns the ids of all processes but this one, ascending.
func Processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
