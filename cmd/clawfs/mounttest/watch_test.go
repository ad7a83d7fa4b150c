package mounttest

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"clawfs/txn/txntest"
)

// watcher is a running programs/watch.*.
type watcher struct {
	process *process
	mu      sync.Mutex // guards the fields below
	last    string     // its last line
	all     []string
	lines   int
}

func startWatcher(t *testing.T, name string, args ...string) *watcher {
	t.Helper()
	w := &watcher{}
	ready := make(chan struct{})
	w.process = start(t, "/", program(t, name, args...), func(cmd *exec.Cmd) {
		cmd.Stdout = nil
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			lines := bufio.NewScanner(out)
			lines.Scan()
			close(ready)
			for lines.Scan() {
				w.mu.Lock()
				w.last = lines.Text()
				w.all = append(w.all, w.last)
				w.lines++
				w.mu.Unlock()
			}
		}()
	})
	t.Cleanup(func() {
		if err := w.process.cmd.Cancel(); err != nil {
			t.Error(err)
		}
		w.process.wait()
	})
	select {
	case <-ready:
	case <-time.After(programLimit):
		t.Fatalf("%s does not start", name)
	}
	return w
}

func (w *watcher) told() (last string, lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.lines
}

// Watchers (§3): after each commit that changes the head, watchers of the file and
// of its directory get an event, at a time when the new content can be read.
func TestWatchersSeeEachCommit(t *testing.T) {
	t.Parallel()
	need(t, "node", "jq")
	for _, name := range []string{"programs/watch.mjs", "programs/watch.py"} {
		for _, what := range []string{"file", "directory"} {
			t.Run(filepath.Base(name)+" "+what, func(t *testing.T) {
				t.Parallel()
				watchCommits(t, 0, name, what)
			})
		}
	}
}

// The same by chokidar, by which OpenClaw watches its configuration; once as it does that,
// waiting until the file has not changed for a while. Chokidar drops events within 50 ms of a
// change that it has reported, by its own clock. That clock goes late where it has to wait for
// a processor: it may miss four of sixteen, as in a bare directory, where it missed 8 of
// 141 replacements. It must see a change that comes by itself afterwards. It need not where
// replacements come within some milliseconds of each other: it may drop the news that its
// watch has ended, and is deaf from then on. So it was after 55 of 218 bursts of two or three
// in a bare directory, and after 20 of 936 on a mount.
func TestChokidarSeesEachCommit(t *testing.T) {
	t.Parallel()
	need(t, "node", "npm", "jq")
	dir := txntest.NPM(t, "chokidar@4.0.3")
	for _, what := range []string{"file", "directory", "settled"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			watchCommits(t, 4, "programs/chokidar.mjs", dir, what)
		})
	}
}

// slowly adds a model to a file some milliseconds after it has truncated it.
const slowly = `
import json, sys, time
models = json.load(open(sys.argv[1]))
models['models'].append({'id': 'slowly-' + sys.argv[2]})
text = json.dumps(models)
with open(sys.argv[1], 'w') as f:
    time.sleep(int(sys.argv[2]) / 1000)
    f.write(text)`

// safely adds a model as programs do that make sure of the file that they rename: they look at
// the temporary file before they write it, and compare it with the file of the name after.
const safely = `
import json, os, sys
models = json.load(open(sys.argv[1]))
models['models'].append({'id': 'safely-' + sys.argv[2]})
temporary = sys.argv[1] + '.' + sys.argv[2] + '.tmp'
fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
before = os.lstat(temporary)
os.write(fd, json.dumps(models).encode())
os.fsync(fd)
os.rename(temporary, sys.argv[1])
for now in os.fstat(fd), os.lstat(sys.argv[1]):
    if (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino):
        sys.exit('it is another file')`

