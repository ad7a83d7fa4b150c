// Command add is `add HOW FILE ID`: the same as programs/add.mjs, as Go programs
// do it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

type entry struct {
	ID string `json:"id"`
}

type registry struct {
	Version int     `json:"version"`
	Models  []entry `json:"models"`
}

var ways = map[string]func(file string, text []byte) error{
	"WriteFile": func(file string, text []byte) error { return os.WriteFile(file, text, 0o644) },
	"Encoder": func(file string, text []byte) error {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		e := json.NewEncoder(f)
		e.SetIndent("", "  ")
		if err := e.Encode(json.RawMessage(text)); err != nil {
			return err
		}
		return f.Close()
	},
	"Truncate": func(file string, text []byte) error {
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		if _, err := f.WriteAt(text, 0); err != nil {
			return err
		}
		return f.Close()
	},
	"CreateTemp": func(file string, text []byte) error { return replace(file, filepath.Dir(file), text) },
	"Copy": func(file string, text []byte) error {
		f, err := os.CreateTemp("", "add")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name())
		if _, err := f.Write(text); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		to, err := os.Create(file)
		if err != nil {
			return err
		}
		if _, err := io.Copy(to, f); err != nil {
			return err
		}
		return to.Close()
	},
}

// replace saves as renameio does: a temporary file, synced, renamed.
func replace(file, dir string, text []byte) error {
	f, err := os.CreateTemp(dir, "."+filepath.Base(file))
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// gate does the same as programs/gate.mjs.
func gate(place string) error {
	fifo := os.Getenv("GATE")
	switch {
	case fifo == "":
	case os.Getenv("GATE_AT") == place:
		if _, err := os.NewFile(3, "gate").Write([]byte("\n")); err != nil {
			return err
		}
		f, err := os.Open(fifo)
		if err != nil {
			return err
		}
		return f.Close()
	case place == "read":
		time.Sleep(time.Duration(rand.Int64N(int64(40 * time.Millisecond))))
	}
	return nil
}

func add(how, file, id string) error {
	if err := gate("start"); err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var doc registry
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	doc.Models = append(doc.Models, entry{id})
	if text, err = json.MarshalIndent(doc, "", "  "); err != nil {
		return err
	}
	if err := gate("read"); err != nil {
		return err
	}
	return ways[how](file, append(text, '\n'))
}

func main() {
	if err := add(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
