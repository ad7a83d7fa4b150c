package seen

import (
	"strings"
	"testing"
)

// A process puts a file in place that another one has written. With a memory of the registry it
// means to replace the head if that is its own last write, and only then.
func TestPutOfAProcessWithAMemory(t *testing.T) {
	for _, c := range []struct {
		steps, writer string
		want          bool
	}{
		{"a reads A; a writes B from A", "z", true},
		{"a reads A; a writes B from A; x writes C", "z", false},
		{"a reads A", "z", false},
		{"a reads A; a writes B from A", "a", false}, // its own file is no other's
		{"x writes B", "z", false},
	} {
		h := newHistory(t)
		h.tell(c.steps)
		writers := []Origin{{Caller: process(c.writer), Event: h.v.cfg.Next(), At: h.now}}
		o := Origin{Caller: process("a"), Event: h.v.cfg.Next(), At: h.now}
		if _, ok := h.v.OfPut(o, writers, h.content("Z"), false); ok != c.want {
			t.Errorf("after %q a file of %s replaces the head: %t", c.steps, c.writer, ok)
		}
	}
}

// A process without a memory replaces the head by a file of others if the head is its family's
// last write, and by one of its family if that is an earlier state. A file of unknown writers
// shows nothing.
func TestPutOfAFamily(t *testing.T) {
	for _, c := range []struct {
		steps, by, writer, content string
		copied, want               bool
	}{
		{"a redirects A", "b", "x", "Z", false, true},
		{"a redirects A", "b", "", "Z", false, false},
		{"a redirects A", "nobody", "x", "Z", false, false},
		{"nobody redirects A", "nobody", "x", "Z", false, false}, // who wrote A can't be told: any process of the user
		{"a redirects A; x writes C", "b", "x", "Z", false, false},
		{"a redirects A; a redirects B", "b", "a", "A", false, true}, // a backup
		{"a redirects A; a redirects B", "b", "a", "Z", false, false},
		{"a redirects A; a redirects B", "b", "a", "Z", true, true}, // a copy of a version that is not known any more
	} {
		h := newHistory(t)
		before := h.v.cfg.Next()
		h.tell(c.steps)
		var writers []Origin
		if c.writer != "" {
			writers = []Origin{{Caller: process(c.writer), Event: before, At: h.now}}
		}
		o := Origin{Caller: process(c.by), Event: h.v.cfg.Next(), At: h.now}
		if _, ok := h.v.OfPut(o, writers, h.content(c.content), c.copied); ok != c.want {
			t.Errorf("after %q %s replaces the head by %s of %q: %t", c.steps, c.by, c.content, c.writer, ok)
		}
	}
}

// A file that a family has made from nothing replaces what it has made since, if one process has waited
// for all of that.
func TestPutOfWhatWasMadeFromNothing(t *testing.T) {
	for _, c := range []struct {
		before, since, writer, by string
		want                      bool
	}{
		{"sh asks 1", "b redirects B; b dies", "sh", "c", true},
		{"sh asks 1", "b redirects B; b dies", "a", "c", true},
		{"sh asks 1", "b redirects B", "sh", "c", false},                     // it may not know that
		{"a asks 1", "b redirects B; b dies", "a", "d", false},               // a has not started b
		{"sh asks 1", "b redirects B; b dies; x writes C", "sh", "c", false}, // somebody else was at work
		{"some sh reads A", "b redirects B; b dies", "sh", "c", false},       // it may be made from A
		{"sh asks 1", "b redirects B; b dies; c redirects C; c dies", "sh", "d", true},
	} {
		h := newHistory(t)
		h.tell(c.before)
		writers := []Origin{{Caller: process(c.writer), Event: h.v.cfg.Next(), At: h.now}}
		for step := range strings.SplitSeq(c.since, ";") {
			h.do(strings.TrimSpace(step))
		}
		o := Origin{Caller: process(c.by), Event: h.v.cfg.Next(), At: h.now}
		if _, ok := h.v.OfPut(o, writers, h.content("Z"), false); ok != c.want {
			t.Errorf("after %q, and %q, %s replaces the head by a file of %s: %t", c.before, c.since, c.by, c.writer, ok)
		}
	}
}
