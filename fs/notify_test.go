package fs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// inDebt counts what is owed, each name's once more with each commit.
type inDebt map[string]int

func (d inDebt) owe(name string)      { d[name]++ }
func (d inDebt) owed(name string) int { return d[name] }

// free of debts: the kernel knows no inode.
type free struct{}

func (free) owe(string)      {}
func (free) owed(string) int { return 0 }

func newTestNotifier(command ...string) *notifier {
	return newNotifier(command, "/mnt", 42, inDebt{}, zap.NewNop())
}

// names returns what a notifier takes some time after the last commit, in order.
func names(t *testing.T, w *notifier) []string {
	t.Helper()
	return namesAt(t, w, time.Now().Add(gathering))
}

func namesAt(t *testing.T, w *notifier, now time.Time) []string {
	t.Helper()
	taken := w.take(now)
	if taken != "" && !strings.HasSuffix(taken, "\x00") {
		t.Errorf("%q does not end in a zero byte", taken)
	}
	list := strings.FieldsFunc(taken, func(r rune) bool { return r == 0 })
	slices.Sort(list)
	return list
}

func TestNotifierTellsOnce(t *testing.T) {
	w := newTestNotifier("touch")
	for _, name := range []string{"a.json", "d/b.json", "a.json", "a\nb.json"} {
		w.tell(name, true)
	}
	if got := names(t, w); !slices.Equal(got, []string{"a\nb.json", "a.json", "d/b.json"}) {
		t.Errorf("taken: %q", got)
	}
	if got := names(t, w); len(got) > 0 {
		t.Errorf("taken again: %q", got)
	}
	if len(w.wake) != 1 {
		t.Error("nobody is woken")
	}
	(*notifier)(nil).tell("a.json", true) // where nobody is told
}

// What is told of shortly after a commit is told of again: watchers pass over what
// comes shortly after an event.
func TestNotifierTellsAgain(t *testing.T) {
	w := newTestNotifier("touch")
	w.debts.owe("a.json")
	w.tell("a.json", false)
	if got := namesAt(t, w, time.Now()); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("taken: %q", got)
	}
	w.debts.(inDebt)["a.json"] = 0 // told
	for round, want := range [][]string{{"a.json"}, nil} {
		if got := names(t, w); !slices.Equal(got, want) {
			t.Errorf("taken in round %d: %q, want %q", round, got, want)
		}
		w.debts.(inDebt)["a.json"] = 0
	}
}

// A commit that follows another one, or what was told of it, at once is told of though
// the kernel has made an event: it may have been passed over.
func TestNotifierTellsOfWhatMayBePassedOver(t *testing.T) {
	w := newTestNotifier("touch")
	w.debts = free{}
	start := time.Now()
	w.tell("a.json", false)
	if got := namesAt(t, w, start.Add(gathering)); len(got) > 0 {
		t.Errorf("of one commit is taken: %q", got)
	}
	w.tell("a.json", false)
	w.tell("b.json", false)
	if got := namesAt(t, w, time.Now().Add(gathering)); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("of the second commit is taken: %q", got)
	}
	w.tell("a.json", false)
	if got := namesAt(t, w, time.Now().Add(gathering)); !slices.Equal(got, []string{"a.json"}) {
		t.Errorf("of a commit after what was told is taken: %q", got)
	}
	namesAt(t, w, time.Now().Add(10*passing))
	if len(w.events) > 0 {
		t.Errorf("%d events are remembered for ever", len(w.events))
	}
}

// Where a name stands for another file now, its watchers are told of nothing that was
// before, nor that a moment later: only inodes that are owed it are.
func TestNotifierLeavesWhatIsReplaced(t *testing.T) {
	for _, via := range []txn.Via{txn.ViaRename, txn.ViaLink, txn.ViaUnlink} {
		w := newTestNotifier("touch")
		w.debts = free{}
		now := time.Now()
		w.tell("a.json", false)
		w.tell("a.json", false) // which would be told anyway
		w.observe(txn.Event{Name: "a.json", Via: via, Changed: true})
		for range 3 {
			if got := namesAt(t, w, now); len(got) > 0 {
				t.Errorf("after a %s is taken: %q", via, got)
			}
			now = now.Add(gathering)
		}
	}
}

// Each inode of a registry is told of.
func TestNotifierTellsOfEach(t *testing.T) {
	w := newTestNotifier("touch")
	w.debts.owe("a.json")
	w.debts.owe("a.json")
	w.tell("a.json", false)
	if got := names(t, w); !slices.Equal(got, []string{"a.json", "a.json"}) {
		t.Errorf("taken: %q", got)
	}
}

