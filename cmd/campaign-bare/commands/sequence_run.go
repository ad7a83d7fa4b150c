package commands

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// result is the result of a sequence.
type result struct {
	Steps      int            // that were compared
	Excused    map[string]int // by the row that did
	Difference *difference    // the first one that nothing excuses
}

// runSequence does the steps of a sequence on both sides of a bed, up to the
// first difference that is a fault.
func (b *bed) runSequence(ctx context.Context, q Sequence, rules []rule) (result, error) {
	res := result{Excused: make(map[string]int)}
	bare, mounted, err := b.begin(ctx)
	if err != nil {
		return res, err
	}
	t := &trace{merges: b.clawfs != "", steps: q.Steps}
	for i, step := range q.Steps {
		seen, said, err := b.step(ctx, bare, mounted, step)
		if err == nil && (!q.AtEnd || i == len(q.Steps)-1 || mustLook(t, i, seen, said)) {
			seen.mount, err = b.look(ctx, mounted)
			b.last[mounted.dir] = seen.mount
		}
		if err != nil {
			return res, errors.Join(err, bare.end(), mounted.end())
		}
		res.Steps++
		d, rows := t.judge(i, seen.bare, seen.mount, said, rules)
		if d != nil {
			res.Difference = d
			delete(b.last, mounted.dir) // the files that remain may still be on their way out
			break
		}
		for _, row := range rows {
			res.Excused[row]++
		}
		if err := alignBare(bare.dir, seen.bare, seen.mount, rows); err != nil {
			return res, errors.Join(err, bare.end(), mounted.end())
		}
		t.wrote, t.states, t.failed = append(t.wrote, seen.bare), append(t.states, seen.mount), append(t.failed, said[1].Exit != 0)
	}
	return res, errors.Join(bare.end(), mounted.end())
}

// views are the states of the two directories. As long as nobody has looked at the
// mount it counts as equal to the bare directory.
type views struct{ bare, mount state }

// mustLook reports whether a step may have left something else on the mount,
// though nobody looks before the end: the steps that follow need to know that state.
func mustLook(t *trace, i int, seen views, said [2]outcome) bool {
	for name, e := range seen.bare {
		if isInvalid(name, e) && e != t.last()[name] || isRegistry(name) && t.merges && t.mayMerge(i, name, e.Content) {
			return true
		}
	}
	return compareOutcomes(said[0], said[1]) != nil
}

// step does one step on both sides at once, and looks at the bare one.
func (b *bed) step(ctx context.Context, bare, mounted *side, step Step) (seen views, said [2]outcome, err error) {
	if step.Who == byDaemon {
		err = b.restart(ctx, mounted)
	} else {
		var errs [2]error
		var both sync.WaitGroup
		for i, s := range []*side{bare, mounted} {
			both.Go(func() { said[i], errs[i] = s.do(ctx, step) })
		}
		both.Wait()
		err = errors.Join(errs[:]...)
	}
	if err == nil {
		seen.bare, err = b.look(ctx, bare)
	}
	seen.mount = seen.bare
	return seen, said, err
}

// look returns the state of a side's directory.
func (b *bed) look(ctx context.Context, s *side) (state, error) {
	seen, err := b.looker.look(ctx, s.dir)
	if err != nil {
		return nil, err
	}
	return seen[0], nil
}

// alignBare gives the bare directory the mount's state, where a row has
// excused that they differ: the steps that follow begin with the same.
func alignBare(dir string, bare, mount state, rows []string) error {
	if len(rows) == 0 {
		return nil
	}
	for _, d := range compareStates(nil, bare, mount) {
		path := filepath.Join(dir, d.Name)
		var err error
		if e, ok := mount[d.Name]; ok {
			err = os.WriteFile(path, []byte(e.Content), 0o644)
		} else {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
