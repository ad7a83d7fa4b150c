package fs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestClearRefuses(t *testing.T) {
	m := aside(t)
	plain := filepath.Join(scratch(t), "file")
	putFile(t, plain, "")
	for path, want := range map[string]any{
		m.dir:               new(*MountedError),
		plain:               new(*NotDirectoryError),
		plain + "/below":    new(*NotDirectoryError),
		m.backing + "/none": new(*MissingError),
	} {
		if _, err := Clear(path); !errors.As(err, want) {
			t.Errorf("%s: %v, want %T", path, err, want)
		}
	}
	if _, err := startMount(t, scratch(t), m.dir); err == nil {
		t.Error("two mounts are on one directory")
	}
}

func TestClearResolves(t *testing.T) {
	dir := scratch(t)
	link := filepath.Join(scratch(t), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got, err := Clear(link); got != dir || err != nil {
		t.Errorf("%s is %s, %v", link, got, err)
	}
}

// What a killed daemon leaves is a dead mount. Another one takes its place, and
// finds what was committed.
func TestDeadMountIsReplaced(t *testing.T) {
	m := inPlace(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.do("os.chdir('/')")
	m.kill()
	if _, err := os.Stat(m.path("a.json")); !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("below the dead mount: %v", err)
	}
	found, err := FindMountpoint(m.dir)
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
	if got, err := Clear(m.dir); got != m.dir || err != nil {
		t.Fatalf("%s, %v", got, err)
	}
	if mounts := mountsBelow(m.dir); len(mounts) > 0 {
		t.Errorf("mounted are %v", mounts)
	}
}
