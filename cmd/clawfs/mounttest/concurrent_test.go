package mounttest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tenModels = `{
  "version": 42,
  "models": [
    {
      "id": "claude"
    }
  ]
}
`

// An idiom is a way in which programs change a registry. Adding an entry by it
// takes one process, or a script and the processes that it starts.
type idiom struct {
	program, how string
	needs        string // a program that not every machine has
}

func (i idiom) String() string {
	return strings.TrimSuffix(filepath.Base(i.program), filepath.Ext(i.program)) + filepath.Ext(i.program) + " " + i.how
}

func (i idiom) line(t *testing.T, file, id string) []string {
	switch {
	case filepath.IsAbs(i.program): // built by a test
		return []string{i.program, i.how, file, id}
	case i.how == "":
		return program(t, i.program, file, id)
	}
	return program(t, i.program, i.how, file, id)
}

const (
	node   = "programs/add.mjs"
	python = "programs/add.py"
	shell  = "programs/add.sh"
)

// In these the process that writes has read.
func ownIdioms() []idiom {
	return []idiom{
		{node, "in-place", "node"},
		{node, "promises", "node"},
		{node, "stream", "node"},
		{node, "r+", "node"},
		{node, "rename", "node"},
		{node, "openclaw", "node"},
		{python, "in-place", ""},
		{python, "r+", ""},
		{python, "descriptor", ""},
		{python, "replace", ""},
		{python, "nameless", ""},
		{shell, "jq-mv", "jq"},
		{shell, "jq-mv-f-input", "jq"},
		{shell, "sed", ""},
		{shell, "perl", "perl"},
	}
}

// In these a relative of the process that writes has read.
func kinIdioms() []idiom {
	return []idiom{
		{shell, "variable", "jq"},
		{shell, "cat-variable", "jq"},
		{shell, "sponge", "sponge"},
		{shell, "cat-jq-tee", "jq"},
		{shell, "mktemp-mv", "jq"},
		{shell, "mktemp-cp", "jq"},
		{shell, "mktemp-cat", "jq"},
		{shell, "install", "jq"},
		{shell, "dd", "jq"},
		{shell, "python-filter", ""},
	}
}

// P4: ten programs, each of another kind.
func TestTenProgramsMixed(t *testing.T) {
	t.Parallel()
	need(t, "node", "jq", "perl")
	tenPrograms(t, aFile, idiom{node, "in-place", ""}, idiom{node, "rename", ""}, idiom{node, "r+", ""}, idiom{node, "openclaw", ""},
		idiom{python, "in-place", ""}, idiom{python, "r+", ""}, idiom{python, "replace", ""},
		idiom{shell, "jq-mv", ""}, idiom{shell, "sed", ""}, idiom{shell, "jq-mv-f-input", ""})
}

// A beginning is all that is there before ten programs start.
type beginning int

const (
	aFile       beginning = iota // a registry with one entry
	noFile                       // an empty directory
	noDirectory                  // not even the registry's directory
)

// prepare makes a round's beginning, and returns the registry's path and its entries.
func (b beginning) prepare(t *testing.T, dir string, round int) (file string, ids []string) {
	t.Helper()
	name := fmt.Sprintf("models-%d.json", round)
	switch b {
	case noDirectory:
		name = filepath.Join(fmt.Sprintf("state-%d", round), name)
	case aFile:
		write(t, dir, name, tenModels)
		ids = expected("", 0)
	}
	return filepath.Join(dir, name), ids
}

// tenPrograms runs rounds of ten programs, of these idioms in turn, in a bare
// directory and on a mount, and returns how many entries were lost. In every other
// round all have read before the first one writes; in the others they meet by
// chance, unless there is no file at times. Where neither rounds nor a table are asked for, four
// are enough in either place.
func tenPrograms(t *testing.T, from beginning, idioms ...idiom) losses {
	return programsOf(t, from, true, idioms...)
}

// areAllAsked reports whether rounds of ten programs are asked for, or a table of them.
func areAllAsked() bool {
	return os.Getenv("CLAWFS_ROUNDS") != "" || os.Getenv("CLAWFS_IDIOMS") != ""
}

