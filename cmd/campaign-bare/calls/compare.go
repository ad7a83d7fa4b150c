package calls

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Difference is one thing that a mount shows otherwise than a bare directory.
type Difference struct {
	Step        int    // the call's place in the program, from 0
	Call        Call   // the call after which it was seen
	Aspect      string // the thing that differs
	Subject     string // the path or the handle that shows it
	Bare, Mount string
	Kind        string // the class of this difference, a stable name
	Excuse      string // the key of the exception that allows it, if one does
	sort        string // of the call: its group and the state of its subject
	hard        bool   // the two sides hold different things from now on
}

// String returns the difference on one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: step %d, %s: %s: bare %q, mount %q", d.Kind, d.Step, d.Subject, d.Aspect, short(d.Bare), short(d.Mount))
}

func short(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

// pair is a number on the bare side and the one on the mount.
type pair struct{ bare, mount uint64 }

// comparison compares the two sides of one program, call by call.
type comparison struct {
	m         *model
	step      int
	call      Call
	state     string           // of the call's subject, before the call
	files     []*file          // that the call is about
	looking   bool             // at the observers' sights
	strict    bool             // invalid content must be refused
	bare      map[string]sight // as they were compared last
	mount     map[string]sight
	inos      map[slot]pair
	pairs     map[pair]bool
	tolerated map[string]string
	found     []Difference
}

func newComparison(m *model) *comparison {
	return &comparison{
		m: m, bare: map[string]sight{}, mount: map[string]sight{}, inos: map[slot]pair{}, pairs: map[pair]bool{}, tolerated: map[string]string{},
	}
}

// before notes the state of a call's subject before the call.
func (k *comparison) before(step int, c Call) {
	k.step, k.call, k.found = step, c, nil
	k.state = k.m.stateOf(&c)
	k.looking = false
	k.files = k.m.filesOf(&c)
}

// differs notes a difference, unless the same was noted before and lasts.
func (k *comparison) differs(aspect, subject, bare, mount string, hard bool) {
	if !hard {
		key := aspect + " " + subject
		if k.tolerated[key] == bare+" "+mount {
			return
		}
		k.tolerated[key] = bare + " " + mount
	}
	d := Difference{Step: k.step, Call: k.call, Aspect: aspect, Subject: subject, Bare: bare, Mount: mount, hard: hard}
	d.sort = group(&k.call, k.m) + " " + k.state
	d.Kind = k.kindOf(aspect, subject)
	k.found = append(k.found, d)
}

// excused notes a difference that an exception allows.
func (k *comparison) excused(key, aspect, subject, bare, mount string, hard bool) {
	k.found = append(k.found, Difference{
		Step: k.step, Call: k.call, Aspect: aspect, Subject: subject, Bare: bare, Mount: mount, Kind: key, Excuse: key, hard: hard,
	})
}

// same compares two texts that must be equal.
func (k *comparison) same(aspect, subject, bare, mount string, hard bool) bool {
	if bare != mount {
		k.differs(aspect, subject, bare, mount, hard)
	}
	return bare == mount
}

func outcome(a answer) string {
	if a.ret < 0 {
		return unix.ErrnoName(a.err)
	}
	return fmt.Sprint(a.ret)
}

// answers compares the answers to a call. The model still is as before the call.
func (k *comparison) answers(bare, mount answer) {
	c := &k.call
	subject := c.Path
	if subject == "" {
		subject = fmt.Sprintf("handle %d of process %d", c.H, c.By)
	}
	for _, e := range predicates {
		if e.answers != nil && e.answers(k, bare, mount) {
			k.excused(e.key, "result", subject, outcome(bare), outcome(mount), (bare.ret < 0) != (mount.ret < 0) && (!c.harmless() || c.Op == "watch" || c.Op == "lseek"))
			return
		}
	}
	if k.strict && k.takesInvalid(bare, mount) {
		k.differs("takes-invalid", subject, outcome(bare)+", content is no document", outcome(mount), c.Op == "close")
	}
	switch {
	case bare.ret >= 0 && mount.ret < 0:
		k.differs(unix.ErrnoName(mount.err), subject, outcome(bare), outcome(mount), true)
		return
	case bare.ret < 0 && mount.ret >= 0:
		k.differs("not-"+unix.ErrnoName(bare.err), subject, outcome(bare), outcome(mount), true)
		return
	case bare.ret < 0:
		k.same("errno", subject, outcome(bare), outcome(mount), true)
		return
	}
	switch c.Op {
	case "readdir":
		k.listing(subject, string(bare.data), string(mount.data))
	case "drain", "watch":
	case "listxattr":
		k.same("bytes", subject, sorted(bare.data), sorted(mount.data), true)
	default:
		if k.bytes(subject, bare, mount) {
			k.same("result", subject, outcome(bare), outcome(mount), true)
		}
	}
	if bare.attrs != nil && mount.attrs != nil {
		k.told(subject, bare.attrs, mount.attrs)
	}
}

func sorted(data []byte) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(string(data), "\x00")), " ")
}

