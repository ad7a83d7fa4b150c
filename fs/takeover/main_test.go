package takeover_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
	"clawfs/fs/takeover"
)

// The processes of a test are this program again, told its role by the first argument.
const (
	beSupervisor = "be-supervisor"
	beAnother    = "be-another-supervisor"
	beDaemon     = "be-daemon"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		var err error
		switch os.Args[1] {
		case beSupervisor, beAnother:
			err = supervise(os.Args[1], os.Args[2])
		case beDaemon:
			err = serve(os.Args[2])
		default:
			os.Exit(m.Run())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A place is where a test runs: a directory with the mountpoint, and files by which its
// processes say their steps.
type place string

func (p place) mountpoint() string { return filepath.Join(string(p), "mnt") }

// say adds a line to the file of that name.
func (p place) say(name, line string) {
	f, err := os.OpenFile(filepath.Join(string(p), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintln(f, line)
		f.Close()
	}
}

// said returns the lines of that file.
func (p place) said(name string) []string {
	text, _ := os.ReadFile(filepath.Join(string(p), name))
	return strings.Fields(string(text))
}

// has reports whether there is a file of that name.
func (p place) has(name string) bool {
	_, err := os.Stat(filepath.Join(string(p), name))
	return err == nil
}

// patience is how long a test waits for an event that must come: a busy machine takes long.
const patience = 2 * time.Minute

// eventually waits until something is so, and reports whether it is.
func eventually(is func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return true
		}
	}
	return is()
}

// awaits returns the lines of a file once there are n.
func (p place) awaits(t *testing.T, name string, n int) []string {
	t.Helper()
	if !eventually(func() bool { return len(p.said(name)) >= n }) {
		t.Fatalf("%s has %q, wanted %d lines", name, p.said(name), n)
	}
	return p.said(name)
}

// A place that has the file asked has daemons that are asked often, and are replaced as often as need
// be: on a busy machine one that is well may be late with its answer. Else none is asked, so that one
// dies only where a test kills it.
const asked = "asked"

// deathsAtMost is after how many deaths a mount is given up.
const deathsAtMost = 4

func (p place) policy() takeover.Policy {
	if p.has(asked) {
		return takeover.Policy{Most: 1000, Within: time.Minute, Ask: 300 * time.Millisecond}
	}
	return takeover.Policy{Most: deathsAtMost, Within: time.Hour, Ask: time.Hour}
}

func supervise(role, dir string) error {
	p := place(dir)
	p.say("supervisors", strconv.Itoa(os.Getpid()))
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := zap.NewDevelopment(zap.AddStacktrace(zap.FatalLevel))
	if err != nil {
		return err
	}
	s := takeover.Supervisor{
		Daemon: []string{self, beDaemon, dir}, Another: []string{self, beAnother, dir},
		Policy: p.policy(), Log: log, Output: os.Stderr,
		Ready:   func(pid int) error { p.say("ready", strconv.Itoa(pid)); return nil },
		Abandon: func(dir string) error { return unix.Unmount(dir, unix.MNT_DETACH) },
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if role == beAnother {
		return s.Adopt(takeover.SocketFD, signals)
	}
	return s.Run(signals)
}

// serve is the daemon of a file system of one file, "f".
func serve(dir string) error {
	p := place(dir)
	p.say("daemons", strconv.Itoa(os.Getpid()))
	if p.has("fail") {
		os.Exit(7)
	}
	log, err := zap.NewDevelopment(zap.AddStacktrace(zap.FatalLevel))
	if err != nil {
		return err
	}
	k, err := takeover.Join(takeover.SocketFD, log, func() {}, func() {})
	if err != nil {
		return err
	}
	fs := &oneFile{RawFileSystem: fuse.NewDefaultRawFileSystem(), place: p, generation: k.Past().Generation}
	o := &fuse.MountOptions{Name: "takeover-test", FsName: "takeover-test"}
	server, err := connect(fs, k, o, p)
	if err != nil {
		return err
	}
	taken := make(chan os.Signal, 1)
	signal.Notify(taken, syscall.SIGTERM)
	go func() {
		<-taken
		_ = unix.Unmount(p.mountpoint(), unix.MNT_DETACH)
	}()
	if err := k.Serves(); err != nil {
		return err
	}
	server.Serve()
	k.Release()
	return nil
}

func connect(fs fuse.RawFileSystem, k *takeover.Keeper, o *fuse.MountOptions, p place) (*takeover.Server, error) {
	if c := k.Connection(); c != nil {
		server := takeover.NewServer(fs, o, func() {}, func(uint64) {})
		return server, server.Resume(c)
	}
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	data := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", device)
	if err := unix.Mount(o.FsName, p.mountpoint(), "fuse."+o.Name, unix.MS_NOSUID|unix.MS_NODEV, data); err != nil {
		return nil, err
	}
	server := takeover.NewServer(fs, o, func() {}, func(uint64) {})
	init, answer, err := server.Begin(device)
	if err != nil {
		return nil, err
	}
	if !takeover.CanResend(init) {
		return nil, fmt.Errorf("this kernel can't send requests again")
	}
	memory, err := unix.MemfdCreate("takeover-test", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return server, k.Keep(takeover.Connection{Dir: p.mountpoint(), Init: init, Answer: answer, Device: device, Root: device, Memory: memory})
}

// oneFile has one file, whose readings of the first daemon never end where the test wants
// that, and else name the process that answers.
type oneFile struct {
	fuse.RawFileSystem
	place      place
	generation int
}

const fileID = 2

func (o *oneFile) attr(id uint64, out *fuse.Attr) fuse.Status {
	switch id {
	case fuse.FUSE_ROOT_ID:
		out.Mode = unix.S_IFDIR | 0o755
	case fileID:
		out.Mode, out.Size = unix.S_IFREG|0o644, 4096
	default:
		return fuse.ENOENT
	}
	out.Ino = id
	return fuse.OK
}

func (o *oneFile) Lookup(_ <-chan struct{}, _ *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if name != "f" {
		return fuse.ENOENT
	}
	out.NodeId = fileID
	return o.attr(fileID, &out.Attr)
}

func (o *oneFile) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return o.attr(in.NodeId, &out.Attr)
}

func (o *oneFile) Open(_ <-chan struct{}, _ *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	out.OpenFlags = fuse.FOPEN_DIRECT_IO
	return fuse.OK
}

func (o *oneFile) Read(_ <-chan struct{}, in *fuse.ReadIn, _ []byte) (fuse.ReadResult, fuse.Status) {
	if in.Offset > 0 {
		return fuse.ReadResultData(nil), fuse.OK
	}
	o.place.say("reads", strconv.Itoa(o.generation))
	if o.place.has("hold") && o.generation == 1 {
		select {}
	}
	text := fmt.Sprintf("generation %d, resent %t\n", o.generation, takeover.IsResent(in.Unique))
	return fuse.ReadResultData([]byte(text)), fuse.OK
}

// newPlace starts a supervisor and waits until its daemon serves. The processes are gone
// when the test ends.
func newPlace(t *testing.T, files ...string) (place, *exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts without help")
	}
	p := place(t.TempDir())
	if err := os.Mkdir(p.mountpoint(), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		p.say(name, "yes")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, beSupervisor, string(p))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Unmount(p.mountpoint(), unix.MNT_DETACH)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		for _, name := range []string{"daemons", "supervisors"} {
			for _, pid := range p.said(name) {
				p.isGone(t, pid)
			}
		}
	})
	p.awaits(t, "ready", 1)
	return p, cmd
}

