package backing

import "golang.org/x/sys/unix"

// Where a file system does not exchange two names, the live file is linked into the
// history before the new one is renamed over it.

// linkAndReplace is for file systems that can't exchange: the live file gets a
// second name in the history, then the new one is renamed over it. A file that another
// program puts there between the last look and the rename is lost, as with every program
// that replaces files by rename.
func (r *replacement) linkAndReplace() (bool, error) {
	if r.oldSeq != 0 {
		if err := r.linkOld(); err != nil {
			return false, err
		}
	}
	st, err := statAt(r.parent, r.base)
	if err == nil && !r.was.sameFile(st) {
		r.unlinkOld()
		return false, nil
	}
	if err == nil {
		err = r.d.o.reach("rename over")
	}
	if err == nil {
		err = rename(r.hist, r.entry, r.parent, r.base, 0)
	}
	if err != nil {
		r.unlinkOld()
		return false, err
	}
	r.entry = ""
	if r.oldSeq != 0 {
		r.history.add(keptVersion{r.oldSeq, r.was.size})
	}
	return true, nil
}

// linkOld keeps the live file as version oldSeq, by a link or else by a copy.
func (r *replacement) linkOld() error {
	old := versionEntry(r.oldSeq)
	if err := r.d.o.reach("link"); err != nil {
		return err
	}
	if err := unlink(r.hist, old); err != nil && err != unix.ENOENT {
		return err
	}
	err := retry(func() error { return unix.Linkat(r.parent, r.base, r.hist, old, 0) })
	switch err {
	case unix.EPERM, unix.EOPNOTSUPP, unix.EMLINK, unix.ENOSYS:
		return r.copyOld(old)
	}
	return err
}

func (r *replacement) copyOld(entry string) error {
	content, err := readFileAt(r.parent, r.base, r.d.o.MaxLoad)
	if err != nil {
		return err
	}
	if err := r.d.writeLike(r.hist, entry, r.history.name, content, r.d.syncNew); err != nil {
		_ = unlink(r.hist, entry)
		return err
	}
	return nil
}

func (r *replacement) unlinkOld() {
	if r.oldSeq != 0 {
		_ = unlink(r.hist, versionEntry(r.oldSeq))
		r.history.drop(r.oldSeq)
	}
}
