package backing

import (
	"errors"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// syncNew makes the content of a new file durable before it gets its name. With
// an interval its writing is only begun: a journal that records the name then
// records it after the content on the usual file systems. Where it doesn't, the
// file that was replaced is in the history still.
func (d *Dir) syncNew(fd int) error {
	switch {
	case d.o.Durability == Fsync:
		return fsync(fd)
	case d.o.Durability > 0:
		_ = unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	}
	return nil
}

// syncStaged is syncNew for a file that the sync of a directory is to follow. onlyOne says that
// no older version could be put back in its place.
func (d *Dir) syncStaged(fd int, onlyOne bool) error {
	switch {
	case d.o.Durability == Fsync:
		return d.syncContent(fd)
	case onlyOne:
		return d.syncKept(fd)
	}
	return d.syncNew(fd)
}

// syncReplaced makes a replacement in a directory durable, now or within the
// interval.
func (d *Dir) syncReplaced(parent int, name string) error {
	switch {
	case d.o.Durability == Fsync:
		return fsync(parent)
	case d.o.Durability > 0:
		d.syncer.note(name)
	}
	return nil
}

// syncKept makes the content of a copy durable that stands in no history. Even
// with an interval, since nothing else in the file system holds it.
func (d *Dir) syncKept(fd int) error {
	if d.o.Durability == None {
		return nil
	}
	return fsync(fd)
}

// syncEntry makes the content of a file in a directory durable, as syncKept does.
func (d *Dir) syncEntry(dir int, entry string) error {
	if d.o.Durability == None {
		return nil
	}
	fd, err := openAt(dir, entry, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return fsync(fd)
}

// syncDir makes the names in a directory durable; dir may be an O_PATH
// descriptor.
func (d *Dir) syncDir(dir int) error {
	if d.o.Durability == None {
		return nil
	}
	fd, err := openDir(dir, "")
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return fsync(fd)
}

// syncer syncs in the background the changes that an interval has left unsynced. It
// has a timer only while there is something.
type syncer struct {
	d *Dir

	mu    sync.Mutex          // guards the fields below
	names map[string]struct{} // paths below the root
	timer *time.Timer         // runs while names is not empty

	flushing sync.Mutex // held by flush: Sync waits for one that is under way
}

func (s *syncer) init(d *Dir) { s.d = d }

// note says that a file, or its absence, is not synced: a live file, or a version
// that never was one.
func (s *syncer) note(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = make(map[string]struct{})
	}
	s.names[name] = struct{}{}
	if s.timer == nil {
		s.timer = time.AfterFunc(time.Duration(s.d.o.Durability), s.tick)
	}
}

func (s *syncer) tick() {
	if s.d.use("sync") != nil {
		return // Close has flushed
	}
	defer s.d.leave()
	if err := s.flush(); err != nil {
		s.d.o.SyncFailed(err)
	}
}

// flush syncs all files and directories that were noted. One that the disk can't sync is
// not tried again: the kernel reports a lost write once, and would call the next attempt a
// success. One that could not be tried, for want of memory or descriptors, is tried again.
func (s *syncer) flush() error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.mu.Lock()
	names := s.names
	s.names = nil
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	s.mu.Unlock()
	var errs []error
	for name := range names {
		if err := s.d.syncName(name); err != nil {
			errs = append(errs, &fs.PathError{Op: "sync", Path: name, Err: err})
			if err == unix.EMFILE || err == unix.ENFILE || err == unix.ENOMEM {
				s.note(name)
			}
		}
	}
	return errors.Join(errs...)
}

// syncName syncs a live file and its directory. Where the directory is not
// found, since it was renamed, the whole file system is synced.
func (d *Dir) syncName(name string) error {
	if err := d.o.reach("sync later"); err != nil {
		return err
	}
	dir, base := split(name)
	parent, err := openDir(d.root, dir)
	if err != nil {
		return d.syncAll()
	}
	defer closeFD(parent)
	fd, err := openAt(parent, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == nil {
		err = fsync(fd)
		closeFD(fd)
		if err != nil {
			return err
		}
	}
	return fsync(parent)
}

func (d *Dir) syncAll() error {
	fd, err := openDir(d.root, "")
	if err != nil {
		return err
	}
	defer closeFD(fd)
	return retry(func() error { return unix.Syncfs(fd) })
}

// Sync makes the changes durable that an interval has left unsynced. It returns at
// once if there is nothing.
func (d *Dir) Sync() error {
	if err := d.use("sync"); err != nil {
		return err
	}
	defer d.leave()
	return d.syncer.flush()
}
