package mounttest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"clawfs/backing/backingtest"
)

// The tests here take seconds; scripts/faults goes on for long.
//
//	CLAWFS_RESTARTS=200   daemons killed under reads and appends (3)
//	CLAWFS_WRITERS=1000   writers killed at instants that chance chooses (20)
//	CLAWFS_POWER=100      power failures for each file system (1)
//	CLAWFS_FULL=100       disks filled (1)

// faultRow is one row of the table in docs/FAULTS.md: a fault that was tried, and the losses.
// scripts/faults makes the table.
type faultRow struct {
	fault                                      string
	tried, acknowledged, lost, invalid, unkept int

	younger bool // the last acknowledged commits may be lost
}

// report prints the row, and fails the test if anything is in it that must not be.
func (r *faultRow) report(t *testing.T) {
	t.Helper()
	t.Logf("FAULT|%s|%d|%d|%d|%d|%d", r.fault, r.tried, r.acknowledged, r.lost, r.invalid, r.unkept)
	if r.lost+r.invalid+r.unkept > 0 {
		t.Errorf("%s: %d acknowledged writes lost, %d invalid registries, %d refused contents not in quarantine", r.fault, r.lost, r.invalid, r.unkept)
	}
	if r.tried == 0 || r.acknowledged == 0 {
		t.Errorf("%s: nothing was tried", r.fault)
	}
}

// mountOnDisk mounts a directory of a disk that may fail: the daemon's log is
// elsewhere.
func mountOnDisk(t *testing.T, disk string, flags ...string) *mount {
	t.Helper()
	m := &mount{t: t, dir: filepath.Join(disk, "state"), log: filepath.Join(t.TempDir(), "log")}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m.start(flags...)
	t.Cleanup(m.finish)
	return m
}

// loads are processes that write to a registry each. Answers after the fault do not count:
// where the power is really gone there are none.
type loads struct {
	processes []*process
	fault     int64 // when it was, ns of the monotonic clock
}

const loadProcesses = 4

func startLoads(t *testing.T, dir string) loads {
	t.Helper()
	var all loads
	for i := range loadProcesses {
		all.processes = append(all.processes, start(t, "/", program(t, "programs/load.py", filepath.Join(dir, fmt.Sprintf("r%d.json", i)))))
	}
	return all
}

// commits counts the commits that the daemon's log tells of.
func (m *mount) commits() int { return strings.Count(m.logText(), "Registry write committed") }

// waitCommits waits until the log tells of that many commits.
func (m *mount) waitCommits(n int) {
	m.t.Helper()
	if !eventually(30*time.Second, func() bool { return m.commits() >= n }) {
		m.t.Fatalf("only %d commits, want %d", m.commits(), n)
	}
}

func (l loads) kill() {
	for _, p := range l.processes {
		_ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL)
	}
}

func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano()
}

// check holds files and quarantine against the answers to the processes, now ended or killed.
func (r *faultRow) check(t *testing.T, m *mount, l loads) {
	t.Helper()
	kept := m.quarantined()
	for i, p := range l.processes {
		name := fmt.Sprintf("r%d.json", i)
		last, refused := r.told(t, p.wait(), l.fault)
		var doc struct{ N int }
		text, err := os.ReadFile(filepath.Join(m.dir, name))
		if err == nil {
			err = strict(text)
			_ = json.Unmarshal(text, &doc)
		}
		if err != nil && len(text) == 0 && (last == 0 || r.younger) {
			m.leavesEmpty, err = true, nil // it was created, and its first content is younger
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("P1: %s: %v", name, err)
			r.invalid++
		} else if doc.N < last && !r.younger {
			t.Errorf("P5: %s: %d was acknowledged, %d is there", name, last, doc.N)
			r.lost += last - doc.N
		}
		for _, n := range refused {
			if !slices.Contains(kept, fmt.Sprintf(`{"n": %d,`, n)) {
				t.Errorf("P9: what was refused is not in quarantine: %s, %d", name, n)
				r.unkept++
			}
		}
	}
	r.tried++
}

// told reads the answers to a process: the last document that was stored, and the
// contents that were refused, before a moment.
func (r *faultRow) told(t *testing.T, result result, before int64) (last int, refused []int) {
	t.Helper()
	for line := range strings.Lines(result.stdout) {
		var what string
		var n int
		var at int64
		_, _ = fmt.Sscan(line, &what, &n, &at)
		if at > before {
			continue
		}
		switch what {
		case "ack":
			last = n
			r.acknowledged++
		case "refused":
			refused = append(refused, n)
		case "accepted":
			t.Errorf("P1: what is no document was accepted: %s", line)
		}
	}
	return last, refused
}

