package main

import (
	"errors"
	"fmt"
	"strings"

	"clawfs/backing"
	"clawfs/cmd/clawfs/listen"
	"clawfs/cmd/clawfs/versions"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
)

// Exit codes.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitProblems   = 3
	exitNotMounted = 4
	exitInUse      = 5
	exitNoFUSE     = 6
	exitRefused    = 7
)

// exitCodes lists them.
func exitCodes() []int {
	return []int{exitDone, exitFailed, exitUsage, exitProblems, exitNotMounted, exitInUse, exitNoFUSE, exitRefused}
}

// exitMeaning is the meaning of an exit code, for help and documentation.
func exitMeaning(code int) string {
	switch code {
	case exitDone:
		return "done"
	case exitUsage:
		return "wrong command line or configuration, or no such directory"
	case exitProblems:
		return "problems found"
	case exitNotMounted:
		return "not mounted"
	case exitInUse:
		return "in use: mounted already, or still busy"
	case exitNoFUSE:
		return "this system, or this user, cannot mount"
	case exitRefused:
		return "clawfs refused the write"
	}
	return "failed"
}

// failure is an error as the user meets it. It travels from the daemon to the
// command that started it as JSON.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"` // one sentence without a full stop
	Hint    string `json:"hint,omitempty"`
}

// Error returns the message.
func (f *failure) Error() string { return f.Message }

// usageError says that a command line is wrong.
type usageError struct {
	Command string // its help tells more
	Problem error
}

// Error returns the problem.
func (e *usageError) Error() string { return e.Problem.Error() }

// configError says that the configuration file is wrong.
type configError struct {
	Path    string
	Line    int // 0 where the file as a whole is meant
	Problem string
}

// Error returns the file, the line and the problem.
func (e *configError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Problem)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Problem)
}

// notMountedError says that clawfs is not mounted on a directory.
type notMountedError struct {
	Dir  string
	Type string // of the file system that is mounted there instead; empty if none is
}

// Error names the directory.
func (e *notMountedError) Error() string {
	if e.Type != "" {
		return fmt.Sprintf("the mount on %s is not of clawfs but of %s", e.Dir, e.Type)
	}
	return fmt.Sprintf("clawfs is not mounted on %s", e.Dir)
}

// busyError says that a mount could not be taken away in time.
type busyError struct {
	Dir     string
	Holders []holder
}

// Error names the directory and the processes that hold it.
func (e *busyError) Error() string {
	return fmt.Sprintf("%s is still in use%s", e.Dir, heldBy(e.Holders))
}

// stuckError says that a daemon did not end when told to.
type stuckError struct{ PID int }

// Error names the process.
func (e *stuckError) Error() string {
	return fmt.Sprintf("the daemon, process %d, does not end", e.PID)
}

// servedError says that something can't be done while a directory is mounted.
type servedError struct{ Dir string }

// Error names the directory.
func (e *servedError) Error() string {
	return fmt.Sprintf("%s is mounted, and its daemon relies on the history", e.Dir)
}

// silentError says that the daemon of a living mount can't be asked.
type silentError struct {
	Dir string
	PID int // 0: not known
}

// Error names the directory.
func (e *silentError) Error() string { return fmt.Sprintf("the daemon of %s can't be asked", e.Dir) }

// unsupervisedError says that a mount can't be handed over, as nobody keeps it.
type unsupervisedError struct{ Dir string }

// Error names the directory.
func (e *unsupervisedError) Error() string {
	return fmt.Sprintf("%s was mounted without --takeover, so that no other version can take it over", e.Dir)
}

// metricsError says that metrics can't be served at an address.
type metricsError struct {
	Address string
	Err     error
}

// Error names the address and the reason.
func (e *metricsError) Error() string {
	return fmt.Sprintf("metrics can't be served at %s: %v", e.Address, e.Err)
}

// Unwrap returns the reason.
func (e *metricsError) Unwrap() error { return e.Err }

// verdict is no error of the command but its finding, which it has printed already: the exit
// code says it again.
type verdict struct{ code int }

// Error is not shown.
func (e *verdict) Error() string { return exitMeaning(e.code) }

// rule is one row of the table from errors to exit codes.
type rule struct {
	is   func(error) bool
	code int
	hint func(error) string
}

