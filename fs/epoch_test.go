package fs

import (
	"os"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Nobody serves this mount: nothing may be asked of it.
func TestFindDevice(t *testing.T) {
	needRoot(t)
	needFUSE(t)
	dir := scratch(t)
	device, err := mountDirectly(dir, &fuse.MountOptions{FsName: "test", MaxWrite: maxWrite})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		closeFD(device) // which makes the mount a dead one
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	m, err := topMount(dir)
	if err != nil || m == nil {
		t.Fatal("not mounted:", err)
	}
	fd, ok := findDevice(m.Minor)
	if !ok {
		t.Skip("this kernel does not tell")
	}
	if fd != device {
		t.Errorf("connection %d is served by %d, found %d", m.Minor, device, fd)
	}
	if fd, ok := findDevice(m.Minor + 1<<20); ok {
		t.Errorf("a connection that can't be is served by %d", fd)
	}
}

func TestUnknownEpoch(t *testing.T) {
	e := openEpoch(1 << 20)
	if e.known() {
		t.Errorf("descriptor %d of process %d begins epochs", e.device, os.Getpid())
	}
	e.close()
	e.close()
}
