package calls

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// told is a call in a bare directory that
// holds one file, a.json, with its answer and the content that it leaves.
type told struct {
	call    Call
	ret     int64
	content string
}

func played(calls []told) *model {
	m := newModel()
	for _, c := range calls {
		m.did(&c.call, answer{ret: c.ret, err: unix.ENOENT, attrs: &attrs{Ino: 7}})
		m.saw(map[string]sight{"a.json": {attrs: attrs{Ino: 7, Mode: unix.S_IFREG | 0o644, Nlink: 1}, content: c.content}})
	}
	return m
}

// A merge that changes no value may change the spelling, where another process has
// written in between.
func TestRespelledIsExcusedAfterOthersOnly(t *testing.T) {
	save := func(by int, before, text string) []told {
		return []told{
			{Call{By: by, Op: "open", H: by, Path: "a.json", Flags: "O_WRONLY|O_CREAT"}, 0, before},
			{Call{By: by, Op: "pwrite", H: by, Data: text}, int64(len(text)), text},
			{Call{By: by, Op: "close", H: by}, 0, text},
		}
	}
	for _, test := range []struct {
		second int
		shown  string
		want   bool
	}{{2, "[1,2] ", true}, {2, "[1]", false}, {2, "[", false}, {1, "[1,2] ", false}} {
		m := played(append(save(1, "", "[1]"), save(test.second, "[1]", "[1,2]")...))
		if got := m.respelled("a.json", test.shown); got != test.want {
			t.Errorf("%v: %v", test, got)
		}
	}
}

