package calls

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// shrink takes calls out of a program as long as it shows a difference of the
// same kind: first halves, then ever smaller parts.
func (c *campaign) shrink(e Example) (Example, error) {
	for size := max(len(e.Program)/2, 1); ; size = max(size/2, 1) {
		before := len(e.Program)
		for at := 0; at < len(e.Program); {
			less := slices.Delete(slices.Clone(e.Program), at, min(at+size, len(e.Program)))
			d, ran, err := c.shows(less, e.Difference.Kind)
			if err != nil {
				return e, err
			}
			if d == nil {
				at += size
				continue
			}
			e.Difference, e.Program = *d, ran
		}
		if size == 1 && len(e.Program) == before {
			return e, nil
		}
	}
}

// shows runs a program and returns its difference of a kind, and the program up
// to there.
func (c *campaign) shows(program []Call, kind string) (*Difference, []Call, error) {
	if err := c.up(); err != nil {
		return nil, nil, err
	}
	r, err := c.ring.play(listed(program), newModel(), true)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range r.found {
		if d.Kind == kind {
			return &d, r.program[:d.Step+1], nil
		}
	}
	return nil, nil, nil
}

// save shrinks the example of each kind and writes it into a file.
func (c *campaign) save() error {
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return err
	}
	known := OpenKinds(c.Open)
	for kind, e := range c.res.Examples {
		if _, listed := known[kind]; c.Only == "" && listed || !only.MatchString(kind) {
			continue
		}
		small, err := c.shrink(e)
		if err != nil {
			return fmt.Errorf("shrinking %s: %w", kind, err)
		}
		c.res.Examples[kind] = small
		text := fmt.Sprintf("# %q\n# seed %d\n%s", small.Difference.String(), small.Seed, Format(small.Program))
		if err := os.WriteFile(filepath.Join(c.Save, kind+".calls"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
