package mounttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// otherBuild returns a program that is another file than the one under test, and not another version.
func otherBuild(t *testing.T) string {
	t.Helper()
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(clawfs)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "clawfs")
	if err := os.WriteFile(other, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return other
}

// otherFormat builds a version that has another format for what a daemon leaves.
func otherFormat(t *testing.T) string {
	t.Helper()
	other := filepath.Join(t.TempDir(), "clawfs")
	cmd := exec.Command("go", "build", "-ldflags", "-X clawfs/fs/ledger.format=99", "-o", other, "clawfs/cmd/clawfs")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return other
}

// upgrades runs `clawfs upgrade` of a build.
func (m *mount) upgrades(clawfs string, flags ...string) (string, error) {
	m.t.Helper()
	out, err := exec.Command(clawfs, append(append([]string{"upgrade"}, flags...), m.dir)...).CombinedOutput()
	if pids := m.daemons(); len(pids) > 0 {
		m.pid = pids[len(pids)-1]
	}
	return string(out), err
}

// No program meets an error, and nothing is lost, while one version hands the mount over to another one. A
// daemon that dies is replaced by its own version, whatever was installed.
func TestWritersOutliveUpgrades(t *testing.T) {
	t.Parallel()
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	other := otherBuild(t)
	m := newMount(t, "--takeover")
	s := newSurvivors(m, 2*time.Minute)
	for _, how := range []string{"in-place", "rename"} {
		s.begin("adds.py", how, "both.json")
	}
	s.beginWorks("patch patch.json", "kept patch.json", "lines lines.json", "appends plain.txt", "reads both.json", "holds both.json",
		"flock flock.json", "mkdir mkdir.json", "excl excl.json", "cuts cuts.txt")
	for i := range 4 {
		if !s.awaitCommits(5) {
			break
		}
		if out, err := m.upgrades([]string{other, clawfs}[i%2], "--no-restart"); err != nil || !strings.Contains(out, "requests waited for ") {
			t.Errorf("%v: %s", err, out)
		}
	}
	s.end()
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	m.takenOver()
	if out, err := m.upgrades(clawfs); err != nil || !strings.Contains(out, "is served by this program already") {
		t.Errorf("%v: %s", err, out)
	}
	if strings.Contains(m.logText(), "still busy") {
		t.Error("a daemon was killed before it had done its requests")
	}
}

// A version that does not understand what the other one leaves refuses to take over, and mounts anew unless it must
// not. The other way round, too.
func TestUpgradeBetweenFormats(t *testing.T) {
	t.Parallel()
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	other := otherFormat(t)
	m := newMount(t, "--takeover")
	write(t, m.dir, "a.json", `{"n":0}`)
	for i, next := range []string{other, clawfs} {
		before := m.pid
		out, err := m.upgrades(next, "--no-restart")
		if err == nil || !strings.Contains(out, "the former version goes on to serve ") || !strings.Contains(out, "has format ") || m.pid != before {
			t.Errorf("%v: %s", err, out)
		}
		out, err = m.upgrades(next)
		if err != nil || !strings.Contains(out, "this version could not take over: ") || !strings.Contains(out, "the mount was made anew") || m.pid == before {
			t.Errorf("%v: %s", err, out)
		}
		if out := succeed(t, m.dir, []string{"cat", "a.json"}); out != fmt.Sprintf(`{"n":%d}`, i) {
			t.Error(out)
		}
		write(t, m.dir, "a.json", fmt.Sprintf(`{"n":%d}`, i+1))
		m.takenOver()
	}
}

// A program that can't serve changes nothing: here the one that asks, which is no clawfs.
func TestUpgradeToAnotherProgram(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	m := newMount(t, "--takeover")
	write(t, m.dir, "a.json", `{}`)
	before := m.pid
	said := succeed(t, "/", program(t, "programs/asks.py", strconv.Itoa(m.pid), `upgrade {"restart":true}`))
	if !strings.Contains(said, `"refused"`) || !strings.Contains(said, "the other program ended before it took over: exit status ") {
		t.Error(said)
	}
	if got := read(t, m.dir, "a.json"); got != `{}` || len(m.daemons()) != 1 || m.pid != before {
		t.Errorf("%s is served by %v", got, m.daemons())
	}
	m.takenOver()
}
