package mounttest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// §7: git and npm leave .clawfs out where the directory is not mounted, also one that
// an older version has made.
func TestHistoryIsNotPublished(t *testing.T) {
	t.Parallel()
	need(t, "git", "npm")
	m := newMount(t)
	write(t, m.dir, "package.json", `{"name":"x","version":"1.0.0","files":["*"]}`)
	write(t, m.dir, "c.json", `{"token":"first"}`)
	write(t, m.dir, "c.json", `{"token":"second"}`)
	m.unmount()
	publish := func() string {
		return succeed(t, m.dir, bash("git init -q . && git add -An; npm pack --offline --loglevel=error --json --dry-run | jq -r '.[].files[].path'"))
	}
	for _, name := range []string{".gitignore", ".npmignore"} {
		if err := os.Remove(filepath.Join(m.dir, ".clawfs", name)); err != nil {
			t.Fatal(err)
		}
	}
	if out := publish(); !strings.Contains(out, "add '.clawfs/") || !strings.Contains(out, "\n.clawfs/") {
		t.Fatalf("the control shows nothing: %s", out)
	}
	m.start()
	m.unmount()
	if out := publish(); !strings.Contains(out, "add 'c.json'") || !strings.Contains(out, "\nc.json") || strings.Contains(out, ".clawfs") {
		t.Errorf("git and npm take:\n%s", out)
	}
}

// twoBranches makes a repository on a mount: main is merging a branch that has changed
// c.json, too. The attributes are lines of .gitattributes.
func twoBranches(t *testing.T, attributes string) *mount {
	t.Helper()
	m := newMount(t)
	succeed(t, m.dir, bash(`export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
		git init -qb main . && echo '`+attributes+`' >.gitattributes && echo '{"a":1}' >c.json && git add -A && git commit -qm one &&
		git checkout -qb other && echo '{"a":2}' >c.json && git commit -qam two &&
		git checkout -q main && echo '{"a":3}' >c.json && git commit -qam three && ! git merge -q other`))
	return m
}

// docs/OPERATIONS.md on git: by its attribute a conflict leaves the branch's own
// document, and both are there to be chosen from.
func TestGitConflict(t *testing.T) {
	t.Parallel()
	need(t, "git")
	m := twoBranches(t, "*.json -merge")
	for _, want := range []struct{ script, content string }{
		{"git ls-files -u | wc -l", "3\n"},
		{"cat c.json", "{\"a\":3}\n"},
		{"git checkout -q --theirs c.json && cat c.json", "{\"a\":2}\n"},
		{"git checkout -q --ours c.json && cat c.json", "{\"a\":3}\n"},
	} {
		if got := succeed(t, m.dir, bash(want.script)); got != want.content {
			t.Errorf("%s: %s, want %s", want.script, got, want.content)
		}
	}
	if copies := m.quarantined(); len(copies) > 0 {
		t.Errorf("refused: %q", copies)
	}
}

// Without the attribute markers are refused, and all that docs/OPERATIONS.md names is in
// the index still.
func TestGitConflictMarkers(t *testing.T) {
	t.Parallel()
	need(t, "git")
	m := twoBranches(t, "")
	for _, want := range []struct{ script, content string }{
		{"cat c.json", ""},
		{"git checkout -q --theirs c.json && cat c.json", "{\"a\":2}\n"},
		{"git checkout -q --ours c.json && cat c.json", "{\"a\":3}\n"},
		{"git show :1:c.json", "{\"a\":1}\n"},
		{"for i in 1 2 3; do git show :$i:c.json >c.json.$i.txt; done; git merge-file c.json.2.txt c.json.1.txt c.json.3.txt; cat c.json.2.txt", "<<<<<<< c.json.2.txt\n{\"a\":3}\n=======\n{\"a\":2}\n>>>>>>> c.json.3.txt\n"},
		{"sed -i '/^[<=>]/d;s/3/4/;/2/d' c.json.2.txt; cp c.json.2.txt c.json; cat c.json", "{\"a\":4}\n"},
		{"git merge --abort; cat c.json", "{\"a\":3}\n"},
	} {
		if got := succeed(t, m.dir, bash(want.script)); got != want.content {
			t.Errorf("%s: %s, want %s", want.script, got, want.content)
		}
	}
	if copies := m.quarantined(); !slices.Contains(copies, "<<<<<<< HEAD\n{\"a\":3}\n=======\n{\"a\":2}\n>>>>>>> other\n") {
		t.Errorf("what was refused is not kept: %q", copies)
	}
}
