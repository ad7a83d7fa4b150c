package mounttest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sys/unix"
)

// A history is the operations of several processes on one list, with their times.
type history struct {
	appends []appended
	reads   []listRead
	torn    int // reads of a file that was no document
}

type appended struct {
	start, end int64 // ns
	ok         bool  // else it may have happened or not
	id         string
}

type listRead struct {
	start, end int64 // ns
	length     int
	hash       string // of the ids
}

// add reads the output of testdata/programs/history.py.
func (h *history) add(output string) error {
	for line := range strings.Lines(output) {
		var a appended
		var r listRead
		var ok int
		if n, _ := fmt.Sscanf(line, "append %d %d %d %s", &a.start, &a.end, &ok, &a.id); n == 4 {
			a.ok = ok == 1
			h.appends = append(h.appends, a)
		} else if n, _ := fmt.Sscanf(line, "read %d %d %d %s", &r.start, &r.end, &r.length, &r.hash); n == 4 {
			h.reads = append(h.reads, r)
		} else if strings.HasPrefix(line, "torn ") {
			h.torn++
		} else {
			return fmt.Errorf("not an operation: %q", line)
		}
	}
	return nil
}

// violations says why a history is not that of one list with entries
// appended one after the other; final is the list after the last operation. An
// append takes effect at one moment between its start and its end.
func (h *history) violations(final []string) []string {
	var found []string
	if h.torn > 0 {
		found = append(found, fmt.Sprintf("%d reads of what was no document", h.torn))
	}
	position := map[string]int{}
	prefix := make([]string, len(final)+1)
	for i := range len(final) + 1 {
		sum := sha256.Sum256([]byte(strings.Join(final[:i], "\n")))
		prefix[i] = hex.EncodeToString(sum[:])
		if i < len(final) {
			position[final[i]] = i
		}
	}
	var ops []porcupine.Operation
	add := func(input, output any, start, end int64) {
		ops = append(ops, porcupine.Operation{ClientId: len(ops), Input: input, Call: start, Output: output, Return: end})
	}
	for _, a := range h.appends {
		at, there := position[a.id]
		switch {
		case there && a.ok:
			add(at, nil, a.start, a.end)
		case there:
			add(at, nil, a.start, math.MaxInt64) // its end is not known
		case a.ok:
			found = append(found, fmt.Sprintf("the append of %s was acknowledged and is lost", a.id))
		}
	}
	for _, r := range h.reads {
		if r.length > len(final) || r.hash != prefix[r.length] {
			found = append(found, fmt.Sprintf("a read of %d entries is not the beginning of the list", r.length))
			continue
		}
		add(nil, r.length, r.start, r.end)
	}
	if len(found) > 0 {
		return found
	}
	if result := porcupine.CheckOperationsTimeout(listModel(), ops, time.Minute); result != porcupine.Ok {
		found = append(found, fmt.Sprintf("the history of %d operations is not linearizable: %v", len(ops), result))
	}
	return found
}

// listModel is a list. Only its length matters: each append knows its place in the list as it
// is at the end, and each read how much of that it saw.
func listModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return 1 }, // the entry that is there at first
		Step: func(state, input, output any) (bool, any) {
			length := state.(int)
			if at, isAppend := input.(int); isAppend {
				return at == length, length + 1
			}
			return output.(int) == length, length
		},
	}
}

