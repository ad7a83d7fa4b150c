package uring

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPlanKeepsToItsLimits(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		processors, maxWrite int
		entries, size        int // 0: it can't be
	}{
		{1, mib, 8, mib},
		{2, mib, 8, mib},
		{32, mib, 8, mib},
		{33, mib, 8, mib / 2},
		{64, mib, 8, mib / 2},
		{128, mib, 8, mib / 4},
		{256, mib, 8, mib / 8},
		{256, 200 << 10, 4, 200 << 10},
		{257, mib, 0, 0},
		{4096, 128 << 10, 0, 0},
		{8, 16 * mib, 8, 4 * mib},
		{2, 1, 8, os.Getpagesize()},
		{0, mib, 8, mib},
	} {
		p, err := NewPlan(c.processors, c.maxWrite)
		switch {
		case c.entries == 0:
			if err == nil || !strings.Contains(err.Error(), "possible processors") {
				t.Errorf("%d processors: %+v, %v, want an error that says so", c.processors, p, err)
			}
			continue
		case err != nil:
			t.Errorf("%d processors: %v", c.processors, err)
			continue
		case p.Entries != c.entries || p.MaxWrite != c.size || p.Queues != max(c.processors, 1):
			t.Errorf("%d processors, %d bytes: %+v, want %d entries of %d", c.processors, c.maxWrite, p, c.entries, c.size)
		}
		if p.Memory() > MemoryLimit || p.Queues > ThreadLimit {
			t.Errorf("%d processors: %d bytes, %d threads", c.processors, p.Memory(), p.Queues)
		}
		if p.Most < p.Queues*p.Entries || p.Most > mostEntries || int64(p.Most)*int64(p.payload()) > max(growth*MemoryLimit, p.Memory()) {
			t.Errorf("%d processors: %d entries at most", c.processors, p.Most)
		}
	}
}

func TestProcessorsAreCounted(t *testing.T) {
	for list, want := range map[string]int{"0\n": 1, "0-1\n": 2, "0-127": 128, "0-3,8-9,12": 7, "": -1, "a": -1, "3-1": -1, "1-": -1} {
		n, err := countProcessors(list)
		if err != nil {
			n = -1
		}
		if n != want {
			t.Errorf("%q: %d, want %d", list, n, want)
		}
	}
	if n, err := PossibleProcessors(); err != nil || n < 1 {
		t.Errorf("here: %d, %v", n, err)
	}
}

func TestCheckSaysWhatIsMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "enable_uring")
	if err := check(file); err == nil || !strings.Contains(err.Error(), "Linux 6.14") {
		t.Errorf("an old kernel: %v", err)
	}
	if err := os.WriteFile(file, []byte("N\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := check(file); err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("switched off: %v", err)
	}
}

// Memory that can't be had leaves room for entries that come later.
func TestEntryThatCannotBeMadeDoesNotCount(t *testing.T) {
	s := newServer(nil, Plan{Queues: 1, Entries: 1, MaxWrite: 1 << 62, Most: 4}, &Notifier{}, log.New(io.Discard, "", 0), nil)
	th := &thread{server: s}
	for range 3 {
		if th.grow() {
			t.Error("an entry without memory")
		}
	}
	s.allot(2)
	s.relief[0].threads.Add(1)
	s.running.Add(1)
	go s.serveMore(&thread{server: s, relief: true}, 2)
	s.running.Wait()
	if n := s.Entries(); n != 0 || s.relief[0].threads.Load() != 0 {
		t.Errorf("%d entries, %d threads", n, s.relief[0].threads.Load())
	}
}
