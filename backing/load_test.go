package backing

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The campaigns here start a process that commits as fast as it can and prints the answers that
// it gets, then take away the process, the power or the room, and look for the acknowledged
// commits.
//
//	CLAWFS_KILLS=1000    processes killed under load, for each durability (10)
//	CLAWFS_POWER=100     power failures for each file system and durability (2)
//	CLAWFS_FULL=100      disks filled (2)
//
// Each prints a line that begins with "FAULT|". scripts/faults makes a table of
// them: fault, times tried, writes acknowledged, of these lost, invalid registries,
// refused contents not in quarantine.

// loadEnv tells the process its task: "DIRECTORY\nDURABILITY\nSTEPS".
const loadEnv = "CLAWFS_TEST_LOAD"

// loadInterval is the interval of the durability "interval".
const loadInterval = 100 * time.Millisecond

const loadRegistries = 4

// loadDoc is the document of a registry under load.
type loadDoc struct {
	N   uint64
	Pad string
}

// tally counts the findings of a campaign.
type tally struct {
	fault                                      string
	tried, acknowledged, lost, invalid, unkept int

	broken bool // the file system may be left in disorder, too
	whole  bool // all versions that are kept must be whole
}

// report prints the row, and fails the test if anything is in it that must not be.
func (c *tally) report(t *testing.T) {
	t.Helper()
	t.Logf("FAULT|%s|%d|%d|%d|%d|%d", c.fault, c.tried, c.acknowledged, c.lost, c.invalid, c.unkept)
	if c.lost+c.invalid+c.unkept > 0 {
		t.Errorf("%s: %d acknowledged writes lost, %d invalid registries, %d refused contents not in quarantine", c.fault, c.lost, c.invalid, c.unkept)
	}
	if c.tried == 0 || c.acknowledged == 0 {
		t.Errorf("%s: nothing was tried", c.fault)
	}
}

func rounds(t *testing.T, env string, otherwise int) int {
	t.Helper()
	text := os.Getenv(env)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is not a number above 0", env, text)
	}
	return n
}

// loaded is a process under load, and its output.
type loaded struct {
	cmd   *exec.Cmd
	first chan struct{} // closed when something was acknowledged
	done  chan struct{} // closed when its output has ended

	acks  []ack // read after done
	other []string
}

// ack is one acknowledgement: of a commit, or of a copy in quarantine.
type ack struct {
	name string
	n    uint64
	kept bool // a copy
	at   time.Time
}

// startLoad starts a process that commits to a directory until it is killed,
// which it does itself after that many steps, or never for 0.
func startLoad(t *testing.T, dir, durability string, steps int) *loaded {
	t.Helper()
	l := &loaded{cmd: exec.Command(os.Args[0], "-test.run=^TestLoadChild$"), first: make(chan struct{}), done: make(chan struct{})}
	l.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%s\n%d", loadEnv, dir, durability, steps))
	out, err := l.cmd.StdoutPipe()
	if err == nil {
		l.cmd.Stderr = l.cmd.Stdout
		err = l.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.cmd.Process.Kill() }) // where the test has failed before
	go l.listen(out)
	return l
}

func (l *loaded) listen(out io.Reader) {
	defer close(l.done)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a ack
		var what string
		if n, _ := fmt.Sscanf(lines.Text(), "%s %s %d", &what, &a.name, &a.n); n != 3 || what != "ack" && what != "kept" {
			l.other = append(l.other, lines.Text())
			continue
		}
		if len(l.acks) == 0 {
			close(l.first)
		}
		a.kept, a.at = what == "kept", time.Now()
		l.acks = append(l.acks, a)
	}
}

// wait waits for the process to be killed, by itself or by the caller.
func (l *loaded) wait(t *testing.T) {
	t.Helper()
	<-l.done
	_ = l.cmd.Wait()
	if status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed: %v\n%s", l.cmd.ProcessState, strings.Join(l.other, "\n"))
	}
}

// running waits until something was acknowledged and a moment longer.
func (l *loaded) running(t *testing.T, moment time.Duration) {
	t.Helper()
	select {
	case <-l.first:
	case <-l.done:
		t.Fatalf("the process ended: %s", strings.Join(l.other, "\n"))
	case <-time.After(60 * time.Second):
		_ = l.cmd.Process.Kill()
		t.Fatal("nothing was acknowledged")
	}
	time.Sleep(moment)
}

// check opens the directory after a fault and looks for the commits that were acknowledged
// before the given moment.
func (c *tally) check(t *testing.T, dir string, l *loaded, before time.Time) {
	t.Helper()
	b := &bench{T: t, path: dir, o: loadOptions()}
	b.open()
	defer b.close()
	promised := map[string]uint64{}
	copies := map[string]bool{}
	for _, a := range l.acks {
		switch {
		case a.at.After(before):
			continue
		case a.kept:
			copies[fmt.Sprintf("%s %d", a.name, a.n)] = true
		default:
			promised[a.name] = max(promised[a.name], a.n)
		}
		c.acknowledged++
	}
	for name, n := range promised {
		found, valid := b.newest(name)
		if !valid {
			c.invalid++
			t.Logf("%s is invalid and has no valid version", name)
		}
		if c.whole {
			c.invalid += b.torn(name)
		}
		if found < n {
			c.lost += int(n - found)
			t.Logf("%s: %d was acknowledged, %d is there", name, n, found)
		}
	}
	for _, content := range b.quarantined() {
		delete(copies, strings.TrimPrefix(content, "refused "))
	}
	c.unkept += len(copies)
	for content := range copies {
		t.Logf("not in quarantine: %s", content)
	}
	if !c.broken {
		b.wantTidy()
	}
	b.discardAll()
	c.tried++
}

