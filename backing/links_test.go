package backing

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A write to a file by another name of it changes no version.
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

// A version that is put back in place of a damaged file concerns that name only, and a write by
// another one changes nothing that is kept.
func TestRestoreParts(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	other := filepath.Join(b.path, "other")
	b.must(os.Link(filepath.Join(b.path, "a"), other))
	for _, damaged := range []string{"torn", ""} {
		b.must(os.WriteFile(other, []byte(damaged), 0o600))
		if !b.d.Linked(b.stamp("a")) {
			t.Error("the stamp does not tell of the other name")
		}
		_, ok, err := b.d.Restore("a", b.stamp("a"), 3, []byte("v2"), sha256.Sum256([]byte("v2")), b.d.o.Clock())
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		b.wantLive("a", "v2")
		b.wantLive("other", damaged)
		if info, err := os.Stat(other); err != nil || info.Sys().(*syscall.Stat_t).Nlink != 1 {
			t.Errorf("%v, %v", info, err)
		}
		if b.d.Linked(b.stamp("a")) {
			t.Error("the stamp tells of another name")
		}
		b.must(os.Remove(other))
		b.must(os.Link(filepath.Join(b.path, "a"), other))
	}
	b.wantTidy()
}

// A replacement, or a removal, of one name leaves the other its inode number.
func TestReplacingOneNameOfALinkedFile(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	b.must(os.Link(filepath.Join(b.path, "a"), filepath.Join(b.path, "b")))
	was := b.number("b")
	tmp, err := os.Create(filepath.Join(b.path, "tmp"))
	b.must(err)
	defer tmp.Close()
	number := b.number("tmp")
	if _, ok, err := b.d.Commit("a", b.stamp("a"), 3, 2, []byte("v3"), sha256.Sum256([]byte("v3")), b.d.o.Clock(), tmp); !ok || err != nil {
		t.Fatal(ok, err)
	}
	b.wantLive("b", "v2")
	if b.number("b") != was || b.number("a") != number {
		t.Errorf("numbers are %d and %d, want %d and %d", b.number("a"), b.number("b"), number, was)
	}
}

// keptFile is a file that has a name that it does not lose.
type keptFile struct{ *os.File }

func (keptFile) KeepsName() bool { return true }

// A file that keeps a name becomes the registry itself, if it holds the committed content; else
// it is copied.
func TestAFileWithANameBecomesTheRegistry(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	b.write("tmp", "v3")
	f, err := os.Open(filepath.Join(b.path, "tmp"))
	b.must(err)
	defer f.Close()
	info, err := f.Stat()
	b.must(err)
	for i, content := range []string{"v4", "v3"} { // as merged, and as it is
		seq := uint64(3 + i)
		_, ok, err := b.d.Commit("a", b.stamp("a"), seq, seq-1, []byte(content), sha256.Sum256([]byte(content)), info.ModTime(), keptFile{f})
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		b.wantLive("a", content)
		live, err := os.Stat(filepath.Join(b.path, "a"))
		b.must(err)
		if got := os.SameFile(live, info); got != (content == "v3") {
			t.Errorf("after %q the two are one file: %t", content, got)
		}
	}
	b.wantTidy()
}

func TestIsPartOf(t *testing.T) {
	for _, test := range []struct {
		now, content, old string
		want              bool
	}{
		{"old1", "new", "old1", true},
		{"new1", "new", "old1", true},
		{"new ", "new", "old1", true},
		{"new", "new", "old1", true},
		{"ne", "new", "old1", false},
		{"other", "new", "old1", false},
		{"newer", "newer", "old", true},
		{"old", "newer", "old", true},
		{"oldx", "newer", "old", false},
		{"", "newer", "", true},
	} {
		if got := isPartOf([]byte(test.now), []byte(test.content), []byte(test.old)); got != test.want {
			t.Errorf("%q between %q and %q: %v", test.now, test.old, test.content, got)
		}
	}
}

// An overwrite that fails in the middle leaves the old content, by all names.
func TestAnOverwriteThatFailsPutsTheOldContentBack(t *testing.T) {
	for _, step := range []string{"announce", "overwrite", "cut"} {
		t.Run(step, func(t *testing.T) {
			fault := errors.New("disk on fire")
			failing := false
			b := newBench(t, Options{reach: func(at string) error {
				if !failing || at != step {
					return nil
				}
				failing = false
				return fault
			}})
			b.commits("a", 1)
			b.must(os.Link(filepath.Join(b.path, "a"), filepath.Join(b.path, "other")))
			stamp := b.stamp("a")
			failing = true
			if _, ok, err := b.try("a", stamp, 2, 1, "v2, longer"); ok || !errors.Is(err, fault) {
				t.Errorf("%t, %v", ok, err)
			}
			b.wantLive("a", "v1")
			b.wantLive("other", "v1")
			b.commit("a", b.stamp("a"), 2, 1, "v2")
			b.wantLive("other", "v2")
			b.wantKept("a", "1:v1")
			b.wantTidy()
		})
	}
}

// Somebody writes to a file with two names just before it is overwritten: the commit is beaten, and
// no descriptor stays open.
func TestAnOverwriteThatIsBeaten(t *testing.T) {
	h := &hook{at: "recheck"}
	b := newBench(t, Options{reach: h.reach})
	b.commits("a", 1)
	b.must(os.Link(filepath.Join(b.path, "a"), filepath.Join(b.path, "other")))
	stamp := b.stamp("a")
	h.do = func() error { b.write("other", "edited"); return nil }
	open := descriptors(t)
	if _, ok, err := b.try("a", stamp, 2, 1, "v2"); ok || err != nil {
		t.Errorf("ok=%v, %v, want to be beaten", ok, err)
	}
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors, %d before", now, open)
	}
	b.wantLive("a", "edited")
	b.wantKept("a")
	b.wantTidy()
}

// Room for new content is asked for before a file is overwritten, so that a full disk spoils
// nothing.
func TestRoomIsReservedBeforeAnOverwrite(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "clawfs-test.")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size, want := range map[int64]error{0: nil, 100: nil, 1 << 50: unix.ENOSPC} {
		if err := reserve(int(f.Fd()), size); err != want {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// The new file gets the mode and the attributes of the file that it is to be like, else those of the
// file that it replaces.
func TestCommitTakesAttributes(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 1)
	b.must(os.Chmod(filepath.Join(b.path, "a"), 0o604))
	b.write("like", "x")
	b.must(os.Chmod(filepath.Join(b.path, "like"), 0o640))
	like, err := os.Open(filepath.Join(b.path, "like"))
	b.must(err)
	defer like.Close()
	mode := func() os.FileMode {
		info, err := os.Stat(filepath.Join(b.path, "a"))
		b.must(err)
		return info.Mode().Perm()
	}
	b.commit("a", b.stamp("a"), 2, 1, "v2")
	if got := mode(); got != 0o604 {
		t.Errorf("after a write its mode is %v", got)
	}
	if _, ok, err := b.d.Commit("a", b.stamp("a"), 3, 2, []byte("v3"), sha256.Sum256([]byte("v3")), b.d.o.Clock(), like); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := mode(); got != 0o640 {
		t.Errorf("after a rename of another file its mode is %v", got)
	}
}
