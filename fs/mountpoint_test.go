package fs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
	"clawfs/txn/txntest"
)

func TestClearRefuses(t *testing.T) {
	m := aside(t)
	plain := filepath.Join(scratch(t), "file")
	putFile(t, plain, "")
	for path, want := range map[string]any{
		m.dir:               new(*mountpoint.MountedError),
		plain:               new(*mountpoint.NotDirectoryError),
		plain + "/below":    new(*mountpoint.NotDirectoryError),
		m.backing + "/none": new(*mountpoint.MissingError),
	} {
		if _, err := mountpoint.Clear(path); !errors.As(err, want) {
			t.Errorf("%s: %v, want %T", path, err, want)
		}
	}
	if _, err := startMount(t, scratch(t), m.dir); err == nil {
		t.Error("two mounts are on one directory")
	}
}

// A descriptor of a mount's root is told from one of the bare directory, even if the path shows
// something else in the meantime, and from those of other file systems.
func TestCheckBare(t *testing.T) {
	dir := scratch(t)
	open := func(path string) int {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	bare := open(dir)
	m := mountOn(t, dir, dir)
	served := open(dir)
	check := func(what string, fd int, mounted bool) {
		t.Helper()
		var is *mountpoint.MountedError
		err := mountpoint.CheckBare(fd, dir)
		if mounted != errors.As(err, &is) || !mounted && err != nil || mounted && is.Path != dir {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("the directory below", bare, false)
	check("the mount", served, true)
	check("another directory", open(scratch(t)), false)
	check("another file system", open("/proc"), false)
	m.kill()
	check("the directory below a dead mount", bare, false)
	check("the dead mount", served, true)
	if err := mountpoint.CheckBare(1<<30, dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no descriptor: %v", err)
	}
}

func TestClearResolves(t *testing.T) {
	dir := scratch(t)
	link := filepath.Join(scratch(t), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got, err := mountpoint.Clear(link); got != dir || err != nil {
		t.Errorf("%s is %s, %v", link, got, err)
	}
}

// A killed daemon leaves a dead mount. Another one takes its place, and finds the
// committed versions.
func TestDeadMountIsReplaced(t *testing.T) {
	m := inPlace(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.do("os.chdir('/')")
	m.kill()
	// The connection ends a moment after the process, if requests come over io_uring.
	if _, err := os.Stat(m.path("a.json")); !mountpoint.IsEnd(err) {
		t.Errorf("below the dead mount: %v", err)
	}
	found, err := mountpoint.Find(m.dir)
	if err != nil || !found.IsClawfs() || !found.IsDead() {
		t.Errorf("the dead mount is told as %+v, %v", found, err)
	}
	again := mountOn(t, m.dir, m.dir)
	if mounts := mountsBelow(m.dir); len(mounts) != 1 {
		t.Errorf("mounted are %v", mounts)
	}
	wantFile(t, again.path("a.json"), `{"v":1}`)
	again.newClient().write("a.json", `{"v":2}`)
	wantFile(t, again.path("a.json"), `{"v":2}`)
}

func TestClearTakesDeadMountsAway(t *testing.T) {
	m := inPlace(t)
	m.kill()
	if got, err := mountpoint.Clear(m.dir); got != m.dir || err != nil {
		t.Fatalf("%s, %v", got, err)
	}
	if mounts := mountsBelow(m.dir); len(mounts) > 0 {
		t.Errorf("mounted are %v", mounts)
	}
}

// Plain files are read ahead further than the kernel would.
func TestReadAhead(t *testing.T) {
	needRoot(t)
	if txntest.DoesWithout(ReadAhead) {
		t.Skip("this is about what is switched off")
	}
	m := inPlace(t)
	top, err := mountpoint.Top(m.dir)
	if err != nil || top == nil {
		t.Fatal("not mounted:", err)
	}
	got, err := os.ReadFile(fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", top.Major, top.Minor))
	if err != nil {
		t.Skip(err)
	}
	if string(got) != fmt.Sprintln(readAheadKiB) {
		t.Errorf("%s KiB are read ahead, want %d", got, readAheadKiB)
	}
}
