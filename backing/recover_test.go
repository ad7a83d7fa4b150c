package backing

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// leave puts a file into the history of a registry, as a crash leaves it there.
func (b *bench) leave(name, entry, content string) {
	b.Helper()
	dir := filepath.Join(b.path, Name, "history", name)
	b.must(os.MkdirAll(dir, 0o700))
	b.must(os.WriteFile(filepath.Join(dir, entry), []byte(content), 0o600))
}

// Copying or restoring a directory gives every file another inode: digests tell the
// fate of a commit that was under way.
func TestRecoveryOfACopiedDirectory(t *testing.T) {
	entry := staged{seq: 3, oldSeq: 2, oldIno: 1 << 60, digest: sha256.Sum256([]byte("v3"))}.entry()
	for name, tt := range map[string]struct {
		live, left  string
		kept        []string
		quarantined []string
	}{
		"not exchanged yet": {"v2", "v3", []string{"1:v1"}, []string{"v3"}},
		"exchanged":         {"v3", "v2", []string{"1:v1", "2:v2"}, nil},
		"cut short":         {"v2", "v", []string{"1:v1"}, []string{"v"}},
		"not begun":         {"v2", "", []string{"1:v1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			b.commits("a", 2)
			b.write("a", tt.live)
			b.leave("a", entry, tt.left)
			b.reopen()
			b.wantKept("a", tt.kept...)
			b.wantLive("a", tt.live)
			b.wantQuarantined(tt.quarantined...)
			b.wantTidy()
			for _, r := range b.d.Recovered() {
				if r.Err != nil || r.Name != "a" {
					t.Errorf("recovered: %+v", r)
				}
			}
		})
	}
}

// Changes of the live file by the next program after a crash do not matter: the inode says that
// the staged file was exchanged.
func TestRecoveryOfAFileThatWasEditedSince(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	var st unix.Stat_t
	b.must(unix.Stat(filepath.Join(b.path, "a"), &st))
	entry := staged{seq: 3, oldSeq: 2, oldIno: st.Ino, digest: sha256.Sum256([]byte("v3"))}.entry()
	b.must(os.Rename(filepath.Join(b.path, "a"), filepath.Join(b.path, Name, "history/a", entry)))
	b.write("a", "edited")
	b.reopen()
	b.wantKept("a", "1:v1", "2:v2")
	b.wantLive("a", "edited")
	b.wantQuarantined()
}

// The digest of a copy on its way into the history says whether it is whole.
func TestRecoveryOfAnArchivedCopy(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 1)
	b.leave("a", archived{5, sha256.Sum256([]byte("v5"))}.entry(), "v5")
	b.leave("a", archived{6, sha256.Sum256([]byte("v6"))}.entry(), "v")
	b.reopen()
	b.wantKept("a", "5:v5")
	b.wantQuarantined("v")
	b.wantTidy()
}

// A leftover that nobody told Open of is found when the registry is used.
func TestRecoveryWithoutAMark(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 1)
	b.close()
	b.leave("a", goneEntry(7), "v7")
	b.open()
	if len(b.d.Recovered()) != 0 {
		t.Errorf("Open looked into a history that it was not told of: %+v", b.d.Recovered())
	}
	b.wantKept("a", "7:v7")
	b.wantTidy()
}

// A leftover that can't be resolved is reported, stays where it is, and stops
// neither the others nor the next commit.
func TestRecoveryThatFails(t *testing.T) {
	b := newBench(t, Options{})
	stamp := b.commits("a", 1)
	b.leave("a", goneEntry(7), "v7")
	b.leave("a", goneEntry(8), "v8")
	b.must(os.MkdirAll(filepath.Join(b.path, Name, "history/a/@7/x"), 0o700))
	b.reopen()
	var failed int
	for _, r := range b.d.Recovered() {
		if r.Err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d failures reported, want 1: %+v", failed, b.d.Recovered())
	}
	stamp = b.commit("a", stamp, 9, 1, "v9")
	b.wantKept("a", "1:v1", "8:v8")
	b.must(os.RemoveAll(filepath.Join(b.path, Name, "history/a/@7")))
	b.reopen()
	b.commit("a", stamp, 10, 9, "v10")
	b.wantKept("a", "1:v1", "7:v7", "8:v8", "9:v9")
	b.wantTidy()
}

