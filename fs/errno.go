package fs

import (
	"errors"
	iofs "io/fs"
	"syscall"

	"golang.org/x/sys/unix"

	"clawfs/txn"
	"clawfs/txn/merge"
)

// errnoRow has the errno for errors that match, by the kind of request. 0 passes the
// error's own errno on.
type errnoRow struct {
	is       func(error) bool
	plain    syscall.Errno // anything on a plain file or a directory
	registry syscall.Errno // opening a registry, or its metadata
	commit   syscall.Errno // close, fsync, truncate, write
	rename   syscall.Errno // rename and link onto a registry
}

// errnoTable is the one table from error to errno. The first row that fits
// decides; an errno that is in no row is passed on as it is, any other error is
// EIO.
//
// ESTALE is nobody's: the kernel would send the request once more. Node has no
// names for EDQUOT, EBADMSG and EUCLEAN. A refused commit is none of those that
// programs answer by writing in place or by copying: EPERM, EACCES, EEXIST, ENOENT
// and EXDEV. mv takes EINVAL of rename for a directory that is to go below itself.
func errnoTable() []errnoRow {
	return []errnoRow{
		row(of[*txn.InvalidError], unix.EINVAL, unix.EINVAL, unix.EINVAL, unix.EILSEQ),
		same(of[*txn.TooLargeError], unix.EFBIG),
		same(of[*merge.ConflictError], unix.EBUSY),
		same(of[*txn.StaleError], unix.EBUSY),
		same(of[*txn.UnsureError], unix.EIO),
		same(is(txn.ErrBeaten), unix.EBUSY),
		same(of[*txn.AbortedError], unix.ECANCELED),
		same(of[*txn.FaultError], unix.EIO),
		same(is(unix.ESTALE), unix.EIO),
		row(is(unix.EBADMSG), 0, unix.EIO, unix.EIO, unix.EIO),
		row(is(unix.EUCLEAN), 0, unix.EIO, unix.EIO, unix.EIO),
		row(is(unix.EDQUOT), 0, unix.ENOSPC, unix.ENOSPC, unix.ENOSPC),
		same(is(unix.ENOSYS), unix.EOPNOTSUPP), // the kernel would never ask again
		same(is(iofs.ErrClosed), unix.EIO),
		row(is(iofs.ErrPermission), 0, 0, unix.EIO, unix.EIO), // EPERM and EACCES
		row(is(iofs.ErrExist), 0, 0, unix.EIO, unix.EEXIST),   // of rename only where it was told not to replace
		row(is(iofs.ErrNotExist), 0, 0, unix.EIO, unix.EIO),
		row(is(unix.EXDEV), 0, 0, unix.EIO, unix.EIO),
	}
}

func row(is func(error) bool, plain, registry, commit, rename syscall.Errno) errnoRow {
	return errnoRow{is: is, plain: plain, registry: registry, commit: commit, rename: rename}
}

func same(is func(error) bool, errno syscall.Errno) errnoRow {
	return row(is, errno, errno, errno, errno)
}

// is makes a test for one error, of for errors of one type.
func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func of[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// plainErrno returns the errno that tells the kernel of an error on a plain file.
func plainErrno(err error) syscall.Errno {
	if err == unix.ENOENT { // the most frequent one
		return unix.ENOENT
	}
	return errnoOf(err, func(r errnoRow) syscall.Errno { return r.plain })
}

// registryErrno returns the errno that tells the kernel of an error on a registry
// that keeps it from being opened, or its metadata from being changed.
func registryErrno(err error) syscall.Errno {
	if err == unix.ENOENT {
		return unix.ENOENT
	}
	return errnoOf(err, func(r errnoRow) syscall.Errno { return r.registry })
}

// commitErrno returns the errno that tells the kernel of a refused commit.
func commitErrno(err error) syscall.Errno {
	return errnoOf(err, func(r errnoRow) syscall.Errno { return r.commit })
}

// renameErrno is commitErrno for rename(2) and link(2).
func renameErrno(err error) syscall.Errno {
	return errnoOf(err, func(r errnoRow) syscall.Errno { return r.rename })
}

func errnoOf(err error, column func(errnoRow) syscall.Errno) syscall.Errno {
	if err == nil {
		return 0
	}
	for _, row := range errnoTable() {
		if row.is(err) {
			if errno := column(row); errno != 0 {
				return errno
			}
			break
		}
	}
	return ownErrno(err)
}

// ownErrno returns the errno inside an error, or the one that an error without
// an errno stands for.
func ownErrno(err error) syscall.Errno {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno) && errno != 0:
		return errno
	case errors.Is(err, iofs.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, iofs.ErrExist):
		return syscall.EEXIST
	case errors.Is(err, iofs.ErrPermission):
		return syscall.EACCES
	case errors.Is(err, iofs.ErrInvalid):
		return syscall.EINVAL
	}
	return syscall.EIO
}
