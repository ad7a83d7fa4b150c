package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"clawfs/fs"
	"clawfs/fs/mountpoint"
	"clawfs/fs/takeover"
)

// With --takeover the process that would be the daemon is a supervisor, and starts the
// daemon (package takeover).

// supervisorName is the hidden command by which a daemon starts another supervisor, where
// its own has died.
const supervisorName = "supervise"

func newSupervisorCommand() *cobra.Command {
	o := newMountOptions()
	cmd := &cobra.Command{
		Use:    supervisorName,
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			s, err := newSupervisor(o, os.Stderr)
			if err != nil {
				return err
			}
			s.Ready = func(int) error { return nil } // it has told somebody before
			_ = takeover.NameProcess()
			taken, stop := supervisorSignals()
			defer stop()
			return supervised(s.Adopt(o.takeoverFD, taken))
		},
	}
	cmd.Flags().AddFlagSet(o.flags)
	return cmd
}

// newSupervisor returns a supervisor of this program that logs to a file, as its daemons do.
func newSupervisor(o *mountOptions, log *os.File) (*takeover.Supervisor, error) {
	logger, err := newLogger(log, o.logFormat.value, o.logLevel.value, o.logFile == "" && underJournal())
	if err != nil {
		return nil, err
	}
	outliveOthers()
	policy := takeover.DefaultPolicy()
	if o.mostDeaths > policy.Most { // a test kills daemons: they have no fault that would be there again
		policy.Pauses = nil
	}
	policy.Most = o.mostDeaths
	return &takeover.Supervisor{
		Policy: policy, Log: logger, Output: log,
		Abandon: func(dir string) error { return mountpoint.Detach(dir, true) },
	}, nil
}

// supervise runs daemons of a mount, one after another has died, until one ends in order.
func supervise(name string, o *mountOptions, log *os.File, ready func(pid int) error) error {
	taken, stop := supervisorSignals()
	defer stop()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program: %w", err)
	}
	if name, err = filepath.Abs(name); err != nil {
		return err
	}
	s, err := newSupervisor(o, log)
	if err != nil {
		return err
	}
	socket := fmt.Sprintf("--takeover-fd=%d", takeover.SocketFD)
	s.Daemon = append([]string{program, "mount"}, o.flagsGiven()...)
	s.Daemon = append(s.Daemon, "--foreground=true", "--ready-fd=-1", "--log-file="+o.logFile, socket, "--", name)
	s.Another = []string{program, supervisorName, "--log-format=" + o.logFormat.value, "--log-level=" + o.logLevel.value, "--log-file=" + o.logFile, fmt.Sprintf("--most-deaths=%d", o.mostDeaths), socket}
	s.Ready = ready
	return supervised(s.Run(taken))
}

// supervised turns the error of a supervisor into the one that the user sees.
func supervised(err error) error {
	var failed *takeover.FailedError
	if !errors.As(err, &failed) {
		return err
	}
	var f failure
	if json.Unmarshal(failed.Report, &f) != nil {
		return err
	}
	return &f
}

// supervisorSignals begins to take signals, until the function that it returns is called.
func supervisorSignals() (<-chan os.Signal, func()) {
	taken := make(chan os.Signal, 4)
	signal.Notify(taken, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE)
	return taken, func() { signal.Stop(taken) }
}

// superviseForeground is runForeground with a supervisor.
func superviseForeground(name string, o *mountOptions, log *os.File) error {
	return supervise(name, o, log, func(int) error {
		_, err := daemon.SdNotify(false, daemon.SdNotifyReady)
		return err
	})
}

// runSupervised is the main function of a daemon that has a supervisor. Its standard error is the log.
func runSupervised(ctx context.Context, name string, o *mountOptions) error {
	log, err := newLogger(os.Stderr, o.logFormat.value, o.logLevel.value, o.logFile == "" && underJournal())
	if err != nil {
		return err
	}
	outliveOthers()
	var served atomic.Pointer[fs.Server]
	keeper, err := takeover.Join(o.takeoverFD, log, func() {
		if s := served.Load(); s != nil {
			s.Alive()
		}
	}, func() {
		if s := served.Load(); s != nil {
			s.Leave()
		}
	})
	if err != nil {
		return err
	}
	if keeper.Waits() {
		if err := waitToTakeOver(keeper, o, log); err != nil {
			return err
		}
	}
	err = serve(ctx, name, o, log, lifecycle{
		ready: keeper.Serves, stopping: func() {}, keeper: keeper, serves: served.Store,
	})
	if err != nil {
		text, _ := json.Marshal(classify(err)) // it has strings and a number
		return errors.Join(err, keeper.Failed(text))
	}
	return nil
}

// outliveOthers has the kernel end other processes first where memory is short. Only root may.
func outliveOthers() { _ = os.WriteFile("/proc/self/oom_score_adj", []byte("-500"), 0) }

// openKept opens the directory that another daemon has served, by the descriptor that it has
// left. Errors are those of openServed.
func openKept(c *takeover.Connection, given *mountOptions, log *zap.Logger) (*servedDir, error) {
	return openServed(c.Dir, fmt.Sprintf("/proc/self/fd/%d/.", c.Root), given, log)
}
