package commands

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long one step may take. A process that takes longer hangs.
const patience = 60 * time.Second

// process is one that lives for several steps: it is sent lines and answers each.
type process struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err *bufio.Reader
	pid      int // the one that is ended if it hangs: the process, or its group
}

// start begins a process with pipes. Where detached is set its parent ends at
// once, so that it is no relative of the tester's.
func start(dir string, env []string, detached bool, argv ...string) (*process, error) {
	if detached {
		argv = append([]string{"setsid", "-f", "/bin/sh", "-c", `read -r go; echo "$$"; exec "$@"`, "detached"}, argv...)
	}
	p := &process{cmd: exec.Command(argv[0], argv[1:]...)}
	p.cmd.Dir, p.cmd.Env = dir, env
	if !detached {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	in, err1 := p.cmd.StdinPipe()
	out, err2 := p.cmd.StdoutPipe()
	errs, err3 := p.cmd.StderrPipe()
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return nil, err
		}
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.in, p.out, p.err, p.pid = in, bufio.NewReader(out), bufio.NewReader(errs), -p.cmd.Process.Pid
	if !detached {
		return p, nil
	}
	return p, p.detach()
}

// detach waits until the parent has ended, and learns the process's id. The
// pipes stay: cmd.Wait would close them.
func (p *process) detach() error {
	if _, err := p.cmd.Process.Wait(); err != nil {
		return err
	}
	if _, err := io.WriteString(p.in, "go\n"); err != nil {
		return err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return fmt.Errorf("a process in a session of its own did not begin: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	p.pid = -pid // it leads its session, and its group
	return err
}

// guard ends the process if the function takes too long, or the context ends.
func (p *process) guard(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(p.pid, syscall.SIGKILL) })
	defer stop()
	err := do()
	if ctx.Err() != nil {
		return fmt.Errorf("no end after %v: %w", patience, ctx.Err())
	}
	return err
}

// ask sends a line and returns the line that answers it.
func (p *process) ask(ctx context.Context, line string) (string, error) {
	var answer string
	err := p.guard(ctx, func() error {
		if _, err := io.WriteString(p.in, line+"\n"); err != nil {
			return err
		}
		var err error
		answer, err = p.out.ReadString('\n')
		return err
	})
	if err != nil {
		rest, _ := io.ReadAll(io.LimitReader(p.err, 4096))
		return "", fmt.Errorf("%s does not answer: %w: %s", p.cmd.Path, err, bytes.TrimSpace(rest))
	}
	return answer, nil
}

// end closes the process's input and waits for its end.
func (p *process) end() {
	_ = p.in.Close()
	_ = p.guard(context.Background(), func() error {
		_, err := io.Copy(io.Discard, p.out)
		return err
	})
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Wait()
	}
}

// mark ends the output of a shell for each command, on both of its streams.
const mark = "\x01"

// shell types a command line into a shell and returns its outcome.
func (p *process) shell(ctx context.Context, text string) (outcome, error) {
	var o outcome
	err := p.guard(ctx, func() error {
		if _, err := fmt.Fprintf(p.in, "{ %s\n} </dev/null; printf '\\001%%d\\n' $?; printf '\\001\\n' >&2\n", text); err != nil {
			return err
		}
		var err error
		var code string
		if o.Stdout, code, err = readMarked(p.out); err != nil {
			return err
		}
		if o.Stderr, _, err = readMarked(p.err); err != nil {
			return err
		}
		o.Exit, err = strconv.Atoi(code)
		return err
	})
	return o, err
}

// readMarked reads up to the mark, and the text behind it on the line.
func readMarked(r *bufio.Reader) (text, behind string, err error) {
	if text, err = r.ReadString(mark[0]); err != nil {
		return "", "", fmt.Errorf("the shell has ended: %w", err)
	}
	behind, err = r.ReadString('\n')
	return strings.TrimSuffix(text, mark), strings.TrimSpace(behind), err
}

// looker is the process that looks at directories for the tester.
type looker struct{ *process }

// state is the files of a directory, by path.
type state map[string]entry

// entry is all that is compared of one name.
type entry struct {
	Mode    string `json:"mode,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Content string `json:"content,omitempty"`
	Link    string `json:"link,omitempty"`
	Error   string `json:"error,omitempty"`
}

func (l looker) look(ctx context.Context, dirs ...string) ([]state, error) {
	var states []state
	return states, l.call(ctx, "look", dirs, &states)
}

func (l looker) makeDirs(ctx context.Context, dirs ...string) error {
	return l.call(ctx, "make", dirs, new([]state))
}

func (l looker) call(ctx context.Context, operation string, dirs []string, into any) error {
	request, err := json.Marshal([]any{operation, dirs})
	if err != nil {
		return err
	}
	answer, err := l.ask(ctx, string(request))
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(answer), into)
}
