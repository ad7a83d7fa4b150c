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
// and of the close after it, which fs.watch of Node passes over. Any other inode that the
// kernel knows of the registry may be watched, too. So somebody else does the same to each
// of them through the mount like any program, when the new content can be read, by
// a name whose directory nobody watches (tellName):
//
//   - it sets the modification time, which makes the event IN_MODIFY,
//   - it opens the inode for writing and closes it: IN_OPEN and IN_CLOSE_WRITE,
//   - it sets both times: IN_ATTRIB,
//   - it removes the inode, if it stands for a file that has lost its last name:
//     IN_ATTRIB, IN_DELETE_SELF, and the end of the watch.
//
// Nothing else changes: the requests are recognised and answered without a look. The inode
// that was written, and the directory, are told of the new content once more if somebody
// has looked at the registry between the write and the commit. Where nobody has, one event
// must do: a program that reads twice what it has read once looks like one with two tasks.
//
// It must be another process. One that waits for an answer of its own mount can't
// be killed, and as long as it lives nobody else's requests come to an end either.
// It is started when there is something to tell for the first time; what is due
// for one registry several times within a moment is told once.
type notifier struct {
	command []string // see Options.Toucher
	debts   debts
	log     *zap.Logger
	pid     atomic.Int64            // of the toucher, 0 if it does not run
	telling atomic.Pointer[telling] // what the toucher is about, nil if it waits

	mu     sync.Mutex // guards due and events
	due    map[string]notice
	events map[string]time.Time // when watchers had the last event of a registry, as far as they may remember
	wake   chan struct{}        // of one: something is due
}

// A notice is what watchers of a registry are to be told.
type notice struct {
	directory debt      // what those of the directory are to be told, whether or not a node is owed it
	last      time.Time // of the last commit
	again     bool      // they were told so shortly after it that they may have passed it over
}

