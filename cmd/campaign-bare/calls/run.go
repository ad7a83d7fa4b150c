package calls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"clawfs/cmd/campaign-bare/exceptions"
)

// Options are the settings of a run.
type Options struct {
	Clawfs  string    // the program under test; "" runs a bare directory against another
	Count   int       // calls to make, at least
	Seed    int64     // of the first program; the next one has the next seed
	Dir     string    // an empty directory for the two sides, on one file system
	Out     io.Writer // the report
	Flags   []string  // for clawfs mount
	Plain   bool      // by Flags no name is a registry: nothing may differ
	Open    string    // the list of kinds that are known; "" means none is
	Corpus  string    // a directory with programs (*.calls) that run before the random ones; "" means none
	Replay  string    // a file with a program to run instead of random ones
	Save    string    // a directory to write shrunk programs into, one for each kind
	Workers int       // programs at a time, each on a mount of its own; 0: one
	Avoid   int       // after how many differences of a kind calls of its sort are made no more; 0: never
	Only    string    // a regular expression: the kinds to save; "" means all that Open does not list

	Exceptions *exceptions.Table // counts the calls that it excuses
}

// Result has the numbers and the differences of a run.
type Result struct {
	Programs, Calls int
	Failing         int // programs with a difference
	Kinds           map[string]int
	Excused         map[string]int
	Examples        map[string]Example
	Took            time.Duration

	chosen        int            // calls of the corpus, which are among Calls
	chosenExcused map[string]int // … and how many of them were excused
}

// Example is a program that shows a kind of difference.
type Example struct {
	Difference Difference
	Program    []Call
	Seed       int64
}

// perMount is the number of programs that run on one mount.
const perMount = 100

// Run runs random programs, or the one to replay, and reports the differences.
func Run(ctx context.Context, o Options) error {
	res, err := Measure(ctx, o)
	if err != nil {
		return err
	}
	res.print(o)
	tooMuch := o.Exceptions.Report(o.Out)
	if o.Replay != "" {
		tooMuch = nil // a program that was cut down may show nothing else
	}
	if unknown := res.unknown(o); len(unknown) > 0 {
		return errors.Join(tooMuch, fmt.Errorf("differences that are not on the open list: %v", unknown))
	}
	return tooMuch
}

// Measure runs random programs, or the one to replay. Workers share the calls
// and the seeds among them; no worker depends on another one.
func Measure(ctx context.Context, o Options) (*Result, error) {
	start, n := time.Now(), max(o.Workers, 1)
	if o.Replay != "" {
		n = 1
	}
	campaigns, errs := make([]*campaign, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		c := &campaign{Options: o, res: newResult(), avoid: map[string]int{}, stride: int64(n), first: i == 0}
		c.Dir, c.Count, c.Seed = filepath.Join(o.Dir, fmt.Sprintf("worker%d", i)), o.Count/n, o.Seed+int64(i)
		campaigns[i] = c
		group.Go(func() { errs[i] = errors.Join(c.run(ctx), c.down()) })
	}
	group.Wait()
	all := newResult()
	for _, c := range campaigns {
		all.add(&c.res)
	}
	all.Took = time.Since(start)
	o.Exceptions.Compared(all.Calls - all.chosen)
	for key, n := range all.Excused {
		for range n - all.chosenExcused[key] {
			o.Exceptions.Excuse(key)
		}
	}
	return &all, errors.Join(errs...)
}

func newResult() Result {
	return Result{Kinds: map[string]int{}, Excused: map[string]int{}, Examples: map[string]Example{}, chosenExcused: map[string]int{}}
}

// add adds the result of another run.
func (r *Result) add(other *Result) {
	r.Programs, r.Calls, r.Failing = r.Programs+other.Programs, r.Calls+other.Calls, r.Failing+other.Failing
	for kind, n := range other.Kinds {
		r.Kinds[kind] += n
		r.example(kind, other.Examples[kind])
	}
	for key, n := range other.Excused {
		r.Excused[key] += n
	}
	r.chosen += other.chosen
	for key, n := range other.chosenExcused {
		r.chosenExcused[key] += n
	}
}

// example keeps the shortest program that shows a kind.
func (r *Result) example(kind string, e Example) {
	if old, there := r.Examples[kind]; !there || len(e.Program) < len(old.Program) {
		r.Examples[kind] = e
	}
}

// campaign is a run of many programs.
type campaign struct {
	Options
	actor   string
	res     Result
	ring    *ring
	mounted *mount
	rings   int
	avoid   map[string]int // a sort of call: its differences
	stride  int64          // between the seeds of two programs
	first   bool           // it runs the corpus
	every   bool           // the observers look at everything after every call
}

