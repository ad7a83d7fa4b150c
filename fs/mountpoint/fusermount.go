package mountpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// NeedFusermount returns a *NoFUSEError if the program is missing by which an ordinary user
// mounts.
func NeedFusermount() error {
	if _, err := exec.LookPath(Fusermount); err != nil {
		return &NoFUSEError{Problem: Fusermount + " is missing, without which only root can mount"}
	}
	return nil
}

// Mount has fusermount3 mount a new connection of FUSE, and returns its descriptor of
// /dev/fuse, from which nothing has been read. Errors: *NoFUSEError, or the system's.
func Mount(path string, options []string) (int, error) {
	if err := NeedFusermount(); err != nil {
		return -1, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socketpair", err)
	}
	defer unix.Close(pair[0])
	remote := os.NewFile(uintptr(pair[1]), "fusermount")
	defer remote.Close()
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`)
	for i, o := range options {
		options[i] = escape.Replace(o)
	}
	cmd := exec.Command(Fusermount, "-o", strings.Join(options, ","), "--", path)
	cmd.Env = append(os.Environ(), "_FUSE_COMMFD=3", "LC_ALL=C")
	cmd.ExtraFiles = []*os.File{remote}
	if said, err := cmd.CombinedOutput(); err != nil {
		return -1, fmt.Errorf("%s: %s", Fusermount, strings.TrimSpace(string(said)+"\n"+err.Error()))
	}
	return receiveDescriptor(pair[0])
}

// receiveDescriptor receives a descriptor from another process.
func receiveDescriptor(from int) (int, error) {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(from, make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	if err != nil {
		return -1, os.NewSyscallError("recvmsg", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err == nil && len(messages) == 1 {
		var descriptors []int
		if descriptors, err = unix.ParseUnixRights(&messages[0]); err == nil && len(descriptors) == 1 {
			return descriptors[0], nil
		}
	}
	return -1, errors.Join(fmt.Errorf("%s gave no descriptor", Fusermount), err)
}
