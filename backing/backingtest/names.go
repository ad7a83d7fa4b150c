package backingtest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

func testRenameFile(s *suite) {
	s.commits("a.json", 2)
	s.must(s.Storage.Record("a.json", []byte(`{"of":"a"}`)))
	s.must(s.Storage.Rename("a.json", "b.json", false))
	s.wantAbsent("a.json")
	s.wantVersions("a.json")
	s.wantLast("a.json", "")
	s.wantLive("b.json", "v2")
	s.wantVersions("b.json", "1:v1")
	s.wantLast("b.json", `{"of":"a"}`)
	stamp, err := s.Storage.Stamp("b.json")
	s.must(err)
	s.commit("b.json", stamp, 3, 2, "v3")
	s.wantVersions("b.json", "1:v1", "2:v2")
}

func testRenameDir(s *suite) {
	s.Mkdir("one")
	s.Mkdir("two")
	s.commits("one/a.json", 2)
	s.must(s.Storage.Record("one/a.json", []byte(`{"of":"a"}`)))
	s.must(s.Storage.Rename("one", "two/three", true))
	s.wantAbsent("one/a.json")
	s.wantLive("two/three/a.json", "v2")
	s.wantVersions("one/a.json")
	s.wantVersions("two/three/a.json", "1:v1")
	s.wantLast("two/three/a.json", `{"of":"a"}`)
	s.Mkdir("one")
	s.commits("one/a.json", 1)
	s.wantVersions("one/a.json")
}

func testExchange(s *suite) {
	for _, dir := range []string{"one", "two", "empty", "none"} {
		s.Mkdir(dir)
	}
	s.commits("one/a.json", 2)
	s.commits("two/a.json", 3)
	s.must(s.Storage.Record("one/a.json", []byte(`{"of":"one"}`)))
	s.must(s.Storage.Exchange("one", "two"))
	s.wantLive("one/a.json", "v3")
	s.wantVersions("one/a.json", "1:v1", "2:v2")
	s.wantLast("one/a.json", "")
	s.wantLive("two/a.json", "v2")
	s.wantVersions("two/a.json", "1:v1")
	s.wantLast("two/a.json", `{"of":"one"}`)

	s.must(s.Storage.Exchange("empty", "two"))
	s.wantAbsent("two/a.json")
	s.wantVersions("two/a.json")
	s.wantLive("empty/a.json", "v2")
	s.wantVersions("empty/a.json", "1:v1")
	s.wantLast("empty/a.json", `{"of":"one"}`)
	s.must(s.Storage.Exchange("two", "none"))
	s.wantLive("empty/a.json", "v2")

	for _, wrong := range []struct {
		one, other string
		want       error
	}{
		{"one", "missing", fs.ErrNotExist},
		{"missing", "one", fs.ErrNotExist},
		{"one", "one/a.json", syscall.EINVAL},
	} {
		if err := s.Storage.Exchange(wrong.one, wrong.other); !errors.Is(err, wrong.want) {
			s.Errorf("Exchange of %s and %s: %v, want %v", wrong.one, wrong.other, err, wrong.want)
		}
	}
	s.wantLive("one/a.json", "v3")
	s.wantVersions("one/a.json", "1:v1", "2:v2")

	s.commits("f.json", 4)
	s.must(s.Storage.Exchange("one", "f.json"))
	s.wantLive("f.json/a.json", "v3")
	s.wantVersions("f.json/a.json", "1:v1", "2:v2")
	s.wantLive("one", "v4")
	s.wantVersions("one", "1:v1", "2:v2", "3:v3")
}

func testRenameNoReplace(s *suite) {
	s.commits("a.json", 2)
	s.commits("b.json", 3)
	if err := s.Storage.Rename("a.json", "b.json", true); !errors.Is(err, fs.ErrExist) {
		s.Errorf("Rename: %v, want fs.ErrExist", err)
	}
	s.wantLive("a.json", "v2")
	s.wantVersions("a.json", "1:v1")
	s.wantLive("b.json", "v3")
	s.wantVersions("b.json", "1:v1", "2:v2")
}

func testRenameMissing(s *suite) {
	s.commits("b.json", 2)
	if err := s.Storage.Rename("a.json", "b.json", false); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("Rename: %v, want fs.ErrNotExist", err)
	}
	if err := s.Storage.Rename("b.json", "no/dir/b.json", false); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("Rename: %v, want fs.ErrNotExist", err)
	}
	s.wantLive("b.json", "v2")
	s.wantVersions("b.json", "1:v1")
}

func testRenameOver(s *suite) {
	s.commits("a.json", 2)
	s.commits("b.json", 4)
	s.must(s.Storage.Rename("a.json", "b.json", false))
	s.wantLive("b.json", "v2")
	s.wantVersions("b.json", "1:v1")
	s.wantAbsent("a.json")
	s.wantVersions("a.json", "1:v1", "2:v2", "3:v3")
}

