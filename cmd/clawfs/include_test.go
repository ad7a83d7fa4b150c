package main

import (
	iofs "io/fs"
	"testing"
)

// A file that an OpenClaw configuration above it includes is found, however it is named.
func TestIncluded(t *testing.T) {
	files := map[string]string{
		"openclaw.json":   `{// main` + "\n" + `$include: ['./base.json', "conf/a.json", 7], agents: {list: [{$include: '/state/agents.json'}]}, x: {"$include": "../out.json"}}`,
		"conf/a.json":     `{"$include": "b.json", "loop": {"$include": "../openclaw.json"}}`,
		"conf/b.json":     `{`,
		"x/openclaw.json": `{"$include": "y/z.json"}`,
		"other.json":      `{"$include": "stranger.json"}`,
	}
	load := func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, iofs.ErrNotExist
		}
		return []byte(text), nil
	}
	for name, want := range map[string]bool{
		"base.json": true, "conf/a.json": true, "conf/b.json": true, "agents.json": true, "x/y/z.json": true,
		"stranger.json": false, "z.json": false, "a.json": false, "openclaw.json": false, "x/base.json": false,
	} {
		if got := isIncluded("/state", name, load); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
