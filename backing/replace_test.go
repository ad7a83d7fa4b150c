package backing

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// hook lets a test do something at a step, once, or make it fail.
type hook struct {
	at   string
	skip int // how many times the step is passed over first
	do   func() error
	seen []string
	off  bool
}

func (h *hook) reach(step string) error {
	if h.off {
		return nil
	}
	h.seen = append(h.seen, step)
	if step != h.at || h.do == nil {
		return nil
	}
	if h.skip > 0 {
		h.skip--
		return nil
	}
	do := h.do
	h.do = nil
	return do()
}

// change is a call that changes a registry that has two versions.
type change struct {
	name string
	prep func(b *bench) // prepares the directory for the change
	tune func(d *Dir)   // makes the Dir so
	call func(b *bench, stamp string) (bool, error)
	// the files before and after
	before, after []string
	staged        string // the content on its way in, "" for none
	prunes        bool   // a version goes; where that fails it goes with the next commit
}

func changes() []change {
	v3 := func(b *bench, stamp string) (bool, error) {
		_, ok, err := b.try("d/a", stamp, 3, 2, "v3")
		return ok, err
	}
	state := func(live string, kept ...string) []string { return append([]string{live}, kept...) }
	return []change{
		{
			name: "replace", before: state("v2", "1:v1"), after: state("v3", "1:v1", "2:v2"),
			staged: "v3", call: v3,
		}, {
			name: "replace without exchange", before: state("v2", "1:v1"), after: state("v3", "1:v1", "2:v2"),
			staged: "v3", call: v3,
			tune: func(d *Dir) { d.noExchange.Store(true) },
		}, {
			name: "replace and prune", prunes: true, before: state("v2", "1:v1"), after: state("v3", "2:v2"),
			staged: "v3", call: v3,
			tune: func(d *Dir) { d.o.KeepVersions = 1 },
		}, {
			name: "create", before: state("(none)"), after: state("v1"),
			staged: "v1",
			prep: func(b *bench) {
				b.must(os.Remove(filepath.Join(b.path, "d/a")))
				b.must(os.RemoveAll(filepath.Join(b.path, Name, "history/d")))
				b.reopen()
			},
			call: func(b *bench, _ string) (bool, error) { _, ok, err := b.try("d/a", "", 1, 0, "v1"); return ok, err },
		}, {
			name: "create empty", before: state("(none)", "1:v1", "2:v2"), after: state("", "1:v1", "2:v2"),
			prep: func(b *bench) { b.removed() },
			call: func(b *bench, _ string) (bool, error) { _, ok, err := b.d.Create("d/a", nil); return ok, err },
		}, {
			name: "fill", before: state("", "1:v1", "2:v2"), after: state("v3", "1:v1", "2:v2"),
			staged: "v3", prep: func(b *bench) { b.removed(); b.created() },
			call: func(b *bench, _ string) (bool, error) {
				_, ok, err := b.try("d/a", b.stamp("d/a"), 3, 0, "v3")
				return ok, err
			},
		}, {
			name: "remove empty", before: state("", "1:v1", "2:v2"), after: state("(none)", "1:v1", "2:v2"),
			prep: func(b *bench) { b.removed(); b.created() },
			call: func(b *bench, _ string) (bool, error) { return b.d.Remove("d/a", b.stamp("d/a"), 0) },
		}, {
			name: "remove", before: state("v2", "1:v1"), after: state("(none)", "1:v1", "2:v2"),
			call: func(b *bench, stamp string) (bool, error) { return b.d.Remove("d/a", stamp, 2) },
		},
		{
			name: "replace by a file with a name", before: state("v2", "1:v1"), after: state("v3", "1:v1", "2:v2"),
			prep: func(b *bench) { b.write("other", "v3") },
			call: func(b *bench, stamp string) (bool, error) {
				f, err := os.Open(filepath.Join(b.path, "other"))
				b.must(err)
				defer f.Close()
				info, err := f.Stat()
				b.must(err)
				_, ok, err := b.d.Commit("d/a", stamp, 3, 2, []byte("v3"), sha256.Sum256([]byte("v3")), info.ModTime(), keptFile{f})
				return ok, err
			},
		},
		overwriting("overwrite", "v3, longer"), overwriting("overwrite shorter", "3"),
		{
			name: "archive", before: state("v2", "1:v1"), after: state("v2", "1:v1", "9:v9"),
			staged: "v9",
			call: func(b *bench, _ string) (bool, error) {
				return true, b.d.Archive("d/a", 9, []byte("v9"), sha256.Sum256([]byte("v9")))
			},
		},
	}
}

