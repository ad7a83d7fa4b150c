package cluster

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// advance has the live file follow the newest version that is known, unless somebody has
// changed it behind the storage. The caller holds doing.
func (s *Storage) advance(name string, r *registry) error {
	for {
		s.mu.Lock()
		next, stamp := r.next, r.stamp
		s.mu.Unlock()
		if next == nil {
			return nil
		}
		now, err := s.Local.Stamp(name)
		if err != nil {
			return err
		}
		if now != stamp {
			content, _, loaded, err := s.Local.Load(name)
			absent := errors.Is(err, fs.ErrNotExist)
			if err != nil && !absent {
				return err
			}
			now = loaded
			f := file(content, absent)
			switch {
			case next.is(f):
				s.arriveAt(name, r, *next, now, r.seq)
				continue
			case r.at.is(f):
			case !absent && includes(r.unsure, next, f.digest):
			default:
				return nil // an edit
			}
		}
		if err := s.putNewest(name, r, now, *next, r.seq); err != nil {
			return err
		}
	}
}

// arriveAt is arrive at a version that the live file was found to be.
func (s *Storage) arriveAt(name string, r *registry, v version, stamp string, seq uint64) {
	s.noteFound(name, r, v, seq)
	s.arrive(r, v, stamp, seq)
}

// arrive notes that the live file is a version. The caller holds doing.
func (s *Storage) arrive(r *registry, v version, stamp string, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.at, r.stamp, r.seq, r.own, r.edited = v.light(), stamp, seq, false, false
	r.shown, r.unsure = nil, nil
	r.last = max(r.last, seq)
	if r.next != nil && r.next.rev <= v.rev {
		r.next = nil
	}
}

// putNewest is put of a version that was the newest one. If another one is by now, whose host
// has dropped a chunk, it puts that.
func (s *Storage) putNewest(name string, r *registry, stamp string, v version, oldSeq uint64) error {
	for {
		err := s.put(name, r, stamp, v, oldSeq)
		if !errors.Is(err, errNoChunk) {
			return err
		}
		newer, failed := s.newest(name)
		if failed != nil || newer.rev == v.rev {
			return err
		}
		v = newer
	}
}

// put writes a version over the live file that has the stamp; the old live file becomes
// version oldSeq of the history here, or goes to quarantine where that is 0. The caller
// holds doing.
func (s *Storage) put(name string, r *registry, stamp string, v version, oldSeq uint64) error {
	s.number(name, r)
	seq := max(v.Seq, r.last+1, oldSeq+1)
	if err := s.note(name, r, &v, seq); err != nil {
		return err
	}
	var now string
	var err error
	ok := true
	switch {
	case v.State == gone && stamp == "":
		seq = 0
	case v.State == gone:
		seq = 0
		ok, err = s.Local.Remove(name, stamp, oldSeq)
	case v.State == blank:
		seq = 0
		if stamp != "" {
			ok, err = s.Local.Remove(name, stamp, oldSeq)
		}
		if ok && err == nil {
			now, ok, err = s.create(name)
		}
	default:
		now, ok, err = s.write(name, stamp, seq, oldSeq, v)
	}
	if err == nil && !ok {
		err = errMoved
	}
	if err != nil {
		return err
	}
	s.arrive(r, v, now, seq)
	return nil
}

// errMoved says that somebody changed the live file at the very moment.
var errMoved = errors.New("the live file is being changed behind clawfs")

func (s *Storage) create(name string) (string, bool, error) {
	if err := s.Local.MakeParents(name); err != nil {
		return "", false, err
	}
	return s.Local.Create(name, nil)
}

func (s *Storage) write(name, stamp string, seq, oldSeq uint64, v version) (string, bool, error) {
	content, err := s.contentOf(name, v)
	if err != nil {
		return "", false, err
	}
	if stamp == "" {
		if err := s.Local.MakeParents(name); err != nil {
			return "", false, err
		}
	}
	return s.Local.Commit(name, stamp, seq, oldSeq, content, v.Digest, v.Time, nil)
}

// Publish implements txn.Shared.
func (s *Storage) Publish(name, stamp string, seq uint64, content []byte, sum [32]byte, mtime time.Time) (bool, error) {
	r := s.of(name)
	defer r.doing.Unlock()
	if s.number(name, r); seq > 0 {
		seq = s.numberOfEdit(r, stamp, max(seq, r.last+1))
	}
	ok, err := s.publish(name, r, stamp, seq, content, sum, mtime)
	return ok, s.staysAside(name, r, err)
}

