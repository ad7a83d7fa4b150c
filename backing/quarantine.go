package backing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	metaSuffix = ".meta"
	idLayout   = "20060102T150405.000000000Z"
)

// Quarantined is one copy in quarantine.
type Quarantined struct {
	ID   string
	Size int64  // bytes of the content
	Meta []byte // one JSON object: its writer, the time, the reason of the refusal; nil if it could not be written
}

// quarantine is the list, in memory, of the copies in quarantine.
type quarantine struct {
	mu     sync.Mutex // guards the fields below
	loaded bool
	copies []copied // by id, which is by time
	bytes  int64
	log    logEnd
	last   time.Time // of the newest id
	serial int       // of the newest id among those of its time
}

type copied struct {
	id   string
	size int64
}

// Quarantine keeps refused or aborted content of a registry. meta is one JSON
// object that says the writer, the time, and why it was refused. The copy is
// durable when Quarantine returns, unless the Dir is relaxed. Its id sorts by time.
// The oldest copies go when there are more of them, or more bytes, than the options
// say; that is recorded in the quarantine's own log.
func (d *Dir) Quarantine(name string, content, meta []byte) (id string, err error) {
	if err := d.change("quarantine", name); err != nil {
		return "", err
	}
	defer d.leave()
	id, err = d.keepRefused(name, meta, int64(len(content)), d.copyTo(name, content))
	return id, wrap("quarantine", name, err)
}

// copyTo returns a function that writes content as a new entry of a directory.
func (d *Dir) copyTo(name string, content []byte) func(dir int, id string) error {
	return func(dir int, id string) error {
		err := d.writeLike(dir, id, name, content, d.syncKept)
		if err != nil && err != unix.EEXIST {
			_ = unlink(dir, id)
		}
		return err
	}
}

// stray says how content came into quarantine that nobody had refused.
type stray struct {
	seq uint64 // the version that it was to become, or was
	why string
}

// displaced says of a copy that it was replaced under no number.
const displaced = "replaced by a recovery"

// quarantineEntry moves an entry of a history into quarantine.
func (d *Dir) quarantineEntry(hist int, entry, name string, f stray) (id string, err error) {
	st, err := statAt(hist, entry)
	if err != nil {
		return "", err
	}
	if st == nil {
		return "", unix.ENOENT
	}
	meta, err := json.Marshal(struct {
		Name    string    `json:"name"`
		Seq     uint64    `json:"seq"`
		Time    time.Time `json:"time"`
		Outcome string    `json:"outcome"`
		Via     string    `json:"via"`
		Size    int64     `json:"size"`
		Error   string    `json:"error"`
	}{name, f.seq, d.o.Clock(), "aborted", "recovery", st.size, f.why})
	if err != nil {
		return "", err
	}
	if err := d.syncEntry(hist, entry); err != nil {
		return "", err
	}
	return d.keepRefused(name, meta, st.size, func(dir int, id string) error { return moveNew(hist, entry, dir, id) })
}

// keepRefused puts a copy into quarantine, which place makes under the given
// name in the given directory, and then its meta.
func (d *Dir) keepRefused(name string, meta []byte, size int64, place func(dir int, id string) error) (string, error) {
	dir, err := openDir(d.state, quarantineName)
	if err != nil {
		return "", err
	}
	defer closeFD(dir)
	if err := d.loadQuarantine(dir); err != nil {
		return "", err
	}
	id, err := d.placeNew(dir, place)
	if d.spendReserve(err) {
		id, err = d.placeNew(dir, place)
	}
	if err != nil {
		return "", err
	}
	d.describe(dir, id, name, meta)
	d.limitQuarantine(dir, copied{id, size})
	if err := d.syncDir(dir); err != nil {
		return id, &UncertainError{Err: err}
	}
	return id, nil
}

