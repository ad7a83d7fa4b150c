package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"clawfs/cmd/campaign-bare/quick"
)

// outcome is the exit code and the output of a step.
type outcome struct {
	Exit   int
	Stdout string
	Stderr string
}

// side is one of the two places where the steps of a sequence are done: a
// directory, files that commands take things from, and processes.
type side struct {
	dir      string // the directory that is compared
	keep     string // on another file system where there is one; $K
	tools    *tools
	env      []string
	shell    *process
	programs map[string]*process
}

// newSide begins a sequence's place. The directory is there.
func newSide(dir, keep string, t *tools) (*side, error) {
	s := &side{dir: dir, keep: keep, tools: t, programs: make(map[string]*process)}
	s.env = t.environment(dir, keep)
	if err := fillKeep(keep); err != nil {
		return nil, err
	}
	return s, nil
}

// do does one step.
func (s *side) do(ctx context.Context, step Step) (outcome, error) {
	var o outcome
	var err error
	switch {
	case step.Who == byShell:
		if err = s.openShell(ctx); err == nil {
			o, err = s.shell.shell(ctx, step.Text)
		}
	case step.Who == byOwn:
		o, err = s.own(ctx, step.Text)
	case step.Who == byStranger:
		o, err = s.stranger(ctx, step.Text)
	case step.isProgram():
		o, err = s.tell(ctx, step)
	}
	o.Stdout, o.Stderr = s.neutral(o.Stdout), s.neutral(o.Stderr)
	return o, err
}

// neutral takes the names of the side's directories out of a text.
func (s *side) neutral(text string) string {
	return strings.NewReplacer(s.dir, "$D", s.keep, "$K").Replace(text)
}

// openShell starts the sequence's shell, and brings it to the directory.
func (s *side) openShell(ctx context.Context) error {
	if s.shell != nil {
		return nil
	}
	shell, err := start(s.dir, s.env, false, s.tools.bash, "--norc", "--noprofile")
	s.shell = shell
	return err
}

func (s *side) own(ctx context.Context, text string) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.tools.bash, "--norc", "--noprofile", "-c", text)
	cmd.Dir, cmd.Env = s.dir, s.env
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	if e := (*exec.ExitError)(nil); errors.As(err, &e) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return outcome{}, err
	}
	return outcome{Exit: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}, nil
}

func (s *side) stranger(ctx context.Context, text string) (outcome, error) {
	p, err := start(s.dir, s.env, true, s.tools.bash, "--norc", "--noprofile")
	if err != nil {
		return outcome{}, err
	}
	defer p.end()
	return p.shell(ctx, text)
}

// tell sends a step to a program that lives for several steps.
func (s *side) tell(ctx context.Context, step Step) (outcome, error) {
	p := s.programs[step.Who]
	if p == nil {
		argv, err := s.tools.program(step.Who, s.keep, s.dir)
		if err != nil {
			return outcome{}, err
		}
		if p, err = start(s.keep, s.env, false, argv...); err != nil {
			return outcome{}, err
		}
		s.programs[step.Who] = p
	}
	answer, err := p.ask(ctx, step.Text)
	o := outcome{Stdout: answer}
	if strings.HasPrefix(answer, "failed") {
		o.Exit = 1
	}
	return o, err
}

// leave takes the side's processes out of the directory, so that it can be unmounted.
func (s *side) leave(ctx context.Context) error { return s.move(ctx, "/") }

// enter brings them back.
func (s *side) enter(ctx context.Context) error { return s.move(ctx, s.dir) }

func (s *side) move(ctx context.Context, to string) error {
	if s.shell == nil {
		return nil
	}
	o, err := s.shell.shell(ctx, "cd "+to)
	if err == nil && o.Exit != 0 {
		err = fmt.Errorf("cd %s: %s", to, o.Stderr)
	}
	return err
}

// end ends the side's processes and removes the files that they took things from.
func (s *side) end() error {
	if s.shell != nil {
		s.shell.end()
	}
	for _, p := range s.programs {
		p.end()
	}
	return os.RemoveAll(s.keep)
}

// tools are the programs that steps are done with.
type tools struct {
	bash, python, node string
	home               string // for programs that read their settings
	path               string // where programs are looked for
}

// findTools looks for the programs.
func findTools(home string) (*tools, error) {
	t := &tools{home: home, path: os.Getenv("PATH")}
	var problems []error
	find := func(names ...string) string {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return path
			}
		}
		problems = append(problems, fmt.Errorf("missing program: %s", names[len(names)-1]))
		return ""
	}
	t.bash, t.node = find("bash"), find("node")
	t.python = find("/usr/bin/python3", "python3") // Debian's own begins fastest
	for _, name := range []string{"setsid", "jq", "sed", "perl", "vim", "git", "make", "rsync", "sponge", "tar", "dd", "tee", "install"} {
		find(name)
	}
	return t, errors.Join(problems...)
}

// standIn has the slow programs done by stand-ins: it gives these their names in a directory.
func (t *tools) standIn(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, name := range quick.Names {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	t.python, t.node = filepath.Join(dir, "python3"), filepath.Join(dir, "node")
	t.path = dir + ":" + t.path
	return nil
}

// environment is the environment of each process of a side.
func (t *tools) environment(dir, keep string) []string {
	return append(os.Environ(), "PATH="+t.path, "K="+keep, "D="+dir, "PY="+t.python+" -I -S", "HOME="+t.home, "LC_ALL=C", "TZ=UTC", "TMPDIR="+keep,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2020-01-01T00:00:00Z", "GIT_EDITOR=true")
}

// program returns the command line of a program that lives for several steps, by
// its name: py…, node… and async….
func (t *tools) program(name, keep, dir string) ([]string, error) {
	switch {
	case strings.HasPrefix(name, "py"):
		return []string{t.python, "-I", "-S", filepath.Join(keep, "edit.py"), dir}, nil
	case strings.HasPrefix(name, "node"):
		return []string{t.node, filepath.Join(keep, "edit.mjs"), "sync", dir}, nil
	case strings.HasPrefix(name, "async"):
		return []string{t.node, filepath.Join(keep, "edit.mjs"), "async", dir}, nil
	}
	return nil, fmt.Errorf("nobody is named %q: want %s, %s, %s, %s, or a name that begins with py, node or async", name, byShell, byOwn, byStranger, byDaemon)
}