// P5: the power fails under a mount with four writers. Everything that was
// acknowledged is there, everything that was refused is in quarantine.
func TestPowerFailureUnderAMount(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			disk := backingtest.NewPowerDisk(t, kind)
			m := mountOnDisk(t, disk.Dir)
			r := &faultRow{fault: fmt.Sprintf("power failure under a mount (%s)", kind)}
			for i := range setting(t, "CLAWFS_POWER", 1) {
				r.check(t, m, m.powerFailure(disk, i))
			}
			r.report(t)
		})
	}
}

// powerFailure takes the power away from a mount that four programs write to,
// and starts it again.
func (m *mount) powerFailure(disk *backingtest.Disk, i int, flags ...string) loads {
	m.t.Helper()
	seen := m.commits()
	l := startLoads(m.t, m.dir)
	m.waitCommits(seen + 4*loadProcesses)
	time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
	l.fault = monotonic(m.t)
	disk.Fail([...]uint32{backingtest.FlushNothing, backingtest.FlushLog}[i%2])
	m.kill()
	l.kill()
	detach(m.dir)
	disk.Remount()
	m.start(flags...)
	return l
}

// P1: with an interval a power failure may take commits that are younger, but leaves no
// registry invalid, and no refused content goes.
func TestPowerFailureUnderAMountWithAnInterval(t *testing.T) {
	const durability = "--durability=interval:100ms"
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			disk := backingtest.NewPowerDisk(t, kind)
			m := mountOnDisk(t, disk.Dir, durability)
			r := &faultRow{fault: fmt.Sprintf("power failure under a mount with an interval: what is younger may go (%s)", kind), younger: true}
			for i := range setting(t, "CLAWFS_POWER", 1) {
				r.check(t, m, m.powerFailure(disk, i, durability))
			}
			r.report(t)
		})
	}
}

// A full disk: a program that finds no room is told so, the files that were there can be read,
// refused content is kept, and everything works again once there is room.
func TestFullDiskUnderAMount(t *testing.T) {
	for _, kind := range backingtest.FullDisks() {
		t.Run(kind.Name, func(t *testing.T) {
			disk := kind.Make(t)
			m := mountOnDisk(t, disk)
			r := &faultRow{fault: fmt.Sprintf("full disk under a mount, %s (%s)", unix.ErrnoName(kind.Full), kind.Name)}
			for range setting(t, "CLAWFS_FULL", 1) {
				r.fillUp(t, m, disk, kind.Full)
			}
			r.report(t)
		})
	}
}

func (r *faultRow) fillUp(t *testing.T, m *mount, disk string, full unix.Errno) {
	save := func(n, size int) string {
		script := fmt.Sprintf(`import os, sys, errno
try:
    with open(%q, "w") as f: f.write('{"n": %d, "padding": "' + "x" * %d + '"}')
except OSError as err: print(errno.errorcode[err.errno])`, filepath.Join(m.dir, "a.json"), n, size)
		return strings.TrimSpace(succeed(t, "/", []string{interpreters()[".py"], "-c", script}))
	}
	if told := save(1, 10); told != "" {
		t.Fatalf("with room: %s", told)
	}
	backingtest.Fill(t, disk)
	last, told := 1, ""
	for n := 2; told == "" && n < 200; n++ {
		if told = save(n, 200_000); told == "" {
			last = n
			r.acknowledged++
		}
	}
	if told != unix.ErrnoName(full) && told != "ENOSPC" {
		t.Errorf("the writer was told %q, want %s", told, unix.ErrnoName(full))
	}
	has := func(n int) bool { return strings.Contains(read(t, m.dir, "a.json"), fmt.Sprintf(`{"n": %d,`, n)) }
	if !has(last) {
		t.Error("P5: on a full disk the registry has not what was acknowledged last")
		r.lost++
	}
	if err := strict([]byte(read(t, m.dir, "a.json"))); err != nil {
		t.Errorf("P1: %v", err)
		r.invalid++
	}
	if !slices.ContainsFunc(m.quarantined(), func(c string) bool { return strings.HasPrefix(c, fmt.Sprintf(`{"n": %d,`, last+1)) }) {
		t.Error("P9: what was refused on a full disk is not in quarantine")
		r.unkept++
	}
	backingtest.Empty(t, disk)
	if told := save(1000, 10); told != "" || !has(1000) {
		t.Errorf("with room again: %s", told)
	}
	r.acknowledged++
	r.tried++
}

// P5, P6, P9: writers are killed at any instant. Nothing that they had not closed is in the
// registry, and their bytes are in quarantine.
func TestWritersKilledAtAnyInstant(t *testing.T) {
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	r := &faultRow{fault: "SIGKILL of a writer at any instant (mount)"}
	for round := 0; r.tried < setting(t, "CLAWFS_WRITERS", 20); round++ {
		var writers []*process
		seen := m.commits()
		for i := range 4 {
			writers = append(writers, start(t, "/", program(t, "programs/often-killed.py", filepath.Join(m.dir, "models.json"), fmt.Sprintf("w%d-%d", round, i))))
		}
		m.waitCommits(seen + 4)
		for _, p := range writers {
			time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
			_ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL)
		}
		r.checkKilled(t, m, writers)
	}
	r.report(t)
}