// The checker accepts a history of one list and refuses all others.
func TestHistoriesAreToldApart(t *testing.T) {
	hash := func(ids ...string) string {
		sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
		return hex.EncodeToString(sum[:])
	}
	list := []string{"first", "a", "b"}
	for name, tt := range map[string]struct {
		h    history
		good bool
	}{
		"one after the other": {history{
			[]appended{{1, 2, true, "a"}, {3, 4, true, "b"}}, []listRead{{2, 3, 2, hash("first", "a")}}, 0,
		}, true},
		"at the same time": {history{[]appended{{1, 9, true, "b"}, {2, 8, true, "a"}}, nil, 0}, true},
		"torn":             {history{[]appended{{1, 2, true, "a"}, {3, 4, true, "b"}}, nil, 1}, false},
		"an end that nobody knows": {history{
			[]appended{{1, 2, false, "a"}, {3, 4, true, "b"}}, []listRead{{5, 6, 1, hash("first")}}, 0,
		}, false}, // b comes after a: it could not have been appended then
		"unknown and late": {history{
			[]appended{{1, 2, false, "b"}, {3, 4, true, "a"}}, []listRead{{2, 3, 1, hash("first")}}, 0,
		}, true},
		"unknown and gone": {history{[]appended{{1, 2, true, "a"}, {3, 4, true, "b"}, {1, 2, false, "c"}}, nil, 0}, true},
		"lost":             {history{[]appended{{1, 2, true, "a"}, {3, 4, true, "b"}, {1, 2, true, "c"}}, nil, 0}, false},
		"the wrong order":  {history{[]appended{{1, 2, true, "b"}, {3, 4, true, "a"}}, nil, 0}, false},
		"a stale read": {history{
			[]appended{{1, 2, true, "a"}, {3, 4, true, "b"}}, []listRead{{5, 6, 2, hash("first", "a")}}, 0,
		}, false},
		"a read of the future": {history{
			[]appended{{1, 2, true, "a"}, {5, 6, true, "b"}}, []listRead{{3, 4, 3, hash(list...)}}, 0,
		}, false},
		"a read of something else": {history{
			[]appended{{1, 2, true, "a"}, {3, 4, true, "b"}}, []listRead{{5, 6, 3, hash("first", "b", "a")}}, 0,
		}, false},
	} {
		if got := tt.h.violations(list); (len(got) == 0) != tt.good {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// clients are processes that append and read at the same time.
type clients []*process

func startClients(t *testing.T, dir, name string, seconds int) clients {
	t.Helper()
	write(t, dir, name, `[{"id":"first"}]`)
	var all clients
	for i, how := range []string{"in-place", "in-place", "rename", "rename", "read", "read"} {
		line := program(t, "programs/history.py", filepath.Join(dir, name), fmt.Sprintf("c%d", i), how, fmt.Sprint(seconds))
		all = append(all, start(t, "/", line))
	}
	t.Cleanup(func() { all.signal(unix.SIGKILL) })
	return all
}

// signal sends a signal to the processes that nobody has waited for.
func (c clients) signal(s unix.Signal) {
	for _, p := range c {
		if p.cmd.ProcessState == nil {
			_ = unix.Kill(-p.cmd.Process.Pid, s)
		}
	}
}

// history waits for the processes and returns their operations.
func (c clients) history(t *testing.T) *history {
	t.Helper()
	h := &history{}
	for _, p := range c {
		r := p.wait()
		if r.code != 0 {
			t.Errorf("%v", r)
		}
		if err := h.add(r.stdout); err != nil {
			t.Error(err)
		}
	}
	return h
}

func listIDs(t *testing.T, dir, name string) []string {
	t.Helper()
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(read(t, dir, name)), &list); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

// P2, P3, P4: processes that read and append at the same time see the states of one single
// list.
func TestLinearizable(t *testing.T) {
	m := newMount(t)
	row := &faultRow{fault: "concurrent reads and appends (mount)", tried: 1}
	h := startClients(t, m.dir, "list.json", setting(t, "CLAWFS_SECONDS", 3)).history(t)
	row.add(t, h, listIDs(t, m.dir, "list.json"))
	row.report(t)
}

// waitDead waits until the kernel knows that the killed daemon is gone: one of
// its threads may be in the midst of a sync.
func (m *mount) waitDead() {
	m.t.Helper()
	if !eventually(30*time.Second, func() bool { _, err := os.Stat(m.dir); return errors.Is(err, unix.ENOTCONN) }) {
		m.t.Fatalf("the mount of a killed daemon is still there")
	}
}

// add counts the operations of a history, and reports every violation in it.
func (r *faultRow) add(t *testing.T, h *history, final []string) {
	t.Helper()
	acknowledged := 0
	for _, a := range h.appends {
		if a.ok {
			acknowledged++
		}
	}
	r.acknowledged += acknowledged
	for _, v := range h.violations(final) {
		t.Error(v)
		if strings.Contains(v, "lost") {
			r.lost++
		}
	}
	if acknowledged < 10 || len(h.reads) < 10 {
		t.Errorf("only %d appends and %d reads", acknowledged, len(h.reads))
	}
}

// The same while the daemon is killed and started again: acknowledged appends are there, and
// failed ones happened once or not at all. The clients are stopped while the bare directory is
// open to them.
func TestLinearizableAcrossRestarts(t *testing.T) {
	const once = 10 // a client lives no longer than programLimit
	m := newMount(t)
	row := &faultRow{fault: "SIGKILL of the daemon under reads and appends (mount)"}
	for left := setting(t, "CLAWFS_RESTARTS", 3); left > 0; left -= once {
		n, name := min(left, once), fmt.Sprintf("list-%d.json", left)
		h := m.restart(t, startClients(t, m.dir, name, 2*n), n)
		row.add(t, h, listIDs(t, m.dir, name))
		row.tried += n
	}
	row.report(t)
}

// restart kills the daemon under clients that many times.
func (m *mount) restart(t *testing.T, c clients, times int) *history {
	t.Helper()
	for range times {
		time.Sleep(time.Second)
		m.kill()
		c.signal(unix.SIGSTOP)
		m.waitDead()
		m.start()
		c.signal(unix.SIGCONT)
	}
	return c.history(t)
}

// The control: in a bare directory the same programs are not linearizable.
func TestBareDirectoryIsNotLinearizable(t *testing.T) {
	dir := newDir(t)
	c := startClients(t, dir, "list.json", 2)
	h := &history{}
	for _, p := range c {
		if err := h.add(p.wait().stdout); err != nil {
			t.Error(err)
		}
	}
	var list []struct{ ID string }
	if json.Unmarshal([]byte(read(t, dir, "list.json")), &list) != nil {
		return // not even valid
	}
	if len(h.violations(listIDs(t, dir, "list.json"))) == 0 {
		t.Error("nothing is wrong in a bare directory: these tests show nothing")
	}
}