// publish is Publish. The caller holds doing.
func (s *Storage) publish(name string, r *registry, stamp string, seq uint64, content []byte, sum [32]byte, mtime time.Time) (bool, error) {
	now, err := s.Local.Stamp(name)
	if err != nil || now != stamp {
		return false, err
	}
	s.mu.Lock()
	down, behind, edited := s.down, r.next != nil, r.edited
	s.mu.Unlock()
	if down != nil || behind {
		return false, down
	}
	rec := &record{Seq: seq, State: live, Digest: sum, Size: len(content), Time: mtime}
	switch {
	case stamp == "" && r.at.State == gone:
		return true, nil
	case stamp == "":
		rec = &record{State: gone, Time: time.Now()}
		seq = 0
	case seq == 0:
		rec = &record{State: blank, Time: mtime}
	}
	if rec.State != live {
		content = nil
	}
	ended := func(error) {}
	if edited {
		rec.Nonce = newNonce()
		ended, err = s.trying(name, r, attempted{rec.Nonce, sum, seq}, alone{rec.State, rec.Digest})
		if err != nil {
			return false, err
		}
	}
	if ok, err := s.swapContent(name, r, rec, content); !ok || err != nil {
		ended(err)
		return false, err
	}
	s.noteFound(name, r, *s.madeOf(r), seq)
	_, _, err = s.followed(r, seq, stamp, true, nil)
	return true, err
}

// Newest implements txn.Shared.
func (s *Storage) Newest(name string) ([]byte, error) {
	for last := int64(-1); ; {
		v, err := s.newest(name)
		if err != nil {
			return nil, err
		}
		s.know(name, v)
		var content []byte
		if v.State == live {
			content, err = s.contentOf(name, v)
		}
		switch {
		case errors.Is(err, errNoChunk) && v.rev != last: // there is a newer version
			last = v.rev
			continue
		case err != nil:
			return nil, &UnavailableError{Err: err}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		v = v.light()
		s.make(name).onto = &v
		return content, nil
	}
}

// numberOfEdit returns the number that a live file, which is no version, has here; next is for one that
// has none yet.
func (s *Storage) numberOfEdit(r *registry, stamp string, next uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.shown != nil && *r.shown == stamp && r.shownSeq > 0 {
		return r.shownSeq
	}
	return next
}

// Merge implements txn.Shared. Until the live file follows, a note tells that the new version has
// its content.
func (s *Storage) Merge(name, stamp string, was [32]byte, content []byte, sum [32]byte, mtime time.Time) (bool, error) {
	r := s.of(name)
	defer r.doing.Unlock()
	if now, err := s.Local.Stamp(name); err != nil || now != stamp {
		return false, err
	}
	s.mu.Lock()
	onto, at, down := r.onto, r.at, s.down
	r.onto = nil
	s.mu.Unlock()
	if down != nil || onto == nil {
		return false, down
	}
	s.number(name, r)
	edit := s.numberOfEdit(r, stamp, r.last+1)
	rec := &record{State: live, Nonce: newNonce(), Digest: sum, Size: len(content), Time: mtime}
	ended, err := s.trying(name, r, attempted{rec.Nonce, was, edit}, alone{live, was})
	if err != nil {
		return false, err
	}
	s.replaces(r, *onto)
	if ok, err := s.swapContent(name, r, rec, content); !ok || err != nil {
		s.replaces(r, at)
		ended(err)
		return false, err
	}
	if sum == was {
		s.noteFound(name, r, *s.madeOf(r), edit)
		_, _, err = s.followed(r, edit, stamp, true, nil)
		return true, err
	}
	seq, now, ok := max(r.last, edit)+1, stampUnknown, false
	if err = s.note(name, r, s.madeOf(r), seq); err == nil {
		now, ok, err = s.Local.Commit(name, stamp, seq, edit, content, sum, mtime, nil)
	}
	_, _, err = s.followed(r, seq, now, ok, err)
	return true, err
}

// replaces has the next swap replace a version.
func (s *Storage) replaces(r *registry, v version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.at = v
}

// Rebase implements txn.Shared.
func (s *Storage) Rebase(name, stamp string) (bool, error) {
	r := s.of(name)
	defer r.doing.Unlock()
	v, err := s.newest(name)
	if err != nil {
		return false, err
	}
	s.number(name, r)
	switch err := s.putNewest(name, r, stamp, v, r.last+1); {
	case errors.Is(err, errMoved):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

// newest asks the engine for the newest version. The error is an *UnavailableError.
func (s *Storage) newest(name string) (version, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.commit)
	defer cancel()
	for {
		head, err := s.ask(ctx, name)
		switch {
		case err == nil && head.Rev == 0:
			return nothing(), nil
		case err == nil:
			rec, err := s.decode(head)
			if err != nil {
				return version{}, &UnavailableError{Err: err}
			}
			return version{rec, head.Rev}, nil
		case !wait(ctx, rand.N(s.limits.pause)):
			return version{}, &UnavailableError{Err: err}
		}
	}
}

// ask asks one member.
func (s *Storage) ask(ctx context.Context, name string) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.answer)
	defer cancel()
	return s.engine.Get(ctx, s.keys.head(name))
}

