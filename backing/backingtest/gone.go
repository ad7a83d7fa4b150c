package backingtest

import (
	"slices"
	"time"
)

func testForget(s *suite) {
	s.commits("a.json", 4)
	s.must(s.Storage.AppendViews(line("{}\n")))
	s.must(s.Storage.Forget("a.json", 2, 9))
	s.must(s.Storage.Forget("b.json", 1))
	kept, err := s.Storage.Versions("a.json")
	s.must(err)
	if !slices.Equal(kept, []uint64{1, 3}) {
		s.Errorf("kept: %d, want 1 and 3", kept)
	}
	s.wantViews("")
}

func testErase(s *suite) {
	s.Mkdir("d")
	const long = "d/@gone.json"
	for _, name := range []string{"a.json", long} {
		stamp := s.commits(name, 3)
		s.must(s.Storage.Record(name, []byte(`{"n":1}`)))
		s.must(s.Storage.Record(name, []byte(`{"n":2}`)))
		if line, err := s.Storage.FirstRecord(name); string(line) != `{"n":1}` || err != nil {
			s.Errorf("FirstRecord: %s, %v", line, err)
		}
		if name == long {
			if ok, err := s.Storage.Remove(name, stamp, 3); !ok || err != nil {
				s.Fatalf("Remove: %v, %v", ok, err)
			}
		}
	}
	s.wantGone(long)
	if ok, err := s.Storage.Erase("a.json"); ok || err != nil {
		s.Errorf("Erase of what is there: %v, %v", ok, err)
	}
	s.wantVersions("a.json", "1:v1", "2:v2")
	for range 2 {
		if ok, err := s.Storage.Erase(long); !ok || err != nil {
			s.Errorf("Erase: %v, %v", ok, err)
		}
	}
	s.wantGone()
	s.wantVersions(long)
	s.wantLast(long, "")
	if line, err := s.Storage.FirstRecord(long); line != nil || err != nil {
		s.Errorf("FirstRecord: %s, %v", line, err)
	}
	s.commit(long, "", 1, 0, "new")
	s.wantLive(long, "new")
}

// wantGone fails unless the storage tells of these names.
func (s *suite) wantGone(want ...string) {
	s.Helper()
	var got []string
	s.must(s.Storage.Gone(func(name string, room int64, changed time.Time) bool {
		if room <= 0 || changed.After(time.Now().Add(time.Minute)) {
			s.Errorf("%s: %d bytes, changed %v", name, room, changed)
		}
		got = append(got, name)
		return true
	}))
	if !slices.Equal(got, want) {
		s.Errorf("gone: %q, want %q", got, want)
	}
}
