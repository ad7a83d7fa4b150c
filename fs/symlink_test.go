package fs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// wantUntouched compares the content of a file outside of the mount, and its mode.
func wantUntouched(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	wantFile(t, path, content)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
		t.Errorf("%s: %v, %v", path, info.Mode(), err)
	}
}

// The daemon has more rights than its callers: it never follows a link that was put in the
// place of a file that they had opened.
func TestLinkInPlaceOfRegistryIsNotFollowed(t *testing.T) {
	m := aside(t)
	outside := filepath.Join(scratch(t), "x.json")
	putFile(t, outside, `{"outside":1}`)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.do("(w := os.open('a.json', os.O_RDWR))")
	if err := errors.Join(os.Remove(m.behind("a.json")), os.Symlink(outside, m.behind("a.json"))); err != nil {
		t.Fatal(err)
	}
	c.eval("os.fchmod(w, 0o666)")
	c.eval("os.fchown(w, 1, 1)")
	c.eval("os.setxattr(w, 'user.x', b'x')")
	c.eval("os.utime(w, (1, 1))")
	c.eval("os.pwrite(w, b'{\"v\":2}', 0)")
	c.eval("os.close(w)")
	wantUntouched(t, outside, `{"outside":1}`, 0o644)
	if info, err := os.Stat(outside); err != nil || info.ModTime().Unix() == 1 {
		t.Error("the time of what is outside was set:", err)
	}
}

func TestLinkInPlaceOfDirectoryIsNotFollowed(t *testing.T) {
	m := aside(t)
	outside := scratch(t)
	putFile(t, filepath.Join(outside, "a.json"), `{"outside":1}`)
	c := m.newClient()
	c.do("os.mkdir('d')")
	c.write("d/a.json", `{"v":1}`)
	c.do("(d := os.open('d', os.O_RDONLY|os.O_DIRECTORY))")
	if err := errors.Join(os.Rename(m.behind("d"), m.behind("moved")), os.Symlink(outside, m.behind("d"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.json", "b.json", "b.txt"} {
		c.eval("(w := os.open(%q, os.O_WRONLY|os.O_CREAT|os.O_TRUNC, dir_fd=d), os.write(w, b'{\"v\":2}'), os.close(w))", name)
	}
	c.eval("os.truncate(os.open('a.json', os.O_RDONLY, dir_fd=d), 0)")
	c.eval("os.unlink('a.json', dir_fd=d)")
	wantUntouched(t, filepath.Join(outside, "a.json"), `{"outside":1}`, 0o644)
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside are %v, %v", entries, err)
	}
}

// A rename onto a registry's name that is a link replaces the link.
func TestRenameReplacesLink(t *testing.T) {
	m := aside(t)
	outside := filepath.Join(scratch(t), "x.json")
	putFile(t, outside, `{"outside":1}`)
	c := m.newClient()
	c.do("os.symlink(%q, 'a.json')", outside)
	c.want(`"{\"outside\":1}"`, "open('a.json').read()") // the kernel follows, as the caller
	c.want(`"ELOOP"`, "os.open('a.json', os.O_RDONLY|os.O_NOFOLLOW)")
	c.write("t.tmp", `{"v":1}`)
	c.do("os.rename('t.tmp', 'a.json')")
	wantUntouched(t, outside, `{"outside":1}`, 0o644)
	if info, err := os.Lstat(m.behind("a.json")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the name is %v, %v", info, err)
	}
	wantFile(t, m.behind("a.json"), `{"v":1}`)
	c.want(`"{\"v\":1}"`, "open('a.json').read()")
	c.write("t.tmp", `{"v":`)
	c.do("(os.symlink(%q, 'b.json'), os.mkfifo('c.json'))", outside)
	c.want(`"EILSEQ"`, "os.rename('t.tmp', 'b.json')")
	c.want(`true`, "os.path.islink('b.json')")
	c.do("os.rename('a.json', 'c.json')")
	c.want(`"{\"v\":1}"`, "open('c.json').read()")
	c.want(`"ENOENT"`, "os.open('a.json', os.O_RDONLY)")
}
