package seen

import "testing"

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
