package mounttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// top is the top of the tree, from here.
const top = "../../.."

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

// runTests runs all tests below one temporary directory and finds the things that
// they have left behind.
func runTests(m *testing.M) int {
	root, err := os.MkdirTemp("", "clawfs-product-")
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Join(root, "bin"), 0o755), os.Mkdir(filepath.Join(root, "tmp"), 0o777),
			os.Setenv("TMPDIR", filepath.Join(root, "tmp")), os.Unsetenv("GOTMPDIR"))
	}
	other := ""
	if err == nil {
		other, err = makeElsewhere()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	for _, left := range leftovers(root, other) {
		fmt.Fprintln(os.Stderr, "left behind:", left)
		code = max(code, 1)
	}
	if err := errors.Join(os.RemoveAll(root), os.RemoveAll(other)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// makeElsewhere makes a directory in another file system than that of the temporary
// files, for programs that move a file from one to the other. They have its path as
// ELSEWHERE.
func makeElsewhere() (string, error) {
	other, err := os.MkdirTemp("/dev/shm", "clawfs-product-")
	if err != nil {
		return "", err
	}
	return other, errors.Join(os.Chmod(other, 0o777), os.Setenv("ELSEWHERE", other))
}

// build returns the path of the program under test. The first caller
// builds it.
var build = sync.OnceValues(buildClawfs)

func buildClawfs() (string, error) {
	if given := os.Getenv("CLAWFS_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	path := filepath.Join(filepath.Dir(os.TempDir()), "bin", "clawfs")
	args := []string{"build", "-o", path}
	if os.Getenv("CLAWFS_RACE") == "1" {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "clawfs/cmd/clawfs")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build clawfs/cmd/clawfs: %w\n%s", err, out)
	}
	return path, nil
}

// leftovers lists the things that must not be there after the last test, below root and in the
// other directory: mounts, processes of clawfs, files. The leftovers are also taken away.
func leftovers(root, other string) []string {
	var left []string
	for _, m := range mountsBelow(root) {
		left = append(left, "mount on "+m)
		detach(m)
	}
	for _, pid := range processesBelow(root) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		left = append(left, fmt.Sprintf("process %d: %s", pid, bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	for _, pattern := range []string{filepath.Join(root, "tmp", "*"), filepath.Join(other, "*")} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			left = append(left, err.Error())
		}
		left = append(left, files...)
	}
	return left
}

// mountsBelow lists the mounts of clawfs at and below a directory, innermost
// first.
func mountsBelow(dir string) []string {
	mounts, err := mountinfo.GetMounts(func(info *mountinfo.Info) (skip, stop bool) {
		below := info.Mountpoint == dir || strings.HasPrefix(info.Mountpoint, dir+"/")
		return !below || !strings.HasPrefix(info.FSType, "fuse"), false
	})
	if err != nil {
		return []string{err.Error()}
	}
	var paths []string
	for _, m := range mounts {
		paths = append([]string{m.Mountpoint}, paths...)
	}
	return paths
}

// processesBelow lists the processes, this one aside, whose program or arguments name something
// below a directory. A process that is ending has a moment for it.
func processesBelow(dir string) []int {
	for try := 0; ; try++ {
		var found []int
		entries, _ := filepath.Glob("/proc/[0-9]*")
		for _, entry := range entries {
			pid, _ := strconv.Atoi(filepath.Base(entry))
			line, _ := os.ReadFile(entry + "/cmdline")
			if pid != os.Getpid() && bytes.Contains(line, []byte(dir+"/")) {
				found = append(found, pid)
			}
		}
		if len(found) == 0 || try == 20 {
			return found
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func detach(dir string) {
	if unix.Unmount(dir, unix.MNT_DETACH) != nil {
		_ = exec.Command("fusermount3", "-uz", dir).Run()
	}
}

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is not a number above 0", name, text)
	}
	return n
}

// mount is a mounted directory and the daemon that serves it.
type mount struct {
	t   *testing.T
	dir string
	log string
	pid int

	leavesEmpty    bool // the test leaves registries that nobody has filled
	leavesDialects bool // the test leaves registries that are not in strict JSON
}

// newMount mounts an empty directory, with flags for `clawfs mount`. When the test ends it is
// unmounted, and the files in it must be valid.
func newMount(t *testing.T, flags ...string) *mount {
	t.Helper()
	return mountOn(t, newDir(t), flags...)
}

// newDir makes an empty directory to keep registries in.
func newDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mountOn mounts a directory that may hold something.
func mountOn(t *testing.T, dir string, flags ...string) *mount {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("no /dev/fuse:", err)
	}
	m := &mount{t: t, dir: dir, log: filepath.Join(filepath.Dir(dir), "log")}
	m.start(flags...)
	t.Cleanup(m.finish)
	return m
}

var mountedLine = regexp.MustCompile(`is mounted, process ([0-9]+), log in `)

// transportVariable is the environment variable that names the transport of all mounts.
const transportVariable = "CLAWFS_TRANSPORT"

// takeoverVariable is the environment variable that has all mounts taken over when their daemon
// dies.
const takeoverVariable = "CLAWFS_TAKEOVER"

// start runs `clawfs mount`.
func (m *mount) start(flags ...string) {
	m.t.Helper()
	clawfs, err := build()
	if err != nil {
		m.t.Fatal(err)
	}
	args := []string{"mount", "--check-store", "--log-file", m.log}
	if without := os.Getenv("CLAWFS_WITHOUT"); without != "" { // optimizations, with commas between them
		args = append(args, "--without", without)
	}
	if os.Getenv(takeoverVariable) != "" {
		flags = append(flags, "--takeover")
	}
	if transport := os.Getenv(transportVariable); transport != "" && !slices.Contains(flags, "--takeover") { // which is by the device alone
		args = append(args, "--transport", transport)
	}
	out, err := exec.Command(clawfs, append(append(args, flags...), m.dir)...).CombinedOutput()
	found := mountedLine.FindSubmatch(out)
	if err != nil || found == nil {
		m.t.Fatalf("clawfs mount: %v\n%s\n%s", err, out, m.logTail())
	}
	m.pid, _ = strconv.Atoi(string(found[1]))
}

// finish unmounts, unless the test has, and checks the daemon's end, the directory and the log.
func (m *mount) finish() {
	if m.pid != 0 && len(mountsBelow(m.dir)) > 0 {
		m.unmount()
	}
	for range mountsBelow(m.dir) {
		m.t.Errorf("%s was left mounted", m.dir)
		detach(m.dir)
	}
	if m.pid != 0 && !ended(m.pid) {
		m.t.Errorf("the daemon, process %d, did not end", m.pid)
		_ = unix.Kill(m.pid, unix.SIGQUIT) // it writes the stacks of its goroutines to its log
		if !ended(m.pid) {
			_ = unix.Kill(m.pid, unix.SIGKILL)
		}
	}
	problems := problemsIn(m.dir)
	if m.leavesEmpty {
		problems = withoutEmpty(problems)
	}
	if m.leavesDialects {
		problems = nil
	}
	for _, problem := range problems {
		m.t.Errorf("P8, unmounted: %s", problem)
	}
	text := m.logText()
	for _, bad := range []string{"DATA RACE", "panic", "fatal error:", "goroutine ", "warning: rawBridge", "the store contradicts itself"} {
		if strings.Contains(text, bad) {
			m.t.Errorf("the daemon's log has %q", bad)
		}
	}
	if m.t.Failed() {
		m.t.Logf("the daemon's log:\n%s", m.logTail())
	}
}

// unmount runs `clawfs unmount`.
func (m *mount) unmount() {
	m.t.Helper()
	clawfs, err := build()
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, clawfs, "unmount", "--timeout", "20s", m.dir).CombinedOutput(); err != nil {
		m.t.Errorf("clawfs unmount: %v\n%s", err, out)
	}
	if !ended(m.pid) {
		m.t.Errorf("the daemon, process %d, lives after clawfs unmount", m.pid)
	}
}

// kill ends the daemon as a crash does. Its mount stays, dead.
func (m *mount) kill() {
	m.t.Helper()
	if err := unix.Kill(m.pid, unix.SIGKILL); err != nil {
		m.t.Fatal(err)
	}
	if !ended(m.pid) {
		m.t.Fatalf("the daemon, process %d, survived SIGKILL", m.pid)
	}
	m.pid = 0
}

// ended reports whether a process has ended, giving it a moment.
func ended(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return true
		}
		if _, rest, ok := bytes.Cut(stat, []byte(") ")); ok && bytes.HasPrefix(rest, []byte("Z")) {
			return true // its parent has not looked yet
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

func (m *mount) logText() string {
	text, err := os.ReadFile(m.log)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.t.Error(err)
	}
	return string(text)
}

func (m *mount) logTail() string {
	const most = 400
	lines := strings.Split(m.logText(), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// status returns a number of /proc/PID/status of the daemon, bytes where it is
// in kB.
func (m *mount) status(field string) int64 {
	m.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == field {
			number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				m.t.Fatal(err)
			}
			if unit == "kB" {
				n <<= 10
			}
			return n
		}
	}
	m.t.Fatalf("no %s in the status of process %d", field, m.pid)
	return 0
}

// quarantined returns the contents of quarantine, seen through the mount.
func (m *mount) quarantined() []string {
	m.t.Helper()
	files, err := filepath.Glob(filepath.Join(m.dir, ".clawfs/quarantine/*"))
	if err != nil {
		m.t.Fatal(err)
	}
	var contents []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			m.t.Errorf("a copy in quarantine can't be read: %v", err)
		}
		contents = append(contents, string(text))
	}
	return contents
}

