package fs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A command sets the content of a registry outright by two ioctls of our own. One asks the
// mount's root whether a path is a registry's, so that no other file is created. The other
// makes an open handle's transaction replace the head (Tx.Put). A process that may
// open the file for writing may do both. The kernel copies their argument, by the size
// that is in their number.
const (
	ioctlIsRegistry = 1<<30 | unix.PathMax<<16 | 'c'<<8 | 1 // _IOW('c', 1, char[PATH_MAX])
	ioctlPut        = 'c'<<8 | 2                            // _IO('c', 2)
)

// NotRegistryError says that a file is no registry.
type NotRegistryError struct{ Path string }

// Error names the file.
func (e *NotRegistryError) Error() string { return e.Path + " is not a registry" }

// OldDaemonError says that a mount is served by a version that knows no put.
type OldDaemonError struct{ Dir string }

// Error names the directory.
func (e *OldDaemonError) Error() string {
	return "the daemon of the mount on " + e.Dir + " is of an older version, which knows no put"
}

// Put opens the registry of a name, with slashes, below a mounted directory. Content that
// is written to it replaces the head when it is closed: no base is chosen, and nothing is
// merged. It begins with nothing; where there is no registry it makes an empty file.
// Errors: *NotRegistryError, *OldDaemonError, or the system's.
func Put(dir, name string) (*os.File, error) {
	root, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var path [unix.PathMax]byte
	if copy(path[:len(path)-1], name) < len(name) {
		return nil, &fs.PathError{Op: "put", Path: name, Err: unix.ENAMETOOLONG}
	}
	full := dir + "/" + name
	switch err := control(root, ioctlIsRegistry, unsafe.Pointer(&path)); {
	case errors.Is(err, unix.ENOTTY):
		return nil, &OldDaemonError{Dir: dir}
	case errors.Is(err, unix.EOPNOTSUPP):
		return nil, &NotRegistryError{Path: full}
	case err != nil:
		return nil, err
	}
	f, err := os.OpenFile(full, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err = control(f, ioctlPut, nil); err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// control does an ioctl on an open file.
func control(f *os.File, cmd uintptr, arg unsafe.Pointer) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = conn.Control(func(fd uintptr) { _, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, cmd, uintptr(arg)) })
	if errno != 0 {
		return &fs.PathError{Op: "ioctl", Path: f.Name(), Err: errno}
	}
	return err
}

// Ioctl makes the handle's transaction replace the head.
func (f *registryFile) Ioctl(_ context.Context, cmd uint32, _ uint64, _, _ []byte) (int32, syscall.Errno) {
	switch {
	case cmd != ioctlPut:
		return 0, syscall.ENOTTY
	case f.tx == nil:
		return 0, syscall.EBADF
	}
	f.tx.Put()
	return 0, 0
}

// Ioctl tells which paths are registries', and else is that of a plain file.
func (d *directory) Ioctl(_ context.Context, cmd uint32, _ uint64, input, output []byte) (int32, syscall.Errno) {
	if cmd != ioctlIsRegistry {
		return harmlessIoctl(d.fd, cmd, output)
	}
	name, _, _ := bytes.Cut(input, []byte{0})
	if !d.node.IsRoot() || !d.node.fsys.names.Registry(string(name)) {
		return 0, syscall.EOPNOTSUPP
	}
	return 0, 0
}
