package mounttest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// P4 (§4): a program that keeps its registry in memory, and goes on while clawfs is
// unmounted and mounted again, loses nothing of others.
func TestMemoryOutlivesARemount(t *testing.T) {
	t.Parallel()
	need(t, "node", "jq")
	for _, how := range []string{"in-place", "rename"} {
		t.Run(how, func(t *testing.T) {
			m := newMount(t)
			write(t, m.dir, "models.json", tenModels)
			file := filepath.Join(m.dir, "models.json")
			gateway := startActor(t, "/", "mjs", file, how)
			say := func(command string) {
				t.Helper()
				if got := gateway.do(t, command); got != "ok" {
					t.Fatalf("%s: %s", command, got)
				}
			}
			for _, command := range []string{"read", "add own", "save"} {
				say(command)
			}
			m.unmount()
			m.start()
			succeed(t, m.dir, program(t, shell, "jq-mv", file, "cli"))
			say("add late")
			say("save")
			got, err := models(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"claude", "cli", "late", "own"}, got); diff != "" {
				t.Errorf("P4 (-want +got):\n%s", diff)
			}
			gateway.quit(t)
		})
	}
}

// The directory of the version before is served on: its histories, its quarantine, and its
// numbers go on. Fields that later versions add to a record are kept, and shown.
func TestStateOfTheFormatBefore(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	if err := os.CopyFS(dir, os.DirFS("testdata/format-1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "state"), filepath.Join(dir, ".clawfs")); err != nil {
		t.Fatal(err)
	}
	logFile := filepath.Join(dir, ".clawfs/history/sub/c.json/@log")
	old, err := os.ReadFile(logFile)
	if err != nil {
		t.Fatal(err)
	}
	old = bytes.Replace(old, []byte(`"uid":0`), []byte(`"uid":0,"later":{"n":[1]}`), 1)
	if err := os.WriteFile(logFile, old, 0o600); err != nil {
		t.Fatal(err)
	}
	m := mountOn(t, dir)
	for name, want := range map[string]string{"a.json": `{"a":3,"t":true}`, "sub/c.json": `["x"]`, ".clawfs/format": "clawfs 2\n"} {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s holds %s, want %s", name, got, want)
		}
	}
	write(t, dir, "a.json", `{"a":4}`)
	write(t, dir, "sub/c.json", `["x","y"]`)
	write(t, dir, "gone.json", `{"g":2}`)
	for _, want := range []struct{ line, got string }{ // nothing is kept of gone.json: it was there for a moment
		{`"a.json",1,2,2,3,4`, `log --json %s/a.json | jq -cs '[.[0].registry] + map(.seq)'`},
		{`"gone.json",1`, `log --json %s/gone.json | jq -cs '[.[0].registry] + map(.seq)'`},
		{`{"n":[1]},null`, `log --json %s/sub/c.json | jq -cs 'map(.later)'`},
		{`"a.json",5`, `quarantine --json %s | jq -c '[.registry, .size]'`},
	} {
		got := succeed(t, "/", bash(clawfsPath(t)+" "+fmt.Sprintf(want.got, dir)))
		if got != "["+want.line+"]\n" {
			t.Errorf("%s: %s, want [%s]", want.got, got, want.line)
		}
	}
	m.unmount()
	now, err := os.ReadFile(logFile)
	if err != nil || !bytes.HasPrefix(now, old) {
		t.Errorf("what was recorded before has changed: %s, %v", now, err)
	}
}

func clawfsPath(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
