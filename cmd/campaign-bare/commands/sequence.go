package commands

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The processes that do steps. Any other name is a program that lives for several steps.
const (
	byShell    = "shell"    // the shell of the sequence
	byOwn      = "own"      // a shell of its own, of the same family
	byStranger = "stranger" // a process that is no relative of any other
	byDaemon   = "daemon"   // the file system is unmounted and mounted again
)

// Step is one thing that is typed: a command line, or a line for a program that
// lives for several steps.
type Step struct {
	Who   string
	Class string // the sort of command; see classes
	Text  string
}

// String returns the step as it is printed and read back.
func (s Step) String() string { return s.Who + " " + s.Class + ": " + s.Text }

// isProgram reports whether a step is for a program that lives for several steps.
func (s Step) isProgram() bool {
	return !slices.Contains([]string{byShell, byOwn, byStranger, byDaemon}, s.Who)
}

// author names the author of the writes of the step: several processes may count as one.
func (s Step) author(i int) string {
	switch s.Who {
	case byShell, byOwn:
		return byShell
	case byStranger:
		return fmt.Sprintf("stranger %d", i)
	}
	return s.Who
}

// Sequence is steps that are done one after the other.
type Sequence struct {
	Sort  string // the sort of steps that it is made of: see sorts
	AtEnd bool   // the directories are looked at when all is done only, not after each step
	Steps []Step
}

// String returns the text form of a sequence. Parse reads it as well.
func (q Sequence) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sort %s\n", q.Sort)
	if q.AtEnd {
		b.WriteString("look at end\n")
	}
	for _, s := range q.Steps {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// without returns the sequence without the steps from i to j.
func (q Sequence) without(i, j int) Sequence {
	q.Steps = slices.Delete(slices.Clone(q.Steps), i, j)
	return q
}

// inOneShell returns the sequence with its commands typed into one shell.
func (q Sequence) inOneShell() Sequence {
	q.Steps = slices.Clone(q.Steps)
	for i := range q.Steps {
		if q.Steps[i].Who == byOwn {
			q.Steps[i].Who = byShell
		}
	}
	return q
}

// Case is a sequence that has differed once, and is tried again by a test.
type Case struct {
	Kind  string
	State string // open: it still differs; fixed: it does not
	Sequence
}

// The states of a case.
const (
	stateOpen  = "open"
	stateFixed = "fixed"
)

// String returns the text form of a case: that of its sequence, below its kind and
// its state.
func (c Case) String() string {
	return fmt.Sprintf("kind %s\nstate %s\n%s", c.Kind, c.State, c.Sequence)
}

// comment matches a block without a line that says anything.
var comment = regexp.MustCompile(`^(\s*(#.*)?\n?)*$`)

// ParseCases reads cases with an empty line between them.
func ParseCases(text string) ([]Case, error) {
	var cases []Case
	for block := range strings.SplitSeq(text, "\n\n") {
		if comment.MatchString(block) {
			continue
		}
		c, err := Parse(block)
		if err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// Parse reads the text form of a case: a line "sort NAME", then a line for each
// step, "WHO CLASS: TEXT". Lines that begin with # are skipped; the lines "kind"
// and "state" may be missing.
func Parse(text string) (Case, error) {
	var c Case
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, _ := strings.Cut(line, " ")
		switch {
		case line == "" || name == "#":
		case line == "look at end":
			c.AtEnd = true
		case name == "sort":
			c.Sort = value
		case name == "kind":
			c.Kind = value
		case name == "state":
			c.State = value
		default:
			step, err := parseStep(line)
			if err != nil {
				return Case{}, err
			}
			c.Steps = append(c.Steps, step)
		}
	}
	switch {
	case !slices.Contains(sorts, c.Sort):
		return Case{}, fmt.Errorf("no sort of sequences is named %q", c.Sort)
	case !slices.Contains([]string{"", stateOpen, stateFixed}, c.State):
		return Case{}, fmt.Errorf("no state of cases is named %q", c.State)
	case len(c.Steps) == 0:
		return Case{}, fmt.Errorf("a sequence without a step")
	}
	return c, nil
}

func parseStep(line string) (Step, error) {
	head, text, ok := strings.Cut(line, ": ")
	who, class, ok2 := strings.Cut(head, " ")
	if !ok || !ok2 {
		return Step{}, fmt.Errorf("not a step: %q; want WHO CLASS: TEXT", line)
	}
	if !slices.Contains(classes, class) {
		return Step{}, fmt.Errorf("no class of commands is named %q", class)
	}
	return Step{Who: who, Class: class, Text: text}, nil
}
