package mounttest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"clawfs/backing/cluster/etcd/etcdtest"
)

// Hosts that may go on without the cluster do so while its only member is gone: ordinary programs
// write on all of them, one host is unmounted and mounted again, and the daemon of another one is killed. Once the
// member is back everything is there on all hosts.
func TestHostsGoOnAlone(t *testing.T) {
	need(t, "node", "python3", "jq")
	if os.Getenv(takeoverVariable) != "" {
		t.Skip("a daemon of a cluster is not taken over")
	}
	members := etcdtest.Start(t, 1)
	flags := func(i int) []string { return append(hostFlags(members, i), "--offline", "accept") }
	var all []*mount
	for i := range 3 {
		all = append(all, newMount(t, flags(i)...))
	}
	write(t, all[0].dir, "models.json", `{"models":[{"id":"first"},{"id":"second"}]}`)
	write(t, all[0].dir, "gone.json", `{"n":1}`)
	write(t, all[0].dir, "kept.json", `{"n":1}`)
	for _, name := range []string{"models.json", "gone.json", "kept.json"} {
		same(t, name, all, func(text string) bool { return text != "" })
	}
	members.Kill(0)
	for _, m := range all {
		if !eventually(20*time.Second, func() bool { return strings.Contains(m.command("status", m.dir).stdout, "changes stay on this host") }) {
			t.Fatal("the daemon does not notice")
		}
	}
	wanted := map[string]bool{"second": true}
	for h, m := range all {
		for _, writer := range [][]string{{"node", "add.mjs"}, {"python3", "add.py"}, {"sh", "add.sh"}} {
			id := fmt.Sprintf("%d-%s", h, writer[0])
			script, err := filepath.Abs(filepath.Join(top, "scripts/writers", writer[1]))
			if err != nil {
				t.Fatal(err)
			}
			succeed(t, "/", []string{writer[0], script, filepath.Join(m.dir, "models.json"), "models", fmt.Sprintf(`{"id":%q}`, id)})
			wanted[id] = true
		}
		succeed(t, m.dir, bash(fmt.Sprintf(`set -C; echo '{"made":{"by%d":1}}' >new.json`, h)))
		if r := run(t, m.dir, bash(`set -C; echo '{}' >new.json`)); r.code == 0 {
			t.Errorf("new.json was created twice on host %d", h)
		}
	}
	succeed(t, all[1].dir, bash(`rm gone.json kept.json`))
	succeed(t, all[2].dir, bash(`echo '{"n":2}' >kept.json`))
	succeed(t, all[0].dir, bash(`jq 'del(.models[] | select(.id == "first"))' models.json >t; mv t models.json`))
	if out := all[0].command("cluster", "status", all[0].dir).stdout; !strings.Contains(out, "changed on this host alone, to be merged: 2 registries") {
		t.Errorf("status says %q", out)
	}
	all[1].unmount()
	all[2].kill()
	detach(all[2].dir)
	if text, err := os.ReadFile(filepath.Join(all[1].dir, "models.json")); err != nil || !strings.Contains(string(text), "1-node") {
		t.Errorf("the file of an unmounted host: %s, %v", text, err)
	}
	all[1].start(flags(1)...) // without the cluster
	succeed(t, all[1].dir, bash(`jq '.models += [{"id":"begun-alone"}]' models.json >t; mv t models.json; ! ls gone.json 2>/dev/null`))
	wanted["begun-alone"] = true
	members.Run(0)
	all[2].start(flags(2)...)
	same(t, "models.json", all, func(text string) bool { return slices.Equal(idsOf(text), slices.Sorted(maps.Keys(wanted))) })
	same(t, "new.json", all, func(text string) bool {
		return strings.Contains(text, "by0") && strings.Contains(text, "by1") && strings.Contains(text, "by2")
	})
	same(t, "gone.json", all, as(""))
	same(t, "kept.json", all, as("{\"n\":2}\n"))
	for _, m := range all {
		if !eventually(20*time.Second, func() bool { return !strings.Contains(m.command("cluster", "status", m.dir).stdout, "alone") }) {
			t.Errorf("%s", m.command("cluster", "status", m.dir).stdout)
		}
	}
	for _, phrase := range []string{"Registry cluster unreachable", "changed on this host alone until the cluster answers", "Registry cluster reachable again", "on this host alone are merged: 2"} {
		if !strings.Contains(all[0].logText(), phrase) {
			t.Errorf("the log does not say %q", phrase)
		}
	}
}

// A member that hangs for a moment costs nothing: the write goes on alone, and is there once.
func TestAHostGoesOnAloneWhileTheMemberHangs(t *testing.T) {
	if os.Getenv(takeoverVariable) != "" {
		t.Skip("a daemon of a cluster is not taken over")
	}
	members := etcdtest.Start(t, 1)
	var all []*mount
	for i := range 2 {
		all = append(all, newMount(t, append(hostFlags(members, i), "--offline=accept")...))
	}
	write(t, all[0].dir, "log.json", `{"events":["a"],"version":1}`)
	same(t, "log.json", all, func(text string) bool { return text != "" })
	members.Signal(0, syscall.SIGSTOP)
	write(t, all[0].dir, "log.json", `{"events":["a","b"],"version":2}`)
	write(t, all[0].dir, "log.json", `{"events":["a","b","c"],"version":3}`)
	members.Signal(0, syscall.SIGCONT)
	same(t, "log.json", all, as(`{"events":["a","b","c"],"version":3}`))
}
