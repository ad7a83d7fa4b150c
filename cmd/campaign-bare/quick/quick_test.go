package quick

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Started by the name of a program, the test is its stand-in.
func TestMain(m *testing.M) {
	if slices.Contains(Names, filepath.Base(os.Args[0])) {
		os.Exit(Main(os.Args))
	}
	os.Exit(m.Run())
}

const document = `{"entries":[{"id":"e0"},{"id":"e1"}],"jobs":{"j1":{"cmd":"x"},"j2":{"cmd":"y"}},"debug":false,"port":80,"welcome":"hi \"you\""}` + "\n"

// place is a directory with a registry, and the programs, real or not.
type place struct {
	*testing.T
	dir, bin string
}

func newPlace(t *testing.T, standIns bool) *place {
	t.Helper()
	p := &place{T: t, dir: t.TempDir(), bin: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names {
		program := self
		if !standIns {
			if program, err = exec.LookPath(name); err != nil {
				t.Skip("missing program:", name)
			}
		}
		if err := os.Symlink(program, filepath.Join(p.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"edit.py", "edit.mjs"} {
		text, err := os.ReadFile("../commands/programs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		p.put(filepath.Join(p.bin, name), string(text))
	}
	p.put(filepath.Join(p.dir, "a.json"), document)
	return p
}

func (p *place) put(path, text string) {
	p.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

// run runs a command line and returns its output, its exit code, and the files that
// the directory holds then.
func (p *place) run(line string) string {
	p.Helper()
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "PATH="+p.bin+":"+os.Getenv("PATH"), "B="+p.bin, "K="+p.bin, "PY="+p.bin+"/python3 -I -S")
	var out strings.Builder
	cmd.Stdout = &out
	_ = cmd.Run() // its exit code tells
	said := fmt.Sprintf("exit %d\n%s", cmd.ProcessState.ExitCode(), out.String())
	files, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil {
		p.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			p.Fatal(err)
		}
		said += filepath.Base(file) + ": " + string(text) + "\n"
	}
	return said
}

// A stand-in has the output of its program, and leaves the same files.
func TestStandInsDoWhatTheProgramsDo(t *testing.T) {
	var lines []string
	for _, filter := range []string{
		".", ".port", ".port=85", `.welcome="hi"`, `.entries += [{"id":"x1"}]`, "del(.entries[0])", "del(.jobs.j1)", `.jobs.j1.state="running"`, ".rev += 1", "del(.none)", `.none.j1="y"`,
		"del(.none.j1)", "del(.none[0])",
	} {
		lines = append(lines, "jq -c '"+filter+"' a.json", "jq '"+filter+"' a.json")
	}
	lines = append(lines, "jq . none.json", "echo '{' > b.json; jq . b.json", ": > b.json; jq . b.json", "echo '1 {} []' > b.json; jq . b.json", `echo '[]' > b.json; jq .port=85 b.json`)
	operations := []string{
		"load a.json; add x1; save a.json", "load a.json; drop e0; save a.json rename", "load a.json; pop; save a.json rplus", "load a.json; mark j1; save a.json unlink",
		"load a.json; mark j3 ready; unmark j1; done j2; set port 85; bump; bump; save a.json backup", `load a.json; set welcome "hi"; unset debug; clear; save b.json rplus`,
		"load a.json; keep; clear; save a.json; back; save a.json; back; save b.json backup", "reset; save a.json; peek a.json", "exists a.json; exists b.json; list; size a.json",
		"copy a.json b.json; move b.json c.json; unlink a.json", "peek none.json", "reset; save a.json rplus", "unlink none.json", "move none.json b.json", "child load a.json, add x1, save a.json; load a.json", "reset; pop; pop; pop; save a.json",
		"child peek none.json",
	}
	for _, program := range []string{`$PY "$B/edit.py" .`, `node "$B/edit.mjs" sync .`, `node "$B/edit.mjs" async .`} {
		lines = append(lines, program+` 'load a.json; add x1; save a.json'`, program+` 'peek none.json'`,
			"printf '%s\n' '"+strings.Join(operations, "' '")+"' | "+program)
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(newPlace(t, false).run(line), newPlace(t, true).run(line)); diff != "" {
				t.Errorf("(-program +stand-in):\n%s", diff)
			}
		})
	}
}
