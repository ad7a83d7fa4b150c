package versions

import (
	"cmp"
	"errors"
	"fmt"
	iofs "io/fs"
	"iter"
	"os/user"
	"strconv"

	"clawfs/backing"
	"clawfs/txn"
)

// Registry holds the facts that are known of a registry without reading its whole history.
type Registry struct {
	Name string
	Last Record   // the newest record; the zero Record where none can be read
	Kept []uint64 // the older versions that are kept, oldest first
}

// Gone reports whether the registry was removed.
func (r *Registry) Gone() bool { return r.Last.Deleted }

// Registries yields the registries at the place and below it that have a history, those
// that are gone included, in the order of their names. It ends with the first error.
func (p Place) Registries(dir *backing.Dir) iter.Seq2[*Registry, error] {
	return func(yield func(*Registry, error) bool) {
		for name, err := range dir.Registries() {
			if err != nil {
				yield(nil, err)
				return
			}
			if !p.Holds(name) {
				continue
			}
			r := &Registry{Name: name, Last: LastRecord(dir, name)}
			if r.Kept, err = dir.Versions(name); err != nil && !errors.Is(err, iofs.ErrNotExist) {
				yield(nil, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Histories reads the histories of the registries at the place and below it.
func (p Place) Histories(dir *backing.Dir) ([]*History, error) {
	var out []*History
	for name, err := range dir.Registries() {
		if err != nil {
			return nil, err
		}
		if !p.Holds(name) {
			continue
		}
		h, err := ReadHistory(dir, name)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// LastRecord returns the newest record of a registry, as far as it can be read.
func LastRecord(dir *backing.Dir, name string) (r Record) {
	if line, err := dir.LastRecord(name); err != nil || line == nil || ReadRecord(line, &r, &r) != nil {
		r = Record{}
	}
	r.Registry = name
	return r
}

// Became is the one word for the event that the record tells of.
func (r *Record) Became() string {
	switch {
	case r.Via == txn.ViaRecovery && r.Outcome == txn.Committed.String():
		return "recovered"
	case r.Via == txn.ViaForeign && r.Outcome == txn.Committed.String() && !r.Deleted:
		return "adopted"
	case r.Deleted:
		return "deleted"
	}
	return r.Outcome
}

// Writer names the writer.
func (r *Record) Writer() string {
	switch {
	case r.PID != 0:
		return fmt.Sprintf("%s (%d) of %s", cmp.Or(r.Program, "?"), r.PID, cmp.Or(r.User, UserName(r.UID)))
	case r.Via == txn.ViaPeer:
		return "host " + r.Host
	case r.Via == txn.ViaForeign:
		return "somebody behind clawfs"
	case r.Via == txn.ViaRecovery:
		return "clawfs"
	}
	return "an unknown process"
}

// UserName returns the name of a user, the number where it has none.
func UserName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
