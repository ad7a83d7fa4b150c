package mounttest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Administrators run these beside the programs, testdata/admin: a script that has many add at
// once, one that checks the files, one that greps the log. None of them knows of clawfs.

// adders are command lines that write JSON, each in its own way.
func adders(t *testing.T) map[string][]string {
	t.Helper()
	writer := func(name string) string {
		path, err := filepath.Abs(filepath.Join(top, "scripts", "writers", name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	return map[string][]string{
		"node, rename":   {"node", writer("add.mjs")},
		"node, in place": {"env", "IN_PLACE=1", "node", writer("add.mjs")},
		"python":         {interpreters()[".py"], writer("add.py")},
		"shell":          {writer("add.sh")},
	}
}

// addModels has ten commands add a model each, and returns the result of the script.
func addModels(t *testing.T, dir string, command []string) result {
	t.Helper()
	return run(t, "/", append(program(t, "admin/concurrent-model-add.sh", dir, "10"), command...))
}

// Ten of any command line add a model at the same time: all are there, and the
// files are in order. In a bare directory the same script finds
// that some are not.
func TestConcurrentModelAdd(t *testing.T) {
	need(t, "jq", "node", "python3")
	for name, command := range adders(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost := false
			for try := 0; try < 10 && !lost; try++ {
				lost = addModels(t, newDir(t), command).code != 0
			}
			if !lost {
				t.Error("nothing is lost in a bare directory, so that this shows nothing")
			}
			m := newMount(t)
			for round := range setting(t, "CLAWFS_ROUNDS", 1) {
				dir := filepath.Join(m.dir, fmt.Sprint("round", round))
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if r := addModels(t, dir, command); r.code != 0 {
					t.Errorf("P4: %v", r)
				}
			}
			if r := checkHealth(t, m.dir); r.code != 0 {
				t.Errorf("%v", r)
			}
			if r := m.command("check", m.dir); r.code != 0 {
				t.Errorf("%v", r)
			}
		})
	}
}

// command runs clawfs.
func (m *mount) command(args ...string) result {
	m.t.Helper()
	clawfs, err := build()
	if err != nil {
		m.t.Fatal(err)
	}
	return run(m.t, "/", append([]string{clawfs}, args...))
}

// checkHealth runs the script that checks the files.
func checkHealth(t *testing.T, dir string) result {
	t.Helper()
	return run(t, "/", program(t, "admin/check-registry-health.sh", dir))
}

// The script that checks the files finds the same on the mount as in the bare directory: the
// faults from before, until somebody mends them.
func TestCheckRegistryHealth(t *testing.T) {
	need(t, "jq")
	t.Parallel()
	dir := newDir(t)
	write(t, dir, "good.json", tenModels)
	write(t, dir, "empty.json", "")
	write(t, dir, "torn.json", `{"models":[{"id":`)
	write(t, dir, "joined.json", `{"models":[]}{"models":[]}`)
	write(t, dir, "twice.json", `{"models":[{"id":"a"},{"id":"a"}]}`)
	write(t, dir, "models.json.1.tmp", "{")
	want := []string{"5 checked, 5 problems", "DUPLICATE: twice.json", "EMPTY: empty.json", "INVALID: joined.json", "INVALID: torn.json",
		"LEFTOVER: models.json.1.tmp"}
	for _, where := range []string{"bare directory", "mount"} {
		if where == "mount" {
			mountOn(t, dir)
		}
		r := checkHealth(t, dir)
		got := strings.Split(strings.TrimSpace(r.stdout), "\n")
		slices.Sort(got)
		if r.code != 1 || !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %q", where, r, want)
		}
	}
	succeed(t, dir, bash(`rm models.json.1.tmp; for f in empty torn joined twice; do echo '{"models":[]}' > $f.json || exit; done`))
	if r := checkHealth(t, dir); r.code != 0 || r.stdout != "5 checked, 0 problems\n" {
		t.Errorf("mended: %v", r)
	}
}

// While many write, and some of them rubbish, the script that checks the files
// never finds anything.
func TestRegistriesAreHealthyBesideWriters(t *testing.T) {
	need(t, "jq")
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	var writers []*process
	for n := range 4 {
		writers = append(writers, start(t, m.dir, bash(fmt.Sprintf(`for i in {1..8}; do
			jq ".models += [{id: \"w%[1]d-$i\"}]" models.json > w%[1]d && mv w%[1]d models.json || exit 1
			echo '{"models":[' | cp /dev/stdin models.json 2>/dev/null && exit 2
			: > models.json
		done; true`, n))))
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		if r := checkHealth(t, m.dir); r.code != 0 {
			t.Errorf("P1, beside writers: %v", r)
		}
	}
	for _, w := range writers {
		if r := w.wait(); r.code != 0 {
			t.Errorf("%v", r)
		}
	}
	if r := checkHealth(t, m.dir); r.code != 0 || r.stdout != "1 checked, 0 problems\n" {
		t.Errorf("P1, after them: %v", r)
	}
}

// A line that monitoring greps for in the log is there once for each time that it happened.
func TestLogGreps(t *testing.T) {
	need(t, "jq", "python3")
	t.Parallel()
	m := newMount(t)
	want := map[string]int{"Registry write committed": 0, "Registry write conflict": 0, "Registry write rejected": 0, "Registry overwrite": 0,
		"Registry recovered": 0}
	happened := func(what string, phrases ...string) {
		t.Helper()
		for _, phrase := range phrases {
			want[phrase]++
		}
		text := succeed(t, "/", program(t, "admin/registry-log-report.sh", m.log))
		for phrase, n := range want {
			if line := fmt.Sprintf("%s: %d\n", phrase, n); !strings.Contains(text, line) {
				t.Fatalf("%s: want %q in\n%s", what, line, text)
			}
		}
	}
	file := filepath.Join(m.dir, "models.json")
	happened("nothing")
	succeed(t, m.dir, bash(`echo '{"models":[],"key":"a"}' > models.json`))
	happened("a registry is made", "Registry write committed")
	one, two := startActor(t, m.dir, "py", file), startActor(t, m.dir, "py", file)
	one.do(t, "read")
	two.do(t, "read")
	one.do(t, `set key "one"`)
	two.do(t, `set key "two"`)
	one.do(t, "save")
	happened("a change", "Registry write committed")
	two.do(t, "save")
	happened("another one of the same value", "Registry write committed", "Registry write conflict")
	if r := run(t, m.dir, bash(`echo '{"models":[' | cp /dev/stdin models.json`)); r.code == 0 {
		t.Errorf("%v", r)
	}
	happened("rubbish", "Registry write rejected")
	// It has no kin once setsid, its parent, has gone.
	succeed(t, "/", []string{"setsid", "bash", "-c", `while [ "$(cat /proc/$PPID/comm 2>/dev/null)" = setsid ]; do sleep 0.01; done; echo '[1,2]' > ` + file})
	happened("a replacement by what has read nothing", "Registry write committed", "Registry overwrite")
	for _, a := range []*actor{one, two} {
		a.quit(t)
	}
	m.unmount()
	write(t, m.dir, "models.json", "[1,")
	m.start()
	succeed(t, "/", []string{"cat", file})
	happened("rubbish while nothing was mounted", "Registry recovered")
}
