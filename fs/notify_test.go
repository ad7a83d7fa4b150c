package fs

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// someNews has the news for the one node of each registry.
type someNews map[string]news

func (d someNews) addNews(name string, what news) bool { d[name] |= what; return true }
func (d someNews) newsOf(*node) news                   { return newsModify }
func (d someNews) withNews(name string) (nodes []*node, directory bool) {
	if d[name] != 0 {
		nodes = append(nodes, &node{})
	}
	return nodes, false
}

// noNews has none: the kernel knows no inode.
type noNews struct{}

func (noNews) addNews(string, news) bool                       { return false }
func (noNews) newsOf(*node) news                               { return 0 }
func (noNews) withNews(string) (nodes []*node, directory bool) { return nil, false }

func newTestNotifier(command ...string) *notifier {
	return newNotifier(command, "/mnt", 42, someNews{}, zap.NewNop())
}

// names returns the registries that a notifier tells of some time after the last commit, in
// order.
func names(w *notifier) []string { return namesAt(w, time.Now().Add(batchDelay)) }

func namesAt(w *notifier, now time.Time) (list []string) {
	for _, o := range w.take(now) {
		list = append(list, o.name)
	}
	slices.Sort(list)
	return list
}

func TestNotifierTellsOnce(t *testing.T) {
	w := newTestNotifier("tell")
	for _, name := range []string{"a.json", "d/b.json", "a.json", "a\nb.json"} {
		w.tell(name, newsModify)
	}
	if got := names(w); !slices.Equal(got, []string{"a\nb.json", "a.json", "d/b.json"}) {
		t.Errorf("taken: %q", got)
	}
	if got := names(w); len(got) > 0 {
		t.Errorf("taken again: %q", got)
	}
	if len(w.wake) != 1 {
		t.Error("nobody is woken")
	}
}

// News that were told shortly after a commit are told again: watchers pass over an event that
// comes shortly after another one.
func TestNotifierTellsAgain(t *testing.T) {
	w := newTestNotifier("tell")
	w.news.addNews("a.json", newsModify)
	w.tell("a.json", 0)
	if got := namesAt(w, time.Now()); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("taken: %q", got)
	}
	w.news.(someNews)["a.json"] = 0 // told
	for round, want := range [][]string{{"a.json"}, nil} {
		if got := names(w); !slices.Equal(got, want) {
			t.Errorf("taken in round %d: %q, want %q", round, got, want)
		}
		w.news.(someNews)["a.json"] = 0
	}
}

// A commit may follow another one, or a notice of it, at once. Then watchers may have
// passed over the kernel's event, and are told of the commit.
func TestNotifierTellsOfWhatMayBePassedOver(t *testing.T) {
	w := newTestNotifier("tell")
	w.news = noNews{}
	start := time.Now()
	w.tell("a.json", 0)
	if got := namesAt(w, start.Add(batchDelay)); len(got) > 0 {
		t.Errorf("of one commit is taken: %q", got)
	}
	w.tell("a.json", 0)
	w.tell("b.json", 0)
	if got := namesAt(w, time.Now().Add(batchDelay)); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("of the second commit is taken: %q", got)
	}
	w.tell("a.json", 0)
	if got := namesAt(w, time.Now().Add(batchDelay)); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("of a commit after what was told is taken: %q", got)
	}
	namesAt(w, time.Now().Add(10*missWindow))
	if len(w.events) > 0 {
		t.Errorf("%d events are remembered for ever", len(w.events))
	}
}

// Where a name stands for another file now, its watchers are told of nothing that was
// before, nor that a moment later: only inodes are for which there are news.
func TestNotifierLeavesWhatIsReplaced(t *testing.T) {
	for _, via := range []txn.Via{txn.ViaRename, txn.ViaLink, txn.ViaUnlink} {
		w := newTestNotifier("tell")
		w.news = noNews{}
		now := time.Now()
		w.tell("a.json", 0)
		w.tell("a.json", 0) // watchers would be told of this one anyway
		w.observe(txn.Event{Name: "a.json", Via: via, Changed: true})
		for range 3 {
			if got := namesAt(w, now); len(got) > 0 {
				t.Errorf("after a %s is taken: %q", via, got)
			}
			now = now.Add(batchDelay)
		}
	}
}

// News are told without a commit, and delay nothing.
func TestNotifierReminds(t *testing.T) {
	w := newTestNotifier("tell")
	w.remind("a.json")
	w.remind("b.json")
	w.news.addNews("b.json", newsClose)
	if got := namesAt(w, time.Now()); !slices.Equal(got, []string{"b.json"}) {
		t.Errorf("taken: %q", got)
	}
	if len(w.due) > 0 {
		t.Errorf("%d registries are told of again", len(w.due))
	}
}