// discardAll empties the quarantine.
func (b *bench) discardAll() {
	b.Helper()
	list, err := b.d.ListQuarantine()
	b.must(err)
	for _, q := range list {
		b.must(b.d.Discard(q.ID))
	}
}

// newest returns the number of the document that a registry holds, or has as its
// newest valid version, which is put back in its place if it holds none.
func (b *bench) newest(name string) (n uint64, valid bool) {
	b.Helper()
	content, _, _, err := b.d.Load(name)
	if !errors.Is(err, fs.ErrNotExist) {
		b.must(err)
	}
	if n, valid := parseLoad(content); valid {
		return n, true
	}
	seqs, err := b.d.Versions(name)
	b.must(err)
	for i := len(seqs) - 1; i >= 0; i-- {
		content, err := b.d.Version(name, seqs[i])
		b.must(err)
		if n, valid := parseLoad(content); valid {
			return n, true
		}
	}
	return 0, false
}

// torn counts the versions of a registry that are no documents.
func (b *bench) torn(name string) (n int) {
	b.Helper()
	seqs, err := b.d.Versions(name)
	b.must(err)
	for _, seq := range seqs {
		content, err := b.d.Version(name, seq)
		b.must(err)
		if _, valid := parseLoad(content); !valid {
			n++
			b.Logf("%s: version %d is torn", name, seq)
		}
	}
	return n
}

func parseLoad(content []byte) (uint64, bool) {
	var doc loadDoc
	err := json.Unmarshal(content, &doc)
	return doc.N, err == nil
}

func loadOptions() Options {
	return Options{QuarantineFiles: 1 << 20, QuarantineBytes: 1 << 40, Without: without(), leastDirect: 1}
}

// TestLoadChild is the process under load.
func TestLoadChild(t *testing.T) {
	todo := strings.Split(os.Getenv(loadEnv), "\n")
	if len(todo) != 3 {
		t.Skip("for a child of another test")
	}
	steps, err := strconv.ParseInt(todo[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	o := loadOptions()
	o.reach = dieAfter(steps)
	switch todo[1] {
	case "interval":
		o.Durability = Durability(loadInterval)
	case "fsync", "one sync", "one sync, nothing written":
	case "two syncs":
		o.Without = []string{OneSync}
	case "no directory fsync": // the control
		die := o.reach
		o.reach = func(step string) error {
			if step == "sync directory" {
				return errNotSynced
			}
			return die(step)
		}
	default:
		t.Fatal(todo[1])
	}
	d, err := Open(todo[0], o)
	if err != nil {
		t.Fatal(err)
	}
	switch todo[1] {
	case "one sync": // wherever it is
		d.syncContent = writeOut
	case "one sync, nothing written":
		d.syncContent = func(int) error { return nil }
	}
	var wg sync.WaitGroup
	for i := range loadRegistries {
		wg.Go(func() { commitForever(d, fmt.Sprintf("r%d.json", i)) })
	}
	wg.Wait()
}

// errNotSynced takes the sync of a directory out, for the control.
var errNotSynced = errors.New("not synced")

func dieAfter(steps int64) func(string) error {
	var reached atomic.Int64
	return func(string) error {
		if steps > 0 && reached.Add(1) == steps {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
			select {}
		}
		return nil
	}
}

// commitForever commits documents of many sizes and puts a copy into quarantine now and then. A
// commit that is refused, as on a dead disk, is tried again.
func commitForever(d *Dir, name string) {
	b := &bench{d: d}
	stamp, err := d.Stamp(name)
	var n, seq uint64
	if err == nil && stamp != "" {
		content, _, _, _ := d.Load(name)
		n, _ = parseLoad(content)
	}
	if kept, err := d.Versions(name); err == nil && len(kept) > 0 {
		seq = kept[len(kept)-1]
	}
	seq = max(seq, n)
	for {
		n, seq = n+1, seq+1
		text, _ := json.Marshal(loadDoc{n, strings.Repeat("x", rand.IntN(1<<uint(rand.IntN(17))))})
		text = append(make([]byte, 0, 128<<10), text...) // begins a page, as a direct write wants it
		next, ok, err := b.d.Commit(name, stamp, seq, seq-1, text, sha256.Sum256(text), moment(seq), nil)
		switch {
		case ok && (err == nil || errors.Is(err, errNotSynced)):
			fmt.Printf("ack %s %d\n", name, n)
			stamp = next
		case !ok:
			time.Sleep(time.Millisecond)
			stamp, _ = d.Stamp(name)
		default:
			stamp = next // it is in place, and not acknowledged
		}
		if n%16 == 0 {
			if _, err := d.Quarantine(name, fmt.Appendf(nil, "refused %s %d", name, n), []byte("{}")); err == nil {
				fmt.Printf("kept %s %d\n", name, n)
			}
		}
		_ = d.Record(name, bytes.TrimSpace(fmt.Appendf(nil, `{"n":%d}`, n)))
	}
}

// A process is killed at a step that chance chooses, while it commits to several registries at
// once, and starts again where it was. An interval makes no difference: written content is
// there, though not on disk.
func TestKilledUnderLoad(t *testing.T) {
	for _, durability := range []string{"fsync", "interval"} {
		t.Run(durability, func(t *testing.T) {
			c := &tally{fault: fmt.Sprintf("SIGKILL at a step of a commit, under load, --durability=%s (ext4)", durability)}
			dir := t.TempDir()
			for range rounds(t, "CLAWFS_KILLS", 10) {
				l := startLoad(t, dir, durability, 1+rand.IntN(2000))
				l.wait(t)
				c.check(t, dir, l, time.Now())
			}
			c.report(t)
		})
	}
}
