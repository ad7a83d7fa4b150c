package backing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk is a file system in a file, mounted through a loop device.
type disk struct {
	t          *testing.T
	image, dir string
	options    string // for mount
	mounted    bool
}

// newDisk makes and mounts a file system of a size in MiB. It skips the test
// where that can't be done.
func newDisk(t *testing.T, kind string, mib int64, mkfs ...string) *disk {
	t.Helper()
	asRoot(t)
	d := &disk{t: t, image: filepath.Join(t.TempDir(), "image"), dir: t.TempDir(), options: "loop"}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, mib<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs."+kind, append(mkfs, "-q", d.image)...).CombinedOutput(); err != nil {
		t.Skipf("mkfs.%s: %v %s", kind, err, out)
	}
	t.Cleanup(func() {
		if d.mounted {
			_ = unix.Unmount(d.dir, unix.MNT_DETACH)
		}
	})
	if out, err := d.mount(); err != nil {
		t.Skipf("mount: %v %s", err, out)
	}
	return d
}

func (d *disk) mount() ([]byte, error) {
	out, err := exec.Command("mount", "-o", d.options, d.image, d.dir).CombinedOutput()
	d.mounted = err == nil
	return out, err
}

// remount mounts the file system anew, which recovers its journal.
func (d *disk) remount() {
	d.t.Helper()
	err := unix.EBUSY
	for try := 0; err == unix.EBUSY && try < 500; try++ {
		time.Sleep(10 * time.Millisecond)
		err, _ = unix.Unmount(d.dir, 0).(unix.Errno)
	}
	if err != 0 {
		d.t.Fatalf("unmount: %v", err)
	}
	if out, err := d.mount(); err != nil {
		d.t.Fatalf("mount: %v %s", err, out)
	}
}

// What a power failure takes with it.
const (
	flushLog     = 1 // everything but what is in the log
	flushNothing = 2 // everything that was not synced
)

// fail takes the power away.
func (d *disk) fail(how uint32) {
	d.t.Helper()
	fd, err := unix.Open(d.dir, unix.O_RDONLY, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer unix.Close(fd)
	const shutdown = 0x8004587d // _IOR('X', 125, __u32)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		d.t.Fatalf("shutdown: %v", errno)
	}
}

// powerCut has a process commit, and takes the power away under it.
func (d *disk) powerCut(c *tally, durability string, how uint32) {
	d.t.Helper()
	l := startLoad(d.t, d.dir, durability, 0)
	wait := time.Duration(20+rand.IntN(200)) * time.Millisecond
	var grace time.Duration // how old an acknowledgement must be to count
	if durability == "interval" {
		grace = 4 * loadInterval // the interval, and a moment for the sync itself
		wait += grace
	}
	l.running(d.t, wait)
	before := time.Now().Add(-grace)
	d.fail(how)
	if grace == 0 {
		before = time.Now().Add(time.Hour) // all that it says until it ends
	}
	if err := l.cmd.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	l.wait(d.t)
	d.remount()
	c.check(d.t, d.dir, l, before)
}

func newPowerDisk(t *testing.T, kind string) *disk {
	if kind == "xfs" {
		return newDisk(t, kind, 320)
	}
	return newDisk(t, kind, 64, "-F")
}

// The power fails under load. What was acknowledged is there afterwards, on each
// file system, whether the log was flushed last or not.
func TestPowerFailure(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		for _, durability := range []string{"fsync", "interval"} {
			t.Run(kind+" "+durability, func(t *testing.T) {
				d := newPowerDisk(t, kind)
				c := &tally{fault: fmt.Sprintf("power failure under load, --durability=%s (%s)", durability, kind)}
				for i := range rounds(t, "CLAWFS_POWER", 2) {
					d.powerCut(c, durability, [...]uint32{flushNothing, flushLog}[i%2])
				}
				c.report(t)
			})
		}
	}
}

// The control: without the sync of the directory the same failures lose
// acknowledged writes. If they don't, the tests above show nothing.
func TestPowerFailureNoticesAMissingSync(t *testing.T) {
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			d := newPowerDisk(t, kind)
			c := &tally{fault: fmt.Sprintf("control: power failure without the directory's fsync (%s)", kind)}
			for c.lost == 0 && c.tried < 20 || c.tried < rounds(t, "CLAWFS_POWER", 1) {
				d.powerCut(c, "no directory fsync", flushNothing)
			}
			t.Logf("CONTROL|%s|%d|%d|%d|%d|%d", c.fault, c.tried, c.acknowledged, c.lost, c.invalid, c.unkept)
			if c.lost == 0 {
				t.Error("nothing was lost in 20 failures")
			}
		})
	}
}

// A disk that is dead says so: no commit is acknowledged on it, and what was
// there is there when it comes back.
func TestDeadDisk(t *testing.T) {
	d := newPowerDisk(t, "ext4")
	b := &bench{T: t, path: d.dir}
	b.open()
	stamp := b.commits("a", 2)
	d.fail(flushNothing)
	if _, ok, err := b.try("a", stamp, 3, 2, "v3"); err == nil || ok && !uncertain(err) {
		t.Errorf("Commit on a dead disk: ok=%v, %v", ok, err)
	}
	if _, err := b.d.Quarantine("a", []byte("x"), []byte("{}")); err == nil {
		t.Error("Quarantine on a dead disk: no error")
	}
	_ = b.d.Close()
	d.remount()
	b.open()
	defer b.close()
	b.wantLive("a", "v2")
	b.wantKept("a", "1:v1")
}

func uncertain(err error) bool {
	var u *UncertainError
	return errors.As(err, &u)
}
