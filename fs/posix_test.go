package fs

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"
)

// Each of go-fuse's tests that passes on the file system passes on a mount of
// it. Two fail on ext4; one of those by chance, as it is a race.
func TestPosix(t *testing.T) {
	m := inPlace(t)
	bare := scratch(t)
	for _, name := range slices.Sorted(maps.Keys(posixtest.All)) {
		want := posixOutcome(t, name, emptyDir(t, filepath.Join(bare, "d")))
		for _, where := range []string{"root", "subdirectory"} {
			t.Run(name+"/"+where, func(t *testing.T) {
				dir := m.dir
				if where == "subdirectory" {
					dir = emptyDir(t, m.path("sub"))
				}
				got := posixOutcome(t, name, dir)
				if got.result != want.result && got.result != "PASS" {
					t.Errorf("%s below the mount, %s on the file system\n%s", got.result, want.result, got.output)
				}
				clearDir(t, m.dir)
			})
		}
	}
}

// Where each name is a registry, all pass but those that write content that is no
// document, which is refused (SEMANTICS §10, "refused").
func TestPosixOnRegistries(t *testing.T) {
	m := inPlace(t, func(c *serveConfig) { c.Registries = true })
	bare := scratch(t)
	for _, name := range slices.Sorted(maps.Keys(posixtest.All)) {
		t.Run(name, func(t *testing.T) {
			want := posixOutcome(t, name, emptyDir(t, filepath.Join(bare, "d")))
			got := posixOutcome(t, name, emptyDir(t, m.path("sub")))
			refused := strings.Contains(got.output, "invalid argument") || strings.Contains(got.output, "invalid or incomplete multibyte")
			if got.result != want.result && got.result != "PASS" && !refused {
				t.Errorf("%s where the names are registries, %s on the file system\n%s", got.result, want.result, got.output)
			}
			clearDir(t, m.dir)
		})
	}
}

// posixVariable tells TestPosixOne the test of go-fuse's to run, and the directory.
const posixVariable = "CLAWFS_TEST_POSIX"

type outcome struct{ result, output string }

// posixOutcome runs one of go-fuse's tests in a process of its own: as it may
// fail on any file system, its result is not this test's.
func posixOutcome(t *testing.T, name, dir string) outcome {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPosixOne$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), posixVariable+"="+name+":"+dir)
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		return outcome{"FAIL", string(out)}
	case strings.Contains(string(out), "--- SKIP: TestPosixOne"):
		return outcome{"SKIP", string(out)}
	}
	return outcome{"PASS", string(out)}
}

// TestPosixOne runs one of go-fuse's tests for TestPosix.
func TestPosixOne(t *testing.T) {
	name, dir, ok := strings.Cut(os.Getenv(posixVariable), ":")
	if !ok {
		t.Skip("for TestPosix only")
	}
	posixtest.All[name](t, dir)
}

func emptyDir(t *testing.T, path string) string {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func clearDir(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(path, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}
