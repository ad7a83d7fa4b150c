package backing

import (
	"io/fs"
	"iter"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Registries yields the names of all registries that have a history, those that
// are gone included, in the order of their names component by component. It ends
// with the first error. Close need not wait for the end, and the loop's body may make
// other calls.
func (d *Dir) Registries() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		pending := []string{""} // directories to look into, the next one last
		for len(pending) > 0 {
			name := pending[len(pending)-1]
			pending = pending[:len(pending)-1]
			own, below, err := d.lookInto(name)
			if err != nil {
				yield("", err)
				return
			}
			if own && !yield(name, nil) {
				return
			}
			slices.SortFunc(below, func(a, b string) int { return strings.Compare(b, a) })
			pending = append(pending, below...)
		}
	}
}

// lookInto reports whether an entry of the history tree is a registry's, and
// returns the names below it.
func (d *Dir) lookInto(name string) (own bool, below []string, err error) {
	if err := d.use("list registries"); err != nil {
		return false, nil, err
	}
	defer d.leave()
	hist, err := d.openHistory(name)
	if err == unix.ENOENT {
		return false, nil, nil // gone meanwhile
	}
	var entries []string
	if err == nil {
		defer closeFD(hist)
		entries, err = listDir(hist)
	}
	if err != nil {
		return false, nil, &fs.PathError{Op: "list registries", Path: pathOr(name, "."), Err: err}
	}
	for _, e := range entries {
		component, isHash, ok := unescape(e)
		if !ok {
			own = own || ofRegistry(e)
			continue
		}
		if isHash {
			b, err := readFileAt(hist, e+"/"+nameEntry, 4096)
			if err != nil || escape(string(b)) != e {
				continue // it was cut short before anything was put into it
			}
			component = string(b)
		}
		if name != "" {
			component = name + "/" + component
		}
		below = append(below, component)
	}
	return own, below, nil
}

// ofRegistry reports whether an entry says that the history is a registry's,
// not only a directory's above one.
func ofRegistry(entry string) bool {
	_, version := parseVersion(entry)
	return version || entry == logEntry || entry == oldLog || leftover(entry)
}
