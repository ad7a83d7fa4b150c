package backing_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"clawfs/backing"
)

// A directory that is made has the mode of the one that it is made in, and none is made where
// something is.
func TestMakeParents(t *testing.T) {
	path := t.TempDir()
	d, err := backing.Open(path, backing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.Chmod(path, 0o750); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.MakeParents("a/b/c.json"); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"a", "a/b"} {
		if st, err := os.Stat(filepath.Join(path, dir)); err != nil || st.Mode() != fs.ModeDir|0o750 {
			t.Errorf("%s: %v, %v", dir, st, err)
		}
	}
	if _, err := os.Stat(filepath.Join(path, "a/b/c.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the registry: %v", err)
	}
	if err := os.WriteFile(filepath.Join(path, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file/x.json", "file/d/x.json", "link/d/x.json", "../x.json"} {
		if err := d.MakeParents(name); err == nil && name != "file/x.json" {
			t.Errorf("%s: no error", name)
		}
	}
}
