package fs

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"clawfs/txn"
	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// told holds the errnos that tell the kernel of an error: on a plain file, on a
// registry, of a commit and of a rename.
type told [4]syscall.Errno

func all(errno syscall.Errno) told { return told{errno, errno, errno, errno} }

func toldOf(err error) told {
	return told{plainErrno(err), registryErrno(err), commitErrno(err), renameErrno(err)}
}

// errnoCases holds one error for each row of errnoTable, in its order.
func errnoCases() []struct {
	err  error
	want told
} {
	const eio = unix.EIO
	return []struct {
		err  error
		want told
	}{
		{&txn.InvalidError{Name: "a.json", Cause: &jsondoc.SyntaxError{}}, told{unix.EINVAL, unix.EINVAL, unix.EINVAL, unix.EILSEQ}},
		{&txn.TooLargeError{Name: "a.json"}, all(unix.EFBIG)},
		{&merge.ConflictError{}, all(unix.EBUSY)},
		{&txn.StaleError{Name: "a.json"}, all(unix.EBUSY)},
		{&txn.UnsureError{Name: "a.json", Err: unix.EROFS}, all(eio)},
		{txn.ErrBeaten, all(unix.EBUSY)},
		{&txn.AbortedError{Name: "a.json"}, all(unix.ECANCELED)},
		{&txn.FaultError{Name: "a.json"}, all(eio)},
		{unix.ESTALE, all(eio)},
		{unix.EBADMSG, told{unix.EBADMSG, eio, eio, eio}},
		{unix.EUCLEAN, told{unix.EUCLEAN, eio, eio, eio}},
		{unix.EDQUOT, told{unix.EDQUOT, unix.ENOSPC, unix.ENOSPC, unix.ENOSPC}},
		{unix.ENOSYS, all(unix.EOPNOTSUPP)},
		{iofs.ErrClosed, all(eio)},
		{unix.EACCES, told{unix.EACCES, unix.EACCES, eio, eio}},
		{unix.EEXIST, told{unix.EEXIST, unix.EEXIST, eio, unix.EEXIST}},
		{unix.ENOENT, told{unix.ENOENT, unix.ENOENT, eio, eio}},
		{unix.EXDEV, told{unix.EXDEV, unix.EXDEV, eio, eio}},
	}
}

// wrappings returns an error as callers meet it.
func wrappings(err error) []error {
	return []error{
		err,
		fmt.Errorf("registry: %w", err),
		&os.PathError{Op: "open", Path: "a.json", Err: err},
		errors.Join(errors.New("another"), err),
	}
}

func TestErrnoTable(t *testing.T) {
	cases := errnoCases()
	if len(cases) != len(errnoTable()) {
		t.Fatalf("%d cases for %d rows", len(cases), len(errnoTable()))
	}
	for i, c := range cases {
		for _, err := range wrappings(c.err) {
			first := slices.IndexFunc(errnoTable(), func(r errnoRow) bool { return r.is(err) })
			if first != i {
				t.Errorf("%T %v meets row %d, want %d", err, err, first, i)
			}
			if got := toldOf(err); got != c.want {
				t.Errorf("%T %v: told %v, want %v", err, err, got, c.want)
			}
		}
	}
}

func TestErrnoOfOthers(t *testing.T) {
	for _, c := range []struct {
		err  error
		want told
	}{
		{nil, all(0)},
		{unix.ENOSPC, all(unix.ENOSPC)},
		{unix.EROFS, all(unix.EROFS)},
		{unix.EISDIR, all(unix.EISDIR)},
		{unix.EPERM, told{unix.EPERM, unix.EPERM, unix.EIO, unix.EIO}},
		{iofs.ErrPermission, told{unix.EACCES, unix.EACCES, unix.EIO, unix.EIO}},
		{iofs.ErrExist, told{unix.EEXIST, unix.EEXIST, unix.EIO, unix.EEXIST}},
		{iofs.ErrNotExist, told{unix.ENOENT, unix.ENOENT, unix.EIO, unix.EIO}},
		{iofs.ErrInvalid, all(unix.EINVAL)},
		{errors.New("something else"), all(unix.EIO)},
		{fmt.Errorf("no errno: %w", syscall.Errno(0)), all(unix.EIO)},
	} {
		if got := toldOf(c.err); got != c.want {
			t.Errorf("%v: told %v, want %v", c.err, got, c.want)
		}
	}
}

// Programs answer these by writing in place, by copying, or by printing "unknown
// error"; the kernel answers ESTALE by sending the request once more.
func TestRefusedCommitIsNotMisread(t *testing.T) {
	misread := []syscall.Errno{unix.EPERM, unix.EACCES, unix.EEXIST, unix.ENOENT, unix.ESTALE, unix.EXDEV, unix.EBADMSG, unix.EUCLEAN, unix.EDQUOT, unix.ENOSYS, 0}
	for errno := syscall.Errno(1); errno < 134; errno++ {
		for _, err := range wrappings(errno) {
			if got := commitErrno(err); slices.Contains(misread, got) {
				t.Errorf("a commit refused with %v is told as %v", errno, got)
			}
			got := renameErrno(err)
			if got == unix.EEXIST && errors.Is(err, iofs.ErrExist) {
				continue // asked for by RENAME_NOREPLACE and link
			}
			if slices.Contains(misread, got) {
				t.Errorf("a rename refused with %v is told as %v", errno, got)
			}
		}
	}
}
