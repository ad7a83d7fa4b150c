package fs

import (
	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// Numbers gives files the inode numbers that programs see; docs/ARCHITECTURE.md has the
// rules. The directory's, of package backing, are one. Births are in nanoseconds, 1
// where none is known. All numbers are below 2^52.
type Numbers interface {
	// Base returns the number that follows from device and inode number alone.
	Base(dev, ino uint64) uint64

	// Of returns the number of a file on the directory's device. OfKnown is Of for
	// one whose number the kernel gets to know (Hold). OfListed is Of where the time of
	// birth is not at hand; ok is false where it matters.
	Of(ino, birth uint64) uint64
	OfKnown(ino, birth uint64) uint64
	OfListed(ino uint64) (number uint64, ok bool)

	// Before returns the number of the file that a commit has replaced by the one
	// given, 0 if none is known.
	Before(ino, birth uint64) uint64

	// Carry notes that a file has a number from now on. Drop forgets its note: the file is
	// about to go, or has just gone.
	Carry(ino, birth, number uint64)
	Drop(ino, birth uint64)

	// Hold keeps a number from being given to another file until LetGo.
	Hold(number uint64)
	LetGo(number uint64)
}

// The kernel knows an object by its node id; programs see its number. The node id of a
// plain file is the number that follows from the backing inode alone (Numbers.Base), with
// the time of birth as its generation: a later daemon gives the same one. A registry has
// many nodes, and their ids are a counter.
const (
	rootID     = 1       // the root's id and number
	ownIDs     = 1 << 52 // below .clawfs: seen from there a file is another object than where it was live
	registryID = 1 << 63 // of registries' nodes
)

// statxMask lists the facts about an inode that the backing file system is asked for.
const statxMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME

// origin is the device that ids and numbers are relative to, and the offset of
// its numbers.
type origin struct {
	dev     uint64 // device of the root
	numbers Numbers
}

// backingFile tells a file in the backing directory from every other one.
type backingFile struct {
	dev, ino, birth uint64
	links           uint32
}

func backingFileOf(stx *unix.Statx_t) backingFile {
	return backingFile{dev: deviceOf(stx), ino: stx.Ino, birth: generationOf(stx), links: stx.Nlink}
}

// identify returns the identity of an inode; own says that it was reached below
// .clawfs. The generation differs where a number is used again.
func (o origin) identify(stx *unix.Statx_t, own bool) fusefs.StableAttr {
	return fusefs.StableAttr{
		Mode: uint32(stx.Mode) & unix.S_IFMT,
		Ino:  o.id(deviceOf(stx), stx.Ino, own),
		Gen:  generationOf(stx),
	}
}

func (o origin) id(dev, ino uint64, own bool) uint64 {
	id := o.numbers.Base(dev, ino)
	if own {
		id |= ownIDs
	}
	return id
}

// number returns the number that programs see of a file.
func (o origin) number(f backingFile, own bool) uint64 {
	if own || f.dev != o.dev {
		return o.id(f.dev, f.ino, own)
	}
	return o.numbers.Of(f.ino, f.birth)
}

// numberOfRegistry is number for a registry whose node the kernel knows, or gets to know.
func (o origin) numberOfRegistry(f backingFile) uint64 {
	if f.dev != o.dev {
		return o.id(f.dev, f.ino, false)
	}
	return o.numbers.OfKnown(f.ino, f.birth)
}

// carry notes that a file has a number from now on.
func (o origin) carry(f backingFile, number uint64) {
	if f.dev == o.dev {
		o.numbers.Carry(f.ino, f.birth, number)
	}
}

// drop forgets the number of a file that is about to lose its last name, or has lost it.
func (o origin) drop(f backingFile) {
	if f.dev == o.dev {
		o.numbers.Drop(f.ino, f.birth)
	}
}

func generationOf(stx *unix.Statx_t) uint64 {
	if stx.Mask&unix.STATX_BTIME == 0 {
		return 1
	}
	return uint64(stx.Btime.Sec)*1e9 + uint64(stx.Btime.Nsec)
}

func deviceOf(stx *unix.Statx_t) uint64 { return unix.Mkdev(stx.Dev_major, stx.Dev_minor) }
