package backing

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// viewsName is the file in .clawfs where AppendViews puts its lines.
const viewsName = "views"

// AppendViews adds lines to the record of the views of living processes, for the next Open. It
// need not survive a power failure, which no process does. After an error, that of lines among
// them, the record may end with a part of it.
func (d *Dir) AppendViews(lines func(io.Writer) error) error {
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

func (d *Dir) appendViews(lines func(io.Writer) error) error {
	fd, err := openAt(d.state, viewsName, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err := d.giveAway(d.state, viewsName); err != nil {
		return err
	}
	return lines(descriptor(fd))
}

// descriptor is a file that is open for writing.
type descriptor int

// Write writes all of b.
func (fd descriptor) Write(b []byte) (int, error) {
	if err := writeAll(int(fd), b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// TakeViews returns the record, and removes it, since it is outdated with the first
// write; nil where there is nothing. Its caller closes it.
func (d *Dir) TakeViews() (io.ReadCloser, error) {
	if err := d.use("take views"); err != nil {
		return nil, err
	}
	defer d.leave()
	fd, _, err := openRegular(d.state, viewsName)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, d.stateError("read", viewsName, err)
	}
	record := os.NewFile(uintptr(fd), viewsName)
	if !d.o.ReadOnly {
		if err := unlink(d.state, viewsName); err != nil {
			_ = record.Close()
			return nil, d.stateError("read", viewsName, err)
		}
	}
	return record, nil
}
