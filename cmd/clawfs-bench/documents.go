package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// seed returns a registry of some entries, spelled as JSON.stringify(…, null, 2)
// spells it; their ids begin with e, and no id of an added entry does.
func seed(entries int) []byte {
	var b bytes.Buffer
	b.WriteString("{\n  \"entries\": [")
	for n := range entries {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    {\n      \"id\": \"e%d\",\n      \"text\": \"an entry of ordinary length, as a registry of tools or models holds it\"\n    }", n)
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes()
}

// addedIn counts the entries of a registry that were not there before, each
// once. A registry that is no longer one valid document holds none.
func addedIn(file string) (int, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var d struct{ Entries []struct{ ID string } }
	if json.Unmarshal(content, &d) != nil {
		return 0, nil
	}
	found := make(map[string]bool)
	for _, e := range d.Entries {
		if !strings.HasPrefix(e.ID, "e") {
			found[e.ID] = true
		}
	}
	return len(found), nil
}
