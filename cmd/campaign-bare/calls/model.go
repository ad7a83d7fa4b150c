package calls

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// model is the state of a bare directory, as far as a program can know: it follows
// from the bare side's answers alone. The generator chooses calls by it, and the
// comparison asks it for the differences that a mount may show.
type model struct {
	names   map[string]sight
	files   map[uint64]*file // by the bare side's inode number
	handles map[slot]*description
	shared  []*description // all that are open
	child   map[int]bool   // processes that were forked by others
	locks   map[posixLock]bool
	past    map[string][]version
	by      int // the process that has made the last call

	renamedOpen []renaming
	watched     map[int64]*file // by the watch's number

	calls  int // made so far
	absent []absence
}

// version is a content of a name, the process that made it so, and those that have read it.
type version struct {
	content string
	by      int
	readers map[int]bool
	calls   int // made until then
}

// slot is a handle of a process.
type slot struct{ actor, h int }

// posixLock is a fcntl lock: it belongs to a process and a file.
type posixLock struct {
	actor int
	f     *file
}

// file is an inode of the bare side.
type file struct {
	ino      uint64
	registry bool         // it has, or had, a name that is a registry's
	creator  *description // until it is closed, synced or locked by its creator
	versions []string     // its contents at the times when no handle had unsaved bytes
	current  string
	read     []string // its contents, since the last version, when a holder of a lock read it: the reading may have saved them
	named    bool
	refused  bool // the last content to be saved was no document
	leftOpen bool // it lost its last name while somebody had it open for writing
	endTold  bool // its watchers were told of that at once
	tellsAll bool // somebody has begun to watch while a handle had unsaved bytes, or just after
	busy     bool // it was opened for writing since watchers were asked last
	bareOnly bool // the bare side alone has opened and closed it since then

	// Times at the last comparison, on both sides.
	compared    bool
	bare, mount attrs
}

// description is an open file description, which descriptors share.
type description struct {
	f        *file
	path     string
	opener   int
	flags    int32
	refs     map[int]int // process -> descriptors
	dirty    bool        // it has bytes that no close, fsync or lock's end has saved
	over     *string     // its content as a mount has it, which knows nothing of what was refused before; nil: as the bare side
	unlocked bool        // it has given its lock back since it wrote
	wrote    bool
	since    int      // versions that there were when its pass of reading began
	told     []string // the contents whose size it may have been told last
	began    []string // of these, those that its pass of reading may be of
	pass     bool     // it has read something since it was at the start last
	pos      int64    // its offset, as the bare side has it
	mapped   int      // versions that there were when it was mapped first
	flock    bool
	ofdLock  bool
}

func newModel() *model {
	return &model{
		names: map[string]sight{}, files: map[uint64]*file{}, handles: map[slot]*description{}, child: map[int]bool{},
		locks: map[posixLock]bool{}, past: map[string][]version{}, watched: map[int64]*file{},
	}
}

func isRegistry(path string) bool { return strings.HasSuffix(path, ".json") }

func valid(content string) bool { return json.Valid([]byte(content)) }

// writable reports whether the handle may write.
func (d *description) writable() bool {
	return d.flags&unix.O_ACCMODE != unix.O_RDONLY && d.flags&unix.O_PATH == 0
}

// dirtyBy returns the descriptions with unsaved bytes of a file.
func (m *model) dirtyBy(f *file) []*description {
	var found []*description
	for _, d := range m.shared {
		if d.f == f && d.dirty {
			found = append(found, d)
		}
	}
	return found
}

// holdsLock reports whether a description, or a process, has a lock on the file.
func (m *model) holdsLock(d *description) bool {
	if d.flock || d.ofdLock {
		return true
	}
	for actor := range d.refs {
		if m.locks[posixLock{actor, d.f}] {
			return true
		}
	}
	return false
}

// handle returns the description behind a handle of a process.
func (m *model) handle(actor, h int) *description { return m.handles[slot{actor, h}] }

