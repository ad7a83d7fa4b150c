package process

import (
	"golang.org/x/sys/unix"
)

// readProc reads a small file below /proc. It leaves out the steps by which os.ReadFile
// serves files that can be waited for.
func readProc(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer closeFD(fd)
	buf := make([]byte, 4096)
	for {
		if n, err := unix.Read(fd, buf); err != unix.EINTR {
			return buf[:max(n, 0)], err
		}
	}
}

// closeFD closes a descriptor where nobody can be told an error.
func closeFD(fd int) { _ = unix.Close(fd) }
