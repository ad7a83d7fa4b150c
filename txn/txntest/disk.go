package txntest

import (
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// disk is the state of a disk. Contents are never changed in place, so that a
// copy of the maps is a copy of the disk.
type disk struct {
	files  map[string]file   // live files
	dirs   map[string]bool   // directories made explicitly
	staged map[string]staged // of commits under way
	hist   map[string]history
	copies map[string]Copy // quarantine
}

type file struct {
	content []byte
	mtime   time.Time
	state   uint64 // differs for every state that a file ever had
}

func (f file) stamp() string {
	if f.state == 0 {
		return ""
	}
	return strconv.FormatUint(f.state, 10)
}

// staged is the new file of a commit and, after the exchange, the file that was live before.
type staged struct {
	file
	seq       uint64
	exchanged bool
}

type history struct {
	versions map[uint64][]byte
	log      [][]byte
}

// Copy is one copy in quarantine.
type Copy struct {
	Name          string
	Content, Meta []byte
}

func newDisk() *disk {
	return &disk{
		files: map[string]file{}, dirs: map[string]bool{}, staged: map[string]staged{},
		hist: map[string]history{}, copies: map[string]Copy{},
	}
}

func (d *disk) clone() *disk {
	c := &disk{
		files: maps.Clone(d.files), dirs: maps.Clone(d.dirs), staged: maps.Clone(d.staged),
		hist: maps.Clone(d.hist), copies: maps.Clone(d.copies),
	}
	for name, h := range c.hist {
		c.hist[name] = history{maps.Clone(h.versions), slices.Clone(h.log)}
	}
	return c
}

func (d *disk) keep(name string, seq uint64, content []byte) {
	h := d.hist[name]
	if h.versions == nil {
		h.versions = map[uint64][]byte{}
	}
	h.versions[seq] = content
	d.hist[name] = h
}

func (d *disk) record(name string, line []byte) {
	h := d.hist[name]
	h.log = append(h.log, line)
	d.hist[name] = h
}

// conclude makes the file that came out of an exchange a version.
func (d *disk) conclude(name string, oldSeq uint64) {
	s, ok := d.staged[name]
	if ok && s.exchanged && oldSeq != 0 {
		d.keep(name, oldSeq, s.content)
	}
	delete(d.staged, name)
}

// resolve treats commits that were cut short as the next start does.
func (d *disk) resolve() {
	for name, s := range d.staged {
		if s.exchanged && s.seq != 0 {
			d.keep(name, s.seq, s.content)
		} else if len(s.content) > 0 {
			d.copies["aborted "+name+" "+strconv.FormatUint(s.seq, 10)] = Copy{Name: name, Content: s.content, Meta: []byte(`{"outcome":"aborted"}`)}
		}
	}
	clear(d.staged)
}

// isDir reports whether there is a directory of that name.
func (d *disk) isDir(name string) bool {
	if name == "" || d.dirs[name] {
		return true
	}
	for other := range d.files {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	for other := range d.dirs {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// rename moves a file or a directory, and lets the histories of both names
// change places.
func (d *disk) rename(from, to string) {
	moveNames(d.files, from, to)
	moveNames(d.dirs, from, to)
	swapNames(d.hist, from, to)
}

// exchange has two names change places, and the histories of both and of the registries
// below them.
func (d *disk) exchange(one, other string) {
	exchangeNames(d.files, one, other)
	exchangeNames(d.dirs, one, other)
	exchangeNames(d.hist, one, other)
}

func exchangeNames[V any](m map[string]V, a, b string) {
	if hasBelow(m, a) {
		swapNames(m, a, b)
	} else {
		swapNames(m, b, a)
	}
}

func moveNames[V any](m map[string]V, from, to string) {
	for name, v := range maps.Clone(m) {
		if moved, ok := moved(name, from, to); ok {
			m[moved] = v
			delete(m, name)
		}
	}
}

func swapNames[V any](m map[string]V, a, b string) {
	old := maps.Clone(m)
	if !hasBelow(old, a) {
		return
	}
	for name := range old {
		if below(name, a) || below(name, b) {
			delete(m, name)
		}
	}
	for name, v := range old {
		if to, ok := moved(name, a, b); ok {
			m[to] = v
		} else if to, ok := moved(name, b, a); ok {
			m[to] = v
		}
	}
}

func hasBelow[V any](m map[string]V, dir string) bool {
	for name := range m {
		if below(name, dir) {
			return true
		}
	}
	return false
}

func below(name, dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }

func moved(name, from, to string) (string, bool) {
	if !below(name, from) {
		return "", false
	}
	return to + name[len(from):], true
}

func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return ""
}

func checkName(op, name string) error {
	bad := strings.ContainsRune(name, 0)
	for c := range strings.SplitSeq(name, "/") {
		bad = bad || c == "" || c == "." || c == ".."
	}
	if bad {
		return pathError(op, name, fs.ErrInvalid)
	}
	return nil
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}
