package backingtest

// create makes an empty file and returns its stamp.
func (s *suite) create(name string) string {
	s.Helper()
	stamp, ok, err := s.Storage.Create(name, nil)
	if !ok || err != nil {
		s.Fatalf("Create(%q): ok=%v, %v", name, ok, err)
	}
	if now, err := s.Storage.Stamp(name); err != nil || now != stamp {
		s.Errorf("Stamp = %q, %v; Create's is %q", now, err, stamp)
	}
	return stamp
}

func testCreateEmpty(s *suite) {
	s.create("a.json")
	s.wantLive("a.json", "")
	s.wantVersions("a.json")
	s.commits("b.json", 1)
	s.Mkdir("d")
	for _, name := range []string{"a.json", "b.json", "d"} {
		if _, ok, err := s.Storage.Create(name, nil); ok || err != nil {
			s.Errorf("Create(%q): ok=%v, %v, want to be told that it is there", name, ok, err)
		}
	}
	s.wantLive("b.json", "v1")
}

func testReplaceEmpty(s *suite) {
	stamp := s.create("a.json")
	s.commit("a.json", stamp, 1, 0, "v1")
	s.wantLive("a.json", "v1")
	s.wantVersions("a.json")
	s.create("b.json")
	s.Foreign("b.json", []byte("theirs"))
	if _, ok, err := s.tryCommit("b.json", stamp, 1, 0, "v1"); ok || err != nil {
		s.Errorf("ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantLive("b.json", "theirs")
}

func testRemoveEmpty(s *suite) {
	stamp := s.create("a.json")
	if ok, err := s.Storage.Remove("a.json", stamp, 0); !ok || err != nil {
		s.Fatalf("Remove: ok=%v, %v", ok, err)
	}
	s.wantAbsent("a.json")
	s.wantVersions("a.json")
	s.create("a.json")
	s.Foreign("a.json", []byte("theirs"))
	if ok, err := s.Storage.Remove("a.json", stamp, 0); ok || err != nil {
		s.Errorf("Remove: ok=%v, %v, want to be beaten", ok, err)
	}
	s.wantLive("a.json", "theirs")
}
