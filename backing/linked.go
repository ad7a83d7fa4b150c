package backing

import (
	"bytes"
	"crypto/sha256"

	"golang.org/x/sys/unix"
)

// A live file may have other names: those of other registries, of plain files, or names
// outside the directory. A commit that is no replacement is a write to all of them. Nobody
// knows all the names, so the file itself is written:
//
//	copy        the old content becomes version oldSeq
//	announce    the new content, complete and synced, is named @over-…   ← the commit point
//	overwrite   the file gets the new content, padded with spaces to the old length, so that
//	            the file is a document at each step, and is cut to length
//	sync        the file; then @over goes
//
// After a crash the next load of the history completes an announced overwrite
// (resolveOver). All other calls on a file with other names wait meanwhile (Dir.linked).

// overPrefix begins the entry of the next content of a linked file. The rest is as
// behind newPrefix; the inode is that of the linked file.
const overPrefix = "@over-"

// overwriteLinked is the second half of a commit to a file that has other names.
func (r *replacement) overwriteLinked() (string, bool, error) {
	fd, old, err := r.openLinked()
	if err != nil || fd < 0 {
		r.discard()
		return "", false, err
	}
	defer closeFD(fd)
	if err := r.announceOver(fd, old); err != nil {
		r.discardOver()
		return "", false, err
	}
	if err := r.d.overwriteFile(fd, r.content, int64(len(old)), r.mtime.UnixNano()); err != nil {
		if r.d.overwriteFile(fd, old, int64(len(r.content)), r.was.mtime.Nano()) != nil {
			r.history.reload() // completes the announced change
			return "", false, err
		}
		r.discardOver()
		return "", false, err
	}
	err = r.d.o.reach("sync linked")
	if err == nil {
		err = r.d.syncKept(fd)
	}
	is, statErr := statFD(fd)
	if err == nil && statErr == nil {
		_ = unlink(r.hist, r.entry) // an entry that stays tells the content that the file holds already
	} else {
		r.history.reload()
	}
	if r.oldSeq != 0 {
		r.history.add(keptVersion{r.oldSeq, r.was.size})
	}
	r.d.prune(r.history, r.hist)
	if is == nil {
		return "", true, &UncertainError{Err: statErr}
	}
	is.size, is.mtime = int64(len(r.content)), unix.NsecToTimespec(r.mtime.UnixNano()) // or it was written to since
	if err != nil {
		return is.stamp(), true, &UncertainError{Err: err}
	}
	return is.stamp(), true, nil
}

// discardOver is discard of content that the file does not hold.
func (r *replacement) discardOver() {
	r.discard()
	r.history.mu.Lock()
	_, kept := r.history.find(r.oldSeq)
	r.history.mu.Unlock()
	if r.oldSeq != 0 && !kept {
		_ = unlink(r.hist, versionEntry(r.oldSeq))
	}
}

// openLinked opens the live file for writing and returns its content; the descriptor is
// -1 where it is not the one of the stamp any more.
func (r *replacement) openLinked() (fd int, old []byte, err error) {
	if err := r.d.o.reach("recheck"); err != nil {
		return -1, nil, err
	}
	fd, err = r.d.openToOverwrite(r.parent, r.base)
	if err == unix.ENOENT {
		return -1, nil, nil
	}
	if err != nil {
		return -1, nil, err
	}
	old, err = readAll(fd, r.was.size, r.d.o.MaxLoad)
	var st *state
	if err == nil {
		st, err = statFD(fd)
	}
	if err == nil && st.stamp() != r.stamp {
		closeFD(fd)
		return -1, nil, nil
	}
	if err == nil { // so that a full disk shows before anything is overwritten
		err = reserve(fd, int64(len(r.content)))
	}
	if err != nil {
		closeFD(fd)
		return -1, nil, err
	}
	return fd, old, nil
}

// openToOverwrite opens a live file for writing, against its mode if need be, as far as the
// daemon may.
func (d *Dir) openToOverwrite(parent int, base string) (int, error) {
	return openAt(parent, base, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
}

func reserve(fd int, size int64) error {
	if size == 0 {
		return nil
	}
	err := retry(func() error { return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, size) })
	if err == unix.ENOSPC || err == unix.EDQUOT {
		return err
	}
	return nil
}

