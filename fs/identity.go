package fs

import (
	"crypto/sha256"
	"encoding/binary"

	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"golang.org/x/sys/unix"
)

// The kernel knows an object by its node id, which here is its inode number too.
// Both follow from the backing file alone, so that a later daemon gives the same
// ones:
//
//	1                     the root
//	2 … 2^61-1            the backing inode number
//	bit 61                what is below .clawfs: seen from there an inode is
//	                      another object than where it was live
//	bit 62                a digest of device and inode number, for what the
//	                      number can't stand for: an object on another device
//	                      mounted below the root, the root seen there once more,
//	                      or a number that is reserved or too large
//	bit 63                registries, which get another backing inode with each
//	                      commit
const (
	rootID     = 1
	ownIDs     = 1 << 61
	derivedIDs = 1 << 62
	registryID = 1 << 63
)

// statxMask is what is asked of the backing file system about an inode.
const statxMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME

// origin is the backing inode of the root, relative to which ids are given.
type origin struct{ dev, ino uint64 }

func originOf(stx *unix.Statx_t) origin { return origin{dev: deviceOf(stx), ino: stx.Ino} }

// identify returns the identity of an inode; own says that it was reached below
// .clawfs. The generation is the time of birth where the file system keeps one:
// it differs where a number is used again.
func (o origin) identify(stx *unix.Statx_t, own bool) fusefs.StableAttr {
	return fusefs.StableAttr{
		Mode: uint32(stx.Mode) & unix.S_IFMT,
		Ino:  o.id(deviceOf(stx), stx.Ino, own),
		Gen:  generationOf(stx),
	}
}

func (o origin) id(dev, ino uint64, own bool) uint64 {
	id := ino
	if dev != o.dev || ino == o.ino || ino <= rootID || ino >= ownIDs {
		var key [16]byte
		binary.LittleEndian.PutUint64(key[:], dev)
		binary.LittleEndian.PutUint64(key[8:], ino)
		sum := sha256.Sum256(key[:])
		id = binary.LittleEndian.Uint64(sum[:])&(ownIDs-1) | derivedIDs
	}
	if own {
		id |= ownIDs
	}
	return id
}

func generationOf(stx *unix.Statx_t) uint64 {
	if stx.Mask&unix.STATX_BTIME == 0 {
		return 1
	}
	return uint64(stx.Btime.Sec)*1e9 + uint64(stx.Btime.Nsec)
}

func deviceOf(stx *unix.Statx_t) uint64 { return unix.Mkdev(stx.Dev_major, stx.Dev_minor) }