// describe writes the meta of a copy. The copy is kept even where that fails: the content
// that a program wrote is worth more than its description.
func (d *Dir) describe(dir int, id, name string, meta []byte) {
	line := append(bytes.TrimRight(meta, "\n"), '\n')
	write := func() error { return d.writeLike(dir, id+metaSuffix, name, line, d.syncKept) }
	err := write()
	if err != nil {
		_ = unlink(dir, id+metaSuffix)
	}
	if d.spendReserve(err) && write() != nil {
		_ = unlink(dir, id+metaSuffix)
	}
}

// placeNew runs place with the first id that is free. A process that ran before
// with a later clock, or with a clock that stands still, may have taken some.
func (d *Dir) placeNew(dir int, place func(dir int, id string) error) (string, error) {
	for {
		id := d.quarantine.next(d.o.Clock().UTC())
		err := place(dir, id)
		if err == nil {
			return id, nil
		}
		if err != unix.EEXIST {
			return "", err
		}
	}
}

// next returns an id later than all before.
func (q *quarantine) next(now time.Time) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.After(q.last) {
		q.last, q.serial = now, 0
	} else {
		q.serial++
	}
	return fmt.Sprintf("%s-%06d", q.last.Format(idLayout), q.serial)
}

// validID reports whether id can be one that next has made.
func validID(id string) bool {
	stamp, serial, ok := strings.Cut(id, "-")
	if _, err := time.Parse(idLayout, stamp); err != nil || !ok {
		return false
	}
	return len(serial) >= 6 && strings.Trim(serial, "0123456789") == ""
}

// loadQuarantine lists the copies that are there, once.
func (d *Dir) loadQuarantine(dir int) error {
	q := &d.quarantine
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.loaded {
		return nil
	}
	entries, err := listDir(dir)
	if err != nil {
		return err
	}
	copies, err := copiesAmong(dir, entries)
	if err != nil {
		return err
	}
	dropOrphans(dir, entries)
	if q.log, err = readLogEnd(dir); err != nil {
		return err
	}
	q.copies, q.bytes, q.loaded = copies, 0, true
	for _, c := range copies {
		q.bytes += c.size
	}
	if n := len(copies); n > 0 {
		stamp, _, _ := strings.Cut(copies[n-1].id, "-")
		q.last, _ = time.Parse(idLayout, stamp)
	}
	return nil
}

// dropOrphans removes the metas of copies that are gone: a crash came between the two
// removals.
func dropOrphans(dir int, entries []string) {
	for _, e := range entries {
		id, isMeta := strings.CutSuffix(e, metaSuffix)
		if _, found := slices.BinarySearch(entries, id); isMeta && validID(id) && !found {
			_ = unlink(dir, e)
		}
	}
}

// copiesAmong sorts the entries of the quarantine and returns the copies.
func copiesAmong(dir int, entries []string) ([]copied, error) {
	slices.Sort(entries)
	var copies []copied
	for _, id := range entries {
		if !validID(id) {
			continue
		}
		st, err := statAt(dir, id)
		if err != nil {
			return nil, err
		}
		if st != nil && st.regular() {
			copies = append(copies, copied{id, st.size})
		}
	}
	return copies, nil
}

// limitQuarantine enters a new copy and drops the oldest ones beyond the limits.
func (d *Dir) limitQuarantine(dir int, c copied) {
	q := &d.quarantine
	q.mu.Lock()
	defer q.mu.Unlock()
	i, _ := slices.BinarySearchFunc(q.copies, c.id, func(c copied, id string) int { return strings.Compare(c.id, id) })
	q.copies = slices.Insert(q.copies, i, c)
	q.bytes += c.size
	for len(q.copies) > 1 && (len(q.copies) > d.o.QuarantineFiles || q.bytes > d.o.QuarantineBytes) {
		oldest := q.copies[0]
		line, err := json.Marshal(struct {
			Time    time.Time       `json:"time"`
			Outcome string          `json:"outcome"`
			ID      string          `json:"quarantine"`
			Size    int64           `json:"size"`
			Meta    json.RawMessage `json:"meta,omitempty"`
		}{d.o.Clock(), "expired", oldest.id, oldest.size, readMeta(dir, oldest.id)})
		if err == nil {
			_ = d.appendLine(dir, &q.log, line) // the copy goes all the same: its space is needed
		}
		if unlinkCopy(dir, oldest.id) != nil {
			return
		}
		q.copies, q.bytes = q.copies[1:], q.bytes-oldest.size
	}
}

