package fs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// notifier tells watchers (inotify) of commits. The kernel makes events of what
// programs do: of a write before it is committed, and of the close after it,
// which fs.watch of Node passes over. So where somebody has looked at the registry
// in between, somebody else sets its modification time to what it is when the
// new content can be read, through the mount like any program: that makes the
// event IN_MODIFY, on the file and for its directory, and no other change. The
// request for it is recognised and answered without a look (isTouch). Where nobody
// has looked, one event must do: a program that reads twice what it has read once
// looks like one with two tasks.
//
// It must be another process. One that waits for an answer of its own mount can't
// be killed, and as long as it lives nobody else's requests come to an end either.
// It is started when there is something to tell for the first time; what is due
// for one registry several times is told once.
type notifier struct {
	command []string // see Options.Toucher
	log     *zap.Logger
	pid     atomic.Int64 // of the toucher, 0 if it does not run

	mu   sync.Mutex // guards due
	due  map[string]struct{}
	wake chan struct{} // of one: something is due
}

// newNotifier returns the notifier of the mount that is on mountpoint, with that
// device number.
func newNotifier(toucher []string, mountpoint string, device uint64, log *zap.Logger) *notifier {
	return &notifier{
		command: append(toucher[:len(toucher):len(toucher)], mountpoint, strconv.FormatUint(device, 10)),
		log:     log,
		due:     make(map[string]struct{}),
		wake:    make(chan struct{}, 1),
	}
}

// Observe implements txn.Observer: it tells of what came about behind the mount.
func (w *notifier) Observe(e txn.Event) {
	if e.Changed && !e.Deleted && (e.Via == txn.ViaForeign || e.Via == txn.ViaRecovery) {
		w.tell(e.Name)
	}
}

// tell has watchers of a registry told.
func (w *notifier) tell(name string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.due[name] = struct{}{}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run tells watchers until ctx ends, and ends the toucher.
func (w *notifier) run(ctx context.Context) {
	var to io.WriteCloser
	for {
		select {
		case <-ctx.Done():
			if to != nil {
				_ = to.Close() // which ends it
			}
			return
		case <-w.wake:
		}
		if to == nil {
			var err error
			if to, err = w.start(); err != nil {
				w.log.Warn("watchers can't be told of commits", zap.Error(err))
				return
			}
		}
		if _, err := io.WriteString(to, w.take()); err != nil {
			w.log.Warn("the process that tells watchers of commits has ended", zap.Error(err))
			_ = to.Close()
			to = nil
		}
	}
}

// start starts the toucher and returns what it reads from.
func (w *notifier) start() (io.WriteCloser, error) {
	cmd := exec.Command(w.command[0], w.command[1:]...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	to, err := cmd.StdinPipe()
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
	return to, nil
}

// take returns what is due, each name ended by a zero byte.
func (w *notifier) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for name := range w.due {
		b.WriteString(name)
		b.WriteByte(0)
	}
	clear(w.due)
	return b.String()
}

// isTouch reports whether a request is one of the toucher's.
func (w *notifier) isTouch(a txn.Actor, in *fuse.SetAttrIn) bool {
	const what = fuse.FATTR_ATIME | fuse.FATTR_MTIME | fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_SIZE
	return w != nil && in.Valid&what == fuse.FATTR_MTIME && a.Known() && int64(a.PID) == w.pid.Load()
}

// Touch is what the process runs that Options.Toucher starts. It reads names of
// registries, each ended by a zero byte, and sets the modification time of each
// on the mount that its two arguments tell, until there are no more. Errors are
// those of the arguments and of reading: a registry that is gone is nothing to
// tell of.
func Touch(names io.Reader, args []string) error {
	if len(args) != 2 {
		return errors.New("wanted: a mountpoint and its device number")
	}
	device, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	for r := bufio.NewReader(names); ; {
		name, err := r.ReadString(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		touch(args[0], device, strings.TrimSuffix(name, "\x00"))
	}
}

// touch sets a registry's modification time, which the daemon leaves as it is. It
// has nothing of the mount open for longer than that, which would keep it busy.
func touch(mountpoint string, device uint64, name string) {
	dir, err := unix.Open(filepath.Join(mountpoint, filepath.Dir(name)), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer closeFD(dir)
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || st.Dev != device {
		return // not the mount, but what it covered
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: 1}}
	_ = unix.UtimesNanoAt(dir, filepath.Base(name), times, unix.AT_SYMLINK_NOFOLLOW)
}
