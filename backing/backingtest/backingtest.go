// Package backingtest holds the one suite that every implementation of
// txn.Storage must pass: the real directory, the memory of the tests, and any
// later engine.
//
// What always holds: a test of the suite uses nothing but the interface, makes
// its own storage, and has the promise as its name.
package backingtest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clawfs/txn"
)

// Limits are the options that the storage under test was opened with.
type Limits struct {
	KeepVersions int   // versions kept of a registry
	KeepBytes    int64 // bytes kept of a registry
}

// A Target is a storage under test.
type Target struct {
	Storage txn.Storage
	Limits  Limits
	// Pin makes the storage keep a version beyond its limits.
	Pin func(name string, seq uint64)
	// Foreign writes a live file behind the storage's back: in place if it
	// exists. It makes the directories that it needs.
	Foreign func(name string, content []byte)
	// Keeps says that content that Foreign replaces becomes a version.
	Keeps bool
	// Mkdir makes a directory.
	Mkdir func(name string)
}

// Run runs the suite. open makes a new, empty storage for each test and closes
// it when the test ends.
func Run(t *testing.T, open func(t *testing.T) Target) {
	tests := map[string]func(*suite){
		"nothing is there at first":                       testEmpty,
		"a commit creates a file":                         testCreate,
		"a commit creates only where nothing is":          testCreateBeaten,
		"a commit replaces the file of its stamp":         testReplace,
		"a commit is beaten by any other change":          testBeaten,
		"what was replaced is a version":                  testVersions,
		"what was replaced under no number is not kept":   testNoNumber,
		"times are kept to the nanosecond":                testTimes,
		"versions beyond the limits are pruned":           testPruneCount,
		"bytes beyond the limits are pruned":              testPruneBytes,
		"a pinned version is kept":                        testPinned,
		"an empty file is created where none is":          testCreateEmpty,
		"what replaces an empty file keeps nothing of it": testReplaceEmpty,
		"an empty file is removed without a trace":        testRemoveEmpty,
		"a time that is set is the live file's":           testSetTime,
		"a removed file is a version":                     testRemove,
		"a removal is beaten by any other change":         testRemoveBeaten,
		"a superseded version can be archived":            testArchive,
		"the last record is the newest":                   testRecords,
		"records of two registries are apart":             testRecordsApart,
		"forgotten versions are gone":                     testForget,
		"what is kept of the gone can be erased":          testErase,
		"a renamed file takes its history along":          testRenameFile,
		"a renamed directory takes its histories along":   testRenameDir,
		"directories that change places, too":             testExchange,
		"a rename spares what it must not replace":        testRenameNoReplace,
		"a rename of nothing says so":                     testRenameMissing,
		"neither history is lost by a rename":             testRenameOver,
		"refused content is kept until it is discarded":   testQuarantine,
		"quarantine ids sort by time":                     testQuarantineOrder,
		"names that lead elsewhere are refused":           testBadNames,
		"any name works":                                  testOddNames,
		"names that look like the storage's own are free": testOwnNames,
		"a directory is no registry":                      testDirectory,
		"registries can be changed at the same time":      testConcurrent,
		"content is stored byte for byte":                 testBytes,
		"an owner's and a reader's slices are apart":      testAliasing,
		"of commits with one stamp only one succeeds":     testOneWinner,
		"views are given back once":                       testViews,
		"what was committed can be synced":                testSync,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(&suite{T: t, Target: open(t)}) })
	}
}

// suite is one test's storage, with shorthands that fail the test.
type suite struct {
	*testing.T
	Target
}

// moment is the modification time of version n.
func moment(n uint64) time.Time { return time.Unix(1_700_000_000+int64(n), 123_456_789) }

func (s *suite) commit(name, stamp string, seq, oldSeq uint64, content string) string {
	s.Helper()
	got, ok, err := s.tryCommit(name, stamp, seq, oldSeq, content)
	if err != nil || !ok {
		s.Fatalf("Commit(%q, version %d): ok=%v, %v", name, seq, ok, err)
	}
	return got
}

func (s *suite) tryCommit(name, stamp string, seq, oldSeq uint64, content string) (string, bool, error) {
	return s.Storage.Commit(name, stamp, seq, oldSeq, []byte(content), sha256.Sum256([]byte(content)), moment(seq), nil)
}