// quarantineDelay is the time that refused content may take to get to quarantine. It
// gets there when the last descriptor is gone. No system call waits for that.
const quarantineDelay = 3 * time.Second

// wantQuarantined waits until a content is in quarantine (P9).
func (m *mount) wantQuarantined(content string) {
	m.t.Helper()
	if !eventually(quarantineDelay, func() bool {
		for _, c := range m.quarantined() {
			if c == content {
				return true
			}
		}
		return false
	}) {
		m.t.Errorf("P9: not in quarantine: %s", short(content))
	}
}

// isEmpty ends the problem of a registry that nobody has filled.
const isEmpty = " is empty"

func withoutEmpty(problems []string) []string {
	return slices.DeleteFunc(problems, func(p string) bool { return strings.HasSuffix(p, isEmpty) })
}

// problemsIn lists the faults of a directory that is not mounted: each
// registry must be one strict document (P1), .clawfs the only addition (P8).
func problemsIn(dir string) []string {
	var problems []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case d.IsDir() && path == filepath.Join(dir, ".clawfs"),
			d.IsDir() && (name == ".git" || name == "node_modules" || strings.HasPrefix(name, "workspace")):
			return filepath.SkipDir
		case strings.HasPrefix(name, ".clawfs"):
			problems = append(problems, "unexpected "+path)
		case d.Type().IsRegular() && filepath.Ext(name) == ".json":
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if len(text) == 0 {
				problems = append(problems, name+isEmpty)
			} else if err := strict(text); err != nil {
				problems = append(problems, fmt.Sprintf("%s is invalid: %v: %s", name, err, short(string(text))))
			}
		}
		return nil
	})
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// strict says why a text is not one strict document. It is independent of the
// parser under test.
func strict(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	// With this option jsontext takes lone surrogates, as it should here.
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true))
	if err := d.SkipValue(); err != nil {
		return err
	}
	if kind := d.PeekKind(); kind != 0 {
		return errors.New("more than one document")
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return errors.New("something after the document")
	}
	return nil
}

func short(text string) string {
	const most = 160
	if len(text) > most {
		return fmt.Sprintf("%q… (%d bytes)", text[:most], len(text))
	}
	return strconv.Quote(text)
}

// eventually waits for a condition.
func eventually(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
