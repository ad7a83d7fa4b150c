package backing

import (
	"golang.org/x/sys/unix"
)

// viewsName is where SaveViews keeps what it is given, in .clawfs.
const viewsName = "views"

// SaveViews keeps what is known of living processes for the next Open, in place of
// what was kept before. It need not survive a power failure, which no process
// does.
func (d *Dir) SaveViews(b []byte) error {
	if d.o.ReadOnly {
		return d.stateError("write", viewsName, unix.EROFS)
	}
	if err := d.use("save views"); err != nil {
		return err
	}
	defer d.leave()
	if err := d.writeViews(b); err != nil {
		_ = unlink(d.state, viewsName)
		return d.stateError("write", viewsName, err)
	}
	return nil
}

func (d *Dir) writeViews(b []byte) error {
	if err := unlink(d.state, viewsName); err != nil && err != unix.ENOENT {
		return err
	}
	fd, err := openAt(d.state, viewsName, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := d.giveAway(d.state, viewsName); err != nil {
		return err
	}
	return writeAll(fd, b)
}

// TakeViews returns what SaveViews has kept, and removes it, since it is outdated
// with the first write; nil where there is nothing.
func (d *Dir) TakeViews() ([]byte, error) {
	if err := d.use("take views"); err != nil {
		return nil, err
	}
	defer d.leave()
	b, err := readFileAt(d.state, viewsName, d.o.MaxLoad)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err == nil && !d.o.ReadOnly {
		err = unlink(d.state, viewsName)
	}
	if err != nil {
		return nil, d.stateError("read", viewsName, err)
	}
	return b, nil
}
