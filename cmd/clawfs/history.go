package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	iofs "io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"clawfs/backing"
	"clawfs/txn"
)

// record is one line of a registry's log, as --json shows it.
type record struct {
	Registry string `json:"registry"`
	txn.Record

	more []byte // members that a later version has added, each behind a comma
}

// readRecord reads a record and keeps what it does not know: a line of a later
// version may say more, never less.
func readRecord(line []byte, into any, r *record) error {
	if err := json.Unmarshal(line, into); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(line, &all); err != nil {
		return err
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[record]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		delete(all, name)
	}
	delete(all, "name") // of a copy in quarantine: the registry
	for _, name := range slices.Sorted(maps.Keys(all)) {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		r.more = append(append(append(append(r.more, ','), quoted...), ':'), all[name]...)
	}
	return nil
}

// printRecordJSON prints a record, or what begins with one, for programs.
func (s streams) printRecordJSON(v any, more []byte) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	object := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	_, err := fmt.Fprintf(s.stdout, "%s%s}\n", object, more)
	return err
}

// history is what is known of one registry. Another process may go on writing
// it meanwhile.
type history struct {
	dir     *backing.Dir
	name    string
	records []record // oldest first; those before are no longer there
}

// restores reports whether a commit is one by which clawfs itself puts something in
// place: an older version, if the registry has held that content before.
func (r *record) restores() bool {
	return r.Outcome == txn.Committed.String() && !r.Deleted && (r.Program == "clawfs" || r.Via == txn.ViaRecovery)
}

// readHistory reads the log of a registry.
func readHistory(dir *backing.Dir, name string) (*history, error) {
	h := &history{dir: dir, name: name}
	first := make(map[string]uint64) // the first version with a digest
	for line, err := range dir.ReadLog(name) {
		if err != nil {
			return nil, err
		}
		var r record
		if readRecord(line, &r, &r) == nil {
			r.Registry = name
			if _, known := first[r.Digest]; !known {
				first[r.Digest] = r.Seq
			} else if r.restores() {
				r.Restored = first[r.Digest]
			}
			h.records = append(h.records, r)
		}
	}
	return h, nil
}

// head returns the record that tells of the head, nil if nothing does or the
// registry was deleted.
func (h *history) head() *record {
	if len(h.records) == 0 {
		return nil
	}
	last := &h.records[len(h.records)-1]
	if last.Seq == 0 || last.Deleted {
		return nil
	}
	return last
}

// version returns the record by which a version became the head, or the oldest
// one that tells of it; nil if none does.
func (h *history) version(seq uint64) *record {
	for i := range h.records {
		if h.records[i].Seq == seq {
			return &h.records[i]
		}
	}
	return nil
}

// numberOf returns the newest version with a digest, 0 if it is not known.
func (h *history) numberOf(digest string) uint64 {
	for i := len(h.records) - 1; i >= 0; i-- {
		if h.records[i].Digest == digest {
			return h.records[i].Seq
		}
	}
	return 0
}

// content returns what a version holds, the live file for 0. A commit may make
// the head a version of the history at any moment, so it is looked for in both
// places, and once more in the first. The error is a *noVersionError where it is
// not kept, fs.ErrNotExist for a live file that is not there.
func (h *history) content(seq uint64) ([]byte, error) {
	if seq == 0 {
		b, _, _, err := h.dir.Load(h.name)
		return b, err
	}
	b, err := h.dir.Version(h.name, seq)
	if !errors.Is(err, iofs.ErrNotExist) {
		return b, err
	}
	b, _, _, err = h.dir.Load(h.name)
	r := h.version(seq)
	if err == nil && r != nil && digestOf(b) == r.Digest {
		return b, nil
	}
	if err != nil && !errors.Is(err, iofs.ErrNotExist) {
		return nil, err
	}
	b, err = h.dir.Version(h.name, seq)
	if errors.Is(err, iofs.ErrNotExist) {
		kept, listErr := h.dir.Versions(h.name)
		err = errors.Join(&noVersionError{Name: h.name, Seq: seq, Kept: kept}, listErr)
	}
	return b, err
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
