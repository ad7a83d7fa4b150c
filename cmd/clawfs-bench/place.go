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
	"clawfs/fs/uring"
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
	ours := &place{name: "clawfs", top: b.top, bin: b.tools.clawfs}
	var beside []*place
	if b.against != "" {
		beside = append(beside, &place{name: b.against, top: b.againstTop, bin: b.tools.against})
	}
	if b.device {
		ours.flags = []string{"--transport", fs.RingTransport}
		beside = append(beside, &place{name: "device", top: b.top, bin: b.tools.clawfs, flags: []string{"--transport", fs.DeviceTransport}})
	}
	if b.ours, err = b.mountLike(ctx, ours, ours.name); err != nil {
		return err
	}
	for _, p := range beside {
		if p, err = b.mountLike(ctx, p, "beside-"+p.name); err != nil {
			return err
		}
		b.beside = append(b.beside, p)
	}
	if err := b.mountFloors(ctx); err != nil {
		return err
	}
	b.loop, err = b.mountLoopback(ctx)
	return err
}

// mountFloors starts rawfuse by each transport that can be had.
func (b *bench) mountFloors(ctx context.Context) error {
	if os.Getuid() != 0 {
		return nil
	}
	ways := []string{fs.DeviceTransport}
	if uring.Check() == nil {
		ways = append(ways, fs.RingTransport)
	}
	for _, way := range ways {
		p := &place{name: "floor, " + way, dir: filepath.Join(b.work, "floor-"+way)}
		if err := os.Mkdir(p.dir, 0o700); err != nil {
			return err
		}
		if err := p.run(ctx, exec.Command(b.tools.rawfuse, p.dir, way)); err != nil {
			return err
		}
		b.floors = append(b.floors, p)
	}
	return nil
}

// run starts the program that serves a place, until SIGTERM, and awaits its mount.
func (p *place) run(ctx context.Context, cmd *exec.Cmd) error {
	p.cmd, cmd.Stderr = cmd, os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // an interrupt from the terminal is ours to pass on
	if err := cmd.Start(); err != nil {
		return err
	}
	p.pid = cmd.Process.Pid
	return awaitMount(ctx, p.dir)
}

func (b *bench) unmount() {
	for _, p := range append([]*place{b.loop}, b.floors...) {
		if p != nil {
			_ = p.cmd.Process.Signal(unix.SIGTERM)
			_ = p.cmd.Wait()
		}
	}
	for _, p := range append([]*place{b.ours}, b.beside...) {
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
	return p, p.run(ctx, exec.Command("sh", append(args, p.dir, below)...))
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