// moving are the calls that set the offset of a handle: after one that differs the two sides read
// at different places.
var moving = []string{"read", "lseek", "copy", "sendfile"}

// bytes compares the bytes that a handle gave, and reports whether the rest of the
// answer is to be compared.
func (k *comparison) bytes(subject string, bare, mount answer) bool {
	c := &k.call
	if string(bare.data) == string(mount.data) && bare.ret == mount.ret {
		return true
	}
	d := k.m.handle(c.By, c.H)
	if d != nil && d.f.registry {
		from := c.Off
		if c.Op == "read" {
			from = d.pos
		} else if c.Op == "lseek" {
			from = 1
		} else if c.Op == "mmap" {
			from = byMapping
		}
		others, key := k.m.mayShow(d.f, d, from)
		if told := d.toldOf(from + c.Len); len(told) > 0 && (from == 0 || !d.pass) && c.Op != "mmap" && c.Op != "lseek" {
			others, key = append(slices.Clone(others), told...), cmp.Or(key, "snapshot")
		}
		for _, v := range others {
			if explains(c, v, from, mount) {
				k.excused(key, "bytes", subject, string(bare.data), string(mount.data), slices.Contains(moving, c.Op) && bare.ret != mount.ret)
				return false
			}
		}
	}
	if string(bare.data) != string(mount.data) {
		k.differs("bytes", subject, string(bare.data), string(mount.data), true)
		return false
	}
	return true
}

// explains reports whether a version that a handle may show gives this answer.
func explains(c *Call, version string, from int64, a answer) bool {
	switch c.Op {
	case "read", "pread":
		from = min(from, int64(len(version)))
		return version[from:min(from+c.Len, int64(len(version)))] == string(a.data)
	case "mmap":
		return strings.TrimRight(string(a.data), "\x00") == version[:min(c.Len, int64(len(version)))]
	case "lseek":
		return c.has("SEEK_END") && a.ret == int64(len(version))+c.Off || c.has("SEEK_HOLE") && a.ret == int64(len(version))
	case "copy", "sendfile":
		return true // the copied bytes are compared in the file that they went to
	}
	return false
}

// told compares attributes that a process asked for itself.
func (k *comparison) told(subject string, bare, mount *attrs) {
	c, m := &k.call, k.m
	f := m.files[bare.Ino]
	var by *description
	if c.H > 0 && c.Op != "open" {
		by = m.handle(c.By, c.H)
	}
	if c.Op == "open" {
		k.inos[slot{c.By, c.H}] = pair{bare.Ino, mount.Ino}
	} else if by != nil {
		k.number(subject, bare.Ino, mount.Ino)
	}
	if bare.Size != mount.Size && bare.Mode&unix.S_IFMT == unix.S_IFREG {
		key := ""
		if f != nil && f.registry {
			others, why := m.mayShow(f, by, 1)
			if c.Op == "open" || slices.ContainsFunc(others, func(v string) bool { return int64(len(v)) == mount.Size }) {
				key = why
			}
		}
		if key != "" {
			k.excused(key, "size", subject, fmt.Sprint(bare.Size), fmt.Sprint(mount.Size), false)
		} else {
			k.differs("size", subject, fmt.Sprint(bare.Size), fmt.Sprint(mount.Size), true)
		}
	}
	k.plain(subject, f, bare, mount)
}

// plain compares the attributes that no exception is about.
func (k *comparison) plain(subject string, f *file, bare, mount *attrs) {
	k.same("mode", subject, fmt.Sprintf("%o", bare.Mode), fmt.Sprintf("%o", mount.Mode), false)
	k.same("owner", subject, fmt.Sprint(bare.UID, bare.GID), fmt.Sprint(mount.UID, mount.GID), false)
	k.same("nlink", subject, fmt.Sprint(bare.Nlink), fmt.Sprint(mount.Nlink), false)
	clean := f == nil || len(k.m.dirtyBy(f)) == 0
	if set := bare.Mtime < longAgo || mount.Mtime < longAgo; set && clean {
		k.same("mtime-set", subject, times(bare.Mtime, bare.MtimeNs), times(mount.Mtime, mount.MtimeNs), false)
	}
}

