package mounttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	more  = "idioms/more.sh"
	lives = "idioms/lives.mjs"
	nano  = "idioms/nano.py"

	firstNode   = "idioms/first.mjs"
	firstPython = "idioms/first.py"
	firstShell  = "idioms/first.sh"
)

// In these one script starts the programs that read and write in ways of its own,
// or the tool is one that people use.
func furtherIdioms() []idiom {
	return []idiom{
		{more, "subshell", "jq"},
		{more, "pipe-into-cat", "jq"},
		{more, "descriptor", "jq"},
		{more, "cp-backup", "jq"},
		{more, "pee", "pee"},
		{more, "ln", "jq"},
		{more, "rsync", "rsync"},
		{more, "rsync-inplace", "rsync"},
		{more, "git", "git"},
		{more, "ed", "ed"},
		{more, "xargs", "jq"},
		{more, "parallel", "parallel"},
		{more, "make", "make"},
		{more, "background", "jq"},
		{more, "awk", ""},
		{nano, "", "nano"},
	}
}

// These move the file aside and write a new one, or they are vim. Vim may end with
// an error where the file has changed meanwhile though it was told to write it.
func asideIdioms() []idiom {
	return []idiom{
		{python, "aside", ""},
		{more, "mv-aside", "jq"},
		{more, "mv-backup", "jq"},
		{more, "vim-yes", "vim"},
		{more, "vim-auto", "vim"},
		{more, "vim-no", "vim"},
	}
}

// These remove the file and create it exclusively. Of several at once some are told that
// they are too late, as in a bare directory: mv from another file system, install, git.
func claimingIdioms() []idiom {
	return []idiom{{shell, "mktemp-mv", "jq"}, {shell, "install", "jq"}, {more, "git", "git"}}
}

// These live longer than one write: caches, watchers, pollers, backups, retries.
func longLives() []idiom {
	var all []idiom
	for _, how := range []string{
		"memory", "memory-rename", "poller", "mtime-cache", "watcher-ignores", "watcher-adopts",
		"double-read", "backup", "backup-read", "retry", "stamps",
	} {
		all = append(all, idiom{lives, how, "node"})
	}
	return all
}

// These find nothing at their first start, and begin with a default of their own.
func firstIdioms() []idiom {
	return []idiom{
		{firstPython, "exists-in-place", ""},
		{firstPython, "tried-replace", ""},
		{firstPython, "listed-in-place", ""},
		{firstNode, "exists-in-place", "node"},
		{firstNode, "tried-rename", "node"},
		{firstNode, "tried-stat-rename", "node"},
		{firstNode, "access-promises", "node"},
		{firstShell, "test-jq-mv", "jq"},
		{firstShell, "cat-or-default", "jq"},
		{firstShell, "test-tee", "jq"},
		{firstShell, "default-then-edit", "jq"},
	}
}

// P4, lineage and choice (§4): of ten programs that add an entry each at the same time none is
// lost, in any idiom. The gate makes sure that they do lose it in a bare directory.
// CLAWFS_IDIOMS=$PWD/docs/IDIOMS.md writes the table there.
func TestTenProgramsOneIdiom(t *testing.T) {
	t.Parallel()
	table := &lossTable{}
	groups := []struct {
		name   string
		from   beginning
		idioms []idiom
	}{
		{"the writer has read", aFile, ownIdioms()},
		{"a relative of the writer has read", aFile, kinIdioms()},
		{"tools and jobs", aFile, furtherIdioms()},
		{"the file is moved aside", aFile, asideIdioms()},
		{"long lives", aFile, longLives()},
		{"Go", aFile, goIdioms(t)},
		{"there is no file", noFile, firstIdioms()},
		{"there is no directory", noDirectory, firstIdioms()},
	}
	for _, g := range groups {
		for n, i := range g.idioms {
			t.Run(strings.TrimSpace(g.name+" "+i.String()), func(t *testing.T) {
				table.add(g.name, i, programsOf(t, g.from, n == 0 || areAllAsked(), i))
			})
		}
	}
	if file := os.Getenv("CLAWFS_IDIOMS"); file != "" {
		table.write(t, file)
	}
}

// goIdioms builds the Go program of the idioms.
func goIdioms(t *testing.T) []idiom {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "add.go")
	if out, err := exec.Command("go", "build", "-o", binary, "testdata/idioms/add.go").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var all []idiom
	for _, how := range []string{"WriteFile", "Encoder", "Truncate", "CreateTemp", "Copy"} {
		all = append(all, idiom{binary, how, ""})
	}
	return all
}

// lossTable is the losses of each idiom.
type lossTable struct {
	mu   sync.Mutex // guards rows
	rows []string
}

func (l *lossTable) add(group string, i idiom, lost losses) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lost.bareOf == 0 || lost.mountOf == 0 {
		return // skipped, or only half of it was asked for
	}
	l.rows = append(l.rows, fmt.Sprintf("| %s | %s | %d of %d | %d of %d |", group, strings.TrimSpace(i.String()), lost.bare, lost.bareOf, lost.mount, lost.mountOf))
}

const (
	tableStart = "<!-- table -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// write puts the table between its marks in a page.
func (l *lossTable) write(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableStart)
	_, after, ended := strings.Cut(rest, tableEnd)
	if !ok || !ended {
		t.Fatalf("%s has no marks for the table", page)
	}
	rows := "| kind | idiom | lost, bare directory | lost, mount |\n|---|---|---|---|\n" + strings.Join(l.rows, "\n") + "\n"
	if err := os.WriteFile(page, []byte(before+tableStart+rows+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
