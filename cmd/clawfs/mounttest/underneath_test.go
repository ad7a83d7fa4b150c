package mounttest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// P8: unmounted, the directory is an ordinary one with the newest versions, and
// nothing but .clawfs is added.
func TestUnmountedDirectoryIsPlain(t *testing.T) {
	t.Parallel()
	need(t, "jq")
	m := newMount(t)
	succeed(t, m.dir, bash(`mkdir -p a/b; echo '[1]' > a/b/one.json; echo '[2]' > two.json; echo text > plain; echo '[3]' > two.json
		jq '. + [4]' two.json > t && mv t two.json; echo '{' > two.json; echo '[5]' > gone.json; rm gone.json`))
	mounted := tree(t, m.dir)
	m.unmount()
	unmounted := tree(t, m.dir)
	var without []string
	for line := range strings.Lines(unmounted) {
		if !strings.HasPrefix(line, `".clawfs`) {
			without = append(without, line)
		}
	}
	if got := strings.Join(without, ""); got != mounted {
		t.Errorf("P8: mounted:\n%s\nunmounted:\n%s", mounted, got)
	}
	if got := read(t, m.dir, "two.json"); !strings.Contains(got, "4") {
		t.Errorf("P8: two.json is %s", short(got))
	}
	if info, err := os.Stat(filepath.Join(m.dir, ".clawfs")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("P8: .clawfs: %v %v", info, err)
	}
}

// P5, P8: a daemon that is killed while ten programs write loses nothing that it
// has acknowledged; the next mount replaces the dead one.
func TestKilledDaemonLosesNothing(t *testing.T) {
	t.Parallel()
	need(t, "node", "jq")
	m := newMount(t)
	m.leavesEmpty = true // temporary files
	write(t, m.dir, "models.json", tenModels)
	total := 0
	for round := range setting(t, "CLAWFS_ROUNDS", 3) {
		var started []*process
		for i := range 10 {
			started = append(started, start(t, m.dir, program(t, "programs/until-dead.py", fmt.Sprintf("round-%d-writer-%d", round, i), filepath.Join(m.dir, "models.json"))))
		}
		time.Sleep(1500 * time.Millisecond)
		m.kill()
		var acknowledged []string
		for _, p := range started {
			r := p.wait()
			if r.code != 0 {
				t.Errorf("%v", r)
			}
			acknowledged = append(acknowledged, strings.Fields(r.stdout)...)
		}
		total += len(acknowledged)
		if _, err := os.ReadFile(filepath.Join(m.dir, "models.json")); err == nil {
			t.Error("the mount of a killed daemon is not dead")
		}
		m.start()
		got, err := models(filepath.Join(m.dir, "models.json"))
		if err != nil {
			t.Fatal(err)
		}
		there := make(map[string]int)
		for _, id := range got {
			there[id]++
		}
		for _, id := range acknowledged {
			if there[id] != 1 {
				t.Errorf("P5: %s is there %d times", id, there[id])
			}
		}
		if n := len(mountsBelow(m.dir)); n != 1 {
			t.Errorf("%d mounts on top of each other", n)
		}
	}
	if total == 0 {
		t.Error("nothing was acknowledged: this test shows nothing")
	}
}

// A dead mount is taken away by unmount, too; then the directory is plain.
func TestUnmountOfADeadMount(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	m.kill()
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	succeed(t, "/", []string{clawfs, "unmount", m.dir})
	if got := read(t, m.dir, "models.json"); got != headBefore {
		t.Errorf("P5: %s", short(got))
	}
}

// A directory has one daemon.
func TestSecondDaemonIsRefused(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "log")
	for _, dir := range []string{m.dir, m.dir + "/", m.dir + "/../" + filepath.Base(m.dir)} {
		r := run(t, "/", []string{clawfs, "mount", "--log-file", other, dir})
		if r.code != 5 || !strings.Contains(r.stderr, "is mounted already") {
			t.Errorf("%v", r)
		}
	}
	write(t, m.dir, "models.json", headBefore)
	if got := read(t, m.dir, "models.json"); got != headBefore {
		t.Error("the mount does not work any more")
	}
}

// A file that is invalid already at mount stays readable, is reported, and takes
// any write until the first valid one.
func TestInvalidFileAtMount(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, dir, "broken.json", `{"models": [`)
	write(t, dir, "empty.json", "")
	m := mountOn(t, dir)
	if got := read(t, dir, "broken.json"); got != `{"models": [` {
		t.Errorf("it reads %s", short(got))
	}
	if got := read(t, dir, "empty.json"); got != "" {
		t.Errorf("it reads %s", short(got))
	}
	if !eventually(time.Second, func() bool { return strings.Contains(m.logText(), "broken.json") }) {
		t.Error("P9: it is not reported")
	}
	for _, content := range []string{"", "ciphertext\x00\xff", `{"models": [`, ""} {
		write(t, dir, "broken.json", content)
		if got := read(t, dir, "broken.json"); got != content {
			t.Errorf("after %s it reads %s", short(content), short(got))
		}
	}
	for _, name := range []string{"broken.json", "empty.json"} {
		succeed(t, dir, bash("echo '[1]' > "+name))
		if got := read(t, dir, name); got != "[1]\n" {
			t.Errorf("after a valid write %s reads %s", name, short(got))
		}
		if r := run(t, dir, []string{"cp", "/dev/null", name}); r.code == 0 {
			t.Errorf("P1: an invalid write is taken: %v", r)
		}
	}
	m.wantQuarantined(`{"models": [`)
}

