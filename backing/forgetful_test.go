package backing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/backing/backingtest"
)

// A disk has a cache that it writes out when it is told to flush it. When the power fails, each
// block that was written since then may be there or not, in no order. A shutdown of the file
// system above, as in power_test.go, does not show that: all that the file system has written
// is there afterwards.
//
// Here the file system lies in a file, and that on a small FUSE file system, which is told
// of each write and, by fsync, of each flush.

// forgetfulEnv tells a child of a test where to mount.
const forgetfulEnv = "CLAWFS_TEST_FORGETFUL"

// diskBlock is the unit that a disk writes as a whole.
const diskBlock = 4096

// forgetfulDisk is a disk whose cache is lost when the power fails.
type forgetfulDisk struct {
	*backingtest.Disk

	t       *testing.T
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader

	written, forgotten int // blocks that were in the cache, in all failures
}

func newForgetfulDisk(t *testing.T, kind string, options ...string) *forgetfulDisk {
	t.Helper()
	asRoot(t)
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	d := &forgetfulDisk{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestForgetfulDiskChild$")}
	d.cmd.Env = append(os.Environ(), forgetfulEnv+"="+dir)
	d.cmd.Stderr = os.Stderr
	in, err := d.cmd.StdinPipe()
	out, err2 := d.cmd.StdoutPipe()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.orders, d.answers = in, bufio.NewReader(out)
	t.Cleanup(d.end)
	if got := d.answer(); got != "mounted\n" {
		t.Fatalf("no disk: %q", got)
	}
	d.Disk = backingtest.NewPowerDiskIn(t, filepath.Join(dir, imageName), kind, options...)
	t.Cleanup(d.Unmount)
	return d
}

func (d *forgetfulDisk) end() {
	d.orders.Close()
	if err := d.cmd.Wait(); err != nil {
		d.t.Error(err)
	}
}

func (d *forgetfulDisk) answer() string {
	d.t.Helper()
	line, err := d.answers.ReadString('\n')
	if err != nil {
		d.t.Fatal(err)
	}
	return line
}

// cut takes the power away: the disk is dead.
func (d *forgetfulDisk) cut() {
	d.t.Helper()
	fmt.Fprintln(d.orders, "cut")
	var written, forgotten int
	if _, err := fmt.Sscanf(d.answer(), "cut %d %d", &written, &forgotten); err != nil {
		d.t.Fatal(err)
	}
	d.written, d.forgotten = d.written+written, d.forgotten+forgotten
}

// revive gives the power back.
func (d *forgetfulDisk) revive() {
	d.t.Helper()
	d.Unmount()
	fmt.Fprintln(d.orders, "on")
	if got := d.answer(); got != "on\n" {
		d.t.Fatalf("answered %q", got)
	}
	d.Mount()
}

const imageName = "image"

// TestForgetfulDiskChild is the process that serves the file that a disk is.
func TestForgetfulDiskChild(t *testing.T) {
	dir := os.Getenv(forgetfulEnv)
	if dir == "" {
		t.Skip("for a child of another test")
	}
	disk, err := newDiskFile()
	if err != nil {
		t.Fatal(err)
	}
	_, err = fs.Mount(dir, &diskRoot{disk: disk}, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, MaxWrite: 512 << 10}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("mounted")
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		switch orders.Text() {
		case "cut":
			written, forgotten := disk.cut()
			fmt.Println("cut", written, forgotten)
		case "on":
			disk.revive()
			fmt.Println("on")
		}
	}
	if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	os.Stdout.Close() // nothing but answers is written there
}

// diskRoot is the directory with the file.
type diskRoot struct {
	fs.Inode
	disk *diskFile
}

func (r *diskRoot) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if name != imageName {
		return nil, nil, 0, unix.EPERM
	}
	node := r.NewPersistentInode(ctx, r.disk, fs.StableAttr{Mode: unix.S_IFREG})
	r.disk.attr(&out.Attr)
	return node, nil, fuse.FOPEN_DIRECT_IO, 0
}