// overwriting is a commit to a file that has another name.
func overwriting(name, content string) change {
	return change{
		name: name, before: []string{"v2", "1:v1"}, after: []string{content, "1:v1", "2:v2"}, staged: content,
		prep: func(b *bench) { b.must(os.Link(filepath.Join(b.path, "d/a"), filepath.Join(b.path, "other"))) },
		call: func(b *bench, _ string) (bool, error) {
			_, ok, err := b.try("d/a", b.stamp("d/a"), 3, 2, content)
			if here, other := b.live("d/a"), b.live("other"); here != other {
				b.Errorf("one name has %q, the other %q", here, other)
			}
			return ok, err
		},
	}
}

func (b *bench) removed() {
	b.Helper()
	if ok, err := b.d.Remove("d/a", b.stamp("d/a"), 2); !ok || err != nil {
		b.Fatal(ok, err)
	}
	b.must(b.d.Record("d/a", []byte(`{"deleted":true}`)))
}

func (b *bench) created() {
	b.Helper()
	if _, ok, err := b.d.Create("d/a", nil); !ok || err != nil {
		b.Fatal(ok, err)
	}
}

func (b *bench) state() []string { return append([]string{b.live("d/a")}, b.kept("d/a")...) }

func newChange(t *testing.T, c change, h *hook) (*bench, string) {
	h.off = true
	b := newBench(t, Options{reach: h.reach})
	b.must(os.Mkdir(filepath.Join(b.path, "d"), 0o700))
	stamp := b.commits("d/a", 2)
	if c.prep != nil {
		c.prep(b)
	}
	if c.tune != nil {
		c.tune(b.d)
	}
	h.off = false
	return b, stamp
}

// Each step of each change fails with each error that a disk has. Then either
// nothing has changed, or the error says that the change is in place; nothing is
// left behind, and the next commit works.
func TestAnyStepCanFail(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			h := &hook{}
			b, stamp := newChange(t, c, h)
			if diff := cmp.Diff(c.before, b.state()); diff != "" {
				t.Fatalf("before (-want +got):\n%s", diff)
			}
			if ok, err := c.call(b, stamp); !ok || err != nil {
				t.Fatal(ok, err)
			}
			if diff := cmp.Diff(c.after, b.state()); diff != "" {
				t.Fatalf("after (-want +got):\n%s", diff)
			}
			steps := slices.Clone(h.seen)
			if len(steps) < 2 {
				t.Fatalf("steps: %q", steps)
			}
			for _, step := range steps {
				for _, fault := range []unix.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT} {
					t.Run(step+" "+unix.ErrnoName(fault), func(t *testing.T) { failAt(t, c, step, fault) })
				}
			}
		})
	}
}

func failAt(t *testing.T, c change, step string, fault unix.Errno) {
	open := descriptors(t)
	h := &hook{at: step, do: func() error { return fault }}
	b, stamp := newChange(t, c, h)
	ok, err := c.call(b, stamp)
	if h.do != nil {
		t.Fatal("the step was not reached")
	}
	var uncertain interface{ Uncertain() bool }
	var path *fs.PathError
	want := c.before
	switch {
	case err == nil && !ok:
		t.Error("not done, and no error")
	case err == nil && slices.Contains([]string{"keep", "prune"}, step):
		want = c.after // tidying up failed: that is made good later
	case err == nil:
		t.Errorf("%s has failed, and nobody was told", step)
	case !errors.Is(err, fault):
		t.Errorf("%v, want %v", err, fault)
	case !errors.As(err, &path) || path.Path != "d/a":
		t.Errorf("%v does not name the registry", err)
	case errors.As(err, &uncertain) && uncertain.Uncertain():
		want = c.after
	}
	if step == "sync directory" && !ok {
		t.Error("a change that is in place was called undone")
	}
	if diff := cmp.Diff(want, b.state()); diff != "" && !(c.prunes && slices.Contains([]string{"keep", "prune"}, step)) {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	b.wantTidy()
	if slices.Equal(want, c.before) && c.name == "create" && len(b.tree()) > 0 {
		t.Errorf("created for nothing: %q", b.tree())
	}
	b.commit("d/a", b.stamp("d/a"), 20, 0, "v20")
	b.wantLive("d/a", "v20")
	if kept := b.kept("d/a"); c.prunes && len(kept) > 1 {
		t.Errorf("what could not be pruned then was not pruned later: %q", kept)
	}
	b.close()
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors, %d before", now, open)
	}
}