// debts are what watchers are to be told, by registries' names.
type debts interface {
	// owe notes what all of a registry's nodes are owed, and reports whether there are any.
	owe(name string, what debt) bool
	// debtors returns those that are owed something, and whether the directory is to be
	// told that the registry was modified.
	debtors(name string) (nodes []*node, directory bool)
	// owed returns what one of them is owed.
	owed(n *node) debt
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

// observe has watchers told of what has changed. Of what came about behind the mount those
// that watch the directory are told, too: of all else the kernel has told them.
func (w *notifier) observe(e txn.Event) {
	if !e.Changed {
		return
	}
	switch e.Via {
	case txn.ViaForeign, txn.ViaRecovery:
		what := owesModify
		if !e.Deleted {
			what |= owesClose
		}
		w.debts.owe(e.Name, what)
		if e.Writer.Known() { // by another name of the file: the kernel has told its directory
			w.remind(e.Name)
			return
		}
		w.tell(e.Name, what)
	case txn.ViaRename, txn.ViaLink, txn.ViaUnlink:
		w.debts.owe(e.Name, 0) // what leaves the name is owed that (registryNodes.leave), and what has left it before, once more
		w.turn(e.Name)
	default:
		w.debts.owe(e.Name, owesModify)
		w.tell(e.Name, 0)
	}
}

// owe implements debts.
func (fsys *fileSystem) owe(name string, what debt) bool {
	dir, base, ok := fsys.known(name)
	return ok && fsys.registries.owe(dir, base, what, nil)
}

// debtors implements debts.
func (fsys *fileSystem) debtors(name string) (nodes []*node, directory bool) {
	dir, base, ok := fsys.known(name)
	if !ok {
		return nil, false
	}
	return fsys.registries.debtors(dir, base)
}

// owed implements debts.
func (fsys *fileSystem) owed(n *node) debt { return fsys.registries.owed(n) }

// remind has watchers of a registry told what they are owed.
func (fsys *fileSystem) remind(path string) {
	if w := fsys.watchers.Load(); w != nil {
		w.remind(path)
	}
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

// tell has watchers of a registry told. Those of its directory are told that, and if this
// follows another event so shortly that they may pass it over, that it was modified.
func (w *notifier) tell(name string, directory debt) {
	now := time.Now()
	w.mu.Lock()
	n := w.due[name]
	before, recent := w.events[name]
	if directory |= n.directory; recent && now.Sub(before) < passing {
		directory |= owesModify
	}
	w.due[name] = notice{directory: directory, last: now, again: n.again}
	w.events[name] = now
	w.mu.Unlock()
	w.wakeUp()
}

// turn is tell for a name that stands for another file now, or for none. The kernel has
// told of that, when it was done, those who watch the former file, or the directory. They
// are told of nothing that was before: somebody who is just looking at that passes over
// the next replacement (chokidar for 5 ms), and watches for ever what has no name.
func (w *notifier) turn(name string) {
	w.mu.Lock()
	w.due[name] = notice{}
	w.events[name] = time.Now()
	w.mu.Unlock()
	w.wakeUp()
}

// remind has watchers of a registry told what they are owed.
func (w *notifier) remind(name string) {
	w.mu.Lock()
	n := w.due[name]
	w.due[name] = n
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
	var t *toucher
	for {
		select {
		case <-ctx.Done():
			if t != nil {
				t.end()
			}
			return
		case <-w.wake:
		}
		time.Sleep(gathering)
		for _, o := range w.take(time.Now()) {
			if t == nil {
				var err error
				if t, err = w.start(); err != nil {
					w.log.Warn("watchers can't be told of commits", zap.Error(err))
					return
				}
				context.AfterFunc(ctx, t.end)
			}
			if err := w.carryOut(t, o); err != nil {
				if ctx.Err() == nil {
					w.log.Warn("the process that tells watchers of commits has ended", zap.Error(err))
				}
				t.end()
				t = nil
				break
			}
		}
	}
}

// carryOut has a toucher tell the watchers of one registry.
func (w *notifier) carryOut(t *toucher, o order) error {
	defer w.telling.Store(nil)
	if o.directory != 0 {
		w.telling.Store(&telling{})
		if err := t.tell(o.directory, o.name); err != nil {
			return err
		}
	}
	found := false
	for _, n := range o.nodes {
		what := w.debts.owed(n)
		if what == 0 {
			continue
		}
		w.telling.Store(&telling{node: n})
		if err := t.tell(what, ""); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return nil
	}
	w.telling.Store(nil)
	return t.tell(0, "")
}

// toucher is the process that tells watchers.
type toucher struct {
	to   io.WriteCloser
	from io.ReadCloser
}

// start starts a toucher.
func (w *notifier) start() (*toucher, error) {
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
	return &toucher{to, from}, nil
}

// tell has a node's watchers told, by a registry's name or, if that is empty, by tellName,
// and returns when that is done. Where nothing is to be told, the kernel is to forget which
// node had that name last.
func (t *toucher) tell(what debt, name string) error {
	if _, err := t.to.Write(append([]byte{byte('0' + what)}, name+"\x00"...)); err != nil {
		return err
	}
	_, err := io.ReadFull(t.from, make([]byte, 1))
	return err
}

// end has the toucher end, and each goroutine that waits for it.
func (t *toucher) end() { _ = errors.Join(t.to.Close(), t.from.Close()) }

// An order is what a toucher is to tell of one registry.
type order struct {
	name      string
	directory debt
	nodes     []*node
}

// take returns what is due.
func (w *notifier) take(now time.Time) (orders []order) {
	w.mu.Lock()
	due := w.due
	w.due = make(map[string]notice)
	for name, n := range due {
		if now.Sub(n.last) < gathering {
			w.due[name] = notice{directory: n.directory & owesModify, last: n.last, again: true}
			w.wakeUp()
		}
	}
	for name, at := range w.events {
		if now.Sub(at) >= passing {
			delete(w.events, name)
		}
	}
	w.mu.Unlock()
	for name, n := range due {
		if n.again && w.debts.owe(name, owesModify) {
			n.directory |= owesModify
		}
		nodes, directory := w.debts.debtors(name)
		if directory {
			n.directory |= owesModify
		}
		if n.directory == 0 && len(nodes) == 0 {
			continue
		}
		orders = append(orders, order{name, n.directory, nodes})
		w.mu.Lock()
		w.events[name] = now
		w.mu.Unlock()
	}
	return orders
}

// touchNsec are the nanoseconds of each time that a toucher asks for, by which such a
// request is known whoever sends it. One that comes from a process that is not known as
// the toucher, since another has been started meanwhile for instance, is refused. The
// seconds are those of the present: if it were set after all it would do no harm.
const touchNsec = 186_283_397

// isTouch reports whether a request is such as a toucher sends.
func isTouch(in *fuse.SetAttrIn) bool {
	const what = fuse.FATTR_MTIME | fuse.FATTR_MTIME_NOW | fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_SIZE
	return in.Valid&what == fuse.FATTR_MTIME && in.Mtimensec == touchNsec
}

// touched answers a request such as a toucher sends. It sets nothing: where it succeeds
// the kernel tells the node's watchers.
func (n *node) touched(ctx context.Context, in *fuse.SetAttrIn) syscall.Errno {
	if _, _, _, named := n.registry(); !named && !n.isRegistry() || !n.fsys.isToucher(ctx) {
		return syscall.EPERM
	}
	what := owesModify
	if in.Valid&fuse.FATTR_ATIME != 0 {
		what = owesAttrib
	}
	n.fsys.registries.told(n, what)
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

// Touch is what the process runs that Options.Toucher starts. It reads orders, each a
// debt and the name of a registry, ended by a zero byte, and carries them out on the mount
// that its two arguments tell, until there are no more. It answers each by one byte. Errors
// are those of the arguments, of reading and of answering: a registry that is gone is
// nothing to tell of.
func Touch(orders io.Reader, answers io.Writer, args []string) error {
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
		what, name := debt(o[0]-'0'), o[1:len(o)-1]
		if name == "" {
			name = filepath.Join(ownName, tellName)
		}
		touch(args[0], device, name, what)
		if _, err := answers.Write([]byte{'\n'}); err != nil {
			return err
		}
	}
}

// manyLooks is how often a registry is looked up to be touched. The kernel gives up
// where others find another inode of it by the same name at the same moment.
const manyLooks = 100

// touch does to a file what has the kernel tell its watchers, all of which the daemon leaves
// undone. It has nothing of the mount open for longer than that, which would keep it busy.
func touch(mountpoint string, device uint64, name string, what debt) {
	dir, err := unix.Open(filepath.Join(mountpoint, filepath.Dir(name)), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer closeFD(dir)
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || st.Dev != device {
		return // not the mount, but what it covered
	}
	for range manyLooks {
		if touchIn(dir, filepath.Base(name), what) != unix.ESTALE {
			return
		}
	}
}

// touchIn is touch for a name in a directory, in the order in which a program would do it.
// The error is the last one.
func touchIn(dir int, base string, what debt) (err error) {
	fd := -1
	do := func(part debt, call func() error) {
		if what&part == 0 {
			return
		}
		if failed := call(); failed != nil {
			err = failed
		}
	}
	at := unix.Timespec{Sec: time.Now().Unix(), Nsec: touchNsec}
	touch := func(atime unix.Timespec) error {
		return unix.UtimesNanoAt(dir, base, []unix.Timespec{atime, at}, unix.AT_SYMLINK_NOFOLLOW)
	}
	do(owesClose, func() (err error) {
		fd, err = unix.Openat(dir, base, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	do(owesModify, func() error { return touch(unix.Timespec{Nsec: unix.UTIME_OMIT}) })
	if fd >= 0 {
		closeFD(fd)
	}
	do(owesAttrib, func() error { return touch(at) })
	do(owesDelete, func() error { return unix.Unlinkat(dir, base, 0) })
	if what == 0 {
		var st unix.Stat_t
		return unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	}
	return err
}