// diskFile has the content of the disk, and that of its cache.
type diskFile struct {
	fs.Inode

	mu      sync.Mutex // guards the fields below
	now     *os.File   // as its readers see it
	flushed *os.File   // the flushed content
	size    int64
	cache   []written // since the last flush, oldest first
	dead    bool
	atFlush chan struct{} // closed by the next flush, which comes too late; nil: none does
}

// written is one block that was written, or a part of it.
type written struct {
	at   int64
	data []byte
}

func newDiskFile() (*diskFile, error) {
	f := &diskFile{}
	for _, p := range []**os.File{&f.now, &f.flushed} {
		file, err := os.CreateTemp("", "disk")
		if err == nil {
			err = os.Remove(file.Name())
		}
		if err != nil {
			return nil, err
		}
		*p = file
	}
	return f, nil
}

func (f *diskFile) attr(out *fuse.Attr) {
	out.Mode, out.Nlink = unix.S_IFREG|0o600, 1
	out.Size, out.Blocks = uint64(f.size), uint64(f.size)/512
}

// Getattr is NodeGetattrer's.
func (f *diskFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attr(&out.Attr)
	return 0
}

// Setattr is NodeSetattrer's.
func (f *diskFile) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		f.size = int64(size)
		if err := errors.Join(f.now.Truncate(f.size), f.flushed.Truncate(f.size)); err != nil {
			return unix.EIO
		}
	}
	f.attr(&out.Attr)
	return 0
}

// Open is NodeOpener's.
func (f *diskFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

// Read is NodeReader's.
func (f *diskFile) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, unix.EIO
	}
	n, err := f.now.ReadAt(dest, off)
	if err != nil && err != io.EOF {
		return nil, unix.EIO
	}
	return fuse.ReadResultData(dest[:n]), 0
}

// Write is NodeWriter's.
func (f *diskFile) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return 0, unix.EIO
	}
	if _, err := f.now.WriteAt(data, off); err != nil {
		return 0, unix.EIO
	}
	f.size = max(f.size, off+int64(len(data)))
	for at, rest := off, append([]byte(nil), data...); len(rest) > 0; {
		n := min(int64(len(rest)), diskBlock-at%diskBlock)
		f.cache = append(f.cache, written{at, rest[:n]})
		at, rest = at+n, rest[n:]
	}
	return uint32(len(data)), 0
}

// Fsync is NodeFsyncer's: the disk flushes its cache.
func (f *diskFile) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.atFlush != nil {
		close(f.atFlush)
		f.atFlush, f.dead = nil, true
	}
	if f.dead || !f.keep(1) {
		return unix.EIO
	}
	return 0
}

// keep writes each block in the cache to the disk with that probability. It returns false
// where that fails.
func (f *diskFile) keep(probability float64) bool {
	for _, w := range f.cache {
		if rand.Float64() >= probability {
			continue
		}
		if _, err := f.flushed.WriteAt(w.data, w.at); err != nil {
			return false
		}
	}
	f.cache = nil
	return true
}

// fillCache waits, most times, for the next flush, and has that fail.
func (f *diskFile) fillCache() {
	if rand.IntN(4) == 0 {
		return
	}
	full := make(chan struct{})
	f.mu.Lock()
	f.atFlush = full
	f.mu.Unlock()
	select {
	case <-full:
	case <-time.After(100 * time.Millisecond):
	}
}

// cut takes the power away: of the cache a part is on the disk, or nothing. It
// returns how many blocks were in the cache and how many of them were forgotten, about.
func (f *diskFile) cut() (written, forgotten int) {
	f.fillCache()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.atFlush = nil
	kept := rand.Float64() * float64(rand.IntN(3)) / 2 // often nothing
	written = len(f.cache)
	forgotten = int(float64(written) * (1 - kept))
	f.dead = true
	blocks := f.cache
	ok := f.keep(kept)
	for _, w := range blocks {
		b := make([]byte, len(w.data))
		_, err := f.flushed.ReadAt(b, w.at)
		if err == nil || err == io.EOF {
			_, err = f.now.WriteAt(b, w.at)
		}
		ok = ok && err == nil
	}
	if !ok {
		panic("the file below the disk fails")
	}
	return written, forgotten
}

