package versions

import "fmt"

// DeadError says that a directory can't be read, since the daemon that served it
// is gone and its mount is not.
type DeadError struct{ Dir string }

// Error names the directory.
func (e *DeadError) Error() string {
	return fmt.Sprintf("the daemon of the mount on %s is gone", e.Dir)
}

// StoppedError says that a directory can't be read, since the daemon that serves it is
// stopped. A request over io_uring would keep the command from ending, even when it is killed.
type StoppedError struct {
	Dir string
	PID int // of the daemon
}

// Error names the directory and the process.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("the daemon of %s, process %d, is stopped", e.Dir, e.PID)
}

// NotKeptError says that clawfs keeps nothing of a path.
type NotKeptError struct{ Path string }

// Error names the path.
func (e *NotKeptError) Error() string {
	return fmt.Sprintf("clawfs was never mounted on %s or above it", e.Path)
}

// NoVersionError says that a version is not, or no longer, there.
type NoVersionError struct {
	Name string
	Seq  uint64
	Kept []uint64 // those that are in the history
}

// Error names the registry, the version, and the versions that there are.
func (e *NoVersionError) Error() string {
	if len(e.Kept) == 0 {
		return fmt.Sprintf("there is no version %d of %s, nor any other old one", e.Seq, e.Name)
	}
	return fmt.Sprintf("there is no version %d of %s; the oldest that is kept is %d, the newest %d", e.Seq, e.Name, e.Kept[0], e.Kept[len(e.Kept)-1])
}

// NoCopyError says that there is no copy of an id in quarantine.
type NoCopyError struct{ ID, Dir string }

// Error names the id and the directory.
func (e *NoCopyError) Error() string {
	return fmt.Sprintf("there is no copy %s in the quarantine of %s", e.ID, e.Dir)
}

// RefusedError says that clawfs did not take the content.
type RefusedError struct {
	Path  string
	Cause error
}

// Error names the registry and the reason.
func (e *RefusedError) Error() string { return fmt.Sprintf("%s was refused: %v", e.Path, e.Cause) }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Cause }