// A merge is excused where its writer has not read the content of another process there, even
// if that content has something in common with the writer's.
func TestUnreadIsExcused(t *testing.T) {
	const before, after = `["t0001","t0002"]`, `["t0001","t0003"]`
	save := func(by int, holds, text string) []told {
		return []told{
			{Call{By: by, Op: "open", H: by, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, holds},
			{Call{By: by, Op: "pwrite", H: by, Data: text}, int64(len(text)), text},
			{Call{By: by, Op: "close", H: by}, 0, text},
		}
	}
	read := []told{
		{Call{By: 2, Op: "open", H: 2, Path: "a.json", Flags: "O_RDONLY"}, 0, before},
		{Call{By: 2, Op: "pread", H: 2, Len: 100}, int64(len(before)), before},
		{Call{By: 2, Op: "close", H: 2}, 0, before},
	}
	first, second := save(1, "", before), save(2, before, after)
	if m := played(slices.Concat(first, second)); !m.unrelated("a.json") {
		t.Error("what was not read is not excused")
	}
	if m := played(slices.Concat(first, read, second)); m.unrelated("a.json") {
		t.Error("what was read is excused")
	}
	missed := []told{{Call{By: 2, Op: "stat", Path: "a.json"}, -1, ""}}
	if m := played(slices.Concat(missed, first, read, second)); !m.unrelated("a.json") {
		t.Error("what was read after there was nothing is not excused")
	}
	if m := played(slices.Concat(first, save(1, before, after))); m.unrelated("a.json") {
		t.Error("what the writer has written itself is excused")
	}
}

// A reader commits the staged content of a file that has no version.
func TestFilledByReading(t *testing.T) {
	m := played([]told{
		{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, ""},
		{Call{By: 1, Op: "flock", H: 1, Flags: "LOCK_EX"}, 0, ""},
		{Call{By: 1, Op: "pwrite", H: 1, Data: "[1]"}, 3, "[1]"},
	})
	f := m.file("a.json")
	if !m.filledByReading(f, &sight{content: "[1]"}) {
		t.Error("what was staged is not excused")
	}
	if m.filledByReading(f, &sight{content: "[2]"}) || m.filledByReading(f, &sight{content: "[1]", attrs: attrs{Size: 2}}) {
		t.Error("something else is excused")
	}
	m.did(&Call{By: 1, Op: "close", H: 1}, answer{})
	m.saw(map[string]sight{"a.json": {attrs: attrs{Ino: 7, Mode: unix.S_IFREG, Nlink: 1}, content: "[1]"}})
	if m.filledByReading(f, &sight{content: "[1]"}) {
		t.Error("the size of a version is excused")
	}
}

// A mount shows a file otherwise than a bare directory does only where the exceptions say so.
func TestModelAllowsOnlyWhatIsExcused(t *testing.T) {
	created := told{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, ""}
	write := func(text string) told {
		return told{Call{By: 1, Op: "pwrite", H: 1, Data: text}, int64(len(text)), text}
	}
	closed := func(text string) told { return told{Call{By: 1, Op: "close", H: 1}, 0, text} }
	opens := func(by int, text string) told {
		return told{Call{By: by, Op: "open", H: by, Path: "a.json", Flags: "O_RDWR"}, 0, text}
	}
	flock := func(by int, how, text string) told {
		return told{Call{By: by, Op: "flock", H: by, Flags: how}, 0, text}
	}
	for _, test := range []struct {
		name   string
		calls  []told
		reader int   // the process that reads by its handle; 0: the observer
		from   int64 // where it reads
		others []string
		key    string
		hidden bool
	}{
		{name: "created", calls: []told{created}, hidden: true},
		{name: "placeholder", calls: []told{created, closed("")}},
		{name: "locked while created", calls: []told{created, flock(1, "LOCK_EX", "")}},
		{name: "staged", calls: []told{created, closed(""), opens(1, ""), write("1")}, others: []string{""}, key: "staged"},
		{name: "own", calls: []told{created, closed(""), opens(1, ""), write("1")}, reader: 1},
		{name: "saved", calls: []told{created, closed(""), opens(1, ""), write("1"), closed("1")}},
		{name: "refused", calls: []told{created, write("{"), closed("{")}, others: []string{"", "{"}, key: "refused", hidden: true},
		{
			name: "written over what was refused", reader: 2, others: []string{"1"}, key: "refused", hidden: true,
			calls: []told{created, write("{{"), closed("{{"), opens(2, "{{"), {Call{By: 2, Op: "pwrite", H: 2, Data: "1"}, 1, "1{"}},
		},
		{
			name: "saved over what was refused", others: []string{"", "{{", "1", "1{"}, key: "refused", hidden: true,
			calls: []told{created, write("{{"), closed("{{"), opens(2, "{{"), {Call{By: 2, Op: "pwrite", H: 2, Data: "1"}, 1, "1{"},
				{Call{By: 2, Op: "close", H: 2}, 0, "1{"}},
		},
		{
			name:  "kept open, from the start",
			calls: []told{created, write("1"), closed("1"), opens(2, "1"), opens(1, "1"), write("2"), closed("2")}, reader: 2,
		},
		{
			name: "kept open, in the middle of a pass", reader: 2, from: 1, others: []string{"1", "2"}, key: "snapshot",
			calls: []told{created, write("1"), closed("1"), opens(2, "1"), {Call{By: 2, Op: "pread", H: 2}, 1, "1"},
				opens(1, "1"), write("2"), closed("2")},
		},
		{
			name: "kept open, mapped before", reader: 2, from: byMapping, others: []string{"1", "2"}, key: "snapshot",
			calls: []told{created, write("1"), closed("1"), opens(2, "1"), {Call{By: 2, Op: "mmap", H: 2}, 1, "1"},
				opens(1, "1"), write("2"), closed("2")},
		},
		{
			name: "kept open, mapped first", reader: 2, from: byMapping, others: []string{"1", "2"}, key: "snapshot",
			calls: []told{created, write("1"), closed("1"), opens(2, "1"), opens(1, "1"), write("2"), closed("2")},
		},
		{
			name: "given up under a lock, for the next holder", reader: 2,
			calls: []told{created, write("1"), closed("1"), opens(2, "1"), opens(1, "1"), flock(1, "LOCK_EX", "1"), write("2"),
				flock(1, "LOCK_UN", "2"), flock(2, "LOCK_EX", "2")},
		},
		{
			name: "read under a lock", others: []string{"2", "1"}, key: "staged",
			calls: []told{created, write("1"), closed("1"), opens(2, "1"), opens(1, "1"), flock(2, "LOCK_EX", "1"), write("2"),
				{Call{By: 2, Op: "pread", H: 2}, 1, "2"}, write("3")},
		},
		{
			name: "given up under a lock, for others", others: []string{"1"}, key: "staged",
			calls: []told{created, write("1"), closed("1"), opens(1, "1"), flock(1, "LOCK_EX", "1"), write("2"), flock(1, "LOCK_UN", "2")},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := played(test.calls)
			others, key := m.mayShow(m.file("a.json"), m.handle(test.reader, test.reader), test.from)
			if diff := cmp.Diff(test.others, others); diff != "" || key != test.key {
				t.Errorf("key %q, want %q; others (-want +got):\n%s", key, test.key, diff)
			}
			if hidden := newComparison(m).hidden("a.json"); hidden != test.hidden {
				t.Errorf("hidden: %v", hidden)
			}
		})
	}
}