// Between the last look and the exchange others may make any change to the live
// file: theirs stays, and the commit is beaten.
func TestForeignChangeJustBeforeTheExchange(t *testing.T) {
	for name, foreign := range map[string]struct {
		do   func(b *bench)
		want string
	}{
		"replaced":      {func(b *bench) { b.replace("a", "f2") }, "f2"},
		"written to":    {func(b *bench) { b.write("a", "f2") }, "f2"},
		"removed":       {func(b *bench) { b.must(os.Remove(filepath.Join(b.path, "a"))) }, "(none)"},
		"given a mode":  {func(b *bench) { b.must(os.Chmod(filepath.Join(b.path, "a"), 0o640)) }, "v2"},
		"a directory":   {func(b *bench) { b.must(os.Remove(b.path + "/a")); b.must(os.Mkdir(b.path+"/a", 0o700)) }, ""},
		"a symlink now": {func(b *bench) { b.must(os.Remove(b.path + "/a")); b.must(os.Symlink("/etc/hostname", b.path+"/a")) }, ""},
	} {
		for _, call := range []string{"commit", "remove"} {
			t.Run(call+" "+name, func(t *testing.T) {
				h := &hook{at: map[string]string{"commit": "exchange", "remove": "take away"}[call]}
				b := newBench(t, Options{reach: h.reach})
				stamp := b.commits("a", 2)
				h.do = func() error { foreign.do(b); return nil }
				var ok bool
				var err error
				if call == "commit" {
					_, ok, err = b.try("a", stamp, 3, 2, "v3")
				} else {
					ok, err = b.d.Remove("a", stamp, 2)
				}
				if ok || err != nil {
					t.Errorf("ok=%v, %v, want to be beaten", ok, err)
				}
				if foreign.want != "" {
					b.wantLive("a", foreign.want)
				} else if st, err := os.Lstat(b.path + "/a"); err != nil || st.Mode().IsRegular() {
					t.Errorf("what was put there is not there: %v, %v", st, err)
				}
				b.wantKept("a", "1:v1")
				b.wantQuarantined()
				b.wantTidy()
			})
		}
	}
}

func TestForeignCreationJustBeforeTheExchange(t *testing.T) {
	h := &hook{at: "exchange"}
	b := newBench(t, Options{reach: h.reach})
	h.do = func() error { b.write("a", "f1"); return nil }
	if _, ok, err := b.try("a", "", 1, 0, "v1"); ok || err != nil {
		t.Errorf("ok=%v, %v, want to be beaten", ok, err)
	}
	b.wantLive("a", "f1")
	b.wantTidy()
}

// The worst race: one foreign program replaces the live file just before the
// exchange, another one our file just after it.
func TestForeignChangesOnBothSidesOfTheExchange(t *testing.T) {
	for name, tt := range map[string]struct {
		second      func(b *bench)
		live        string
		quarantined []string
	}{
		"replaced again": {func(b *bench) { b.replace("a", "f3") }, "f3", []string{"f2"}},
		"removed":        {func(b *bench) { b.must(os.Remove(b.path + "/a")) }, "f2", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hook{}
			b := newBench(t, Options{reach: h.reach})
			stamp := b.commits("a", 2)
			h.at, h.do = "exchange", func() error {
				b.replace("a", "f2")
				h.at, h.do = "verify", func() error { tt.second(b); return nil }
				return nil
			}
			if _, ok, err := b.try("a", stamp, 3, 2, "v3"); ok || err != nil {
				t.Errorf("ok=%v, %v, want to be beaten", ok, err)
			}
			b.wantLive("a", tt.live)
			b.wantKept("a", "1:v1")
			b.wantQuarantined(tt.quarantined...)
			b.wantTidy()
			b.commit("a", b.stamp("a"), 4, 3, "v4")
		})
	}
}

