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
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// notifier tells watchers (inotify) of commits. The kernel makes events of what
// programs do, on the inode by which they do it: of a write before it is committed,
// and of the close after it, which fs.watch of Node passes over. So for the other
// inodes that the kernel knows of a registry, any of which may be watched, somebody
// else sets the modification time to what it is when the new content can be read,
// through the mount like any program: that makes the event IN_MODIFY, on the file
// and for its directory, and no other change. The request for it is recognised and
// answered without a look (touched). So it is for the inode that was written, if
// somebody has looked at the registry between the write and the commit. Where
// nobody has, one event must do: a program that reads twice what it has read once
// looks like one with two tasks.
//
// It must be another process. One that waits for an answer of its own mount can't
// be killed, and as long as it lives nobody else's requests come to an end either.
// It is started when there is something to tell for the first time; what is due
// for one registry several times within a moment is told once.
type notifier struct {
	command []string // see Options.Toucher
	debts   debts
	log     *zap.Logger
	pid     atomic.Int64 // of the toucher, 0 if it does not run

	mu     sync.Mutex // guards due and events
	due    map[string]notice
	events map[string]time.Time // when watchers had the last event of a registry, as far as they may remember
	wake   chan struct{}        // of one: something is due
}

// A notice is what watchers of a registry are to be told.
type notice struct {
	anyway bool      // though nobody is owed it
	last   time.Time // of the last commit
	again  bool      // they were told so shortly after it that they may have passed it over
}

// debts are the inodes whose watchers are to be told, by registries' names.
type debts interface {
	owe(name string)      // all of a registry's
	owed(name string) int // how many there are
}

// newNotifier returns the notifier of the mount that is on mountpoint, with that
// device number.
func newNotifier(toucher []string, mountpoint string, device uint64, d debts, log *zap.Logger) *notifier {
	return &notifier{
		command: append(toucher[:len(toucher):len(toucher)], mountpoint, strconv.FormatUint(device, 10)),
		debts:   d,
		log:     log,
		due:     make(map[string]notice),
		events:  make(map[string]time.Time),
		wake:    make(chan struct{}, 1),
	}
}

// observe has watchers told of what has changed. Of what came about behind the mount who
// watches the directory is told, too: of all else the kernel has told them.
func (w *notifier) observe(e txn.Event) {
	if !e.Changed {
		return
	}
	w.debts.owe(e.Name)
	switch e.Via {
	case txn.ViaForeign, txn.ViaRecovery:
		w.tell(e.Name, true)
	case txn.ViaRename, txn.ViaLink, txn.ViaUnlink:
		w.turn(e.Name)
	default:
		w.tell(e.Name, false)
	}
}

// owe implements debts.
func (fsys *fileSystem) owe(name string) {
	if dir, base, ok := fsys.known(name); ok {
		fsys.registries.owe(dir, base)
	}
}

// owed implements debts.
func (fsys *fileSystem) owed(name string) int {
	dir, base, ok := fsys.known(name)
	if !ok {
		return 0
	}
	return fsys.registries.owed(dir, base)
}

// known returns the directory and the base name of a path below the root; not ok if
// the kernel does not know the directory, so that nobody watches anything there.
func (fsys *fileSystem) known(path string) (dir *node, base string, ok bool) {
	at := fsys.root.EmbeddedInode()
	for {
		name, rest, more := strings.Cut(path, "/")
		if !more {
			return at.Operations().(*node), name, true
		}
		if at = at.GetChild(name); at == nil {
			return nil, "", false
		}
		path = rest
	}
}

// looks returns how often the node's registry was looked at.
func (n *node) looks() uint64 {
	if !n.isRegistry() {
		return 0
	}
	return n.all.Load().looks.Load()
}

// tell has watchers of a registry told: anyway at least once, or if this follows
// another event so shortly that they may pass it over.
func (w *notifier) tell(name string, anyway bool) {
	if w == nil {
		return
	}
	now := time.Now()
	w.mu.Lock()
	n := w.due[name]
	before, recent := w.events[name]
	anyway = anyway || n.anyway || recent && now.Sub(before) < passing
	w.due[name] = notice{anyway: anyway, last: now, again: n.again}
	w.events[name] = now
	w.mu.Unlock()
	w.wakeUp()
}

