package mounttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"
)

// Plain files pass through: ten processes append to one log, each line whole.
func TestPlainLogOfTenProcesses(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	const processes, lines = 10, 100
	var started []*process
	for i := range processes {
		started = append(started, start(t, m.dir, program(t, "programs/appends.py", "session.jsonl", strconv.Itoa(lines), strconv.Itoa(i))))
	}
	for _, p := range started {
		if r := p.wait(); r.code != 0 {
			t.Errorf("%v", r)
		}
	}
	next := make(map[string]int)
	for text := range strings.Lines(read(t, m.dir, "session.jsonl")) {
		var line struct {
			From string
			Line int
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, short(text))
		}
		if line.Line != next[line.From] {
			t.Errorf("line %d of process %s comes where %d should", line.Line, line.From, next[line.From])
		}
		next[line.From]++
	}
	for i := range processes {
		if got := next[strconv.Itoa(i)]; got != lines {
			t.Errorf("%d lines of process %d, want %d", got, i, lines)
		}
	}
}

// A plain file holds the bytes that were written to it, in every way of writing and of
// reading: the kernel keeps its pages from one change to the next.
func TestPlainFilesHoldWhatIsWritten(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	m := newMount(t)
	for _, dir := range []string{newDir(t), m.dir} {
		for seed := range 3 {
			name := fmt.Sprintf("file-%d", seed)
			succeed(t, dir, program(t, "programs/exercise.py", name, strconv.Itoa(seed), strconv.Itoa(setting(t, "CLAWFS_STEPS", 1500))))
		}
	}
}

// Several processes write a plain file at once (buffered, directly, asynchronously, through
// mappings, by copying and by making holes) and cut it. All see in every way the bytes that
// lie on the disk, and these are the bytes that were written.
func TestPlainFilesWrittenInManyWays(t *testing.T) {
	t.Parallel()
	if strings.Contains(os.Getenv("CLAWFS_WITHOUT"), "kernel-cache") {
		t.Skip("the kernel drops pages with each open then, those that are being written too")
	}
	need(t, "gcc")
	mixes := filepath.Join(t.TempDir(), "mixes")
	source, err := filepath.Abs("testdata/programs/mixes.c")
	if err != nil {
		t.Fatal(err)
	}
	succeed(t, ".", []string{"gcc", "-O2", "-Wall", "-Werror", "-pthread", "-o", mixes, source})
	rounds := strconv.Itoa(setting(t, "CLAWFS_MIXES", 50))
	bare := newDir(t)
	r := run(t, bare, []string{mixes, "file", "1", rounds})
	if strings.Contains(r.stderr, "open O_DIRECT") {
		t.Skip("nothing can be read directly here")
	}
	if r.code != 0 {
		t.Fatalf("bare: %v", r)
	}
	m := newMount(t)
	for i, ways := range []string{"", "", "mapped mapped-anew copied", "mapped mapped-anew punched zeroed", "mapped mapped-anew write sent"} {
		line := append([]string{mixes, fmt.Sprintf("file-%d", i), strconv.Itoa(i), rounds}, strings.Fields(ways)...)
		if out := succeed(t, m.dir, line); ways == "" && strings.Contains(out, "aio 0\n") {
			t.Errorf("not all ways were tried:\n%s", out)
		}
	}
	mounted := read(t, m.dir, "file-0")
	m.unmount()
	if read(t, m.dir, "file-0") != mounted {
		t.Error("unmounted, the file holds something else")
	}
}

// Every kind of lock keeps processes apart.
func TestLocksOnPlainFiles(t *testing.T) {
	t.Parallel()
	const processes, turns = 5, 20
	count := func(t *testing.T, dir, how string) int {
		t.Helper()
		write(t, dir, "number", "")
		var lines [][]string
		for range processes {
			lines = append(lines, program(t, "programs/counts.py", how, "number", strconv.Itoa(turns)))
		}
		var started []*process
		for _, line := range lines {
			started = append(started, start(t, dir, line))
		}
		for _, p := range started {
			if r := p.wait(); r.code != 0 && how != "none" {
				t.Errorf("%v", r)
			}
		}
		n, _ := strconv.Atoi(read(t, dir, "number"))
		return n
	}
	t.Run("bare, no lock", func(t *testing.T) {
		for range 10 { // on a busy machine they may run one after the other
			if count(t, newDir(t), "none") != processes*turns {
				return
			}
		}
		t.Error("without a lock nothing is lost: this test shows nothing")
	})
	m := newMount(t)
	for _, how := range []string{"file", "directory", "flock", "fcntl"} {
		t.Run(how, func(t *testing.T) {
			if n := count(t, m.dir, how); n != processes*turns {
				t.Errorf("counted to %d, want %d", n, processes*turns)
			}
		})
	}
}

// SQLite in WAL mode, which needs locks and a shared mapping.
func TestDatabaseOfThreeProcesses(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	// SQLite does not wait for the lock that it needs to turn to WAL mode.
	succeed(t, m.dir, program(t, "programs/database.py", "state.sqlite", "0", "nobody"))
	var started []*process
	for i := range 3 {
		started = append(started, start(t, m.dir, program(t, "programs/database.py", "state.sqlite", "100", strconv.Itoa(i))))
	}
	for _, p := range started {
		if r := p.wait(); r.code != 0 {
			t.Errorf("%v", r)
		}
	}
	check := []string{interpreters()[".py"], "-c", `import sqlite3
db = sqlite3.connect("state.sqlite")
print(db.execute("PRAGMA integrity_check").fetchone(), db.execute("SELECT count(*) FROM rows").fetchone(), db.execute("SELECT n FROM total").fetchall())`}
	if out := succeed(t, m.dir, check); out != "('ok',) (300,) [(300,)]\n" {
		t.Error(out)
	}
}

// Plain files, directories and links behave as POSIX says, in the root and below.
// Two of go-fuse's tests are left out that fail on ext4 too.
func TestPosixOnPlainFiles(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	for i, name := range slices.Sorted(maps.Keys(posixtest.All)) {
		if name == "FcntlFlockLocksFile" || name == "OpenSymlinkRace" {
			continue
		}
		for _, where := range []string{".", "sub"} {
			t.Run(name+" in "+where, func(t *testing.T) {
				dir := filepath.Join(m.dir, where, fmt.Sprintf("posix-%d", i))
				succeed(t, m.dir, []string{"mkdir", "-p", dir})
				posixtest.All[name](t, dir)
			})
		}
	}
}

// A mount below the directory stays, beside any commits: containers mount volumes into volumes.
func TestWhatIsMountedBelowStays(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	m := newMount(t)
	dir := filepath.Join(m.dir, "workspace", "inner")
	succeed(t, m.dir, bash("mkdir -p workspace/inner && mount -t tmpfs none workspace/inner && echo there > workspace/inner/file"))
	defer detach(dir)
	for i, script := range []string{
		"echo '{\"n\":%d}' > a.json", "echo '{\"n\":%d}' > t && mv t a.json", "mkdir -p d && echo '{\"n\":%d}' > d/b.json && rm d/b.json",
		"mv a.json b.json && echo '{\"n\":%d}' > a.json", "ln -f a.json c.json && echo '{\"n\":%d}' > c.json",
	} {
		succeed(t, m.dir, bash("cat *.json; ls workspace > /dev/null; "+fmt.Sprintf(script, i)))
		if got := succeed(t, m.dir, bash("cat workspace/inner/file")); got != "there\n" {
			t.Errorf("after %s it holds %q", script, got)
		}
	}
}
