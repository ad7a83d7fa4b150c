package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// counts is how much is done. The full run stays below 40 minutes, the quick
// one below 5, with two cores and a disk that syncs in a millisecond.
type counts struct {
	rounds  int
	commits map[int]int   // by bytes of the document
	spin    time.Duration // of open and stat
	appends int           // by one writer; more writers share them down to a least number
	least   int
	writers []int // at the same time, on one registry
	spread  []int // the same, on a hundred
	flood   time.Duration
	large   int // commits of the registry with many entries
	entries int // in that
	stream  int // bytes
	files   int // of the metadata work
	inserts int
	history int           // commits that lie behind a registry
	dead    int           // processes that have seen it
	many    int           // registries in one directory
	wait    time.Duration // how long an idle daemon is watched
	huge    int           // bytes of the largest registry
}

func full() counts {
	return counts{
		rounds: 5, commits: map[int]int{1 << 10: 100, 100 << 10: 60, 10 << 20: 6}, spin: time.Second,
		appends: 160, least: 20, writers: []int{1, 2, 8, 32}, spread: []int{1, 2, 8, 32}, flood: time.Minute, large: 3, entries: 100_000, stream: 256 << 20, files: 10_000,
		inserts: 200, history: 1000, dead: 500, many: 10_000, wait: 20 * time.Second, huge: 100 << 20,
	}
}

func quick() counts {
	return counts{
		rounds: 2, commits: map[int]int{1 << 10: 40, 100 << 10: 20, 10 << 20: 2}, spin: 200 * time.Millisecond,
		appends: 40, least: 5, writers: []int{1, 8, 32}, spread: []int{8}, flood: 5 * time.Second, large: 1, entries: 100_000, stream: 64 << 20, files: 2000,
		inserts: 50, history: 300, dead: 50, many: 10_000, wait: 3 * time.Second, huge: 100 << 20,
	}
}

// bench holds the things that all works share.
type bench struct {
	options
	counts
	tools  tools
	bare   *place
	loop   *place
	ours   *place
	beside []*place // on mounts by another revision of clawfs, or transport, to measure beside
	floors []*place // on mounts by the least that a FUSE file system can do
	chosen *regexp.Regexp
	dirs   int // directories made so far
}

func newBench(o options) (*bench, error) {
	b := &bench{options: o, counts: full(), tools: toolsIn(o)}
	if o.quick {
		b.counts = quick()
	}
	var err error
	if b.chosen, err = regexp.Compile(o.only); err != nil {
		return nil, err
	}
	b.bare = &place{name: "bare", dir: filepath.Join(o.work, "bare")}
	return b, os.MkdirAll(b.bare.dir, 0o700)
}

// work is something that all its subjects do in turn.
type work struct {
	name     string
	about    string // a description of the work, for the table
	columns  []string
	baseline string    // the subject that ratios refer to
	subjects []subject // in the order of the table
	once     bool      // in the first round only
	measure  func(ctx context.Context, s subject, dir string) (values, error)
}

// values are the results of one measurement, by column. The unit is the last word
// of a column's name.
type values map[string]float64

// subject is a program that does a work in a place.
type subject struct {
	name   string
	place  *place
	client client
	style  string // the client's --style, empty where it has none
	like   string // the subject that it is like, at another revision of clawfs or by another transport; else empty
}

// does reports whether the subject does the work of the one of that name.
func (s subject) does(name string) bool { return s.name == name || s.like == name }

// besides returns subjects with, behind each that works on clawfs's mount, its likes on the
// mounts beside.
func (b *bench) besides(list []subject) []subject {
	var all []subject
	for _, s := range list {
		all = append(all, s)
		for _, p := range b.beside {
			if s.place == b.ours {
				like := s
				like.place, like.like, like.name = p, s.name, p.name+strings.TrimPrefix(s.name, "clawfs")
				all = append(all, like)
			}
		}
	}
	return all
}

// runAll does every work in every round and returns the failures, after it has
// measured all that it could.
func (b *bench) runAll(ctx context.Context, res *results) error {
	defer b.unmount()
	if err := b.mount(ctx); err != nil {
		return err
	}
	var problems []error
	for round := range b.rounds {
		for _, w := range b.works() {
			w.subjects = b.besides(w.subjects)
			if !b.chosen.MatchString(w.name) || w.once && round > 0 {
				continue
			}
			for i := range w.subjects {
				s := w.subjects[(i+round)%len(w.subjects)]
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err := b.one(ctx, w, s, round, res); err != nil {
					problems = append(problems, fmt.Errorf("%s, %s, round %d: %w", w.name, s.name, round+1, err))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// one measures one subject once, in a directory of its own and with nothing
// left over to be written by those before it.
func (b *bench) one(ctx context.Context, w work, s subject, round int, res *results) error {
	fmt.Fprintf(os.Stderr, "%s  round %d  %s: %s\n", time.Now().Format(time.TimeOnly), round+1, w.name, s.name)
	dir, err := b.directory(s.place)
	if err != nil {
		return err
	}
	unix.Sync()
	v, err := w.measure(ctx, s, dir)
	if err != nil {
		return err
	}
	res.add(w, s, round, v)
	return nil
}

// directory makes a new directory in a place.
func (b *bench) directory(p *place) (string, error) {
	b.dirs++
	dir := filepath.Join(p.dir, fmt.Sprintf("d%d", b.dirs))
	return dir, os.Mkdir(dir, 0o700)
}
