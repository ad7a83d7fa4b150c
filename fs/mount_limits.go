package fs

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// raiseDescriptorLimit raises the process's limit of descriptors as far as it
// may, and returns it. Each object that the kernel remembers costs one.
func raiseDescriptorLimit() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	if most := systemDescriptorLimit(); os.Geteuid() == 0 && most > limit.Max {
		if all := (unix.Rlimit{Cur: most, Max: most}); unix.Setrlimit(unix.RLIMIT_NOFILE, &all) == nil {
			return most
		}
	}
	if raised := (unix.Rlimit{Cur: limit.Max, Max: limit.Max}); unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
		return limit.Max
	}
	return limit.Cur
}

// systemDescriptorLimit returns the number that no process can exceed, 0 if unknown.
func systemDescriptorLimit() uint64 {
	text, err := os.ReadFile("/proc/sys/fs/nr_open")
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
