package calls

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// kindOf names the class of a difference: the call, the aspect that differs, and the
// state of the call's subject. The names stay as they are: the open list has them.
func (k *comparison) kindOf(aspect, subject string) string {
	switch {
	case aspect == "ino-large":
		return aspect
	case strings.HasPrefix(aspect, "missing-"), strings.HasPrefix(aspect, "extra-"):
		return "events-" + aspect
	case k.looking && !k.about(subject):
		return "later-" + aspect
	}
	kind := group(&k.call, k.m) + "-" + aspect
	switch aspect {
	case "ino", "nlink", "mtime", "ctime", "mtime-set", "mode", "owner":
		if _, linked, ok := strings.Cut(k.state, "linked"); ok {
			kind += "-linked" + linked
		}
		return kind
	}
	if k.state != "" {
		kind += "-" + k.state
	}
	return kind
}

// about reports whether the call is about the file of a path: differences that the
// observer sees elsewhere are of an earlier call.
func (k *comparison) about(path string) bool {
	c := &k.call
	if path == c.Path || path == c.Path2 || c.Op == "exit" {
		return true
	}
	f := k.m.file(path)
	return f == nil && k.bare[path].err != 0 || slices.Contains(k.files, f)
}

// group names a call together with the flags that make it another call.
func group(c *Call, m *model) string {
	switch c.Op {
	case "open":
		for _, flag := range []string{"O_TMPFILE", "O_EXCL", "O_CREAT", "O_TRUNC", "O_APPEND", "O_PATH", "O_DIRECTORY"} {
			if c.has(flag) {
				return "open-" + strings.ToLower(strings.TrimPrefix(flag, "O_"))
			}
		}
		return "open"
	case "rename":
		switch {
		case c.has("RENAME_EXCHANGE"):
			return "exchange"
		case c.has("RENAME_NOREPLACE"):
			return "rename-noreplace"
		case isRegistry(c.Path2):
			return "rename-to"
		case isRegistry(c.Path):
			return "rename-away"
		}
	case "flock", "lock", "ofdlock":
		if c.has("LOCK_UN") || c.has("F_UNLCK") {
			return "unlock"
		}
	case "lseek":
		for _, flag := range []string{"SEEK_END", "SEEK_HOLE", "SEEK_DATA"} {
			if c.has(flag) {
				return "lseek-" + strings.ToLower(strings.TrimPrefix(flag, "SEEK_"))
			}
		}
	case "mmap":
		if c.Data != "" && c.has("MAP_SHARED") {
			return "mmap-write"
		}
	}
	return c.Op
}

// stateOf names the state of a call's subject in a word.
func (m *model) stateOf(c *Call) string {
	d := m.handle(c.By, c.H)
	if c.Op == "open" || c.H == 0 {
		d = nil
	}
	var f *file
	switch {
	case d != nil:
		f = d.f
	case c.Op == "symlink":
		f = m.file(c.Path2)
	case c.Op == "rename" || c.Op == "link":
		if f = m.file(c.Path2); f == nil || !f.registry {
			f = m.file(c.Path)
		}
	default:
		f = m.file(c.Path)
	}
	switch {
	case f == nil:
		return ""
	case !f.registry:
		return "plain"
	case f.refused:
		return "refused"
	case f.creator != nil && f.current == "":
		return "created-empty"
	case f.creator != nil:
		return "created"
	case d != nil && !f.named:
		return "unlinked"
	case d != nil && d.dirty:
		return m.more(f, "own")
	case len(m.dirtyBy(f)) > 0:
		return "staged"
	case d != nil && d.since < len(f.versions):
		if m.holdsLock(d) {
			return "stale-locked"
		}
		return "stale"
	case f.current == "":
		return "placeholder"
	}
	return m.more(f, "")
}

// more adds that a file has several names.
func (m *model) more(f *file, state string) string {
	names, plain := 0, false
	for path, s := range m.names {
		if s.err == 0 && s.attrs.Ino == f.ino && s.attrs.Mode&unix.S_IFMT == unix.S_IFREG {
			names++
			plain = plain || !isRegistry(path)
		}
	}
	switch {
	case names > 1 && plain:
		return strings.TrimPrefix(state+"-linked-plain", "-")
	case names > 1:
		return strings.TrimPrefix(state+"-linked", "-")
	}
	return state
}

// sortOf is a call's group and the state of its subject.
func sortOf(c *Call, m *model) string { return group(c, m) + " " + m.stateOf(c) }
