package fs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// A command sets the content of a registry outright by ioctls of our own. One asks the
// mount's root whether a path is a registry's, so that no other file is created. One makes
// an open handle's transaction replace the head (Tx.Put). One tells the purpose of the
// transaction, and the head that it replaces (Tx.Intend), as JSON. A process that may open
// the file for writing may do all of that. The kernel copies their argument, by the size
// that is in their number.
const (
	intentSize      = 1024
	ioctlIsRegistry = 1<<30 | unix.PathMax<<16 | 'c'<<8 | 1 // _IOW('c', 1, char[PATH_MAX])
	ioctlPut        = 'c'<<8 | 2                            // _IO('c', 2)
	ioctlIntend     = 1<<30 | intentSize<<16 | 'c'<<8 | 3   // _IOW('c', 3, char[intentSize])
)

// NotRegistryError says that a file is no registry.
type NotRegistryError struct{ Path string }

// Error names the file.
func (e *NotRegistryError) Error() string { return e.Path + " is not a registry" }

// OldDaemonError says that a mount is served by a version that does not know a request.
type OldDaemonError struct{ Dir, Request string }

// Error names the directory and the request.
func (e *OldDaemonError) Error() string {
	return "the daemon of the mount on " + e.Dir + " is of an older version, which knows no " + e.Request
}

// Put opens the registry of a name, with slashes, below a mounted directory. Content that
// is written to it replaces the head when it is closed: no base is chosen, and nothing is
// merged. It begins with nothing; where there is no registry it makes an empty file.
// Errors: *NotRegistryError, *OldDaemonError, or the system's.
func Put(dir, name string) (*os.File, error) {
	f, err := openRegistry(dir, name, os.O_CREATE)
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

// Intend opens the registry of a name, with slashes, below a mounted directory, for a command
// that intends to change it. With a head to replace it is as Put; the close fails with EBUSY
// where the head is another one, and so does an unlink by this process while the file is open.
// Where there is to be no head it makes an empty file. Without a head to replace it begins
// with the present head, and is merged as any write is. Errors: *NotRegistryError,
// *OldDaemonError, or the system's.
func Intend(dir, name string, i txn.Intent) (*os.File, error) {
	var arg [intentSize]byte
	text, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	if copy(arg[:len(arg)-1], text) < len(text) {
		return nil, &fs.PathError{Op: "ioctl", Path: name, Err: unix.E2BIG}
	}
	create := 0
	if i.Over == nil || *i.Over == "" {
		create = os.O_CREATE
	}
	f, err := openRegistry(dir, name, create)
	if err != nil {
		return nil, err
	}
	if err = control(f, ioctlIntend, unsafe.Pointer(&arg)); errors.Is(err, unix.ENOTTY) {
		err = &OldDaemonError{Dir: dir, Request: "undo"}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openRegistry opens a registry for writing, with another flag perhaps.
func openRegistry(dir, name string, flag int) (*os.File, error) {
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
		return nil, &OldDaemonError{Dir: dir, Request: "put"}
	case errors.Is(err, unix.EOPNOTSUPP):
		return nil, &NotRegistryError{Path: full}
	case err != nil:
		return nil, err
	}
	return os.OpenFile(full, os.O_WRONLY|flag, 0o600)
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

// Ioctl makes the handle's transaction replace the head, or tells its purpose.
func (f *registryFile) Ioctl(_ context.Context, cmd uint32, _ uint64, input, _ []byte) (int32, syscall.Errno) {
	switch {
	case cmd != ioctlPut && cmd != ioctlIntend:
		return 0, syscall.ENOTTY
	case f.tx == nil:
		return 0, syscall.EBADF
	case cmd == ioctlPut:
		f.tx.Put()
		f.keeps(nil)
		return 0, 0
	}
	var i txn.Intent
	text, _, _ := bytes.Cut(input, []byte{0})
	if json.Unmarshal(text, &i) != nil {
		return 0, syscall.EINVAL
	}
	f.tx.Intend(i)
	f.keeps(nil)
	return 0, 0
}

// Ioctl tells whether a path is a registry's, and else is that of a plain file.
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