// longAgo is later than every time that a program sets, and earlier than any
// other.
const longAgo = 1_500_000_000

func times(s, ns int64) string {
	if s >= longAgo {
		return "now"
	}
	return fmt.Sprintf("%d.%09d", s, ns)
}

// number compares inode numbers: two names or handles have one number on the
// mount if they have one on the bare side.
func (k *comparison) number(subject string, bare, mount uint64) {
	if mount >= 1<<53 {
		k.same("ino-large", "every", "below 2^53", "above", false)
	}
	p := pair{bare, mount}
	if k.pairs[p] {
		return
	}
	for other := range k.pairs {
		if other.bare == bare && k.owner(other) != "" {
			k.same("ino", subject, "same as "+k.owner(other), "another", false)
			break
		}
		if other.mount == mount && k.owner(other) != "" {
			k.same("ino", subject, "another", "same as "+k.owner(other), false)
			break
		}
	}
	k.pairs[p] = true
}

// owner tells a name or a handle that has both numbers of a pair.
func (k *comparison) owner(p pair) string {
	for _, path := range slices.Sorted(maps.Keys(k.mount)) {
		b, m := k.bare[path], k.mount[path]
		if b.err == 0 && m.err == 0 && b.attrs.Ino == p.bare && m.attrs.Ino == p.mount {
			return path
		}
	}
	for s, q := range k.inos {
		if q == p && k.m.handle(s.actor, s.h) != nil {
			return fmt.Sprintf("handle %d of process %d", s.h, s.actor)
		}
	}
	return ""
}

// looks compares the observers' sights. The model is as after the call.
func (k *comparison) looks(bare, mount map[string]sight) {
	old, before := k.bare, k.mount
	k.looking = true
	if d := k.m.handle(k.call.By, k.call.H); d != nil { // a file that the call has opened
		k.files = append(k.files, d.f)
	}
	k.bare, k.mount = maps.Clone(old), maps.Clone(before)
	maps.Copy(k.mount, mount)
	for path := range mount {
		k.bare[path] = bare[path]
	}
	for p := range k.pairs { // a number that nobody has any more may be given out anew
		if k.owner(p) == "" {
			delete(k.pairs, p)
		}
	}
	for _, path := range inOrder(bare, mount) {
		b, m := bare[path], mount[path]
		if !k.there(path, b, m) {
			continue
		}
		switch b.attrs.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			k.regular(path, b, m)
		case unix.S_IFDIR:
			k.same("mode", path, fmt.Sprintf("%o", b.attrs.Mode), fmt.Sprintf("%o", m.attrs.Mode), false)
			k.same("nlink", path, fmt.Sprint(b.attrs.Nlink), fmt.Sprint(m.attrs.Nlink), false)
			if !slices.ContainsFunc(k.found, func(d Difference) bool { return d.hard }) {
				k.listing(path, b.content, m.content)
			}
		case unix.S_IFLNK:
			k.same("content", path, b.content, m.content, true)
		}
		ob, om := old[path], before[path]
		if om.err == 0 && ob.err == 0 && om.attrs.Ino != 0 && (ob.attrs.Ino == b.attrs.Ino) != (om.attrs.Ino == m.attrs.Ino) {
			k.differs("ino", path, changed(ob.attrs.Ino != b.attrs.Ino), changed(om.attrs.Ino != m.attrs.Ino), false)
			k.pairs[pair{b.attrs.Ino, m.attrs.Ino}] = true
			delete(k.tolerated, "ino "+path)
		}
		k.number(path, b.attrs.Ino, m.attrs.Ino)
	}
}

// inOrder returns the paths that were looked at, directories last.
func inOrder(bare, mount map[string]sight) []string {
	paths := slices.Sorted(maps.Keys(mount))
	slices.SortStableFunc(paths, func(a, b string) int {
		return int(bare[a].attrs.Mode&unix.S_IFDIR) - int(bare[b].attrs.Mode&unix.S_IFDIR)
	})
	return paths
}

func changed(yes bool) string {
	if yes {
		return "changed"
	}
	return "unchanged"
}

// there compares whether a name is there, and the type of its file.
func (k *comparison) there(path string, b, m sight) bool {
	if b.err == 0 && m.err == unix.ENOENT && k.hidden(path) {
		k.excused("creation", "existence", path, "there", "ENOENT", false)
		return false
	}
	if b.err != m.err {
		k.differs("existence", path, unix.ErrnoName(b.err), unix.ErrnoName(m.err), true)
		return false
	}
	return b.err == 0 && k.same("type", path, fmt.Sprintf("%o", b.attrs.Mode&unix.S_IFMT), fmt.Sprintf("%o", m.attrs.Mode&unix.S_IFMT), true)
}

