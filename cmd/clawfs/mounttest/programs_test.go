package mounttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// programLimit is how long one program may take.
const programLimit = 60 * time.Second

// interpreters are found once; python3 may be a wrapper that takes longer to
// start than python itself.
var interpreters = sync.OnceValue(func() map[string]string {
	python := "python3"
	if out, err := exec.Command(python, "-c", "import sys; print(sys.executable)").Output(); err == nil {
		python = strings.TrimSpace(string(out))
	}
	return map[string]string{".mjs": "node", ".py": python, ".sh": "bash"}
})

// program returns the command line of a program of testdata.
func program(t *testing.T, name string, args ...string) []string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	interpreter := interpreters()[filepath.Ext(name)]
	if interpreter == "" {
		t.Fatalf("nothing runs %s", name)
	}
	return append([]string{interpreter, path}, args...)
}

// need skips a test if this machine does not have its program.
func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s here", name)
		}
	}
}

// result is how a program ended.
type result struct {
	line           []string
	code           int // -1: by a signal
	stdout, stderr string
}

func (r result) String() string {
	words := append([]string{filepath.Base(r.line[0])}, r.line[1:]...)
	return fmt.Sprintf("%s: exit %d\n%s%s", strings.Join(words, " "), r.code, r.stdout, r.stderr)
}

// process is a running program.
type process struct {
	cmd            *exec.Cmd
	line           []string
	stdout, stderr bytes.Buffer
	cancel         context.CancelFunc
}

// start starts a program in a process group of its own. The group ends with it, or
// after programLimit.
func start(t *testing.T, dir string, line []string, configure ...func(*exec.Cmd)) *process {
	t.Helper()
	return startFor(t, programLimit, dir, line, configure...)
}

// startFor is start with another limit.
func startFor(t *testing.T, limit time.Duration, dir string, line []string, configure ...func(*exec.Cmd)) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	p := &process{line: line, cancel: cancel}
	p.cmd = exec.CommandContext(ctx, line[0], line[1:]...)
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	p.cmd.Cancel = func() error { return unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL) }
	p.cmd.WaitDelay = 5 * time.Second
	p.cmd.Env = append(os.Environ(), "LC_ALL=C", "PYTHON="+interpreters()[".py"],
		"PYTHONDONTWRITEBYTECODE=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	for _, f := range configure {
		f(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	return p
}

// wait returns when the program has ended.
func (p *process) wait() result {
	err := p.cmd.Wait()
	p.cancel()
	r := result{line: p.line, code: p.cmd.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.code, r.stderr = -1, r.stderr+err.Error()
	}
	return r
}

// run runs a program to its end, of any kind.
func run(t *testing.T, dir string, line []string, configure ...func(*exec.Cmd)) result {
	t.Helper()
	return start(t, dir, line, configure...).wait()
}

// succeed runs a program that must succeed and returns its standard output.
func succeed(t *testing.T, dir string, line []string, configure ...func(*exec.Cmd)) string {
	t.Helper()
	r := run(t, dir, line, configure...)
	if r.code != 0 {
		t.Fatalf("%v", r)
	}
	return r.stdout
}

// bash is the command line of a shell script.
func bash(script string) []string { return []string{"bash", "-c", script} }

// gate is the place at which programs wait for each other.
type gate string

const (
	atStart gate = "start" // before they read: the rest is a matter of chance
	atRead  gate = "read"  // when all have read, and none has written
)

// together starts programs, lets all of them come to a gate, opens it, and
// returns how they ended. The programs say on descriptor 3 that they are there
// and wait until a FIFO can be opened (testdata/programs/gate.*).
func together(t *testing.T, at gate, dir string, lines ...[]string) []result {
	t.Helper()
	fifo := filepath.Join(t.TempDir(), "gate")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	there, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	processes := make([]*process, len(lines))
	for i, line := range lines {
		processes[i] = start(t, dir, line, func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, "GATE="+fifo, "GATE_AT="+string(at))
			cmd.ExtraFiles = []*os.File{tell} // descriptor 3
		})
	}
	tell.Close()
	results := make([]result, len(lines))
	ended := make(chan int, len(lines))
	for i, p := range processes {
		go func() { results[i] = p.wait(); ended <- i }()
	}
	arrivals := make(chan struct{}, len(lines))
	go func() {
		one := make([]byte, 1)
		for {
			if _, err := io.ReadFull(there, one); err != nil {
				return
			}
			select {
			case arrivals <- struct{}{}:
			default: // more than one a program: of no use
			}
		}
	}()
	left := len(lines)
	for waiting := len(lines); waiting > 0; waiting-- {
		select {
		case <-arrivals:
		case <-ended: // without having come to the gate; its result tells why
			left--
		}
	}
	// Opened for both, it blocks nobody and lets everybody in.
	open, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for ; left > 0; left-- {
		<-ended
	}
	return results
}

// allSucceeded reports every program that failed.
func allSucceeded(t *testing.T, results []result) {
	t.Helper()
	for _, r := range results {
		if r.code != 0 {
			t.Errorf("%v", r)
		}
	}
}

// actor is a program that holds a registry in memory and does its orders,
// line by line: testdata/programs/actor.mjs or actor.py.
type actor struct {
	process *process
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startActor(t *testing.T, dir, language string, args ...string) *actor {
	t.Helper()
	a := &actor{}
	a.process = start(t, dir, program(t, "programs/actor."+language, args...), func(cmd *exec.Cmd) {
		cmd.Stdout = nil
		in, inErr := cmd.StdinPipe()
		out, outErr := cmd.StdoutPipe()
		if err := errors.Join(inErr, outErr); err != nil {
			t.Fatal(err)
		}
		a.in, a.out = in, bufio.NewScanner(out)
	})
	t.Cleanup(func() { a.quit(t) })
	return a
}

// do has the actor do something and returns its answer.
func (a *actor) do(t *testing.T, command string) string {
	t.Helper()
	if _, err := fmt.Fprintln(a.in, command); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	if !a.out.Scan() {
		t.Fatalf("%s: the program ended\n%s", command, a.process.stderr.String())
	}
	return a.out.Text()
}

// quit ends the actor in order.
func (a *actor) quit(t *testing.T) {
	if a.process == nil {
		return
	}
	a.in.Close()
	if r := a.process.wait(); r.code != 0 {
		t.Errorf("%v", r)
	}
	a.process = nil
}
