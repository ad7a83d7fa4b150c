package mounttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"clawfs/backing/cluster/etcd/etcdtest"
)

// hosts mounts n directories that share their registries by an etcd of three members.
func hosts(t *testing.T, n int) (*etcdtest.Members, []*mount) {
	t.Helper()
	if os.Getenv(takeoverVariable) != "" {
		t.Skip("a daemon of a cluster is not taken over")
	}
	members := etcdtest.Start(t, 3)
	var all []*mount
	for i := range n {
		all = append(all, newMount(t, hostFlags(members, i)...))
	}
	return members, all
}

func hostFlags(m *etcdtest.Members, i int) []string {
	return []string{"--cluster", m.Address("state"), "--cluster-host", fmt.Sprintf("host%d", i)}
}

// same waits until a registry is the same on all mounts, and as wanted, and returns it.
func same(t *testing.T, name string, all []*mount, want func(string) bool) string {
	t.Helper()
	var texts []string
	ok := eventually(20*time.Second, func() bool {
		texts = nil
		for _, m := range all {
			text, _ := os.ReadFile(filepath.Join(m.dir, name))
			texts = append(texts, string(text))
		}
		return len(slices.Compact(slices.Clone(texts))) == 1 && want(texts[0])
	})
	if !ok {
		t.Fatalf("%s differs: %q", name, texts)
	}
	return texts[0]
}

func as(want string) func(string) bool { return func(got string) bool { return got == want } }

// Ordinary programs on three hosts add to one registry, while a member of the etcd is
// killed, and a daemon: no entry is lost, none is there twice, and all hosts have the same.
func TestProgramsOnSeveralHosts(t *testing.T) {
	need(t, "node", "python3", "jq")
	members, all := hosts(t, 3)
	write(t, all[0].dir, "models.json", `{"models":[]}`)
	same(t, "models.json", all, as(`{"models":[]}`))
	writers := [][]string{
		{"node", "add.mjs"}, {"python3", "add.py"}, {"sh", "add.sh"},
	}
	const each = 8
	wanted := map[string]bool{}
	var mu sync.Mutex
	var running sync.WaitGroup
	half := make(chan struct{})
	begin := func(h int, m *mount, rounds []int) {
		for w, writer := range writers {
			running.Go(func() {
				for _, n := range rounds {
					id := fmt.Sprintf("%d-%d-%d", h, w, n)
					script, err := filepath.Abs(filepath.Join(top, "scripts/writers", writer[1]))
					if err != nil {
						t.Error(err)
						return
					}
					r := run(t, "/", []string{writer[0], script, filepath.Join(m.dir, "models.json"), "models", fmt.Sprintf(`{"id":%q}`, id)})
					if r.code != 0 {
						t.Errorf("%v", r)
						continue
					}
					mu.Lock()
					wanted[id] = true
					if len(wanted) == each*len(all) {
						close(half)
					}
					mu.Unlock()
				}
			})
		}
	}
	var rounds []int
	for n := range each {
		rounds = append(rounds, n)
	}
	for h, m := range all {
		begin(h, m, rounds)
	}
	<-half
	members.Kill(0)
	running.Wait()
	all[1].kill()
	detach(all[1].dir)
	begin(0, all[0], []int{100})
	running.Wait()
	all[1].start(hostFlags(members, 1)...)
	begin(1, all[1], []int{101})
	running.Wait()
	text := same(t, "models.json", all, func(text string) bool {
		return slices.Equal(idsOf(text), slices.Sorted(maps.Keys(wanted)))
	})
	if len(idsOf(text)) != 3*(3*each+2) {
		t.Errorf("%d entries", len(idsOf(text)))
	}
}

