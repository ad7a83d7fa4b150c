package mounttest

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Programs that count under a lock on the registry itself lose nothing, as in a bare
// directory, whether or not another one has it open for reading. Most give the lock up before they close the file. scripts/campaign-locks runs
// the same programs, and further ones, for longer.
func TestCountersUnderALock(t *testing.T) {
	t.Parallel()
	counter := filepath.Join(t.TempDir(), "counter")
	if out, err := exec.Command("go", "build", "-o", counter, "testdata/locks/counter.go").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	source := func(name string) string {
		path, err := filepath.Abs(filepath.Join("testdata/locks", name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	python := interpreters()[".py"]
	m := newMount(t)
	const processes, rounds = 4, 16
	for name, line := range map[string][]string{
		"python-flock":     {python, source("counter.py"), "flock"},
		"python-fcntl":     {python, source("counter.py"), "fcntl"},
		"python-ofd":       {python, source("counter.py"), "ofd"},
		"python-by-size":   {python, source("counter.py"), "by-size"},
		"python-kept-open": {python, source("counter.py"), "kept-open-unsynced"},
		"php":              {"php", source("counter.php"), "filesize"},
		"ruby":             {"ruby", source("counter.rb"), ""},
		"perl":             {"perl", source("counter.pl"), ""},
		"go":               {counter, "process"},
		"go-threads":       {counter, "threads"},
	} {
		for _, beside := range []string{"", "beside-a-reader"} {
			t.Run(name+" "+beside, func(t *testing.T) {
				t.Parallel()
				need(t, line[0])
				base := name + beside + ".json"
				write(t, m.dir, base, `{"hits":0}`)
				if beside != "" {
					reader := start(t, m.dir, bash("exec 7<"+base+"; sleep 600"))
					defer func() {
						if err := reader.cmd.Cancel(); err != nil {
							t.Error(err)
						}
						reader.wait()
					}()
				}
				last := len(line) - 1
				args := append(append([]string{}, line[:last]...), filepath.Join(m.dir, base), strconv.Itoa(rounds), line[last])
				var started []*process
				for range processes {
					started = append(started, start(t, m.dir, args))
				}
				for _, p := range started {
					if r := p.wait(); r.code != 0 {
						t.Errorf("%v", r)
					}
				}
				var doc struct{ Hits int }
				if err := json.Unmarshal([]byte(read(t, m.dir, base)), &doc); err != nil || doc.Hits != processes*rounds {
					t.Errorf("counted to %d, want %d: %v", doc.Hits, processes*rounds, err)
				}
			})
		}
	}
}
