package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"clawfs/fs/mountpoint"
)

// How unmount waits: it tries again after pauses that grow from the first to the
// longest, and names the holders of the mount after a while.
const (
	firstPause     = 5 * time.Millisecond
	longestPause   = 200 * time.Millisecond
	patience       = time.Second
	defaultTimeout = 30 * time.Second
)

type unmountOptions struct {
	force   bool
	timeout time.Duration // 0: none
}

func newUnmountCommand(out streams) *cobra.Command {
	var o unmountOptions
	cmd := &cobra.Command{
		Use:   "unmount [flags] DIR",
		Short: "Unmount a directory when its open transactions have ended",
		Long: "unmount waits until nothing on the mount is in use, which ends every transaction, and returns when\n" +
			"the daemon has ended and the directory is an ordinary one again. If that takes more than a second it\n" +
			"names the programs that use the mount.\n\n" +
			"With --force it does not wait: the directory is an ordinary one at once, and the unsaved content of\n" +
			"programs is kept in quarantine.",
		Args:              oneDirectory,
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse),
		Example:           "  clawfs unmount --timeout 10s ~/.openclaw",
		RunE: func(cmd *cobra.Command, args []string) error {
			return unmount(cmd.Context(), args[0], o, out)
		},
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "do not wait for programs that use the mount")
	cmd.Flags().DurationVar(&o.timeout, "timeout", defaultTimeout, "`TIME` to wait; 0 waits for ever")
	return cmd
}

// unmount takes the mount on a directory away. Errors: *notMountedError,
// *mountpoint.MissingError, *mountpoint.NotDirectoryError, *busyError, or the system's.
func unmount(ctx context.Context, name string, o unmountOptions, out streams) error {
	m, err := mountpoint.Find(name)
	if err != nil {
		return err
	}
	if !m.IsClawfs() {
		return notMounted(m)
	}
	if !o.force && m.IsDead() { // a daemon that is stopped would keep this process from ending
		return m.Detach(true)
	}
	all := findDaemons(m.Mount)
	defer all.close()
	if o.force {
		return forceOut(ctx, m, all)
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	if err := waitOut(ctx, m, out); err != nil {
		return err
	}
	return all.wait(ctx)
}

// notMounted names the file system that is mounted instead of clawfs.
func notMounted(m mountpoint.Point) error {
	e := &notMountedError{Dir: m.Dir}
	if m.Mount != nil {
		e.Type = m.Mount.FSType
	}
	return e
}

// waitOut unmounts as soon as the mount is not busy.
func waitOut(ctx context.Context, m mountpoint.Point, out streams) error {
	start := time.Now()
	said, last := false, ""
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := m.Detach(false)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		if time.Since(start) > patience {
			if now := heldBy(findHolders(m.Mount)); !said || now != last {
				out.talk("waiting for %s%s", m.Dir, now)
				said, last = true, now
			}
		}
		select {
		case <-ctx.Done():
			return &busyError{Dir: m.Dir, Holders: findHolders(m.Mount)}
		case <-time.After(pause):
		}
	}
}

// forceOut makes the directory an ordinary one, though programs use it, and ends the daemon.
// The daemon unmounts by itself; a mount that it leaves is taken away here.
func forceOut(ctx context.Context, m mountpoint.Point, all daemonProcesses) error {
	err := all.end(ctx)
	now, findErr := mountpoint.Find(m.Dir)
	if findErr != nil {
		return findErr
	}
	if now.IsClawfs() {
		if detachErr := now.Detach(true); detachErr != nil {
			return detachErr
		}
	}
	return err
}
