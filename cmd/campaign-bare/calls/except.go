package calls

import (
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Predicates returns the names of the predicates that this tester has for the
// table of exceptions.
func Predicates() []string {
	var names []string
	for _, e := range predicates {
		names = append(names, e.key)
	}
	return names
}

// predicate recognizes one way in which a registry differs from a bare file by
// design. Its key is a row of the table "Where a registry differs from a bare
// file" in docs/SEMANTICS.md, which has the reason.
type predicate struct {
	key string
	// answers says whether a call's two answers differ by this exception, given
	// the model as it was before the call. Those without it are recognized where
	// they are compared: merged by unrelated, overlap by overlaps, former-name, late-event,
	// early-end and told-again by drain. What a reading shows is for mayShow, a name that is hidden for hidden.
	answers func(k *comparison, bare, mount answer) bool
}

var predicates = []predicate{
	{key: "staged", answers: stagedLength},
	{key: "snapshot", answers: snapshotLength},
	{key: "creation", answers: creationHidden},
	{key: "overlap"},
	{key: "merged"},
	{key: "refused", answers: invalidRefused},
	{key: "shared-mapping", answers: mappingRefused},
	{key: "former-name"},
	{key: "late-event"},
	{key: "early-end"},
	{key: "told-again"},
	{key: "lock-by-name", answers: lockedByName},
}

// snapshotLength: a mapping or a search for data meets the file as empty as it was when the
// handle was opened.
func snapshotLength(k *comparison, bare, mount answer) bool {
	return k.otherLength("snapshot", bare, mount)
}

// stagedLength: a mapping or a search for data meets the file without content that others
// have staged.
func stagedLength(k *comparison, bare, mount answer) bool {
	return k.otherLength("staged", bare, mount)
}

// otherLength reports whether a mapping or a search for data fails, or does not, for how
// long the file is in a version that an exception allows.
func (k *comparison) otherLength(allowed string, bare, mount answer) bool {
	c := &k.call
	d := k.m.handle(c.By, c.H)
	if c.Op != "mmap" && c.Op != "lseek" || (bare.ret < 0) == (mount.ret < 0) || d == nil || !d.f.registry {
		return false
	}
	from := int64(0)
	if c.Op == "mmap" {
		from = byMapping
	}
	others, key := k.m.mayShow(d.f, d, from)
	return key == allowed && slices.ContainsFunc(others, func(v string) bool { return (v == "") != (d.f.current == "") })
}

// creationHidden: another process asks for a name that is being created.
func creationHidden(k *comparison, bare, mount answer) bool {
	c := &k.call
	if mount.ret >= 0 || mount.err != unix.ENOENT || c.H > 0 && c.Op != "open" && c.Op != "watch" || c.has("O_EXCL") {
		return false
	}
	for _, path := range []string{c.Path, c.Path2} {
		if c.Op == "mkdir" || path == c.Path2 && c.Op != "rename" {
			continue // the call that creates must find it
		}
		if f := k.m.follow(path); f != nil && f.registry && (f.creator != nil && f.creator.refs[c.By] == 0 || f.refused) {
			return true
		}
	}
	return false
}

// invalidRefused: the content to be saved is no document.
func invalidRefused(k *comparison, bare, mount answer) bool {
	c := &k.call
	if (bare.ret < 0) == (mount.ret < 0) {
		return false
	}
	if k.otherLength("refused", bare, mount) {
		return true
	}
	for _, path := range []string{c.Path, c.Path2} {
		if f := k.m.file(path); f != nil && f.refused && c.Op != "open" { // nothing is there
			return true
		}
	}
	if bare.ret < 0 {
		return false
	}
	switch c.Op {
	case "close", "fsync", "fdatasync", "dup2":
		h := c.H
		if c.Op == "dup2" {
			h = c.H2
		}
		d := k.m.handle(c.By, h)
		sync := c.Op == "fsync" || c.Op == "fdatasync"
		return mount.err == unix.EINVAL && d != nil && d.f.registry && d.dirty && !valid(d.saves()) && !(sync && d.f.hasOldRest())
	case "rename", "link":
		f := k.m.file(c.Path)
		return mount.err == unix.EILSEQ && f != nil && isRegistry(c.Path2) && !valid(f.current)
	}
	return false
}

// takesInvalid reports whether a mount has synced or closed content that is no document: this
// must differ. A document that still has the end of an older one behind it may pass.
func (k *comparison) takesInvalid(bare, mount answer) bool {
	d := k.m.handle(k.call.By, k.call.H)
	if d == nil || !d.f.registry || !d.dirty || bare.ret < 0 || mount.ret < 0 || d.over != nil && valid(*d.over) {
		return false
	}
	switch k.call.Op {
	case "fsync", "fdatasync":
	case "close":
		if len(d.refs) > 1 || d.refs[k.call.By] > 1 {
			return false
		}
		return d.f.current != "" && !valid(d.f.current)
	default:
		return false
	}
	return d.f.creator != d && d.f.current == "" || d.f.current != "" && !valid(d.f.current) && !d.f.hasOldRest()
}

// hasOldRest reports whether a file holds a whole document, and behind that the rest of
// the longer one that it held before.
func (f *file) hasOldRest() bool {
	if len(f.versions) == 0 {
		return false
	}
	var v any
	text, before := f.current, f.versions[len(f.versions)-1]
	d := json.NewDecoder(strings.NewReader(text))
	if len(text) != len(before) || d.Decode(&v) != nil {
		return false
	}
	rest := len(text) - len(strings.TrimLeft(text[d.InputOffset():], " \t\r\n"))
	return text[rest:] == before[rest:]
}

// mappingRefused: a shared mapping of a registry that may be written, or a store through it
// while several handles may write.
func mappingRefused(k *comparison, bare, mount answer) bool {
	d := k.m.handle(k.call.By, k.call.H)
	if k.call.Op != "mmap" || k.call.Data == "" || !k.call.has("MAP_SHARED") || bare.ret < 0 || mount.ret >= 0 || d == nil || !d.f.registry {
		return false
	}
	several := slices.ContainsFunc(k.m.shared, func(o *description) bool { return o != d && o.f == d.f && o.writable() })
	return mount.err == unix.ENODEV || mount.err == unix.EIO && several
}

// lockedByName: a file is locked by another of its names than the one that the handle was
// opened by.
func lockedByName(k *comparison, bare, mount answer) bool {
	c := &k.call
	d := k.m.handle(c.By, c.H)
	if !strings.HasSuffix(c.Op, "lock") || bare.ret >= 0 || bare.err != unix.EAGAIN || mount.ret < 0 || d == nil || !d.f.registry {
		return false
	}
	others := slices.DeleteFunc(slices.Clone(k.m.shared), func(o *description) bool { return o.f != d.f || o == d || !k.m.holdsLock(o) })
	return len(others) > 0 && !slices.ContainsFunc(others, func(o *description) bool { return o.path == d.path })
}