// A program that replaces a registry safely finds the file that it has renamed, though
// others look up the temporary file meanwhile, as watchers do.
func TestRenamedFileIsTheSameWhileOthersLook(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	looker := func() *process {
		return start(t, m.dir, []string{interpreters()[".py"], "-c", `
import os
while True:
    for _ in range(400):
        try:
            os.lstat('models.json.tmp')
        except OSError:
            pass`})
	}
	for range 2 {
		p := looker()
		t.Cleanup(func() {
			if err := p.cmd.Cancel(); err != nil {
				t.Error(err)
			}
			p.wait()
		})
	}
	succeed(t, m.dir, []string{interpreters()[".py"], "-c", `
import json, os, sys
others = 0
for n in range(300):
    fd = os.open('models.json.tmp', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    before = os.lstat('models.json.tmp')
    os.write(fd, json.dumps({'models': [n]}).encode())
    os.rename('models.json.tmp', 'models.json')
    for now in os.fstat(fd), os.lstat('models.json'):
        others += (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino)
    os.close(fd)
sys.exit(others and f'{others} times it is another file')`})
}

// watchCommits has programs commit in many ways and a watcher see it, but for as many as
// it may miss.
func watchCommits(t *testing.T, mayMiss int, name string, args ...string) {
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	file := filepath.Join(m.dir, "models.json")
	w := startWatcher(t, name, append(args, file)...)
	idioms := []idiom{
		{program: node, how: "in-place"}, {program: python, how: "replace"}, {program: shell, how: "jq-mv"},
		{program: python, how: "r+"}, {program: node, how: "rename"}, {program: python, how: "in-place"},
	}
	// Chokidar drops events within 50 ms of another one, in a bare directory, too.
	pause := func() { time.Sleep(100 * time.Millisecond) }
	missed := 0
	expect := func(what string, models, before int) {
		t.Helper()
		want := strconv.Itoa(models)
		if !eventually(2*time.Second, func() bool { last, _ := w.told(); return last == want }) {
			last, lines := w.told()
			missed++
			say := t.Logf
			if missed > mayMiss {
				say = t.Errorf
			}
			say("after a commit by %s the watcher has seen %q, want %s (%d events)", what, last, want, lines-before)
		}
		if _, lines := w.told(); lines-before > 40 {
			t.Errorf("a storm of %d events after %s", lines-before, what)
		}
	}
	models := 1
	for _, i := range idioms {
		pause()
		_, before := w.told()
		models++
		succeed(t, m.dir, i.line(t, file, fmt.Sprintf("added-%d", models)))
		expect(i.String(), models, before)
	}
	// Programs that take their time between truncating and writing: a watcher that has looked in
	// between, and passes over events within 5 ms, has seen the version before.
	for wait := range 8 {
		pause()
		_, before := w.told()
		models++
		succeed(t, m.dir, []string{interpreters()[".py"], "-c", slowly, file, strconv.Itoa(wait)})
		expect(fmt.Sprintf("a program that waits for %d ms", wait), models, before)
	}
	// One replacement after the other: a watch of the file is renewed if its number has changed.
	for n := range 4 {
		pause()
		_, before := w.told()
		models++
		succeed(t, m.dir, []string{interpreters()[".py"], "-c", safely, file, strconv.Itoa(n)})
		expect(fmt.Sprintf("safe replacement %d", n+1), models, before)
	}
	byItself := func() {
		for n, how := range []string{"in-place", "replace", "in-place"} {
			time.Sleep(time.Second)
			_, before := w.told()
			models++
			succeed(t, m.dir, idiom{program: python, how: how}.line(t, file, fmt.Sprintf("alone-%d", models)))
			expect(fmt.Sprintf("one that comes by itself, %s %d", how, n+1), models, before)
		}
	}
	// It watches on, even if it has missed something: each inode that the name has had until now.
	allowed := mayMiss
	mayMiss = 0
	byItself()
	// Merged commits: three programs that have read before the first of them writes.
	mayMiss = allowed
	var lines [][]string
	for n := range 3 {
		models++
		lines = append(lines, idioms[n].line(t, file, fmt.Sprintf("merged-%d", n)))
	}
	_, before := w.told()
	allSucceeded(t, together(t, atRead, m.dir, lines...))
	expect("three at once", models, before)
	if mayMiss == 0 {
		byItself()
	}
}

