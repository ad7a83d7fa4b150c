package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"clawfs/fs/mountpoint"
)

// mounted returns a directory that a daemon serves, until the test ends.
func mounted(t *testing.T) string {
	t.Helper()
	parent := t.TempDir()
	t.Cleanup(func() { takeAway(t, parent) })
	dir := filepath.Join(parent, "state")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("clawfs", "mount", "--log-file", filepath.Join(parent, "log"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return dir
}

// A daemon that has found nothing mounted, and opens the directory when another
// one's mount has come on top of it, says that it is mounted already. It changes
// nothing there. Nor does a command that is to change the bare directory.
func TestMountThatComesInBetween(t *testing.T) {
	dir := mounted(t)
	before := tree(t, filepath.Dir(dir))
	for name, open := range map[string]func() error{
		"mount": func() error {
			s, err := openServed(dir, dir, newMountOptions(), zap.NewNop())
			if err == nil {
				s.dir.Close()
			}
			return err
		},
		"restore": func() error {
			_, store, err := openUnserved(dir)
			if err == nil {
				store.Close()
			}
			return err
		},
	} {
		err := open()
		var mounted *mountpoint.MountedError
		if !errors.As(err, &mounted) || mounted.Path != dir {
			t.Errorf("%s: %v, want a MountedError for %s", name, err, dir)
		}
	}
	if diff := cmp.Diff(before, tree(t, filepath.Dir(dir))); diff != "" {
		t.Errorf("something was changed:\n%s", diff)
	}
}

// tree lists the names below a directory, .clawfs of a mount aside.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
