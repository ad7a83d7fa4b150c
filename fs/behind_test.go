package fs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clawfs/txn/txntest"
)

// putFile writes a file, without a mount or through one.
func putFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantFile compares the content of a file.
func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
	}
}

// holds reports whether one of the files that a pattern matches has a content.
func holds(t *testing.T, pattern, content string) bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if got, err := os.ReadFile(file); err == nil && string(got) == content {
			return true
		}
	}
	return false
}

func TestChangeBehindIsAdopted(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.want(`"{\"v\":1}"`, "open('a.json').read()")
	putFile(t, m.behind("a.json"), `{"v":1,"more":2}`)
	c.want(`"{\"v\":1,\"more\":2}"`, "open('a.json').read()")
	c.want(`16`, "os.stat('a.json').st_size")
	putFile(t, m.behind("new.json"), `[]`)
	c.want(`["a.json","new.json"]`, "sorted(os.listdir('.'))")
	c.want(`"[]"`, "open('new.json').read()")
	if err := os.Remove(m.behind("new.json")); err != nil {
		t.Fatal(err)
	}
	c.want(`"ENOENT"`, "open('new.json').read()")
	// The next writer goes on from the version that was adopted.
	c.write("a.json", `{"v":1,"more":3}`)
	wantFile(t, m.behind("a.json"), `{"v":1,"more":3}`)
	if !holds(t, m.behind(".clawfs/history/a.json/@[0-9]*"), `{"v":1,"more":2}`) {
		t.Error("what was adopted is not in the history")
	}
}

func TestInvalidChangeBehindIsUndone(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.write("a.json", `{"v":2}`)
	putFile(t, m.behind("a.json"), `{"v":3`)
	c.want(`"{\"v\":2}"`, "open('a.json').read()")
	wantFile(t, m.behind("a.json"), `{"v":2}`)
	if !holds(t, m.behind(".clawfs/quarantine/*"), `{"v":3`) {
		t.Error("what was replaced is not in quarantine")
	}
	c.write("a.json", `{"v":4}`)
	wantFile(t, m.behind("a.json"), `{"v":4}`)
}

// A plain file that is changed behind the mount is seen changed, if not at once.
func TestPlainChangeBehindIsSeen(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("notes.txt", "old")
	c.want(`"old"`, "open('notes.txt').read()")
	putFile(t, m.behind("notes.txt"), "newer")
	await(t, "the change is seen", func() bool { return c.eval("open('notes.txt').read()") == `"newer"` })
	// Of the same size, and before another change through the mount.
	c.do("open('notes.txt').read()") // its pages are known from here on
	time.Sleep(20 * time.Millisecond)
	putFile(t, m.behind("notes.txt"), "other")
	c.do("os.utime('notes.txt')")
	await(t, "the change is seen", func() bool { return c.eval("open('notes.txt').read()") == `"other"` })
	time.Sleep(20 * time.Millisecond)
	putFile(t, m.behind("notes.txt"), "third")
	c.do("os.pwrite(os.open('notes.txt', os.O_WRONLY), b'T', 0)")
	await(t, "the change is seen", func() bool { return c.eval("open('notes.txt').read()") == `"Third"` })
}

// Bytes that were written through the mount are read from memory.
func TestPagesStayAfterAWrite(t *testing.T) {
	if txntest.DoesWithout(KernelCache) {
		t.Skip("this is about what is switched off")
	}
	m := aside(t)
	c := m.newClient()
	c.do("open('notes.txt', 'w').write('w' * 4096)")
	c.do("os.utime('notes.txt', (1, 1))")
	putFile(t, m.behind("notes.txt"), strings.Repeat("b", 4096))
	if err := os.Chtimes(m.behind("notes.txt"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	c.want(`"ww"`, "open('notes.txt').read()[:2]") // nobody can tell: it was not read again
}

// The kernel knows for a while that there is no plain file of a name, and asks for a registry
// each time. A file that is made through the mount is there at once.
func TestAbsenceOfPlainFilesIsKnown(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	kept := false
	for n := 0; n < 10 && !kept; n++ { // a busy machine may take longer than a second
		name := fmt.Sprintf("notes%d.txt", n)
		c.want("false", "os.path.exists('%s')", name)
		putFile(t, m.behind(name), "made behind")
		kept = c.eval("os.path.exists('%s')", name) == "false"
		await(t, "the file is seen", func() bool { return c.eval("os.path.exists('%s')", name) == "true" })
	}
	if !kept && !txntest.DoesWithout(KernelCache) {
		t.Error("absence is asked for each time")
	}
	for _, name := range []string{"x.txt", "x.json"} {
		c.want("false", "os.path.exists('%s')", name)
		c.write(name, "{}")
		c.want("true", "os.path.exists('%s')", name)
		c.do("os.remove('%s')", name)
		c.want("false", "os.path.exists('%s')", name)
		c.do("os.mkdir('%s')", name)
		c.want("true", "os.path.isdir('%s')", name)
	}
	c.want("false", "os.path.exists('behind.json')")
	putFile(t, m.behind("behind.json"), "[]")
	c.want("true", "os.path.exists('behind.json')")
}
