package seen

import (
	"testing"
	"time"
)

// A write is made from another one if that was its base: not from a reading of it, nor from
// a write at another time.
func TestWriteIsMadeFromAnother(t *testing.T) {
	base := view{kind: wrote, first: 5, last: 5}
	for name, c := range map[string]struct {
		base view
		from *Candidate
		want bool
	}{
		"its base":                 {base, &Candidate{Kind: Wrote, At: 5}, true},
		"nothing":                  {base, nil, false},
		"an earlier write":         {base, &Candidate{Kind: Wrote, At: 4}, false},
		"a reading":                {base, &Candidate{Kind: Read, At: 5}, false},
		"a base that is a reading": {view{kind: read, first: 5, last: 5}, &Candidate{Kind: Wrote, At: 5}, false},
	} {
		h, a := newHistory(t), process("a")
		h.v.Wrote(a, Write{Content: h.content("B"), From: c.from})
		if got := h.v.actors[a.author()].newest().isMadeFrom(&c.base); got != c.want {
			t.Errorf("made from %s: %v", name, got)
		}
	}
}

// A reading is not fresh before it was made.
func TestReadingIsFresh(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	v := view{kind: read, first: 5, last: 5, lastAt: at, unused: 1}
	for asOf, want := range map[Tick]bool{4: false, 5: true, 6: true} {
		if got := v.isFresh(asOf, at, time.Second); got != want {
			t.Errorf("fresh at %d: %v", asOf, got)
		}
	}
	if v.isFresh(6, at.Add(2*time.Second), time.Second) {
		t.Error("fresh after the window")
	}
}