// turn is tell for a name that stands for another file now, or for none. The kernel has
// told of that, when it was done, those who watch the former file, or the directory. They
// are told of nothing that was before: somebody who is just looking at that passes over
// the next replacement (chokidar for 5 ms), and watches for ever what has no name.
func (w *notifier) turn(name string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.due[name] = notice{}
	w.events[name] = time.Now()
	w.mu.Unlock()
	w.wakeUp()
}

func (w *notifier) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// gathering is how long what is due is gathered. So long the kernel knows of inodes
// that nobody uses any more, and a program that commits often would be told of as
// often. And watchers such as chokidar drop what comes within 50 ms of an event that
// they have reported, which may be that of the write before the commit; on a busy
// machine they report late, and count late.
const gathering = 100 * time.Millisecond

// passing is how shortly after another event a commit may be passed over, so that its
// watchers are told once more. It is longer than gathering: what was told of the commit
// before counts, too.
const passing = 2 * gathering

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
		time.Sleep(gathering)
		names := w.take(time.Now())
		if names == "" {
			continue
		}
		if to == nil {
			var err error
			if to, err = w.start(); err != nil {
				w.log.Warn("watchers can't be told of commits", zap.Error(err))
				return
			}
		}
		if _, err := io.WriteString(to, names); err != nil {
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

// take returns what is due, each name ended by a zero byte, as often as it has
// inodes to tell of.
func (w *notifier) take(now time.Time) string {
	w.mu.Lock()
	due := w.due
	w.due = make(map[string]notice)
	for name, n := range due {
		if now.Sub(n.last) < gathering {
			w.due[name] = notice{anyway: n.anyway, last: n.last, again: true}
			w.wakeUp()
		}
	}
	for name, at := range w.events {
		if now.Sub(at) >= passing {
			delete(w.events, name)
		}
	}
	w.mu.Unlock()
	var b strings.Builder
	for name, n := range due {
		if n.again {
			w.debts.owe(name)
		}
		count := w.debts.owed(name)
		if n.anyway {
			count = max(count, 1)
		}
		for range count {
			b.WriteString(name)
			b.WriteByte(0)
		}
		if count > 0 {
			w.mu.Lock()
			w.events[name] = now
			w.mu.Unlock()
		}
	}
	return b.String()
}

// touchNsec are the nanoseconds of each time that a toucher asks for, by which such a
// request is known whoever sends it. One that comes from a process that is not known as
// the toucher, since another has been started meanwhile for instance, is refused. The
// seconds are those of the present: if it were set after all it would do no harm.
const touchNsec = 186_283_397

// isTouch reports whether a request is such as a toucher sends.
func isTouch(in *fuse.SetAttrIn) bool {
	const what = fuse.FATTR_ATIME | fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW | fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_SIZE
	return in.Valid&what == fuse.FATTR_MTIME && in.Mtimensec == touchNsec
}

// touched answers a request such as a toucher sends. It sets nothing: where it succeeds
// the kernel tells the node's watchers.
func (n *node) touched(ctx context.Context) syscall.Errno {
	if _, _, _, named := n.registry(); !named && !n.isRegistry() || !n.fsys.isToucher(ctx) {
		return syscall.EPERM
	}
	n.fsys.registries.told(n)
	return 0
}

func (w *notifier) isToucher(a txn.Actor) bool {
	return w != nil && a.Known() && int64(a.PID) == w.pid.Load()
}

// isToucher reports whether a request is the toucher's.
func (fsys *fileSystem) isToucher(ctx context.Context) bool {
	w := fsys.watchers.Load()
	return w != nil && w.pid.Load() != 0 && w.isToucher(fsys.callers.actorOf(ctx))
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

// manyLooks is how often a registry is looked up to be touched. The kernel gives up
// where others find another inode of it by the same name at the same moment.
const manyLooks = 100

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
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: time.Now().Unix(), Nsec: touchNsec}}
	for range manyLooks {
		if unix.UtimesNanoAt(dir, filepath.Base(name), times, unix.AT_SYMLINK_NOFOLLOW) != unix.ESTALE {
			return
		}
	}
}