func idsOf(text string) (ids []string) {
	var doc struct {
		Models []struct {
			ID string `json:"id"`
		} `json:"models"`
	}
	_ = json.Unmarshal([]byte(text), &doc) // no document has no ids
	for _, m := range doc.Models {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// Other hosts see the changes of names by one: creation in a new directory, moves, removals.
// Of several that create a file exclusively one succeeds.
func TestNamesOnSeveralHosts(t *testing.T) {
	_, all := hosts(t, 2)
	a, b := all[0].dir, all[1].dir
	succeed(t, a, bash(`mkdir -p deep/er && echo '{"n":1}' >deep/er/x.json`))
	same(t, "deep/er/x.json", all, as("{\"n\":1}\n"))
	succeed(t, b, bash(`mv deep/er/x.json deep/y.json`))
	same(t, "deep/y.json", all, as("{\"n\":1}\n"))
	same(t, "deep/er/x.json", all, as(""))
	succeed(t, a, bash(`mv deep elsewhere`))
	same(t, "elsewhere/y.json", all, as("{\"n\":1}\n"))
	same(t, "deep/y.json", all, as(""))
	succeed(t, b, bash(`mv elsewhere/y.json plain.txt`))
	same(t, "elsewhere/y.json", all, as(""))
	succeed(t, b, bash(`mv plain.txt z.json; ln z.json w.json`))
	same(t, "z.json", all, as("{\"n\":1}\n"))
	same(t, "w.json", all, as("{\"n\":1}\n"))
	succeed(t, a, bash(`rm z.json`))
	same(t, "z.json", all, as(""))
	var won sync.Map
	var both sync.WaitGroup
	for i, m := range all {
		both.Go(func() {
			r := run(t, m.dir, bash(fmt.Sprintf(`set -C; echo '{"by":%d}' >lock.json`, i)))
			if r.code == 0 {
				won.Store(i, true)
			}
		})
	}
	both.Wait()
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d have created it exclusively", n)
	}
}

// Without a majority files are read as they were, and a write is refused before anything is
// taken away.
func TestHostsWithoutAMajority(t *testing.T) {
	need(t, "python3")
	members, all := hosts(t, 2)
	write(t, all[0].dir, "a.json", `{"n":1}`)
	same(t, "a.json", all, as(`{"n":1}`))
	members.Kill(0)
	members.Kill(1)
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		noticed := eventually(20*time.Second, func() bool {
			r := run(t, "/", []string{clawfs, "cluster", "status", m.dir})
			return r.code == 3 && strings.Contains(r.stdout, "not reachable") && strings.Contains(succeed(t, "/", []string{clawfs, "status", m.dir}), "not reachable")
		})
		if !noticed {
			t.Fatal("the daemon does not notice")
		}
	}
	for _, script := range []string{
		`echo '{}' >a.json`, `echo '{}' >>a.json`, `rm a.json`, `mv a.json b.json`, `mv a.json b.txt`, `echo '{}' >new.json`, `echo '{}' >t; mv t a.json`,
		`python3 -c 'f = open("a.json", "r+"); f.write("{}"); f.close()'`,
	} {
		r := run(t, all[0].dir, bash(script))
		if r.code == 0 || !strings.Contains(r.stderr, "Read-only file system") {
			t.Errorf("%s: %v", script, r)
		}
	}
	if err := os.Remove(filepath.Join(all[0].dir, "t")); err != nil {
		t.Error(err)
	}
	same(t, "a.json", all, as(`{"n":1}`))
	if names := strings.TrimSpace(succeed(t, all[0].dir, bash("ls"))); names != "a.json" {
		t.Errorf("there are %q", names)
	}
	members.Run(0)
	wrote := eventually(20*time.Second, func() bool { return run(t, all[1].dir, bash(`echo '{"n":2}' >a.json`)).code == 0 })
	if !wrote {
		t.Fatal("with a majority again nothing can be written")
	}
	same(t, "a.json", all, as("{\"n\":2}\n"))
}

