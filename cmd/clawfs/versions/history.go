package versions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	iofs "io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"clawfs/backing"
	"clawfs/txn"
)

// Record is one line of a registry's log, as --json shows it.
type Record struct {
	Registry string `json:"registry"`
	txn.Record

	// More are members that a later version has added, each behind a comma.
	More []byte `json:"-"`
}

// recordMembers are the members of a record that are known, and "name": of a copy in
// quarantine the registry.
var recordMembers = func() []string {
	names := []string{"name"}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Record]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}()

// ReadRecord reads a record and keeps members that it does not know: a line of a later
// version may say more, never less.
func ReadRecord(line []byte, into any, r *Record) error {
	if err := json.Unmarshal(line, into); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(line, &all); err != nil {
		return err
	}
	for _, name := range recordMembers {
		delete(all, name)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		r.More = append(append(append(append(r.More, ','), quoted...), ':'), all[name]...)
	}
	return nil
}

// History holds the records of one registry. Another process may go on writing
// its log meanwhile.
type History struct {
	dir     *backing.Dir
	Name    string
	Records []Record // oldest first; those before are no longer there
}

// restores reports whether a commit is one by which clawfs itself puts something in
// place: an older version, if the registry has held that content before.
func (r *Record) restores() bool {
	return r.Outcome == txn.Committed.String() && !r.Deleted && (r.Program == "clawfs" || r.Via == txn.ViaRecovery)
}

// ReadHistory reads the log of a registry.
func ReadHistory(dir *backing.Dir, name string) (*History, error) {
	h := &History{dir: dir, Name: name}
	first := make(map[string]uint64) // the first version with a digest
	for line, err := range dir.ReadLog(name) {
		if err != nil {
			return nil, err
		}
		var r Record
		if ReadRecord(line, &r, &r) == nil {
			r.Registry = name
			if _, known := first[r.Digest]; !known {
				first[r.Digest] = r.Seq
			} else if r.restores() && r.Note == (txn.Note{}) {
				r.Restored = first[r.Digest]
			}
			h.Records = append(h.Records, r)
		}
	}
	return h, nil
}

// Head returns the record that tells of the head, nil if nothing does or the
// registry was deleted.
func (h *History) Head() *Record {
	if len(h.Records) == 0 {
		return nil
	}
	last := &h.Records[len(h.Records)-1]
	if last.Seq == 0 || last.Deleted {
		return nil
	}
	return last
}

// Version returns the record by which a version became the head, or the oldest
// one that tells of it; nil if none does.
func (h *History) Version(seq uint64) *Record {
	for i := range h.Records {
		if h.Records[i].Seq == seq {
			return &h.Records[i]
		}
	}
	return nil
}

// NumberOf returns the newest version with a digest, 0 if it is not known.
func (h *History) NumberOf(digest string) uint64 {
	for i := len(h.Records) - 1; i >= 0; i-- {
		if h.Records[i].Digest == digest {
			return h.Records[i].Seq
		}
	}
	return 0
}

// Content returns the content of a version, of the live file for 0. A commit may make
// the head a version of the history at any moment, so it is looked for in both
// places, and once more in the first. The error is a *NoVersionError where it is
// not kept, fs.ErrNotExist for a live file that is not there.
func (h *History) Content(seq uint64) ([]byte, error) {
	if seq == 0 {
		b, _, _, err := h.dir.Load(h.Name)
		return b, err
	}
	b, err := h.dir.Version(h.Name, seq)
	if !errors.Is(err, iofs.ErrNotExist) {
		return b, err
	}
	b, _, _, err = h.dir.Load(h.Name)
	r := h.Version(seq)
	if err == nil && r != nil && DigestOf(b) == r.Digest {
		return b, nil
	}
	if err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return nil, err
	}
	b, err = h.dir.Version(h.Name, seq)
	if errors.Is(err, iofs.ErrNotExist) {
		kept, listErr := h.dir.Versions(h.Name)
		err = errors.Join(&NoVersionError{Name: h.Name, Seq: seq, Kept: kept}, listErr)
	}
	return b, err
}

// DigestOf returns the SHA-256 digest of content, in hexadecimal digits.
func DigestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
