package main

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"clawfs/fs"
)

func TestClusterAddress(t *testing.T) {
	for text, want := range map[string]struct {
		endpoints []string
		name      string
		local     bool
	}{
		"etcd://127.0.0.1:2379/state":          {[]string{"127.0.0.1:2379"}, "state", true},
		"etcd://localhost:2379,[::1]:2380/a-b": {[]string{"localhost:2379", "[::1]:2380"}, "a-b", true},
		"etcd://nas:2379,127.0.0.1:2379/s":     {[]string{"nas:2379", "127.0.0.1:2379"}, "s", false},
		"etcd://10.0.0.7:2379/s":               {[]string{"10.0.0.7:2379"}, "s", false},
		"etcd://nas:2379":                      {},
		"etcd://nas:2379/":                     {},
		"etcd://nas/state":                     {},
		"etcd://nas:2379/a/b":                  {},
		"http://nas:2379/state":                {},
		"etcd://:2379/state":                   {},
		"etcd:///state":                        {},
		"etcd://nas:2379,/state":               {},
	} {
		a, err := parseClusterAddress(text)
		var usage *usageError
		switch {
		case want.name == "" && !errors.As(err, &usage):
			t.Errorf("%s: %v, %v; want an error", text, a, err)
		case want.name != "" && (err != nil || a.name != want.name || !slices.Equal(a.endpoints, want.endpoints) || a.isLocal() != want.local):
			t.Errorf("%s: %v, local %v, %v", text, a, a.isLocal(), err)
		}
	}
}

// Connections are in the clear on this machine only.
func TestClusterIsEncryptedOffThisMachine(t *testing.T) {
	for text, clear := range map[string]bool{"etcd://127.0.0.1:1/s": true, "etcd://nas:1/s": false, "etcd://127.0.0.1:1,nas:1/s": false} {
		a, err := parseClusterAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		c, err := (&clusterOptions{}).tls(a)
		if err != nil || (c == nil) != clear {
			t.Errorf("%s: %v, %v; in the clear: want %v", text, c, err, clear)
		}
		var usage *usageError
		for _, o := range []clusterOptions{{ca: filepath.Join(t.TempDir(), "none")}, {cert: "cert"}, {key: "key"}} {
			if _, err := o.tls(a); !errors.As(err, &usage) {
				t.Errorf("%s with %+v: %v", text, o, err)
			}
		}
	}
}

// A registry that is named as this host's alone is not shared.
func TestWhatIsShared(t *testing.T) {
	patterns, err := fs.NewPatterns(nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	shares, err := (&clusterOptions{local: []string{"own.json", "identity/*.json"}}).shares(patterns)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"a.json": true, "a.txt": false, "own.json": false, "deep/own.json": false, "identity/x.json": false, "identity/deep/x.json": true,
	} {
		if shares(name) != want {
			t.Errorf("%s is shared: %v", name, !want)
		}
	}
	var malformed *fs.PatternError
	if _, err := (&clusterOptions{local: []string{"["}}).shares(patterns); !errors.As(err, &malformed) {
		t.Errorf("a malformed pattern: %v", err)
	}
}
