package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"clawfs/fs"
)

// place is a directory in which clients work: on the bare disk or on a mount.
type place struct {
	name  string
	dir   string
	top   string    // the source tree of the daemon's program, where that is clawfs
	bin   string    // that program
	flags []string  // of its mounts
	pid   int       // of the daemon that serves it; 0 on the bare disk
	cmd   *exec.Cmd // the daemon, where it is a child of this process
}

// cpu is the processor time that the place's daemon has used so far.
func (p *place) cpu() time.Duration {
	if p.pid == 0 {
		return 0
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid<<3|2), &ts); err != nil { // CPUCLOCK_SCHED of a process
		return 0
	}
	return time.Duration(ts.Nano())
}

// status returns a number of kibibytes out of the daemon's /proc/PID/status.
func (p *place) status(field string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			return strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		}
	}
	return 0, fmt.Errorf("no %s of process %d", field, p.pid)
}

// switches counts how often the daemon's threads have gone to sleep so far.
func (p *place) switches() (total float64, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.pid))
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		_, rest, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
		n, _ := strconv.Atoi(strings.Fields(rest)[0])
		total += float64(n)
	}
	return total, err
}

// mount brings up the places on mounts that most works use.
func (b *bench) mount(ctx context.Context) (err error) {
	now := &place{name: "clawfs", top: b.top, bin: b.tools.clawfs}
	past := &place{name: b.against, top: b.againstTop, bin: b.tools.against}
	if b.against == fs.DeviceTransport {
		now.flags, past.flags = []string{"--transport", fs.RingTransport}, []string{"--transport", fs.DeviceTransport}
	}
	if b.ours, err = b.mountLike(ctx, now, "clawfs"); err != nil {
		return err
	}
	if b.against != "" {
		if b.past, err = b.mountLike(ctx, past, "against"); err != nil {
			return err
		}
	}
	b.loop, err = b.mountLoopback(ctx)
	return err
}

func (b *bench) unmount() {
	if b.loop != nil {
		_ = b.loop.cmd.Process.Signal(unix.SIGTERM)
		_ = b.loop.cmd.Wait()
	}
	for _, p := range []*place{b.ours, b.past} {
		if p != nil {
			_ = p.unmount()
		}
	}
}

// mountLike mounts clawfs, of the revision that serves another place, on a directory below
// work. It makes the directory if need be.
func (b *bench) mountLike(ctx context.Context, like *place, name string, flags ...string) (*place, error) {
	p := &place{name: like.name, top: like.top, bin: like.bin, flags: like.flags, dir: filepath.Join(b.work, name)}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	args := slices.Concat([]string{"mount", "--log-file", p.dir + ".log"}, p.flags, flags)
	if out, err := exec.CommandContext(ctx, p.bin, append(args, p.dir)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("clawfs mount: %w\n%s", err, out)
	}
	lock, err := os.ReadFile(filepath.Join(p.dir, ".clawfs", "lock"))
	if err == nil {
		p.pid, err = strconv.Atoi(strings.TrimSpace(string(lock)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("which process serves %s: %w", p.dir, err), p.unmount())
	}
	return p, nil
}

// unmount takes clawfs's mount away. It is not bound to a context: it is needed most after
// an interrupt.
func (p *place) unmount() error {
	if out, err := exec.Command(p.bin, "unmount", p.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("clawfs unmount: %w\n%s", err, out)
	}
	return nil
}

// mountLoopback starts go-fuse's example with umask 0, and for root with
// allow_other and default_permissions, as clawfs's own tests have it.
func (b *bench) mountLoopback(ctx context.Context) (*place, error) {
	below := filepath.Join(b.work, "loopback.below")
	p := &place{name: "loopback", dir: filepath.Join(b.work, "loopback")}
	if err := errors.Join(os.Mkdir(below, 0o700), os.Mkdir(p.dir, 0o700)); err != nil {
		return nil, err
	}
	args := []string{"-c", `umask 0; exec "$@"`, "sh", b.tools.loopback, "-q", "-directmount"}
	if os.Getuid() == 0 {
		args = append(args, "-allow-other")
	}
	p.cmd = exec.Command("sh", append(args, p.dir, below)...)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // an interrupt from the terminal is ours to pass on
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.pid = p.cmd.Process.Pid
	return p, awaitMount(ctx, p.dir)
}

// awaitMount waits until a FUSE file system is there.
func awaitMount(ctx context.Context, dir string) error {
	for range 500 {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err == nil && st.Type == unix.FUSE_SUPER_MAGIC {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("nothing was mounted on %s", dir)
}
