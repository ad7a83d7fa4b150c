package backing

import "golang.org/x/sys/unix"

// fillReserve sets space aside, unless that was done, so that content that is refused
// because the disk is full can be kept all the same. Where there is no room for it, or
// the file system can't, there is no reserve.
func (d *Dir) fillReserve() {
	fd, err := openAt(d.state, reserveName, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return
	}
	defer closeFD(fd)
	err = retry(func() error { return unix.Fallocate(fd, 0, 0, d.o.Reserve) })
	if err != nil || d.giveAway(d.state, reserveName) != nil {
		_ = unlink(d.state, reserveName)
	}
}

// spendReserve gives the reserve up if an error says that there is no room, and
// reports whether it did: then another attempt may succeed. It is set aside again
// by the next Open or Discard.
func (d *Dir) spendReserve(err error) bool {
	if err != unix.ENOSPC && err != unix.EDQUOT {
		return false
	}
	return unlink(d.state, reserveName) == nil
}
