package backing

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Gone yields the registries that have a history and no live file: how much room the
// history, and the notes, take on disk, and when it was changed last. A name that can't be looked at is
// passed over: nothing says that it is gone.
func (d *Dir) Gone(yield func(name string, room int64, changed time.Time) bool) error {
	for name, err := range d.Registries() {
		if err != nil {
			return err
		}
		room, changed, err := d.ofGone(name)
		if err != nil {
			return err
		}
		if room > 0 && !yield(name, room, changed) {
			return nil
		}
	}
	return nil
}

// ofGone returns the facts that Gone tells of a registry; room is 0 where it has a live
// file.
func (d *Dir) ofGone(name string) (room int64, changed time.Time, err error) {
	if err := d.enter("look at history", name); err != nil {
		return 0, time.Time{}, err
	}
	defer d.leave()
	if st, err := d.statLive(name); st != nil || err != nil {
		return 0, time.Time{}, nil
	}
	hist, err := d.openHistory(name)
	if err == unix.ENOENT {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, wrap("look at history", name, err)
	}
	defer closeFD(hist)
	entries, err := listDir(hist)
	if err != nil {
		return 0, time.Time{}, wrap("look at history", name, err)
	}
	for _, e := range append(entries, ".") {
		if _, _, below := unescape(e); below && e != "." {
			continue
		}
		st, err := statAt(hist, e)
		if err != nil || st == nil {
			continue // gone meanwhile
		}
		room += max(st.room, 1)
		if at := st.modTime(); at.After(changed) && (e == "." || e == logEntry) { // versions keep the times that they had
			changed = at
		}
	}
	return room + d.notesRoom(name), changed, nil
}

// Erase removes the history of a registry that has no live file, its log and notes included, for
// good. ok is false, and nothing has changed, where it has one.
func (d *Dir) Erase(name string) (ok bool, err error) {
	if err := d.change("erase", name); err != nil {
		return false, err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	ok, err = d.erase(s)
	return ok, wrap("erase", name, err)
}

func (d *Dir) erase(s *history) (bool, error) {
	if st, err := d.statLive(s.name); st != nil || err == fs.ErrInvalid {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := s.load(d); err != nil {
		return false, err
	}
	if err := d.dropNotes(s.name); err != nil {
		return false, err
	}
	hist, err := d.openHistory(s.name)
	if err == unix.ENOENT {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer closeFD(hist)
	entries, err := listDir(hist)
	if err != nil {
		return false, err
	}
	s.reload()
	for _, e := range entries {
		if !ofRegistry(e) || leftover(e) { // a leftover could not be resolved: it is nobody's yet
			continue
		}
		if err := d.o.reach("erase"); err != nil {
			return false, err
		}
		if err := unlink(hist, e); err != nil && err != unix.ENOENT {
			return false, err
		}
	}
	d.dropHistory(s.name)
	return true, nil
}

// FirstRecord returns the oldest line that was recorded for a registry and is still
// there, nil if there is none.
func (d *Dir) FirstRecord(name string) ([]byte, error) {
	for line, err := range d.ReadLog(name) {
		return line, err
	}
	return nil, nil
}
