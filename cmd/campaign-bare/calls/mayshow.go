package calls

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A mount may show these things otherwise than a bare directory, by the exceptions.

var token = regexp.MustCompile(`"t\d+"`)

// unrelated reports whether the content of a name shows nothing of the content that another
// process had put there before, or its writer has not read that content, or was told earlier
// that there is nothing: clawfs has to guess the writer's views then, and may merge both.
func (m *model) unrelated(path string) bool {
	past := m.past[path]
	if f := m.file(path); len(past) < 2 || f == nil || past[len(past)-1].content != f.current {
		return false
	}
	now, before := past[len(past)-1], past[len(past)-2]
	fresh := map[string]bool{}
	for _, t := range token.FindAllString(before.content, -1) {
		fresh[t] = true
	}
	for _, v := range past[:len(past)-2] {
		for _, t := range token.FindAllString(v.content, -1) {
			delete(fresh, t)
		}
	}
	shown := slices.ContainsFunc(token.FindAllString(now.content, -1), func(t string) bool { return fresh[t] })
	return now.by != before.by && (len(fresh) > 0 && !shown || !before.readers[now.by] || m.knewNothing(path, now.by))
}

// absence is that a process was told that names are not there.
type absence struct {
	by    int
	calls int                    // made until then
	of    func(path string) bool // the names
}

// noteAbsence notes that a process was told that names are not there: by an error, or by a
// listing.
func (m *model) noteAbsence(c *Call, a answer) {
	switch {
	case a.ret < 0 && a.err == unix.ENOENT:
		m.absent = append(m.absent, absence{c.By, m.calls, func(path string) bool { return path == c.Path }})
	case c.Op == "readdir" && a.ret >= 0:
		listed := entries(string(a.data))
		m.absent = append(m.absent, absence{c.By, m.calls, func(path string) bool {
			return filepath.Dir(path) == filepath.Clean(c.Path) && listed[filepath.Base(path)] == ""
		}})
	}
}

// knewNothing reports whether a process that has just written a name for the first time since
// was told before another process wrote there that there is nothing.
func (m *model) knewNothing(path string, by int) bool {
	past := m.past[path]
	return slices.ContainsFunc(m.absent, func(a absence) bool {
		return a.by == by && a.of(path) && a.calls < past[len(past)-2].calls &&
			!slices.ContainsFunc(past[:len(past)-1], func(v version) bool { return v.by == by && v.calls >= a.calls })
	})
}

// respelled reports whether the content that a mount shows has the same values as the
// content of a name, and two processes have written that name in turn: both contents are
// merged then, in the spelling of the earlier one.
func (m *model) respelled(path, shown string) bool {
	past := m.past[path]
	if len(past) < 2 || past[len(past)-1].by == past[len(past)-2].by {
		return false
	}
	var a, b any
	return json.Unmarshal([]byte(past[len(past)-1].content), &a) == nil && json.Unmarshal([]byte(shown), &b) == nil && reflect.DeepEqual(a, b)
}

// filledByReading reports whether the observer has found a file empty, and then
// committed its staged content by reading it: it had no version yet, as nothing was saved
// of it but pieces that were refused.
func (m *model) filledByReading(f *file, s *sight) bool {
	return f != nil && f.registry && s.attrs.Size == 0 && len(m.dirtyBy(f)) > 0 && s.content == f.current &&
		!slices.ContainsFunc(f.versions, valid)
}

// byMapping takes the place of an offset where a mapping is read.
const byMapping = -1

// mayShow returns the contents that a mount may show of a file from an offset on, other than
// the content that a bare directory shows. A description names the file, or else its name
// does. The key is that of the exception that allows them. For a mapping, from is byMapping.
func (m *model) mayShow(f *file, by *description, from int64) (others []string, key string) {
	dirty := m.dirtyBy(f)
	if by != nil && by.over != nil {
		return []string{*by.over}, "refused"
	}
	if by != nil && by.dirty {
		return nil, ""
	}
	if by != nil && from == byMapping {
		if last := cmp.Or(by.mapped, by.since); last > 0 && last < len(f.versions) {
			others, key = append(others, f.versions[last-1:]...), "snapshot"
		}
	}
	if by != nil && by.pass && from > 0 && by.since < len(f.versions) && !m.holdsLock(by) {
		others, key = append(others, f.versions[max(by.since-1, 0):]...), "snapshot"
	}
	if by != nil && by.pass && from > 0 && !m.holdsLock(by) {
		for _, v := range by.began {
			if !slices.Contains(others, v) && v != f.current {
				others, key = append(others, v), "snapshot"
			}
		}
	}
	if f.refused {
		return append(others, f.versions...), "refused"
	}
	if len(dirty) == 0 || by != nil && m.holdsLock(by) && m.released(f) {
		return others, key
	}
	others = append(others, f.read...)
	if len(f.versions) == 0 {
		return append(others, ""), "staged"
	}
	return append(others, f.versions[len(f.versions)-1]), "staged"
}

// tell notes that the handle tells a size: that of the newest version or, while there is none, of
// staged content, which is committed when others open it.
func (d *description) tell() {
	d.told = nil
	if n := len(d.f.versions); n > 0 {
		d.told = append(d.told, d.f.versions[n-1])
	}
	if valid(d.f.current) && !slices.ContainsFunc(d.f.versions, valid) {
		d.told = append(d.told, d.f.current)
	}
}

// toldOf returns the contents whose size the handle may have told last and that have so many
// bytes: a reader that reads no more than that may get them.
func (d *description) toldOf(size int64) []string {
	return slices.DeleteFunc(slices.Clone(d.told), func(v string) bool { return int64(len(v)) < size })
}

// writeOver notes a write, at an offset, to a file whose last content was refused. On the bare
// side it goes over that content, on a mount over the content that the registry has kept. Where it
// has kept none, what is appended is joined with the refused pieces on both.
func (d *description) writeOver(c *Call, off int64) {
	if !d.f.registry || d.over == nil && (d.dirty || !d.f.refused) {
		return
	}
	appends := d.flags&unix.O_APPEND != 0
	if appends && !slices.ContainsFunc(d.f.versions, valid) {
		return
	}
	over := ""
	if d.over != nil {
		over = *d.over
	} else {
		for _, v := range d.f.versions {
			if valid(v) {
				over = v
			}
		}
	}
	if appends {
		off = int64(len(over))
	}
	end := off + int64(len(c.Data))
	switch {
	case c.Op == "fallocate" && c.has("KEEP_SIZE"):
		end = 0
	case c.Op == "fallocate", c.Op == "ftruncate":
		end = c.Off + c.Len
	}
	if missing := end - int64(len(over)); missing > 0 {
		over += strings.Repeat("\x00", int(missing))
	}
	switch c.Op {
	case "ftruncate":
		over = over[:c.Off]
	case "write", "pwrite":
		over = over[:off] + c.Data + over[end:]
	}
	d.over = &over
}

// saves returns the content that a save by the handle is about, as a mount has it.
func (d *description) saves() string {
	if d.over != nil {
		return *d.over
	}
	return d.f.current
}

// released reports whether all handles with unsaved bytes have had a lock and
// have given it back.
func (m *model) released(f *file) bool {
	return !slices.ContainsFunc(m.dirtyBy(f), func(d *description) bool { return !d.unlocked || m.holdsLock(d) })
}

// writtenElsewhere reports whether another process than the given one has unsaved
// bytes of a registry.
func (m *model) writtenElsewhere(f *file, actor int) bool {
	return f != nil && f.registry && slices.ContainsFunc(m.dirtyBy(f), func(o *description) bool { return o.refs[actor] == 0 })
}
