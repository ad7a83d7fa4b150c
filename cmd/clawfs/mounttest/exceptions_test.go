package mounttest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"clawfs/cmd/campaign-bare/exceptions"
)

// keptProgram keeps a registry open by the descriptor d while others change it, and then
// works with it.
const keptProgram = `
import os, subprocess, sys
def others(commands): subprocess.run(["bash", "-c", commands], check=True)
def write(text): os.pwrite(d, text, 0); os.ftruncate(d, len(text)); os.fsync(d)
def copy(how):
    out, n = os.open("copy", os.O_RDWR | os.O_CREAT | os.O_TRUNC), 0
    while k := how(out, n): n += k
    print(os.pread(out, 100, 0))
def send(): copy(lambda out, n: os.sendfile(out, d, n, 65536))
def range(): copy(lambda out, n: os.copy_file_range(d, out, 65536, n))
def show():
    for name in ("a.json", "a.old"): print(name, os.path.exists(name) and open(name).read())
others("rm -f *; echo '{\"v\":1}' >a.json")
d = os.open("a.json", os.O_RDWR if "write(" in sys.argv[1] else os.O_RDONLY)
exec(sys.argv[1])
`

// Programs of this test's own, for rows of the table that the testers' programs do not reach:
// their steps, and their output in each place. Each row that is for tests is here.
func TestRowsThatAreForTests(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	const inPlace, replaced = `others("echo '{\"v\":2,\"w\":2}' >a.json")`, `others("echo '{\"w\":3}' >t; mv t a.json")`
	const v1, v2 = "b'{\"v\":1}\\n'\n", "b'{\"v\":2,\"w\":2}\\n'\n"
	bare, m := t.TempDir(), newMount(t)
	var shown []string
	for _, c := range []struct{ row, steps, bare, mount string }{
		{"kept-writer", replaced + `; write(b'{"v":9}'); show()`, "a.json {\"w\":3}\n\na.old False\n", "a.json {\"v\":9}\na.old False\n"},
		{"kept-writer", `others("rm a.json"); write(b'{"v":9}'); show()`, "a.json False\na.old False\n", "a.json {\"v\":9}\na.old False\n"},
		{"kept-writer", `others("mv a.json a.old"); write(b'{"v":9}'); show()`, "a.json False\na.old {\"v\":9}\n", "a.json {\"v\":9}\na.old {\"v\":1}\n\n"},
		{"kept-writer", `os.pwrite(d, b'{"v":2}\n', 0); others("rm a.json"); os.close(d); show()`, "a.json False\na.old False\n", "a.json {\"v\":2}\n\na.old False\n"},
		{"set-id", `open("t", "w").write("{}"); os.chmod("t", 0o4755); os.rename("t", "a.json"); print("%o" % (os.stat("a.json").st_mode & 0o7777))`, "4755\n", "755\n"},
		{"copied-again", inPlace + "; send()", v2, v1},
		{"copied-again", inPlace + "; range()", v2, v1},
		{"copied-again", "send(); " + inPlace + "; send()", v1 + v2, v1 + v1},
		{"copied-again", "range(); " + inPlace + "; range()", v1 + v2, v1 + v1},
	} {
		shown = append(shown, c.row)
		for dir, want := range map[string]string{bare: c.bare, m.dir: c.mount} {
			if got := succeed(t, dir, []string{"python3", "-c", keptProgram, c.steps}); got != want {
				t.Errorf("%s: %s\nin %s: %q, want %q", c.row, c.steps, filepath.Base(dir), got, want)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(top, "docs/SEMANTICS.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := exceptions.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Tester == exceptions.Tests && !slices.Contains(shown, r.Name) {
			t.Errorf("no test shows `%s`", r.Name)
		}
	}
}
