package txn

import (
	"testing"
	"time"

	"clawfs/txn/seen"
)

// An answer about many registries counts for a writer if it came before the writer's place,
// tells of the registry, and, of a listing, is not older than the window.
func TestWiderLooksThatCount(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		look widerLook
		want bool
	}{
		"before the place":           {widerLook{dir: "a", Absence: seen.Absence{At: 7}}, true},
		"at the place":               {widerLook{dir: "a", Absence: seen.Absence{At: 9}}, true},
		"behind the place":           {widerLook{dir: "a", Absence: seen.Absence{At: 10}}, false},
		"of another directory":       {widerLook{dir: "b", Absence: seen.Absence{At: 7}}, false},
		"of one with a longer name":  {widerLook{dir: "a/b.json", Absence: seen.Absence{At: 7}}, false},
		"of the root, that is gone":  {widerLook{dir: "", Absence: seen.Absence{At: 7}}, true},
		"an old answer":              {widerLook{dir: "a", Absence: seen.Absence{At: 7, Time: now.Add(-time.Hour)}}, true},
		"a listing":                  {widerLook{dir: "a", Absence: seen.Absence{At: 7, Time: now, Listed: true}}, true},
		"a listing of the window":    {widerLook{dir: "a", Absence: seen.Absence{At: 7, Time: now.Add(-time.Minute), Listed: true}}, true},
		"an older listing":           {widerLook{dir: "a", Absence: seen.Absence{At: 7, Time: now.Add(-time.Minute - 1), Listed: true}}, false},
		"a listing of the directory": {widerLook{dir: "", Absence: seen.Absence{At: 7, Time: now, Listed: true}}, false},
	} {
		var w widerLooks
		w.note(c.look)
		if got := len(w.of("a/b.json", 9, now, time.Minute)) == 1; got != c.want {
			t.Errorf("%s: it counts: %t", name, got)
		}
	}
}
