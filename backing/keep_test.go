package backing

import (
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

// A version is the file that was live, not a copy of it: same inode, and no byte
// of it is written again.
func TestVersionsAreNotCopied(t *testing.T) {
	b := newBench(t, Options{})
	stamp := b.commits("a", 1)
	var live, kept unix.Stat_t
	b.must(unix.Stat(filepath.Join(b.path, "a"), &live))
	b.commit("a", stamp, 2, 1, "v2")
	b.must(unix.Stat(filepath.Join(b.path, Name, "history/a/@1"), &kept))
	if live.Ino != kept.Ino {
		t.Errorf("version 1 is inode %d, the live file was %d", kept.Ino, live.Ino)
	}
}

// The kept versions do not depend on whether the process was restarted between.
func TestRetentionAcrossRestarts(t *testing.T) {
	b := newBench(t, Options{KeepVersions: 3})
	stamp := ""
	for i := uint64(1); i <= 10; i++ {
		stamp = b.commit("a", stamp, i, i-1, fmt.Sprintf("v%d", i))
		b.reopen()
	}
	b.wantKept("a", "7:v7", "8:v8", "9:v9")
	b.o.KeepVersions = 1
	b.reopen()
	b.wantKept("a", "7:v7", "8:v8", "9:v9") // to look prunes nothing
	b.commit("a", stamp, 11, 10, "v11")
	b.wantKept("a", "10:v10")
}

// The bytes of versions that were kept before a restart count.
func TestRetentionOfBytesAcrossRestarts(t *testing.T) {
	b := newBench(t, Options{KeepVersions: 100, KeepBytes: 6})
	stamp := b.commits("a", 4)
	b.wantKept("a", "1:v1", "2:v2", "3:v3")
	for i := uint64(5); i <= 7; i++ {
		b.reopen()
		stamp = b.commit("a", stamp, i, i-1, fmt.Sprintf("v%d", i))
		b.wantKept("a", fmt.Sprintf("%d:v%[1]d", i-3), fmt.Sprintf("%d:v%[1]d", i-2), fmt.Sprintf("%d:v%[1]d", i-1))
	}
}

// A version that is needed stays, however old; when it is needed no more it goes
// with the next commit.
func TestPinnedVersions(t *testing.T) {
	pinned := map[uint64]bool{1: true, 2: true}
	b := newBench(t, Options{KeepVersions: 2, KeepBytes: 4, Pinned: func(name string, seq uint64) bool {
		return name == "a" && pinned[seq]
	}})
	stamp := b.commits("a", 9)
	b.wantKept("a", "1:v1", "2:v2", "7:v7", "8:v8")
	delete(pinned, 1)
	b.commit("a", stamp, 10, 9, "v10")
	b.wantKept("a", "2:v2", "8:v8", "9:v9")
}

func TestForget(t *testing.T) {
	b := newBench(t, Options{})
	stamp := b.commits("a", 5)
	b.must(b.d.Forget("a", 2, 3, 77))
	b.wantKept("a", "1:v1", "4:v4")
	b.must(b.d.Forget("never/was", 1))
	if _, err := b.d.Version("a", 2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a forgotten version: %v, want fs.ErrNotExist", err)
	}
	b.wantLive("a", "v5")
	b.reopen()
	b.wantKept("a", "1:v1", "4:v4")
	b.commit("a", stamp, 6, 5, "v6")
	b.wantKept("a", "1:v1", "4:v4", "5:v5")
}

// The oldest copies go when there are more than the limits say, with a line that
// says so; the newest one stays, however large.
func TestQuarantineLimits(t *testing.T) {
	b := newBench(t, Options{QuarantineFiles: 3, QuarantineBytes: 100})
	put := func(content string) string {
		id, err := b.d.Quarantine("a", []byte(content), []byte(`{"why":"test"}`))
		b.must(err)
		return id
	}
	first := put("c1")
	for _, c := range []string{"c2", "c3", "c4"} {
		put(c)
	}
	b.wantQuarantined("c2", "c3", "c4")
	log, err := os.ReadFile(filepath.Join(b.path, Name, "quarantine/@log"))
	if err != nil || !strings.Contains(string(log), first) || !strings.Contains(string(log), `"expired"`) || strings.Count(string(log), "\n") != 1 {
		t.Errorf("log: %s, %v", log, err)
	}
	big := strings.Repeat("x", 99)
	put(big)
	b.wantQuarantined(big)
	put(big + big)
	b.wantQuarantined(big + big)
	b.reopen()
	put("c5")
	b.wantQuarantined("c5")
	for _, path := range b.tree() {
		if id, isMeta := strings.CutSuffix(path, metaSuffix); isMeta && !slices.Contains(b.tree(), id) {
			t.Errorf("%s tells of a copy that is gone", path)
		}
	}
}

// A clock that stands still, or that was put back while the process was down,
// makes no two copies alike and keeps their order.
func TestQuarantineUnderAClockThatJumps(t *testing.T) {
	now := moment(1000)
	b := newBench(t, Options{Clock: func() time.Time { return now }})
	var want, ids []string
	for i, jump := range []time.Duration{0, 0, -time.Hour, 24 * time.Hour, -48 * time.Hour, 0} {
		now = now.Add(jump)
		content := fmt.Sprintf("c%d", i)
		id, err := b.d.Quarantine("a", []byte(content), []byte(`{}`))
		b.must(err)
		ids, want = append(ids, id), append(want, content)
		b.reopen()
	}
	b.wantQuarantined(want...)
	if !slices.IsSorted(ids) {
		t.Errorf("ids: %q", ids)
	}
}

// A crash between a copy and its meta leaves either of them alone.
func TestQuarantineCutShort(t *testing.T) {
	b := newBench(t, Options{})
	dir := filepath.Join(b.path, Name, quarantineName)
	alone := "20260101T000000.000000000Z-000000"
	b.must(os.WriteFile(filepath.Join(dir, alone), []byte("alone"), 0o600))
	b.must(os.WriteFile(filepath.Join(dir, "20250101T000000.000000000Z-000000.meta"), []byte("{}"), 0o600))
	_, err := b.d.Quarantine("a", []byte("c1"), []byte(`{}`))
	b.must(err)
	b.wantQuarantined("alone", "c1")
	if _, meta, err := b.d.ReadQuarantine(alone); err != nil || meta != nil {
		t.Errorf("meta %q, %v", meta, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "20250101T000000.000000000Z-000000.meta")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the meta of a copy that is gone: %v", err)
	}
	b.must(b.d.Discard(alone))
	b.wantQuarantined("c1")
}

// lines returns the lines that ReadLog yields.
func (b *bench) lines(name string) []string {
	b.Helper()
	var out []string
	for line, err := range b.d.ReadLog(name) {
		b.must(err)
		out = append(out, string(line))
	}
	return out
}

func (b *bench) record(name, line string) { b.Helper(); b.must(b.d.Record(name, []byte(line))) }

// A log is rotated, so that it never has more than twice its limit; no line is
// torn by that, and the last one is always found.
func TestLogRotates(t *testing.T) {
	b := newBench(t, Options{LogBytes: 1000})
	var all []string
	for i := range 200 {
		line := fmt.Sprintf(`{"n":%d}`, i)
		b.record("a", line)
		all = append(all, line)
		if last, err := b.d.LastRecord("a"); err != nil || string(last) != line {
			t.Fatalf("LastRecord = %s, %v, want %s", last, err, line)
		}
		if i%7 == 0 {
			b.reopen()
		}
	}
	got := b.lines("a")
	if len(got) < 100 || len(got) > 220 {
		t.Fatalf("%d lines", len(got))
	}
	if diff := cmp.Diff(all[len(all)-len(got):], got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, entry := range []string{logEntry, oldLog} {
		st, err := os.Stat(filepath.Join(b.path, Name, "history/a", entry))
		if err != nil || st.Size() > 1000 {
			t.Errorf("%s: %v, %v", entry, st, err)
		}
	}
}

// A line that a crash has cut short is passed over and does not spoil the next.
func TestTornLines(t *testing.T) {
	for _, torn := range []string{`{"n":`, `{"n":2}`, "\x00\x00\x00\x00", `{"n":2` + strings.Repeat(" ", 9000)} {
		b := newBench(t, Options{})
		b.record("a", `{"n":1}`)
		log := filepath.Join(b.path, Name, "history/a", logEntry)
		f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
		b.must(err)
		_, err = f.WriteString(torn)
		b.must(errors.Join(err, f.Close()))
		b.reopen()
		if last, err := b.d.LastRecord("a"); err != nil || string(last) != `{"n":1}` {
			t.Errorf("LastRecord after %.10q = %s, %v", torn, last, err)
		}
		b.record("a", `{"n":3}`)
		if last, err := b.d.LastRecord("a"); err != nil || string(last) != `{"n":3}` {
			t.Errorf("LastRecord after %.10q = %s, %v", torn, last, err)
		}
		got := b.lines("a")
		if len(got) < 2 || got[0] != `{"n":1}` || got[len(got)-1] != `{"n":3}` {
			t.Errorf("lines after %.10q: %q", torn, got)
		}
	}
}

// A line that the disk took only a part of does not spoil the next one either.
func TestRecordThatFails(t *testing.T) {
	h := &hook{at: "append to log"}
	b := newBench(t, Options{reach: h.reach})
	b.record("a", `{"n":1}`)
	h.do = func() error { return unix.ENOSPC }
	if err := b.d.Record("a", []byte(`{"n":2}`)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Record: %v, want ENOSPC", err)
	}
	b.record("a", `{"n":3}`)
	if diff := cmp.Diff([]string{`{"n":1}`, `{"n":3}`}, b.lines("a")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The directory can be closed while its registries are listed: the taker of the names makes
// other calls meanwhile, and those wait for a Close that waits.
func TestCloseWhileRegistriesAreListed(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 2)
	b.commits("b", 2)
	d, ended := b.d, make(chan error, 1)
	b.d = nil
	go func() {
		var last error
		for _, err := range d.Registries() {
			if last = err; err == nil {
				_ = d.Close()
			}
		}
		ended <- last
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("the listing ends with %v, want ErrClosed", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for the listing")
	}
}

// All registries with a history are listed by their names, in order, with any names, and those
// that are gone too.
func TestRegistries(t *testing.T) {
	b := newBench(t, Options{})
	long := "@" + strings.Repeat("x", 200)
	for _, dir := range []string{"d", "d/e", "@1", long} {
		b.must(os.Mkdir(filepath.Join(b.path, dir), 0o700))
	}
	var want []string
	for _, name := range []string{"a", "d", "d/a", "d/e/@log", "@1/@name", long + "/" + long, "gone", "logged"} {
		if name != "d" {
			want = append(want, name)
		}
	}
	for _, name := range want {
		if name != "logged" {
			b.commits(name, 2)
		}
	}
	b.record("logged", `{}`)
	if ok, err := b.d.Remove("gone", b.stamp("gone"), 2); !ok || err != nil {
		t.Fatal(ok, err)
	}
	var got []string
	for name, err := range b.d.Registries() {
		b.must(err)
		got = append(got, name)
	}
	slices.Sort(want)
	if !slices.IsSortedFunc(got, func(x, y string) int {
		return slices.Compare(strings.Split(x, "/"), strings.Split(y, "/"))
	}) {
		t.Errorf("not in order: %q", got)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range b.d.Registries() {
		break // to stop early is allowed
	}
}

// A file that a recovery replaces may be open for writing elsewhere: later writes to it are in
// quarantine, too.
func TestDisplacedFileIsKeptWithWhatIsWrittenLater(t *testing.T) {
	b := newBench(t, Options{})
	b.commits("a", 1)
	f, err := os.OpenFile(filepath.Join(b.path, "a"), os.O_WRONLY|os.O_TRUNC, 0)
	b.must(err)
	defer f.Close()
	b.commit("a", b.stamp("a"), 2, 0, "put back")
	_, err = f.WriteString("late")
	b.must(err)
	b.wantLive("a", "put back")
	b.wantKept("a")
	b.wantQuarantined("late")
	b.wantTidy()
}