// revive gives the power back.
func (f *diskFile) revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = false
}

// forget has a process commit, and takes the power away under it. Answers to the process from
// before count, as in powerCut.
func (c *tally) forget(t *testing.T, d *forgetfulDisk, durability string) {
	t.Helper()
	l := startLoad(t, d.Dir, durability, 0)
	l.running(t, time.Duration(20+rand.IntN(200))*time.Millisecond)
	failed := time.Now()
	d.cut()
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l.wait(t)
	d.revive()
	c.check(t, d.Dir, l, failed)
}

// skipDisorder leaves out, but for scripts/faults, file systems that a failure may leave in
// such disorder that nothing can be counted: without a journal, or never flushed.
func skipDisorder(t *testing.T, kind, options string) {
	t.Helper()
	if (kind == "ext2" || options != "") && os.Getenv("CLAWFS_POWER") == "" {
		t.Skip("the file system may be in disorder afterwards")
	}
}

// The power fails under load, and the disk forgets a random part of the writes since it was
// flushed. Acknowledged commits are there afterwards, with one sync a commit and with two.
func TestPowerFailureOfAForgetfulDisk(t *testing.T) {
	for _, c := range []struct{ kind, durability string }{
		{"ext4", "one sync"}, {"ext4", "two syncs"}, {"xfs", "one sync"}, {"xfs", "two syncs"}, {"ext2", "two syncs"},
	} {
		t.Run(c.kind+" "+c.durability, func(t *testing.T) {
			skipDisorder(t, c.kind, "")
			d := newForgetfulDisk(t, c.kind)
			fault := &tally{fault: fmt.Sprintf("power failure under load, the disk forgets what was not flushed, %s (%s)", c.durability, c.kind)}
			fault.broken = c.kind == "ext2" // it has no order but that of syncs
			fault.whole = !fault.broken
			for range rounds(t, "CLAWFS_POWER", 2) {
				fault.forget(t, d, c.durability)
			}
			fault.report(t)
			t.Logf("%d of %d blocks forgotten", d.forgotten, d.written)
		})
	}
}

// The controls: one sync is too few where the mount says that the disk is not flushed, where there is no
// journal, and where the content was not handed to the device. If nothing is lost then, the
// test above shows nothing.
func TestPowerFailureNoticesOneSyncTooFew(t *testing.T) {
	for _, c := range []struct{ kind, options, durability string }{
		{"ext4", "nobarrier", "one sync"},
		{"ext2", "", "one sync"},
		{"ext4", "", "one sync, nothing written"},
		{"xfs", "", "one sync, nothing written"},
	} {
		name := strings.TrimSpace(c.kind + " " + c.options)
		t.Run(name+" "+c.durability, func(t *testing.T) {
			skipDisorder(t, c.kind, c.options)
			d := newForgetfulDisk(t, c.kind, strings.Fields(c.options)...)
			fault := &tally{fault: fmt.Sprintf("control: the same on %s, %s", name, c.durability), broken: true}
			for fault.lost+fault.invalid == 0 && fault.tried < 20 || fault.tried < rounds(t, "CLAWFS_POWER", 1) {
				fault.forget(t, d, c.durability)
			}
			t.Logf("FAULT|%s|%d|%d|%d|%d|%d", fault.fault, fault.tried, fault.acknowledged, fault.lost, fault.invalid, fault.unkept)
			if fault.lost+fault.invalid == 0 {
				t.Error("nothing was lost in 20 failures")
			}
		})
	}
}
