package mounttest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// polled runs a program while another one reads a file over and over, and returns the
// contents that the reader found; "" stands for an empty file, "-" for none.
func polled(t *testing.T, dir, name string, line []string) []string {
	t.Helper()
	var out *bufio.Reader
	var in io.WriteCloser
	p := start(t, dir, program(t, "programs/polls.py", name), func(cmd *exec.Cmd) {
		cmd.Stdout = nil
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			in, err = cmd.StdinPipe()
		}
		if err != nil {
			t.Fatal(err)
		}
		out = bufio.NewReader(pipe)
	})
	if said, err := out.ReadString('\n'); said != "polling\n" {
		t.Fatalf("%q, %v\n%v", said, err, p.wait())
	}
	succeed(t, dir, line)
	_ = in.Close()
	text, err := out.ReadBytes('\n')
	if r := p.wait(); err != nil || r.code != 0 {
		t.Fatalf("%v\n%v", err, r)
	}
	var found []*string
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range found {
		if f == nil {
			all = append(all, "-")
		} else {
			all = append(all, *f)
		}
	}
	return all
}

// P2 (§3): a reader of a file that programs create, or move here from another file system,
// finds none, or a whole one; never an empty one, or a part.
func TestReadersBesideCreators(t *testing.T) {
	t.Parallel()
	const rounds = 30
	for name, script := range map[string]string{
		"shell": `for i in $(seq %d); do echo '["new"]' > f.json; rm f.json; done; echo '["new"]' > f.json`,
		"mv":    `f=$(mktemp "${ELSEWHERE:?}/XXXXXX"); for i in $(seq %d); do echo '["new"]' > "$f"; mv "$f" f.json; done`,
		"cp":    `for i in $(seq %d); do echo '["new"]' > t; cp t f.json; rm f.json; done; cp t f.json`,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMount(t)
			found := polled(t, m.dir, "f.json", bash(fmt.Sprintf(script, rounds)))
			for _, f := range found {
				if f != "-" && f != "[\"new\"]\n" {
					t.Errorf("P2: a reader found %s", short(f))
				}
			}
			if !slices.Contains(found, "[\"new\"]\n") {
				t.Errorf("the reader found %q: this test shows nothing", found)
			}
		})
	}
}

// P6: a file that a killed program had created stays, empty, as others were told that it is
// there; in a bare directory it stays with the bytes that were written. It can be filled.
func TestKilledCreator(t *testing.T) {
	t.Parallel()
	for _, signal := range []unix.Signal{unix.SIGKILL, unix.SIGTERM} {
		t.Run(unix.SignalName(signal), func(t *testing.T) {
			bare, m := newDir(t), newMount(t)
			for _, dir := range []string{bare, m.dir} {
				killed(t, dir, program(t, "programs/dies.py", "in-place", filepath.Join(dir, "models.json")), signal)
				if r := run(t, dir, bash(`set -C; echo '{}' > models.json`)); r.code == 0 {
					t.Error("a file that a killed program has created was created once more")
				}
			}
			if got := read(t, m.dir, "models.json"); got != "" {
				t.Errorf("P6: the head is %s", short(got))
			}
			m.wantQuarantined(partOfADocument)
			m.unmount()
			m.start()
			if got := read(t, m.dir, "models.json"); got != "" {
				t.Errorf("after a restart the head is %s", short(got))
			}
			write(t, m.dir, "models.json", headBefore)
			if got := read(t, m.dir, "models.json"); got != headBefore {
				t.Errorf("the head is %s", short(got))
			}
		})
	}
}

// P10: a program that found no registry and has saved one, by any file that took the name,
// means each byte of its next save: an entry that it leaves out is gone.
func TestSavedAnewAfterNothing(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"bare": newDir(t), "mount": newMount(t, "--durability", "interval").dir} {
		t.Run(name, func(t *testing.T) {
			if out := succeed(t, dir, program(t, "programs/anew.py")); out != "" {
				t.Errorf("P10: not what was saved last:\n%s", out)
			}
		})
	}
}

// §4: a program that found no file, and takes longer than the read window before it looks
// at the one that another has made meanwhile, as a check, goes on from nothing.
func TestThinksLongAfterNothing(t *testing.T) {
	t.Parallel()
	need(t, "node")
	left := func(dir string) []string {
		file := filepath.Join(dir, "models.json")
		slow, quick := startActor(t, dir, "py", file, "rename"), startActor(t, dir, "mjs", file, "rename")
		for _, step := range []struct {
			by       *actor
			commands []string
		}{
			{slow, []string{"read", "new", "add slow"}},
			{quick, []string{"read", "new", "add quick", "save"}},
			{slow, []string{"wait", "wait", "wait", "look", "save"}},
		} {
			for _, command := range step.commands {
				step.by.do(t, command)
			}
		}
		got, err := models(file)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := left(newDir(t)); len(got) != 1 {
		t.Fatalf("the control loses nothing: %q", got)
	}
	m := newMount(t, "--read-window", "100ms")
	for _, problem := range missing([]string{"slow", "quick"}, left(m.dir)) {
		t.Error(problem)
	}
}