// Open looks into the histories that were in use, not into all: with many registries that would
// take long. An idle registry is not told of any more.
func TestMarksAreFewAndGo(t *testing.T) {
	b := newBench(t, Options{Durability: None})
	for i := range hotHistories + 50 {
		b.commit(fmt.Sprintf("r%d", i), "", 1, 0, "v1")
	}
	marks := func() int {
		entries, err := os.ReadDir(filepath.Join(b.path, Name, stageName))
		b.must(err)
		return len(entries)
	}
	if n := marks(); n != hotHistories {
		t.Errorf("%d marks, want %d", n, hotHistories)
	}
	b.reopen()
	if n := marks(); n != 0 {
		t.Errorf("%d marks after recovery, want none", n)
	}
	b.commit("r0", b.stamp("r0"), 2, 1, "v2")
	b.close()
	b.open()
	if n := marks(); n != 0 {
		t.Errorf("%d marks after Close, want none", n)
	}
}

// The meta of a copy that recovery puts into quarantine says its origin.
func TestRecoveredCopyTellsWhatItIs(t *testing.T) {
	b := newBench(t, Options{})
	b.must(os.Mkdir(filepath.Join(b.path, "d"), 0o700))
	b.commits("d/a", 2)
	b.leave("d/a", staged{seq: 3, oldSeq: 2, oldIno: 1, digest: sha256.Sum256([]byte("v3"))}.entry(), "v3")
	b.reopen()
	list, err := b.d.ListQuarantine()
	b.must(err)
	var meta struct {
		Name, Outcome, Via, Error string
		Seq                       uint64
		Size                      int64
	}
	if len(list) != 1 || json.Unmarshal(list[0].Meta, &meta) != nil {
		t.Fatalf("quarantine: %+v", list)
	}
	if meta.Name != "d/a" || meta.Outcome != "aborted" || meta.Via != "recovery" || meta.Error == "" || meta.Seq != 3 || meta.Size != 2 {
		t.Errorf("meta: %s", list[0].Meta)
	}
}

// A process that only looks changes nothing, not even the leftovers of a crash.
func TestReadOnlyRecoversNothing(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	b.leave("a", goneEntry(7), "v7")
	before := b.tree()
	look, err := Open(b.path, Options{ReadOnly: true})
	b.must(err)
	defer look.Close()
	if seqs, err := look.Versions("a"); err != nil || fmt.Sprint(seqs) != "[1]" {
		t.Errorf("Versions: %v, %v", seqs, err)
	}
	for call, err := range map[string]error{
		"Record":     look.Record("a", []byte(`{}`)),
		"Archive":    look.Archive("a", 9, nil, [32]byte{}),
		"Rename":     look.Rename("a", "b", false),
		"Discard":    look.Discard("20060102T150405.000000000Z-000000"),
		"Forget":     look.Forget("a", 1),
		"Quarantine": func() error { _, err := look.Quarantine("a", nil, nil); return err }(),
		"Commit":     func() error { _, _, err := look.Commit("a", "", 1, 0, nil, [32]byte{}, moment(1), nil); return err }(),
		"Remove":     func() error { _, err := look.Remove("a", b.stamp("a"), 2); return err }(),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v, want EROFS", call, err)
		}
	}
	if got := b.tree(); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("changed: %q, was %q", got, before)
	}
}

// An overwrite that a crash has cut short is completed, if the file holds nothing but parts of the
// old and the new content. Else somebody has written to the file since, or it is another one: it
// stays as it is, and the new content is in quarantine.
func TestRecoveryOfAnOverwrite(t *testing.T) {
	const content = "v3, longer"
	for name, tt := range map[string]struct {
		live        string // of the file that was to be overwritten
		change      func(b *bench, path string) error
		left, want  string
		quarantined []string
	}{
		"not begun":              {live: "v2", left: content, want: content},
		"begun":                  {live: "v3", left: content, want: content},
		"done":                   {live: content, left: content, want: content},
		"written to since":       {live: "edited", left: content, want: "edited", quarantined: []string{content}},
		"not written as a whole": {live: "v2", left: "v3,", want: "v2", quarantined: []string{"v3,"}},
		"another file": {live: "v2", left: content, want: "v2", quarantined: []string{content}, change: func(b *bench, path string) error {
			b.replace("a", "v2")
			return nil
		}},
		"no file": {live: "v2", left: content, want: "(none)", quarantined: []string{content}, change: func(_ *bench, path string) error {
			return os.Remove(path)
		}},
		"a pipe": {live: "v2", left: content, quarantined: []string{content}, change: func(_ *bench, path string) error {
			return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			b.commits("a", 2)
			path := filepath.Join(b.path, "a")
			b.must(os.Link(path, filepath.Join(b.path, "other")))
			var st unix.Stat_t
			b.must(unix.Stat(path, &st))
			entry := staged{seq: 3, oldSeq: 2, oldIno: st.Ino, digest: sha256.Sum256([]byte(content))}.entry()
			b.leave("a", overPrefix+entry[len(newPrefix):], tt.left)
			b.leave("a", versionEntry(2), "v2")
			b.write("a", tt.live)
			if tt.change != nil {
				b.must(tt.change(b, path))
			}
			b.reopen()
			b.wantKept("a", "1:v1", "2:v2")
			if tt.want != "" {
				b.wantLive("a", tt.want)
			}
			b.wantQuarantined(tt.quarantined...)
			b.wantTidy()
			for _, r := range b.d.Recovered() {
				if r.Err != nil || r.Name != "a" {
					t.Errorf("recovered: %+v", r)
				}
			}
		})
	}
}

