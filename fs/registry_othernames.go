package fs

import (
	"os"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"

	"clawfs/txn"
)

// otherNames implements txn.Rest: a registry's file by the names that it keeps when the one
// is removed by which a program has it open.
type otherNames struct {
	fsys *fileSystem
	file *os.File
	link fusefs.StableAttr // place.link
}

// restOf returns the file of a registry that is about to lose a name; nil where nobody can
// read it then, or it is another file by now. kept are its remains, if it has any.
func (fsys *fileSystem) restOf(at *place, kept *remains) txn.Rest {
	if at.links < 2 {
		if kept == nil {
			return nil
		}
		return unnamed{kept}
	}
	fd, _, ok := fsys.openRegistryAt(at, unix.O_RDWR|unix.O_NONBLOCK)
	if !ok {
		return nil
	}
	return &otherNames{fsys, os.NewFile(uintptr(fd), at.base), at.link}
}

// Save implements txn.Rest. The rest of longer content goes last.
func (o *otherNames) Save(content []byte) error {
	if _, err := o.file.WriteAt(content, 0); err != nil {
		return err
	}
	if err := o.file.Truncate(int64(len(content))); err != nil {
		return err
	}
	o.fsys.outdatePlain(o.link)
	return o.file.Sync()
}

// Close implements txn.Rest.
func (o *otherNames) Close() error { return o.file.Close() }

// unnamed implements txn.Rest: the file of a registry that has no name any more, for all that
// have it open.
type unnamed struct{ of *remains }

// Save implements txn.Rest. The rest of longer content goes last.
func (f unnamed) Save(content []byte) error {
	if !f.of.fsys.registries.areUsed(f.of) {
		return nil // nobody can read it
	}
	file, err := f.of.toChange()
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(content, 0); err != nil {
		return err
	}
	return file.Truncate(int64(len(content)))
}

// Close implements txn.Rest. The remains end with their last user.
func (f unnamed) Close() error { return nil }
