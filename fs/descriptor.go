package fs

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// procPath names an open descriptor's object. It is for the calls that have no
// form relative to an O_PATH descriptor. The kernel goes straight to the object, even
// if its name is another one by now.
func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// retry calls f until it is not interrupted by a signal. Some file systems
// interrupt calls that hit upon the signals of Go's scheduler.
func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// closeFD closes a descriptor where nobody can be told an error.
func closeFD(fd int) { _ = unix.Close(fd) }

// afterClose closes a file that holds nothing yet, and returns the error that came before.
func afterClose(err error, f *os.File) error {
	_ = f.Close()
	return err
}
