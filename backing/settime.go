package backing

import (
	"time"

	"golang.org/x/sys/unix"
)

// SetTime gives the live file of a registry another modification time if its stamp still
// is the given one. Otherwise ok is false and nothing has changed. It need not survive a
// power failure.
func (d *Dir) SetTime(name, stamp string, mtime time.Time) (newStamp string, ok bool, err error) {
	if err := d.change("set time", name); err != nil {
		return "", false, err
	}
	defer d.leave()
	st, err := d.setTime(name, stamp, mtime)
	return st.stamp(), st != nil, wrap("set time", name, err)
}

func (d *Dir) setTime(name, stamp string, mtime time.Time) (*state, error) {
	dir, base := split(name)
	parent, err := openDir(d.root, dir)
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeFD(parent)
	file, err := openAt(parent, base, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeFD(file)
	st, err := statFD(file)
	if err != nil || st.stamp() != stamp {
		return nil, err
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(mtime.UnixNano())}
	if err := retry(func() error { return unix.UtimesNanoAt(file, "", times, unix.AT_EMPTY_PATH) }); err != nil {
		return nil, err
	}
	return statFD(file)
}
