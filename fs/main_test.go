package fs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/fs/mountpoint"
	"clawfs/fs/process"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

// A client in the process that serves it can deadlock, so every mount under test
// is served by another process: this binary once more, told the mount by
// serveVariable.
const serveVariable = "CLAWFS_TEST_SERVE"

// transportVariable is the environment variable that names the transport of all mounts.
const transportVariable = "CLAWFS_TRANSPORT"

// serveConfig has the settings of the serving process.
type serveConfig struct {
	Dir, Mountpoint string
	Options         Options
	Descriptors     uint64 // limit that it can't raise; 0: as it is
	PanicOn         string // registry whose adoption panics
	NoSync          bool   // commits take no longer than they must
	Registries      bool   // each name is a registry's
}

func TestMain(m *testing.M) {
	if config := os.Getenv(serveVariable); config != "" {
		if err := serveForTest(config); err != nil {
			fmt.Fprintln(os.Stderr, "serve:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(runTests(m))
}

// runTests runs all tests below one temporary directory, and finds the things that
// they have left there.
func runTests(m *testing.M) int {
	if os.Getenv(posixVariable) != "" {
		return m.Run()
	}
	root, err := os.MkdirTemp("", "clawfs-fs-")
	if err == nil {
		err = errors.Join(os.Chmod(root, 0o755), os.Setenv("TMPDIR", root))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if left := mountsBelow(root); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "mounts left behind:", left)
		return 1
	}
	if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
		fmt.Fprintln(os.Stderr, "files left behind:", left, err)
		code = 1
	}
	_ = os.RemoveAll(root)
	return code
}

// serveForTest mounts, says so on standard output, and serves until standard
// input ends, as it does when the test's process is gone.
func serveForTest(config string) error {
	var c serveConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	if c.Descriptors != 0 {
		if err := limitDescriptors(c.Descriptors); err != nil {
			return err
		}
	}
	dir, err := mountpoint.Clear(c.Dir)
	if err != nil {
		return err
	}
	top, err := mountpoint.Clear(c.Mountpoint)
	if err != nil {
		return err
	}
	options := backing.Options{Without: slices.DeleteFunc(backing.Optimizations(), func(name string) bool { return !txntest.DoesWithout(name) })}
	if c.NoSync {
		options.Durability = backing.None
	}
	below, err := backing.Open(dir, options)
	if err != nil {
		return err
	}
	defer below.Close()
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if c.Options.Log, err = zap.NewDevelopment(); err != nil {
		return err
	}
	c.Options.Numbers = below.Numbers()
	if c.Registries {
		if c.Options.Patterns, err = NewPatterns([]string{"*"}, nil, nil, nil); err != nil {
			return err
		}
	}
	store := txn.New(below, txntest.Configured(txn.Config{Alive: process.Alive, Observer: panicOn(c.PanicOn)}))
	server, err := Mount(below.Fd(), store, top, c.Options)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	released := make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		released <- awaitReleased(store)
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "shutdown:", err)
			os.Exit(1)
		}
	}()
	server.Wait()
	err = store.CheckInvariants()
	select {
	case leaked := <-released:
		err = errors.Join(err, leaked)
	default: // it was unmounted from outside
	}
	if err != nil {
		return fmt.Errorf("the store contradicts itself: %w", err)
	}
	return store.Close()
}

// awaitReleased waits for the RELEASE of all that was opened. The kernel sends it after
// the close, and drops it at the unmount.
func awaitReleased(store *txn.Store) (err error) {
	for range 200 {
		if err = store.CheckReleased(); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// limitDescriptors lowers the limit for good. Root raises it again, unless the capability for
// that is out of its bounds, which counts from the next exec on.
func limitDescriptors(most uint64) error {
	bound, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, unix.CAP_SYS_RESOURCE, 0, 0, 0)
	if err != nil || bound == 1 && os.Geteuid() == 0 {
		runtime.LockOSThread()
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_RESOURCE, 0, 0, 0); err != nil {
			return err
		}
		return unix.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: most, Max: most})
}

// panicOn returns an observer that panics, as a handler's fault would, when it is
// told of a registry that was changed behind the mount.
func panicOn(name string) txn.Observer {
	return txn.ObserverFunc(func(e txn.Event) {
		if e.Name == name && e.Via == txn.ViaForeign {
			panic("a fault on purpose")
		}
	})
}

