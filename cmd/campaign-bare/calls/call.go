package calls

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Call is one system call of a program, by one of its processes. The fields
// that it uses follow from Op. Handles are numbers that the program chooses; each process
// has a descriptor for each of its handles.
type Call struct {
	By    int    `json:"by"`
	Op    string `json:"op"`
	H     int    `json:"h,omitempty"`
	H2    int    `json:"h2,omitempty"`
	Path  string `json:"path,omitempty"`
	Path2 string `json:"path2,omitempty"`
	Flags string `json:"flags,omitempty"`
	Mode  uint32 `json:"mode,omitempty"`
	Off   int64  `json:"off,omitempty"`
	Len   int64  `json:"len,omitempty"`
	Data  string `json:"data,omitempty"`
}

// ops are the numbers that actor.c knows calls by.
var ops = map[string]int32{
	"open": 1, "close": 2, "read": 3, "write": 4, "pread": 5, "pwrite": 6, "lseek": 7, "ftruncate": 8, "truncate": 9, "fsync": 10,
	"fdatasync": 11, "dup": 12, "dup2": 13, "fork": 14, "exit": 15, "wait": 16, "link": 17, "symlink": 18, "readlink": 19, "unlink": 20,
	"rename": 21, "mkdir": 22, "rmdir": 23, "stat": 24, "lstat": 25, "fstat": 26, "statx": 27, "access": 28, "utimens": 29, "futimens": 30,
	"chmod": 31, "fchmod": 32, "chown": 33, "flock": 34, "lock": 35, "ofdlock": 36, "readdir": 37, "watch": 38, "drain": 39, "mmap": 40,
	"fallocate": 41, "copy": 42, "sendfile": 43, "setxattr": 44, "getxattr": 45, "listxattr": 46, "linkh": 47, "look": 48, "chdir": 49,
	"removexattr": 50, "fchown": 51,
}

// flagNames are the names of flags that calls may have, by the argument of the
// actor that they belong to.
var flagNames = map[string]int32{
	"O_RDONLY": unix.O_RDONLY, "O_WRONLY": unix.O_WRONLY, "O_RDWR": unix.O_RDWR, "O_CREAT": unix.O_CREAT, "O_EXCL": unix.O_EXCL,
	"O_TRUNC": unix.O_TRUNC, "O_APPEND": unix.O_APPEND, "O_DIRECTORY": unix.O_DIRECTORY, "O_NOFOLLOW": unix.O_NOFOLLOW,
	"O_TMPFILE": unix.O_TMPFILE, "O_PATH": unix.O_PATH, "O_SYNC": unix.O_SYNC, "O_DSYNC": unix.O_DSYNC, "O_CLOEXEC": unix.O_CLOEXEC,
	"O_NOATIME": unix.O_NOATIME, "O_NONBLOCK": unix.O_NONBLOCK,
	"RENAME_NOREPLACE": unix.RENAME_NOREPLACE, "RENAME_EXCHANGE": unix.RENAME_EXCHANGE, "RENAME_WHITEOUT": unix.RENAME_WHITEOUT,
	"AT_SYMLINK_NOFOLLOW": unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_FOLLOW": unix.AT_SYMLINK_FOLLOW,
	"LOCK_SH": unix.LOCK_SH | unix.LOCK_NB, "LOCK_EX": unix.LOCK_EX | unix.LOCK_NB, "LOCK_UN": unix.LOCK_UN,
	"F_RDLCK": unix.F_RDLCK, "F_WRLCK": unix.F_WRLCK, "F_UNLCK": unix.F_UNLCK,
	"SEEK_SET": unix.SEEK_SET, "SEEK_CUR": unix.SEEK_CUR, "SEEK_END": unix.SEEK_END, "SEEK_DATA": unix.SEEK_DATA, "SEEK_HOLE": unix.SEEK_HOLE,
	"MAP_PRIVATE": unix.MAP_PRIVATE, "MAP_SHARED": unix.MAP_SHARED,
	"KEEP_SIZE": unix.FALLOC_FL_KEEP_SIZE, "PUNCH_HOLE": unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, "ZERO_RANGE": unix.FALLOC_FL_ZERO_RANGE,
	"XATTR_CREATE": unix.XATTR_CREATE, "XATTR_REPLACE": unix.XATTR_REPLACE,
	"WATCH": watchMask,
}

// flags2Names are flags of the actor's own: times to leave alone or to set to now,
// and a copy that begins at an offset.
var flags2Names = map[string]int32{"OMIT_ATIME": 1, "OMIT_MTIME": 2, "NOW_MTIME": 4, "AT_OFFSET": 1}

// watchMask holds the events that are compared. Opening, reading and closing
// after reading are not: the observer does that.
const watchMask = unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_ATTRIB | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF

// flagBits translates the flags of a call into the actor's two numbers.
func (c *Call) flagBits() (flags, flags2 int32, err error) {
	if c.Flags == "" {
		return 0, 0, nil
	}
	for name := range strings.SplitSeq(c.Flags, "|") {
		if bits, ok := flagNames[name]; ok {
			flags |= bits
		} else if bits, ok := flags2Names[name]; ok {
			flags2 |= bits
		} else {
			return 0, 0, fmt.Errorf("unknown flag %q", name)
		}
	}
	return flags, flags2, nil
}

// has reports whether the call has a flag.
func (c *Call) has(flag string) bool {
	return c.Flags != "" && slices.Contains(strings.Split(c.Flags, "|"), flag)
}

// harmless reports whether a call leaves the files as it found them, or the player
// sees to it, even if it fails on one side alone.
func (c *Call) harmless() bool {
	switch c.Op {
	case "open":
		return !c.has("O_CREAT") && !c.has("O_TRUNC")
	case "close", "fsync", "fdatasync", "mmap":
		return true
	}
	return slices.Contains(quietCalls, c.Op)
}

// String is the line by which a call is written down.
func (c Call) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Parse reads a program: a call a line, as String writes it; empty lines and
// lines that begin with # are passed over.
func Parse(text string) ([]Call, error) {
	var program []Call
	for n, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		var c Call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		if _, ok := ops[c.Op]; !ok || c.By < 1 || c.By >= channels {
			return nil, fmt.Errorf("line %d: no call %q by process %d", n+1, c.Op, c.By)
		}
		if _, _, err := c.flagBits(); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		program = append(program, c)
	}
	return program, nil
}

// Format writes a program down, as Parse reads it.
func Format(program []Call) string {
	var text strings.Builder
	for _, c := range program {
		text.WriteString(c.String() + "\n")
	}
	return text.String()
}