// A file that holds no document, and that somebody may write, is staged when it takes the name
// of a registry that holds one.
func TestRenameOfNoDocumentIsStaged(t *testing.T) {
	for _, test := range []struct {
		name, flags, content string
		want                 []string
	}{
		{"empty, open for writing", "O_WRONLY|O_CREAT", "", []string{"[1]"}},
		{"half a document, open for writing", "O_WRONLY|O_CREAT", "[", []string{"[1]"}},
		{"a document, open for writing", "O_WRONLY|O_CREAT", "[2]", nil},
		{"empty, open for reading", "O_RDONLY|O_CREAT", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := played([]told{
				{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, ""},
				{Call{By: 1, Op: "pwrite", H: 1, Data: "[1]"}, 3, "[1]"},
				{Call{By: 1, Op: "close", H: 1}, 0, "[1]"},
			})
			other := sight{attrs: attrs{Ino: 8, Mode: unix.S_IFREG | 0o644, Nlink: 1}, content: test.content}
			m.did(&Call{By: 1, Op: "open", H: 2, Path: "t1", Flags: test.flags}, answer{attrs: &attrs{Ino: 8}})
			m.saw(map[string]sight{"t1": other})
			m.did(&Call{By: 1, Op: "rename", Path: "t1", Path2: "a.json"}, answer{})
			m.saw(map[string]sight{"a.json": other, "t1": {err: unix.ENOENT}})
			others, _ := m.mayShow(m.file("a.json"), nil, 0)
			if diff := cmp.Diff(test.want, others); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The next call of a handle that is at another offset on the mount would differ, too.
func TestMovedApartEndsTheProgram(t *testing.T) {
	m := played([]told{
		{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, ""},
		{Call{By: 1, Op: "pwrite", H: 1, Data: "[1]"}, 3, "[1]"},
		{Call{By: 1, Op: "close", H: 1}, 0, "[1]"},
		{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR"}, 0, "[1]"},
		{Call{By: 2, Op: "open", H: 2, Path: "a.json"}, 0, "[1]"},
		{Call{By: 1, Op: "ftruncate", H: 1}, 0, ""},
	})
	k := newComparison(m)
	k.before(6, Call{By: 2, Op: "lseek", H: 2, Flags: "SEEK_END"})
	k.answers(answer{}, answer{ret: 3})
	if len(k.found) != 1 || k.found[0].Excuse != "staged" || !k.found[0].hard {
		t.Errorf("%v", k.found)
	}
}

// A lock that is held by another name of the file is no reason to refuse one; a lock that is
// held by the same name is.
func TestLockedByName(t *testing.T) {
	for other, want := range map[string]bool{"a.json": false, "b.json": true} {
		m := played([]told{
			{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, "1"},
			{Call{By: 1, Op: "flock", H: 1, Flags: "LOCK_EX"}, 0, "1"},
			{Call{By: 2, Op: "open", H: 2, Path: other, Flags: "O_RDWR"}, 0, "1"},
		})
		k := newComparison(m)
		k.before(3, Call{By: 2, Op: "flock", H: 2, Flags: "LOCK_EX"})
		if got := lockedByName(k, answer{ret: -1, err: unix.EAGAIN}, answer{}); got != want {
			t.Errorf("%s: %v", other, got)
		}
	}
}

// Watchers may be told again of a file that was being written when the watch began, or just before.
func TestToldAgain(t *testing.T) {
	watch := func(path string) told { return told{Call{By: 2, Op: "watch", H: 9, Path: path}, 1, "1"} }
	written := []told{
		{Call{By: 1, Op: "open", H: 1, Path: "a.json", Flags: "O_RDWR|O_CREAT"}, 0, ""},
		{Call{By: 1, Op: "pwrite", H: 1, Data: "1"}, 1, "1"},
	}
	read := told{Call{By: 1, Op: "open", H: 1, Path: "a.json"}, 0, "1"}
	for _, test := range []struct {
		calls []told
		want  bool
	}{{written, true}, {append(slices.Clone(written), told{Call{By: 1, Op: "close", H: 1}, 0, "1"}), true}, {[]told{read}, false}} {
		for at, path := range map[string]string{"watch 1 ": "a.json", "watch 1 a.json": "."} {
			m := played(append(slices.Clone(test.calls), watch(path)))
			if files := m.filesAt(at); len(files) != 1 || files[0].tellsAll != test.want {
				t.Errorf("%s: %d files, want %v", at, len(files), test.want)
			}
		}
	}
}
