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

// Server returns the id of a process that serves a FUSE mount; 0 if none can be seen. The
// mount is not asked. Kernels that tell no connection of an open FUSE device give 0, and
// so does a process of another user.
func Server(m *mountinfo.Info) int {
	for _, pids := range candidates() {
		if i := slices.IndexFunc(pids, func(pid int) bool { return serves(pid, m.Minor) }); i >= 0 {
			return pids[i]
		}
	}
	return 0
}

// Servers returns the ids of all processes that serve a mount, or keep it for those that do:
// the daemon, and its supervisor if it has one.
func Servers(m *mountinfo.Info) (all []int) {
	for _, pids := range candidates() {
		for _, pid := range pids {
			if serves(pid, m.Minor) {
				all = append(all, pid)
			}
		}
		if all != nil {
			break
		}
	}
	return all
}

// candidates returns the processes of this program, which are few, and all others.
func candidates() [2][]int {
	own := Command(os.Getpid())
	var both [2][]int
	for _, pid := range Processes() {
		if Command(pid) == own {
			both[0] = append(both[0], pid)
		} else {
			both[1] = append(both[1], pid)
		}
	}
	return both
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
