package commands

import (
	"embed"
	"os"
	"path/filepath"
	"time"
)

//go:embed programs
var programs embed.FS

// The documents that commands take from $K. All are small and alike, so that
// one command often writes the content that another has written before.
const (
	docDefault = `{"entries":[{"id":"e0"},{"id":"e1"}],"jobs":{"j1":{"cmd":"x"},"j2":{"cmd":"y"}},"debug":false,"port":80,"welcome":"hello"}`
	docPretty  = `{
  "entries": [
    {"id": "e0"},
    {"id": "e1"}
  ],
  "jobs": {"j1": {"cmd": "x"}, "j2": {"cmd": "y"}},
  "debug": false,
  "port": 80,
  "welcome": "hello"
}`
	docSmall = `{"debug":false,"port":80,"welcome":"hello"}`
	docNew   = `{"debug":true,"port":80}`
	docOther = `{"entries":[{"id":"e1"},{"id":"z1"}],"jobs":{},"debug":true,"port":85,"welcome":"hi","rev":3}`
)

var documents = map[string]string{
	"default.json": docDefault, "pretty.json": docPretty, "small.json": docSmall, "new.json": docNew, "other.json": docOther,
}

const makefile = "all: a.json\na.json:\n\tcp \"$(K)/default.json\" a.json\nclean:\n\trm -f a.json b.json\n"

// long ago, so that rsync never takes a copy for the file that is there already.
var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// fillKeep makes the directory that commands take things from.
func fillKeep(keep string) error {
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return err
	}
	for name, text := range documents {
		path := filepath.Join(keep, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(path, longAgo, longAgo); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(keep, "Makefile"), []byte(makefile), 0o644); err != nil {
		return err
	}
	for _, name := range []string{"edit.py", "edit.mjs"} {
		text, err := programs.ReadFile("programs/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(keep, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