// A change while nothing was mounted is adopted if it is valid; else the newest valid version
// is put back, and the other content is kept.
func TestChangedWhileUnmounted(t *testing.T) {
	t.Parallel()
	need(t, "jq")
	m := newMount(t)
	for _, name := range []string{"changed", "broken", "removed", "replaced", "untouched"} {
		write(t, m.dir, name+".json", tenModels)
		succeed(t, m.dir, program(t, shell, "jq-mv", filepath.Join(m.dir, name+".json"), "mounted"))
	}
	newest := read(t, m.dir, "broken.json")
	m.unmount()
	write(t, m.dir, "changed.json", `{"models":[{"id":"unmounted"}]}`)
	write(t, m.dir, "broken.json", `{"models":[`)
	succeed(t, m.dir, bash(`rm removed.json; cp changed.json t; mv t replaced.json; echo '[1]' > new.json`))
	m.start()
	for name, want := range map[string]string{
		"changed.json":   `{"models":[{"id":"unmounted"}]}`,
		"replaced.json":  `{"models":[{"id":"unmounted"}]}`,
		"untouched.json": newest,
		"broken.json":    newest,
		"new.json":       "[1]\n",
	} {
		if got := read(t, m.dir, name); got != want {
			t.Errorf("%s is %s, want %s", name, short(got), short(want))
		}
	}
	if _, err := os.Stat(filepath.Join(m.dir, "removed.json")); err == nil {
		t.Error("a file that was removed is back")
	}
	m.wantQuarantined(`{"models":[`)
	if !strings.Contains(m.logText(), "Registry recovered") {
		t.Error("P9: the recovery is not in the log")
	}
	for _, name := range []string{"changed.json", "broken.json"} {
		file := filepath.Join(m.dir, name)
		before, err := models(file)
		if err != nil {
			t.Fatal(err)
		}
		succeed(t, m.dir, program(t, shell, "jq-mv", file, "again"))
		after, err := models(file)
		if err != nil || len(after) != len(before)+1 {
			t.Errorf("%s had %v, then %v, %v", name, before, after, err)
		}
	}
}

// A mount that is in use is not unmounted under a program: unmount waits for it, and its writes
// meanwhile count.
func TestUnmountWaitsForOpenTransactions(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	writer := start(t, "/", bash(fmt.Sprintf("exec 3> %s/models.json; echo '[1]' >&3; sleep 0.7; exec 3>&-", m.dir)))
	time.Sleep(200 * time.Millisecond)
	m.unmount()
	if r := writer.wait(); r.code != 0 {
		t.Errorf("%v", r)
	}
	if got := read(t, m.dir, "models.json"); got != "[1]\n" {
		t.Errorf("the file is %s", short(got))
	}
}

// unmount --force asks a daemon that is stopped nothing: a process that waits for its answer
// can't be ended. It has the daemon go on and end.
func TestForcedUnmountOfAStoppedDaemon(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(m.pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(clawfs, "unmount", "--force", m.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for running, told := true, false; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			running = false
		case <-time.After(time.Millisecond):
			if asks(cmd.Process.Pid) && !told {
				t.Error("it asks the daemon")
				told = true
			}
		}
	}
	if !ended(m.pid) {
		t.Error("the daemon lives")
	}
	if got := read(t, m.dir, "models.json"); got != headBefore {
		t.Errorf("the file is %s", short(got))
	}
}

// asks reports whether a process is just asking a file system for its state.
func asks(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	for _, thread := range threads {
		text, _ := os.ReadFile(thread)
		if bytes.HasPrefix(text, fmt.Appendf(nil, "%d ", unix.SYS_STATFS)) {
			return true
		}
	}
	return false
}

// P9: unmount --force does not wait; content that was written but not closed is kept.
func TestForcedUnmountKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	writer := start(t, "/", bash(fmt.Sprintf("exec 3> %s/models.json; echo '{\"half\":' >&3; sleep 30", m.dir)))
	time.Sleep(200 * time.Millisecond)
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(clawfs, "unmount", "--force", m.dir).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if err := writer.cmd.Cancel(); err != nil {
		t.Error(err)
	}
	writer.wait()
	if got := read(t, m.dir, "models.json"); got != headBefore {
		t.Errorf("the file is %s", short(got))
	}
	m.wantQuarantined("{\"half\":\n")
}
