package main

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"clawfs/fs"
	"clawfs/txn/merge"
)

const everyKey = `
[directory."/state"]
registry = ["*.json", "etc/*.conf"]
ignore = ["node_modules"]
json5 = ["openclaw.json"]
max-size = "1MiB"
read-window = "10s"
durability = "interval:2s"
keep-versions = 5
keep-size = "3MiB"
keep-gone-size = "4MiB"
keep-gone-time = "5h"
on-conflict = "ours"
reject-stale = true
refuse-mass-delete = true
cluster = "etcd://nas:2379/state"
cluster-ca = "/ca.pem"
cluster-cert = "/me.pem"
cluster-key = "/me.key"
cluster-secret = "/secret"
cluster-host = "laptop"
offline = "accept"
reads = "latest"
local = ["own.json", "identity/*.json"]

[[directory."/state".rule]]
registry = "auth-profiles.json"
path = "/order/*"
as = "atomic"
on-conflict = "reject"

[[directory."/state".rule]]
path = "/entries"
identity = ["provider", "id"]

[directory."/elsewhere"]
max-size = "2MiB"
`

// applyConfig applies a configuration for /state to the options of a command
// line with the given flags.
func applyConfig(t *testing.T, text string, args ...string) (*mountOptions, error) {
	t.Helper()
	o := newMountOptions()
	if err := o.flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig("c.toml", []byte(text))
	if err != nil {
		return nil, err
	}
	section := c.Directory["/state"]
	return o, section.apply(o)
}

func TestConfigSetsEveryOption(t *testing.T) {
	got, err := applyConfig(t, everyKey)
	if err != nil {
		t.Fatal(err)
	}
	pattern, err := fs.NewPattern("auth-profiles.json")
	if err != nil {
		t.Fatal(err)
	}
	want := newMountOptions()
	want.registry = []string{"*.json", "etc/*.conf"}
	want.ignore = []string{"node_modules"}
	want.json5 = []string{"openclaw.json"}
	want.maxSize = 1 << 20
	want.readWindow = span(10 * time.Second)
	want.durability.interval = 2 * time.Second
	want.keepVersions, want.keepSize = 5, 3<<20
	want.keepGoneSize, want.keepGoneTime = 4<<20, span(5*time.Hour)
	want.onConflict.value = "ours"
	want.rejectStale, want.refuseMassDelete = true, true
	want.cluster.address, want.cluster.host = "etcd://nas:2379/state", "laptop"
	want.cluster.ca, want.cluster.cert, want.cluster.key = "/ca.pem", "/me.pem", "/me.key"
	want.cluster.secret = "/secret"
	want.cluster.reads.value = "latest"
	want.cluster.offline.value = "accept"
	want.cluster.local = []string{"own.json", "identity/*.json"}
	want.rules = []registryRule{
		{registry: pattern, rule: merge.Rule{Path: "/order/*", As: merge.AsAtomic, OnConflict: merge.Reject}},
		{rule: merge.Rule{Path: "/entries", Identity: []string{"provider", "id"}}},
	}
	all := cmp.Options{
		cmp.AllowUnexported(mountOptions{}, choice{}, durability{}, registryRule{}, clusterOptions{}),
		cmp.Comparer(func(a, b *fs.Pattern) bool { return reflect.DeepEqual(a, b) }),
		cmpopts.IgnoreFields(mountOptions{}, "flags"), cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(want, got, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFlagsHavePrecedence(t *testing.T) {
	got, err := applyConfig(t, everyKey, "--max-size=3MiB", "--registry=*.conf", "--reject-stale=false", "--on-conflict=theirs")
	if err != nil {
		t.Fatal(err)
	}
	if got.maxSize != 3<<20 || got.rejectStale || got.onConflict.value != "theirs" || !cmp.Equal(got.registry, []string{"*.conf"}) {
		t.Errorf("a flag gave way to the configuration: %+v", got)
	}
	if !got.refuseMassDelete {
		t.Error("what no flag was given for is not set")
	}
}

func TestConfigErrors(t *testing.T) {
	section := "[directory.\"/state\"]\n"
	rule := section + "[[directory.\"/state\".rule]]\n"
	cases := []struct{ name, text, want string }{
		{"unknown key", section + "\nmax-sise = \"1MiB\"\n", "c.toml:3: unknown key directory./state.max-sise"},
		{"unknown table", "[directories.\"/state\"]\nmax-size = \"1MiB\"\n", "c.toml:1: unknown key directories./state"},
		{"unknown key of a rule", rule + "identiy = [\"id\"]\n", "c.toml:3: unknown key directory./state.rule.identiy"},
		{"wrong type", section + "reject-stale = \"yes\"\n", "c.toml:2: cannot decode TOML string into struct field main.configSection.RejectStale of type bool"},
		{"twice", section + "reject-stale = true\nreject-stale = true\n", "c.toml:3: key reject-stale is already defined"},
		{"syntax", section + "registry = [\n", "c.toml:2: array is incomplete"},
		{"not a size", section + "max-size = \"lots\"\n", "max-size: must be a size, as 64MiB"},
		{"not a time", section + "read-window = \"0s\"\n", "read-window: must be a time, as 30s or 1m30s"},
		{"not a policy", section + "on-conflict = \"mine\"\n", "on-conflict: must be one of theirs, ours, reject"},
		{"not a policy of a rule", rule + "on-conflict = \"mine\"\n", "rule 1: on-conflict must be one of theirs, ours, reject"},
		{"not a treatment", rule + "as = \"bag\"\n", "rule 1: as must be one of value, counter, stamp, atomic, set, sequence, log"},
		{"not a path", rule + "path = \"entries\"\n", "rule 1: a path starts with a slash"},
		{"not a pattern", rule + "registry = \"[\"\n", `rule 1: registry: malformed pattern "["`},
		{"both", rule + "identity = [\"id\"]\nas = \"set\"\n", "rule 1: a list with an identity takes no other treatment"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := applyConfig(t, c.text)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			var located *configError
			if errors.As(err, &located) && located.Line == 0 {
				t.Error("no line")
			}
		})
	}
}

func TestSectionNames(t *testing.T) {
	cases := []struct {
		name    string
		applies bool
		bad     bool
	}{
		{"/home/a/.openclaw", true, false},
		{"/home/a/.openclaw/", true, false},
		{"~/.openclaw", true, false},
		{"/home/a", false, false},
		{".openclaw", false, true},
		{"", false, true},
	}
	for _, c := range cases {
		got, err := isDirectory(c.name, "/home/a/.openclaw", "/home/a")
		if got != c.applies || (err != nil) != c.bad {
			t.Errorf("%q: %v, %v", c.name, got, err)
		}
	}
}

func TestDefaultConfigFile(t *testing.T) {
	cases := []struct {
		uid  int
		env  map[string]string
		want string
	}{
		{0, map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "/root"}, "/etc/clawfs/config.toml"},
		{1000, map[string]string{"XDG_CONFIG_HOME": "/c", "HOME": "/home/a"}, "/c/clawfs/config.toml"},
		{1000, map[string]string{"XDG_CONFIG_HOME": "c", "HOME": "/home/a"}, "/home/a/.config/clawfs/config.toml"},
		{1000, map[string]string{"HOME": "/home/a"}, "/home/a/.config/clawfs/config.toml"},
	}
	for _, c := range cases {
		if got := defaultConfigFile(c.uid, func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%d %v: %s, want %s", c.uid, c.env, got, c.want)
		}
	}
}
