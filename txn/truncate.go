package txn

import (
	"bytes"
	"time"

	"clawfs/txn/seen"
)

// Truncate sets the length of a registry in bytes, as truncate(2) does without
// a handle: a transaction of its own. mark is its name in a journal, 0 if it has none. Errors are those of
// Tx.Flush, and fs.ErrNotExist.
func (s *Store) Truncate(name string, c Caller, size int64, mark uint64) error {
	if size > s.cfg.MaxSize {
		return &TooLargeError{Name: name, Size: size, Limit: s.cfg.MaxSize}
	}
	n, err := s.Open(name)
	if err != nil {
		return err
	}
	defer n.Release()
	old := n.version.content.Bytes
	b := make([]byte, size)
	copy(b, old)
	if bytes.Equal(b, old) {
		return n.reg.touch(c, time.Time{})
	}
	q := &request{draft: &draft{content: seen.NewContent(b), headAtOpen: n.version}, writers: []Caller{c}, mark: mark, via: ViaTruncate}
	if q.doc, err = n.reg.admit(q.content, n.version, seen.Seen{}); err == nil {
		n.reg.submit(q)
		err = q.err
	}
	if err != nil {
		n.reg.refuse(c, ViaTruncate, q.content, err)
	}
	return err
}
