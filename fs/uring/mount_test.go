package uring

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// clientVariable makes this binary a client of a mount: it opens the file that the
// variable names, says so, and ends. A client must be another process.
const clientVariable = "CLAWFS_TEST_URING_CLIENT"

func TestMain(m *testing.M) {
	if file := os.Getenv(clientVariable); file != "" {
		fd, err := unix.Open(file, unix.O_RDONLY, 0)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("opened")
		_, _ = io.Copy(io.Discard, os.Stdin)
		unix.Close(fd)
		os.Exit(0)
	}
	log.SetOutput(io.Discard) // go-fuse reports there each request that it can't read
	os.Exit(m.Run())
}

// mount is a small file system that a test has mounted.
type mount struct {
	t        *testing.T
	dir      string
	server   *Server
	notifier *Notifier
	log      *logBuffer
	gate     chan struct{} // an open of the file "gate" waits for it
	waiting  atomic.Int32  // how many do
	given    atomic.Int32  // how many have given up
	forgot   atomic.Int64  // references that the kernel has given back
	opened   atomic.Int64  // files, and
	released atomic.Int64
	ended    chan struct{}
}

type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// needRing skips a test where FUSE over io_uring can't be had, or the process can't mount.
func needRing(t testing.TB) {
	t.Helper()
	if err := Check(); err != nil {
		t.Skip(err)
	}
	if os.Getuid() != 0 {
		t.Skip("only root mounts here")
	}
}

// quickly are the requests of the small file system that wait for nothing.
func quickly(r Request) bool {
	return r.Opcode == OpLookup || r.Opcode == OpGetattr || r.Opcode == OpRead || r.Opcode == OpRelease && r.Flags&unix.O_ACCMODE == unix.O_RDONLY
}

// newMount mounts the small file system until the test ends.
func newMount(t *testing.T, plan Plan) *mount { return newMountOf(t, plan, quickly) }

// newMountOf mounts it with other requests handled as quick ones.
func newMountOf(t *testing.T, plan Plan, quick func(Request) bool) *mount {
	t.Helper()
	return newMountOn(t, t.TempDir(), plan, quick)
}

// newMountOn mounts it on a directory.
func newMountOn(t *testing.T, dir string, plan Plan, quick func(Request) bool) *mount {
	t.Helper()
	needRing(t)
	m := &mount{t: t, dir: dir, notifier: &Notifier{}, log: &logBuffer{}, gate: make(chan struct{}), ended: make(chan struct{})}
	raw := counted{fs.NewNodeFS(&rootNode{mount: m}, &fs.Options{ServerCallbacks: m.notifier}), m}
	o := &fuse.MountOptions{MaxWrite: plan.MaxWrite, MaxBackground: 64, Logger: log.New(m.log, "", 0)}
	var err error
	if m.server, err = NewServer(raw, o, plan, m.notifier, quick); err != nil {
		t.Fatal(err)
	}
	fd, err := mountDevice(m.dir)
	if err != nil {
		m.server.Close()
		t.Fatal(err)
	}
	t.Cleanup(m.finish)
	if err := m.server.Start(fd); err != nil {
		_ = unix.Unmount(m.dir, unix.MNT_DETACH)
		m.server.Close()
		close(m.ended)
		t.Fatal(err)
	}
	go func() {
		m.server.Serve()
		close(m.ended)
	}()
	return m
}

func mountDevice(dir string) (int, error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = unix.Mount("test", dir, "fuse.test", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd))
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// finish unmounts, and waits for the server's end.
func (m *mount) finish() {
	_ = unix.Unmount(m.dir, unix.MNT_DETACH)
	m.awaitEnd()
	if text := m.log.String(); text != "" {
		m.t.Errorf("logged: %s", text)
	}
}

func (m *mount) awaitEnd() {
	m.t.Helper()
	select {
	case <-m.ended:
	case <-time.After(time.Minute):
		m.t.Error("the server does not end")
	}
}

// sh has a shell run a script in the mount, and returns its output.
func (m *mount) sh(script string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sh", "-ec", `cd "$1"; eval "$2"`, "sh", m.dir, script).CombinedOutput()
	if err != nil {
		m.t.Errorf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// client is a process that opens a file of the mount.
type client struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
	stdin io.Closer
}

func (m *mount) open(name string) *client { return m.openOn("0-1023", name) }

// openOn has the client run on some processors, told as to taskset.
func (m *mount) openOn(processors, name string) *client {
	m.t.Helper()
	self, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	cmd := exec.Command("taskset", "-c", processors, self)
	cmd.Env = append(os.Environ(), clientVariable+"="+filepath.Join(m.dir, name))
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &client{cmd, bufio.NewReader(out), in}
}

// said returns the client's report on its open.
func (c *client) said() string {
	line, _ := c.lines.ReadString('\n')
	return strings.TrimSpace(line)
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
	}
}

// counted counts the objects that the kernel takes and gives back.
type counted struct {
	fuse.RawFileSystem
	m *mount
}

func (c counted) Forget(id, count uint64) {
	c.m.forgot.Add(int64(count))
	c.RawFileSystem.Forget(id, count)
}

func (c counted) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	status := c.RawFileSystem.Open(cancel, in, out)
	if status.Ok() {
		c.m.opened.Add(1)
	}
	return status
}

func (c counted) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	c.m.released.Add(1)
	c.RawFileSystem.Release(cancel, in)
}

// rootNode is the directory: "data" holds bytes, "who" names the process that asks,
// "gate" is opened when the test says so. Every name that begins with "n" is there.
type rootNode struct {
	fs.Inode
	mount *mount
}

func (n *rootNode) OnAdd(ctx context.Context) {
	for name, child := range map[string]fs.InodeEmbedder{
		"data": &fs.MemRegularFile{Attr: fuse.Attr{Mode: 0o666}},
		"who":  &whoNode{},
		"gate": &gateNode{mount: n.mount},
	} {
		n.AddChild(name, n.NewPersistentInode(ctx, child, fs.StableAttr{Mode: unix.S_IFREG}), false)
	}
}

func (n *rootNode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if child := n.GetChild(name); child != nil {
		return child, 0
	}
	if !strings.HasPrefix(name, "n") {
		return nil, unix.ENOENT
	}
	return n.NewInode(ctx, &fs.MemRegularFile{}, fs.StableAttr{Mode: unix.S_IFREG}), 0
}

type whoNode struct{ fs.Inode }

func (n *whoNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	c, _ := fuse.FromContext(ctx)
	return whoHandle(fmt.Sprintf("%d %d %d\n", c.Pid, c.Uid, c.Gid)), fuse.FOPEN_DIRECT_IO, 0
}

func (n *whoNode) Getattr(ctx context.Context, f fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = 0o444
	return 0
}

type whoHandle string

func (h whoHandle) Read(ctx context.Context, into []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return fuse.ReadResultData([]byte(h)[min(int(off), len(h)):]), 0
}

type gateNode struct {
	fs.Inode
	mount *mount
}

func (n *gateNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	n.mount.waiting.Add(1)
	select {
	case <-n.mount.gate:
		return nil, 0, 0
	case <-ctx.Done():
		n.mount.given.Add(1)
		return nil, 0, unix.EINTR
	}
}