// A mark whose name leads out of the directory is reported, and nothing is touched there. One of
// a registry that has no history goes.
func TestMarksThatLeadNowhere(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 1)
	b.must(os.MkdirAll(filepath.Join(b.path, Name, "out"), 0o700))
	outside := filepath.Join(b.path, Name, "out", goneEntry(7))
	b.must(os.WriteFile(outside, []byte("v7"), 0o600))
	b.crash()
	stage := filepath.Join(b.path, Name, stageName)
	b.must(os.Symlink("../out", filepath.Join(stage, "7")))
	b.must(os.Symlink("never/was", filepath.Join(stage, "8")))
	b.open()
	if r := b.d.Recovered(); len(r) != 1 || r[0].Err == nil || r[0].Name != "../out" {
		t.Errorf("recovered: %+v", r)
	}
	if _, err := os.Lstat(outside); err != nil {
		t.Error(err)
	}
	for slot, want := range map[string]bool{"7": true, "8": false} {
		if _, err := os.Lstat(filepath.Join(stage, slot)); (err == nil) != want {
			t.Errorf("mark %s is there: %t", slot, !want)
		}
	}
	b.must(os.Remove(filepath.Join(stage, "7")))
}

// A leftover that can't be read is reported, and stays for the next attempt.
func TestRecoveryOfWhatCanNotBeRead(t *testing.T) {
	for _, entry := range []string{
		archived{5, sha256.Sum256([]byte("v5"))}.entry(),
		overPrefix + staged{seq: 5, oldSeq: 1, oldIno: 1, digest: sha256.Sum256([]byte("v5"))}.entry()[len(newPrefix):],
	} {
		b := newBench(t, Options{})
		b.commits("a", 1)
		b.must(os.MkdirAll(filepath.Join(b.path, Name, "history/a", entry), 0o700))
		b.reopen()
		if r := b.d.Recovered(); len(r) != 1 || r[0].Err == nil {
			t.Errorf("recovered: %+v", r)
		}
		if _, err := os.Lstat(filepath.Join(b.path, Name, "history/a", entry)); err != nil {
			t.Error(err)
		}
		b.wantQuarantined()
		b.wantLive("a", "v1")
	}
}

// Content that never became live, and that a program still has by a name of its own, needs no copy
// in quarantine.
func TestRecoveryOfAFileThatKeepsItsName(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	entry := staged{seq: 3, oldSeq: 2, oldIno: 1 << 60, digest: sha256.Sum256([]byte("v3"))}.entry()
	b.leave("a", entry, "v3")
	b.must(os.Link(filepath.Join(b.path, Name, "history/a", entry), filepath.Join(b.path, "tmp")))
	b.reopen()
	b.wantKept("a", "1:v1")
	b.wantLive("a", "v2")
	b.wantLive("tmp", "v3")
	b.wantQuarantined()
	b.wantTidy()
}

// Something else has the registry's name by now: content that was staged for it goes to quarantine.
func TestRecoveryWhereSomethingElseHasTheName(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"a directory": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "a")), os.Mkdir(filepath.Join(dir, "a"), 0o700))
		},
		"a symbolic link is on its way": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".moved"), os.Symlink("d.moved", dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Options{})
			dir := filepath.Join(b.path, "d")
			b.must(os.Mkdir(dir, 0o700))
			b.commits("d/a", 2)
			b.leave("d/a", staged{seq: 3, oldSeq: 2, oldIno: 1 << 60, digest: sha256.Sum256([]byte("v3"))}.entry(), "v3")
			b.must(change(dir))
			b.reopen()
			for _, r := range b.d.Recovered() {
				if r.Err != nil {
					t.Errorf("recovered: %+v", r)
				}
			}
			b.wantQuarantined("v3")
		})
	}
}