// programsOf is tenPrograms, in a bare directory only with a control.
func programsOf(t *testing.T, from beginning, control bool, idioms ...idiom) losses {
	var lost losses
	for _, i := range idioms {
		if i.needs != "" {
			need(t, i.needs)
		}
	}
	aside := slices.Contains(asideIdioms(), idioms[0])
	claims := slices.Contains(claimingIdioms(), idioms[0])
	programs := max(4, len(idioms))
	if areAllAsked() {
		programs = 10
	}
	round := func(t *testing.T, dir string, number, programs int) (want, got []string, results []result) {
		t.Helper()
		at := atRead
		if number%2 == 1 && !aside {
			at = atStart
		}
		file, want := from.prepare(t, dir, number)
		var lines [][]string
		for n, id := range expected("added", programs)[1:] {
			want = append(want, id)
			lines = append(lines, idioms[n%len(idioms)].line(t, file, id))
		}
		results = together(t, at, dir, lines...)
		got, err := models(file)
		if err != nil {
			t.Log(err)
		}
		return want, got, results
	}
	t.Run("bare", func(t *testing.T) {
		if !control {
			t.Skip("another idiom of its group shows the losses")
		}
		want, got, results := round(t, newDir(t), 0, programs)
		unnoticed := 0
		added := want[len(want)-len(results):]
		for n, r := range results {
			if (r.code == 0 || aside || claims) && !slices.Contains(got, added[n]) {
				unnoticed++
			}
		}
		lost.bare, lost.bareOf = len(added)-present(added, got), len(added)
		if unnoticed == 0 {
			t.Error("nobody loses anything unnoticed in a bare directory: this test shows nothing")
		}
	})
	t.Run("mount", func(t *testing.T) {
		m := newMount(t)
		for number := range setting(t, "CLAWFS_ROUNDS", 1) {
			want, got, results := round(t, m.dir, number, programs)
			if claims {
				want = acknowledged(want, got, results)
			} else if !aside {
				allSucceeded(t, results)
			}
			lost.mount += len(want) - present(want, got)
			lost.mountOf += len(results)
			for _, problem := range missing(want, got) {
				t.Errorf("P4: round %d: %s", number, problem)
			}
		}
		if !claims {
			noFiles(t, m.dir, "*.tmp", "tmp*", "sed*", ".models*")
		}
	})
	return lost
}

// losses are the entries that were lost, of how many.
type losses struct{ bare, bareOf, mount, mountOf int }

// acknowledged returns the entries that their programs reported as stored, and those that are
// there besides, though their programs reported a failure.
func acknowledged(want, got []string, results []result) []string {
	first := len(want) - len(results)
	out := slices.Clone(want[:first])
	for n, r := range results {
		if id := want[first+n]; r.code == 0 || slices.Contains(got, id) {
			out = append(out, id)
		}
	}
	return out
}

// present counts the entries that are there.
func present(want, got []string) int {
	n := 0
	for _, id := range want {
		if slices.Contains(got, id) {
			n++
		}
	}
	return n
}

// models returns the ids in the list of models of a registry.
func models(path string) ([]string, error) {
	doc, err := document(path)
	return doc.IDs, err
}

// contents are the parts of a registry of models that the tests look at.
type contents struct {
	IDs  []string // sorted
	Flag *bool
	At   string
}

