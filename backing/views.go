package backing

import (
	"golang.org/x/sys/unix"
)

// viewsName is where AppendViews puts what it is given, in .clawfs.
const viewsName = "views"

// AppendViews adds lines to the record of what is known of living processes, for the
// next Open. It need not survive a power failure, which no process does. After an
// error the record may end with a part of them.
func (d *Dir) AppendViews(lines []byte) error {
	if d.o.ReadOnly {
		return d.stateError("write", viewsName, unix.EROFS)
	}
	if err := d.use("append views"); err != nil {
		return err
	}
	defer d.leave()
	if err := d.appendViews(lines); err != nil {
		return d.stateError("write", viewsName, err)
	}
	return nil
}

func (d *Dir) appendViews(lines []byte) error {
	fd, err := openAt(d.state, viewsName, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := d.giveAway(d.state, viewsName); err != nil {
		return err
	}
	return writeAll(fd, lines)
}

// TakeViews returns the record, and removes it, since it is outdated with the first
// write; nil where there is nothing.
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
