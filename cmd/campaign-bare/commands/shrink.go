package commands

import (
	"slices"
	"strings"
)

// shrink makes a sequence that differs as small as it can, as long as the smaller
// one still differs in the same way: without steps, in ever smaller pieces, and
// then with simpler ones. It tries at most the given number of sequences.
func shrink(q Sequence, d difference, most int, differs func(Sequence) *difference) (Sequence, difference) {
	s := shrinking{q: q, d: d, left: most, differs: differs}
	s.cut()
	for size := max(1, len(s.q.Steps)/2); ; size = (size + 1) / 2 {
		for at := 0; at < len(s.q.Steps)-1; {
			if !s.try(s.q.without(at, min(at+size, len(s.q.Steps)-1))) {
				at += size
			}
		}
		if size == 1 {
			break
		}
	}
	s.simplify()
	return s.q, s.d
}

// shrinking is the smallest sequence so far, and how it differs.
type shrinking struct {
	q       Sequence
	d       difference
	left    int // sequences that may still be tried
	differs func(Sequence) *difference
}

// cut drops the steps after the difference.
func (s *shrinking) cut() { s.q.Steps = slices.Clone(s.q.Steps[:s.d.Step+1]) }

func (s *shrinking) try(smaller Sequence) bool {
	if s.left == 0 {
		return false
	}
	s.left--
	found := s.differs(smaller)
	if found == nil || found.Effect != s.d.Effect {
		return false
	}
	s.q, s.d = smaller, *found
	s.cut()
	return true
}

// simplify tries, for each step, a form that a reader understands faster: the one shell,
// a command instead of a program, one operation less.
func (s *shrinking) simplify() {
	if s.q.AtEnd {
		plain := s.q
		plain.AtEnd = false
		s.try(plain)
	}
	s.try(s.q.inOneShell())
	for i := 0; i < len(s.q.Steps); i++ {
		for _, simpler := range simplerSteps(s.q.Steps[i]) {
			q := s.q
			q.Steps = slices.Clone(q.Steps)
			q.Steps[i] = simpler
			if s.try(q) {
				i-- // and simpler still
				break
			}
		}
	}
}

// simplerSteps returns steps that may stand for a step.
func simplerSteps(s Step) []Step {
	var simpler []Step
	add := func(who, text string) {
		if who != s.Who || text != s.Text {
			simpler = append(simpler, Step{Who: who, Class: s.Class, Text: text})
		}
	}
	if s.isProgram() {
		operations := strings.Split(s.Text, "; ")
		for i := range operations {
			if len(operations) > 1 {
				add(s.Who, strings.Join(slices.Delete(slices.Clone(operations), i, i+1), "; "))
			}
		}
	}
	if s.Class == classPut {
		for name := range documents {
			if to := s.target(); to != "" && strings.Contains(s.Text, "/"+name+`"`) {
				add(s.Who, `cp "$K/`+name+`" `+to)
			}
		}
	}
	return simpler
}

// target returns the registry that a command of class put names.
func (s Step) target() string {
	for _, name := range []string{"a.json", "b.json", "state/c.json"} {
		if strings.Contains(s.Text, " "+name) {
			return name
		}
	}
	return ""
}