// isGone waits until a process has ended.
func (p place) isGone(t *testing.T, pid string) {
	t.Helper()
	gone := eventually(func() bool {
		line, err := os.ReadFile("/proc/" + pid + "/cmdline")
		return err != nil || !strings.Contains(string(line), string(p))
	})
	if !gone {
		t.Errorf("process %s lives", pid)
	}
}

// holdsDevice waits until a process holds the connection.
func holdsDevice(t *testing.T, pid string) {
	t.Helper()
	holds := eventually(func() bool {
		fds, _ := filepath.Glob("/proc/" + pid + "/fd/*")
		return slices.ContainsFunc(fds, func(fd string) bool {
			to, err := os.Readlink(fd)
			return err == nil && to == "/dev/fuse"
		})
	})
	if !holds {
		t.Fatalf("process %s does not hold the connection", pid)
	}
}

// stopsDaemon stops the daemon that serves just now, and returns the generation of that.
func (p place) stopsDaemon(t *testing.T) int {
	t.Helper()
	generation := 0
	stopped := eventually(func() bool {
		daemons := p.said("daemons")
		generation = len(daemons)
		pid, err := strconv.Atoi(daemons[generation-1])
		return err == nil && unix.Kill(pid, unix.SIGSTOP) == nil && eventually(func() bool {
			return mountpoint.IsStopped(pid) || unix.Kill(pid, 0) != nil
		})
	})
	if !stopped {
		t.Fatal("no daemon could be stopped")
	}
	return generation
}

func signalTo(t *testing.T, pid string, s unix.Signal) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err == nil {
		err = unix.Kill(n, s)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// cat reads the file by another process.
func (p place) cat(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "cat", filepath.Join(p.mountpoint(), "f")).CombinedOutput()
	if err != nil {
		return err.Error() + ": " + string(out)
	}
	return string(out)
}
