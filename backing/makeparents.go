package backing

import "golang.org/x/sys/unix"

// MakeParents makes the directories on the way to a registry that are missing. Each has the
// owner and the mode of the one above it. They survive a power failure once something in
// them was made durable.
func (d *Dir) MakeParents(name string) error {
	if err := d.change("make directory", name); err != nil {
		return err
	}
	defer d.leave()
	return wrap("make directory", name, d.makeParents(name))
}

func (d *Dir) makeParents(name string) error {
	for i, c := range name {
		if c != '/' {
			continue
		}
		if err := d.makeParent(name[:i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) makeParent(dir string) error {
	above, base := split(dir)
	parent, err := openDir(d.root, above)
	if err != nil {
		return err
	}
	defer closeFD(parent)
	if there, err := statAt(parent, base); err != nil || there != nil {
		return err
	}
	if err := retry(func() error { return unix.Mkdirat(parent, base, 0o700) }); err != nil {
		if err == unix.EEXIST {
			return nil
		}
		return err
	}
	is, err := statFD(parent)
	if err != nil {
		return err
	}
	if err := retry(func() error { return unix.Fchmodat(parent, base, is.mode&0o7777, 0) }); err != nil {
		return err
	}
	if err := d.giveAway(parent, base); err != nil {
		return err
	}
	return fsync(parent)
}
