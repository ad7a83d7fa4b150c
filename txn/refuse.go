package txn

import (
	"clawfs/txn/seen"
)

// refuse quarantines refused content and reports it.
func (r *Registry) refuse(c Caller, via Via, content *seen.Content, cause error) {
	r.tellRefusal(c, via, content.Bytes, int64(len(content.Bytes)), cause)
}

// tellRefusal reports that so many bytes were refused; lost are those that are nowhere else,
// and go to quarantine.
func (r *Registry) tellRefusal(c Caller, via Via, lost []byte, size int64, cause error) {
	head := r.Head()
	e := Event{Name: r.Name(), Outcome: Rejected, Via: via, Writer: c, Err: cause, Size: size}
	if head != nil {
		e.Seq, e.Parent = head.Seq, head.Seq
	}
	if len(lost) > 0 {
		e.Copy, _ = r.store.quarantine(&e, lost)
	}
	r.record(&e, head)
	r.store.observe(&e)
}

// Check reports whether content could be a new registry of that name, to which c wants to bring
// a file that holds it. A change that can't is reported as refused; the file keeps it. Errors
// are *InvalidError and *TooLargeError.
func (s *Store) Check(name string, c Caller, via Via, content []byte) error {
	r := s.acquire(name)
	defer s.release(r)
	_, err := r.admit(seen.NewContent(content), nil, seen.Seen{})
	if err != nil {
		r.tellRefusal(c, via, nil, int64(len(content)), err)
	}
	return err
}

// CheckSize is Check of a file's size, for a caller that has not read it yet. The error is a
// *TooLargeError.
func (s *Store) CheckSize(name string, c Caller, via Via, size int64) error {
	if size <= s.cfg.MaxSize {
		return nil
	}
	r := s.acquire(name)
	defer s.release(r)
	err := &TooLargeError{Name: r.Name(), Size: size, Limit: s.cfg.MaxSize}
	r.tellRefusal(c, via, nil, size, err)
	return err
}
