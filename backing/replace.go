package backing

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Commit replaces the live file of a registry by content, atomically and as
// durably as the Dir was opened for, if its stamp still is the given one ("":
// there must be no file). Otherwise ok is false and nothing has changed.
//
// seq numbers the new version. The file that was live becomes version oldSeq in the history; 0
// says that nothing of it is to be kept. digest is the SHA-256 of content. mtime becomes the
// file's modification time. like, if not nil, is an open file whose owner, mode and extended
// attributes the new file gets; otherwise it gets those of the live file, or mode 0600. Where like
// has a method KeepsName() bool that returns true, and holds the content, it is the new file itself
// (itself.go). Without like it is a write in place: a file that has other names is written itself
// (linked.go), and nothing here is said of it.
//
// After an error nothing was replaced, unless it is an *UncertainError: then
// the new content is live, and newStamp is right.
//
//	stage      create and write a file in the registry's history, with the
//	           attributes, sync it or hand it to the device (onesync.go), and note its number
//	recheck    is the live file still the one of the stamp?
//	exchange   live and staged file change places (RENAME_EXCHANGE)
//	verify     is the file that came out the one of the stamp? if not, change back
//	sync       the live file's directory               ← the commit point
//	keep       the file that came out becomes the version oldSeq by a rename
//
// A process that is killed between two of these steps leaves at most the staged
// file, whose name tells enough to know whether it was exchanged (recover.go).
func (d *Dir) Commit(name, stamp string, seq, oldSeq uint64, content []byte, digest [32]byte, mtime time.Time, like fs.File) (newStamp string, ok bool, err error) {
	if err := d.change("commit", name); err != nil {
		return "", false, err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	r := &replacement{
		d: d, history: s, stamp: stamp, content: content, mtime: mtime, like: like,
		staged: staged{seq: seq, oldSeq: oldSeq, digest: digest},
		parent: -1, hist: -1, file: -1,
	}
	defer r.close()
	newStamp, ok, err = r.run()
	return newStamp, ok, wrap("commit", name, err)
}

// Restore is Commit of an earlier content in place of a damaged file. The damaged file
// becomes no version, and its other names keep it.
func (d *Dir) Restore(name, stamp string, seq uint64, content []byte, digest [32]byte, mtime time.Time) (newStamp string, ok bool, err error) {
	if err := d.change("restore", name); err != nil {
		return "", false, err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	r := &replacement{
		d: d, history: s, stamp: stamp, content: content, mtime: mtime, parts: true,
		staged: staged{seq: seq, digest: digest},
		parent: -1, hist: -1, file: -1,
	}
	defer r.close()
	newStamp, ok, err = r.run()
	return newStamp, ok, wrap("restore", name, err)
}

// wrap makes an errno an error that names the registry; one that says that the
// change is in place goes on saying so.
func wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var uncertain *UncertainError
	if errors.As(err, &uncertain) {
		return &UncertainError{Err: &fs.PathError{Op: op, Path: name, Err: uncertain.Err}}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// replacement is one commit under way.
type replacement struct {
	d       *Dir
	history *history
	stamp   string
	content []byte
	mtime   time.Time
	like    fs.File
	parts   bool // it is no write to the other names that the live file has
	itself  bool // the staged file is like itself, which keeps its other name
	staged

	base   string // last component of the registry's name
	entry  string // of the staged file in hist
	parent int    // directory of the live file
	hist   int    // history of the registry
	file   int    // the staged file, open for writing
	was    *state // the file that the stamp stands for, nil if there is to be none
	is     *state // the staged file, once it is complete
	lender *state // the file whose number it carries on, if that is not the one of the stamp
}

func (r *replacement) close() {
	closeFD(r.file)
	closeFD(r.hist)
	closeFD(r.parent)
}

func (r *replacement) run() (string, bool, error) {
	if err := r.history.load(r.d); err != nil {
		return "", false, err
	}
	if ok, err := r.check(); !ok || err != nil {
		return "", false, err
	}
	if r.isLinked() {
		r.d.linked.Lock()
		defer r.d.linked.Unlock()
	}
	if err := r.stage(); err != nil {
		r.discard()
		return "", false, err
	}
	if r.isLinked() && r.like == nil && !r.parts {
		return r.overwriteLinked()
	}
	ok, err := r.swap()
	if !ok || err != nil {
		return "", false, err
	}
	return r.settle()
}

// isLinked reports whether the live file has other names.
func (r *replacement) isLinked() bool { return r.was != nil && r.was.links > 1 }

// check opens the live file's directory, and reports whether the live file is
// the one that the stamp stands for.
func (r *replacement) check() (bool, error) {
	dir, base := split(r.history.name)
	r.base = base
	var err error
	switch r.parent, err = openDir(r.d.root, dir); {
	case (err == unix.ENOENT || err == unix.ENOTDIR) && r.stamp != "":
		return false, nil // the directory went with the file
	case err == unix.ELOOP:
		return false, fs.ErrInvalid
	case err != nil:
		return false, err
	}
	st, err := statAt(r.parent, r.base)
	if err != nil {
		return false, err
	}
	if st != nil && !st.regular() {
		return false, fs.ErrInvalid
	}
	r.was = st
	return st.stamp() == r.stamp, nil
}

// stage makes the new file, complete and synced as the exchange needs it, under a name in the history.
func (r *replacement) stage() error {
	if r.was != nil {
		r.oldIno = r.was.ino
	}
	r.entry = r.staged.entry()
	var err error
	if err = r.d.o.reach("make history"); err != nil {
		return err
	}
	if r.hist, err = r.d.makeHistory(r.history.name); err != nil {
		return err
	}
	r.history.mark(r.d)
	if err = r.d.o.reach("create"); err != nil {
		return err
	}
	if !r.linkStaged() {
		if err = r.writeStaged(); err != nil {
			return err
		}
	}
	if err = r.d.o.reach("sync file"); err != nil {
		return err
	}
	if err = r.syncStaged(); err != nil {
		return err
	}
	if r.is, err = statFD(r.file); err == nil && (!r.isLinked() || r.like != nil || r.parts) {
		err = r.number()
	}
	return err
}

// writeStaged makes the staged file.
func (r *replacement) writeStaged() (err error) {
	r.file, err = openAt(r.hist, r.entry, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err = r.d.o.reach("write"); err != nil {
		return err
	}
	if err = r.d.writeContent(r.file, r.content); err != nil {
		return err
	}
	return r.attributes()
}

func (r *replacement) syncStaged() error {
	if r.itself { // nothing is known of how it was written
		return r.d.syncNew(r.file)
	}
	return r.d.syncStaged(r.file, r.was == nil || r.was.size == 0 || r.isLinked())
}

// number gives the new file the inode number that programs see: that of the file that is to
// become the registry, or of the one that it replaces.
func (r *replacement) number() error {
	var before, number uint64
	if r.was != nil {
		before = r.d.numbers.Of(r.was.ino, r.was.birth)
		number = before
	}
	if r.itself {
		r.d.numbers.carry(r.is.ino, r.is.birth, r.d.numbers.Of(r.is.ino, r.is.birth), before)
		return nil
	}
	lent, lender, err := r.d.numberFrom(r.like)
	if err != nil {
		return err
	}
	if r.lender = lender; lent != 0 {
		number = lent
	}
	if number != 0 {
		r.d.numbers.carry(r.is.ino, r.is.birth, number, before)
	}
	return nil
}

// numberFrom returns the number of an open file that is to become a registry, and lends it
// where the file is on the directory's device. It is 0 where there is no such file.
func (d *Dir) numberFrom(like fs.File) (number uint64, lender *state, err error) {
	open, ok := like.(interface{ Fd() uintptr })
	if !ok {
		return 0, nil, nil
	}
	st, err := statFD(int(open.Fd()))
	if err != nil {
		return 0, nil, err
	}
	if st.dev != d.numbers.dev {
		return d.numbers.Base(st.dev, st.ino), nil, nil
	}
	return d.numbers.lend(st.ino, st.birth), st, nil
}

func (r *replacement) attributes() error {
	if err := r.d.o.reach("attributes"); err != nil {
		return err
	}
	is, err := statFD(r.file)
	if err != nil {
		return err
	}
	a := attributes{ids{is.uid, is.gid}, 0o600, nil}
	switch {
	case r.like != nil:
		a, err = attributesOf(r.like)
	case r.was != nil:
		a, err = attributesAt(r.parent, r.base, r.was)
	}
	if err == nil {
		err = a.apply(r.file, is)
	}
	if err != nil {
		return errno(err)
	}
	// A file that was read since it was written looks to watchers such as chokidar as if
	// nothing else had happened to it.
	written := unix.NsecToTimespec(r.mtime.UnixNano())
	times := []unix.Timespec{written, written}
	return retry(func() error { return unix.UtimesNanoAt(r.hist, r.entry, times, unix.AT_SYMLINK_NOFOLLOW) })
}

// discard removes the staged file, which was not exchanged.
func (r *replacement) discard() {
	switch {
	case r.itself:
	case r.is != nil:
		r.d.numbers.Drop(r.is.ino, r.is.birth)
	}
	if r.lender != nil {
		r.d.numbers.Carry(r.lender.ino, r.lender.birth, r.d.numbers.Of(r.lender.ino, r.lender.birth))
	}
	if r.file >= 0 && unlink(r.hist, r.entry) != nil {
		r.history.reload() // resolved then
	}
	if r.hist >= 0 {
		r.d.dropHistory(r.history.name)
	}
}

// swap puts the staged file in place of the live one. It returns false where
// the live file is not the expected one; nothing has changed then.
func (r *replacement) swap() (bool, error) {
	err := r.d.o.reach("recheck")
	if err == nil {
		var st *state
		if st, err = statAt(r.parent, r.base); err == nil && st.stamp() != r.stamp {
			r.discard()
			return false, nil
		}
	}
	var ok bool
	if err == nil {
		switch {
		case r.was == nil:
			ok, err = r.create()
		case r.d.noExchange.Load():
			ok, err = r.linkAndReplace()
		default:
			ok, err = r.exchange()
		}
	}
	if !ok && r.entry != "" {
		r.discard()
	}
	return ok, err
}

func (r *replacement) create() (bool, error) {
	if err := r.d.o.reach("exchange"); err != nil {
		return false, err
	}
	err := moveNew(r.hist, r.entry, r.parent, r.base)
	if err == unix.EEXIST {
		return false, nil
	}
	return err == nil, err
}

func (r *replacement) exchange() (bool, error) {
	err := r.d.o.reach("exchange")
	if err == nil {
		err = r.swapNames()
	}
	switch {
	case lacks(err):
		r.d.noExchange.Store(true)
		return r.linkAndReplace()
	case err == unix.ENOENT:
		return false, nil
	case err != nil:
		return false, err
	}
	out, err := statAt(r.hist, r.entry)
	if err == nil {
		err = r.d.o.reach("verify")
	}
	if err == nil && r.was.sameFile(out) {
		return true, nil
	}
	return false, errors.Join(err, r.undo())
}

func (r *replacement) swapNames() error {
	return rename(r.hist, r.entry, r.parent, r.base, unix.RENAME_EXCHANGE)
}

// undo exchanges the two files once more, if the file that came out was not the expected
// one: another program has put its file there a moment before. That file is in place again
// afterwards. If the program has replaced ours meanwhile, it is in quarantine.
func (r *replacement) undo() error {
	switch err := r.swapNames(); {
	case err == unix.ENOENT: // ours is gone already
		err = moveNew(r.hist, r.entry, r.parent, r.base)
		if err == nil {
			r.entry = ""
			return nil
		}
		if err != unix.EEXIST {
			return r.rescue(err)
		}
	case err != nil:
		return r.rescue(err)
	default:
		out, err := statAt(r.hist, r.entry)
		if err == nil && out != nil && out.ino == r.is.ino {
			return nil // ours, which the caller discards
		}
		if err := errors.Join(err, r.swapNames()); err != nil {
			return r.rescue(err)
		}
	}
	return r.rescue(nil)
}

// rescue puts a file into quarantine that is at the staged name, though it is not ours.
func (r *replacement) rescue(cause error) error {
	entry := r.entry
	r.entry = ""
	_, err := r.d.quarantineEntry(r.hist, entry, r.history.name, stray{seq: r.oldSeq, why: "displaced by two replacements at once"})
	if err != nil {
		r.history.reload()
	}
	return errors.Join(cause, err)
}

// settle makes the replacement durable and the old file a version. The new stamp is that
// of the file as it was written here: a program that has written to the live file since
// then has made another one.
func (r *replacement) settle() (string, bool, error) {
	err := r.d.o.reach("sync directory")
	if err == nil {
		err = r.d.syncReplaced(r.parent, r.history.name)
	}
	if now, statErr := statFD(r.file); statErr == nil {
		r.is.ctime = now.ctime
	}
	switch {
	case r.isLinked() && r.parts: // the number goes with this name
		r.d.numbers.Drop(r.was.ino, r.was.birth)
	case r.isLinked(): // it stays as it is under its other names
	case r.was != nil:
		r.d.numbers.retire(r.was.ino, r.was.birth)
	}
	r.keep()
	if err != nil {
		err = &UncertainError{Err: err}
	}
	return r.is.stamp(), true, err
}

// keep makes the file that came out of the exchange the version oldSeq. A file that is to
// be no version goes to quarantine (keepDisplaced). Where that fails it stays under its
// name, and the next load of the history finds it by that.
func (r *replacement) keep() {
	if r.was == nil {
		return
	}
	if r.entry != "" {
		err := r.d.o.reach("keep")
		if err == nil && r.oldSeq == 0 {
			err = r.keepDisplaced()
		} else if err == nil && r.was.links > 1 {
			err = r.keepCopy()
		} else if err == nil {
			err = rename(r.hist, r.entry, r.hist, versionEntry(r.oldSeq), 0)
		}
		if err != nil {
			r.history.reload()
			return
		}
		if r.oldSeq != 0 {
			r.history.add(keptVersion{r.oldSeq, r.was.size})
		}
	}
	r.d.prune(r.history, r.hist)
}
