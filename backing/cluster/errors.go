package cluster

import (
	"fmt"
	"strings"
	"syscall"
)

// UnavailableError says that nothing was committed, nor will be.
type UnavailableError struct {
	Err  error
	Full bool // the cluster has no room
}

// Error says why.
func (e *UnavailableError) Error() string {
	if e.Full {
		return fmt.Sprintf("the cluster has no room: %v; compact it, defragment it, and disarm its alarm", e.Err)
	}
	return fmt.Sprintf("the cluster cannot be written: %v", e.Err)
}

// Unavailable is for package txn.
func (e *UnavailableError) Unavailable() bool { return true }

// Unwrap returns the errno that programs get: EROFS, or ENOSPC.
func (e *UnavailableError) Unwrap() error {
	if e.Full {
		return syscall.ENOSPC
	}
	return syscall.EROFS
}

// UnknownError says that nobody knows whether it was committed. The registry tells, once
// the cluster answers.
type UnknownError struct{ Err error }

// Error says why.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("outcome unknown: the cluster did not answer whether it has committed: %v", e.Err)
}

// Unknown is for package txn.
func (e *UnknownError) Unknown() bool { return true }

// Unwrap returns the errno that programs get: EIO.
func (e *UnknownError) Unwrap() error { return syscall.EIO }

// TooLargeError says that a registry takes a larger request than the cluster allows.
type TooLargeError struct {
	Name string
	Err  error
}

// Error returns the cluster's message.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: it takes a larger request than the cluster allows: %v", e.Name, e.Err)
}

// Unwrap returns the errno that programs get: EFBIG.
func (e *TooLargeError) Unwrap() error { return syscall.EFBIG }

// UncertainError says that the cluster has committed, but that this host's live file could
// not follow.
type UncertainError struct{ Err error }

// Error returns the local storage's message.
func (e *UncertainError) Error() string {
	return fmt.Sprintf("committed, but the live file could not follow: %v", e.Err)
}

// Uncertain is for package txn.
func (e *UncertainError) Uncertain() bool { return true }

// Unwrap returns the local storage's error.
func (e *UncertainError) Unwrap() error { return e.Err }

// UnrelatedError says that registries of a directory, and those of the cluster that have
// the same names, have nothing to do with each other.
type UnrelatedError struct{ Names []string }

// Error lists the names.
func (e *UnrelatedError) Error() string {
	return "the cluster has other registries of these names, and none is known to have been made from the other: " + strings.Join(e.Names, ", ")
}
