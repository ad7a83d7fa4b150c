package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
)

// The program by which an ordinary user mounts, the device, and the program's
// configuration.
const (
	fusermountProgram = "fusermount3"
	fuseDevice        = "/dev/fuse"
	fuseConfiguration = "/etc/fuse.conf"
)

// checkFUSE finds out before anything is touched whether this process can mount
// on a directory. The error is a *mountpoint.NoFUSEError.
func checkFUSE(dir string, allowOther bool) error {
	if _, err := os.Stat(fuseDevice); errors.Is(err, os.ErrNotExist) {
		return &mountpoint.NoFUSEError{Problem: "there is no " + fuseDevice, Cure: "modprobe fuse"}
	}
	if os.Geteuid() == 0 {
		return checkDevice("in a container: docker run --device " + fuseDevice + " --cap-add SYS_ADMIN")
	}
	if _, err := exec.LookPath(fusermountProgram); err != nil {
		return &mountpoint.NoFUSEError{Problem: fusermountProgram + " is missing, without which only root can mount", Cure: "sudo apt-get install fuse3"}
	}
	if unix.Access(dir, unix.W_OK) != nil {
		return &mountpoint.NoFUSEError{Problem: "an ordinary user can mount only where writing is allowed, not on " + dir, Cure: "sudo clawfs mount --allow-other " + quote(dir)}
	}
	if allowOther && !userAllowOther() {
		return &mountpoint.NoFUSEError{
			Problem: "--allow-other is not allowed to ordinary users here",
			Cure:    "echo user_allow_other | sudo tee -a " + fuseConfiguration,
		}
	}
	return checkDevice("sudo chmod a+rw " + fuseDevice)
}

// checkDevice tries to open the device: containers forbid it, and some systems
// keep it to root.
func checkDevice(cure string) error {
	fd, err := unix.Open(fuseDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &mountpoint.NoFUSEError{Problem: "cannot open " + fuseDevice + ": " + err.Error(), Cure: cure}
	}
	return unix.Close(fd)
}

// userAllowOther reports whether fuse.conf lets ordinary users mount for others.
func userAllowOther() bool {
	f, err := os.Open(fuseConfiguration)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "user_allow_other" {
			return true
		}
	}
	return false
}
