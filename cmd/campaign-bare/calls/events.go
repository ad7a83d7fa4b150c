package calls

import (
	"encoding/binary"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// eventPatience is the time that a mount has for telling watchers, eventCalm the
// time in which it may tell them too much. The mount tells watchers of changes that the
// kernel does not tell, a tenth of a second late, and perhaps once more as long after that.
// Both are counted in rounds of asking the watcher: a busy machine has longer rounds.
const (
	eventPatience = 600 * time.Millisecond
	eventCalm     = 350 * time.Millisecond
	eventRound    = 5 * time.Millisecond
)

// eventNames are the kinds of events that are compared.
var eventNames = map[uint32]string{
	unix.IN_MODIFY: "modify", unix.IN_CLOSE_WRITE: "close-write", unix.IN_CREATE: "create", unix.IN_DELETE: "delete",
	unix.IN_MOVED_FROM: "moved-from", unix.IN_MOVED_TO: "moved-to", unix.IN_ATTRIB: "attrib", unix.IN_DELETE_SELF: "delete-self",
	unix.IN_MOVE_SELF: "move-self",
}

// kinds takes the data of a watcher apart: for each watch and name the kinds
// of events that came.
func kinds(data []byte, into map[string]uint32) {
	for len(data) >= 8 {
		watch, mask := binary.NativeEndian.Uint32(data), binary.NativeEndian.Uint32(data[4:])
		name, rest, _ := strings.Cut(string(data[8:]), "\x00")
		if !strings.HasPrefix(name, "#") && name != "/" { // so files without a name are called, here and in FUSE
			into[fmt.Sprintf("watch %d %s", watch, name)] |= mask & watchMask
		}
		data = []byte(rest)
	}
}

// drain compares the events since the last time, as sets of kinds. The mount has
// a while to deliver the events that the bare side has.
func (p *player) drain(c *Call, bare, mount answer) error {
	b, m := map[string]uint32{}, map[string]uint32{}
	kinds(bare.data, b)
	kinds(mount.data, m)
	for waited := time.Duration(0); p.mounted && waited <= eventPatience && (waited <= eventCalm || !covers(m, b)); waited += eventRound {
		time.Sleep(eventRound)
		more, err := p.mount.do(c)
		if err != nil {
			return fmt.Errorf("mount: %w", err)
		}
		kinds(more.data, m)
	}
	for _, at := range slices.Sorted(maps.Keys(b)) {
		for _, bit := range slices.Sorted(maps.Keys(eventNames)) {
			switch {
			case b[at]&bit == 0 || m[at]&bit != 0:
			case isBeforeTheEnd(at, bit, b, m):
				p.k.excused("late-event", eventNames[bit], at, eventNames[bit], "none", false)
			case bit == unix.IN_CLOSE_WRITE && slices.ContainsFunc(p.k.m.filesAt(at), func(f *file) bool { return f.bareOnly }):
				p.k.excused("creation", eventNames[bit], at, eventNames[bit], "none", false)
			case bit == unix.IN_CLOSE_WRITE && p.k.m.isOfFormerName(at, m):
				p.k.excused("former-name", eventNames[bit], at, eventNames[bit], "none", false)
			case p.k.m.isAfterTheEnd(at, bit):
				p.k.excused("early-end", eventNames[bit], at, eventNames[bit], "none", false)
			default:
				p.k.differs("missing-"+eventNames[bit]+where(at), at, eventNames[bit], "none", false)
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(m)) {
		for _, bit := range slices.Sorted(maps.Keys(eventNames)) {
			switch {
			case b[at]&bit != 0 || m[at]&bit == 0:
			case bit == unix.IN_CLOSE_WRITE && p.k.m.isOfLaterName(at, b):
				p.k.excused("former-name", eventNames[bit], at, "none", eventNames[bit], false)
			case bit == unix.IN_DELETE_SELF && p.k.m.isEarlyEnd(at):
				p.k.excused("early-end", eventNames[bit], at, "none", eventNames[bit], false)
			case bit&(unix.IN_MODIFY|unix.IN_CLOSE_WRITE) != 0 && slices.ContainsFunc(p.k.m.filesAt(at), func(f *file) bool { return f.tellsAll }):
				p.k.excused("told-again", eventNames[bit], at, "none", eventNames[bit], false)
			default:
				p.k.differs("extra-"+eventNames[bit]+where(at), at, "none", eventNames[bit], false)
			}
		}
	}
	for _, f := range p.k.m.files {
		f.tellsAll, f.busy, f.bareOnly = false, false, false
	}
	p.noteFound()
	return nil
}

// watches notes a new watch, and the files that are being written when it is set, or were just
// before: some of their watchers are told a little later.
func (m *model) watches(c *Call, a answer) {
	if f := m.file(c.Path); f != nil {
		m.watched[a.ret] = f
	}
	for _, f := range m.files {
		f.tellsAll = f.tellsAll || f.registry && (f.busy || len(m.dirtyBy(f)) > 0)
	}
}

// filesAt returns the files that an event may be of. A watch of a directory names them.
func (m *model) filesAt(at string) (files []*file) {
	if strings.HasSuffix(at, " ") {
		if f := m.watchedFile(at); f != nil {
			files = append(files, f)
		}
		return files
	}
	name := at[strings.LastIndex(at, " ")+1:]
	for path := range m.names {
		if f := m.file(path); f != nil && filepath.Base(path) == name {
			files = append(files, f)
		}
	}
	return files
}

// isBeforeTheEnd reports whether an event that only the bare side has told is of a watched file
// that has lost its last name since. Both sides have told that end.
func isBeforeTheEnd(at string, bit uint32, bare, mount map[string]uint32) bool {
	return strings.HasSuffix(at, " ") && bit&(unix.IN_MODIFY|unix.IN_CLOSE_WRITE) != 0 && bare[at]&mount[at]&unix.IN_DELETE_SELF != 0
}

// isEarlyEnd reports whether a watched file has lost its last name while somebody had it open
// for writing, and notes that its watchers were told of its end. isAfterTheEnd reports whether
// an event of such a file comes after that.
func (m *model) isEarlyEnd(at string) bool {
	f := m.watchedFile(at)
	if f == nil || !f.leftOpen {
		return false
	}
	f.endTold = true
	return true
}

func (m *model) isAfterTheEnd(at string, bit uint32) bool {
	f := m.watchedFile(at)
	return f != nil && f.endTold && bit&(unix.IN_MODIFY|unix.IN_CLOSE_WRITE|unix.IN_ATTRIB|unix.IN_DELETE_SELF) != 0
}

// watchedFile returns the file of a watch; nil for that of a directory.
func (m *model) watchedFile(at string) *file {
	var watch int64
	if !strings.HasSuffix(at, " ") {
		return nil
	}
	if _, err := fmt.Sscanf(at, "watch %d", &watch); err != nil {
		return nil
	}
	return m.watched[watch]
}

// isOfFormerName reports whether the close of a file that was renamed while it was open is told
// by its former name. isOfLaterName is the same for the former name.
func (m *model) isOfFormerName(at string, mount map[string]uint32) bool {
	return slices.ContainsFunc(m.renamedOpen, func(r renaming) bool {
		return at == r.of(at, r.to) && mount[r.of(at, r.from)]&unix.IN_CLOSE_WRITE != 0
	})
}

func (m *model) isOfLaterName(at string, bare map[string]uint32) bool {
	return slices.ContainsFunc(m.renamedOpen, func(r renaming) bool {
		return at == r.of(at, r.from) && bare[r.of(at, r.to)]&unix.IN_CLOSE_WRITE != 0
	})
}

// renaming is the former and the later name of a file in its directory.
type renaming struct{ from, to string }

// of returns how an event of a name is called that the same watch tells as another event.
func (renaming) of(at, name string) string { return at[:strings.LastIndex(at, " ")+1] + name }

// renames notes that a registry is renamed while somebody has it open for writing.
func (m *model) renames(c *Call) {
	f := m.file(c.Path)
	m.stagesByRename(f, m.file(c.Path2), c)
	if f != nil && f.registry && slices.ContainsFunc(m.shared, func(d *description) bool { return d.f == f && d.writable() }) {
		m.renamedOpen = append(m.renamedOpen, renaming{filepath.Base(c.Path), filepath.Base(c.Path2)})
	}
}

// where says whether events are of a watched file or of a name in a directory.
func where(at string) string {
	switch {
	case strings.HasSuffix(at, " "):
		return "-self"
	case !isRegistry(at):
		return "-plain"
	}
	return ""
}

// covers reports whether a has all kinds of events that b has.
func covers(a, b map[string]uint32) bool {
	for at, mask := range b {
		if a[at]&mask != mask {
			return false
		}
	}
	return true
}