func (c *campaign) run(ctx context.Context) error {
	err := os.MkdirAll(c.Dir, 0o755)
	if err != nil {
		return err
	}
	if c.actor, err = buildActor(ctx, c.Dir); err != nil {
		return err
	}
	if c.Replay != "" {
		return c.replay(c.Replay)
	}
	if c.Corpus != "" && c.first {
		if err := c.replayAll(ctx); err != nil {
			return err
		}
	}
	for seed := c.Seed; c.res.Calls < c.Count && ctx.Err() == nil; seed += c.stride {
		m := newModel()
		g := newGenerator(seed, m)
		g.avoids = func(sort string) bool { return c.Avoid > 0 && c.avoid[sort] >= c.Avoid }
		if err := c.one(func(*model) *Call { return g.next() }, m, seed); err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
	}
	if c.Save != "" {
		return c.save()
	}
	return ctx.Err()
}

// replay runs the program in a file. The observers look at everything.
func (c *campaign) replay(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	program, err := Parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c.every = true
	defer func() { c.every = false }()
	return c.one(listed(program), newModel(), 0)
}

// replayAll runs the programs of the corpus. Their findings make no call one to be avoided, and
// their share of excuses says nothing: each was chosen since it differed.
func (c *campaign) replayAll(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(c.Corpus, "*.calls"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := errors.Join(ctx.Err(), c.replay(file)); err != nil {
			return err
		}
	}
	clear(c.avoid)
	c.res.chosen, c.res.chosenExcused = c.res.Calls, maps.Clone(c.res.Excused)
	return nil
}

// listed is the source of a program that is known.
func listed(program []Call) source {
	return func(*model) *Call {
		if len(program) == 0 {
			return nil
		}
		c := program[0]
		program = program[1:]
		return &c
	}
}

// one runs one program and counts its differences.
func (c *campaign) one(next source, m *model, seed int64) error {
	if err := c.up(); err != nil {
		return err
	}
	r, err := c.ring.play(next, m, c.every)
	if err != nil {
		return err
	}
	if len(r.found) > 0 && !r.looked { // find the very call
		if again, err := c.ring.play(listed(r.program), newModel(), true); err != nil {
			return err
		} else if len(again.found) > 0 {
			again.excuses = r.excuses
			n := len(r.program)
			r = again
			c.res.Calls += n - len(r.program)
		}
	}
	c.res.Programs++
	c.res.Calls += len(r.program)
	for key, n := range r.excuses {
		c.res.Excused[key] += n
	}
	if len(r.found) > 0 {
		c.res.Failing++
	}
	for _, d := range r.found {
		c.res.Kinds[d.Kind]++
		if d.hard {
			c.avoid[d.sort]++
		}
		c.res.example(d.Kind, Example{Difference: d, Program: r.program, Seed: seed})
	}
	return nil
}

// up makes the two sides ready.
func (c *campaign) up() error {
	if c.ring != nil && c.ring.programs < perMount {
		return nil
	}
	if err := c.down(); err != nil {
		return err
	}
	c.rings++
	dir := filepath.Join(c.Dir, fmt.Sprintf("ring%d", c.rings))
	bare, other := filepath.Join(dir, "bare"), filepath.Join(dir, "mount")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(bare, 0o755), os.Mkdir(other, 0o755)); err != nil {
		return err
	}
	var err error
	if c.Clawfs != "" {
		if c.mounted, err = newMount(c.Clawfs, other, filepath.Join(c.Dir, "log"), c.Flags); err != nil {
			return err
		}
	}
	c.ring = &ring{mounted: c.Clawfs != "", strict: c.Clawfs != "" && !c.Plain}
	if c.ring.bare, err = newStage(c.actor, bare); err != nil {
		return err
	}
	c.ring.mount, err = newStage(c.actor, other)
	return err
}

// down ends the processes, unmounts, and removes the files of the programs.
func (c *campaign) down() error {
	var err error
	if c.ring != nil {
		for _, s := range []*stage{c.ring.bare, c.ring.mount} {
			if s != nil {
				err = errors.Join(err, s.end())
			}
		}
	}
	if c.mounted != nil {
		err = errors.Join(err, c.mounted.end())
	}
	c.ring, c.mounted = nil, nil
	if c.rings > 0 {
		err = errors.Join(err, os.RemoveAll(filepath.Join(c.Dir, fmt.Sprintf("ring%d", c.rings))))
	}
	return err
}

// unknown returns the kinds that are not on the open list.
func (r *Result) unknown(o Options) []string {
	open := OpenKinds(o.Open)
	var kinds []string
	for kind := range r.Kinds {
		if _, listed := open[kind]; !listed {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func (r *Result) print(o Options) {
	out := o.Out
	_, _ = fmt.Fprintf(out, "%d calls in %d programs in %.1f s; %d programs differ\n", r.Calls, r.Programs, r.Took.Seconds(), r.Failing)
	order := slices.Sorted(maps.Keys(r.Kinds))
	slices.SortStableFunc(order, func(a, b string) int { return r.Kinds[b] - r.Kinds[a] })
	for _, kind := range order {
		_, _ = fmt.Fprintf(out, "%6d  %s (seed %d)\n", r.Kinds[kind], r.Examples[kind].Difference, r.Examples[kind].Seed)
	}
	if o.Replay != "" {
		return
	}
	for _, kind := range r.unknown(o) { // it may not show again
		_, _ = fmt.Fprintf(out, "\n# %s\n%s\n", kind, Format(r.Examples[kind].Program))
	}
}