// mount is a mount under test.
type mount struct {
	t       *testing.T
	dir     string // below which everything happens
	backing string // the same directory without clawfs; empty in place
	cmd     *exec.Cmd
	stdin   io.Closer
	stderr  *lockedBuffer
	exited  chan error
}

// mountOn mounts one directory on another, which may be the same.
func mountOn(t *testing.T, dir, mountpoint string, configure ...func(*serveConfig)) *mount {
	t.Helper()
	m, err := startMount(t, dir, mountpoint, configure...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// inPlace mounts a new directory in place.
func inPlace(t *testing.T, configure ...func(*serveConfig)) *mount {
	t.Helper()
	dir := scratch(t)
	m := mountOn(t, dir, dir, configure...)
	m.backing = ""
	return m
}

// aside mounts a new directory on another one, so that changes below the mount can be seen, and
// made behind its back.
func aside(t *testing.T, configure ...func(*serveConfig)) *mount {
	t.Helper()
	return mountOn(t, scratch(t), scratch(t), configure...)
}

// scratch makes a directory that anybody may enter, on a real file system where
// one is at hand.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clawfs-fs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startMount(t *testing.T, dir, mountpoint string, configure ...func(*serveConfig)) (*mount, error) {
	t.Helper()
	needFUSE(t)
	c := serveConfig{Dir: dir, Mountpoint: mountpoint, Options: Options{AllowOther: os.Geteuid() == 0}}
	c.Options.Without = slices.DeleteFunc(Optimizations(), func(name string) bool { return !txntest.DoesWithout(name) })
	c.Options.Transport = os.Getenv(transportVariable)
	for _, f := range configure {
		f(&c)
	}
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	m := &mount{t: t, dir: mountpoint, backing: dir, stderr: &lockedBuffer{}, exited: make(chan error, 1)}
	m.cmd = exec.Command(os.Args[0])
	m.cmd.Env = append(os.Environ(), serveVariable+"="+string(config))
	m.cmd.Stderr = m.stderr
	stdin, err := m.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.stdin = stdin
	ready, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("ready\n"))
	_, readErr := io.ReadFull(ready, line)
	go func() { m.exited <- m.cmd.Wait() }()
	if readErr != nil {
		return nil, fmt.Errorf("the server did not start: %v\n%s", <-m.exited, m.stderr)
	}
	t.Cleanup(m.stop)
	return m, nil
}

// stop ends the server, by force if need be, and leaves no mount behind.
func (m *mount) stop() {
	if m.cmd == nil {
		return
	}
	_ = m.stdin.Close()
	select {
	case err := <-m.exited:
		if err != nil {
			m.t.Errorf("the server ended badly: %v\n%s", err, m.stderr)
		}
	case <-time.After(10 * time.Second):
		_ = unix.Unmount(m.dir, unix.MNT_DETACH)
		_ = m.cmd.Process.Kill()
		<-m.exited
		m.t.Errorf("the server did not end\n%s", m.stderr)
	}
	m.cmd = nil
	for len(mountsBelow(m.dir)) > 0 {
		m.t.Errorf("%s was left mounted", m.dir)
		if err := unix.Unmount(m.dir, unix.MNT_DETACH); err != nil {
			m.t.Fatal(err)
		}
	}
}

// kill ends the server as a crash does. Its mount stays, dead.
func (m *mount) kill() {
	m.t.Helper()
	if err := m.cmd.Process.Kill(); err != nil {
		m.t.Fatal(err)
	}
	<-m.exited
	m.cmd = nil
	m.t.Cleanup(func() { _ = unix.Unmount(m.dir, unix.MNT_DETACH) })
}

func (m *mount) path(name string) string { return filepath.Join(m.dir, name) }

// behind is the path of a name without clawfs.
func (m *mount) behind(name string) string { return filepath.Join(m.backing, name) }

// mountsBelow lists the mounts of clawfs on a directory and below it.
func mountsBelow(dir string) []string {
	mounts, err := mountinfo.GetMounts(func(info *mountinfo.Info) (skip, stop bool) {
		below := info.Mountpoint == dir || strings.HasPrefix(info.Mountpoint, dir+"/")
		return !below || info.FSType != mountpoint.FSType, false
	})
	if err != nil {
		return []string{err.Error()}
	}
	var paths []string
	for _, m := range mounts {
		paths = append(paths, m.Mountpoint)
	}
	return paths
}

func needFUSE(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("no /dev/fuse:", err)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to pass that ", what)
		}
	}
}

// lockedBuffer takes the server's log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// run runs a program and returns its output.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}
