package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"clawfs/txn"
	"clawfs/txn/merge"
)

const ruled = `[directory."/state"]
on-conflict = "ours"
[[directory."/state".rule]]
registry = "auth-profiles.json"
path = "/order"
as = "atomic"
[[directory."/state".rule]]
path = "/entries"
as = "log"
`

// liveOn returns the settings of /state by a command line and a configuration, and a
// function that reads another text of the configuration.
func liveOn(t *testing.T, text string, args ...string) (*reloadable, func(text string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.toml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	given := newMountOptions()
	if err := given.flags.Parse(append(args, "--config="+file)); err != nil {
		t.Fatal(err)
	}
	l, err := given.live("/state")
	if err != nil {
		t.Fatal(err)
	}
	return l, func(text string) {
		write(text)
		l.reload(given, "/state", zap.NewNop())
	}
}

// A rule holds for the registries that it names.
func TestPolicyOfARegistry(t *testing.T) {
	l, _ := liveOn(t, ruled)
	entries := merge.Rule{Path: "/entries", As: merge.AsLog}
	order := merge.Rule{Path: "/order", As: merge.AsAtomic}
	for name, want := range map[string]*merge.Policy{
		"models.json":                 {OnConflict: merge.TakeOurs, Rules: []merge.Rule{entries}},
		"agents/a/auth-profiles.json": {OnConflict: merge.TakeOurs, Rules: []merge.Rule{order, entries}},
	} {
		if diff := cmp.Diff(want, l.Policy(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReloadChangesWhatCanChange(t *testing.T) {
	l, reread := liveOn(t, ruled, "--refuse-mass-delete")
	reread("[directory.\"/state\"]\non-conflict = \"reject\"\njson5 = [\"*.conf\"]\nlines = [\"*.log\"]\nrefuse-mass-delete = false\n")
	want := &merge.Policy{OnConflict: merge.Reject, RefuseMassDelete: true} // a flag has precedence
	if diff := cmp.Diff(want, l.Policy("auth-profiles.json")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]txn.Dialect{"a.conf": txn.JSON5, "a.log": txn.Lines, "openclaw.json": txn.Strict} {
		if got, settled := l.Dialect(name); got != want || settled != (want != txn.Strict) {
			t.Errorf("%s: the dialect is %s by the new configuration, %t", name, got, settled)
		}
	}
	reread("[directory.\"/state\"]\non-conflict = \"mine\"\n")
	if diff := cmp.Diff(want, l.Policy("auth-profiles.json")); diff != "" {
		t.Errorf("a wrong configuration has changed something (-want +got):\n%s", diff)
	}
}

func TestFixedChanges(t *testing.T) {
	l, _ := liveOn(t, "[directory.\"/state\"]\nmax-size = \"1MiB\"\nregistry = [\"*.json\"]\n")
	m, _ := liveOn(t, "[directory.\"/state\"]\nmax-size = \"2MiB\"\non-conflict = \"ours\"\ndurability = \"interval\"\n")
	got := l.now.Load().options.fixedChanges(m.now.Load().options)
	if diff := cmp.Diff([]string{"registry", "max-size", "durability"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