// CatchUp implements txn.Shared. The error is an *UnavailableError.
func (s *Storage) CatchUp(name string) error {
	if !s.shares(name) {
		return nil
	}
	if err := s.isDown(); err != nil {
		return err
	}
	v, err := s.newest(name)
	if err != nil {
		return err
	}
	if v.rev == 0 && !s.knows(name) {
		return nil // it is nobody's
	}
	s.know(name, v)
	return nil
}

// Behind implements txn.Shared.
func (s *Storage) Behind(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[name]
	return r != nil && r.next != nil
}

// Advance implements txn.Shared. An error that it returns is told once, too.
func (s *Storage) Advance(name string) error {
	r := s.of(name)
	defer r.doing.Unlock()
	err := s.advance(name, r)
	s.noteFailure(name, r, err)
	return err
}

// Rename moves the live file, or a directory, here, and has other hosts know. It is no
// longer one change for them: the new name comes first.
func (s *Storage) Rename(from, to string, noreplace bool) error {
	if err := s.isDown(); err != nil && !s.accept && (s.concerns(from) || s.concerns(to)) {
		return err
	}
	if err := s.Local.Rename(from, to, noreplace); err != nil {
		return err
	}
	return s.moved(from, to)
}

// Exchange is Rename of two names that change places.
func (s *Storage) Exchange(one, other string) error {
	if err := s.isDown(); err != nil && !s.accept && (s.concerns(one) || s.concerns(other)) {
		return err
	}
	if err := s.Local.Exchange(one, other); err != nil {
		return err
	}
	return errors.Join(s.moved(one, other), s.moved(other, one))
}

// moved tells other hosts of a move from one name to another, with all below it.
func (s *Storage) moved(from, to string) error {
	var failed error
	for _, name := range s.below(from) {
		target := to + strings.TrimPrefix(name, from)
		failed = errors.Join(failed, s.republish(target), s.republish(name))
	}
	if failed != nil {
		return &UncertainError{failed}
	}
	return nil
}

// concerns reports whether a name is that of a shared registry, or of a directory that has one.
func (s *Storage) concerns(name string) bool { return slices.ContainsFunc(s.below(name), s.shares) }

// below returns the name, and all registries that are known below it.
func (s *Storage) below(dir string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{dir} // no registry, but for one that a file has got in exchange
	for name := range s.all {
		if strings.HasPrefix(name, dir+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// republish makes the present live file the newest version everywhere, if the name is a
// registry's.
func (s *Storage) republish(name string) error {
	if !s.shares(name) {
		return nil
	}
	r := s.of(name)
	defer r.doing.Unlock()
	content, mtime, stamp, err := s.Local.Load(name)
	absent := errors.Is(err, fs.ErrNotExist)
	switch {
	case errors.Is(err, fs.ErrInvalid): // a directory
		return nil
	case err != nil && !absent:
		return err
	}
	if r.at.is(file(content, absent)) {
		s.arrive(r, r.at, stamp, r.seq)
		return nil
	}
	r.numbered, r.last, r.seq = false, 0, 0 // it has another history
	s.number(name, r)
	seq := max(r.last, 1)
	if len(content) == 0 {
		seq = 0
	}
	ok, err := s.publish(name, r, stamp, seq, content, sha256.Sum256(content), mtime)
	if err == nil && !ok { // another host was faster: the file here is an edit
		s.mu.Lock()
		s.follow(name)
		s.mu.Unlock()
	}
	if err = s.staysAside(name, r, err); err != nil && s.accept && unavailable(err) {
		return nil // it is published later
	}
	return err
}
