package backing

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// state is what the system says of a file.
type state struct {
	ino          uint64
	size         int64
	mtime, ctime unix.Timespec
	mode         uint32
	uid, gid     uint32
	links        uint64
}

func newState(st *unix.Stat_t) *state {
	return &state{
		ino: st.Ino, size: st.Size, mtime: st.Mtim, ctime: st.Ctim,
		mode: st.Mode, uid: st.Uid, gid: st.Gid, links: uint64(st.Nlink),
	}
}

func (s *state) regular() bool { return s.mode&unix.S_IFMT == unix.S_IFREG }

func (s *state) modTime() time.Time { return time.Unix(s.mtime.Unix()) }

// stamp returns a string that differs whenever the file was changed: whoever
// writes, replaces, renames or links a file changes one of these four. A nil
// state, which is no file, has the empty stamp.
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
	return string(b)
}

// sameFile reports whether two states are of one file that nobody has written
// to or given another mode or owner in between. A rename may lie in between: it
// changes ctime only.
func (s *state) sameFile(o *state) bool {
	return s != nil && o != nil &&
		s.ino == o.ino && s.size == o.size && s.mtime == o.mtime &&
		s.mode == o.mode && s.uid == o.uid && s.gid == o.gid
}
