package takeover

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// program is the file of a program, held by a descriptor: it can be started after another version has taken its
// place. So a daemon that dies is replaced by one of the same version, whatever was installed meanwhile.
type program struct {
	fd   int
	name string // by which it was found
}

// lowestProgram is the least descriptor of a program: lower ones become a child's own.
const lowestProgram = 16

// programOf opens the program of a process, "self" for this one.
func programOf(process string) (*program, error) {
	link := "/proc/" + process + "/exe"
	fd, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: link, Err: err}
	}
	defer unix.Close(fd)
	p := &program{}
	if p.name, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err != nil {
		return nil, err
	}
	p.name = strings.TrimSuffix(p.name, " (deleted)")
	if p.fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, lowestProgram); err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return p, nil
}

// path leads to the program, from this process and from a child that is about to execute it.
func (p *program) path() string { return fmt.Sprintf("/proc/self/fd/%d", p.fd) }

// is reports whether two programs are one file.
func (p *program) is(other *program) bool {
	var a, b unix.Stat_t
	return unix.Fstat(p.fd, &a) == nil && unix.Fstat(other.fd, &b) == nil && a.Dev == b.Dev && a.Ino == b.Ino
}

func (p *program) close() {
	if p != nil {
		_ = unix.Close(p.fd)
	}
}

// SelfName is a path of this program for a child of it, also after another file has taken its place.
const SelfName = "/proc/self/exe"

// NameProcess has the kernel call this process as its program's file is called. One that was started by
// a descriptor has the name of that.
func NameProcess() error {
	name, err := os.Executable()
	if err != nil {
		return err
	}
	return os.WriteFile("/proc/self/comm", []byte(name[strings.LastIndexByte(name, '/')+1:]), 0)
}
