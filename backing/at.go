package backing

import (
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// These are system calls relative to a descriptor. None of them ever leaves the directory that
// the descriptor stands for, follows a symbolic link, or needs the path by which the directory
// was reached.

const (
	// resolution keeps openat2 below its descriptor: a name can't lead out of the directory, even
	// if others change it meanwhile.
	resolution = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS

	// longestPath is the longest path that is handed to the kernel at once. Its
	// limit is 4,096 with the final NUL; longer names are walked in pieces.
	longestPath = 4000
)

// retry calls f until it is not interrupted by a signal. Slow file systems
// (network, FUSE) interrupt calls that the Go runtime's own signals hit.
func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// openAt opens path below the directory dir. It returns an errno.
func openAt(dir int, path string, flags int, mode uint32) (int, error) {
	parent := dir
	for len(path) > longestPath {
		cut := strings.LastIndexByte(path[:longestPath], '/')
		if cut <= 0 {
			break // one component that is too long: the kernel says so
		}
		next, err := openOnce(parent, path[:cut], unix.O_PATH|unix.O_DIRECTORY, 0)
		if parent != dir {
			closeFD(parent)
		}
		if err != nil {
			return -1, err
		}
		parent, path = next, path[cut+1:]
	}
	fd, err := openOnce(parent, path, flags, mode)
	if parent != dir {
		closeFD(parent)
	}
	return fd, err
}

func openOnce(dir int, path string, flags int, mode uint32) (fd int, err error) {
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(mode), Resolve: resolution}
	err = retry(func() error {
		fd, err = unix.Openat2(dir, path, &how)
		return err
	})
	if err != nil {
		return -1, err
	}
	return fd, nil
}

// openDir opens a directory below dir so that it can be read and synced. The
// empty path is dir itself.
func openDir(dir int, path string) (int, error) {
	if path == "" {
		path = "."
	}
	return openAt(dir, path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
}

// closeFD closes a descriptor that nothing was written to, or whose content was
// synced: there is nothing that an error could tell.
func closeFD(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// statAt returns the state of a name in dir, without following a link; nil if
// there is none.
func statAt(dir int, name string) (*state, error) {
	var st unix.Statx_t
	err := retry(func() error { return unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statxMask, &st) })
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return newState(&st), nil
}

func statFD(fd int) (*state, error) {
	var st unix.Statx_t
	if err := retry(func() error { return unix.Statx(fd, "", unix.AT_EMPTY_PATH, statxMask, &st) }); err != nil {
		return nil, err
	}
	return newState(&st), nil
}

// writeAll writes b behind the bytes that were written before.
func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Write(fd, b)
			return err
		})
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		b = b[n:]
	}
	return nil
}

// readAll reads an open file of about the given size, from its start. It fails
// with EFBIG once it has seen more than limit bytes.
func readAll(fd int, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, unix.EFBIG
	}
	b := make([]byte, 0, size+1)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		var n int
		err := retry(func() (err error) {
			n, err = unix.Pread(fd, b[len(b):cap(b)], int64(len(b)))
			return err
		})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return b, nil
		}
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return nil, unix.EFBIG
		}
	}
}

// readFileAt reads a regular file in dir.
func readFileAt(dir int, name string, limit int64) ([]byte, error) {
	fd, size, err := openRegular(dir, name)
	if err != nil {
		return nil, err
	}
	defer closeFD(fd)
	return readAll(fd, size, limit)
}

// openRegular opens a file in an open directory for reading and returns its size. A
// symbolic link is ELOOP, any other file that is not regular EINVAL.
func openRegular(dir int, name string) (fd int, size int64, err error) {
	fd, err = openAt(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, 0, err
	}
	st, err := statFD(fd)
	if err == nil && !st.regular() {
		err = unix.EINVAL
	}
	if err != nil {
		closeFD(fd)
		return -1, 0, err
	}
	return fd, st.size, nil
}

// listDir lists the names in an open directory, in no order.
func listDir(dir int) ([]string, error) {
	fd, err := openDir(dir, "")
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return names, errno(err)
}

// errno returns the system's error number inside an error, or the error itself.
func errno(err error) error {
	var n unix.Errno
	if errors.As(err, &n) {
		return n
	}
	return err
}

func fsync(fd int) error { return retry(func() error { return unix.Fsync(fd) }) }

func unlink(dir int, name string) error {
	return retry(func() error { return unix.Unlinkat(dir, name, 0) })
}

func rename(fromDir int, from string, toDir int, to string, flags uint) error {
	return retry(func() error { return unix.Renameat2(fromDir, from, toDir, to, flags) })
}

// moveNew renames without replacing anything: EEXIST if the target exists. A
// file system that can't do so in one call gets a link and an unlink; the old
// name may stay then, and is resolved when the history is loaded next.
func moveNew(fromDir int, from string, toDir int, to string) error {
	err := rename(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
	if !lacks(err) {
		return err
	}
	if err := retry(func() error { return unix.Linkat(fromDir, from, toDir, to, 0) }); err != nil {
		return err
	}
	_ = unlink(fromDir, from)
	return nil
}

// lacks reports whether an error of renameat2 says that the file system, or the
// kernel, doesn't know the flag.
func lacks(err error) bool { return err == unix.EINVAL || err == unix.ENOSYS }
