package backing

import "golang.org/x/sys/unix"

// Files in .clawfs by which tools that take whole directories leave it out: it holds
// old versions, and credentials in them.
var ignoreNames = [...]string{".gitignore", ".npmignore"}

// ignoreAll is their content: a pattern for everything, themselves included.
const ignoreAll = "*\n"

// writeIgnores writes those that are missing. On a full disk, which is no reason to
// serve nothing, they are missing until the next Open.
func (d *Dir) writeIgnores() error {
	for _, name := range ignoreNames {
		err := d.writeIgnore(name)
		if err != nil && err != unix.EEXIST && err != unix.ENOSPC && err != unix.EDQUOT {
			return d.stateError("create", name, err)
		}
	}
	return nil
}

func (d *Dir) writeIgnore(name string) error {
	fd, err := openAt(d.state, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if err = d.giveAway(d.state, name); err == nil {
		err = writeAll(fd, []byte(ignoreAll))
	}
	if err != nil {
		_ = unlink(d.state, name)
	}
	return err
}
