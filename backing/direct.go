package backing

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// DirectWrites is the optimization that large content goes to the disk from where it is, not
// by way of the kernel's page cache.
const DirectWrites = "direct-writes"

// directBlock is the unit of direct writes: a multiple of the blocks of any usual disk.
const directBlock = 4096

// writesDirect reports whether large content is written past the page cache. A commit waits
// until the disk has it anyway; where none waits, the page cache is faster.
func (o *Options) writesDirect() bool {
	return o.Durability == Fsync && !slices.Contains(o.Without, DirectWrites)
}

// writeContent writes the content of a new file. Nobody reads it from the file as long as this
// process holds it, so a copy in the page cache is made for nothing. Two things can't be
// written past it and go there: the end of the content, and all of it where the file system or
// the disk want other pieces. The syncs that follow are the same.
func (d *Dir) writeContent(fd int, b []byte) error {
	if d.o.writesDirect() && len(b) >= d.o.leastDirect {
		n, err := writeDirect(fd, b[:len(b)-len(b)%directBlock])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return writeAll(fd, b)
}

// writeDirect writes past the page cache as much of b as that is possible for, and returns
// how much that is.
func writeDirect(fd int, b []byte) (n int, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return 0, err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_DIRECT); err != nil {
		return 0, nil // the file system has no direct writes
	}
	for n < len(b) && err == nil {
		var more int
		err = retry(func() (err error) {
			more, err = unix.Write(fd, b[n:])
			return err
		})
		if err == nil && more == 0 {
			break
		}
		n += max(more, 0)
	}
	if errors.Is(err, unix.EINVAL) {
		err = nil // it wants other pieces
	}
	_, back := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
	return n, errors.Join(err, back)
}