// file returns the file of a name, nil if it is none.
func (m *model) file(path string) *file {
	s, there := m.names[path]
	if !there || s.err != 0 || s.attrs.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	return m.files[s.attrs.Ino]
}

// filesOf returns the files that a call is about, by name or by handle.
func (m *model) filesOf(c *Call) []*file {
	var files []*file
	for _, path := range []string{c.Path, c.Path2} {
		if f := m.file(path); f != nil {
			files = append(files, f)
		}
	}
	for _, h := range []int{c.H, c.H2} {
		if d := m.handle(c.By, h); d != nil {
			files = append(files, d.f)
		}
	}
	return files
}

// overlaps reports whether a call begins to write a file that another handle has written
// and not saved. The mount merges both then, the bare directory does not.
func (m *model) overlaps(c *Call) bool {
	var f *file
	var d *description
	flags, _, _ := c.flagBits()
	switch c.Op {
	case "open":
		if flags&unix.O_TRUNC == 0 && flags&unix.O_CREAT == 0 || flags&unix.O_EXCL != 0 {
			return false
		}
		f = m.file(c.Path)
	case "write", "pwrite", "ftruncate", "fallocate", "mmap":
		d = m.handle(c.By, c.H)
	case "copy", "sendfile":
		if from := m.handle(c.By, c.H); from != nil && (from.f.refused || m.writtenBesides(from.f, from)) {
			return true // the copied content is another version
		}
		d = m.handle(c.By, c.H2)
	case "truncate":
		f = m.file(c.Path)
	case "unlink", "rename", "link":
		return m.writtenElsewhere(m.file(c.Path), c.By) || c.Op == "rename" && m.writtenElsewhere(m.file(c.Path2), 0)
	}
	if d != nil {
		f = d.f
	}
	return (c.Op != "mmap" || c.Data != "") && m.writtenBesides(f, d)
}

// writtenBesides reports whether another description than the given one creates a
// registry, or has unsaved bytes of it that it has not given up under a lock.
func (m *model) writtenBesides(f *file, d *description) bool {
	if f == nil || !f.registry {
		return false
	}
	return f.creator != nil && f.creator != d || slices.ContainsFunc(m.dirtyBy(f), func(o *description) bool { return o != d && !o.unlocked })
}

// follow returns the file that a name leads to.
func (m *model) follow(path string) *file {
	if s := m.names[path]; s.err == 0 && s.attrs.Mode&unix.S_IFMT == unix.S_IFLNK {
		path = s.content
	}
	return m.file(path)
}

func (m *model) exists(path string) bool {
	s, there := m.names[path]
	return there && s.err == 0
}

// did notes a call that the bare side has carried out.
func (m *model) did(c *Call, a answer) {
	m.by = c.By
	m.calls++
	m.noteAbsence(c, a)
	if a.ret < 0 {
		return
	}
	d := m.handle(c.By, c.H)
	switch c.Op {
	case "open":
		m.open(c, a)
	case "close":
		m.close(c.By, c.H)
	case "dup":
		if d != nil {
			d.refs[c.By]++
			m.handles[slot{c.By, c.H2}] = d
		}
	case "dup2":
		if to := m.handle(c.By, c.H2); d != nil && to != nil && c.H != c.H2 {
			d.refs[c.By]++
			m.close(c.By, c.H2)
			m.handles[slot{c.By, c.H2}] = d
		}
	case "fork":
		m.fork(c.By, c.H)
	case "exit":
		m.exit(c.By)
	case "rename":
		m.renames(c)
	case "watch":
		m.watches(c, a)
	case "fstat":
		if d != nil {
			d.tell()
		}
	case "fsync", "fdatasync":
		if d != nil && (valid(d.f.current) || d.f.current == "" && d.f.creator == d) {
			m.save(d)
		}
	case "flock", "lock", "ofdlock":
		m.lock(c, d)
	case "read", "write", "pread", "pwrite", "ftruncate", "fallocate", "copy", "sendfile", "mmap", "lseek":
		m.transfer(c, d, a)
	}
}