func document(path string) (contents, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return contents{}, err
	}
	var doc struct {
		Models []struct{ ID string }
		Flag   *bool
		At     string `json:"lastTouchedAt"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return contents{}, fmt.Errorf("%s: %w: %s", filepath.Base(path), err, short(string(text)))
	}
	c := contents{Flag: doc.Flag, At: doc.At}
	for _, m := range doc.Models {
		c.IDs = append(c.IDs, m.ID)
	}
	slices.Sort(c.IDs)
	return c, nil
}

// missing names the entries that are not there, that are there too often, and that should not
// be there.
func missing(want, got []string) []string {
	want, got = slices.Clone(want), slices.Clone(got)
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return nil
	}
	return []string{"entries (-want +got):\n" + cmp.Diff(want, got)}
}

// noFiles checks that programs have left no files of these patterns.
func noFiles(t *testing.T, dir string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) > 0 {
			t.Errorf("left in the directory: %v %v", found, err)
		}
	}
}

// P4: one script with ten jobs at once.
func TestJobsOfOneScript(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"background", "xargs", "make"} {
		t.Run(how, func(t *testing.T) {
			need(t, "jq")
			if how == "make" {
				need(t, how)
			}
			oneProgram(t, expected("job", 10), func(t *testing.T, file string) []string {
				return program(t, "programs/jobs.sh", how, file, "10")
			})
		})
	}
}

// P4: one process with 25 tasks. Each reads, waits, adds and writes.
func TestTasksOfOneProcess(t *testing.T) {
	t.Parallel()
	need(t, "node")
	for _, how := range []string{"in-place", "rename"} {
		t.Run(how, func(t *testing.T) {
			oneProgram(t, expected("task", 25), func(t *testing.T, file string) []string {
				return program(t, "programs/tasks.mjs", how, file, "25")
			})
		})
	}
}

func expected(prefix string, n int) []string {
	ids := []string{"claude"}
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%d", prefix, i))
	}
	return ids
}

// oneProgram runs one program that adds entries in a bare directory, where it
// must lose some, and on a mount.
func oneProgram(t *testing.T, want []string, line func(t *testing.T, file string) []string) {
	t.Run("bare", func(t *testing.T) {
		dir := newDir(t)
		write(t, dir, "models.json", tenModels)
		run(t, dir, line(t, filepath.Join(dir, "models.json")))
		if got, err := models(filepath.Join(dir, "models.json")); err == nil && len(missing(want, got)) == 0 {
			t.Error("nothing is lost in a bare directory: this test shows nothing")
		}
	})
	t.Run("mount", func(t *testing.T) {
		m := newMount(t)
		for number := range setting(t, "CLAWFS_ROUNDS", 3) {
			name := fmt.Sprintf("models-%d.json", number)
			write(t, m.dir, name, tenModels)
			succeed(t, m.dir, line(t, filepath.Join(m.dir, name)))
			got, err := models(filepath.Join(m.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, lost := range missing(want, got) {
				t.Errorf("P4: round %d: %s", number, lost)
			}
		}
	})
}

// P4: one process saves one session a hundred times at once, each time with one
// message more than it had read. The messages have no identity.
func TestMessagesOfOneSession(t *testing.T) {
	t.Parallel()
	need(t, "node")
	for _, how := range []string{"in-place", "rename", "in-place new", "rename new", "in-place late", "rename late"} {
		t.Run(how, func(t *testing.T) {
			t.Run("bare", func(t *testing.T) {
				if got, err := sessionAfter(t, newDir(t), how, "session.json"); err == nil && len(got) == 101 {
					t.Error("nothing is lost in a bare directory: this test shows nothing")
				}
			})
			t.Run("mount", func(t *testing.T) {
				m := newMount(t)
				for number := range setting(t, "CLAWFS_ROUNDS", 3) {
					got, err := sessionAfter(t, m.dir, how, fmt.Sprintf("session-%d.json", number))
					if err != nil {
						t.Fatal(err)
					}
					want := []string{"hello"}
					for i := range 100 {
						want = append(want, fmt.Sprintf("message %d", i))
					}
					for _, lost := range missing(want, got) {
						t.Errorf("P4: round %d: %s", number, lost)
					}
					if len(got) > 0 && got[0] != "hello" {
						t.Errorf("round %d: the first message is %q", number, got[0])
					}
				}
			})
		})
	}
}

func sessionAfter(t *testing.T, dir, how, name string) ([]string, error) {
	t.Helper()
	if !strings.HasSuffix(how, "new") {
		write(t, dir, name, `{"key":"agent:main","messages":[{"role":"user","text":"hello"}]}`)
	}
	if r := run(t, dir, program(t, "programs/session.mjs", how, filepath.Join(dir, name), "100")); r.code != 0 {
		return nil, fmt.Errorf("%v", r)
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	var doc struct{ Messages []struct{ Text string } }
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	var texts []string
	for _, m := range doc.Messages {
		texts = append(texts, m.Text)
	}
	return texts, nil
}