// A directory joins: its files become the cluster's, changes made meanwhile are merged, and
// files that have nothing to do with each other take a choice.
func TestADirectoryJoins(t *testing.T) {
	members, all := hosts(t, 2)
	write(t, all[0].dir, "a.json", `{"of":"cluster"}`)
	write(t, all[0].dir, "m.json", `{"items":[{"id":"1"}]}`)
	same(t, "m.json", all, as(`{"items":[{"id":"1"}]}`))
	all[1].unmount()
	write(t, all[1].dir, "m.json", `{"items":[{"id":"1"},{"id":"b"}]}`)
	write(t, all[0].dir, "m.json", `{"items":[{"id":"a"},{"id":"1"}]}`)
	all[1].start(hostFlags(members, 1)...)
	same(t, "m.json", all, func(text string) bool { return strings.Contains(text, `"a"`) && strings.Contains(text, `"b"`) })

	dir := newDir(t)
	write(t, dir, "a.json", `{"of":"elsewhere"}`)
	write(t, dir, "own.json", `{"own":true}`)
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, "/", append([]string{clawfs, "mount", "--log-file", filepath.Join(filepath.Dir(dir), "log")}, append(hostFlags(members, 2), dir)...))
	if r.code != 1 || !strings.Contains(r.stderr, "a.json") || !strings.Contains(r.stderr, "choose with --join") {
		t.Errorf("%v", r)
	}
	third := mountOn(t, dir, append(hostFlags(members, 2), "--join=take")...)
	same(t, "a.json", append(all, third), as(`{"of":"cluster"}`))
	same(t, "own.json", append(all, third), as(`{"own":true}`))
}

// A watcher of a file on one host is told of a commit on another one.
func TestWatchersOnAnotherHost(t *testing.T) {
	need(t, "inotifywait")
	_, all := hosts(t, 2)
	write(t, all[0].dir, "a.json", `{"n":1}`)
	same(t, "a.json", all, as(`{"n":1}`))
	for _, what := range []string{"a.json", "."} {
		said := filepath.Join(t.TempDir(), "said")
		watch := start(t, all[1].dir, bash(fmt.Sprintf("exec inotifywait -t 20 -e modify %s 2>%s", what, said)))
		ready := eventually(10*time.Second, func() bool {
			text, _ := os.ReadFile(said)
			return strings.Contains(string(text), "Watches established")
		})
		if !ready {
			t.Fatal("inotifywait does not begin to watch")
		}
		write(t, all[0].dir, "a.json", fmt.Sprintf(`{"watched":%q}`, what))
		if r := watch.wait(); r.code != 0 {
			t.Errorf("%s: %v", what, r)
		}
	}
}

// With --reads=latest a program on one host reads at once what another host was told is saved: new content, new
// names, and that a name is gone. Without the cluster it is told that nobody knows.
func TestReadsOfTheNewestVersion(t *testing.T) {
	if os.Getenv(takeoverVariable) != "" {
		t.Skip("a daemon of a cluster is not taken over")
	}
	members := etcdtest.Start(t, 1)
	var all []*mount
	for i := range 2 {
		all = append(all, newMount(t, append(hostFlags(members, i), "--reads=latest")...))
	}
	a, b := all[0].dir, all[1].dir
	for n := range 20 {
		name := fmt.Sprintf("%d.json", n/4)
		write(t, a, name, fmt.Sprintf(`{"n":%d}`, n))
		if text, err := os.ReadFile(filepath.Join(b, name)); err != nil || string(text) != fmt.Sprintf(`{"n":%d}`, n) {
			t.Errorf("after write %d: %s, %v", n, text, err)
		}
	}
	succeed(t, a, bash("rm 4.json"))
	if _, err := os.ReadFile(filepath.Join(b, "4.json")); !os.IsNotExist(err) {
		t.Errorf("after the removal: %v", err)
	}
	members.Kill(0)
	for script, want := range map[string]string{
		`cat 0.json`: "Input/output error", `cat none.json`: "Input/output error", `echo '{}' >>0.json`: "Input/output error",
		`echo '{}' >0.json`: "Read-only file system",
	} {
		if !eventually(20*time.Second, func() bool { return strings.Contains(run(t, b, bash(script)).stderr, want) }) {
			t.Errorf("%s: %v, want %s", script, run(t, b, bash(script)), want)
		}
	}
	if text := succeed(t, b, bash("stat -c %s 0.json")); text != "7\n" {
		t.Errorf("stat says %q", text)
	}
	members.Run(0)
	if !eventually(20*time.Second, func() bool { return run(t, b, bash("cat 0.json")).stdout == `{"n":3}` }) {
		t.Errorf("with the cluster again: %v", run(t, b, bash("cat 0.json")))
	}
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, "/", append([]string{clawfs, "mount", "--reads=latest", "--offline=accept"}, append(hostFlags(members, 2), newDir(t))...))
	if r.code != 2 || !strings.Contains(r.stderr, "do not go together") {
		t.Errorf("%v", r)
	}
}
