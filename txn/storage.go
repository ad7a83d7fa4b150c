package txn

import (
	"io"
	"io/fs"
	"time"
)

// Storage has the calls to the disk by which a Store can keep its promises. It
// uses standard types only, so that an implementation need not know this
// package. The real directory is package backing; package txntest has one in
// memory that can lose power and fail on purpose. One conformance suite, in
// package backingtest, runs against every implementation.
//
// A name is the slash-separated path of a registry below the root; it never
// starts with "/" and has no "." or ".." elements. Versions of a name are
// numbered by the caller, ascending from 1.
//
// Nothing above Storage may assume that it is alone: the live file can change
// behind it, and a commit can be beaten by another one.
//
// All methods may be called concurrently. Calls for one name that change it
// are made one at a time.
type Storage interface {
	// Load reads the live file; mtime is its modification time. The stamp identifies this very state of the
	// file: it changes whenever anybody but Commit changes the file. Errors:
	// fs.ErrNotExist; fs.ErrInvalid where the name is no regular file;
	// *fs.PathError with the errno for all else.
	Load(name string) (content []byte, mtime time.Time, stamp string, err error)

	// Stamp returns the stamp of the live file without reading it, or "" and
	// nil where there is none.
	Stamp(name string) (string, error)

	// Linked reports whether a stamp is that of a live file that has other names.
	Linked(stamp string) bool

	// SameFile reports whether two stamps may be of one live file, with or without a
	// change in between.
	SameFile(a, b string) bool

	// Commit replaces the live file by content, atomically and as durably as
	// the storage was opened for, provided that the file's stamp is still the
	// given one ("" says that there must be no file). ok is false and nothing
	// has changed where it is not: the commit was beaten.
	//
	// seq numbers the new version, oldSeq the replaced one (0: there was none),
	// under which the former live file goes to the history. digest is the SHA-256 of content; mtime
	// becomes the file's modification time. like, if not nil, is an open file whose owner, mode,
	// extended attributes and inode number, as programs see it, the new file gets; otherwise it
	// gets those of the live file, and is that for its other names, too. Where like has a method
	// KeepsName() bool that returns true, it has a name that stays: the new file is like itself
	// then, if that holds content.
	//
	// After an error nothing was replaced, unless the error has a method
	// Uncertain() bool that returns true: then the new content is in place but
	// may not survive a power failure.
	Commit(name, stamp string, seq, oldSeq uint64, content []byte, digest [32]byte, mtime time.Time, like fs.File) (newStamp string, ok bool, err error)

	// SetTime gives the live file another modification time if its stamp still is the
	// given one; ok is false, and nothing has changed, where it is not. That need not
	// survive a power failure.
	SetTime(name, stamp string, mtime time.Time) (newStamp string, ok bool, err error)

	// Restore is Commit of an older content in place of one that is damaged. Nothing of
	// that is to be a version; where the file has other names they keep it.
	Restore(name, stamp string, seq uint64, content []byte, digest [32]byte, mtime time.Time) (newStamp string, ok bool, err error)

	// Create makes an empty live file; ok is false, and nothing has changed, where
	// there is something of that name. like is as for Commit; one that has no name
	// may become the file itself. All records of name are durable before. The file
	// need not survive a power failure.
	Create(name string, like fs.File) (stamp string, ok bool, err error)

	// Remove deletes the live file if its stamp still is the given one; the
	// file becomes version oldSeq in the history (0: it was empty, and nothing of it
	// is kept; that need not survive a power failure).
	Remove(name, stamp string, oldSeq uint64) (ok bool, err error)

	// Rename moves the live file, or a whole directory, to another name and
	// its history with it. With noreplace an existing target is fs.ErrExist.
	Rename(from, to string, noreplace bool) error

	// Exchange has two names, of directories or files, change places, and the histories
	// of both and of the registries below them.
	Exchange(one, other string) error

	// LastRecord returns the newest line recorded for name, nil if there is
	// none. It costs the same however long the log is.
	LastRecord(name string) ([]byte, error)

	// FirstRecord returns the oldest line recorded for name that is still there, nil if
	// there is none.
	FirstRecord(name string) ([]byte, error)

	// Record appends one line, a JSON object without its newline, to the log of
	// name. It is not durable by itself.
	Record(name string, line []byte) error

	// Archive keeps content as version seq of name although it never was the
	// live file: a version that was superseded within one batch.
	Archive(name string, seq uint64, content []byte, digest [32]byte) error

	// Version returns the content kept as version seq, fs.ErrNotExist if it
	// is not kept.
	Version(name string, seq uint64) ([]byte, error)

	// Versions lists the versions kept for name, ascending.
	Versions(name string) ([]uint64, error)

	// Forget removes versions of name for good; one that is not kept is no error.
	// The record of views is gone, too, since it may hold their content.
	Forget(name string, seqs ...uint64) error

	// Gone yields the names that something is kept of and that have no live file: how
	// much room it takes on disk, and when it was changed last.
	Gone(yield func(name string, room int64, changed time.Time) bool) error

	// Erase removes the history and the log of a name that has no live file; ok is
	// false, and nothing has changed, where it has one. Quarantine stays.
	Erase(name string) (ok bool, err error)

	// AppendViews adds the output of lines to the record of living processes' views, for the
	// next store; it returns the error of lines, too. The record need not survive a power
	// failure, which no process does. TakeViews returns the record and begins a new one, nil
	// where there is nothing. Its caller closes it.
	AppendViews(lines func(io.Writer) error) error
	TakeViews() (io.ReadCloser, error)

	// Quarantine keeps refused or aborted content durably. meta is one JSON
	// object that says the writer, the time, and why it was refused. The id names
	// the copy.
	Quarantine(name string, content, meta []byte) (id string, err error)

	// Discard removes a quarantined copy that a later commit made moot.
	Discard(id string) error

	// IsKept reports whether a quarantined copy still is there.
	IsKept(id string) bool

	// Sync makes the changes durable that calls have returned without.
	Sync() error
}
