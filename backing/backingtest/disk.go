package backingtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Disk is a file system in a file, mounted through a loop device.
type Disk struct {
	Dir string // where it is mounted

	t       testing.TB
	image   string
	kind    string
	options string // for mount
	mounted bool
}

// NewDisk makes and mounts a file system of a size in MiB. It skips the test
// where that can't be done.
func NewDisk(t testing.TB, kind string, mib int64, mkfs ...string) *Disk {
	t.Helper()
	return newDisk(t, filepath.Join(t.TempDir(), "image"), kind, "loop", mib, mkfs)
}

func newDisk(t testing.TB, image, kind, options string, mib int64, mkfs []string) *Disk {
	t.Helper()
	asRoot(t)
	d := &Disk{t: t, image: image, kind: kind, Dir: t.TempDir(), options: options}
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
			_ = unix.Unmount(d.Dir, unix.MNT_DETACH)
		}
	})
	if out, err := d.mount(); err != nil {
		t.Skipf("mount: %v %s", err, out)
	}
	return d
}

func (d *Disk) mount() ([]byte, error) {
	out, err := exec.Command("mount", "-o", d.options, d.image, d.Dir).CombinedOutput()
	d.mounted = err == nil
	return out, err
}

// NewPowerDisk makes and mounts a file system whose power can fail: ext4 or xfs.
func NewPowerDisk(t testing.TB, kind string) *Disk {
	t.Helper()
	return NewPowerDiskIn(t, filepath.Join(t.TempDir(), "image"), kind)
}

// NewPowerDiskIn is NewPowerDisk, or ext2, in a given file, with options for mount.
func NewPowerDiskIn(t testing.TB, image, kind string, options ...string) *Disk {
	t.Helper()
	with := strings.Join(append([]string{"loop"}, options...), ",")
	if kind == "xfs" {
		return newDisk(t, image, kind, with, 320, nil) // it takes nothing smaller
	}
	return newDisk(t, image, kind, with, 64, []string{"-F"})
}

// Remount mounts the file system anew, which recovers its journal.
func (d *Disk) Remount() {
	d.t.Helper()
	d.Unmount()
	d.Mount()
}

// Mount mounts the file system again.
func (d *Disk) Mount() {
	d.t.Helper()
	if d.kind == "ext2" || strings.Contains(d.options, "nobarrier") { // no journal, or one that is not in order
		if out, err := exec.Command("e2fsck", "-fy", d.image).CombinedOutput(); err != nil && exitCode(err) > 1 {
			d.t.Fatalf("e2fsck: %v %s", err, out)
		}
	}
	if out, err := d.mount(); err != nil {
		d.t.Fatalf("mount: %v %s", err, out)
	}
}

// Unmount unmounts the file system, if it is mounted, and waits until nobody uses the image.
func (d *Disk) Unmount() {
	d.t.Helper()
	if !d.mounted {
		return
	}
	err := unix.EBUSY
	for try := 0; err == unix.EBUSY && try < 500; try++ {
		time.Sleep(10 * time.Millisecond)
		err, _ = unix.Unmount(d.Dir, 0).(unix.Errno)
	}
	if err != 0 {
		d.t.Fatalf("unmount: %v", err)
	}
	for try := 0; d.inUse(); try++ {
		if try == 1000 {
			d.t.Skip("another mount namespace keeps the file system alive")
		}
		time.Sleep(10 * time.Millisecond)
	}
	d.mounted = false
}

// exitCode returns the status that a command has ended with, -1 where it has none.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// inUse reports whether a loop device still has the image.
func (d *Disk) inUse() bool {
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	return slices.ContainsFunc(files, func(file string) bool {
		image, err := os.ReadFile(file)
		return err == nil && strings.TrimSpace(string(image)) == d.image
	})
}

// The losses of a power failure.
const (
	FlushLog     = 1 // everything but the entries of the log
	FlushNothing = 2 // everything that was not synced
)

// Fail takes the power away.
func (d *Disk) Fail(how uint32) {
	d.t.Helper()
	fd, err := unix.Open(d.Dir, unix.O_RDONLY, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer unix.Close(fd)
	const shutdown = 0x8004587d // _IOR('X', 125, __u32)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		d.t.Fatalf("shutdown: %v", errno)
	}
}

// FullDisk is a small file system, and the error that it gives when it is full.
type FullDisk struct {
	Name string
	Full unix.Errno
	Make func(t testing.TB) string // mounts one and returns where
}

// FullDisks lists ways in which there can be no room.
func FullDisks() []FullDisk {
	return []FullDisk{
		{"tmpfs", unix.ENOSPC, func(t testing.TB) string { return mountTmpfs(t, "size=16m") }},
		{"tmpfs without inodes", unix.ENOSPC, func(t testing.TB) string { return mountTmpfs(t, "size=64m,nr_inodes=100") }},
		{"ext4", unix.ENOSPC, func(t testing.TB) string { return NewDisk(t, "ext4", 24, "-F", "-m", "0").Dir }},
		{"btrfs with a quota", unix.EDQUOT, quotaDir},
	}
}

// quotaDir makes a btrfs with a subvolume that may hold 24 MiB.
func quotaDir(t testing.TB) string {
	d := NewDisk(t, "btrfs", 256)
	sub := filepath.Join(d.Dir, "sub")
	for _, args := range [][]string{
		{"quota", "enable", d.Dir}, {"subvolume", "create", sub}, {"qgroup", "limit", "24M", sub},
	} {
		if out, err := exec.Command("btrfs", args...).CombinedOutput(); err != nil {
			t.Skipf("btrfs %s: %v %s", strings.Join(args, " "), err, out)
		}
	}
	return sub
}

// Fill writes files until there is no room for another byte, or another file.
func Fill(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "filler"), 0o700); err != nil {
		t.Fatal(err)
	}
	for size, i := 1<<20, 0; size > 0 && i < 10_000; i++ {
		path := filepath.Join(dir, "filler", fmt.Sprint(i))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
		if err == nil {
			_, err = f.Write(make([]byte, size))
			err = errors.Join(err, f.Sync(), f.Close())
		}
		if err != nil {
			size /= 4
		}
	}
}

// Empty takes away the files that Fill has written.
func Empty(t testing.TB, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Syncfs(fd); err != nil { // some file systems give the room back only then
		t.Fatal(err)
	}
}

// asRoot skips the test for others.
func asRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// mountTmpfs mounts a small file system in memory on a new directory.
func mountTmpfs(t testing.TB, options string) string {
	t.Helper()
	asRoot(t)
	dir := t.TempDir()
	if err := unix.Mount("clawfs-test", dir, "tmpfs", 0, options); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}
