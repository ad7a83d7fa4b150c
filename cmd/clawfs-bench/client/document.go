package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// document is the registry that all clients work on.
type document struct {
	Entries []entry `json:"entries"`
}

type entry struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// text is the content of an entry, so that it has some 100 bytes.
const text = "an entry of ordinary length, as a registry of tools or models holds it"

// marshal spells a document the way JSON.stringify(document, null, 2) does.
func marshal(d *document) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return out.Bytes(), err
}

// sized returns a document of exactly size bytes (at least 64), and where in it
// the six digits are that make one content differ from the next.
func sized(size int) (content []byte, digits int) {
	const head, tail = "{\n  \"revisions\": 100000,\n  \"entries\": [", "\n  ]\n}\n"
	var b strings.Builder
	b.WriteString(head)
	for i := 0; ; i++ {
		line := fmt.Sprintf("\n    {\"id\": \"e%d\", \"text\": %q},", i, text)
		if b.Len()+len(line)+len(tail)+32 > size {
			break
		}
		b.WriteString(line)
	}
	pad := size - b.Len() - len(tail) - len("\n    {\"id\": \"\"}")
	fmt.Fprintf(&b, "\n    {\"id\": %q}%s", strings.Repeat("p", max(pad, 1)), tail)
	return []byte(b.String()), strings.Index(head, "100000")
}

// renumber changes the digits of a document of sized in place.
func renumber(content []byte, digits, n int) {
	copy(content[digits:], fmt.Sprintf("%06d", 100000+n%900000))
}

// addEntry reads a registry, adds an entry as most programs do it, and writes
// it back.
func addEntry(name, id string, write writer) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		return err
	}
	d.Entries = append(d.Entries, entry{ID: id, Text: text})
	if content, err = marshal(&d); err != nil {
		return err
	}
	return write(name, content)
}

// spliceEntry returns a document with one more entry before the end of its list, without
// parsing it: the measured work shall not drown in parsing.
func spliceEntry(content []byte, id string) ([]byte, error) {
	at := bytes.LastIndexByte(content, ']')
	if at < 0 {
		return nil, fmt.Errorf("no list in a document of %d bytes", len(content))
	}
	at = len(bytes.TrimRight(content[:at], " \n"))
	added := make([]byte, 0, len(content)+200)
	added = append(added, content[:at]...)
	added = fmt.Appendf(added, ",\n    {\"id\": %q, \"text\": %q}", id, text)
	return append(added, content[at:]...), nil
}
