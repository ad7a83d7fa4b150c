package mounttest

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const partOfADocument = `{"models": []}`

// P6: a program that is killed before it closes a registry commits nothing, though its bytes
// happen to be valid, and these are kept.
func TestKilledWriterCommitsNothing(t *testing.T) {
	t.Parallel()
	need(t, "node")
	tests := []struct {
		program, how string
		signal       unix.Signal // 0: it dies by itself
		kept         string
	}{
		{"programs/dies.py", "in-place", unix.SIGKILL, partOfADocument},
		{"programs/dies.py", "in-place", unix.SIGTERM, partOfADocument},
		{"programs/dies.py", "in-place", unix.SIGHUP, partOfADocument},
		{"programs/dies.py", "in-place", unix.SIGSEGV, partOfADocument},
		{"programs/dies.py", "r+", unix.SIGKILL, partOfADocument},
		{"programs/dies.py", "append", unix.SIGKILL, headBefore + "\n"},
		{"programs/dies.py", "abort", 0, partOfADocument},
		{"programs/dies.mjs", "in-place", unix.SIGKILL, partOfADocument},
		{"programs/dies.mjs", "in-place", unix.SIGTERM, partOfADocument},
		{"programs/dies.mjs", "r+", unix.SIGKILL, partOfADocument},
		{"programs/dies.mjs", "stream", unix.SIGKILL, partOfADocument},
		{"programs/dies.mjs", "abort", 0, partOfADocument},
		{"programs/dies.sh", "in-place", unix.SIGKILL, partOfADocument},
		{"programs/dies.sh", "in-place", unix.SIGTERM, partOfADocument},
		{"programs/dies.sh", "itself", 0, partOfADocument},
	}
	m := newMount(t)
	for _, test := range tests {
		name := strings.Join([]string{filepath.Base(test.program), test.how, unix.SignalName(test.signal)}, " ")
		t.Run(name, func(t *testing.T) {
			m := &mount{t: t, dir: m.dir, log: m.log, pid: m.pid}
			before := len(m.quarantined())
			write(t, m.dir, "models.json", headBefore)
			killed(t, m.dir, program(t, test.program, test.how, filepath.Join(m.dir, "models.json")), test.signal)
			if got := read(t, m.dir, "models.json"); got != headBefore {
				t.Errorf("P6: the head is %s", short(got))
			}
			if !eventually(quarantineDelay, func() bool { return len(m.quarantined()) > before }) {
				t.Error("P9: nothing was put in quarantine")
			}
			m.wantQuarantined(test.kept)
		})
	}
	if !strings.Contains(m.logText(), "aborted") {
		t.Error("P9: no line in the log says that a write was aborted")
	}
}

// killed runs a program until it says that it has written, and ends it by a
// signal.
func killed(t *testing.T, dir string, line []string, signal unix.Signal) {
	t.Helper()
	var out *bufio.Reader
	p := start(t, dir, line, func(cmd *exec.Cmd) {
		cmd.Stdout = nil
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		out = bufio.NewReader(pipe)
	})
	if said, err := out.ReadString('\n'); said != "written\n" {
		t.Fatalf("%q, %v\n%v", said, err, p.wait())
	}
	if signal != 0 {
		if err := p.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	if r := p.wait(); r.code != -1 {
		t.Fatalf("did not die by a signal: %v", r)
	}
}

// P6, the other half: a program that is killed while it writes a temporary file,
// synced even, leaves that file and nothing else.
func TestKilledWriterOfATemporaryFile(t *testing.T) {
	t.Parallel()
	m := newMount(t)
	write(t, m.dir, "models.json", headBefore)
	killed(t, m.dir, program(t, "programs/dies.py", "synced", filepath.Join(m.dir, "models.json")), unix.SIGKILL)
	if got := read(t, m.dir, "models.json"); got != headBefore {
		t.Errorf("P6: the head is %s", short(got))
	}
	if got := read(t, m.dir, "models.json.tmp"); got != partOfADocument {
		t.Errorf("the temporary file holds %s", short(got))
	}
}

// P6: a killed program takes nothing of others with it.
func TestKilledWriterBesideOthers(t *testing.T) {
	t.Parallel()
	need(t, "jq")
	m := newMount(t)
	write(t, m.dir, "models.json", tenModels)
	file := filepath.Join(m.dir, "models.json")
	var want []string
	for i, id := range expected("added", 3) {
		want = append(want, id)
		if i > 0 {
			succeed(t, m.dir, program(t, shell, "jq-mv", file, id))
		}
		killed(t, m.dir, program(t, "programs/dies.py", "in-place", file), unix.SIGKILL)
	}
	got, err := models(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, lost := range missing(want, got) {
		t.Errorf("P6: %s", lost)
	}
}

// P6: ordinary exit without close commits, with any exit code, as soon as the program's parent
// knows of it.
func TestExitWithoutCloseCommits(t *testing.T) {
	t.Parallel()
	need(t, "node", "jq")
	m := newMount(t)
	tests := []struct{ program, how string }{
		{"programs/exits.py", "_exit"},
		{"programs/exits.py", "exit"},
		{"programs/exits.py", "exit 3"},
		{"programs/exits.py", "exception"},
		{"programs/exits.py", "exec"},
		{"programs/exits.py", "exec, inherited"},
		{"programs/exits.py", "thread"},
		{"programs/exits.mjs", "exit"},
		{"programs/exits.mjs", "exit 3"},
		{"programs/exits.mjs", "exception"},
	}
	for _, test := range tests {
		t.Run(filepath.Base(test.program)+" "+test.how, func(t *testing.T) {
			write(t, m.dir, "models.json", headBefore)
			if r := run(t, m.dir, program(t, test.program, test.how, "models.json")); r.code == -1 {
				t.Fatalf("%v", r)
			}
			if got, want := read(t, m.dir, "models.json"), `{"models": ["`+test.how+`"]}`; got != want {
				t.Errorf("P6: the head is %s", short(got))
			}
		})
	}
	t.Run("jq", func(t *testing.T) {
		write(t, m.dir, "models.json", headBefore)
		succeed(t, m.dir, bash(`jq -cn '{models: ["jq"]}' > models.json`))
		if got := read(t, m.dir, "models.json"); got != "{\"models\":[\"jq\"]}\n" {
			t.Errorf("P6: the head is %s", short(got))
		}
	})
}