func testQuarantine(s *suite) {
	s.commits("a.json", 1)
	id, err := s.Storage.Quarantine("a.json", []byte("{bad"), []byte(`{"why":"syntax"}`))
	s.must(err)
	s.wantLive("a.json", "v1")
	s.wantVersions("a.json")
	if !s.Storage.IsKept(id) {
		s.Errorf("%q is not kept", id)
	}
	s.must(s.Storage.Discard(id))
	if s.Storage.IsKept(id) {
		s.Errorf("%q is kept though it was discarded", id)
	}
	if err := s.Storage.Discard(id); !errors.Is(err, fs.ErrNotExist) {
		s.Errorf("second Discard: %v, want fs.ErrNotExist", err)
	}
	for _, id := range []string{"", ".", "..", "../a.json", "a.json", "@log"} {
		if err := s.Storage.Discard(id); !errors.Is(err, fs.ErrNotExist) {
			s.Errorf("Discard(%q): %v, want fs.ErrNotExist", id, err)
		}
	}
	s.wantLive("a.json", "v1")
}

func testQuarantineOrder(s *suite) {
	var ids []string
	for range 20 {
		id, err := s.Storage.Quarantine("no/such/dir/a.json", nil, []byte(`{}`))
		s.must(err)
		ids = append(ids, id)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		s.Errorf("ids are not ascending: %q", ids)
	}
}

func testBadNames(s *suite) {
	s.commits("a.json", 1)
	for _, name := range []string{"", "/a.json", "a.json/", "./a.json", "../a.json", "d/../a.json", "d//a.json", ".", "..", "a\x00.json"} {
		calls := map[string]error{}
		_, _, _, calls["Load"] = s.Storage.Load(name)
		_, calls["Stamp"] = s.Storage.Stamp(name)
		_, _, calls["Commit"] = s.tryCommit(name, "", 1, 0, "x")
		_, _, calls["Create"] = s.Storage.Create(name, nil)
		_, calls["Remove"] = s.Storage.Remove(name, "", 1)
		calls["Rename from"] = s.Storage.Rename(name, "b.json", false)
		calls["Rename to"] = s.Storage.Rename("a.json", name, false)
		calls["Record"] = s.Storage.Record(name, []byte(`{}`))
		calls["Archive"] = s.Storage.Archive(name, 1, nil, [32]byte{})
		_, calls["Version"] = s.Storage.Version(name, 1)
		_, calls["Versions"] = s.Storage.Versions(name)
		_, calls["LastRecord"] = s.Storage.LastRecord(name)
		_, calls["Quarantine"] = s.Storage.Quarantine(name, nil, nil)
		for call, err := range calls {
			if !errors.Is(err, fs.ErrInvalid) {
				s.Errorf("%s with name %q: %v, want fs.ErrInvalid", call, name, err)
			}
		}
	}
	s.wantLive("a.json", "v1")
}

func testOddNames(s *suite) {
	s.Mkdir("@dir")
	s.Mkdir(strings.Repeat("d", 255))
	s.Mkdir("@" + strings.Repeat("D", 254))
	deep := ""
	for range 30 { // longer than the kernel takes in one call
		deep += strings.Repeat("deep", 50)
		s.Mkdir(deep)
		deep += "/"
	}
	var rest []byte // every byte that a name can have
	for b := 1; b < 256; b++ {
		if b != '/' {
			rest = append(rest, byte(b))
		}
	}
	names := []string{
		"@a.json", "@@a.json", "@1", "@=a", "@dir/@a.json", " ", "...", "-", "ü.json", string(rest[:127]), string(rest[127:]),
		strings.Repeat("x", 255), "@" + strings.Repeat("x", 254), "@" + strings.Repeat("x", 99), "@" + strings.Repeat("x", 100),
		strings.Repeat("d", 255) + "/a", "@" + strings.Repeat("D", 254) + "/a", deep + "a.json", deep + "@a.json", "\xff\xfe.json",
	}
	for _, name := range names {
		s.commits(name, 3)
		s.must(s.Storage.Record(name, []byte(`{"n":3}`)))
	}
	for _, name := range names {
		s.wantLive(name, "v3")
		s.wantVersions(name, "1:v1", "2:v2")
		s.wantLast(name, `{"n":3}`)
	}
}

func testOwnNames(s *suite) {
	names := []string{"@log", "@log.1", "@7", "@name", "@new-1-0-0-00", "@gone-1", "@arc-1", "history", "stage", "quarantine", "lock", "format"}
	s.Mkdir("a.json")
	for _, name := range names {
		s.commits(name, 2)
		s.commits("a.json/"+name, 3)
	}
	s.wantVersions("a.json")
	for _, name := range names {
		s.wantVersions(name, "1:v1")
		s.wantVersions("a.json/"+name, "1:v1", "2:v2")
	}
}

func testDirectory(s *suite) {
	s.Mkdir("a.json")
	if _, _, _, err := s.Storage.Load("a.json"); !errors.Is(err, fs.ErrInvalid) {
		s.Errorf("Load: %v, want fs.ErrInvalid", err)
	}
	if _, ok, err := s.tryCommit("a.json", "", 1, 0, "v1"); ok || !errors.Is(err, fs.ErrInvalid) {
		s.Errorf("Commit: ok=%v, %v, want fs.ErrInvalid", ok, err)
	}
	s.wantVersions("a.json")
}
