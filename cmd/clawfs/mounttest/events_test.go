package mounttest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// since returns the lines that a watcher has printed after so many lines.
func (w *watcher) since(lines int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all[lines:])
}

// told describes events: their kinds, and how often those came that must come once.
func told(events []string) string {
	counts := make(map[string]int)
	for _, e := range events {
		counts[e]++
	}
	var list []string
	for _, e := range slices.Sorted(maps.Keys(counts)) {
		if e == "CLOSE_WRITE" || e == "DELETE_SELF" || e == "MOVED_TO" {
			e = fmt.Sprintf("%d %s", counts[e], e)
		}
		list = append(list, e)
	}
	return strings.Join(list, ", ")
}

// commits are ways to change a.json, one after the other.
var commits = []struct {
	how, script string
	anew        bool // the watch is set anew before
}{
	{"in place", `echo '{"n":1}' >a.json`, true},
	{"in place again", `echo '{"n":2}' >a.json`, false},
	{"in place, after somebody has read it", `cat a.json >/dev/null; echo '{"n":3}' >a.json`, false},
	{"in place, while somebody has it open", `exec 5<a.json; read -r <&5; echo '{"n":4}' >a.json`, true},
	{"truncate", `truncate -s 7 a.json`, false},
	{"fsync, then close", `$PYTHON -c 'import os
fd = os.open("a.json", os.O_RDWR)
os.pwrite(fd, b"{\"n\":5}", 0)
os.fsync(fd)
os.close(fd)'`, false},
	{"chmod", `chmod 600 a.json`, false},
	{"by a name that is no registry's", `ln a.json l; exec 5<>l; printf '{"n":4}' >&5; cat a.json >/dev/null; exec 5>&-; chmod 640 l; rm l`, false},
	{"touch", `touch a.json`, false},
	{"rename, after others", `echo '{"n":6}' >tmp; mv tmp a.json`, false},
	{"rename", `echo '{"n":7}' >tmp; mv tmp a.json`, true},
	{"rename of what it holds", `cp a.json tmp; mv tmp a.json`, true},
	{"in place, after a rename", `echo '{"n":8}' >a.json`, true},
	{"removal", `echo '{"n":9}' >a.json; rm a.json`, false},
}

// Watchers (§3) hear of each commit the same as in a bare directory: events of the same
// kinds, and not twice that a file was saved.
func TestWatchersHearWhatABareDirectoryTells(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"file", "directory"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			bare, m := newDir(t), newMount(t)
			var watchers []*watcher
			for _, dir := range []string{bare, m.dir} {
				write(t, dir, "a.json", `{"n":0}`)
			}
			time.Sleep(500 * time.Millisecond) // the seed is told of
			for _, c := range commits {
				if c.anew {
					watchers = nil
					for _, dir := range []string{bare, m.dir} {
						watchers = append(watchers, startWatcher(t, "programs/events.py", what, filepath.Join(dir, "a.json")))
					}
				}
				var before []int
				for i, dir := range []string{bare, m.dir} {
					_, lines := watchers[i].told()
					before = append(before, lines)
					succeed(t, dir, bash(c.script))
				}
				heard := func(i int) string { return told(watchers[i].since(before[i])) }
				eventually(3*time.Second, func() bool { return heard(0) != "" && heard(0) == heard(1) })
				time.Sleep(400 * time.Millisecond) // an event that comes twice comes by then
				if heard(0) != heard(1) {
					t.Errorf("%s: heard on the mount %s; in a bare directory %s", c.how, heard(1), heard(0))
				}
			}
		})
	}
}

// Programs that run something, or go on reading, when a file has changed do that once for
// each commit, and find it.
func TestProgramsThatFollowAFile(t *testing.T) {
	t.Parallel()
	followers := []struct {
		name   string
		script string // appends the content that it finds to a file
		places bool   // it follows files that are put in place of others only
	}{
		{"entr", `echo a.json | entr -n -p sh -c "cat a.json >>%s"`, false},
		{"inotifywait", `while inotifywait -qq -e close_write -e delete_self a.json; do cat a.json >>%s; done`, false},
		{"inotifywait", `inotifywait -q -m -e close_write -e moved_to --format %%f . | while read -r f; do [ "$f" != a.json ] || cat a.json >>%s; done`, false},
		{"tail", `tail -n 0 -F -s 0.1 --max-unchanged-stats=1 a.json >>%s 2>/dev/null`, true},
	}
	for i, f := range followers {
		for _, where := range []string{"bare", "mount"} {
			t.Run(fmt.Sprintf("%s %d %s", f.name, i, where), func(t *testing.T) {
				t.Parallel()
				need(t, f.name)
				dir := newDir(t)
				if where == "mount" {
					dir = newMount(t).dir
				}
				write(t, dir, "a.json", "{\"n\":0}\n")
				found := filepath.Join(t.TempDir(), "found")
				write(t, filepath.Dir(found), "found", "")
				time.Sleep(500 * time.Millisecond) // the seed is told of
				p := start(t, dir, bash(fmt.Sprintf(f.script, found)))
				t.Cleanup(func() {
					if err := p.cmd.Cancel(); err != nil {
						t.Error(err)
					}
					p.wait()
				})
				time.Sleep(time.Second) // it has begun
				want := ""
				for n, how := range []string{
					"echo '%s' >a.json", "echo '%s' >a.json", "cat a.json >&2; echo '%s' >a.json", "echo '%s' >tmp; mv tmp a.json",
					"echo '%s' >a.json", "echo '%s' >a.json", "echo '%s' >tmp; mv tmp a.json", "echo '%s' >tmp; mv tmp a.json",
				} {
					if f.places {
						how = "echo '%s' >tmp; mv tmp a.json"
					}
					content := fmt.Sprintf(`{"n":%d}`, n+1)
					want += content + "\n"
					succeed(t, dir, bash(fmt.Sprintf(how, content)))
					text := func() string {
						b, err := os.ReadFile(found)
						if err != nil {
							t.Fatal(err)
						}
						return string(b)
					}
					eventually(3*time.Second, func() bool { return text() == want })
					time.Sleep(600 * time.Millisecond) // it follows again, and an event that comes twice comes by then
					if text() != want {
						t.Fatalf("after commit %d it has found\n%swant\n%s", n+1, text(), want)
					}
				}
			})
		}
	}
}
