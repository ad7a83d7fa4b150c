package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/fs/mountpoint"
)

// How unmount --force deals with a daemon: the first SIGTERM lets it end in
// order, a second one, after a moment, cuts that short.
const (
	forceMoment = 300 * time.Millisecond
	forceLimit  = 10 * time.Second
)

// lockPatience is how long a daemon may take to let its lock be read.
const lockPatience = time.Second

// daemonProcess is the process behind a mount. It is held by a descriptor, so that it
// can't be mistaken for a later process of the same id.
type daemonProcess struct {
	pid int
	fd  int // pidfd
}

// findDaemon finds the process behind a living mount; nil if it can't be seen.
// Newer kernels name the connection that an open FUSE device belongs to, so that the
// daemon need not be asked. On older ones its lock holds the id of its process, if
// the daemon lets it be read.
func findDaemon(m *mountinfo.Info) *daemonProcess {
	if pid := mountpoint.Server(m); pid > 0 {
		return openProcess(pid)
	}
	return openProcess(lockHolder(m.Mountpoint))
}

// findDaemons finds all processes behind a living mount: the daemon, and its supervisor if it
// has one.
func findDaemons(m *mountinfo.Info) (all daemonProcesses) {
	pids := mountpoint.Servers(m)
	if len(pids) == 0 {
		pids = []int{lockHolder(m.Mountpoint)}
	}
	for _, pid := range pids {
		if d := openProcess(pid); d != nil {
			all = append(all, d)
		}
	}
	return all
}

// daemonProcesses are those of one mount. Where one is told to end all do.
type daemonProcesses []*daemonProcess

func (all daemonProcesses) close() {
	for _, d := range all {
		d.close()
	}
}

// wait returns when all have ended, or with an error when ctx has.
func (all daemonProcesses) wait(ctx context.Context) error {
	for _, d := range all {
		if err := d.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end tells the processes to end and waits for it, first in order, then at once.
func (all daemonProcesses) end(ctx context.Context) error {
	if len(all) == 0 {
		return nil
	}
	for _, d := range all[1:] {
		_ = unix.PidfdSendSignal(d.fd, unix.SIGCONT, nil, 0) // it may be stopped, and is told by the first one
	}
	if err := all[0].end(ctx); err != nil {
		return err
	}
	return all[1:].wait(ctx)
}

func openProcess(pid int) *daemonProcess {
	if pid <= 0 {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil
	}
	return &daemonProcess{pid: pid, fd: fd}
}

// lockHolder reads through the mount the id of the process that holds the lock, 0 if
// that takes too long: the daemon might be stuck.
func lockHolder(dir string) int {
	answer := make(chan int, 1)
	go func() {
		text, err := os.ReadFile(filepath.Join(dir, backing.Name, "lock"))
		pid, convErr := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || convErr != nil || mountpoint.Command(pid) != mountpoint.Command(os.Getpid()) {
			pid = 0
		}
		answer <- pid
	}()
	select {
	case pid := <-answer:
		return pid
	case <-time.After(lockPatience):
		return 0
	}
}

// close gives the descriptor back.
func (d *daemonProcess) close() { unix.Close(d.fd) }

// wait returns when the process has ended, or with an error when ctx has.
func (d *daemonProcess) wait(ctx context.Context) error {
	const slice = 50 * time.Millisecond // how often ctx is looked at
	for {
		fds := []unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(slice.Milliseconds()))
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return os.NewSyscallError("poll", err)
		case ctx.Err() != nil:
			return &stuckError{PID: d.pid}
		}
	}
}

// end tells the process to end and waits for it, first in order, then at once.
func (d *daemonProcess) end(ctx context.Context) error {
	for _, limit := range []time.Duration{forceMoment, forceLimit} {
		if err := unix.PidfdSendSignal(d.fd, unix.SIGTERM, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("cannot end process %d: %w", d.pid, err)
		}
		_ = unix.PidfdSendSignal(d.fd, unix.SIGCONT, nil, 0) // it may be stopped; the one may be sent where the other may
		limited, cancel := context.WithTimeout(ctx, limit)
		err := d.wait(limited)
		cancel()
		if err == nil {
			return nil
		}
	}
	return &stuckError{PID: d.pid}
}