// transfer notes a call that reads or writes by a handle.
func (m *model) transfer(c *Call, d *description, a answer) {
	if d == nil {
		return
	}
	switch c.Op {
	case "copy", "sendfile":
		if to := m.handle(c.By, c.H2); to != nil {
			m.write(to)
			to.pos += a.ret
		}
		d.pos += a.ret
	case "write":
		d.writeOver(c, d.pos)
		m.write(d)
		if d.pos += a.ret; d.flags&unix.O_APPEND != 0 {
			d.pos = int64(len(d.f.current)) + a.ret
		}
	case "pwrite", "ftruncate", "fallocate":
		d.writeOver(c, c.Off)
		m.write(d)
	case "mmap":
		if c.Data != "" && c.has("MAP_SHARED") {
			m.write(d)
		}
		if d.mapped == 0 {
			d.mapped = len(d.f.versions)
		}
		m.reads(c.By, d, 0, c.Len)
	case "lseek":
		d.pos = a.ret
		d.pass = d.pass && d.pos > 0
		if c.has("SEEK_END") {
			d.tell()
		}
	case "read":
		m.reads(c.By, d, d.pos, c.Len)
		d.pos += a.ret
	case "pread":
		m.reads(c.By, d, c.Off, c.Len)
	}
}

// reads notes a reading by a handle from an offset on. A reading under a lock saves all that
// others have written and have given up their locks for.
func (m *model) reads(by int, d *description, from, size int64) {
	if from == 0 || !d.pass {
		d.began = d.toldOf(from + size)
	}
	if from == 0 {
		d.since = len(d.f.versions)
	}
	d.pass = true
	for path, past := range m.past {
		if m.file(path) == d.f {
			past[len(past)-1].readers[by] = true
		}
	}
	if m.holdsLock(d) && valid(d.f.current) {
		d.f.read = append(d.f.read, d.f.current)
	}
	if m.holdsLock(d) && m.released(d.f) {
		for _, w := range m.dirtyBy(d.f) {
			m.save(w)
		}
	}
}

func (m *model) write(d *description) {
	d.wrote = true
	d.unlocked = false
	if d.f.registry {
		d.dirty = true
	}
}

// save notes that the bytes that a description has written are there for all.
func (m *model) save(d *description) {
	if d.dirty && (d.f.current != "" || d.f.creator != d) {
		d.f.refused = !valid(d.f.current)
	}
	if d.over != nil {
		d.f.versions = append(d.f.versions, *d.over)
	}
	d.dirty, d.over = false, nil
	if d.f.creator == d {
		d.f.creator = nil
	}
}

// stagesByRename notes that a file that holds no document, and that somebody may write, takes
// a registry's name: its handles have that content staged, and the name keeps its content.
func (m *model) stagesByRename(f, replaced *file, c *Call) {
	if f == nil || f == replaced || c.has("RENAME_EXCHANGE") || !isRegistry(c.Path2) || valid(f.current) ||
		replaced == nil || !replaced.registry || replaced.current == "" {
		return
	}
	for _, d := range m.shared {
		if d.f == f && d.writable() {
			d.dirty, f.versions, f.creator = true, slices.Clone(replaced.versions), nil
		}
	}
}

func (m *model) open(c *Call, a answer) {
	flags, _, _ := c.flagBits()
	f := m.files[a.attrs.Ino]
	d := &description{path: c.Path, opener: c.By, flags: flags, refs: map[int]int{c.By: 1}}
	if f == nil {
		f = &file{ino: a.attrs.Ino, registry: isRegistry(c.Path) && flags&unix.O_DIRECTORY == 0}
		m.files[f.ino] = f
		if flags&unix.O_CREAT != 0 && f.registry {
			f.creator = d
		}
	} else if flags&unix.O_TRUNC != 0 && d.writable() && f.current != "" && f.registry {
		d.dirty = true
	}
	d.f, d.since = f, len(f.versions)
	d.tell()
	f.busy = f.busy || d.writable()
	m.handles[slot{c.By, c.H}] = d
	m.shared = append(m.shared, d)
}