// The kernel tells of changes through the mount, on one inode; the notifier tells of
// the rest, and that only if something has changed.
func TestNotifierObserves(t *testing.T) {
	for _, c := range []struct {
		event     txn.Event
		news      news // by each inode
		directory news
	}{
		{txn.Event{Via: txn.ViaForeign, Changed: true}, newsModify | newsClose, newsModify | newsClose},
		{txn.Event{Via: txn.ViaRecovery, Changed: true}, newsModify | newsClose, newsModify | newsClose},
		{txn.Event{Via: txn.ViaForeign}, 0, 0},
		{txn.Event{Via: txn.ViaForeign, Changed: true, Deleted: true}, newsModify, newsModify},
		{txn.Event{Via: txn.ViaUnlink, Changed: true, Deleted: true}, 0, 0},
		{txn.Event{Via: txn.ViaRename, Changed: true}, 0, 0},
		{txn.Event{Via: txn.ViaClose, Changed: true}, newsModify, 0},
		{txn.Event{Via: txn.ViaClose}, 0, 0},
	} {
		c.event.Name = "a.json"
		w := newTestNotifier("tell")
		w.observe(c.event)
		if got := w.news.(someNews)["a.json"]; got != c.news {
			t.Errorf("%+v: for an inode there are news %b, want %b", c.event, got, c.news)
		}
		var directory news
		for _, o := range w.take(time.Now().Add(batchDelay)) {
			directory = o.directory
		}
		if directory != c.directory {
			t.Errorf("%+v: the directory is told %b, want %b", c.event, directory, c.directory)
		}
	}
}

// A teller is told its task by the registry's name, then by the one for its nodes, which
// the kernel is to forget then.
func TestNotifierCarriesOut(t *testing.T) {
	for _, c := range []struct {
		news  pendingNews
		order order
		want  string
	}{
		{someNews{}, order{name: "a.json", directory: newsModify | newsClose}, "3a.json\x00"},
		{someNews{}, order{name: "a.json", nodes: []*node{{}, {}}}, "1\x001\x000\x00"},
		{someNews{}, order{name: "a.json", directory: newsModify, nodes: []*node{{}}}, "1a.json\x001\x000\x00"},
		{noNews{}, order{name: "a.json", directory: newsModify, nodes: []*node{{}}}, "1a.json\x00"}, // the news of the name has told the node
	} {
		w := newTestNotifier("tell")
		w.news = c.news
		read, to := io.Pipe()
		from, answer := io.Pipe()
		var got bytes.Buffer
		done := make(chan error)
		go func() {
			for r := bufio.NewReader(read); ; {
				o, err := r.ReadString(0)
				if err != nil {
					done <- nil
					return
				}
				got.WriteString(o)
				if _, err := answer.Write([]byte{'\n'}); err != nil {
					done <- err
					return
				}
			}
		}()
		err := errors.Join(w.carryOut(&teller{to, from}, c.order), to.Close(), <-done)
		if err != nil || got.String() != c.want || w.telling.Load() != nil {
			t.Errorf("%v: ordered %q, want %q; %v", c.order, got.String(), c.want, err)
		}
	}
}

func TestNotifierCommand(t *testing.T) {
	teller := append(make([]string, 0, 9), "clawfs", "tell")
	first, second := newNotifier(teller, "/a", 1, someNews{}, zap.NewNop()), newNotifier(teller, "/b", 2, someNews{}, zap.NewNop())
	if !slices.Equal(first.command, []string{"clawfs", "tell", "/a", "1"}) || !slices.Equal(second.command, []string{"clawfs", "tell", "/b", "2"}) {
		t.Errorf("commands %q and %q", first.command, second.command)
	}
}

func TestIsTeller(t *testing.T) {
	w := newTestNotifier("tell")
	w.pid.Store(77)
	teller := txn.Actor{PID: 77, Start: 1}
	if !w.isTeller(teller) {
		t.Error("the teller is not recognised")
	}
	if w.isTeller(txn.Actor{PID: 78, Start: 1}) {
		t.Error("somebody else is taken for the teller")
	}
	w.pid.Store(0)
	if w.isTeller(txn.Actor{}) {
		t.Error("a process that can't be told is taken for a teller that does not run")
	}
}

func TestIsTellers(t *testing.T) {
	touch := fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{Valid: fuse.FATTR_MTIME, Mtime: 5, Mtimensec: tellNsec}}
	if !isTellers(&touch) {
		t.Error("the teller's request is not recognised")
	}
	for _, more := range []uint32{fuse.FATTR_MTIME_NOW, fuse.FATTR_MODE, fuse.FATTR_UID, fuse.FATTR_GID, fuse.FATTR_SIZE} {
		in := touch
		in.Valid |= more
		if isTellers(&in) {
			t.Errorf("a request with %x as well is taken for the teller's", more)
		}
	}
	touch.Mtimensec++
	if isTellers(&touch) {
		t.Error("another time is taken for the teller's")
	}
}

