package backing

import (
	"os"
	"path/filepath"
	"testing"
)

// Who writes to a file by another name of it changes no version.
func TestVersionsOfFilesWithOtherNames(t *testing.T) {
	for _, how := range []string{"commit", "remove"} {
		t.Run(how, func(t *testing.T) {
			b := newBench(t, Options{})
			b.commits("a", 1)
			other := filepath.Join(b.path, "other")
			b.must(os.Link(filepath.Join(b.path, "a"), other))
			b.must(os.Chmod(other, 0o604))
			if how == "commit" {
				b.commit("a", b.stamp("a"), 2, 1, "v2")
			} else if ok, err := b.d.Remove("a", b.stamp("a"), 1); !ok || err != nil {
				t.Fatal(ok, err)
			}
			b.must(os.WriteFile(other, []byte("torn"), 0o604))
			b.wantKept("a", "1:v1")
			info, err := os.Stat(filepath.Join(b.path, Name, "history/a/@1"))
			b.must(err)
			if info.Mode().Perm() != 0o604 {
				t.Errorf("version 1 has mode %v", info.Mode())
			}
			b.wantTidy()
		})
	}
}