// A program that writes to the live file right after the commit must not pass
// for the commit: the stamp says that the file is another one.
func TestStampIsOfWhatWasWritten(t *testing.T) {
	h := &hook{}
	b := newBench(t, Options{reach: h.reach})
	stamp := b.commits("a", 2)
	h.at, h.do = "sync directory", func() error { b.write("a", "xx"); return nil }
	stamp = b.commit("a", stamp, 3, 2, "v3")
	b.wantLive("a", "xx")
	if now := b.stamp("a"); now == stamp {
		t.Error("the stamp of the commit is that of somebody else's content")
	}
}

// A file system that doesn't know RENAME_EXCHANGE says EINVAL.
func TestWithoutExchange(t *testing.T) {
	h := &hook{at: "exchange"}
	b := newBench(t, Options{reach: h.reach})
	stamp := b.commits("a", 2)
	h.do = func() error { return unix.EINVAL }
	stamp = b.commit("a", stamp, 3, 2, "v3")
	for i := uint64(4); i < 8; i++ {
		stamp = b.commit("a", stamp, i, i-1, fmt.Sprintf("v%d", i))
	}
	if i := slices.Index(h.seen, "link"); i < 0 || slices.Contains(h.seen[i:], "exchange") {
		t.Errorf("steps: %q", h.seen)
	}
	b.wantLive("a", "v7")
	b.wantKept("a", "1:v1", "2:v2", "3:v3", "4:v4", "5:v5", "6:v6")
	b.wantTidy()

	b.replace("a", "foreign")
	if _, ok, err := b.try("a", stamp, 8, 7, "v8"); ok || err != nil {
		t.Errorf("ok=%v, %v, want to be beaten", ok, err)
	}
	h.at, h.do = "link", func() error { return nil }
	stamp = b.stamp("a")
	h.do = func() error { b.replace("a", "foreign 2"); return nil }
	if _, ok, err := b.try("a", stamp, 8, 7, "v8"); ok || err != nil {
		t.Errorf("ok=%v, %v, want to be beaten", ok, err)
	}
	b.wantLive("a", "foreign 2")
	b.wantKept("a", "1:v1", "2:v2", "3:v3", "4:v4", "5:v5", "6:v6")
}

