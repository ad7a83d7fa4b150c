package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// The daemon is this program again, in a session of its own, with its standard error in the
// log, so that the last words of the Go runtime are kept. A pipe leads from it to the command
// that started it, for one report.

// report is the message of a daemon to the command that started it: the daemon serves,
// or the reason why it does not.
type report struct {
	PID     int      `json:"pid,omitempty"`
	Failure *failure `json:"failure,omitempty"`
}

// readyDescriptor is where the daemon finds the pipe.
const readyDescriptor = 3

// startDaemon starts the daemon and returns when it serves, or with the error
// that it reports.
func startDaemon(name string, o *mountOptions, out streams) error {
	m, err := checkMountpoint(name, o)
	if err != nil {
		return err
	}
	if o.logFile == "" {
		if o.logFile, err = defaultLogFile(m.Dir, os.Geteuid(), os.Getenv); err != nil {
			return &failure{Code: exitFailed, Message: err.Error(), Hint: "give one with --log-file FILE"}
		}
	}
	log, err := openLog(o.logFile)
	if err != nil {
		return &failure{Code: exitFailed, Message: err.Error(), Hint: "give another one with --log-file FILE"}
	}
	defer log.Close()
	r, err := spawn(daemonArgs(o, m.Dir), log)
	if err != nil {
		return err
	}
	if r.Failure != nil {
		return r.Failure
	}
	out.talk("%s is mounted, process %d, log in %s", m.Dir, r.PID, o.logFile)
	return nil
}

// daemonArgs are the arguments of the daemon. They don't depend on the working
// directory. Of a flag that is there twice the last one holds.
func daemonArgs(o *mountOptions, dir string) []string {
	args := append([]string{"mount"}, o.flagsGiven()...)
	return append(args, "--foreground=true", "--log-file="+o.logFile, fmt.Sprintf("--ready-fd=%d", readyDescriptor), "--", dir)
}

// spawn starts this program with other arguments and waits for its report.
func spawn(args []string, log *os.File) (report, error) {
	program, err := os.Executable()
	if err != nil {
		return report{}, fmt.Errorf("cannot find this program: %w", err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		return report{}, err
	}
	defer in.Close()
	// Descriptors that this process was started with, a lock held by a script for instance, must
	// not live on in the daemon.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return report{}, os.NewSyscallError("close_range", err)
	}
	child := exec.Command(program, args...)
	child.Args[0] = "clawfs" // and not the name of this process: as a mount helper it would start another one, and so on
	child.Stdout, child.Stderr = log, log
	child.ExtraFiles = []*os.File{out} // becomes readyDescriptor
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = child.Start()
	out.Close()
	if err != nil {
		return report{}, fmt.Errorf("cannot start the daemon: %w", err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return report{}, fmt.Errorf("cannot hear from the daemon: %w", err)
	}
	var r report
	if json.Unmarshal(text, &r) != nil {
		end := child.Wait()
		return report{}, &failure{
			Code:    exitFailed,
			Message: fmt.Sprintf("the daemon ended before it served (%v)", end),
			Hint:    "see " + log.Name(),
		}
	}
	return r, child.Process.Release()
}

// runDaemon is the main function of the daemon in the background. Its standard error
// is the log.
func runDaemon(ctx context.Context, name string, o *mountOptions) error {
	syscall.CloseOnExec(o.readyFD)
	pipe := os.NewFile(uintptr(o.readyFD), "ready")
	defer pipe.Close()
	logger, err := newLogger(os.Stderr, o.logFormat.value, o.logLevel.value, false)
	if err != nil {
		return err
	}
	told := false
	tell := func(r report) error {
		told = true
		return errors.Join(json.NewEncoder(pipe).Encode(r), pipe.Close())
	}
	if o.takeover {
		err = supervise(name, o, os.Stderr, func(pid int) error { return tell(report{PID: pid}) })
	} else {
		err = serve(ctx, name, o, logger, lifecycle{
			ready:    func() error { return tell(report{PID: os.Getpid()}) },
			stopping: func() {},
		})
	}
	if err != nil && !told {
		// Whether the report arrives or not, the error is in the log, too.
		_ = tell(report{Failure: classify(err)})
	}
	return err
}

// keepCrashes has the Go runtime write its last words, a panic or a fatal
// error, to the log as well.
func keepCrashes(log *os.File) error {
	if err := debug.SetCrashOutput(log, debug.CrashOptions{}); err != nil {
		return fmt.Errorf("cannot have crashes logged: %w", err)
	}
	return nil
}