func (r *faultRow) checkKilled(t *testing.T, m *mount, writers []*process) {
	t.Helper()
	wrote, closing, closed := []string{}, map[string]bool{}, map[string]bool{}
	for _, p := range writers {
		for line := range strings.Lines(p.wait().stdout) {
			what, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch what {
			case "wrote":
				wrote = append(wrote, id)
			case "closing":
				closing[id] = true
			case "closed":
				closed[id] = true
				r.acknowledged++
			}
		}
		r.tried++
	}
	there, err := models(filepath.Join(m.dir, "models.json"))
	if err != nil {
		t.Error(err)
		r.invalid++
	}
	for _, id := range wrote {
		switch found := slices.Contains(there, id); {
		case closed[id] && !found:
			t.Errorf("P5: %s was acknowledged and is lost", id)
			r.lost++
		case found && !closing[id]:
			t.Errorf("P6: %s was committed although its writer was killed before it closed the file", id)
			r.invalid++
		case !found && !m.keeps(id):
			t.Errorf("P9: %s was written and is not in quarantine", id)
			r.unkept++
		}
	}
}

// keeps waits until a content with an entry is in quarantine.
func (m *mount) keeps(id string) bool {
	return eventually(quarantineDelay, func() bool {
		return slices.ContainsFunc(m.quarantined(), func(c string) bool { return strings.Contains(c, strconv.Quote(id)) })
	})
}

// Of daemons that are started at once on one directory one serves it, and the
// others say that it is in use.
func TestDaemonsStartedAtOnce(t *testing.T) {
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	m := newMount(t)
	m.unmount()
	const many = 6
	codes := make([]int, many)
	outputs := make([]string, many)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			r := start(t, "/", []string{clawfs, "mount", "--log-file", m.log, m.dir}).wait()
			codes[i], outputs[i] = r.code, r.stdout+r.stderr
		})
	}
	wg.Wait()
	served := 0
	for i, code := range codes {
		switch code {
		case 0:
			served++
			if found := mountedLine.FindStringSubmatch(outputs[i]); found != nil {
				m.pid, _ = strconv.Atoi(found[1])
			}
		case 5:
		default:
			t.Errorf("exit %d: %s", code, outputs[i])
		}
	}
	if n := len(mountsBelow(m.dir)); served != 1 || n != 1 {
		t.Errorf("%d daemons serve, %d mounts, want 1\n%s", served, n, strings.Join(outputs, "\n"))
	}
	write(t, m.dir, "models.json", tenModels)
}

// A directory with 10,000 registries mounts at once, and costs nothing until they
// are opened.
func TestTenThousandRegistries(t *testing.T) {
	dir := newDir(t)
	began := time.Now()
	empty := mountOn(t, newDir(t))
	emptyTook := time.Since(began)
	for i := range 10_000 {
		write(t, dir, fmt.Sprintf("r%d.json", i), `{"version": 1}`)
	}
	began = time.Now()
	m := mountOn(t, dir)
	took := time.Since(began)
	t.Logf("to mount took %v, an empty directory %v", took, emptyTook)
	if took > max(time.Second, 3*emptyTook) { // on a machine that is busy an empty one takes longer, too
		t.Errorf("to mount took %v, want less than a second", took)
	}
	succeed(t, "/", bash(fmt.Sprintf("test $(ls %[1]s | wc -l) -eq 10000 && stat %[1]s/*9.json >/dev/null", m.dir)))
	idle, ours := empty.status("VmRSS"), m.status("VmRSS")
	t.Logf("resident: %d KiB with 10,000 registries, %d KiB with none", ours>>10, idle>>10)
	if ours > idle+16<<20 {
		t.Errorf("10,000 registries that nobody has opened cost %d bytes", ours-idle)
	}
}

// 10,000 open files: each shows its version to the end, and others can work.
func TestTenThousandHandles(t *testing.T) {
	if _, hard := limitOfFiles(t); hard < 10_100 {
		t.Skipf("a process may open %d files here", hard)
	}
	m := newMount(t)
	for i := range 100 {
		write(t, m.dir, fmt.Sprintf("r%d.json", i), `{"version": 1}`)
	}
	before := m.status("VmRSS")
	a := startActorOf(t, program(t, "programs/many-open.py", m.dir, "10000"))
	if a.out.Scan(); a.out.Text() != "open" {
		t.Fatalf("said %q\n%s", a.out.Text(), a.process.stderr.String())
	}
	grown := m.status("VmRSS") - before
	t.Logf("resident: %d KiB more with 10,000 open files", grown>>10)
	if grown > 64<<20 {
		t.Errorf("10,000 open files cost %d bytes", grown)
	}
	for i := range 100 {
		write(t, m.dir, fmt.Sprintf("r%d.json", i), `{"version": 2}`)
	}
	if got := read(t, m.dir, "r7.json"); got != `{"version": 2}` {
		t.Errorf("r7.json: %s", got)
	}
	a.quit(t)
}