// rules is that table: the first row that fits an error decides. An error that fits none is
// exitFailed, without a hint.
func rules() []rule {
	return []rule{
		row(exitUsage, func(e *usageError) string { return e.Command + " --help" }),
		row(exitUsage, func(e *configError) string { return "" }),
		row(exitUsage, func(e *fs.PatternError) string { return "clawfs mount --help" }),
		row(exitUsage, func(e *mountpoint.MissingError) string { return "mkdir -p " + quote(e.Path) }),
		row(exitUsage, func(e *mountpoint.NotDirectoryError) string { return "name the directory that holds the registries" }),
		row(exitInUse, func(e *mountpoint.MountedError) string { return "clawfs unmount " + quote(e.Path) }),
		row(exitInUse, func(e *mountpoint.DeadMountError) string { return "umount -l " + quote(e.Path) }),
		row(exitInUse, func(e *backing.LockedError) string { return "unmount it where it is mounted, by clawfs unmount" }),
		row(exitFailed, func(e *backing.FormatError) string { return "use the version of clawfs that made it, or a newer one" }),
		row(exitNotMounted, func(e *notMountedError) string {
			if e.Type != "" {
				return "umount " + quote(e.Dir)
			}
			return "clawfs mount " + quote(e.Dir)
		}),
		row(exitInUse, func(e *busyError) string { return "clawfs unmount --force " + quote(e.Dir) }),
		row(exitFailed, func(e *mountpoint.UnmountError) string {
			if strings.Contains(e.Said, "/etc/mtab") { // some containers have none
				return "sudo ln -s ../proc/self/mounts /etc/mtab"
			}
			return "sudo umount " + quote(e.Path)
		}),
		row(exitFailed, func(e *stuckError) string { return fmt.Sprintf("see its log, then: kill -9 %d", e.PID) }),
		row(exitNotMounted, func(e *versions.DeadError) string { return "clawfs mount " + quote(e.Dir) }),
		row(exitFailed, func(e *versions.StoppedError) string { return fmt.Sprintf("kill -CONT %d", e.PID) }),
		row(exitNotMounted, func(e *versions.NotKeptError) string {
			return "name a registry, or a directory, below one that clawfs was mounted on"
		}),
		row(exitFailed, func(e *versions.NoVersionError) string { return "clawfs log shows which versions there were" }),
		row(exitFailed, func(e *versions.NoCopyError) string { return "clawfs quarantine " + quote(e.Dir) }),
		row(exitFailed, func(e *versions.GoneError) string { return "clawfs undo " + quote(e.Path) + " brings it back" }),
		row(exitFailed, func(e *versions.NothingError) string { return "clawfs log " + quote(e.Path) }),
		row(exitFailed, func(e *versions.LostError) string {
			if e.Since == 0 {
				return "clawfs log shows which versions there were"
			}
			return fmt.Sprintf("clawfs undo --since %d %s undoes all changes after version %d", e.Since, quote(fmt.Sprintf("%s@%d", e.Path, e.Until)), e.Since)
		}),
		row(exitFailed, func(e *versions.OrderError) string { return "clawfs log " + quote(e.Path) }),
		row(exitFailed, func(e *versions.NotThereError) string {
			return fmt.Sprintf("clawfs diff %s @%d", quote(fmt.Sprintf("%s@%d", e.Path, e.Seq-1)), e.Seq)
		}),
		row(exitFailed, func(e *versions.NoConflictError) string { return "clawfs log " + quote(e.Target.Path()) }),
		row(exitFailed, func(e *versions.NotDocumentError) string { return "clawfs restore puts a whole version back" }),
		row(exitFailed, func(e *versions.MovedError) string { return "see clawfs log " + quote(e.Path) + ", then try again" }),
		row(exitRefused, func(e *versions.RefusedError) string { return "see clawfs log " + quote(e.Path) }),
		row(exitFailed, func(e *fs.NotRegistryError) string { return "clawfs mount --help says which files are registries" }),
		row(exitFailed, func(e *fs.OldDaemonError) string {
			return "clawfs unmount " + quote(e.Dir) + " && clawfs mount " + quote(e.Dir)
		}),
		row(exitInUse, func(e *servedError) string { return "clawfs unmount " + quote(e.Dir) }),
		row(exitFailed, func(e *silentError) string { return "ask as root: sudo clawfs status " + quote(e.Dir) }),
		row(exitFailed, func(e *unsupervisedError) string {
			return "clawfs unmount " + quote(e.Dir) + " && clawfs mount --takeover " + quote(e.Dir)
		}),
		row(exitFailed, func(e *metricsError) string {
			return "give another address, as --metrics 127.0.0.1:9464 or --metrics unix:PATH"
		}),
		row(exitFailed, func(e *clusterError) string { return e.Hint }),
		row(exitNoFUSE, func(e *fs.TransportError) string {
			return "clawfs mount --transport auto takes the device instead"
		}),
		row(exitNoFUSE, func(e *fs.TakeoverError) string { return "mount without --takeover" }),
		row(exitUsage, func(e *listen.NotLocalError) string { return "give an address as 127.0.0.1:8080 or unix:PATH" }),
		row(exitNoFUSE, func(e *mountpoint.NoFUSEError) string { return e.Cure }),
	}
}

// row makes a rule for errors of type E.
func row[E error](code int, hint func(E) string) rule {
	return rule{
		is:   func(err error) bool { var e E; return errors.As(err, &e) },
		code: code,
		hint: func(err error) string {
			var e E
			errors.As(err, &e)
			return hint(e)
		},
	}
}

// classify turns any error into the failure that the user sees.
func classify(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	for _, r := range rules() {
		if r.is(err) {
			return &failure{Code: r.code, Message: err.Error(), Hint: r.hint(err)}
		}
	}
	return &failure{Code: exitFailed, Message: err.Error()}
}
