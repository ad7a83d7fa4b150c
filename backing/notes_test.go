package backing

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func notesIn(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() }) // it may be closed already
	return d
}

func mustNote(t *testing.T, d *Dir, name, line string) {
	t.Helper()
	if err := d.Note(name, []byte(line), false); err != nil {
		t.Fatal(err)
	}
}

// Of notes the last ones are kept, of each registry by itself.
func TestNotes(t *testing.T) {
	d := notesIn(t, t.TempDir())
	const many = 1000
	for n := range many {
		mustNote(t, d, "dir/a.json", fmt.Sprintf("%0100d", n))
	}
	mustNote(t, d, "b.json", "one")
	lines, _, err := d.Notes("dir/a.json")
	if err != nil || len(lines) < fewestNotes || len(lines) > mostNotes/100 {
		t.Fatalf("%d notes, %v", len(lines), err)
	}
	for i, line := range lines {
		if want := fmt.Sprintf("%0100d", many-len(lines)+i); string(line) != want {
			t.Errorf("note %d is %s", i, line)
		}
	}
	if lines, _, err := d.Notes("b.json"); err != nil || len(lines) != 1 || string(lines[0]) != "one" {
		t.Errorf("%q, %v", lines, err)
	}
	if lines, whole, err := d.Notes("none.json"); err != nil || lines != nil || whole {
		t.Errorf("%q, %v, %v", lines, whole, err)
	}
}

// The notes about a registry that is gone count as its history does, and go with it.
func TestNotesGo(t *testing.T) {
	d := notesIn(t, t.TempDir())
	content := []byte("{}")
	sum := sha256.Sum256(content)
	stamp, ok, err := d.Commit("a.json", "", 1, 0, content, sum, time.Now(), nil)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	mustNote(t, d, "a.json", "a")
	mustNote(t, d, "b.json", "b")
	mustNote(t, d, "c.json", "no history")
	if ok, err := d.Erase("a.json"); ok || err != nil {
		t.Fatal("a registry that is there was erased", ok, err)
	}
	if ok, err := d.Remove("a.json", stamp, 1); !ok || err != nil {
		t.Fatal(ok, err)
	}
	room := func() (room int64) {
		if err := d.Gone(func(name string, n int64, _ time.Time) bool { room = n; return true }); err != nil {
			t.Fatal(err)
		}
		return room
	}
	all := room()
	for _, name := range []string{"a.json", "c.json"} {
		if ok, err := d.Erase(name); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if lines, _, err := d.Notes(name); len(lines) > 0 || err != nil {
			t.Errorf("notes about %s: %q, %v", name, lines, err)
		}
	}
	if lines, _, err := d.Notes("b.json"); len(lines) != 1 || err != nil {
		t.Errorf("%q, %v", lines, err)
	}
	if _, ok, err := d.Commit("a.json", "", 2, 0, content, sum, time.Now(), nil); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if stamp, err = d.Stamp("a.json"); err == nil {
		ok, err = d.Remove("a.json", stamp, 2)
	}
	if !ok || err != nil || room() >= all {
		t.Errorf("%d bytes without notes, %d with them; %v, %v", room(), all, ok, err)
	}
}

// Notes are whole once it was said, over an end and a kill, until the machine starts anew without
// an end before.
func TestNotesAreWhole(t *testing.T) {
	path := t.TempDir()
	isWhole := func(d *Dir) bool {
		_, whole, err := d.Notes("a.json")
		if err != nil {
			t.Fatal(err)
		}
		return whole
	}
	another := func() { // the machine has started anew
		file := filepath.Join(path, Name, notesName, wholeName)
		if text, err := os.ReadFile(file); err != nil || string(text) == wholeEnd {
			return
		}
		if err := os.WriteFile(file, []byte("another boot"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kill := func(d *Dir) { // as kill -9 does
		if err := d.release(); err != nil {
			t.Fatal(err)
		}
		d.closed = true
	}
	for i, step := range []struct {
		whole bool
		do    func(d *Dir)
	}{
		{false, func(d *Dir) { mustNote(t, d, "a.json", "1"); _ = d.Close() }},
		{false, func(d *Dir) { mustNote(t, d, "a.json", "2"); _ = d.NotesAreWhole(); kill(d) }},
		{true, kill}, // nobody has written
		{true, func(d *Dir) { mustNote(t, d, "a.json", "3"); kill(d); another() }},
		{false, func(d *Dir) { mustNote(t, d, "a.json", "4"); kill(d) }},
		{false, func(d *Dir) { _ = d.NotesAreWhole(); _ = d.Close(); another() }},
		{true, func(d *Dir) { _ = d.Close(); another() }},
		{true, func(d *Dir) { mustNote(t, d, "a.json", "5"); kill(d); another() }}, // the note ends the claim of the Close before
		{false, func(d *Dir) { _ = d.Close() }},
	} {
		d := notesIn(t, path)
		if got := isWhole(d); got != step.whole {
			t.Errorf("step %d: whole %v", i, got)
		}
		step.do(d)
	}
}
