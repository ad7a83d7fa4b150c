package backing

import (
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// movePrefix begins the entries of stage that tell of a Rename under way.
const movePrefix = "@move-"

// move is a Rename or an Exchange under way, as it is written down for the case of a crash
// between the rename of the live file and that of its history.
type move struct {
	From string `json:"from"`
	To   string `json:"to"`
	Ino  uint64 `json:"history"` // inode of the history that is to move, 0 if there is none

	// Live is of an Exchange: the former inode of From.
	Live uint64 `json:"live,omitempty"`
}

// Rename moves a live file, or a whole directory, to another name, and its
// history with it. With noreplace an existing target is fs.ErrExist; otherwise
// POSIX says which targets may be replaced, and the content of a file that is
// replaced goes to quarantine. Where the target name has a history already, the two
// change names, so that neither is lost.
func (d *Dir) Rename(from, to string, noreplace bool) error {
	err := d.change("rename", from)
	if err != nil {
		return err
	}
	defer d.leave()
	if err = checkName(to); err == nil {
		err = d.rename(from, to, noreplace)
	}
	return wrap("rename", from, err)
}

func (d *Dir) rename(from, to string, noreplace bool) error {
	source, fromBase, err := d.openParent(from)
	if err != nil {
		return err
	}
	defer closeFD(source)
	target, toBase, err := d.openParent(to)
	if err != nil {
		return err
	}
	defer closeFD(target)
	if nothing, err := d.prepareTarget(source, fromBase, target, toBase, to, noreplace); nothing || err != nil {
		return err
	}
	return d.moveBoth(source, target, move{From: from, To: to}, func() error {
		if noreplace {
			return moveNew(source, fromBase, target, toBase)
		}
		return rename(source, fromBase, target, toBase, 0)
	})
}

// openParent opens the directory that a name is in, and returns the name's last component.
func (d *Dir) openParent(name string) (dir int, base string, err error) {
	parent, base := split(name)
	dir, err = openDir(d.root, parent)
	return dir, base, err
}

// moveBoth has live move the live file, and the history follow. The names of m are in
// the directories source and target.
func (d *Dir) moveBoth(source, target int, m move, live func() error) error {
	m, slot, err := d.announce(m)
	if err != nil {
		return err
	}
	if err := live(); err != nil {
		return errors.Join(err, d.unannounce(slot))
	}
	err = d.syncMoved(source, target, m.From, m.To)
	if move := d.moveHistory(m); move == nil {
		move = d.unannounce(slot)
		err = errors.Join(err, move)
	} else {
		err = errors.Join(err, move) // the next Open does it
	}
	if err != nil {
		return &UncertainError{Err: err}
	}
	return nil
}

// Exchange has two names change places, and the histories of both and of the
// registries below them. After an *UncertainError they have, though perhaps not
// durably.
func (d *Dir) Exchange(one, other string) error {
	err := d.change("exchange", one)
	if err != nil {
		return err
	}
	defer d.leave()
	if err = checkName(other); err == nil {
		err = d.exchange(one, other)
	}
	return wrap("exchange", one, err)
}

func (d *Dir) exchange(one, other string) error {
	m := move{From: one, To: other}
	switch st, err := statHistory(d, one); {
	case err != nil:
		return err
	case st == nil:
		m = move{From: other, To: one} // its history is to move, if it has one
	}
	source, fromBase, err := d.openParent(m.From)
	if err != nil {
		return err
	}
	defer closeFD(source)
	target, toBase, err := d.openParent(m.To)
	if err != nil {
		return err
	}
	defer closeFD(target)
	for _, at := range []struct {
		dir  int
		base string
	}{{target, toBase}, {source, fromBase}} {
		st, err := statAt(at.dir, at.base)
		if err == nil && st == nil {
			err = unix.ENOENT
		}
		if err != nil {
			return err
		}
		m.Live = st.ino
	}
	return d.moveBoth(source, target, m, func() error {
		return rename(source, fromBase, target, toBase, unix.RENAME_EXCHANGE)
	})
}

// prepareTarget looks at both names and quarantines a file that the rename is
// about to replace. Where both are names of one file there is nothing to do, as
// POSIX has it.
func (d *Dir) prepareTarget(source int, from string, target int, to, name string, noreplace bool) (nothing bool, err error) {
	old, err := statAt(target, to)
	if err != nil || old == nil {
		return false, err
	}
	st, err := statAt(source, from)
	switch {
	case err != nil:
		return false, err
	case st == nil:
		return false, unix.ENOENT
	case noreplace:
		return false, unix.EEXIST
	case st.ino == old.ino:
		return true, nil
	case st.regular() && old.regular() && old.size > 0:
		return false, d.quarantineLive(target, to, name, old)
	}
	return false, nil
}

// quarantineLive keeps a copy of a live file.
func (d *Dir) quarantineLive(parent int, base, name string, st *state) error {
	content, err := readFileAt(parent, base, d.o.MaxLoad)
	if err != nil {
		return err
	}
	meta, err := json.Marshal(struct {
		Name    string    `json:"name"`
		Time    time.Time `json:"time"`
		Outcome string    `json:"outcome"`
		Via     string    `json:"via"`
		Size    int64     `json:"size"`
	}{name, d.o.Clock(), "replaced", "rename", st.size})
	if err != nil {
		return err
	}
	_, err = d.keepRefused(name, meta, st.size, d.copyTo(name, content))
	return err
}

// announce writes down that a history is about to move. There is nothing to
// write, and no slot, where there is no history.
func (d *Dir) announce(m move) (move, string, error) {
	st, err := statHistory(d, m.From)
	if err != nil || st == nil {
		return m, "", err
	}
	m.Ino = st.ino
	text, err := json.Marshal(m)
	if err != nil {
		return m, "", err
	}
	slot := movePrefix + d.histories.newSlot()
	fd, err := openAt(d.stage, slot, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return m, "", err
	}
	defer closeFD(fd)
	err = writeAll(fd, text)
	if err == nil {
		err = d.syncKept(fd)
	}
	if err != nil {
		return m, "", errors.Join(err, d.unannounce(slot))
	}
	return m, slot, d.giveAway(d.stage, slot)
}

func (d *Dir) unannounce(slot string) error {
	if slot == "" {
		return nil
	}
	return unlink(d.stage, slot)
}

func statHistory(d *Dir, name string) (*state, error) {
	hist, err := d.openHistory(name)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeFD(hist)
	return statFD(hist)
}

func (d *Dir) syncMoved(source, target int, from, to string) error {
	if err := d.o.reach("sync directory"); err != nil {
		return err
	}
	return errors.Join(d.syncReplaced(source, from), d.syncReplaced(target, to))
}

// moveHistory makes the history follow its live file. The two histories change
// names where both names have one.
func (d *Dir) moveHistory(m move) error {
	if m.Ino == 0 || m.From == m.To {
		return nil
	}
	d.histories.forgetBelow(d, m.From)
	d.histories.forgetBelow(d, m.To)
	if err := d.o.reach("move history"); err != nil {
		return err
	}
	fromDir, fromBase := split(m.From)
	toDir, toBase := split(m.To)
	if toDir != "" {
		fd, err := d.makeHistory(toDir)
		if err != nil {
			return err
		}
		closeFD(fd)
	}
	source, err := d.openHistory(fromDir)
	if err != nil {
		return err
	}
	defer closeFD(source)
	target, err := d.openHistory(toDir)
	if err != nil {
		return err
	}
	defer closeFD(target)
	if err := moveOrSwap(source, escape(fromBase), target, escape(toBase)); err != nil {
		return err
	}
	err = errors.Join(d.fixName(source, fromBase), d.fixName(target, toBase))
	d.dropHistory(fromDir)
	return err
}

// moveOrSwap renames a directory, or makes two directories change names.
func moveOrSwap(fromDir int, from string, toDir int, to string) error {
	err := rename(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
	if err == unix.EEXIST {
		err = rename(fromDir, from, toDir, to, unix.RENAME_EXCHANGE)
	}
	if !lacks(err) {
		return err
	}
	const aside = "@aside" // no history has this name
	if err := rename(toDir, to, fromDir, aside, 0); err != nil && err != unix.ENOENT {
		return err
	}
	if err := rename(fromDir, from, toDir, to, 0); err != nil {
		return err
	}
	if err := rename(fromDir, aside, fromDir, from, 0); err != unix.ENOENT {
		return err
	}
	return nil
}

// fixName corrects the name that a history has of itself after a move.
func (d *Dir) fixName(parent int, component string) error {
	entry := escape(component)
	dir, err := openDir(parent, entry)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeFD(dir)
	if _, isHash, _ := unescape(entry); isHash {
		return d.tellName(dir, component)
	}
	if err := unlink(dir, nameEntry); err != unix.ENOENT {
		return err
	}
	return nil
}

// finishMove completes a Rename or an Exchange that was cut short after the live file had
// its new name.
func (d *Dir) finishMove(slot string) error {
	text, err := readFileAt(d.stage, slot, 1<<20)
	if err != nil {
		return err
	}
	var m move
	if json.Unmarshal(text, &m) == nil && checkName(m.From) == nil && checkName(m.To) == nil {
		if err := d.finish(m); err != nil {
			return err
		}
	}
	return unlink(d.stage, slot)
}

func (d *Dir) finish(m move) error {
	from, err := d.statLive(m.From)
	if err != nil && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	to, err := d.statLive(m.To)
	if err != nil && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	hist, err := statHistory(d, m.From)
	if err != nil {
		return err
	}
	done := from == nil && to != nil
	if m.Live != 0 {
		done = to != nil && to.ino == m.Live
	}
	if !done || hist == nil || hist.ino != m.Ino {
		return nil // it was not begun, or the history has moved already
	}
	return d.moveHistory(m)
}
