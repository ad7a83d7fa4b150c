package fs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// teller is the process that makes the events that the kernel has not told all watchers of a
// registry: it repeats on each inode the writer's operation on one of them, through the
// mount like any program, by a name whose directory nobody watches (tellName). The calls are
//
//   - a new modification time: IN_MODIFY,
//   - an open for writing and a close: IN_OPEN and IN_CLOSE_WRITE,
//   - two new times: IN_ATTRIB,
//   - the removal of an inode whose file has lost its last name: IN_ATTRIB, IN_DELETE_SELF,
//     and the end of the watch.
//
// The daemon recognises these requests, and answers them without doing anything. It cannot
// make them itself: a process that waits for an answer of its own mount can't be killed, and
// as long as it lives no request of anybody comes to an end.
type teller struct {
	to   io.WriteCloser
	from io.ReadCloser
}

// start starts a teller.
func (w *notifier) start() (*teller, error) {
	cmd := exec.Command(w.command[0], w.command[1:]...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	to, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.pid.Store(int64(cmd.Process.Pid))
	go func() {
		_ = cmd.Wait() // it ends when there is no more to read
		w.pid.CompareAndSwap(int64(cmd.Process.Pid), 0)
	}()
	return &teller{to, from}, nil
}

// tell has a node's watchers told, by a registry's name or, if that is empty, by tellName. It
// returns when that is done. Without news the teller only looks the name up, so that the kernel
// forgets the node that had it last.
func (t *teller) tell(what news, name string) error {
	if _, err := t.to.Write(append([]byte{byte('0' + what)}, name+"\x00"...)); err != nil {
		return err
	}
	_, err := io.ReadFull(t.from, make([]byte, 1))
	return err
}

// end has the teller end, and each goroutine that waits for it.
func (t *teller) end() { _ = errors.Join(t.to.Close(), t.from.Close()) }

// tellNsec are the nanoseconds of each time that a teller sets: they mark its requests. A
// request with the mark from any other process is refused, as that of a teller in whose place
// another one has been started. The seconds are those of the present: a time that was set after
// all would do no harm.
const tellNsec = 186_283_397

// isTellers reports whether a request has the mark of a teller's.
func isTellers(in *fuse.SetAttrIn) bool {
	const what = fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW | fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_SIZE
	return in.Valid&what == fuse.FATTR_MTIME && in.Mtimensec == tellNsec
}

// answerTeller answers a request with that mark. It sets nothing: upon success the kernel
// tells the node's watchers.
func (n *node) answerTeller(ctx context.Context, in *fuse.SetAttrIn) syscall.Errno {
	if _, _, _, named := n.registry(); !named && !n.isRegistry() || !n.fsys.isTeller(ctx) {
		return syscall.EPERM
	}
	what := newsModify
	if in.Valid&fuse.FATTR_ATIME != 0 {
		what = newsAttrib
	}
	n.fsys.registries.clearNews(n, what)
	return 0
}

func (w *notifier) isTeller(a txn.Actor) bool {
	return w != nil && a.Known() && int64(a.PID) == w.pid.Load()
}

// isTeller reports whether a request is the teller's.
func (fsys *fileSystem) isTeller(ctx context.Context) bool {
	w := fsys.watchers.Load()
	return w != nil && w.pid.Load() != 0 && w.isTeller(fsys.callers.actorOf(ctx))
}

// TellWatchers is the main function of the process that Options.Teller starts. It reads
// orders and carries them out until there are no more. An order is a digit, the news, then the
// name of a registry, or none for tellName, and a zero byte. The two arguments are the mountpoint
// and the device number of the mount. Each order is answered by one byte. Errors are those of the
// arguments, of reading and of answering; a registry that is gone is none.
func TellWatchers(orders io.Reader, answers io.Writer, args []string) error {
	if len(args) != 2 {
		return errors.New("wanted: a mountpoint and its device number")
	}
	device, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	for r := bufio.NewReader(orders); ; {
		o, err := r.ReadString(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(o) < 2 {
			return errors.New("wanted: orders")
		}
		what, name := news(o[0]-'0'), o[1:len(o)-1]
		if name == "" {
			name = filepath.Join(ownName, tellName)
		}
		makeEvents(args[0], device, name, what)
		if _, err := answers.Write([]byte{'\n'}); err != nil {
			return err
		}
	}
}

// manyLooksToTell is how often the teller looks a registry up. The kernel gives up if another
// process finds another inode of it by the same name at the same moment.
const manyLooksToTell = 100

// makeEvents makes the calls for news on a file. It has nothing of the mount open for longer
// than they take: that would keep the mount busy.
func makeEvents(mountpoint string, device uint64, name string, what news) {
	dir, err := unix.Open(filepath.Join(mountpoint, filepath.Dir(name)), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer closeFD(dir)
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || st.Dev != device {
		return // not the mount, but the directory below it
	}
	for range manyLooksToTell {
		if makeEventsIn(dir, filepath.Base(name), what) != unix.ESTALE {
			return
		}
	}
}

// makeEventsIn is makeEvents for a name in a directory, in the order of a program that writes.
// The error is the last one.
func makeEventsIn(dir int, base string, what news) (err error) {
	fd := -1
	do := func(part news, call func() error) {
		if what&part == 0 {
			return
		}
		if failed := call(); failed != nil {
			err = failed
		}
	}
	at := unix.Timespec{Sec: time.Now().Unix(), Nsec: tellNsec}
	touch := func(atime unix.Timespec) error {
		return unix.UtimesNanoAt(dir, base, []unix.Timespec{atime, at}, unix.AT_SYMLINK_NOFOLLOW)
	}
	do(newsClose, func() (err error) {
		fd, err = unix.Openat(dir, base, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	do(newsModify, func() error { return touch(unix.Timespec{Nsec: unix.UTIME_OMIT}) })
	if fd >= 0 {
		closeFD(fd)
	}
	do(newsAttrib, func() error { return touch(at) })
	do(newsDelete, func() error { return unix.Unlinkat(dir, base, 0) })
	if what == 0 {
		var st unix.Stat_t
		return unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	}
	return err
}