// announceOver keeps the old content as a version, and announces the new content of the
// file.
func (r *replacement) announceOver(fd int, old []byte) error {
	if r.oldSeq != 0 {
		if err := r.d.o.reach("keep"); err != nil {
			return err
		}
		like, err := attributesAt(r.parent, r.base, r.was)
		if err != nil {
			return errno(err)
		}
		if err := r.d.keepContent(r.hist, r.oldSeq, old, like); err != nil {
			return err
		}
	}
	if err := r.d.o.reach("announce"); err != nil {
		return err
	}
	entry := overPrefix + r.entry[len(newPrefix):]
	if err := rename(r.hist, r.entry, r.hist, entry, 0); err != nil {
		return err
	}
	r.entry = entry
	return r.d.syncDir(r.hist)
}

// overwriteFile gives a file other content, and a modification time in nanoseconds. before
// is how long the file is.
func (d *Dir) overwriteFile(fd int, content []byte, before, mtime int64) error {
	if err := d.o.reach("overwrite"); err != nil {
		return err
	}
	padded := content
	if pad := before - int64(len(content)); pad > 0 {
		padded = append(content[:len(content):len(content)], bytes.Repeat([]byte(" "), int(pad))...)
	}
	for done := 0; done < len(padded); {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Pwrite(fd, padded[done:], int64(done))
			return err
		})
		if err != nil {
			return err
		}
		done += n
	}
	if err := d.o.reach("cut"); err != nil {
		return err
	}
	if err := retry(func() error { return unix.Ftruncate(fd, int64(len(content))) }); err != nil {
		return err
	}
	written := unix.NsecToTimespec(mtime)
	times := []unix.Timespec{written, written}
	return retry(func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, procFD(fd), times, 0) })
}

// keepContent makes content a version.
func (d *Dir) keepContent(hist int, seq uint64, content []byte, like attributes) error {
	entry := archived{seq, sha256.Sum256(content)}.entry()
	if err := unlink(hist, entry); err != nil && err != unix.ENOENT {
		return err
	}
	err := d.writeAs(hist, entry, content, like)
	if err == nil {
		err = rename(hist, entry, hist, versionEntry(seq), 0)
	}
	if err != nil {
		_ = unlink(hist, entry)
	}
	return err
}

// resolveOver completes an announced overwrite, if the file holds nothing but parts of the
// old and the new content. Otherwise a program has written to it since, or it is another
// file: then the announced content goes to quarantine.
func (d *Dir) resolveOver(hist int, name, entry string, s staged) (*Recovery, error) {
	content, err := readFileAt(hist, entry, d.o.MaxLoad)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(content) != s.digest {
		return d.resolveNew(hist, name, entry, s.seq, "incomplete")
	}
	old, err := readFileAt(hist, versionEntry(s.oldSeq), d.o.MaxLoad)
	if err != nil && err != unix.ENOENT {
		return nil, err
	}
	dir, base := split(name)
	parent, err := openDir(d.root, dir)
	if err != nil {
		return d.resolveNew(hist, name, entry, s.seq, "the directory has gone")
	}
	defer closeFD(parent)
	if !d.linked.TryLock() { // a commit may wait for this history to be loaded
		return nil, unix.EBUSY
	}
	defer d.linked.Unlock()
	st, err := statAt(parent, base)
	if err != nil {
		return nil, err
	}
	if st == nil || !st.regular() {
		return d.resolveNew(hist, name, entry, s.seq, "the file has gone")
	}
	fd, err := d.openToOverwrite(parent, base)
	if err != nil {
		return nil, err
	}
	defer closeFD(fd)
	now, err := readAll(fd, st.size, d.o.MaxLoad)
	switch {
	case err != nil:
		return nil, err
	case bytes.Equal(now, content):
		return nil, unlink(hist, entry)
	case st.ino != s.oldIno || !isPartOf(now, content, old):
		return d.resolveNew(hist, name, entry, s.seq, "somebody has written to the file since")
	}
	written, err := statAt(hist, entry)
	if err != nil {
		return nil, err
	}
	if err := d.overwriteFile(fd, content, int64(len(now)), written.mtime.Nano()); err != nil {
		return nil, err
	}
	if err := d.syncKept(fd); err != nil {
		return nil, err
	}
	return &Recovery{Name: name, Seq: s.seq}, unlink(hist, entry)
}

// isPartOf reports whether a file that held old may hold now while it is overwritten with
// content.
func isPartOf(now, content, old []byte) bool {
	if len(now) > max(len(content), len(old)) || len(now) < min(len(content), len(old)) {
		return false
	}
	for i, c := range now {
		isNew := i < len(content) && c == content[i] || i >= len(content) && c == ' '
		if !isNew && !(i < len(old) && c == old[i]) {
			return false
		}
	}
	return true
}
