package seen

import "testing"

// A change beside a process is one that somebody else has made while it was at work. Its own
// changes, and those by the processes that it has started, are none.
func TestChangesBesideAProcess(t *testing.T) {
	for _, c := range []struct {
		steps string
		want  bool
	}{
		{"a asks 1", false},
		{"a writes A", false},
		{"d writes A", false}, // a has started it
		{"sh writes A", true}, // it has started a
		{"b writes A", true},
		{"x writes A", true},
		{"found", true},
		{"x writes A; a writes B", true},
		{"a writes A; d writes B; a removes -", false},
	} {
		h := newHistory(t)
		h.tell("some y writes Z")
		since := h.v.cfg.Next()
		h.tell("some " + c.steps)
		until := h.v.cfg.Next()
		h.tell("some y writes Y")
		if got := h.v.ChangedBeside(process("a"), since, until); got != c.want {
			t.Errorf("after %q somebody else than a has changed the head: %t", c.steps, got)
		}
	}
}
