package mounttest

import (
	"os"
	"path/filepath"
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

// What docs/OPERATIONS.md says of git: by its attribute a conflict leaves the branch's own
// document, and both are there to be chosen from.
func TestGitConflict(t *testing.T) {
	t.Parallel()
	need(t, "git")
	m := newMount(t)
	succeed(t, m.dir, bash(`export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
		git init -qb main . && echo '*.json -merge' >.gitattributes && echo '{"a":1}' >c.json && git add -A && git commit -qm one &&
		git checkout -qb other && echo '{"a":2}' >c.json && git commit -qam two &&
		git checkout -q main && echo '{"a":3}' >c.json && git commit -qam three && ! git merge -q other`))
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