// Nor need it know hard links: then the old file is copied.
func TestWithoutExchangeAndLinks(t *testing.T) {
	h := &hook{}
	b := newBench(t, Options{reach: h.reach})
	b.commits("a", 1)
	b.must(os.Chmod(b.path+"/a", 0o640))
	stamp := b.stamp("a")
	r := &replacement{d: b.d, history: b.d.histories.take("a"), stamp: stamp, staged: staged{seq: 2, oldSeq: 1}, parent: -1, hist: -1, file: -1}
	defer r.close()
	if ok, err := r.check(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	var err error
	r.hist, err = b.d.makeHistory("a")
	b.must(err)
	b.must(r.copyOld("@1"))
	b.d.histories.put(b.d, r.history)
	st, err := os.Stat(filepath.Join(b.path, Name, "history/a/@1"))
	b.must(err)
	if st.Mode() != 0o640 {
		t.Errorf("mode %v, want 0640", st.Mode())
	}
	b.reopen()
	b.wantKept("a", "1:v1")
}

// Nothing is created for a registry that is only looked at.
func TestLookingCreatesNothing(t *testing.T) {
	b := newBench(t, Options{})
	b.write("a", "foreign")
	for _, name := range []string{"a", "b", "no/such/c"} {
		b.d.Load(name)
		b.d.Stamp(name)
		b.d.Versions(name)
		b.d.Version(name, 1)
		b.d.LastRecord(name)
		b.d.Remove(name, "another stamp", 1)
		b.try(name, "another stamp", 1, 0, "x")
	}
	if got := b.tree(); len(got) > 0 {
		t.Errorf("created: %q", got)
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	b := newBench(t, Options{})
	outside := t.TempDir()
	secret := filepath.Join(outside, "a")
	b.must(os.WriteFile(secret, []byte("secret"), 0o600))
	b.must(os.Symlink(outside, filepath.Join(b.path, "dir")))
	b.must(os.Symlink(secret, filepath.Join(b.path, "file")))
	b.must(os.Symlink("a", filepath.Join(b.path, "dangling")))
	for _, name := range []string{"dir/a", "file", "dangling"} {
		if content, _, _, err := b.d.Load(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Load(%q) = %q, %v, want fs.ErrInvalid", name, content, err)
		}
		stamp, _ := b.d.Stamp(name)
		if _, ok, err := b.try(name, stamp, 1, 0, "x"); ok || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Commit(%q): ok=%v, %v, want fs.ErrInvalid", name, ok, err)
		}
	}
	if got, err := os.ReadFile(secret); err != nil || string(got) != "secret" {
		t.Errorf("outside: %q, %v", got, err)
	}
}

// A link in the way of a history is not followed either.
func TestHistoryIsNotLedAstray(t *testing.T) {
	b := newBench(t, Options{})
	outside := t.TempDir()
	b.must(os.Symlink(outside, filepath.Join(b.path, Name, "history/a")))
	if _, ok, err := b.try("a", "", 1, 0, "v1"); ok || err == nil {
		t.Errorf("ok=%v, %v, want an error", ok, err)
	}
	if err := b.d.Record("a", []byte(`{}`)); err == nil {
		t.Error("recorded through a symbolic link")
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("outside: %v", entries)
	}
	b.wantLive("a", "(none)")
}

// A long content, so that it is written and read in several pieces where the
// kernel likes.
func TestLargeFile(t *testing.T) {
	b := newBench(t, Options{KeepBytes: 1 << 30, MaxLoad: 40 << 20})
	big := strings.Repeat("0123456789abcdef", 2<<20)
	stamp := b.commit("a", "", 1, 0, big)
	b.commit("a", stamp, 2, 1, "small")
	if got, err := b.d.Version("a", 1); err != nil || string(got) != big {
		t.Errorf("version of %d bytes, %v", len(got), err)
	}
	b.must(os.Truncate(b.path+"/a", 1<<40)) // sparse
	var size *SizeError
	if _, _, _, err := b.d.Load("a"); !errors.As(err, &size) || !errors.Is(err, unix.EFBIG) || size.Size != 1<<40 || size.Limit != 40<<20 {
		t.Errorf("Load: %v, want a SizeError", err)
	}
}

// A version's file looks as if nobody had read it since it was written.
func TestVersionsHaveTheirTime(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	var stx unix.Statx_t
	b.must(unix.Statx(unix.AT_FDCWD, filepath.Join(b.path, "a"), 0, unix.STATX_BASIC_STATS, &stx))
	want := moment(2)
	if got := time.Unix(stx.Mtime.Sec, int64(stx.Mtime.Nsec)); !got.Equal(want) {
		t.Errorf("modified at %v, want %v", got, want)
	}
	if stx.Atime != stx.Mtime {
		t.Errorf("read at %+v, modified at %+v", stx.Atime, stx.Mtime)
	}
}

// Where the directory of a registry is not there, a commit that creates the registry says so. One
// that replaces it is beaten: the directory went with the file.
func TestCommitWithoutADirectory(t *testing.T) {
	b := newBench(t, Options{})
	if _, ok, err := b.try("gone/a", "", 1, 0, "v1"); ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("created: ok=%v, %v", ok, err)
	}
	b.must(os.Mkdir(filepath.Join(b.path, "d"), 0o700))
	stamp := b.commits("d/a", 1)
	b.must(os.RemoveAll(filepath.Join(b.path, "d")))
	if _, ok, err := b.try("d/a", stamp, 2, 1, "v2"); ok || err != nil {
		t.Errorf("replaced: ok=%v, %v", ok, err)
	}
	b.wantTidy()
}
