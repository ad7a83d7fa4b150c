package cluster

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
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

	// Note keeps a line about a registry. Only one that is kept durably, and those before it,
	// must survive a power failure. Notes returns
	// the lines that were kept last, sixteen at least if there were as many. whole says that none
	// of any registry has been lost since NotesAreWhole was called.
	Note(name string, line []byte, durably bool) error
	Notes(name string) (lines [][]byte, whole bool, err error)
	NotesAreWhole() error
}

// Storage is a txn.Shared. Its methods may be called concurrently.
type Storage struct {
	Local
	engine Engine
	keys   keys
	host   string
	packer *packer
	sealer sealer
	told   func(Message)
	shares func(name string) bool
	accept bool // what can't be committed now is kept here, and merged later
	limits limits

	dropping sync.WaitGroup // of chunks

	mu     sync.Mutex           // guards the fields below
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
	at       version     // that the live file is, or was before somebody changed it
	stamp    string      // of the live file when it was that
	next     *version    // a newer one that is known; nil: none is
	making   nonce       // of the commit that is under way here
	made     *version    // that, once it is known to have been made
	own      bool        // at was made by this Storage
	edited   bool        // the live file was no version when it was looked at last
	shown    *string     // stamp of an edited live file that this host shows while nothing can be committed
	shownSeq uint64      // number of that here, 0 if it has none
	unsure   []attempted // commits from at of which it is not known whether they were made
	onto     *version    // that Newest has returned
	seq      uint64      // number that at has here, 0 if it is no version
	last     uint64      // highest number that a version has had here
	noted    nonce       // of the version that the last note describes

	retired  []chunk // that have left the head by the last commit from here; guarded by doing
	failed   error   // why next is not the live file; nil: it was not tried, or the file is edited
	numbered bool    // last is known
}

// pending ends the stamp of a live file that does not stand for the newest version.
const pending = "*"

var _ txn.Shared = (*Storage)(nil)

// of returns the state known of a registry, and locks it.
func (s *Storage) of(name string) *registry {
	s.mu.Lock()
	r := s.make(name)
	s.mu.Unlock()
	r.doing.Lock()
	return r
}

// make returns the state known of a registry. The caller holds mu.
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
	case r != nil && s.down != nil && r.shown != nil && *r.shown == stamp:
		return stamp, nil
	}
	return stamp + pending, nil
}

// Linked implements txn.Storage.
func (s *Storage) Linked(stamp string) bool {
	return s.Local.Linked(strings.TrimSuffix(stamp, pending))
}

// Load implements txn.Storage.
func (s *Storage) Load(name string) ([]byte, time.Time, string, error) {
	content, mtime, stamp, _, err := s.Find(name)
	return content, mtime, stamp, err
}

// Find implements txn.Shared. It does not wait for a commit under way: it looks again if that
// has ended meanwhile.
func (s *Storage) Find(name string) (content []byte, mtime time.Time, stamp string, from txn.Source, err error) {
	if !s.shares(name) {
		content, mtime, stamp, err = s.Local.Load(name)
		return content, mtime, stamp, from, err
	}
	for {
		before := s.situationOf(name)
		content, mtime, stamp, err = s.Local.Load(name)
		absent := errors.Is(err, fs.ErrNotExist)
		if err != nil && (!absent || !before.known) { // most names that are asked for are nobody's
			return content, mtime, stamp, from, err
		}
		var same bool
		if stamp, from, same = s.judge(name, before, file(content, absent), stamp); same {
			return content, mtime, stamp, from, err
		}
	}
}

// judge says where a live file with that stamp comes from; same is false where the registry is in
// another state than before.
func (s *Storage) judge(name string, before situation, f found, stamp string) (now string, from txn.Source, same bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.make(name)
	if before.known && r.situation() != before {
		return "", from, false
	}
	from.Seq = r.seq
	switch {
	case stamp == r.stamp:
	case r.at.is(f):
		r.stamp = stamp
	case r.made != nil && r.made.is(f):
		return stamp + pending, txn.Source{}, true
	case r.next != nil && r.next.is(f):
		return stamp + pending, txn.Source{Host: r.next.Host}, true
	default:
		if r.shown == nil || *r.shown != stamp {
			r.shows(stamp, 0)
		}
		r.edited = true
		from.Edited, from.Before = true, r.at.Digest
		return stamp, from, true
	}
	r.edited, r.shown = false, nil
	if !r.own {
		from.Host = r.at.Host
		from.Blank = r.at.State == blank && r.at.Host != s.host
	}
	return stamp, from, true
}

// situation is the state that changes as soon as the live file is another version.
type situation struct {
	known bool // something is known of the registry
	rev   int64
	stamp string
	made  *version
}

func (r *registry) situation() situation { return situation{true, r.at.rev, r.stamp, r.made} }

func (s *Storage) situationOf(name string) situation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.all[name]; r != nil {
		return r.situation()
	}
	return situation{}
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

// found is the state that a live file was found in.
type found struct {
	absent, empty bool
	digest        digest
}

func file(content []byte, absent bool) found {
	if absent {
		return found{absent: true}
	}
	return found{empty: len(content) == 0, digest: sha256.Sum256(content)}
}

// is reports whether a live file is as the version says.
func (v version) is(f found) bool {
	switch v.State {
	case gone:
		return f.absent
	case blank:
		return f.empty
	}
	return !f.absent && f.digest == v.Digest
}

// Base implements txn.Shared.
func (s *Storage) Base(name string) []byte {
	s.mu.Lock()
	r := s.make(name)
	at, next, seq := r.at, r.next, r.seq
	for _, a := range r.unsure {
		if next != nil && next.goesOnFrom(a.Nonce) {
			at, seq = version{record: &record{Format: format, State: live, Digest: a.Digest}}, a.Seq
		}
	}
	s.mu.Unlock()
	base, _ := s.base(name, at, seq, next)
	return base
}

// base returns the content of a version that the live file was before it was edited, if that is
// kept here, with its number, else of the newest other one that the cluster had: a live
// file that was edited was made from that, or from a later one. nil: there is none.
func (s *Storage) base(name string, at version, seq uint64, next *version) ([]byte, uint64) {
	if content, err := s.Local.Version(name, seq); err == nil && sha256.Sum256(content) == at.Digest {
		return content, seq
	}
	kept, err := s.Local.Versions(name)
	if err != nil {
		return nil, 0
	}
	for _, seq := range slices.Backward(kept) {
		content, err := s.Local.Version(name, seq)
		if err != nil {
			continue
		}
		d := digest(sha256.Sum256(content))
		if at.knows(d) || next != nil && next.knows(d) {
			return content, seq
		}
	}
	return nil, 0
}

// knows reports whether content is that of the version, or of one before it.
func (v version) knows(d digest) bool { return v.Digest == d || v.Ancestors.has(d) }

// goesOnFrom reports whether a version is the one with that nonce, or goes on from it.
func (v version) goesOnFrom(n nonce) bool {
	return v.Nonce == n || slices.ContainsFunc(v.Ancestors, func(a ancestor) bool { return a.nonce == n })
}

// Follow implements txn.Shared. moved is called at once for registries that wait already.
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
