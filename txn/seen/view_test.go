package seen

import (
	"testing"
	"time"
)

// A write is made from another one if that was its base: not from a reading of it, nor from
// what was written at another time.
func TestWriteIsMadeFromAnother(t *testing.T) {
	base := view{kind: wrote, first: 5, last: 5}
	for name, c := range map[string]struct {
		base view
		from *made
		want bool
	}{
		"its base":                 {base, &made{kind: wrote, at: 5}, true},
		"nothing":                  {base, nil, false},
		"an earlier write":         {base, &made{kind: wrote, at: 4}, false},
		"a reading":                {base, &made{kind: read, at: 5}, false},
		"a base that is a reading": {view{kind: read, first: 5, last: 5}, &made{kind: wrote, at: 5}, false},
	} {
		v := view{kind: wrote, first: 9, last: 9, from: c.from}
		if got := v.isMadeFrom(&c.base); got != c.want {
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
