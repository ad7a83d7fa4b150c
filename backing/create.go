package backing

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Create makes an empty live file where there is none; ok is false where there is
// something. like, if not nil, is an open file whose owner, mode, extended attributes
// and number the new file gets. If like has no name, or keeps one (itself.go), it becomes the new
// file itself. If it is nil, the mode is 0600. Earlier records of the registry are made durable
// first: an empty file whose log ends with a version is taken for one that has lost its content.
// The new file itself survives a kill; a sync of its directory makes it survive a power failure.
func (d *Dir) Create(name string, like fs.File) (stamp string, ok bool, err error) {
	if err := d.change("create", name); err != nil {
		return "", false, err
	}
	defer d.leave()
	st, err := d.create(name, like)
	if err == unix.EEXIST {
		return "", false, nil
	}
	return st.stamp(), err == nil, wrap("create", name, err)
}

func (d *Dir) create(name string, like fs.File) (*state, error) {
	dir, base := split(name)
	parent, err := openDir(d.root, dir)
	if err != nil {
		return nil, err
	}
	defer closeFD(parent)
	if err := d.syncLog(name); err != nil {
		return nil, err
	}
	if err := d.o.reach("create empty"); err != nil {
		return nil, err
	}
	if !linkItself(like, parent, base) {
		if err := d.createLike(parent, base, like); err != nil {
			return nil, err
		}
	}
	return statAt(parent, base)
}

// syncLog makes the log of a registry durable.
func (d *Dir) syncLog(name string) error {
	hist, err := d.openHistory(name)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeFD(hist)
	if err := d.o.reach("sync log"); err != nil {
		return err
	}
	if err := d.syncEntry(hist, logEntry); err != unix.ENOENT {
		return err
	}
	return nil
}

// linkItself gives an open file the name of a live file, if it has no name, or one that it
// keeps. It reports whether it could.
func linkItself(like fs.File, parent int, base string) bool {
	open, ok := like.(interface{ Fd() uintptr })
	if !ok {
		return false
	}
	st, err := statFD(int(open.Fd()))
	if err != nil || st.links > 0 && !isKept(like) || !st.regular() || st.size > 0 {
		return false
	}
	return retry(func() error {
		return unix.Linkat(unix.AT_FDCWD, procFD(int(open.Fd())), parent, base, unix.AT_SYMLINK_FOLLOW)
	}) == nil
}

// createLike makes an empty file with the attributes and the number of an open one. One
// that can't get them is taken away again.
func (d *Dir) createLike(parent int, base string, like fs.File) error {
	fd, err := openAt(parent, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if like == nil {
		return nil
	}
	if err = d.makeLike(fd, like); err != nil {
		_ = unlink(parent, base)
		return errno(err)
	}
	return nil
}

func (d *Dir) makeLike(fd int, like fs.File) error {
	a, err := attributesOf(like)
	if err != nil {
		return err
	}
	is, err := statFD(fd)
	if err != nil {
		return err
	}
	if err := a.apply(fd, is); err != nil {
		return err
	}
	number, from, err := d.numberFrom(like)
	if err == nil && number != 0 {
		d.numbers.Carry(is.ino, is.birth, number)
	}
	if err == nil && from != nil && from.links > 0 { // it is renamed, which changes no time
		times := []unix.Timespec{from.mtime, from.mtime}
		err = retry(func() error { return unix.UtimesNanoAt(fd, "", times, unix.AT_EMPTY_PATH) })
	}
	return err
}

// keepDisplaced puts the file that came out of an exchange, and is to be no version,
// into quarantine. A program that has the file open may be writing to it still, and its
// bytes must not vanish. An empty file that nobody writes to is removed.
func (r *replacement) keepDisplaced() error {
	if r.isLinked() { // his bytes are there under another name
		return unlink(r.hist, r.entry)
	}
	if r.was.size == 0 && !isWritten(r.hist, r.entry) {
		_, err := r.d.resolveNew(r.hist, r.history.name, r.entry, 0, displaced)
		return err
	}
	_, err := r.d.quarantineEntry(r.hist, r.entry, r.history.name, stray{why: displaced})
	return err
}

// isWritten reports whether a process has a file open for writing: then the kernel
// grants no lease for reading. Where there are no leases it is taken for unwritten.
func isWritten(dir int, entry string) bool {
	fd, err := openAt(dir, entry, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer closeFD(fd) // and gives the lease back
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return err == unix.EAGAIN
}
