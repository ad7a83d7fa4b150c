package mountpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// FSType is the type of a mount of clawfs in the mount table.
const FSType = "fuse.clawfs"

// Fusermount is the program that mounts and unmounts for an ordinary user.
const Fusermount = "fusermount3"

// deathPatience is how long a mount may take to show whether its daemon is gone.
const deathPatience = time.Second

// MissingError says that there is no directory to mount on.
type MissingError struct{ Path string }

// Error names the path.
func (e *MissingError) Error() string { return "there is no directory " + e.Path }

// NotDirectoryError says that something else is where a directory is wanted.
type NotDirectoryError struct{ Path string }

// Error names the path.
func (e *NotDirectoryError) Error() string { return e.Path + " is not a directory" }

// MountedError says that clawfs serves a directory already.
type MountedError struct{ Path string }

// Error names the path.
func (e *MountedError) Error() string { return e.Path + " is mounted already" }

// DeadMountError says that on a directory there is a dead mount of another file
// system, or one that could not be taken away.
type DeadMountError struct {
	Path, Type string
	Err        error // why it could not be taken away, or nil
}

// Error names the path and the type.
func (e *DeadMountError) Error() string {
	return fmt.Sprintf("on %s there is a dead mount of type %s", e.Path, e.Type)
}

// Unwrap returns why the mount could not be taken away.
func (e *DeadMountError) Unwrap() error { return e.Err }

// NoFUSEError names the thing that the system lacks to mount.
type NoFUSEError struct {
	Problem string
	Cure    string // the command that helps; empty where none is known
}

// Error returns the problem.
func (e *NoFUSEError) Error() string { return e.Problem }

// UnmountError says that fusermount3 could not take a mount away, for another
// reason than that it is in use.
type UnmountError struct{ Path, Said string }

// Error names the path and has the program's own words.
func (e *UnmountError) Error() string { return e.Path + " can't be unmounted: " + e.Said }

// Point is a directory and the mount on it, if there is one.
type Point struct {
	Dir   string          // absolute, free of symbolic links
	Mount *mountinfo.Info // the topmost mount on it; nil if there is none
}

// Find finds the directory, and the mount on it, that a name given by a user
// stands for. It does not touch that mount as long as the mount table tells enough: a
// daemon that is dead, or stuck, must not hold it up. Errors: *MissingError,
// *NotDirectoryError, or the system's.
func Find(name string) (Point, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return Point{}, err
	}
	if m, err := Top(dir); err != nil || m != nil {
		return Point{Dir: dir, Mount: m}, err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return Point{}, missing(dir, err)
	}
	resolved := filepath.Join(parent, filepath.Base(dir))
	if m, err := Top(resolved); err != nil || m != nil {
		return Point{Dir: resolved, Mount: m}, err
	}
	if resolved, err = filepath.EvalSymlinks(resolved); err != nil {
		return Point{}, missing(dir, err)
	}
	if m, err := Top(resolved); err != nil || m != nil {
		return Point{Dir: resolved, Mount: m}, err
	}
	info, err := os.Stat(resolved)
	if err == nil && !info.IsDir() {
		err = &NotDirectoryError{Path: resolved}
	}
	return Point{Dir: resolved}, err
}

func missing(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &MissingError{Path: path}
	case errors.Is(err, unix.ENOTDIR):
		return &NotDirectoryError{Path: path}
	}
	return err
}

// Top returns the topmost mount on a path, as the mount table has it; nil if there
// is none.
func Top(path string) (*mountinfo.Info, error) {
	mounts, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) { return m.Mountpoint != path, false })
	if err != nil {
		return nil, fmt.Errorf("cannot read the mount table: %w", err)
	}
	return uppermost(mounts), nil
}

// uppermost returns that of the mounts on one path on which no other one is
// mounted: a directory that was bind-mounted, or has a disk of its own, carries
// clawfs in addition. nil if there are none.
func uppermost(mounts []*mountinfo.Info) *mountinfo.Info {
	for _, m := range slices.Backward(mounts) {
		if !slices.ContainsFunc(mounts, func(other *mountinfo.Info) bool { return other.Parent == m.ID }) {
			return m
		}
	}
	return nil
}

// All lists the mounts of clawfs in the order in which they were made.
func All() ([]Point, error) {
	mounts, err := mountinfo.GetMounts(mountinfo.FSTypeFilter(FSType))
	if err != nil {
		return nil, fmt.Errorf("cannot read the mount table: %w", err)
	}
	out := make([]Point, 0, len(mounts))
	for _, m := range mounts {
		out = append(out, Point{Dir: m.Mountpoint, Mount: m})
	}
	return out, nil
}

// IsClawfs reports whether a clawfs, living or dead, is mounted there.
func (m Point) IsClawfs() bool { return m.Mount != nil && m.Mount.FSType == FSType }

// IsDead reports whether the daemon behind the mount is gone. One that does not
// answer is not gone. The mount is asked only if no process can be seen that serves it: a
// request that a stopped daemon has taken, as one over io_uring is at once, keeps the process
// that makes it from ending.
func (m Point) IsDead() bool {
	if m.Mount == nil || strings.HasPrefix(m.Mount.FSType, "fuse") && Server(m.Mount) > 0 {
		return false
	}
	answer := make(chan error, 1)
	go func() {
		var st unix.Statfs_t
		answer <- unix.Statfs(m.Dir, &st)
	}()
	select {
	case err := <-answer:
		return IsEnd(err)
	case <-time.After(deathPatience):
		return false
	}
}

