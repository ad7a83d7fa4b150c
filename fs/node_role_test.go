package fs

import (
	"errors"
	"testing"
)

func TestDefaultRoles(t *testing.T) {
	p, err := NewPatterns(nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]role{
		"a.json":                      roleRegistry,
		"agents/main/sessions.json":   roleRegistry,
		"node_modules.json":           roleRegistry,
		".json":                       roleRegistry,
		"a.json.tmp":                  rolePlain,
		"a.json.bak":                  rolePlain,
		"a.json.lock":                 rolePlain,
		"a.JSON":                      rolePlain,
		"a.jsonl":                     rolePlain,
		"json":                        rolePlain,
		"node_modules/a/package.json": rolePlain,
		"x/node_modules/p.json":       rolePlain,
		".git/x.json":                 rolePlain,
		"workspace/x.json":            rolePlain,
		"workspace-main/deep/x.json":  rolePlain,
		"workspace.json":              roleRegistry, // ignored are directories
		".clawfs":                     roleOwn,
		".clawfs/history/a.json/@1":   roleOwn,
		".clawfs/a.json":              roleOwn,
		".clawfsx/a.json":             roleRegistry,
		"x/.clawfs/a.json":            roleRegistry,
	} {
		if got := p.classify(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		if got := p.Registry(name); got != (want == roleRegistry) {
			t.Errorf("Registry(%s) = %t", name, got)
		}
	}
}

func TestJSON5Roles(t *testing.T) {
	defaults, err := NewPatterns(nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	given, err := NewPatterns(nil, nil, []string{"conf/*.json"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"openclaw.json": true, "x/openclaw.json": true, "my-openclaw.json": false, "conf/a.json": false,
		"a/tsconfig.json": true, "tsconfig.build.json": true, "settings.json": true, ".vscode/tasks.json": true, "tasks.json": false,
	} {
		if got := defaults.JSON5(name); got != want {
			t.Errorf("by the defaults JSON5(%s) = %t", name, got)
		}
	}
	for name, want := range map[string]bool{"openclaw.json": false, "conf/a.json": true, "x/conf/a.json": false} {
		if got := given.JSON5(name); got != want {
			t.Errorf("JSON5(%s) = %t", name, got)
		}
	}
}

// An empty list is not nil: nothing is ignored then.
func TestNoIgnorePatterns(t *testing.T) {
	p, err := NewPatterns(nil, []string{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Registry("node_modules/a.json") {
		t.Error("ignored though no pattern says so")
	}
}

func TestPatternMatch(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"a.json", "a.json", true},
		{"a.json", "d/a.json", true},
		{"a.json", "ba.json", false},
		{"a*.json", "a.json", true},
		{"a*.json", "d/abc.json", true},
		{"a*a", "a", false}, // prefix and suffix must not overlap
		{"a*a", "aa", true},
		{"*", "anything", true},
		{"a*b*c", "axbyc", true},
		{"a*b*c", "axc", false},
		{"?.json", "x.json", true},
		{"?.json", "xy.json", false},
		{"[ab].json", "b.json", true},
		{"[ab].json", "c.json", false},
		{`a\*.json`, "a*.json", true},
		{`a\*.json`, "ab.json", false},
		{"/a.json", "a.json", true},
		{"/a.json", "d/a.json", false},
		{"d/*.json", "d/a.json", true},
		{"d/*.json", "d/e/a.json", false},
		{"d/*.json", "x/d/a.json", false},
		{"/*/a.json", "d/a.json", true},
		{"/*/a.json", "a.json", false},
	} {
		p, err := NewPattern(c.glob)
		if err != nil {
			t.Fatalf("%s: %v", c.glob, err)
		}
		if got := p.Match(c.name); got != c.want {
			t.Errorf("%s matches %s: %t", c.glob, c.name, got)
		}
	}
}

// A pattern of whole paths makes any last component one that might be a
// registry's.
func TestMayBeRegistry(t *testing.T) {
	names, err := NewPatterns([]string{"*.json"}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := NewPatterns([]string{"d/state"}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if names.mayBeRegistry("state") || !names.mayBeRegistry("a.json") {
		t.Error("a pattern of names does not tell")
	}
	if !whole.mayBeRegistry("state") || !whole.Registry("d/state") || whole.Registry("state") {
		t.Error("a pattern of paths is taken for one of names")
	}
}

func TestIgnoredDirectories(t *testing.T) {
	for _, c := range []struct {
		ignore, name string
		want         bool // a registry nevertheless
	}{
		{"tmp/", "tmp/a.json", false},
		{"tmp/", "x/tmp/y/a.json", false},
		{"tmp*/", "tmp.json", true},
		{"tmp", "tmp/a.json", false},
		{"tmp.json", "d/tmp.json", false},
		{"/tmp/", "tmp/a.json", false},
		{"/tmp/", "x/tmp/a.json", true},
		{"x/*/", "x/y/a.json", false},
		{"x/*/", "x/a.json", true},
		{"x/*/", "w/x/y/a.json", true},
	} {
		p, err := NewPatterns(nil, []string{c.ignore}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Registry(c.name); got != c.want {
			t.Errorf("with %s ignored, %s is a registry: %t", c.ignore, c.name, got)
		}
	}
}

func TestMalformedPatterns(t *testing.T) {
	for _, glob := range []string{"", "/", "[", "a[", "[]", "[a-]", `a\`, "d/[.json", "a[/"} {
		for i := range 4 {
			lists := [4][]string{}
			lists[i] = []string{glob}
			_, err := NewPatterns(lists[0], lists[1], lists[2], lists[3])
			var malformed *PatternError
			if !errors.As(err, &malformed) || malformed.Pattern != glob {
				t.Errorf("%q in list %d: %v", glob, i, err)
			}
		}
	}
}
