package backing

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// killEnv tells a child of a test its task: "CHANGE\nSTEP\nDIRECTORY".
const killEnv = "CLAWFS_TEST_KILL"

// killable are the changes that a test kills a process in.
func killable() []change {
	return append(changes(), change{
		name: "rename", before: []string{"v2", "1:v1"}, after: []string{"(none)"},
		call: func(b *bench, _ string) (bool, error) { return true, b.d.Rename("d/a", "d/b", false) },
	}, change{
		name: "rename over", before: []string{"v2", "1:v1"}, after: []string{"(none)", "1:w1", "2:w2"},
		prep: func(b *bench) {
			stamp := b.commit("d/b", "", 1, 0, "w1")
			stamp = b.commit("d/b", stamp, 2, 1, "w2")
			b.commit("d/b", stamp, 3, 2, "w3")
		},
		call: func(b *bench, _ string) (bool, error) { return true, b.d.Rename("d/a", "d/b", false) },
	}, change{
		name: "exchange", before: []string{"v2", "1:v1"}, after: []string{"w3", "1:w1", "2:w2"},
		prep: func(b *bench) {
			b.must(os.Mkdir(filepath.Join(b.path, "e"), 0o700))
			stamp := b.commit("e/a", "", 1, 0, "w1")
			stamp = b.commit("e/a", stamp, 2, 1, "w2")
			b.commit("e/a", stamp, 3, 2, "w3")
		},
		call: func(b *bench, _ string) (bool, error) { return true, b.d.Exchange("d", "e") },
	}, change{
		name: "exchange with an empty one", before: []string{"v2", "1:v1"}, after: []string{"(none)"},
		prep: func(b *bench) { b.must(os.Mkdir(filepath.Join(b.path, "e"), 0o700)) },
		call: func(b *bench, _ string) (bool, error) { return true, b.d.Exchange("e", "d") },
	}, change{
		name: "quarantine", before: []string{"v2", "1:v1"}, after: []string{"v2", "1:v1"},
		call: func(b *bench, _ string) (bool, error) {
			_, err := b.d.Quarantine("d/a", []byte("{bad"), []byte(`{"why":"bad"}`))
			return true, err
		},
	})
}

// A process is killed at each step of each change. The next Open finds the registry as it was
// before or as it was to be, with the history that belongs to it; content on its way in is in
// quarantine then; nothing else is left.
func TestKilledAtEachStep(t *testing.T) {
	tried := 0
	for _, c := range killable() {
		t.Run(c.name, func(t *testing.T) {
			h := &hook{}
			b, stamp := newChange(t, c, h)
			if ok, err := c.call(b, stamp); !ok || err != nil {
				t.Fatal(ok, err)
			}
			for _, step := range slices.Compact(slices.Clone(h.seen)) {
				t.Run(step, func(t *testing.T) { killAt(t, c, step) })
				tried++
			}
		})
	}
	t.Logf("FAULT|SIGKILL at each named step of each change (ext4)|%d|%d|0|0|0", tried, tried)
	if tried < 30 {
		t.Errorf("only %d steps", tried)
	}
}

func killAt(t *testing.T, c change, step string) {
	b, _ := newChange(t, c, &hook{})
	b.close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), killEnv+"="+c.name+"\n"+step+"\n"+b.path)
	out, _ := cmd.CombinedOutput()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v\n%s", cmd.ProcessState, out)
	}
	b.open()
	got := b.state()
	switch {
	case strings.HasPrefix(c.name, "rename"):
		b.checkMoved(c, got, "d/b")
	case strings.HasPrefix(c.name, "exchange"):
		b.checkMoved(c, got, "e/a")
	default:
		b.checkChanged(c, step, got)
	}
	b.wantTidy()
	b.commit("d/a", b.stamp("d/a"), 20, 0, "v20")
	b.wantLive("d/a", "v20")
}

func (b *bench) checkChanged(c change, step string, got []string) {
	b.Helper()
	after := got[0] == c.after[0] && len(got) >= len(c.after)
	switch {
	case after && c.prunes:
		if !slices.Contains(got, "2:v2") {
			b.Errorf("after %q: the version that was replaced is gone: %q", step, got)
		}
	case !slices.Equal(got, c.before) && !slices.Equal(got, c.after) && !(copiesFirst(c) && got[0] == "v2"):
		b.Errorf("%q, want %q or %q", got, c.before, c.after)
	}
	if c.staged == "" || after || slices.Contains([]string{"make history", "create", "write", "write copy"}, step) {
		return
	}
	b.wantQuarantined(c.staged)
}

// copiesFirst reports whether a change makes the version before it replaces the live file.
func copiesFirst(c change) bool {
	return c.name == "replace without exchange" || strings.HasPrefix(c.name, "overwrite")
}

// checkMoved wants d/a and the file that is to have its name to be both as before, or both
// moved.
func (b *bench) checkMoved(c change, got []string, to string) {
	b.Helper()
	other := append([]string{b.live(to)}, b.kept(to)...)
	switch {
	case slices.Equal(got, c.before): // not begun: the file that it was to replace is there
		if want := "w3"; (c.name == "rename over" || c.name == "exchange") && other[0] != want {
			b.Errorf("%s: %q, want %q", to, other, want)
		}
	case slices.Equal(got, c.after) && slices.Equal(other, c.before):
	default:
		b.Errorf("d/a: %q, %s: %q", got, to, other)
	}
}

// TestKilledChild is the process that dies.
func TestKilledChild(t *testing.T) {
	todo := strings.Split(os.Getenv(killEnv), "\n")
	if len(todo) != 3 {
		t.Skip("for a child of another test")
	}
	i := slices.IndexFunc(killable(), func(c change) bool { return c.name == todo[0] })
	c := killable()[i]
	h := &hook{at: todo[1], do: func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) }}
	b := &bench{T: t, path: todo[2], o: Options{reach: h.reach}}
	b.open()
	if c.tune != nil {
		c.tune(b.d)
	}
	if _, err := os.Stat(filepath.Join(b.path, "d")); err != nil {
		t.Fatal(err)
	}
	c.call(b, b.stamp("d/a"))
	t.Fatal("still alive")
}