// A watcher that looks when a file is truncated, and passes over the write that follows
// and the end of it, is told again.
func TestWatcherThatPassesOverIsToldAgain(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	file := filepath.Join(m.dir, "models.json")
	for _, what := range []string{"file", "directory"} {
		w := startWatcher(t, "programs/watch.py", what, file, "60")
		time.Sleep(500 * time.Millisecond) // the events of the last commit are over
		before, err := models(file)
		if err != nil {
			t.Fatal(err)
		}
		succeed(t, m.dir, []string{interpreters()[".py"], "-c", slowly, file, "20"})
		want := strconv.Itoa(len(before) + 1)
		if !eventually(2*time.Second, func() bool { last, _ := w.told(); return last == want }) {
			last, lines := w.told()
			t.Errorf("a watcher of the %s has seen %q, want %s (%d events)", what, last, want, lines)
		}
	}
}

// Nobody is told of a file that did not change: no event, and no reading daemon.
func TestWatchersAreLeftAlone(t *testing.T) {
	t.Parallel()
	need(t, "node")
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	w := startWatcher(t, "programs/watch.mjs", "file", filepath.Join(m.dir, "models.json"))
	time.Sleep(300 * time.Millisecond) // the events of the seed are over
	_, before := w.told()
	time.Sleep(700 * time.Millisecond)
	for range 5 {
		read(t, m.dir, "models.json")
	}
	time.Sleep(300 * time.Millisecond)
	if _, lines := w.told(); lines != before {
		t.Errorf("%d events though nothing was written", lines-before)
	}
}

// Where the watched inode is not the one by which others write, watchers are told of
// the commits and removals of others, and of nothing that is refused.
func TestWatchersOfAnotherInode(t *testing.T) {
	t.Parallel()
	need(t, "node")
	m := newMount(t)
	write(t, m.dir, "models.json", `{"models":[]}`)
	w := startWatcher(t, "programs/watch.mjs", "file", filepath.Join(m.dir, "models.json"))
	expect := func(what, want string, commit string) {
		t.Helper()
		succeed(t, m.dir, bash(commit))
		if !eventually(2*time.Second, func() bool { last, _ := w.told(); return last == want }) {
			last, _ := w.told()
			t.Errorf("after %s the watcher has seen %q, want %s", what, last, want)
		}
	}
	expect("a commit by the inode that is watched", "1", `echo '{"models":[1]}' > models.json`)
	expect("one by another inode", "2", `echo '{"models":[1,2]}' > models.json`)
	time.Sleep(300 * time.Millisecond) // no event of these is under way any more
	_, before := w.told()
	for range 5 {
		succeed(t, m.dir, bash(`! echo '{"models":[' | cp /dev/stdin models.json 2>/dev/null`))
		read(t, m.dir, "models.json")
	}
	time.Sleep(300 * time.Millisecond)
	if _, lines := w.told(); lines != before {
		t.Errorf("%d events though everything was refused", lines-before)
	}
	expect("its removal", "ENOENT", "rm models.json")
}

// The teller of a commit sets a time that is never set: a request for it that comes from
// another process, as from a teller that the daemon no longer knows, changes nothing, be it of
// a registry or of a file that has taken its name.
func TestTellingWatchersSetsNoTime(t *testing.T) {
	t.Parallel()
	need(t, "stat")
	m := newMount(t)
	succeed(t, m.dir, bash("echo '{}' > a.json; mkdir d.json; ln -s a.json l.json; echo > plain"))
	names := []string{"a.json", "d.json", "l.json", "plain"}
	times := func() string {
		t.Helper()
		return succeed(t, m.dir, append([]string{"stat", "-c", "%n %y"}, names...))
	}
	before := times()
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	device := strings.TrimSpace(succeed(t, m.dir, []string{"stat", "-c", "%d", "."}))
	var orders strings.Builder
	for _, n := range names {
		orders.WriteString("1" + n + "\x004" + n + "\x00") // to tell of new content, and of new attributes
	}
	orders.WriteString("1\x008\x00") // and of an inode that is to be removed, and that nobody is told of
	succeed(t, m.dir, []string{clawfs, "tell-watchers", m.dir, device}, func(cmd *exec.Cmd) {
		cmd.Stdin = strings.NewReader(orders.String())
	})
	if after := times(); after != before {
		t.Errorf("times were\n%sand are\n%s", before, after)
	}
	// Any other time can be set.
	if got := succeed(t, m.dir, bash("touch -c -h -m -d @1.5 a.json plain; stat -c %.9Y a.json plain")); got != "1.500000000\n1.500000000\n" {
		t.Errorf("the times that were set are %q", got)
	}
}
