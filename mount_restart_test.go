package clawfs_test

import (
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