// touched makes a file with an old time, has orders carried out that concern it, and
// reports whether they changed its time.
func touched(t *testing.T, device func(uint64) uint64, orders string) bool {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.json")
	before := time.Unix(1000, 0)
	if err := errors.Join(os.WriteFile(file, []byte("1"), 0o600), os.Chtimes(file, before, before)); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	var answers bytes.Buffer
	if err := TellWatchers(strings.NewReader(orders), &answers, []string{dir, strconv.FormatUint(device(st.Dev), 10)}); err != nil {
		t.Fatal(err)
	}
	if got, want := answers.Len(), strings.Count(orders, "\x00"); got != want {
		t.Errorf("%d orders have %d answers", want, got)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return !info.ModTime().Equal(before)
}

func TestTouch(t *testing.T) {
	same := func(d uint64) uint64 { return d }
	other := func(d uint64) uint64 { return d + 1 }
	for _, orders := range []string{"1a.json\x00", "1gone.json\x001none/b.json\x001a.json\x00", "3a.json\x00", "4a.json\x00"} {
		if !touched(t, same, orders) {
			t.Errorf("the file was not touched by %q", orders)
		}
	}
	if touched(t, other, "1a.json\x00") {
		t.Error("a file was touched that is not on the mount")
	}
	for _, orders := range []string{"", "1a.json", "0a.json\x00", "0\x00", "1\x00", "2a.json\x00"} {
		if touched(t, same, orders) {
			t.Errorf("the file was touched by %q", orders)
		}
	}
}

// By the name below .clawfs a file is removed that has lost its last name.
func TestTouchRemoves(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, ownName), 0o700), os.WriteFile(filepath.Join(dir, ownName, tellName), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	if err := TellWatchers(strings.NewReader("8\x00"), io.Discard, []string{dir, strconv.FormatUint(st.Dev, 10)}); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ownName)); err != nil || len(left) > 0 {
		t.Errorf("%v, and there is %v", err, left)
	}
}

func TestTellWatchersErrors(t *testing.T) {
	for _, args := range [][]string{nil, {"/"}, {"/", "1", "2"}, {"/", "x"}, {"/", "-1"}} {
		if TellWatchers(strings.NewReader(""), io.Discard, args) == nil {
			t.Errorf("%q is taken", args)
		}
	}
	broken := errors.New("broken")
	if err := TellWatchers(iotest.ErrReader(broken), io.Discard, []string{"/", "1"}); err != broken {
		t.Errorf("told of reading: %v", err)
	}
	if TellWatchers(strings.NewReader("\x00"), io.Discard, []string{"/", "1"}) == nil {
		t.Error("an order without anything is taken")
	}
	r, w := io.Pipe()
	if r.CloseWithError(broken) != nil || TellWatchers(strings.NewReader("0\x00"), w, []string{"/", "1"}) != broken {
		t.Error("told of nothing where it can't answer")
	}
}

// A program that begins to watch a file after it was closed hears nothing of that close, though the
// kernel releases the file later.
func TestWatchersAreToldOfEarlierClosesOnly(t *testing.T) {
	const number = 7
	fsys := &fileSystem{}
	dir := &node{fsys: fsys, id: fusefs.StableAttr{Ino: 1}}
	table := &fsys.registries
	table.init()
	r := table.make(dir, "a.json", number)
	add := func() *node {
		table.ids++
		n := &node{fsys: fsys, id: fusefs.StableAttr{Ino: registryID | table.ids}}
		n.all.Store(r)
		n.number.Store(number)
		r.nodes = append(r.nodes, n)
		return n
	}
	written, before := add(), add()
	var c closing
	newsOf := func() []news {
		var list []news
		table.addNews(dir, "a.json", newsClose, c.heardBy(written))
		for _, n := range r.nodes {
			list = append(list, n.as.news)
		}
		table.clearNews(before, newsClose)
		return list
	}
	if got := newsOf(); !slices.Equal(got, []news{0, newsClose}) {
		t.Errorf("of a file that was released without a close has news %v", got)
	}
	c.note(table)
	add()
	if got := newsOf(); !slices.Equal(got, []news{0, newsClose, 0}) {
		t.Errorf("of a file that was closed has news %v", got)
	}
}

// A registry that was written by another name of its file was not written by its own: its
// directory's watchers hear nothing, those of the file do.
func TestNotifierTellsOfAnotherName(t *testing.T) {
	for _, writer := range []txn.Caller{{}, {Actor: txn.Actor{PID: 7}}} {
		w := newTestNotifier("tell")
		w.observe(txn.Event{Name: "a.json", Via: txn.ViaForeign, Changed: true, Writer: writer})
		orders := w.take(time.Now().Add(batchDelay))
		if len(orders) != 1 || len(orders[0].nodes) != 1 || (orders[0].directory != 0) != !writer.Known() {
			t.Errorf("written by %v: %v is told", writer.Actor, orders)
		}
	}
}
