package txn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// CheckInvariants compares everything that a living store holds in memory with the rules
// below, and with the live files and logs. It returns all contradictions, joined, nil
// where there is none. It may be called at any time. It is for tests, as it reads all
// registries that are in memory.
//
// It holds this: a registry is in the table by its name, and waits to be forgotten only
// while nobody uses it. Its head is a document in its dialect, has its digest, is the
// last version that its log tells of, and equals the live file, unless that was changed
// behind the store. A file that has no version is empty. A registry with an open
// transaction is in use. Caches and lists are within their bounds, and counts are right.
// Views are in order (seen.Views.CheckInvariants).
func (s *Store) CheckInvariants() error {
	errs := []error{s.checkTable(), s.docs.check(), s.copies.check(), s.wider.check()}
	var hidden int64
	for _, r := range s.all() {
		h, err := r.check()
		if err != nil {
			err = fmt.Errorf("%s: %w", r.name, err)
		}
		errs = append(errs, err)
		hidden += h
	}
	if n := s.hidden.Load(); n != hidden && !s.inUse() {
		errs = append(errs, fmt.Errorf("%d registries are counted as hidden, %d are", n, hidden))
	}
	return errors.Join(errs...)
}

// CheckReleased returns an error for each registry that is still in use, nil where all
// that was opened was given back.
func (s *Store) CheckReleased() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for name, r := range s.registries {
		if r.users != 0 {
			errs = append(errs, fmt.Errorf("%s was acquired and not released, %d times", name, r.users))
		}
	}
	return errors.Join(errs...)
}

func (s *Store) inUse() bool { return s.CheckReleased() != nil }

// checkTable checks the set of registries in memory, and how long they stay.
func (s *Store) checkTable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	idle := make(map[*Registry]bool)
	for _, r := range s.idle {
		if idle[r] || !r.parked {
			errs = append(errs, fmt.Errorf("%s is not once among those that are idle", r.name))
		}
		idle[r] = true
	}
	for name, r := range s.registries {
		r.mu.Lock()
		is, open := r.name, len(r.open)
		r.mu.Unlock()
		switch {
		case is != name:
			errs = append(errs, fmt.Errorf("%s is in the table as %s", is, name))
		case r.users < open:
			errs = append(errs, fmt.Errorf("%s has %d users and %d open transactions", name, r.users, open))
		case r.users == 0 && !r.parked, r.parked && !idle[r]:
			errs = append(errs, fmt.Errorf("%s will never be forgotten", name))
		}
	}
	if len(s.idle) >= s.evictAt {
		errs = append(errs, fmt.Errorf("%d registries are idle, %d are to be forgotten", len(s.idle), s.evictAt))
	}
	return errors.Join(errs...)
}

// check checks one registry, and counts it if it is hidden.
func (r *Registry) check() (hidden int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hidden {
		hidden = 1
	}
	errs := []error{r.seen.CheckInvariants()}
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(r.head != nil && r.blank != nil, "it has a version and is blank")
	wrong(r.hidden && r.blank == nil, "what is not there is hidden")
	wrong(r.pieces != nil && r.head != nil, "it has a version, and pieces of what is to be one")
	wrong(!r.leading && len(r.queue) > 0, "%d requests wait and nobody leads", len(r.queue))
	wrong(!r.loaded && r.exists(), "it has content and was never read")
	for t := range r.open {
		wrong(t.reg() != r, "a transaction of another registry is open")
		wrong(t.opened > r.store.Now(), "a transaction was opened after now")
	}
	if r.head != nil {
		errs = append(errs, r.checkHead())
	}
	if r.loaded && !r.isChanging() {
		errs = append(errs, r.checkLive())
	}
	return hidden, errors.Join(errs...)
}

// checkHead checks the head against itself and the log. The caller holds mu.
func (r *Registry) checkHead() error {
	h := r.head
	switch {
	case h.Seq == 0 || h.Seq > r.lastSeq || h.Parent >= h.Seq:
		return fmt.Errorf("the head is version %d, made from %d, of %d", h.Seq, h.Parent, r.lastSeq)
	case h.Digest != h.content.Digest || h.Digest != sha256.Sum256(h.content.Bytes) || h.Size != int64(len(h.content.Bytes)):
		return errors.New("the head is not what its digest and size say")
	}
	if h.dialect == Plain {
		return nil
	}
	if _, err := r.parseAs(h.content, r.dialectOf(h)); err != nil {
		return fmt.Errorf("the head is not one document: %w", err)
	}
	return r.checkRecord()
}

// checkRecord checks that the log's last record does not tell of another head. It may be
// older: a log that can't be written fails no commit.
func (r *Registry) checkRecord() error {
	line, err := r.store.storage.LastRecord(r.name)
	if err != nil || line == nil {
		return nil
	}
	var rec Record
	if err := json.Unmarshal(line, &rec); err != nil {
		return fmt.Errorf("the last record: %w", err)
	}
	digest := hex.EncodeToString(r.head.Digest[:])
	if rec.Seq > r.head.Seq || rec.Seq == r.head.Seq && rec.Digest != "" && rec.Digest != digest {
		return fmt.Errorf("the head is version %d, %.8s, the last record is of %d, %.8s", r.head.Seq, digest, rec.Seq, rec.Digest)
	}
	return nil
}

// checkLive checks that the live file holds the content that the registry shows,
// unless it was changed behind the store. The caller holds mu.
func (r *Registry) checkLive() error {
	stamp, err := r.store.storage.Stamp(r.name)
	if err != nil || stamp != r.stamp {
		return nil
	}
	b, _, stamp, err := r.store.storage.Load(r.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.exists() {
			return errors.New("there is no live file, and a version")
		}
		return nil
	case err != nil || stamp != r.stamp:
		return nil
	case r.head != nil && !r.store.storage.Linked(stamp) && sha256.Sum256(b) != r.head.Digest:
		return errors.New("the live file is not the head")
	case r.head == nil && len(b) > 0:
		return errors.New("the live file holds something, and there is no version")
	case !r.exists():
		return errors.New("there is a live file, and no version")
	}
	return nil
}

// check checks that the trees that are kept are counted, and are not too many.
func (k *docCache) check() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var size int64
	for e := k.used.Front(); e != nil; e = e.Next() {
		d := e.Value.(*cachedDoc)
		size += d.size
		if k.docs[d.content] != e {
			return errors.New("a parsed document is not found by its content")
		}
	}
	switch {
	case len(k.docs) != k.used.Len() || size != k.size:
		return fmt.Errorf("%d parsed documents of %d bytes are counted as %d of %d", k.used.Len(), size, len(k.docs), k.size)
	case size > max(k.limit, 0) && k.used.Len() > oneMerge:
		return fmt.Errorf("%d bytes of parsed documents are kept, %d may be", size, k.limit)
	}
	return nil
}

// check checks that copies are within their bound, and each stands for a refusal.
func (k *keptCopies) check() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) > manyCopies {
		return fmt.Errorf("%d copies are remembered, %d may be", len(k.list), manyCopies)
	}
	for _, c := range k.list {
		if c.users < 1 || c.id == "" {
			return fmt.Errorf("a copy of %s stands for %d refusals", c.name, c.users)
		}
	}
	return nil
}

// check checks that answers about directories are within their bound.
func (w *widerLooks) check() error {
	if n := len(w.all()); n > maxWiderLooks {
		return fmt.Errorf("%d answers about directories are remembered, %d may be", n, maxWiderLooks)
	}
	return nil
}
