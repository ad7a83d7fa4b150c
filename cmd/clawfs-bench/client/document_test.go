package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestSizedDocumentsAreValidAndDiffer(t *testing.T) {
	for _, size := range []int{1 << 10, 4 << 10, 100 << 10, 1 << 20} {
		content, digits := sized(size)
		if len(content) != size || !json.Valid(content) {
			t.Errorf("sized(%d): %d bytes, valid %v", size, len(content), json.Valid(content))
		}
		renumber(content, digits, 42)
		var d struct{ Revisions int }
		if err := json.Unmarshal(content, &d); err != nil || d.Revisions != 100042 {
			t.Errorf("after renumber: %d, %v", d.Revisions, err)
		}
	}
}

func TestEntriesAreAddedAtTheEnd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(file, []byte("{\n  \"entries\": [\n    {\"id\": \"e0\", \"text\": \"a ] in a text\"}\n  ]\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := addEntry(file, "w0-1", writeInPlace); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if content, err = spliceEntry(content, "w0-2"); err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range d.Entries {
		ids = append(ids, e.ID)
	}
	if len(ids) != 3 || ids[1] != "w0-1" || ids[2] != "w0-2" {
		t.Errorf("entries %q", ids)
	}
}

// A careful write leaves the new content and no temporary file.
func TestStylesReplaceTheWhole(t *testing.T) {
	for _, style := range []string{"in-place", "rename", "careful", "flock"} {
		file := filepath.Join(t.TempDir(), "r.json")
		guard, write, err := guarded(style)
		if err != nil {
			t.Fatal(err)
		}
		for _, content := range []string{"a longer one", "short"} {
			if err := guard(file, func() error { return write(file, []byte(content)) }); err != nil {
				t.Fatalf("%s: %v", style, err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != "short" {
			t.Errorf("%s: %q, %v", style, got, err)
		}
		if left, err := filepath.Glob(file + ".*.tmp"); err != nil || len(left) > 0 {
			t.Errorf("%s left %q, %v", style, left, err)
		}
	}
}
