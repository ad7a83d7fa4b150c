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

// otherNamesOf opens the file of a registry that is about to lose a name; nil where it has
// no other one, or is another file by now.
func (fsys *fileSystem) otherNamesOf(at *place) txn.Rest {
	if at.links < 2 {
		return nil
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