// unlinkCopy removes a copy and its meta. Of a copy that is gone the error is
// ENOENT.
func unlinkCopy(dir int, id string) error {
	err := unlink(dir, id)
	if err == nil || err == unix.ENOENT {
		_ = unlink(dir, id+metaSuffix)
	}
	return err
}

// readMeta returns the meta of a copy, nil if there is none or it is torn.
func readMeta(dir int, id string) []byte {
	b, err := readFileAt(dir, id+metaSuffix, 1<<20)
	if err != nil || !json.Valid(b) {
		return nil
	}
	return bytes.TrimSpace(b)
}

// Discard removes a copy from quarantine; fs.ErrNotExist if there is none of
// that id.
func (d *Dir) Discard(id string) error {
	if d.o.ReadOnly {
		return &fs.PathError{Op: "discard", Path: id, Err: unix.EROFS}
	}
	return d.onCopy("discard", id, func(dir int) error {
		if err := unlinkCopy(dir, id); err != nil {
			return err
		}
		q := &d.quarantine
		q.mu.Lock()
		defer q.mu.Unlock()
		if i := slices.IndexFunc(q.copies, func(c copied) bool { return c.id == id }); i >= 0 {
			q.bytes -= q.copies[i].size
			q.copies = slices.Delete(q.copies, i, i+1)
		}
		d.fillReserve()
		return nil
	})
}

// IsKept reports whether a copy is there.
func (d *Dir) IsKept(id string) bool {
	err := d.onCopy("look for", id, func(dir int) error {
		st, err := statAt(dir, id)
		if err == nil && st == nil {
			err = unix.ENOENT
		}
		return err
	})
	return err == nil
}

func (d *Dir) onCopy(op, id string, f func(dir int) error) error {
	if !validID(id) {
		return &fs.PathError{Op: op, Path: id, Err: fs.ErrNotExist}
	}
	if err := d.use(op); err != nil {
		return err
	}
	defer d.leave()
	dir, err := openDir(d.state, quarantineName)
	if err == nil {
		defer closeFD(dir)
		err = f(dir)
	}
	return wrap(op, id, err)
}

// ReadQuarantine returns a copy and its meta; fs.ErrNotExist if there is none
// of that id.
func (d *Dir) ReadQuarantine(id string) (content, meta []byte, err error) {
	err = d.onCopy("read quarantine", id, func(dir int) error {
		content, err = readFileAt(dir, id, d.o.MaxLoad)
		meta = readMeta(dir, id)
		return err
	})
	return content, meta, err
}

// ListQuarantine lists the copies in quarantine, oldest first.
func (d *Dir) ListQuarantine() ([]Quarantined, error) {
	if err := d.use("list quarantine"); err != nil {
		return nil, err
	}
	defer d.leave()
	dir, err := openDir(d.state, quarantineName)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, d.stateError("open", quarantineName, err)
	}
	defer closeFD(dir)
	entries, err := listDir(dir)
	if err != nil {
		return nil, d.stateError("list", quarantineName, err)
	}
	copies, err := copiesAmong(dir, entries)
	if err != nil {
		return nil, d.stateError("list", quarantineName, err)
	}
	out := make([]Quarantined, 0, len(copies))
	for _, c := range copies {
		out = append(out, Quarantined{ID: c.id, Size: c.size, Meta: readMeta(dir, c.id)})
	}
	return out, nil
}
