package commands

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// rule is the predicate of a row of the table of exceptions: it reports whether
// a difference is the one that the row names.
type rule struct {
	name    string
	excuses func(c oddity) bool
}

// rules are the predicates of the rows that are for this tester.
func rules() []rule {
	return []rule{
		{"merged", isMergeWithUnseen},
		{"refused", oddity.isInvalidRefused},
	}
}

// Predicates returns the names of the predicates that this tester has for the
// table of exceptions.
func Predicates() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

// trace is the knowledge of a sequence while it runs.
type trace struct {
	merges bool // one of the two sides is a mount
	steps  []Step
	wrote  []state // of the bare directory after each step: the bytes that were written
	states []state // of the mount; the bare directory has the same when the next step begins
	failed []bool  // on the mount
}

// last is the state of both sides before the step that is judged.
func (t *trace) last() state { return at(t.states, len(t.states)-1) }

func at(states []state, i int) state {
	if i < 0 {
		return nil
	}
	return states[i]
}

// judge compares the two sides after a step: states and outcomes. It returns the first
// difference that no rule excuses, or else the names of the rules that excused.
func (t *trace) judge(i int, bare, mount state, said [2]outcome, rules []rule) (*difference, []string) {
	var rows []string
	found := append(compareStates(t.last(), bare, mount), compareOutcomes(said[0], said[1])...)
	if t.merges {
		found = append(found, t.unmerged(i, bare, mount)...)
	}
	for _, d := range found {
		c := oddity{difference: d, trace: t, i: i, bare: bare, mount: mount, said: said}
		at := slices.IndexFunc(rules, func(r rule) bool { return r.excuses(c) })
		if at < 0 {
			return d.at(i), nil
		}
		rows = append(rows, rules[at].name)
	}
	slices.Sort(rows)
	return nil, slices.Compact(rows)
}

// oddity is a difference with all that a rule may look at.
type oddity struct {
	difference
	trace       *trace
	i           int // the step
	bare, mount state
	said        [2]outcome // bare, on the mount
}

// isInvalidRefused: the content of the bare file is no document, and the mount has kept
// its former file. A file that was to be renamed onto it remains as well. The
// writer was told. A new file that is empty is no document yet, and not refused.
func (c oddity) isInvalidRefused() bool {
	if c.Name == "" {
		return c.said[1].Exit != 0 && slices.ContainsFunc(slices.Collect(maps.Keys(c.bare)), c.refused)
	}
	if c.refused(c.Name) {
		return true
	}
	source, was := c.trace.last()[c.Name]
	return c.Effect == remains && was && slices.ContainsFunc(slices.Collect(maps.Keys(c.bare)), func(name string) bool {
		return c.refused(name) && c.bare[name].Content == source.Content
	})
}

// refused reports whether the bare file of that name holds no document, and the
// mount its former state.
func (c oddity) refused(name string) bool {
	e, ok := c.bare[name]
	before, was := c.trace.last()[name]
	now, is := c.mount[name]
	return ok && isInvalid(name, e) && (was || e.Content != "") && was == is && before.Content == now.Content
}

// isInvalid reports whether a name is a registry's, and its content no document.
func isInvalid(name string, e entry) bool {
	return isRegistry(name) && e.Error == "" && !json.Valid([]byte(e.Content))
}

func isRegistry(name string) bool { return strings.HasSuffix(name, ".json") }
