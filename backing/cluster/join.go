package cluster

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"time"
)

// Options say how a Storage behaves. The zero value of a field means its default.
type Options struct {
	Cluster string // name of the cluster; hosts of one name share their registries
	Host    string // name of this host, other than that of each other one

	// Names yields the registries that have a live file here, and Shares reports whether a
	// name is one's that is shared; nil: every one is. All others are those of the local storage.
	Names  iter.Seq2[string, error]
	Shares func(name string) bool

	// Join decides the fate of live files that have nothing to do with the cluster's
	// versions under their names.
	Join Join

	// Secret encrypts what the engine has of the cluster. All hosts have the same one, from the first
	// version on; nil: none has.
	Secret []byte

	Offline Offline // the treatment of writes while the cluster can't be reached

	Commit time.Duration // how long a commit may wait for the cluster; 5 s
	Answer time.Duration // how long a member has to answer before another one is asked; 1.5 s
	Look   time.Duration // how often to ask whether the cluster can be written; 2 s

	Told func(Message) // nil: nobody
}

func (o Options) withDefaults() Options {
	o.Commit, o.Answer, o.Look = cmp.Or(o.Commit, 5*time.Second), cmp.Or(o.Answer, 1500*time.Millisecond), cmp.Or(o.Look, 2*time.Second)
	if o.Told == nil {
		o.Told = func(Message) {}
	}
	if o.Shares == nil {
		o.Shares = func(string) bool { return true }
	}
	if o.Names == nil {
		o.Names = func(func(string, error) bool) {}
	}
	return o
}

// Join decides the fate of live files that are unrelated to the cluster's.
type Join string

// The ways to join.
const (
	JoinRefuse Join = "refuse" // Open fails with an *UnrelatedError
	JoinTake   Join = "take"   // the cluster's are taken; the live files go to the history
	JoinGive   Join = "give"   // the live files become the newest versions everywhere
	JoinMerge  Join = "merge"  // they are merged, as if both had been made from nothing
)

// Offline is the treatment of writes while the cluster can't be reached.
type Offline string

// The ways to be without the cluster.
const (
	OfflineRefuse Offline = "refuse" // they are refused: EROFS
	OfflineAccept Offline = "accept" // they are made here, and merged when the cluster is back
)

