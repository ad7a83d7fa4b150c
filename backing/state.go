package backing

import (
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// state has the system's facts about a file.
type state struct {
	dev, ino     uint64
	birth        uint64 // in nanoseconds, 1 where it is not known
	size         int64
	room         int64 // bytes on disk
	mtime, ctime unix.Timespec
	mode         uint32
	uid, gid     uint32
	links        uint64
}

// statxMask names the facts that are asked about a file.
const statxMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME

func newState(st *unix.Statx_t) *state {
	s := &state{
		dev: unix.Mkdev(st.Dev_major, st.Dev_minor), ino: st.Ino, birth: 1, size: int64(st.Size), room: int64(st.Blocks) * 512, mtime: timespec(st.Mtime), ctime: timespec(st.Ctime),
		mode: uint32(st.Mode), uid: st.Uid, gid: st.Gid, links: uint64(st.Nlink),
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		s.birth = uint64(st.Btime.Sec)*1e9 + uint64(st.Btime.Nsec)
	}
	return s
}

func timespec(t unix.StatxTimestamp) unix.Timespec {
	return unix.Timespec{Sec: t.Sec, Nsec: int64(t.Nsec)}
}

func (s *state) regular() bool { return s.mode&unix.S_IFMT == unix.S_IFREG }

func (s *state) modTime() time.Time { return time.Unix(s.mtime.Unix()) }

// stamp returns a string that differs whenever the file was changed: each write, replacement,
// rename or link of a file changes one of these four. A nil state, which is no file, has
// the empty stamp.
func (s *state) stamp() string {
	if s == nil {
		return ""
	}
	b := make([]byte, 0, 64)
	b = strconv.AppendUint(b, s.ino, 36)
	for _, n := range [...]int64{s.size, s.mtime.Nano(), s.ctime.Nano()} {
		b = append(b, '.')
		b = strconv.AppendInt(b, n, 36)
	}
	if s.links > 1 {
		b = append(b, linkedStamp)
	}
	return string(b)
}

// linkedStamp ends the stamp of a file that has other names.
const linkedStamp = '+'

// Linked reports whether a stamp is that of a live file that has other names.
func (d *Dir) Linked(stamp string) bool { return strings.HasSuffix(stamp, string(linkedStamp)) }

// SameFile reports whether two stamps may be of one file, with or without a change in
// between.
func (d *Dir) SameFile(a, b string) bool {
	inode, _, ok := strings.Cut(a, ".")
	other, _, _ := strings.Cut(b, ".")
	return ok && inode == other
}

// sameFile reports whether two states are of one file that nobody has written
// to or given another mode or owner in between. A rename may lie in between: it
// changes ctime only.
func (s *state) sameFile(o *state) bool {
	return s != nil && o != nil &&
		s.ino == o.ino && s.size == o.size && s.mtime == o.mtime &&
		s.mode == o.mode && s.uid == o.uid && s.gid == o.gid
}
