package backing

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Remove deletes the live file of a registry if its stamp still is the given
// one; the file becomes version oldSeq in the history. 0 says that nothing of it is
// to be kept, as of one that was empty; such a removal need not survive a power
// failure. ok is false, and nothing has changed, where
// the stamp is another one.
func (d *Dir) Remove(name, stamp string, oldSeq uint64) (ok bool, err error) {
	if err := d.change("remove", name); err != nil {
		return false, err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	r := &removal{replacement: replacement{d: d, history: s, stamp: stamp, staged: staged{oldSeq: oldSeq}, parent: -1, hist: -1, file: -1}}
	defer r.close()
	ok, err = r.run()
	return ok, wrap("remove", name, err)
}

// removal is one Remove under way. The live file waits under a name of its own
// in the history until it is known to be the expected one.
type removal struct{ replacement }

func (r *removal) run() (bool, error) {
	if err := r.history.load(r.d); err != nil {
		return false, err
	}
	r.entry = goneEntry(r.oldSeq)
	if ok, err := r.check(); !ok || r.was == nil || err != nil {
		return false, err
	}
	if r.isLinked() {
		r.d.linked.Lock()
		defer r.d.linked.Unlock()
	}
	var err error
	if r.hist, err = r.d.makeHistory(r.history.name); err != nil {
		return false, err
	}
	r.history.mark(r.d)
	if ok, err := r.take(); !ok || err != nil {
		r.d.dropHistory(r.history.name)
		return false, err
	}
	if r.oldSeq != 0 { // of an empty file nothing is lost
		err = r.d.o.reach("sync directory")
		if err == nil {
			err = r.d.syncReplaced(r.parent, r.history.name)
		}
	}
	r.keep()
	if r.oldSeq == 0 {
		if r.was.links == 1 {
			r.d.numbers.Drop(r.was.ino, r.was.birth)
		}
		r.d.dropHistory(r.history.name)
	}
	if err != nil {
		return true, &UncertainError{Err: err}
	}
	return true, nil
}

// take moves the live file away, and back if it was not the expected one.
func (r *removal) take() (bool, error) {
	if err := r.d.o.reach("take away"); err != nil {
		return false, err
	}
	switch err := rename(r.parent, r.base, r.hist, r.entry, 0); err {
	case nil:
	case unix.ENOENT:
		return false, nil
	default:
		return false, err
	}
	out, err := statAt(r.hist, r.entry)
	if err == nil && r.was.sameFile(out) {
		return true, nil
	}
	if back := moveNew(r.hist, r.entry, r.parent, r.base); back != nil {
		return false, errors.Join(err, r.rescue(nil))
	}
	return false, err
}