// IsEnd reports whether a request on a mount failed as its connection has ended. While a
// killed daemon's rings of io_uring are taken down, for a moment after its end, requests are
// cancelled or aborted.
func IsEnd(err error) bool {
	return errors.Is(err, unix.ENOTCONN) || errors.Is(err, unix.ECONNABORTED) || errors.Is(err, unix.ECANCELED)
}

// Owner returns the id of the user who has mounted a FUSE file system there; the
// kernel notes it in the options of the mount.
func (m Point) Owner() (uid int, ok bool) {
	if m.Mount == nil {
		return 0, false
	}
	for option := range strings.SplitSeq(m.Mount.VFSOptions, ",") {
		if _, err := fmt.Sscanf(option, "user_id=%d", &uid); err == nil {
			return uid, true
		}
	}
	return 0, false
}

// Detach takes the mount away: lazily, that is at once though it is in use, or
// not at all if it is busy (unix.EBUSY).
func (m Point) Detach(lazily bool) error { return Detach(m.Dir, lazily) }

// Clear prepares a directory for mounting: it resolves the path and takes away
// dead mounts that a killed daemon has left. It must come before the directory
// is opened, as a dead mount hides it. It returns the path, absolute and free of
// symbolic links. Errors: *MissingError, *NotDirectoryError, *MountedError where
// a daemon lives, *DeadMountError, or the system's.
func Clear(path string) (string, error) {
	for {
		m, err := Find(path)
		switch {
		case err != nil:
			return "", err
		case !m.IsDead() && m.IsClawfs():
			return "", &MountedError{Path: m.Dir}
		case !m.IsDead():
			return m.Dir, nil
		case !m.IsClawfs():
			return "", &DeadMountError{Path: m.Dir, Type: m.Mount.FSType}
		}
		if err := m.Detach(true); err != nil {
			return "", &DeadMountError{Path: m.Dir, Type: m.Mount.FSType, Err: err}
		}
	}
}

// CheckBare returns a *MountedError if a descriptor of the directory at path,
// which must be absolute and free of symbolic links, leads to a mount of clawfs
// there, living or dead. A mount can come between a look at the path and its
// opening, but not below a descriptor: a directory that is found bare here stays so.
// The mount's daemon is asked nothing.
func CheckBare(fd int, path string) error {
	id, err := mountIDOf(fd)
	if err != nil {
		return err
	}
	found, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return m.ID != id, m.ID == id
	})
	if err != nil {
		return fmt.Errorf("cannot read the mount table: %w", err)
	}
	for _, m := range found {
		if m.FSType == FSType && m.Mountpoint == path {
			return &MountedError{Path: path}
		}
	}
	return nil
}

// mountIDOf returns the id, in the mount table, of the mount that a descriptor
// leads to.
func mountIDOf(fd int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var id int
		if _, err := fmt.Sscanf(line, "mnt_id: %d", &id); err == nil {
			return id, nil
		}
	}
	return 0, fmt.Errorf("the kernel does not say which mount descriptor %d leads to", fd)
}

// Open opens a directory on which clawfs is to be mounted, and is not
// yet: two mounts on one directory would stack without a word.
func Open(path string) (fd int, err error) {
	m, err := Top(path)
	if err != nil {
		return -1, err
	}
	if (Point{Dir: path, Mount: m}).IsClawfs() {
		return -1, &MountedError{Path: path}
	}
	for {
		if fd, err = unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return -1, missing(path, &os.PathError{Op: "open", Path: path, Err: err})
	}
	return fd, nil
}

// Detach takes the topmost mount on a path away. An ordinary user needs
// fusermount3 for it. Errors: unix.EBUSY, *NoFUSEError, *UnmountError, or the
// system's.
func Detach(path string, lazily bool) error {
	flags := unix.UMOUNT_NOFOLLOW
	if lazily {
		flags |= unix.MNT_DETACH
	}
	err := unix.Unmount(path, flags)
	if err != unix.EPERM {
		return os.NewSyscallError("umount", err)
	}
	m, err := Top(path)
	if err != nil {
		return err
	}
	if uid, ok := (Point{Mount: m}).Owner(); ok && uid != os.Geteuid() {
		return fmt.Errorf("the mount on %s belongs to user %d", path, uid)
	}
	args := []string{"-u"}
	if lazily {
		args = append(args, "-z")
	}
	bin, err := exec.LookPath(Fusermount)
	if err != nil {
		return &NoFUSEError{Problem: Fusermount + " is missing, without which only root can unmount"}
	}
	cmd := exec.Command(bin, append(args, "--", path)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // its words are all that it tells
	text, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if m, err := Top(path); err != nil || m == nil {
		return err // somebody was faster
	}
	said := strings.TrimSpace(string(text))
	if strings.HasSuffix(said, "Device or resource busy") {
		return os.NewSyscallError("umount", unix.EBUSY)
	}
	if said == "" {
		said = Fusermount + ": " + err.Error()
	}
	return &UnmountError{Path: path, Said: said}
}
