package backing

import (
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"
)

type ids struct{ uid, gid uint32 }

// procPath names an entry of an open directory. It is for the calls that have
// no descriptor-relative form: those on extended attributes of a file that must
// not, or may not, be opened.
func procPath(dir int, name string) string { return procFD(dir) + "/" + name }

func procFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// attributes are those that a new file takes over from the one it replaces.
type attributes struct {
	ids
	mode   uint32 // permissions, without the set-id bits
	xattrs []xattr
}

type xattr struct {
	name  string
	value []byte
}

const permissions = 0o1777

// attributesAt returns those of an entry of a directory; st is its state.
func attributesAt(dir int, name string, st *state) (attributes, error) {
	path := procPath(dir, name)
	x, err := readXattrs(
		func(b []byte) (int, error) { return unix.Llistxattr(path, b) },
		func(attr string, b []byte) (int, error) { return unix.Lgetxattr(path, attr, b) },
	)
	return attributes{ids{st.uid, st.gid}, st.mode & permissions, x}, err
}

// attributesOf returns those of an open file. One that has no descriptor gives
// those of its FileInfo.
func attributesOf(f fs.File) (attributes, error) {
	info, err := f.Stat()
	if err != nil {
		return attributes{}, err
	}
	a := attributes{ids{uint32(unix.Geteuid()), uint32(unix.Getegid())}, uint32(info.Mode().Perm()), nil}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		a.ids, a.mode = ids{st.Uid, st.Gid}, st.Mode&permissions
	}
	if open, ok := f.(interface{ Fd() uintptr }); ok {
		path := procFD(int(open.Fd())) // an O_PATH descriptor gives its attributes this way only
		a.xattrs, err = readXattrs(
			func(b []byte) (int, error) { return unix.Listxattr(path, b) },
			func(attr string, b []byte) (int, error) { return unix.Getxattr(path, attr, b) },
		)
	}
	return a, err
}

// readXattrs reads all extended attributes. A file system without them has none.
func readXattrs(list func([]byte) (int, error), get func(string, []byte) (int, error)) ([]xattr, error) {
	names, err := grow(list)
	if err == unix.EOPNOTSUPP || len(names) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []xattr
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if bound(name) {
			continue
		}
		value, err := grow(func(b []byte) (int, error) { return get(name, b) })
		switch err {
		case nil:
			all = append(all, xattr{name, value})
		case unix.ENODATA, unix.EOPNOTSUPP, unix.EPERM, unix.EACCES: // gone meanwhile, or not ours to read
		default:
			return nil, err
		}
	}
	return all, nil
}

// bound reports whether an extended attribute says something about one inode or
// one content, so that another file must not have it.
func bound(name string) bool {
	switch name {
	case "security.ima", "security.evm", "security.capability":
		return true
	}
	return strings.HasPrefix(name, "trusted.overlay.")
}

// grow calls a function that fills a buffer with larger ones until all fits.
func grow(fill func([]byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		b := make([]byte, size)
		var n int
		err := retry(func() (err error) {
			n, err = fill(b)
			return err
		})
		if err == unix.ERANGE && size < 1<<20 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return b[:n], nil
	}
}

// apply gives an open file, just created with mode 0600 by this process, the
// attributes; is is its state. Where the owner can't be given away, nobody gets
// rights that he had not: the rights of the group go to no other group.
func (a attributes) apply(fd int, is *state) error {
	mode := a.mode
	if (ids{is.uid, is.gid}) != a.ids {
		mode = a.chown(fd)
	}
	for _, x := range a.xattrs {
		err := retry(func() error { return unix.Fsetxattr(fd, x.name, x.value, 0) })
		if err != nil && !dispensable(x.name, err) {
			return err
		}
	}
	if mode == is.mode&permissions && len(a.xattrs) == 0 {
		return nil
	}
	return retry(func() error { return unix.Fchmod(fd, mode) })
}

// chown gives the file away as far as the process may, and returns the mode that
// goes with the result.
func (a attributes) chown(fd int) uint32 {
	if unix.Fchown(fd, int(a.uid), int(a.gid)) == nil {
		return a.mode
	}
	if unix.Fchown(fd, -1, int(a.gid)) == nil {
		return a.mode
	}
	return a.mode&^0o070 | a.mode&0o007<<3&a.mode
}

// dispensable reports whether a file may go without an attribute that could not
// be set: one that only the system sets, or that the file system doesn't know.
// Without its ACL, a file's mode would grant rights that the ACL had not.
func dispensable(name string, err error) bool {
	switch err {
	case unix.EPERM, unix.EACCES, unix.EOPNOTSUPP, unix.EINVAL:
		return name != aclAccess
	}
	return false
}