func (m *model) close(actor, h int) {
	d := m.handle(actor, h)
	if d == nil {
		return
	}
	delete(m.handles, slot{actor, h})
	delete(m.locks, posixLock{actor, d.f})
	if d.refs[actor]--; d.refs[actor] == 0 {
		delete(d.refs, actor)
	}
	if actor == d.opener || d.refs[d.opener] == 0 || len(d.refs) == 0 {
		m.save(d)
	}
	if len(d.refs) > 0 {
		return
	}
	m.shared = slices.DeleteFunc(m.shared, func(o *description) bool { return o == d })
	m.forget(d.f)
}

// forget drops a file that has neither a name nor a handle: its number may be
// another file's next.
func (m *model) forget(f *file) {
	if f.named || slices.ContainsFunc(m.shared, func(o *description) bool { return o.f == f }) {
		return
	}
	delete(m.files, f.ino)
}

func (m *model) fork(parent, child int) {
	m.child[child] = true
	for s, d := range maps.Clone(m.handles) {
		if s.actor == parent {
			m.handles[slot{child, s.h}] = d
			d.refs[child]++
		}
	}
}

func (m *model) exit(actor int) {
	delete(m.child, actor)
	for _, h := range m.handlesOf(actor) {
		m.close(actor, h)
	}
}

// handlesOf returns the handles of a process, in order.
func (m *model) handlesOf(actor int) []int {
	var hs []int
	for s := range m.handles {
		if s.actor == actor {
			hs = append(hs, s.h)
		}
	}
	slices.Sort(hs)
	return hs
}

func (m *model) lock(c *Call, d *description) {
	if d == nil {
		return
	}
	held, before := !c.has("LOCK_UN") && !c.has("F_UNLCK"), m.holdsLock(d)
	switch c.Op {
	case "flock":
		d.flock = held
	case "ofdlock":
		d.ofdLock = held
	case "lock":
		m.locks[posixLock{c.By, d.f}] = held
	}
	if held && d.f.creator == d {
		d.f.creator = nil
	}
	if !held && before && d.dirty {
		d.unlocked = true
	}
}

// saw takes over the sights of the bare side.
func (m *model) saw(seen map[string]sight) {
	maps.Copy(m.names, seen)
	for _, f := range m.files {
		f.named = false
	}
	for _, path := range slices.Sorted(maps.Keys(m.names)) {
		s := m.names[path]
		if s.err != 0 || s.attrs.Mode&unix.S_IFMT != unix.S_IFREG {
			continue
		}
		f := m.files[s.attrs.Ino]
		if f == nil {
			f = &file{ino: s.attrs.Ino}
			m.files[f.ino] = f
		}
		f.named = true
		f.registry = f.registry || isRegistry(path)
		f.current = s.content
	}
	for path := range seen {
		f, past := m.file(path), m.past[path]
		if f != nil && f.current != "" && len(m.dirtyBy(f)) == 0 && (len(past) == 0 || past[len(past)-1].content != f.current) {
			m.past[path] = append(past, version{f.current, m.by, map[int]bool{}, m.calls})
		}
	}
	for _, f := range slices.Collect(maps.Values(m.files)) {
		f.leftOpen = f.leftOpen || f.registry && !f.named && slices.ContainsFunc(m.shared, func(d *description) bool { return d.f == f && d.writable() })
		m.forget(f)
		if len(m.dirtyBy(f)) == 0 && (len(f.versions) == 0 || f.versions[len(f.versions)-1] != f.current) {
			f.versions, f.read = append(f.versions, f.current), nil
		}
	}
}
