package cluster

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"time"

	"clawfs/txn"
)

// Local is the storage of this host.
type Local interface {
	txn.Storage

	// MakeParents makes the directories on the way to a registry that are missing.
	MakeParents(name string) error
}

// Storage is a txn.Shared. Its methods may be called concurrently.
type Storage struct {
	Local
	engine Engine
	keys   keys
	host   string
	packer *packer
	told   func(Message)
	shares func(name string) bool
	limits limits

	dropping sync.WaitGroup // of chunks

	mu     sync.Mutex           // guards what follows
	all    map[string]*registry // that this host or the cluster has
	follow func(name string)
	down   error     // why nothing can be committed; nil: it can
	since  time.Time // when down was set, or taken back
	rev    int64     // of the newest change that is known
}

// registry is the host's state of one registry.
type registry struct {
	doing sync.Mutex // held while its live file or its newest version is changed

	// Guarded by Storage.mu, and changed with doing held only, but for next.
	at     version    // that the live file is, or was before somebody changed it
	stamp  string     // of the live file when it was that
	next   *version   // a newer one that is known; nil: none is
	making nonce      // of the commit that is under way here
	made   *version   // that, once it is known to have been made
	own    bool       // at was made by this Storage
	seq    uint64     // number that at has here, 0 if it is no version
	last   uint64     // highest number that a version has had here
	source txn.Source // of the content that Load returned last

	retired  []chunk // that have left the head by the last commit from here; guarded by doing
	failed   error   // why next is not the live file; nil: it was not tried, or the file is edited
	numbered bool    // last is known
}

// pending ends the stamp of a live file that does not stand for the newest version.
const pending = "*"

var _ txn.Shared = (*Storage)(nil)

// of returns what is known of a registry, and locks it.
func (s *Storage) of(name string) *registry {
	s.mu.Lock()
	r := s.make(name)
	s.mu.Unlock()
	r.doing.Lock()
	return r
}

// make returns what is known of a registry. The caller holds mu.
func (s *Storage) make(name string) *registry {
	r := s.all[name]
	if r == nil {
		r = &registry{at: nothing()}
		s.all[name] = r
	}
	return r
}

// Stamp returns the live file's stamp, or another one if Load would return something else.
func (s *Storage) Stamp(name string) (string, error) {
	stamp, err := s.Local.Stamp(name)
	if err != nil {
		return "", err
	}
	if !s.shares(name) {
		return stamp, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[name]
	switch {
	case r == nil && stamp == "", r != nil && r.next == nil && r.stamp == stamp:
		return stamp, nil
	}
	return stamp + pending, nil
}

// Linked implements txn.Storage.
func (s *Storage) Linked(stamp string) bool {
	return s.Local.Linked(strings.TrimSuffix(stamp, pending))
}

// Load reads the live file. If a newer version is known it puts that in place before. Where
// that fails it reads the version before.
func (s *Storage) Load(name string) ([]byte, time.Time, string, error) {
	if !s.shares(name) {
		return s.Local.Load(name)
	}
	if _, err := s.Local.Stamp(name); err != nil {
		return nil, time.Time{}, "", err
	}
	if !s.knows(name) { // most names that are asked for are nobody's
		if _, mtime, _, err := s.Local.Load(name); errors.Is(err, fs.ErrNotExist) && !s.knows(name) {
			return nil, mtime, "", err
		}
	}
	r := s.of(name)
	defer r.doing.Unlock()
	s.noteFailure(name, r, s.advance(name, r))
	content, mtime, stamp, err := s.Local.Load(name)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return nil, mtime, "", err
	}
	edited := false
	s.mu.Lock()
	switch at := r.at; {
	case stamp == r.stamp:
	case at.is(content, absent):
		r.stamp = stamp
	default:
		edited = true
	}
	r.source = txn.Source{Seq: r.seq, Edited: edited}
	if !edited && !r.own {
		r.source.Host = r.at.Host
		r.source.Blank = r.at.State == blank && r.at.Host != s.host
	}
	next := r.next
	s.mu.Unlock()
	if edited {
		base := s.base(name, r.at, next)
		s.mu.Lock()
		r.source.Before, r.source.Base = r.at.Digest, base
		s.mu.Unlock()
	}
	return content, mtime, stamp, err
}

// knows reports whether something is known of a registry.
func (s *Storage) knows(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name] != nil
}

// noteFailure notes why the live file can't follow the cluster, and tells it once.
func (s *Storage) noteFailure(name string, r *registry, err error) {
	s.mu.Lock()
	was := r.failed
	r.failed = err
	s.mu.Unlock()
	if err != nil && (was == nil || was.Error() != err.Error()) {
		s.told(Message{Name: name, What: "the live file cannot follow the cluster", Err: err})
	}
}

// is reports whether a live file is as the version says.
func (v version) is(content []byte, absent bool) bool {
	switch v.State {
	case gone:
		return absent
	case blank:
		return !absent && len(content) == 0
	}
	return !absent && sha256.Sum256(content) == v.Digest
}

// fewVersions is how many versions are looked through for one that an edit was made from.
const fewVersions = 16

// base returns the newest content that is kept here and that the cluster had, too: a live
// file that was edited was made from that, or from a later one. nil: there is none.
func (s *Storage) base(name string, at version, next *version) []byte {
	kept, err := s.Local.Versions(name)
	if err != nil {
		return nil
	}
	for i := len(kept) - 1; i >= max(0, len(kept)-fewVersions); i-- {
		content, err := s.Local.Version(name, kept[i])
		if err != nil {
			continue
		}
		d := digest(sha256.Sum256(content))
		if at.knows(d) || next != nil && next.knows(d) {
			return content
		}
	}
	return nil
}

// knows reports whether content is that of the version, or of one before it.
func (v version) knows(d digest) bool { return v.Digest == d || v.Ancestors.has(d) }

// Source implements txn.Shared.
func (s *Storage) Source(name string) txn.Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.all[name]; r != nil {
		return r.source
	}
	return txn.Source{}
}

// Follow implements txn.Shared. moved is called at once for registries that
// wait already.
func (s *Storage) Follow(moved func(name string)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow = moved
	for name, r := range s.all {
		if r.next != nil || r.stamp == stampUnknown {
			moved(name)
		}
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.follow = func(string) {}
	}
}

// stampUnknown is no file's stamp.
const stampUnknown = "?"

// know notes a version that was committed, by whomever.
func (s *Storage) know(name string, v version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.make(name)
	switch {
	case v.rev <= r.at.rev || r.next != nil && v.rev <= r.next.rev:
	case v.Nonce == r.making:
		r.made = &v
	default:
		r.next = &v
		s.follow(name)
	}
}

// number makes sure that the numbers of versions that the registry has had here are known.
func (s *Storage) number(name string, r *registry) {
	if r.numbered {
		return
	}
	r.numbered = true
	var rec struct {
		Seq    uint64 `json:"seq"`
		Digest string `json:"digest"`
	}
	if line, err := s.Local.LastRecord(name); err == nil && line != nil && json.Unmarshal(line, &rec) == nil {
		r.last = max(r.last, rec.Seq)
	}
	if kept, err := s.Local.Versions(name); err == nil && len(kept) > 0 {
		r.last = max(r.last, kept[len(kept)-1])
	}
}
