package fs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// The kernel does some things of its own accord, which limits how much work a daemon can
// save. These tests show it on a file system of one file.

// oneFile is a file whose pages the kernel keeps.
type oneFile struct {
	gofs.Inode
	opens, reads atomic.Int64
}

const oneFileSize = 4096

func (f *oneFile) Getattr(_ context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size = 0o644, oneFileSize
	return 0
}

func (f *oneFile) Open(context.Context, uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	f.opens.Add(1)
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (f *oneFile) Read(_ context.Context, _ gofs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	f.reads.Add(1)
	return fuse.ReadResultData(make([]byte, min(len(dest), max(0, oneFileSize-int(off))))), 0
}

// mountOneFile mounts a directory that has a file and a directory, and returns the path of that.
func mountOneFile(t *testing.T) (dir string, file *oneFile, server *fuse.Server) {
	t.Helper()
	dir, file = t.TempDir(), &oneFile{}
	kept := time.Minute
	root := &gofs.Inode{}
	server, err := gofs.Mount(dir, root, &gofs.Options{
		EntryTimeout: &kept, AttrTimeout: &kept,
		OnAdd: func(ctx context.Context) {
			root.AddChild("file", root.NewPersistentInode(ctx, file, gofs.StableAttr{Mode: fuse.S_IFREG, Ino: 2}), false)
			root.AddChild("sub", root.NewPersistentInode(ctx, &gofs.Inode{}, gofs.StableAttr{Mode: fuse.S_IFDIR, Ino: 3}), false)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			if err := server.Unmount(); err != nil {
				t.Error(err)
			}
		}
		server.Wait()
	})
	return dir, file, server
}

// A name that the kernel is told to drop takes away the mount on it: so the daemon does not drop
// the name of a registry after a commit, though that would save the first of the two look-ups
// that follow.
func TestADroppedNameTakesItsMountAway(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it takes root to mount on a file")
	}
	dir, _, server := mountOneFile(t)
	for name, on := range map[string]string{"file": filepath.Join(t.TempDir(), "other"), "sub": t.TempDir()} {
		if name == "file" {
			if err := os.WriteFile(on, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		at := filepath.Join(dir, name)
		if out, err := exec.Command("mount", "--bind", on, at).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if !isMountpoint(t, at) {
			t.Fatal("nothing is mounted: this test shows nothing")
		}
		if status := server.EntryNotify(1, name); !status.Ok() {
			t.Fatal(status)
		}
		if isMountpoint(t, at) {
			t.Errorf("what is mounted on %s stays", name)
		}
	}
}

func isMountpoint(t *testing.T, at string) bool {
	t.Helper()
	list, err := mountinfo.GetMounts(mountinfo.SingleEntryFilter(at))
	if err != nil {
		t.Fatal(err)
	}
	return len(list) > 0
}

// A file system hears nothing of a reading of pages that the kernel has: neither a READ nor, where
// the descriptor is inherited, an OPEN. So the daemon could not note the readings of a registry
// whose pages the kernel keeps for several processes.
func TestPagesHideAReadingByAnInheritedDescriptor(t *testing.T) {
	dir, file, _ := mountOneFile(t)
	script := `cd "$2" || exit; exec 3<file; dd bs=16 count=1 <&3 >/dev/null 2>&1; ` +
		`: >"$1/ready"; until [ -e "$1/go" ]; do sleep 0.01; done; ` +
		`[ "$(cat <&3 | wc -c)" = 4080 ]`
	signs := t.TempDir()
	// It changes the directory itself: a child that asks this process for it before it has executed a
	// program would wait for ever, if a garbage collection waits for the thread that has started it.
	cmd := exec.Command("sh", "-c", script, "sh", signs, dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		if _, err := os.Stat(filepath.Join(signs, "ready")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	opens, reads := file.opens.Load(), file.reads.Load()
	if opens != 1 || reads == 0 {
		t.Errorf("the first process opens %d times and reads %d times: this test shows nothing", opens, reads)
	}
	if err := os.WriteFile(filepath.Join(signs, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if file.opens.Load() != opens || file.reads.Load() != reads {
		t.Errorf("of the second process the file system hears %d opens and %d reads", file.opens.Load()-opens, file.reads.Load()-reads)
	}
}