func limitOfFiles(t *testing.T) (soft, hard uint64) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur, limit.Max
}

// startActorOf starts a program that says when it is ready and ends when its
// standard input does.
func startActorOf(t *testing.T, line []string) *actor {
	t.Helper()
	a := &actor{}
	a.process = start(t, "/", line, func(cmd *exec.Cmd) {
		cmd.Stdout = nil
		in, inErr := cmd.StdinPipe()
		out, outErr := cmd.StdoutPipe()
		if inErr != nil || outErr != nil {
			t.Fatal(inErr, outErr)
		}
		a.in, a.out = in, bufio.NewScanner(out)
	})
	t.Cleanup(func() { a.quit(t) })
	return a
}

// A registry as large as the limit allows is stored; one byte more is EFBIG.
func TestLargestRegistry(t *testing.T) {
	m := newMount(t)
	script := `import errno, os, sys
path, size = sys.argv[1], 64 << 20
text = b'{"text": "' + b"x" * (size - 12) + b'"}'
assert len(text) == size
fd = os.open(path, os.O_WRONLY | os.O_CREAT)
left = memoryview(text)
while left: left = left[os.write(fd, left):]
os.close(fd)
assert open(path, "rb").read() == text
fd = os.open(path, os.O_WRONLY | os.O_APPEND)
try:
    os.write(fd, b"\n")
    os.close(fd)
    print("accepted")
except OSError as err: print(errno.errorcode[err.errno])
assert open(path, "rb").read() == text
`
	file := filepath.Join(m.dir, "large.json")
	if got := succeed(t, "/", []string{interpreters()[".py"], "-c", script, file}); got != "EFBIG\n" {
		t.Errorf("one byte more: %q, want EFBIG", got)
	}
	m.unmount()
	if info, err := os.Stat(file); err != nil || info.Size() != 64<<20 {
		t.Errorf("unmounted: %v, %v", info, err)
	}
}

// A process that opens a registry for writing and never closes it is in nobody's way, and its
// bytes are not lost.
func TestWriterThatNeverCloses(t *testing.T) {
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	a := startActorOf(t, []string{interpreters()[".py"], "-c", `import sys
f = open(sys.argv[1], "w")
f.write('{"models": [], "never": "closed"')
f.flush()
print("written", flush=True)
sys.stdin.read()
import os; os.kill(os.getpid(), 9)`, filepath.Join(m.dir, "models.json")})
	if a.out.Scan(); a.out.Text() != "written" {
		t.Fatalf("said %q\n%s", a.out.Text(), a.process.stderr.String())
	}
	if got := read(t, m.dir, "models.json"); got != tenModels {
		t.Errorf("P2: others see %s", short(got))
	}
	for range 20 {
		succeed(t, "/", program(t, node, "in-place", filepath.Join(m.dir, "models.json"), fmt.Sprint(rand.Uint64())))
	}
	if got, err := models(filepath.Join(m.dir, "models.json")); err != nil || len(got) != 21 {
		t.Errorf("%d entries, %v, want 21", len(got), err)
	}
	a.in.Close()
	_, _ = io.Copy(io.Discard, strings.NewReader(a.process.wait().stdout))
	a.process = nil
	m.wantQuarantined(`{"models": [], "never": "closed"`)
}

// A storm of signals: no reply is lost, and no call says EINTR that a program
// cannot expect to.
func TestInterruptedRequests(t *testing.T) {
	need(t, "perl")
	m := newMount(t)
	script, err := filepath.Abs("testdata/programs/interrupted.pl")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(m.dir, "a.json")
	out := succeed(t, "/", []string{"perl", script, file, fmt.Sprint(setting(t, "CLAWFS_SECONDS", 3))})
	var signals, stored int
	for line := range strings.Lines(out) {
		what, number, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.Atoi(number)
		switch what {
		case "signals":
			signals = n
		case "stored":
			stored = n
		default:
			if !strings.HasSuffix(what, " ok") {
				t.Errorf("%s, %d times", what, n)
			}
		}
	}
	if signals < 100 || stored < 10 {
		t.Errorf("%d signals, %d documents: this shows nothing", signals, stored)
	}
	if !strings.Contains(read(t, m.dir, "a.json"), fmt.Sprintf(`{"n": %d,`, stored)) {
		t.Errorf("P5: the document %d is not there", stored)
	}
}
