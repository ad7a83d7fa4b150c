package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"clawfs/cmd/campaign-bare/exceptions"
)

// Options are the settings of Run.
type Options struct {
	Clawfs     string   // the program under test; "" compares bare with bare, as a control
	Flags      []string // for clawfs mount
	Count      int      // how many sequences
	Seed       int64    // of the first one; the next ones follow
	Sort       string   // one of the sorts of sequences; "" is all of them
	Dir        string   // for directories that are mounted; "" is where temporary files are
	Parallel   int      // beds at once
	Quick      bool     // python, node and jq are done by stand-ins: package quick
	Shrink     int      // how many sequences are tried at most to shrink one
	Out        io.Writer
	Exceptions *exceptions.Table
}

// Finding is a sequence that differs, shrunk.
type Finding struct {
	Case
	Seed int64
	What string
}

// String returns the finding as a case, with its difference in a comment.
func (f Finding) String() string {
	return fmt.Sprintf("# seed %d: %s\n%s", f.Seed, f.What, f.Case)
}

// Report has the counts and the findings of a run.
type Report struct {
	Sequences int
	Steps     int
	Findings  []Finding // by seed
	Took      time.Duration
}

// Kinds counts the findings of each kind.
func (r *Report) Kinds() map[string]int {
	kinds := make(map[string]int)
	for _, f := range r.Findings {
		kinds[f.Kind]++
	}
	return kinds
}

// perBed is how many sequences a mount serves before a new one is made.
const perBed = 200

// Run compares sequences. The error is of the run itself: differences are in the
// report.
func Run(ctx context.Context, o Options) (*Report, error) {
	began := time.Now()
	dir, err := os.MkdirTemp(o.Dir, "clawfs-commands-")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &runner{Options: o, dir: dir, stop: stop, seeds: make(chan int64)}
	var workers sync.WaitGroup
	for range max(1, o.Parallel) {
		workers.Go(func() { r.work(ctx) })
	}
	for i := range o.Count {
		select {
		case r.seeds <- o.Seed + int64(i):
		case <-ctx.Done():
		}
	}
	close(r.seeds)
	workers.Wait()
	r.report.Took = time.Since(began)
	slices.SortFunc(r.report.Findings, func(a, b Finding) int { return int(a.Seed - b.Seed) })
	o.Exceptions.Compared(r.report.Steps)
	return &r.report, errors.Join(context.Cause(ctx), os.RemoveAll(dir))
}

// Replay runs one sequence some times and returns how it differs, nil if it
// never does.
func Replay(ctx context.Context, o Options, q Sequence, times int) (*Finding, error) {
	b, err := newBed(ctx, o.Dir, o)
	if err != nil {
		return nil, err
	}
	found, err := b.replay(ctx, q, times)
	return found, errors.Join(err, b.close())
}

// replay runs one sequence some times, until it differs.
func (b *bed) replay(ctx context.Context, q Sequence, times int) (*Finding, error) {
	for range times {
		res, err := b.runSequence(ctx, q, rules())
		if err != nil {
			return nil, err
		}
		if d := res.Difference; d != nil {
			return &Finding{Case: Case{kindOf(q, *d), stateOpen, q}, What: d.What}, nil
		}
	}
	return nil, nil
}

type runner struct {
	Options
	dir   string
	stop  context.CancelCauseFunc
	seeds chan int64

	mu     sync.Mutex // guards report, and Out
	report Report
}

// work runs sequences on beds of its own until there are no more.
func (r *runner) work(ctx context.Context) {
	for more := true; more; {
		b, err := newBed(ctx, r.dir, r.Options)
		if err != nil {
			r.stop(err)
			return
		}
		for n := 0; n < perBed && more && err == nil; n++ {
			var seed int64
			if seed, more = <-r.seeds; more {
				err = r.one(ctx, b, seed)
			}
		}
		if err = errors.Join(err, b.close()); err != nil {
			r.stop(err)
			return
		}
	}
}

// one runs the sequence of a seed, and shrinks it if it differs.
func (r *runner) one(ctx context.Context, b *bed, seed int64) error {
	q := Generate(seed, r.Sort)
	res, err := b.runSequence(ctx, q, rules())
	if err != nil {
		return fmt.Errorf("seed %d: %w\n%s", seed, err, q)
	}
	for row, n := range res.Excused {
		for range n {
			r.Exceptions.Excuse(row)
		}
	}
	var f *Finding
	if res.Difference != nil {
		small, d := shrink(q, *res.Difference, r.Shrink, func(q Sequence) *difference {
			var again result
			if err == nil {
				again, err = b.runSequence(ctx, q, rules())
			}
			return again.Difference
		})
		f = &Finding{Case: Case{kindOf(small, d), stateOpen, small}, Seed: seed, What: d.What}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Sequences++
	r.report.Steps += res.Steps
	if f != nil {
		r.report.Findings = append(r.report.Findings, *f)
		fmt.Fprintln(r.Out, *f)
	}
	return err
}
