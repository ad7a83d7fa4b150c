package backing_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/backing/backingtest"
	"clawfs/txn"
	"clawfs/txn/txntest"
)

var _ txn.Storage = (*backing.Dir)(nil)

type pin struct {
	name string
	seq  uint64
}

func TestConformance(t *testing.T) {
	for _, where := range []struct {
		name string
		dir  func(t *testing.T) string
	}{
		{"disk", func(t *testing.T) string { return t.TempDir() }},
		{"tmpfs", memoryDir},
	} {
		t.Run(where.name, func(t *testing.T) {
			backingtest.Run(t, func(t *testing.T) backingtest.Target { return openTarget(t, where.dir(t)) })
		})
	}
}

// memoryDir makes a directory on a file system in memory.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "clawfs-test.")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openTarget(t *testing.T, path string) backingtest.Target {
	pins := map[pin]bool{}
	d, err := backing.Open(path, backing.Options{
		KeepVersions: 5, KeepBytes: 1000,
		Without: slices.DeleteFunc(backing.Optimizations(), func(name string) bool { return !txntest.DoesWithout(name) }),
		Pinned:  func(name string, seq uint64) bool { return pins[pin{name, seq}] },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return backingtest.Target{
		Storage: d,
		Limits:  backingtest.Limits{KeepVersions: 5, KeepBytes: 1000},
		Pin:     func(name string, seq uint64) { pins[pin{name, seq}] = true },
		Foreign: func(name string, content []byte) {
			if err := os.WriteFile(filepath.Join(path, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		Mkdir: func(name string) { mkdir(t, path, name) },
	}
}

// mkdir makes a directory whose path can be longer than the kernel takes.
func mkdir(t *testing.T, root, name string) {
	t.Helper()
	at, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY, 0)
	for c := range strings.SplitSeq(name, "/") {
		if err != nil {
			break
		}
		if err = unix.Mkdirat(at, c, 0o700); err == unix.EEXIST {
			err = nil
		}
		var next int
		if err == nil {
			next, err = unix.Openat(at, c, unix.O_PATH|unix.O_DIRECTORY, 0)
		}
		unix.Close(at)
		at = next
	}
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(at)
}
