package backing

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// LockedError says that another process serves the directory.
type LockedError struct {
	Dir string
	PID int // of that process, 0 if it could not be told
}

// Error implements error.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is in use by another clawfs", e.Dir)
	}
	return fmt.Sprintf("%s is in use by another clawfs (process %d)", e.Dir, e.PID)
}

// FormatError says that the directory's .clawfs has a format that this version
// doesn't know.
type FormatError struct {
	Dir    string
	Found  string // the text of the format file, shortened
	Wanted int    // the newest format that is known
}

// Error implements error.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s/%s has format %q; this clawfs knows format %d", e.Dir, Name, e.Found, e.Wanted)
}

// SizeError says that a file is larger than a file that may be read.
type SizeError struct {
	Name        string
	Size, Limit int64 // bytes
}

// Error implements error.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%s has %d bytes, more than the %d that are read", e.Name, e.Size, e.Limit)
}

// Unwrap returns EFBIG.
func (e *SizeError) Unwrap() error { return unix.EFBIG }

// UncertainError says that a change was made but may not survive a power
// failure: the disk failed to sync it.
type UncertainError struct{ Err error }

// Error implements error.
func (e *UncertainError) Error() string { return e.Err.Error() + " (done, but perhaps not durable)" }

// Unwrap returns the disk's error.
func (e *UncertainError) Unwrap() error { return e.Err }

// Uncertain returns true: the change is in place.
func (e *UncertainError) Uncertain() bool { return true }
