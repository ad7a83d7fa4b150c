package quick

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sort"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A disk is how a language calls the file system.
type disk interface {
	read(path string) (string, error)
	write(path, text string) error
	overwrite(path, text string) error // in the file that is there, which is then cut
	copy(path, to string) error
	rename(path, to string) error
	unlink(path string) error
	size(path string) (int64, error)
	list(path string) ([]string, error)
}

// calls are the calls that all languages make in the same way.
type calls struct{}

func (calls) rename(path, to string) error { return syscall.Rename(path, to) }
func (calls) unlink(path string) error     { return syscall.Unlink(path) }

func (calls) size(path string) (int64, error) {
	var st syscall.Stat_t
	err := syscall.Stat(path, &st)
	return st.Size, err
}

func (calls) list(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	return names, err
}

// open is every language's open, followed by a look at the opened file.
func open(path string, flags int) (fd int, size int64, err error) {
	if fd, err = syscall.Open(path, flags|syscall.O_CLOEXEC, 0o666); err != nil {
		return fd, 0, err
	}
	var st syscall.Stat_t
	err = syscall.Fstat(fd, &st)
	return fd, st.Size, err
}

func writeAll(fd int, text string) error {
	for b := []byte(text); len(b) > 0; {
		n, err := syscall.Write(fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// python opens, looks, seeks, reads until there is no more.
type python struct{ calls }

func (python) read(path string) (string, error) {
	fd, size, err := open(path, syscall.O_RDONLY)
	if err != nil {
		return "", err
	}
	_, _ = syscall.Seek(fd, 0, io.SeekCurrent)
	var text []byte
	buffer := make([]byte, size+1)
	for {
		n, err := syscall.Read(fd, buffer)
		if err != nil || n == 0 {
			return string(text), errors.Join(err, syscall.Close(fd))
		}
		text = append(text, buffer[:n]...)
	}
}

func (python) write(path, text string) error {
	fd, _, err := open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC)
	if err != nil {
		return err
	}
	_, _ = syscall.Seek(fd, 0, io.SeekCurrent)
	err = writeAll(fd, text)
	return errors.Join(err, syscall.Close(fd))
}

func (python) overwrite(path, text string) error {
	fd, _, err := open(path, syscall.O_RDWR)
	if err != nil {
		return err
	}
	_, _ = syscall.Seek(fd, 0, io.SeekCurrent)
	_, _ = syscall.Seek(fd, 0, io.SeekStart)
	err = errors.Join(writeAll(fd, text), syscall.Ftruncate(fd, int64(len(text))))
	return errors.Join(err, syscall.Close(fd))
}

// copy is shutil.copyfile, which sends the file.
func (p python) copy(path, to string) error {
	for _, name := range []string{path, to} {
		_, _ = p.size(name)
	}
	from, size, err := open(path, syscall.O_RDONLY)
	if err != nil {
		return err
	}
	into, _, err := open(to, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC)
	if err != nil {
		return errors.Join(err, syscall.Close(from))
	}
	for n := 1; n > 0 && err == nil; {
		n, err = syscall.Sendfile(into, from, nil, int(max(size, 1<<23)))
	}
	return errors.Join(err, syscall.Close(into), syscall.Close(from))
}

// nodeSync reads as much as it was told that there is.
type nodeSync struct{ calls }

func (nodeSync) read(path string) (string, error) {
	fd, size, err := open(path, syscall.O_RDONLY)
	if err != nil {
		return "", err
	}
	text := make([]byte, 0, max(size, 8192))
	for n := 1; n > 0 && err == nil && (size == 0 || int64(len(text)) < size); {
		n, err = syscall.Read(fd, text[len(text):cap(text)])
		text = text[:len(text)+max(n, 0)]
	}
	return string(text), errors.Join(err, syscall.Close(fd))
}

func (nodeSync) write(path, text string) error {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC, 0o666)
	if err != nil {
		return err
	}
	err = writeAll(fd, text)
	return errors.Join(err, syscall.Close(fd))
}

func (nodeSync) overwrite(path, text string) error {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0o666)
	if err != nil {
		return err
	}
	_, err = syscall.Pwrite(fd, []byte(text), 0)
	err = errors.Join(err, syscall.Ftruncate(fd, int64(len(text))))
	return errors.Join(err, syscall.Close(fd))
}

// copy is libuv's, which has the kernel copy.
func (nodeSync) copy(path, to string) error {
	from, size, err := open(path, syscall.O_RDONLY)
	if err != nil {
		return err
	}
	into, _, err := open(to, syscall.O_WRONLY|syscall.O_CREAT)
	if err != nil {
		return errors.Join(err, syscall.Close(from))
	}
	err = syscall.Ftruncate(into, 0)
	for n := 1; n > 0 && size > 0 && err == nil; size -= int64(n) {
		n, err = unix.CopyFileRange(from, nil, into, nil, int(size), 0)
		if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EOPNOTSUPP) {
			n, err = syscall.Sendfile(into, from, nil, int(size))
		}
	}
	return errors.Join(err, syscall.Close(into), syscall.Close(from))
}

// awaited is node's disk where each call is awaited: threads of a pool take turns.
type awaited struct {
	nodeSync
	pool []chan func()
	turn *int
}

func newAwaited() awaited {
	a := awaited{turn: new(int)}
	for range 4 {
		jobs := make(chan func())
		a.pool = append(a.pool, jobs)
		go func() {
			runtime.LockOSThread()
			for job := range jobs {
				job()
			}
		}()
	}
	return a
}

// await has the next thread of the pool do one call.
func (a awaited) await(call func() error) error {
	*a.turn++
	done := make(chan error)
	a.pool[*a.turn%len(a.pool)] <- func() { done <- call() }
	return <-done
}

func (a awaited) read(path string) (text string, err error) {
	var fd, n int
	var size int64
	if err = a.await(func() (err error) { fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0); return err }); err != nil {
		return "", err
	}
	var st syscall.Stat_t
	err = a.await(func() error { return syscall.Fstat(fd, &st) })
	size = st.Size
	var b strings.Builder
	buffer := make([]byte, max(size, 8192))
	for n = 1; n > 0 && err == nil && (size == 0 || int64(b.Len()) < size); {
		err = a.await(func() (err error) { n, err = syscall.Read(fd, buffer); return err })
		b.Write(buffer[:max(n, 0)])
	}
	return b.String(), errors.Join(err, a.await(func() error { return syscall.Close(fd) }))
}

func (a awaited) write(path, text string) (err error) {
	var fd int
	err = a.await(func() (err error) {
		fd, err = syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC, 0o666)
		return err
	})
	if err != nil {
		return err
	}
	err = a.await(func() error { return writeAll(fd, text) })
	return errors.Join(err, a.await(func() error { return syscall.Close(fd) }))
}

func (a awaited) copy(path, to string) error {
	return a.await(func() error { return a.nodeSync.copy(path, to) })
}

func (a awaited) rename(path, to string) error {
	return a.await(func() error { return syscall.Rename(path, to) })
}

func (a awaited) unlink(path string) error {
	return a.await(func() error { return syscall.Unlink(path) })
}

func (a awaited) size(path string) (n int64, err error) {
	err = a.await(func() (err error) { n, err = a.calls.size(path); return err })
	return n, err
}

func (a awaited) list(path string) (names []string, err error) {
	err = a.await(func() (err error) { names, err = a.calls.list(path); return err })
	return names, err
}
