package viewtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// patience is how long anything may take on a machine that is busy with other things.
const patience = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

// runTests runs all tests below one temporary directory and finds their leftovers
// there.
func runTests(m *testing.M) int {
	root, err := os.MkdirTemp("", "clawfs-page-")
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err == nil {
		err = errors.Join(os.Chmod(root, 0o755), os.Mkdir(filepath.Join(root, "bin"), 0o755), os.Mkdir(filepath.Join(root, "tmp"), 0o777),
			os.Setenv("TMPDIR", filepath.Join(root, "tmp")), os.Unsetenv("XDG_RUNTIME_DIR"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	endBrowser()
	for _, left := range leftovers(root) {
		fmt.Fprintln(os.Stderr, "left behind:", left)
		code = max(code, 1)
	}
	if err := os.RemoveAll(root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// leftovers lists mounts and files below root that should not be there. It also takes them
// away.
func leftovers(root string) []string {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(root))
	if err != nil {
		return []string{err.Error()}
	}
	var left []string
	for _, m := range mounts {
		left = append(left, "mount on "+m.Mountpoint)
		_ = unix.Unmount(m.Mountpoint, unix.MNT_DETACH)
	}
	files, err := filepath.Glob(filepath.Join(root, "tmp", "*"))
	if err != nil {
		left = append(left, err.Error())
	}
	return append(left, files...)
}

// build returns the path of the program under test, which the first caller builds.
var build = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("CLAWFS_BINARY"); given != "" {
		return filepath.Abs(given)
	}
	path := filepath.Join(filepath.Dir(os.TempDir()), "bin", "clawfs")
	if out, err := exec.Command("go", "build", "-o", path, "clawfs/cmd/clawfs").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build clawfs/cmd/clawfs: %w\n%s", err, out)
	}
	return path, nil
})

// program returns the program under test.
func program(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// clawfs runs a command, which must succeed, and returns its output.
func clawfs(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command(program(t), args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("clawfs %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return string(out)
}

// newMount mounts clawfs on a directory of the test's own.
func newMount(t testing.TB, flags ...string) string {
	t.Helper()
	parent, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if m, err := mountinfo.Mounted(dir); err == nil && m {
			if out, err := exec.Command(program(t), "unmount", "--force", dir).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
				_ = unix.Unmount(dir, unix.MNT_DETACH)
			}
		}
	})
	clawfs(t, append(append([]string{"mount", "--log-file", filepath.Join(parent, "log")}, flags...), dir)...)
	return dir
}

// sh runs a script of ordinary programs in a directory, and returns its output.
func sh(t testing.TB, dir, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-eu", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// server is a clawfs view that serves.
type server struct {
	cmd      *exec.Cmd
	entrance string // the address that it has printed
	base     string // … without the token that lets a browser in
	file     string // that leads there
	said     *bufio.Reader
	once     sync.Once
}

// serve starts clawfs view.
func serve(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{cmd: exec.Command(program(t), append([]string{"view"}, args...)...)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(t) })
	if s.entrance, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("clawfs view says no address: %v", err)
	}
	s.entrance = strings.TrimSpace(s.entrance)
	s.base, _, _ = strings.Cut(s.entrance, "/enter")
	s.said = bufio.NewReader(said)
	line, err := s.said.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s.file = strings.TrimSpace(line[strings.LastIndex(line, " "):])
	return s
}

// end ends the server as Ctrl-C does. It must end well and leave no file.
func (s *server) end(t testing.TB) {
	s.once.Do(func() {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
		late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
		defer late.Stop()
		said, _ := io.ReadAll(s.said)
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("clawfs view ends with %v: %s", err, said)
		}
		if _, err := os.Stat(s.file); s.file != "" && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("clawfs view has left %s", s.file)
		}
	})
}

// The browser of all tests; each has a profile of its own in it.
var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel func()
	err    error
}

func startBrowser() (context.Context, error) {
	browser.once.Do(func() {
		path, err := exec.LookPath("chromium")
		if err != nil {
			browser.err = err
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.Flag("no-sandbox", os.Geteuid() == 0), chromedp.Flag("no-proxy-server", true),
			chromedp.Flag("headless", "new"), chromedp.WSURLReadTimeout(patience))
		all, endAll := chromedp.NewExecAllocator(context.Background(), options...)
		one, end := chromedp.NewContext(all)
		browser.ctx, browser.cancel = one, func() {
			_ = chromedp.Cancel(one) // waits for the browser to end
			end()
			endAll()
		}
		browser.err = chromedp.Do(one)
	})
	return browser.ctx, browser.err
}

func endBrowser() {
	if browser.cancel != nil {
		browser.cancel()
	}
}