// commits makes versions 1 to n, where version i holds "vi", and returns the
// last stamp.
func (s *suite) commits(name string, n uint64) string {
	s.Helper()
	stamp := ""
	for i := uint64(1); i <= n; i++ {
		stamp = s.commit(name, stamp, i, i-1, fmt.Sprintf("v%d", i))
	}
	return stamp
}

func (s *suite) wantLive(name, content string) {
	s.Helper()
	got, _, stamp, err := s.Storage.Load(name)
	if err != nil || string(got) != content {
		s.Fatalf("Load(%q) = %q, %v, want %q", name, got, err, content)
	}
	if again, err := s.Storage.Stamp(name); err != nil || again != stamp || stamp == "" {
		s.Fatalf("Stamp(%q) = %q, %v; Load's is %q", name, again, err, stamp)
	}
}

func (s *suite) wantAbsent(name string) {
	s.Helper()
	if _, _, _, err := s.Storage.Load(name); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("Load(%q): %v, want fs.ErrNotExist", name, err)
	}
	if stamp, err := s.Storage.Stamp(name); stamp != "" || err != nil {
		s.Errorf("Stamp(%q) = %q, %v, want none", name, stamp, err)
	}
}

// wantVersions compares the history: the content of each version, in order.
func (s *suite) wantVersions(name string, want ...string) {
	s.Helper()
	seqs, err := s.Storage.Versions(name)
	if err != nil {
		s.Fatalf("Versions(%q): %v", name, err)
	}
	var got []string
	for _, seq := range seqs {
		b, err := s.Storage.Version(name, seq)
		if err != nil {
			s.Fatalf("Version(%q, %d): %v", name, seq, err)
		}
		got = append(got, fmt.Sprintf("%d:%s", seq, b))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("versions of %q (-want +got):\n%s", name, diff)
	}
}

func (s *suite) wantLast(name, want string) {
	s.Helper()
	got, err := s.Storage.LastRecord(name)
	if err != nil || string(got) != want {
		s.Errorf("LastRecord(%q) = %q, %v, want %q", name, got, err, want)
	}
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func testEmpty(s *suite) {
	s.wantAbsent("a.json")
	s.wantAbsent("no/such/directory/a.json")
	s.wantVersions("a.json")
	s.wantLast("a.json", "")
	if _, err := s.Storage.Version("a.json", 1); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("Version: %v, want fs.ErrNotExist", err)
	}
}

func testCreate(s *suite) {
	stamp := s.commit("a.json", "", 1, 0, "v1")
	s.wantLive("a.json", "v1")
	if got, err := s.Storage.Stamp("a.json"); err != nil || got != stamp {
		s.Errorf("Stamp = %q, %v; Commit's is %q", got, err, stamp)
	}
	s.wantVersions("a.json")
}