// hidden reports whether a name is of a file that is being created, or that nothing could be
// saved of yet.
func (k *comparison) hidden(path string) bool {
	f := k.m.file(path)
	return f != nil && f.registry && (f.creator != nil || f.refused)
}

// creates reports whether the caller is creating the file of a name.
func (k *comparison) creates(path string) bool {
	f := k.m.file(path)
	return f != nil && f.creator != nil && f.creator.refs[k.call.By] > 0
}

// regular compares a file and its content.
func (k *comparison) regular(path string, b, m sight) {
	f := k.m.file(path)
	if m.contentErr != b.contentErr {
		k.differs("look", path, unix.ErrnoName(b.contentErr), unix.ErrnoName(m.contentErr), true)
		return
	}
	switch {
	case int64(len(m.content)) == m.attrs.Size:
	case k.m.filledByReading(f, &m):
		k.excused("staged", "size", path, fmt.Sprint(len(m.content), " bytes read"), fmt.Sprint(m.attrs.Size), false)
	default:
		k.differs("size", path, fmt.Sprint(len(m.content), " bytes read"), fmt.Sprint(m.attrs.Size), true)
		return
	}
	if b.content != m.content {
		if f.registry && len(k.m.dirtyBy(f)) == 0 && (k.m.unrelated(path) || b.attrs.Nlink == 1 && k.m.respelled(path, m.content)) {
			k.excused("merged", "content", path, b.content, m.content, true)
			return
		}
		others, key := k.m.mayShow(f, nil, 0)
		if !f.registry || !slices.Contains(others, m.content) {
			k.differs("content", path, b.content, m.content, true)
			return
		}
		k.excused(key, "content", path, b.content, m.content, false)
	}
	k.plain(path, f, &b.attrs, &m.attrs)
	if len(k.m.dirtyBy(f)) > 0 || f.creator != nil || b.content != m.content {
		return
	}
	other := f.compared && b.attrs.Nlink > 1 && f.mount.Ino != m.attrs.Ino // its names are different files on the mount
	if f.compared && !other {
		mtime := k.changes("mtime", path, f.bare.Mtime, f.bare.MtimeNs, b.attrs.Mtime, b.attrs.MtimeNs,
			f.mount.Mtime, f.mount.MtimeNs, m.attrs.Mtime, m.attrs.MtimeNs)
		if !mtime { // else the change time differs for the same reason
			k.changes("ctime", path, f.bare.Ctime, f.bare.CtimeNs, b.attrs.Ctime, b.attrs.CtimeNs,
				f.mount.Ctime, f.mount.CtimeNs, m.attrs.Ctime, m.attrs.CtimeNs)
		}
	}
	f.compared, f.bare, f.mount = true, b.attrs, m.attrs
}

// changes compares the directions in which a time has changed on the two sides. It
// reports whether they differ.
func (k *comparison) changes(aspect, path string, bs, bns, bs2, bns2, ms, mns, ms2, mns2 int64) bool {
	direction := func(s, ns, s2, ns2 int64) string {
		switch {
		case s2 > s || s2 == s && ns2 > ns:
			return "later"
		case s2 == s && ns2 == ns:
			return "unchanged"
		}
		return "earlier"
	}
	b, m := direction(bs, bns, bs2, bns2), direction(ms, mns, ms2, mns2)
	if b != m {
		k.differs(aspect, path, b, m, false)
		delete(k.tolerated, aspect+" "+path)
	}
	return b != m
}

// listing compares the entries of a directory.
func (k *comparison) listing(path, bare, mount string) {
	b, m := entries(bare), entries(mount)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		full := strings.TrimPrefix(path+"/"+name, "./")
		if _, there := m[name]; !there && k.hidden(full) && !(k.call.Op == "readdir" && !k.looking && k.creates(full)) {
			k.excused("creation", "listing", full, "listed", "not listed", false)
			continue
		}
		if !k.same("listing", full, b[name], m[name], true) {
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if _, there := b[name]; !there {
			k.differs("listing", strings.TrimPrefix(path+"/"+name, "./"), "not listed", "listed", true)
			return
		}
	}
}

// entries takes a listing apart: the type of each name.
func entries(data string) map[string]string {
	found := map[string]string{}
	for entry := range strings.SplitSeq(data, "\x00") {
		if len(entry) > 1 {
			found[entry[1:]] = fmt.Sprintf("type %d", entry[0])
		}
	}
	return found
}
