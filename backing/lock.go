package backing

import (
	"os"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// Format is the number of the format of .clawfs that this package writes. It reads
// those from oldestFormat on, and makes them its own when it takes the lock.
const (
	Format       = 2
	oldestFormat = 1
)

const formatPrefix = "clawfs "

// takeLock takes .clawfs/lock and writes the process id into it. It is the only
// step that goes by a path, which is why it must come before the mount; the
// lock is held by its descriptor from then on.
func (d *Dir) takeLock() error {
	lock := flock.New(procPath(d.state, lockName),
		flock.SetFlag(os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return d.stateError("lock", lockName, errno(err))
	}
	if !ok {
		return &LockedError{Dir: d.path, PID: d.lockHolder()}
	}
	d.lock = lock
	if err := d.giveAway(d.state, lockName); err != nil {
		return d.stateError("chown", lockName, err)
	}
	if err := d.overwrite(lockName, strconv.Itoa(os.Getpid())+"\n"); err != nil {
		return d.stateError("write", lockName, err)
	}
	return nil
}

// lockHolder returns the process id in the lock file, 0 if there is none yet.
func (d *Dir) lockHolder() int {
	b, err := readFileAt(d.state, lockName, 64)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// overwrite replaces the content of a small file in .clawfs in place.
func (d *Dir) overwrite(name, text string) error {
	fd, err := openAt(d.state, name, unix.O_WRONLY|unix.O_TRUNC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return writeAll(fd, []byte(text))
}

// readFormat reads the number of the format. It returns 0 where there is none: the
// directory is new, or its making was cut short. Nothing may be changed before the
// number is known to be one that this package reads.
func (d *Dir) readFormat() (int, error) {
	b, err := readFileAt(d.state, formatName, 4096)
	if err == unix.ENOENT {
		return 0, nil
	}
	if err != nil {
		return 0, d.stateError("read", formatName, err)
	}
	text := strings.TrimSpace(string(b))
	for n := oldestFormat; n <= Format; n++ {
		if text == formatPrefix+strconv.Itoa(n) {
			return n, nil
		}
	}
	return 0, &FormatError{Dir: d.path, Found: text[:min(len(text), 40)], Wanted: Format}
}

func (d *Dir) writeFormat() error {
	const part = formatName + ".new"
	if err := unlink(d.state, part); err != nil && err != unix.ENOENT {
		return d.stateError("write", formatName, err)
	}
	fd, err := openAt(d.state, part, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return d.stateError("write", formatName, err)
	}
	defer closeFD(fd)
	err = writeAll(fd, []byte(formatPrefix+strconv.Itoa(Format)+"\n"))
	if err == nil {
		err = d.giveAway(d.state, part)
	}
	if err == nil {
		err = fsync(fd)
	}
	if err == nil {
		err = rename(d.state, part, d.state, formatName, 0)
	}
	if err != nil {
		return d.stateError("write", formatName, err)
	}
	return nil
}