func testCreateBeaten(s *suite) {
	s.Foreign("a.json", []byte("foreign"))
	if _, ok, err := s.tryCommit("a.json", "", 1, 0, "v1"); ok || err != nil {
		s.Fatalf("ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantLive("a.json", "foreign")
	s.wantVersions("a.json")
}

func testReplace(s *suite) {
	first := s.commit("a.json", "", 1, 0, "v1")
	second := s.commit("a.json", first, 2, 1, "v2")
	if first == second {
		s.Error("two states have one stamp")
	}
	s.wantLive("a.json", "v2")
	if _, ok, err := s.tryCommit("a.json", first, 3, 2, "v3"); ok || err != nil {
		s.Errorf("commit with an old stamp: ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantLive("a.json", "v2")
	s.wantVersions("a.json", "1:v1")
}

func testBeaten(s *suite) {
	stamp := s.commits("a.json", 1)
	s.Foreign("a.json", []byte("xx")) // the same length
	if _, ok, err := s.tryCommit("a.json", stamp, 2, 1, "v2"); ok || err != nil {
		s.Fatalf("ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantLive("a.json", "xx")
	_, ok, err := s.tryCommit("b.json", stamp, 2, 1, "v2")
	if ok || err != nil {
		s.Fatalf("where there is no file: ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantAbsent("b.json")
}

func testVersions(s *suite) {
	s.Mkdir("d")
	s.commits("d/a.json", 4)
	s.wantLive("d/a.json", "v4")
	s.wantVersions("d/a.json", "1:v1", "2:v2", "3:v3")
	s.wantVersions("d")
}

func testNoNumber(s *suite) {
	stamp := s.commits("a.json", 2)
	s.commit("a.json", stamp, 3, 0, "v3")
	s.wantLive("a.json", "v3")
	s.wantVersions("a.json", "1:v1")
}

func testTimes(s *suite) {
	s.commits("a.json", 1)
	_, mtime, _, err := s.Storage.Load("a.json")
	s.must(err)
	if !mtime.Equal(moment(1)) {
		s.Errorf("modified at %v, want %v", mtime, moment(1))
	}
}

func testSetTime(s *suite) {
	stamp := s.commits("a.json", 2)
	now, ok, err := s.Storage.SetTime("a.json", stamp, moment(9))
	if !ok || err != nil {
		s.Fatalf("SetTime: ok=%v, %v", ok, err)
	}
	_, mtime, loaded, err := s.Storage.Load("a.json")
	s.must(err)
	if !mtime.Equal(moment(9)) || loaded != now {
		s.Errorf("modified at %v, stamp %q; want %v, %q", mtime, loaded, moment(9), now)
	}
	s.wantVersions("a.json", "1:v1")
	s.Foreign("a.json", []byte("theirs"))
	if _, ok, err := s.Storage.SetTime("a.json", now, moment(8)); ok || err != nil {
		s.Errorf("SetTime: ok=%v, %v, want to be beaten", ok, err)
	}
	if _, ok, err := s.Storage.SetTime("none.json", now, moment(8)); ok || err != nil {
		s.Errorf("SetTime of nothing: ok=%v, %v", ok, err)
	}
	s.wantLive("a.json", "theirs")
}

func testPruneCount(s *suite) {
	n := s.Limits.KeepVersions
	s.commits("a.json", uint64(n)+5)
	seqs, err := s.Storage.Versions("a.json")
	s.must(err)
	if len(seqs) != n || seqs[n-1] != uint64(n)+4 {
		s.Errorf("kept %v, want the %d before the live one", seqs, n)
	}
	if _, err := s.Storage.Version("a.json", 1); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("pruned version: %v, want fs.ErrNotExist", err)
	}
}

func testPruneBytes(s *suite) {
	big := strings.Repeat("x", int(s.Limits.KeepBytes*2/3))
	stamp := s.commit("a.json", "", 1, 0, "v1")
	stamp = s.commit("a.json", stamp, 2, 1, big)
	stamp = s.commit("a.json", stamp, 3, 2, big)
	s.wantVersions("a.json", "1:v1", "2:"+big)
	stamp = s.commit("a.json", stamp, 4, 3, big+big)
	s.wantVersions("a.json", "3:"+big)
	s.commit("a.json", stamp, 5, 4, "v5")
	s.wantVersions("a.json", "4:"+big+big) // the newest stays, however large
}

func testPinned(s *suite) {
	stamp := s.commits("a.json", 2)
	s.Pin("a.json", 1)
	n := uint64(s.Limits.KeepVersions)
	for i := uint64(3); i < n+9; i++ {
		stamp = s.commit("a.json", stamp, i, i-1, "v")
	}
	if b, err := s.Storage.Version("a.json", 1); err != nil || string(b) != "v1" {
		s.Errorf("pinned version: %q, %v", b, err)
	}
	if _, err := s.Storage.Version("a.json", 2); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("the version beside it: %v, want fs.ErrNotExist", err)
	}
}

func testRemove(s *suite) {
	stamp := s.commits("a.json", 2)
	if ok, err := s.Storage.Remove("a.json", stamp, 2); !ok || err != nil {
		s.Fatalf("Remove: ok=%v, %v", ok, err)
	}
	s.wantAbsent("a.json")
	s.wantVersions("a.json", "1:v1", "2:v2")
	s.commit("a.json", "", 3, 0, "v3")
	s.wantLive("a.json", "v3")
}

func testRemoveBeaten(s *suite) {
	stamp := s.commits("a.json", 1)
	s.Foreign("a.json", []byte("xx"))
	if ok, err := s.Storage.Remove("a.json", stamp, 1); ok || err != nil {
		s.Fatalf("Remove: ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantLive("a.json", "xx")
	if ok, err := s.Storage.Remove("b.json", stamp, 1); ok || err != nil {
		s.Fatalf("Remove of nothing: ok=%v, %v, want to be beaten", ok, err)
	}
	if s.Keeps {
		s.wantVersions("a.json", "1:v1")
	} else {
		s.wantVersions("a.json")
	}
}

func testArchive(s *suite) {
	stamp := s.commits("a.json", 1)
	s.must(s.Storage.Archive("a.json", 2, []byte("v2"), sha256.Sum256([]byte("v2"))))
	s.commit("a.json", stamp, 3, 1, "v3")
	s.wantLive("a.json", "v3")
	s.wantVersions("a.json", "1:v1", "2:v2")
}

func testRecords(s *suite) {
	s.commits("a.json", 1)
	for i := range 50 {
		line := fmt.Sprintf(`{"n":%d,"pad":%q}`, i, strings.Repeat("x", i*40))
		s.must(s.Storage.Record("a.json", []byte(line)))
		s.wantLast("a.json", line)
	}
}

func testRecordsApart(s *suite) {
	s.must(s.Storage.Record("a.json", []byte(`{"of":"a"}`)))
	s.must(s.Storage.Record("a.json2", []byte(`{"of":"a2"}`)))
	s.wantLast("a.json", `{"of":"a"}`)
	s.wantLast("a.json2", `{"of":"a2"}`)
	s.wantVersions("a.json")
}

func testConcurrent(s *suite) {
	const registries, rounds = 8, 10
	var wg sync.WaitGroup
	for r := range registries {
		wg.Go(func() {
			name, stamp := fmt.Sprintf("r%d.json", r), ""
			for i := uint64(1); i <= rounds; i++ {
				content := fmt.Sprintf("%d of %d", i, r)
				next, ok, err := s.tryCommit(name, stamp, i, i-1, content)
				if !ok || err != nil {
					s.Errorf("%s: ok=%v, %v", name, ok, err)
					return
				}
				stamp = next
				if err := s.Storage.Record(name, []byte(`{}`)); err != nil {
					s.Error(err)
				}
			}
		})
		wg.Go(func() { // readers never see anything but a whole version
			name := fmt.Sprintf("r%d.json", r)
			for range 10 * rounds {
				b, _, _, err := s.Storage.Load(name)
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil || !strings.HasSuffix(string(b), fmt.Sprintf(" of %d", r)) {
					s.Errorf("Load(%q) = %q, %v", name, b, err)
				}
				if _, err := s.Storage.Versions(name); err != nil {
					s.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for r := range registries {
		s.wantLive(fmt.Sprintf("r%d.json", r), fmt.Sprintf("%d of %d", rounds, r))
	}
}

func testOneWinner(s *suite) {
	stamp := s.commits("a.json", 1)
	wins := 0
	for i := range uint64(3) {
		if _, ok, err := s.tryCommit("a.json", stamp, i+2, 1, "w"); err != nil {
			s.Fatal(err)
		} else if ok {
			wins++
		}
	}
	if wins != 1 {
		s.Errorf("%d commits succeeded, want 1", wins)
	}
}

func testBytes(s *suite) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	stamp := ""
	for i, content := range []string{"", "\n", string(all), strings.Repeat("{}\r\n", 100_000)} {
		seq := uint64(i + 1)
		stamp = s.commit("a.json", stamp, seq, seq-1, content)
		s.wantLive("a.json", content)
	}
	s.wantVersions("a.json", "1:", "2:\n", "3:"+string(all))
}

func testAliasing(s *suite) {
	content := []byte("mine")
	_, ok, err := s.Storage.Commit("a.json", "", 1, 0, content, sha256.Sum256(content), moment(1), nil)
	if !ok || err != nil {
		s.Fatal(ok, err)
	}
	content[0] = 'X'
	s.wantLive("a.json", "mine")
	b, _, _, err := s.Storage.Load("a.json")
	s.must(err)
	b[0] = 'X'
	s.wantLive("a.json", "mine")
}

func testSync(s *suite) {
	s.must(s.Storage.Sync())
	s.commits("a.json", 2)
	s.must(s.Storage.Sync())
	s.wantLive("a.json", "v2")
	s.wantVersions("a.json", "1:v1")
}
