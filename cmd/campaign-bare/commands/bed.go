package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// bed is where sequences are run, one after the other: a mounted directory, a
// bare one beside it, and the process that looks at both. Each sequence has new
// directories in them.
type bed struct {
	clawfs string   // "" for a control: both directories are bare
	flags  []string // for its mount
	root   string
	keep   string // on another file system than root where there is one
	tools  *tools
	looker looker
	runs   int
	last   map[string]state // the state seen last on the mount, by directory
}

// newBed makes directories below dir and mounts one of them.
func newBed(ctx context.Context, dir string, o Options) (*bed, error) {
	root, err := os.MkdirTemp(dir, "bed-")
	if err != nil {
		return nil, err
	}
	b := &bed{clawfs: o.Clawfs, flags: o.Flags, root: root, last: make(map[string]state)}
	if err := b.open(ctx, o.Quick); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bed) open(ctx context.Context, standIns bool) error {
	var err error
	if b.keep, err = os.MkdirTemp(elsewhere(), "clawfs-keep-"); err != nil {
		return err
	}
	for _, name := range []string{"mount", "bare", "home", "bin"} {
		if err := os.Mkdir(filepath.Join(b.root, name), 0o755); err != nil {
			return err
		}
	}
	if b.tools, err = findTools(filepath.Join(b.root, "home")); err != nil {
		return err
	}
	looks := b.tools.python
	if standIns {
		if err := b.tools.standIn(filepath.Join(b.root, "bin")); err != nil {
			return err
		}
	}
	if err := b.mount(ctx); err != nil {
		return err
	}
	script, err := programs.ReadFile("programs/look.py")
	if err != nil {
		return err
	}
	p, err := start("/", os.Environ(), true, looks, "-I", "-S", "-c", string(script))
	b.looker = looker{p}
	return err
}

// elsewhere is a directory on another file system than temporary files are on,
// where there is one: mv has to copy a file that it brings from there.
func elsewhere() string {
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		return memory
	}
	return ""
}

func (b *bed) mountDir() string { return filepath.Join(b.root, "mount") }

func (b *bed) mount(ctx context.Context) error {
	args := append([]string{"mount", "--log-file", filepath.Join(b.root, "log")}, b.flags...)
	return b.run(ctx, append(args, b.mountDir())...)
}

func (b *bed) unmount(ctx context.Context) error {
	return b.run(ctx, "unmount", "--timeout", "20s", b.mountDir())
}

func (b *bed) run(ctx context.Context, args ...string) error {
	if b.clawfs == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, b.clawfs, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("clawfs %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// close ends the mount and the looker of the bed. The directory must hold then the state seen
// through the mount. A bed whose context has ended closes as well.
func (b *bed) close() error {
	ctx := context.Background()
	err := b.unmount(ctx)
	if err != nil && isMounted(b.mountDir()) {
		err = errors.Join(err, b.run(ctx, "unmount", "--force", b.mountDir()))
	}
	if b.looker.process != nil {
		if err == nil {
			err = b.plainUnderneath(ctx)
		}
		b.looker.end()
	}
	err = errors.Join(err, b.logProblems())
	return errors.Join(err, os.RemoveAll(b.root), os.RemoveAll(b.keep))
}

// isMounted reports whether a directory is on another device than its parent.
func isMounted(dir string) bool {
	var at, above syscall.Stat_t
	if syscall.Lstat(dir, &at) != nil {
		return true // a mount without a daemon answers nothing
	}
	return syscall.Lstat(filepath.Dir(dir), &above) == nil && at.Dev != above.Dev
}

// plainUnderneath compares the directory, unmounted, with the state that was seen of it.
func (b *bed) plainUnderneath(ctx context.Context) error {
	for dir, want := range b.last {
		got, err := b.looker.look(ctx, dir)
		if err != nil {
			return err
		}
		if what := firstDifference(want, got[0]); what != "" {
			return fmt.Errorf("unmounted, %s is not as it was seen: %s", filepath.Base(dir), what)
		}
	}
	return nil
}

// logProblems finds texts that no daemon's log may hold.
func (b *bed) logProblems() error {
	text, err := os.ReadFile(filepath.Join(b.root, "log"))
	if err != nil {
		return nil // nothing was mounted
	}
	for _, bad := range []string{"panic", "fatal error:", "DATA RACE"} {
		if strings.Contains(string(text), bad) {
			return fmt.Errorf("the daemon's log has %q", bad)
		}
	}
	return nil
}

// begin makes the places of one sequence, first the bare one.
func (b *bed) begin(ctx context.Context) (bare, mounted *side, err error) {
	b.runs++
	name := fmt.Sprintf("s%04d", b.runs)
	dirs := []string{filepath.Join(b.root, "bare", name), filepath.Join(b.mountDir(), name)}
	if err := b.looker.makeDirs(ctx, dirs...); err != nil {
		return nil, nil, err
	}
	if bare, err = newSide(dirs[0], filepath.Join(b.keep, name+"b"), b.tools); err != nil {
		return nil, nil, err
	}
	mounted, err = newSide(dirs[1], filepath.Join(b.keep, name+"m"), b.tools)
	return bare, mounted, err
}

// restart unmounts and mounts again, as an update of clawfs does.
func (b *bed) restart(ctx context.Context, s *side) error {
	if err := s.leave(ctx); err != nil {
		return err
	}
	if err := b.unmount(ctx); err != nil {
		return err
	}
	if err := b.mount(ctx); err != nil {
		return err
	}
	return s.enter(ctx)
}
