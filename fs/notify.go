package fs

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"clawfs/txn"
)

// notifier tells watchers (inotify) of commits. The kernel makes events of the calls of
// programs, on the inode by which a program makes them: of a write before it is committed,
// and of the close after it. fs.watch of Node passes over the close. Any other inode that
// the kernel knows of the registry may be watched, too. So, as soon as the new content can be
// read, the teller (notify_teller.go) makes the same events on each of these inodes.
//
// The inode that was written, and the directory, get one more event of the new content if a
// program has looked at the registry between the write and the commit. Otherwise one event
// must do: a program that reads the same content twice looks like one with two tasks.
//
// The teller is started when there is something to tell for the first time. Several
// commits of one registry within a moment are told once.
type notifier struct {
	command []string // see Options.Teller
	news    pendingNews
	log     *zap.Logger
	pid     atomic.Int64            // of the teller, 0 if none runs
	telling atomic.Pointer[telling] // the order that the teller carries out, nil if it waits

	mu     sync.Mutex // guards due and events
	due    map[string]notice
	events map[string]time.Time // when watchers had the last event of a registry, as far as they may remember
	wake   chan struct{}        // of one: something is due
}

// A notice is the note that watchers of a registry are to be told something.
type notice struct {
	directory news      // for watchers of the directory, whether or not there are news for a node
	last      time.Time // of the last commit
	again     bool      // the news came so shortly after the commit that watchers may have passed them over
}

// pendingNews are the news that watchers have not been told yet, by the names of registries.
type pendingNews interface {
	// addNews adds news for all nodes of a registry, and reports whether there are any nodes.
	addNews(name string, what news) bool
	// withNews returns the nodes for which there are news, and whether the directory is to
	// be told that the registry was modified.
	withNews(name string) (nodes []*node, directory bool)
	// newsOf returns the news for one node.
	newsOf(n *node) news
}

// newNotifier returns the notifier of the mount that is on mountpoint, with that
// device number.
func newNotifier(teller []string, mountpoint string, device uint64, pending pendingNews, log *zap.Logger) *notifier {
	return &notifier{
		command: append(teller[:len(teller):len(teller)], mountpoint, strconv.FormatUint(device, 10)),
		news:    pending,
		log:     log,
		due:     make(map[string]notice),
		events:  make(map[string]time.Time),
		wake:    make(chan struct{}, 1),
	}
}

// observe notes that watchers of a registry are to be told of an event. The kernel has told
// watchers of the directory of every change that was made through the mount. So they are told
// only of changes that were made behind it.
func (w *notifier) observe(e txn.Event) {
	if !e.Changed {
		return
	}
	switch e.Via {
	case txn.ViaForeign, txn.ViaRecovery, txn.ViaPeer:
		if e.Beside {
			return // changedBeside has watchers told
		}
		what := newsModify
		if !e.Deleted {
			what |= newsClose
		}
		w.news.addNews(e.Name, what)
		if e.Writer.Known() { // by another name of the file: the kernel has told its directory
			w.remind(e.Name)
			return
		}
		w.tell(e.Name, what)
	case txn.ViaRename, txn.ViaLink, txn.ViaUnlink:
		w.news.addNews(e.Name, 0) // only for nodes that have left the name: see registryNodes.leave, too
		w.turn(e.Name)
	default:
		w.news.addNews(e.Name, newsModify)
		w.tell(e.Name, 0)
	}
}

// addNews implements pendingNews.
func (fsys *fileSystem) addNews(name string, what news) bool {
	dir, base, ok := fsys.known(name)
	return ok && fsys.registries.addNews(dir, base, what, nil)
}

// withNews implements pendingNews.
func (fsys *fileSystem) withNews(name string) (nodes []*node, directory bool) {
	dir, base, ok := fsys.known(name)
	if !ok {
		return nil, false
	}
	return fsys.registries.withNews(dir, base)
}

// newsOf implements pendingNews.
func (fsys *fileSystem) newsOf(n *node) news { return fsys.registries.newsOf(n) }

// remind has watchers of a registry told the news that there are for them.
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

// tell has watchers of a registry told the news that there are for them. Watchers of its
// directory are told the given news, and that the registry was modified if they may have
// passed over the event before this one.
func (w *notifier) tell(name string, directory news) {
	now := time.Now()
	w.mu.Lock()
	n := w.due[name]
	before, recent := w.events[name]
	if directory |= n.directory; recent && now.Sub(before) < missWindow {
		directory |= newsModify
	}
	w.due[name] = notice{directory: directory, last: now, again: n.again}
	w.events[name] = now
	w.mu.Unlock()
	w.wakeUp()
}

// turn is tell for a name that stands for another file now, or for none. The kernel has
// told watchers of the former file and of the directory when that was done. They are told
// nothing of earlier changes: a watcher that is just looking at one of these passes over
// the next replacement (chokidar for 5 ms), and goes on watching a file without a name.
func (w *notifier) turn(name string) {
	w.mu.Lock()
	w.due[name] = notice{}
	w.events[name] = time.Now()
	w.mu.Unlock()
	w.wakeUp()
}

// remind has watchers of a registry told the news that there are for them.
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

// batchDelay is the time between a notice and its orders, for three reasons:
//
//   - Until then the kernel forgets most inodes that no program uses any more.
//   - A program that commits often has its watchers told less often.
//   - Watchers such as chokidar drop an event within 50 ms of another one that they have
//     reported, as of the write before the commit. On a busy machine they report late, and
//     count late.
const batchDelay = 100 * time.Millisecond

// missWindow is the time after an event in which watchers may pass over the next one, so that
// they are told of it once more. It is longer than batchDelay: an event that the teller made
// counts, too.
const missWindow = 2 * batchDelay

// run tells watchers until ctx ends, and ends the teller.
func (w *notifier) run(ctx context.Context) {
	var t *teller
	for {
		select {
		case <-ctx.Done():
			if t != nil {
				t.end()
			}
			return
		case <-w.wake:
		}
		time.Sleep(batchDelay)
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

// carryOut has a teller tell the watchers of one registry.
func (w *notifier) carryOut(t *teller, o order) error {
	defer w.telling.Store(nil)
	if o.directory != 0 {
		w.telling.Store(&telling{})
		if err := t.tell(o.directory, o.name); err != nil {
			return err
		}
	}
	found := false
	for _, n := range o.nodes {
		what := w.news.newsOf(n)
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

// An order is the task of the teller for one registry.
type order struct {
	name      string
	directory news
	nodes     []*node
}

// take returns orders for all that is due.
func (w *notifier) take(now time.Time) (orders []order) {
	w.mu.Lock()
	due := w.due
	w.due = make(map[string]notice)
	for name, n := range due {
		if now.Sub(n.last) < batchDelay {
			w.due[name] = notice{directory: n.directory & newsModify, last: n.last, again: true}
			w.wakeUp()
		}
	}
	for name, at := range w.events {
		if now.Sub(at) >= missWindow {
			delete(w.events, name)
		}
	}
	w.mu.Unlock()
	for name, n := range due {
		if n.again && w.news.addNews(name, newsModify) {
			n.directory |= newsModify
		}
		nodes, directory := w.news.withNews(name)
		if directory {
			n.directory |= newsModify
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
