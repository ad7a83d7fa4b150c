package txn

import (
	"errors"
	"fmt"

	"clawfs/txn/jsondoc"
)

// InvalidError says that content is not one complete document in the registry's
// dialect.
type InvalidError struct {
	Name  string               // the registry
	Cause *jsondoc.SyntaxError // where and why; never holds a value
	Cure  string               // how to make it acceptable; empty where nothing can
}

// Error returns the registry's name, the position, the problem and the cure.
func (e *InvalidError) Error() string {
	if e.Cure == "" {
		return fmt.Sprintf("%s: %v", e.Name, e.Cause)
	}
	return fmt.Sprintf("%s: %v; %s", e.Name, e.Cause, e.Cure)
}

// Unwrap returns the parser's error.
func (e *InvalidError) Unwrap() error { return e.Cause }

// TooLargeError says that content would exceed the size limit of registries.
type TooLargeError struct {
	Name        string
	Size, Limit int64 // bytes
}

// Error returns the registry's name and both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: %d bytes exceed the limit of %d", e.Name, e.Size, e.Limit)
}

// StaleError says that the registry has moved on since the version that the
// content was made from, where the configuration, or the writer, wants such a write
// refused.
type StaleError struct {
	Name       string
	Base, Head uint64 // sequence numbers; 0 for none
	Named      bool   // the writer has named another head; Base is not known
}

// Error returns the registry's name and both versions.
func (e *StaleError) Error() string {
	if e.Named {
		return fmt.Sprintf("%s: it was to replace another version than the head, which is %d", e.Name, e.Head)
	}
	return fmt.Sprintf("%s: made from version %d, the head is %d", e.Name, e.Base, e.Head)
}

// UnsureError says that the newest version of a registry can't be told, where readings are to be of
// that.
type UnsureError struct {
	Name string
	Err  error
}

// Error returns the registry's name and the reason.
func (e *UnsureError) Error() string {
	return fmt.Sprintf("%s: its newest version is not known: %v", e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *UnsureError) Unwrap() error { return e.Err }

// AbortedError says that a transaction was ended before its writer had closed the
// file: the writer was killed, or clawfs was told to end at once.
type AbortedError struct {
	Name   string
	Signal int // the number of the signal that killed the writer; 0: clawfs ended
}

// Error returns the registry's name and the signal.
func (e *AbortedError) Error() string {
	if e.Signal == 0 {
		return e.Name + ": aborted, clawfs was told to end before the file was closed"
	}
	return fmt.Sprintf("%s: aborted, the writer was killed by signal %d", e.Name, e.Signal)
}

// UnkeptError says that content was refused and could not be put into quarantine
// either: only its writer still has it.
type UnkeptError struct {
	Name  string
	Cause error // why it was refused
	Err   error // why it could not be kept
}

// Error returns both reasons.
func (e *UnkeptError) Error() string {
	return fmt.Sprintf("%v, and could not be kept in quarantine: %v", e.Cause, e.Err)
}

// Unwrap returns the storage's error: it is the one that the writer must know.
func (e *UnkeptError) Unwrap() error { return e.Err }

// FaultError says that the store has a fault: it panicked while it carried out
// a commit. The registry is as it was.
type FaultError struct {
	Name  string
	Stack string // where; holds no values of documents
}

// Error returns the registry's name.
func (e *FaultError) Error() string { return e.Name + ": internal fault" }

// ErrBeaten says that the backing file kept changing behind the store, so that
// a commit could not be placed within a bounded number of attempts.
var ErrBeaten = errors.New("registry keeps changing behind the store")