// The kernel tells of what comes through the mount, on one inode; the notifier tells
// of the rest, and that only if something has changed.
func TestNotifierObserves(t *testing.T) {
	for _, c := range []struct {
		event          txn.Event
		owed, directly int // names taken where the kernel knows an inode, and where it knows none
	}{
		{txn.Event{Via: txn.ViaForeign, Changed: true}, 1, 1},
		{txn.Event{Via: txn.ViaRecovery, Changed: true}, 1, 1},
		{txn.Event{Via: txn.ViaForeign}, 0, 0},
		{txn.Event{Via: txn.ViaForeign, Changed: true, Deleted: true}, 1, 1},
		{txn.Event{Via: txn.ViaUnlink, Changed: true, Deleted: true}, 1, 0},
		{txn.Event{Via: txn.ViaRename, Changed: true}, 1, 0},
		{txn.Event{Via: txn.ViaClose}, 0, 0},
	} {
		c.event.Name = "a.json"
		known, unknown := newTestNotifier("touch"), newTestNotifier("touch")
		unknown.debts = free{}
		known.observe(c.event)
		unknown.observe(c.event)
		if got := len(names(t, known)); got != c.owed {
			t.Errorf("%+v is told %d times, want %d", c.event, got, c.owed)
		}
		if got := len(names(t, unknown)); got != c.directly {
			t.Errorf("%+v, with no inode known, is told %d times, want %d", c.event, got, c.directly)
		}
	}
}

func TestNotifierCommand(t *testing.T) {
	toucher := append(make([]string, 0, 9), "clawfs", "touch")
	first, second := newNotifier(toucher, "/a", 1, inDebt{}, zap.NewNop()), newNotifier(toucher, "/b", 2, inDebt{}, zap.NewNop())
	if !slices.Equal(first.command, []string{"clawfs", "touch", "/a", "1"}) || !slices.Equal(second.command, []string{"clawfs", "touch", "/b", "2"}) {
		t.Errorf("commands %q and %q", first.command, second.command)
	}
}

func TestIsToucher(t *testing.T) {
	w := newTestNotifier("touch")
	w.pid.Store(77)
	toucher := txn.Actor{PID: 77, Start: 1}
	if !w.isToucher(toucher) {
		t.Error("the toucher is not recognised")
	}
	if w.isToucher(txn.Actor{PID: 78, Start: 1}) || (*notifier)(nil).isToucher(toucher) {
		t.Error("somebody else is taken for the toucher")
	}
	w.pid.Store(0)
	if w.isToucher(txn.Actor{}) {
		t.Error("a process that can't be told is taken for a toucher that does not run")
	}
}

func TestIsTouch(t *testing.T) {
	touch := fuse.SetAttrIn{SetAttrInCommon: fuse.SetAttrInCommon{Valid: fuse.FATTR_MTIME, Mtime: 5, Mtimensec: touchNsec}}
	if !isTouch(&touch) {
		t.Error("the toucher's request is not recognised")
	}
	for _, more := range []uint32{fuse.FATTR_ATIME, fuse.FATTR_MTIME_NOW, fuse.FATTR_MODE, fuse.FATTR_UID, fuse.FATTR_GID, fuse.FATTR_SIZE} {
		in := touch
		in.Valid |= more
		if isTouch(&in) {
			t.Errorf("a request with %x as well is taken for the toucher's", more)
		}
	}
	touch.Mtimensec++
	if isTouch(&touch) {
		t.Error("another time is taken for the toucher's")
	}
}

// touched makes a file with an old time, has it touched, and reports whether it
// was.
func touched(t *testing.T, device func(uint64) uint64, names string) bool {
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
	if err := Touch(strings.NewReader(names), []string{dir, strconv.FormatUint(device(st.Dev), 10)}); err != nil {
		t.Fatal(err)
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
	if !touched(t, same, "a.json\x00") || !touched(t, same, "gone.json\x00none/b.json\x00a.json\x00") {
		t.Error("the file was not touched")
	}
	if touched(t, other, "a.json\x00") {
		t.Error("a file was touched that is not on the mount")
	}
	if touched(t, same, "") || touched(t, same, "a.json") {
		t.Error("a file was touched that was not, or not wholly, named")
	}
}

func TestTouchErrors(t *testing.T) {
	for _, args := range [][]string{nil, {"/"}, {"/", "1", "2"}, {"/", "x"}, {"/", "-1"}} {
		if Touch(strings.NewReader(""), args) == nil {
			t.Errorf("%q is taken", args)
		}
	}
	broken := errors.New("broken")
	if err := Touch(iotest.ErrReader(broken), []string{"/", "1"}); err != broken {
		t.Errorf("told of reading: %v", err)
	}
}
