package fs

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// notifier tells watchers (inotify) of commits. The kernel makes events of what
// programs do: of a write before it is committed, and of the close after it,
// which fs.watch of Node passes over. So after a commit, when its content can be
// read, clawfs sets the registry's modification time to what it is, through the
// mount like anybody else: that makes the event IN_MODIFY, on the file and for its
// directory, and no other change. The request for it is recognised and answered
// without a look (isOwnTouch).
//
// A request to the mount waits for its handlers, so no handler makes it: one
// goroutine does, and what is due for one registry several times is done once.
// It has nothing of the mount open in between, which would keep it busy.
type notifier struct {
	mountpoint string
	device     uint64 // of the mount: what is found there must be on it

	mu   sync.Mutex // guards due
	due  map[string]struct{}
	wake chan struct{} // of one: something is due
}

func (w *notifier) init(mountpoint string, device uint64) {
	w.mountpoint, w.device = mountpoint, device
	w.due = make(map[string]struct{})
	w.wake = make(chan struct{}, 1)
}

// Observe implements txn.Observer.
func (w *notifier) Observe(e txn.Event) {
	if !e.Changed || e.Deleted {
		return
	}
	switch e.Via {
	case txn.ViaRename, txn.ViaLink, txn.ViaTruncate:
		return // the kernel itself makes an event, after the answer
	}
	w.mu.Lock()
	w.due[e.Name] = struct{}{}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run tells watchers until ctx ends.
func (w *notifier) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		for _, name := range w.take() {
			w.touch(name)
		}
	}
}

func (w *notifier) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := make([]string, 0, len(w.due))
	for name := range w.due {
		names = append(names, name)
	}
	clear(w.due)
	return names
}

// touch sets a registry's modification time, which the handler leaves as it is.
// Whatever goes wrong, the registry is gone or the mount is going.
func (w *notifier) touch(name string) {
	dir, err := unix.Open(filepath.Join(w.mountpoint, filepath.Dir(name)), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer closeFD(dir)
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || st.Dev != w.device {
		return // not the mount, but what it covered
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: 1}}
	_ = unix.UtimesNanoAt(dir, filepath.Base(name), times, unix.AT_SYMLINK_NOFOLLOW)
}

// isOwnTouch reports whether a request is one of the notifier's.
func (fsys *fileSystem) isOwnTouch(ctx context.Context, in *fuse.SetAttrIn) bool {
	const times = fuse.FATTR_ATIME | fuse.FATTR_MTIME | fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_SIZE
	return in.Valid&times == fuse.FATTR_MTIME && fsys.callers.actorOf(ctx).PID == os.Getpid()
}