// Open returns a Storage over that of this host, and an engine. The live files have joined
// the cluster then, but for those that were changed while no Storage looked after them:
// Follow tells the store of these. It ends with the function that it returns. Errors:
// *UnrelatedError, *UnavailableError, *SecretError, *StrangerError, or those of the local storage.
func Open(ctx context.Context, local Local, engine Engine, o Options) (*Storage, func(), error) {
	o = o.withDefaults()
	s := &Storage{
		Local: local, engine: engine, keys: newKeys(o.Cluster), host: o.Host, packer: newPacker(), sealer: sealer{o.Secret}, told: o.Told, shares: o.Shares, accept: o.Offline == OfflineAccept,
		limits: limits{commit: o.Commit, answer: o.Answer, pause: 50 * time.Millisecond},
		all:    make(map[string]*registry), follow: func(string) {}, since: time.Now(),
	}
	err := s.meet(ctx, o)
	alone := s.accept && cannotBeReached(err)
	switch {
	case alone:
		err = s.beginAlone(o, err)
	case err == nil:
		err = s.join(o)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := s.Local.NotesAreWhole(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		if alone {
			s.meetLater(ctx, o)
		}
		s.run(ctx, o)
		close(done)
	}()
	return s, func() {
		cancel()
		<-done
		s.dropping.Wait()
	}, nil
}

// join brings the live files and the cluster together.
func (s *Storage) join(o Options) error {
	names, err := s.sharedNames(o)
	if err != nil {
		return err
	}
	for name := range s.all {
		names[name] = true
	}
	var unrelated []string
	all := slices.Sorted(maps.Keys(names))
	for _, name := range all {
		err := s.joinOne(name, JoinRefuse)
		if errors.Is(err, errUnrelated) {
			unrelated = append(unrelated, name)
		} else if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(unrelated) > 0 && cmp.Or(o.Join, JoinRefuse) == JoinRefuse {
		return &UnrelatedError{unrelated}
	}
	for _, name := range unrelated {
		if err := s.joinOne(name, o.Join); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// sharedNames returns the shared registries that have a live file here.
func (s *Storage) sharedNames(o Options) (map[string]bool, error) {
	names := make(map[string]bool)
	for name, err := range o.Names {
		if err != nil {
			return nil, err
		}
		if s.shares(name) {
			names[name] = true
		}
	}
	return names, nil
}

// errUnrelated says that no option tells the fate of a live file.
var errUnrelated = errors.New("it has nothing to do with what the cluster has")

// joinOne brings one live file and the cluster together.
func (s *Storage) joinOne(name string, how Join) error {
	r := s.of(name)
	defer r.doing.Unlock()
	content, mtime, stamp, err := s.Local.Load(name)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return err
	}
	f := file(content, absent)
	s.number(name, r)
	seq := s.numberOf(name, r, f.digest)
	s.mu.Lock()
	next := r.next
	r.stamp = stampUnknown
	s.mu.Unlock()
	if next == nil && absent {
		s.arrive(r, nothing(), "", 0)
		return nil
	}
	if next == nil {
		if len(content) == 0 {
			seq = 0
		}
		return s.give(name, r, stamp, seq, content, f.digest, mtime)
	}
	p, err := s.past(name, next)
	if err != nil {
		return err
	}
	r.noted = p.Nonce
	switch {
	case next.is(f):
		s.arriveAt(name, r, *next, stamp, seq)
		return nil
	case p.isOld(next, f), how == JoinTake:
		return s.putNewest(name, r, stamp, *next, seq)
	case how == JoinGive:
		s.arrive(r, *next, stampUnknown, 0)
		return s.give(name, r, stamp, seq, content, f.digest, mtime)
	case s.wasMadeFrom(name, next, &p, f):
		s.arrive(r, *next, stampUnknown, p.here) // nobody else has committed since
		s.changed(r, p, stamp, seq)
		return nil
	}
	if !p.whole && !p.isAlone(f) { // it may be a version whose note was lost
		p = past{version: nothing()}
	}
	base, baseSeq := s.base(name, p.version, p.here, next)
	isNew := p.whole && next.State == gone // a file that was not noted is no old one
	if base == nil && how != JoinMerge && !p.isAlone(f) && !isNew {
		return errUnrelated
	}
	s.replaces(r, p.version)
	s.mu.Lock()
	r.seq = baseSeq
	s.mu.Unlock()
	s.changed(r, p, stamp, seq)
	return nil
}

// wasMadeFrom reports whether a live file is known to have been made from the next version itself. A note
// of that version alone does not say so: the file may be one that it was about to replace.
func (s *Storage) wasMadeFrom(name string, next *version, p *past, f found) bool {
	if p.isAlone(f) {
		return p.Nonce == next.Nonce
	}
	return (p.Nonce == next.Nonce || p.Format == 0 || !p.whole) && s.wasHere(name, next.Digest)
}

// changed notes what is known of a live file that is no version, and has that number here.
func (s *Storage) changed(r *registry, p past, stamp string, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.unsure = p.unsure
	r.shows(stamp, seq)
}

// give makes the live file the newest version.
func (s *Storage) give(name string, r *registry, stamp string, seq uint64, content []byte, sum digest, mtime time.Time) error {
	ok, err := s.publish(name, r, stamp, seq, content, sum, mtime)
	if err == nil && !ok {
		err = errMoved
	}
	return err
}

// numberOf returns the number that a live file has here, or is to have.
func (s *Storage) numberOf(name string, r *registry, sum digest) uint64 {
	var rec struct {
		Seq    uint64 `json:"seq"`
		Digest string `json:"digest"`
	}
	line, err := s.Local.LastRecord(name)
	if err == nil && line != nil && json.Unmarshal(line, &rec) == nil && rec.Digest == hex.EncodeToString(sum[:]) {
		return rec.Seq
	}
	return r.last + 1
}

// wasHere reports whether content is that of a version kept here.
func (s *Storage) wasHere(name string, d digest) bool {
	content, _ := s.base(name, version{record: &record{Digest: d}}, 0, nil)
	return content != nil
}
