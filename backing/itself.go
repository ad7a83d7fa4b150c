package backing

import (
	"bytes"
	"io/fs"

	"golang.org/x/sys/unix"
)

// A file that becomes a registry by a rename or a link is copied, but for one case: it has
// another name, which goes on standing for it. The two are to be one file afterwards, as
// in a bare directory. So the file itself is staged, by a further name.

// isKept reports whether a file that a call is given as like has a name that it does not lose:
// the caller has given it a method KeepsName that returns true.
func isKept(like fs.File) bool {
	k, ok := like.(interface{ KeepsName() bool })
	return ok && k.KeepsName()
}

// linkStaged stages the file itself that is to become the registry. It returns false where that
// is to be copied: it keeps no name, it holds another content than the committed one, or it
// can't be linked.
func (r *replacement) linkStaged() bool {
	open, ok := r.like.(interface{ Fd() uintptr })
	if !ok || !isKept(r.like) {
		return false
	}
	fd := int(open.Fd())
	st, err := statFD(fd)
	if err != nil || st.size != int64(len(r.content)) || st.mtime.Nano() != r.mtime.UnixNano() {
		return false
	}
	content, err := readAll(fd, st.size, st.size)
	if err != nil || !bytes.Equal(content, r.content) {
		return false
	}
	if retry(func() error {
		return unix.Linkat(unix.AT_FDCWD, procFD(fd), r.hist, r.entry, unix.AT_SYMLINK_FOLLOW)
	}) != nil {
		return false
	}
	r.file, err = openAt(r.hist, r.entry, unix.O_RDONLY|unix.O_NOFOLLOW, 0)
	if r.itself = err == nil; !r.itself {
		_ = unlink(r.hist, r.entry)
	}
	return r.itself
}
