package calls

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed actor/actor.c
var actorSource []byte

// buildActor compiles actor.c into a directory.
func buildActor(ctx context.Context, dir string) (string, error) {
	source, program := filepath.Join(dir, "actor.c"), filepath.Join(dir, "actor")
	if err := os.WriteFile(source, actorSource, 0o600); err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(ctx, "cc", "-O2", "-o", program, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("the C compiler: %w\n%s", err, out)
	}
	return program, nil
}

// crew is a process and the channels to it and its children.
type crew struct {
	cmd *exec.Cmd
	ch  []*channel
}

// newCrew starts the actor program.
func newCrew(program, how string, n int) (*crew, error) {
	c := &crew{cmd: exec.Command(program, how)}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}()
	for range n {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, errors.Join(err, c.end())
		}
		c.ch = append(c.ch, &channel{fd: pair[0]})
		theirs = append(theirs, os.NewFile(uintptr(pair[1]), "channel"))
		if err := unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: patience}); err != nil {
			return nil, errors.Join(err, c.end())
		}
	}
	c.cmd.ExtraFiles = theirs
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(err, c.end())
	}
	_, err := c.ch[0].receive()
	return c, err
}

// end closes the channels: the processes end by that.
func (c *crew) end() error {
	for _, ch := range c.ch {
		_ = unix.Close(ch.fd)
	}
	c.ch = nil
	if c.cmd.Process == nil {
		return nil
	}
	return c.cmd.Wait()
}

// stage is a directory in which programs are run: the root of the actors, and
// the observer, which is a stranger to them.
type stage struct {
	dir      string
	actors   *crew
	observer *crew
	alive    map[int]int // actor -> its parent; 0 is the root
}

func newStage(program, dir string) (*stage, error) {
	actors, err := newCrew(program, "root", channels)
	if err != nil {
		return nil, err
	}
	observer, err := newCrew(program, "stray", 1)
	if err != nil {
		return nil, errors.Join(err, actors.end())
	}
	return &stage{dir: dir, actors: actors, observer: observer, alive: map[int]int{}}, nil
}

func (s *stage) end() error { return errors.Join(s.actors.end(), s.observer.end()) }

// begin makes an empty directory and processes 1 to n in it.
func (s *stage) begin(name string, n int) error {
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if _, err := s.observer.ch[0].ask(&Call{Op: "chdir", Path: dir}, nil); err != nil {
		return err
	}
	for i := 1; i <= n; i++ {
		if err := s.fork(0, i); err != nil {
			return err
		}
		if _, err := s.actors.ch[i].ask(&Call{Op: "chdir", Path: dir}, nil); err != nil {
			return err
		}
	}
	return nil
}

// fork has a process make another one.
func (s *stage) fork(parent, child int) error {
	if _, err := s.actors.ch[parent].ask(&Call{Op: "fork", H: child}, nil); err != nil {
		return err
	}
	s.alive[child] = parent
	_, err := s.actors.ch[child].receive()
	return err
}

// exit ends a process, and awaits that it has ended.
func (s *stage) exit(actor int) error {
	if err := s.actors.ch[actor].send(&Call{Op: "exit"}, nil); err != nil {
		return err
	}
	parent := s.alive[actor]
	delete(s.alive, actor)
	_, err := s.actors.ch[parent].ask(&Call{Op: "wait", H: actor}, nil)
	return err
}

// finish ends all processes: children before their parents.
func (s *stage) finish() error {
	for i := channels - 1; i > 0; i-- {
		if _, there := s.alive[i]; there {
			if err := s.exit(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// own makes a call that concerns the stage itself, and reports whether it was
// one.
func (s *stage) own(c *Call) (a answer, done bool, err error) {
	switch _, there := s.alive[c.By]; {
	case !there:
		return answer{ret: -1, err: unix.ESRCH}, true, nil
	case c.Op == "fork":
		if _, there := s.alive[c.H]; there || c.H < 1 || c.H >= channels {
			return answer{ret: -1, err: unix.EEXIST}, true, nil
		}
		return answer{}, true, s.fork(c.By, c.H)
	case c.Op == "exit":
		for _, parent := range s.alive {
			if parent == c.By {
				return answer{ret: -1, err: unix.EBUSY}, true, nil
			}
		}
		return answer{}, true, s.exit(c.By)
	}
	return answer{}, false, nil
}

// ask sends a call, await gets its answer.
func (s *stage) ask(c *Call) error             { return s.actors.ch[c.By].send(c, nil) }
func (s *stage) await(c *Call) (answer, error) { return s.actors.ch[c.By].receive() }

// do makes one call.
func (s *stage) do(c *Call) (answer, error) {
	if a, done, err := s.own(c); done {
		return a, err
	}
	if err := s.ask(c); err != nil {
		return answer{}, err
	}
	return s.await(c)
}

// both makes one call on two stages, on both at once if it can.
func (r *ring) both(c *Call) (bare, mount answer, err error) {
	bare, done, err := r.bare.own(c)
	if err != nil {
		return bare, mount, fmt.Errorf("bare: %w", err)
	}
	if done {
		if mount, _, err = r.mount.own(c); err != nil {
			err = fmt.Errorf("mount: %w", err)
		}
		return bare, mount, err
	}
	if err := errors.Join(r.bare.ask(c), r.mount.ask(c)); err != nil {
		return bare, mount, err
	}
	if bare, err = r.bare.await(c); err != nil {
		return bare, mount, fmt.Errorf("bare: %w", err)
	}
	if mount, err = r.mount.await(c); err != nil {
		err = fmt.Errorf("mount: %w", err)
	}
	return bare, mount, err
}

// look has the observer look at paths.
func (s *stage) look(paths []string) (map[string]sight, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	a, err := s.observer.ch[0].ask(&Call{Op: "look"}, []byte(strings.Join(paths, "\x00")+"\x00"))
	if err != nil {
		return nil, fmt.Errorf("the observer of %s: %w", s.dir, err)
	}
	return sights(a, paths)
}

// mount is a directory with clawfs on it.
type mount struct {
	dir, log string
	cmd      *exec.Cmd
}

// newMount mounts a directory with the given program.
func newMount(clawfs, dir, log string, flags []string) (*mount, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	var before, now unix.Stat_t
	if err := unix.Stat(dir, &before); err != nil {
		return nil, err
	}
	m := &mount{dir: dir, log: log, cmd: exec.Command(clawfs, append(append([]string{"mount", "--foreground", "--log-level", "error"}, flags...), dir)...)}
	m.cmd.Stderr, m.cmd.Stdout = out, out
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		if err := unix.Stat(dir, &now); err == nil && now.Dev != before.Dev {
			return m, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("clawfs does not mount %s (its log: %s)", dir, log), m.end())
}

// endTimeout is how long a daemon has to end. A busy machine may hold it up for long.
const endTimeout = 2 * time.Minute

// end unmounts, and awaits the daemon's end. The error of one that does not end has where
// its goroutines stand.
func (m *mount) end() error {
	_ = unix.Unmount(m.dir, unix.MNT_DETACH)
	done := make(chan error, 1)
	go func() { done <- m.cmd.Wait() }()
	select {
	case <-done:
		return nil
	case <-time.After(endTimeout):
		_ = m.cmd.Process.Signal(unix.SIGQUIT)
		err := errors.Join(errors.New("clawfs does not end after the unmount"), <-done)
		log, _ := os.ReadFile(m.log)
		return fmt.Errorf("%w\n%s", err, log)
	}
}
