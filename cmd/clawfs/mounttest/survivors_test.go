package mounttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// survivors are programs that work on a mount, over and over, while its daemon is replaced. None of their calls may
// fail, and what they were told to be there is there once.
type survivors struct {
	t     *testing.T
	m     *mount
	limit time.Duration
	stop  string // a file that ends them
	all   map[string]*process
	log   followed

	clients map[string]*process // programs that time their calls, by the files for that
}

func newSurvivors(m *mount, limit time.Duration) *survivors {
	m.t.Helper()
	need(m.t, "node", "jq")
	m.leavesDialects = true // lines.json
	s := &survivors{t: m.t, m: m, limit: limit, stop: filepath.Join(m.t.TempDir(), "stop"), all: make(map[string]*process), log: followed{path: m.log}, clients: make(map[string]*process)}
	for name, content := range map[string]string{
		"in-place.json": "{}", "rename.json": "{}", "both.json": "{}", "patch.json": "{}", "lines.json": "{\"id\": 1}\n{\"id\": 2}\n", "plain.txt": "",
		"flock.json": `{"n": 0}`, "mkdir.json": `{"n": 0}`, "link.json": `{"n": 0}`, "excl.json": `{"n": 0}`,
	} {
		write(m.t, m.dir, name, content)
	}
	return s
}

// begin starts a program on a file.
func (s *survivors) begin(with, how, file string) {
	s.t.Helper()
	name := fmt.Sprintf("%s-%s-%s-%d", how, strings.TrimSuffix(file, filepath.Ext(file)), filepath.Ext(with)[1:], len(s.all))
	s.all[name] = startFor(s.t, s.limit, s.m.dir, program(s.t, "programs/"+with, how, filepath.Join(s.m.dir, file), name, s.stop))
}

// beginWriters starts twenty-five programs that write, read, and count under locks.
func (s *survivors) beginWriters() {
	s.t.Helper()
	for _, with := range []string{"adds.py", "adds.mjs", "adds.sh"} {
		for _, how := range []string{"in-place", "rename"} {
			s.begin(with, how, how+".json")
			s.begin(with, how, "both.json")
		}
	}
	s.beginWorks("patch patch.json", "patch patch.json", "kept patch.json", "lines lines.json", "lines lines.json", "appends plain.txt", "appends plain.txt",
		"reads in-place.json", "reads rename.json", "holds in-place.json", "holds both.json", "flock flock.json", "flock flock.json",
		"mkdir mkdir.json", "mkdir mkdir.json", "link link.json", "link link.json", "excl excl.json", "excl excl.json")
}

// beginWorks starts programs, each given as a kind of survives.py and a file.
func (s *survivors) beginWorks(works ...string) {
	s.t.Helper()
	for _, work := range works {
		kind, file, _ := strings.Cut(work, " ")
		s.begin("survives.py", kind, file)
	}
}

// processes returns the programs, by their names.
func (s *survivors) processes() map[string]*process {
	all := maps.Clone(s.all)
	maps.Copy(all, s.clients)
	return all
}

// awaitCommits returns once there were that many commits more, and reports whether they came.
func (s *survivors) awaitCommits(n int) bool {
	s.t.Helper()
	for _, p := range s.processes() {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid)); err != nil || bytes.Contains(stat, []byte(") Z")) {
			s.t.Errorf("%q has ended", p.line)
			return false
		}
	}
	before := s.log.read().commits
	if !eventually(time.Minute, func() bool { return s.log.read().commits >= before+n }) {
		s.t.Error("the writers have stopped")
		return false
	}
	return true
}

// end ends the programs, and counts what they were told to be there, and what of that is not, or is there twice.
func (s *survivors) end() (acknowledged, lost int) {
	s.t.Helper()
	if err := os.WriteFile(s.stop, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	did := make(map[string]int) // by name
	for name, p := range s.all {
		r := p.wait()
		if r.code != 0 {
			s.t.Errorf("%v", r)
			continue
		}
		did[name], _ = strconv.Atoi(strings.TrimSpace(r.stdout))
		acknowledged += did[name]
	}
	if s.t.Failed() {
		return acknowledged, lost
	}
	return acknowledged, s.lostMembers(did) + s.lostLines(did) + s.lostCounts(did)
}

// lostMembers counts the members that were added and are not there.
func (s *survivors) lostMembers(did map[string]int) (lost int) {
	s.t.Helper()
	for _, file := range []string{"in-place", "rename", "both", "patch"} {
		got := make(map[string]int)
		if err := json.Unmarshal([]byte(read(s.t, s.m.dir, file+".json")), &got); err != nil {
			s.t.Fatal(err)
		}
		for name, n := range did {
			if strings.HasPrefix(name, "reads-") || strings.HasPrefix(name, "holds-") || !strings.Contains(name, "-"+file+"-") {
				continue
			}
			for i := range n {
				if value, ok := got[name+"-"+strconv.Itoa(i)]; !ok || value != i {
					lost++
					s.t.Errorf("%s-%d was added to %s, and is lost", name, i, file)
				}
			}
		}
	}
	return lost
}

// lostLines counts the lines that were appended and are not there once.
func (s *survivors) lostLines(did map[string]int) (lost int) {
	s.t.Helper()
	for kind, file := range map[string]string{"lines": "lines.json", "appends": "plain.txt"} {
		times := make(map[string]int)
		for line := range strings.Lines(read(s.t, s.m.dir, file)) {
			times[line]++
		}
		for name, n := range did {
			for i := range n {
				if line := fmt.Sprintf("{\"id\": \"%s-%d\"}\n", name, i); strings.HasPrefix(name, kind+"-") && times[line] != 1 {
					lost++
					s.t.Errorf("%d times in %s: %s", times[line], file, line)
				}
			}
		}
	}
	return lost
}

// lostCounts counts the numbers that are not how often programs have counted.
func (s *survivors) lostCounts(did map[string]int) (lost int) {
	s.t.Helper()
	counted := make(map[string]int)
	for name, n := range did {
		counted[strings.Split(name, "-")[0]] += n
	}
	for _, kind := range []string{"flock", "mkdir", "link", "excl"} {
		if got, want := strings.TrimSpace(read(s.t, s.m.dir, kind+".json")), fmt.Sprintf(`{"n": %d}`, counted[kind]); got != want {
			lost++
			s.t.Errorf("with a lock by %s: %s, want %s", kind, got, want)
		}
	}
	return lost
}

// followed is a log that is read as it grows.
type followed struct {
	path    string
	at      int64
	commits int   // so far
	daemons []int // that have served the mount so far
}

// read reads on, up to the last line that is complete.
func (f *followed) read() *followed {
	file, err := os.Open(f.path)
	if err != nil {
		return f
	}
	defer file.Close()
	text, _ := io.ReadAll(io.NewSectionReader(file, f.at, 1<<40))
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	f.at += int64(len(text))
	f.commits += bytes.Count(text, []byte("Registry write committed"))
	for _, found := range daemonLine.FindAllSubmatch(text, -1) {
		pid, _ := strconv.Atoi(string(found[1]))
		f.daemons = append(f.daemons, pid)
	}
	return f
}
