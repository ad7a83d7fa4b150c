package merge

import (
	"fmt"
	"strings"

	"clawfs/txn/jsondoc"
)

// Resolution is the way to resolve a true conflict.
type Resolution uint8

// The resolutions.
const (
	Inherit    Resolution = iota // as the place around it; at the root: TakeTheirs
	TakeTheirs                   // the later commit wins; a changed value outlives its deletion
	TakeOurs                     // the head wins
	Reject                       // refuse the merge with a *ConflictError
)

// String returns the word for the resolution in flags and configuration.
func (r Resolution) String() string {
	switch r {
	case TakeTheirs:
		return "theirs"
	case TakeOurs:
		return "ours"
	case Reject:
		return "reject"
	}
	return "inherit"
}

// Treatment says how the value at a path is merged, where its name and its shape
// would say otherwise or nothing.
type Treatment uint8

// The treatments.
const (
	ByShape    Treatment = iota // names and shapes decide (package comment)
	AsValue                     // neither a counter nor a stamp, against its name
	AsCounter                   // both sides' increments are added
	AsStamp                     // the later wins, silently
	AsAtomic                    // one value, containers too: never merged inside
	AsSet                       // an ordered set of strings; a sequence where it can't be one
	AsSequence                  // a list without identities; equal additions at one place are kept once
	AsLog                       // a list without identities; equal additions are all kept
)

// String returns the word for the treatment in configuration.
func (t Treatment) String() string {
	switch t {
	case AsValue:
		return "value"
	case AsCounter:
		return "counter"
	case AsStamp:
		return "stamp"
	case AsAtomic:
		return "atomic"
	case AsSet:
		return "set"
	case AsSequence:
		return "sequence"
	case AsLog:
		return "log"
	}
	return "shape"
}

// Rule says how to merge the values at some paths. Where several rules match, the
// later one in the list decides, each field for itself.
type Rule struct {
	// Path is a JSON pointer (RFC 6901) in which a segment "*" stands for any
	// member or element and "**" for any number of them: "/agents/*/args",
	// "/**/allow". The elements of a list match "*" and "**" only.
	Path string
	// Identity names the member that tells the elements of the list at Path
	// apart; several names are one composite identity. Where not every element
	// of every version has it, the list is a sequence.
	Identity []string
	// OnConflict holds for the value at Path and for all below it.
	OnConflict Resolution
	// As is how the value at Path is merged.
	As Treatment
}

// Policy says how to merge one registry. A nil *Policy and the zero Policy are
// the defaults. It must not change while a merge uses it.
type Policy struct {
	OnConflict       Resolution // Inherit means TakeTheirs
	RefuseMassDelete bool       // refuse a merge that would otherwise have a MassDeleted warning

	// Exact says that theirs means each difference to the base, however small: a change of
	// spelling only is no echo of a writer. And the resolution decides each conflict: no
	// element is kept in both variants, and no deletion wins, or loses, as such.
	Exact bool

	Rules []Rule
}

// PolicyError tells the fault of a policy.
type PolicyError struct {
	Rule    int // index in Policy.Rules, -1 for the policy itself
	Problem string
}

// Error returns the rule's number, from 1, and the problem.
func (e *PolicyError) Error() string {
	if e.Rule < 0 {
		return e.Problem
	}
	return fmt.Sprintf("rule %d: %s", e.Rule+1, e.Problem)
}

// Validate reports the first thing that makes no sense as a *PolicyError.
func (p *Policy) Validate() error {
	if p == nil {
		return nil
	}
	if p.OnConflict > Reject {
		return &PolicyError{Rule: -1, Problem: "unknown resolution"}
	}
	for i, r := range p.Rules {
		if problem := r.problem(); problem != "" {
			return &PolicyError{Rule: i, Problem: problem}
		}
	}
	return nil
}

func (r *Rule) problem() string {
	switch {
	case r.Path != "" && r.Path[0] != '/':
		return "a path starts with a slash"
	case badEscape(r.Path):
		return "a ~ in a path is followed by 0 or 1"
	case r.OnConflict > Reject:
		return "unknown resolution"
	case r.As > AsLog:
		return "unknown treatment"
	case len(r.Identity) > 0 && r.As != ByShape:
		return "a list with an identity takes no other treatment"
	}
	for _, name := range r.Identity {
		if name == "" {
			return "an identity is the name of a member"
		}
	}
	return ""
}

func badEscape(path string) bool {
	for i := strings.IndexByte(path, '~'); i >= 0; {
		rest := path[i+1:]
		if rest == "" || rest[0] != '0' && rest[0] != '1' {
			return true
		}
		next := strings.IndexByte(rest, '~')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// pattern is a rule with its path taken apart.
type pattern struct {
	*Rule
	segments []string
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func compile(p *Policy) []pattern {
	if p == nil || len(p.Rules) == 0 {
		return nil
	}
	out := make([]pattern, len(p.Rules))
	for i := range p.Rules {
		r := &p.Rules[i]
		out[i].Rule = r
		for s := range strings.SplitSeq(strings.TrimPrefix(r.Path, "/"), "/") {
			if r.Path != "" {
				out[i].segments = append(out[i].segments, unescape.Replace(s))
			}
		}
	}
	return out
}

// reach is a rule that may still match below a place: the first at of its
// segments have matched the way there.
type reach struct {
	rule *pattern
	at   int
}

// rules are a policy's rules for one place.
type rules struct {
	reaches    []reach    // patterns that may match below; nil at most places
	onConflict Resolution // Inherit where nothing else was said: TakeTheirs
	identity   []string
	as         Treatment
}

// rootRules returns a policy's rules for the root.
func rootRules(p *Policy) rules {
	var r rules
	if p != nil {
		r.onConflict = p.OnConflict
	}
	patterns := compile(p)
	var reaches []reach
	for i := range patterns {
		reaches = append(reaches, reach{&patterns[i], 0})
	}
	r.settle(reaches)
	return r
}

// rootRulesOf is rootRules for a document in some grammar: lines are a log.
func rootRulesOf(d *jsondoc.Doc, p *Policy) rules {
	r := rootRules(p)
	if d.Grammar() == jsondoc.Lines {
		r.as, r.identity = AsLog, nil
	}
	return r
}

// member returns the policy's rules for a member.
func (r *rules) member(key jsondoc.Value) rules {
	if r.reaches == nil {
		return rules{onConflict: r.onConflict}
	}
	return r.step(key.Text(), false)
}

// element returns the policy's rules for each element of the list.
func (r *rules) element() rules {
	if r.reaches == nil {
		return rules{onConflict: r.onConflict}
	}
	return r.step("", true)
}

func (r *rules) step(name string, element bool) rules {
	next := rules{onConflict: r.onConflict}
	var reaches []reach
	for _, m := range r.reaches {
		if m.at == len(m.rule.segments) {
			continue
		}
		switch s := m.rule.segments[m.at]; {
		case s == "**":
			reaches = append(reaches, m)
		case s == "*", !element && s == name:
			reaches = append(reaches, reach{m.rule, m.at + 1})
		}
	}
	next.settle(reaches)
	return next
}

// settle keeps the reaches that go on and applies those that have matched.
func (r *rules) settle(reaches []reach) {
	for i := 0; i < len(reaches); i++ {
		m := reaches[i]
		if m.at == len(m.rule.segments) {
			r.apply(m.rule.Rule)
			continue
		}
		r.reaches = appendReach(r.reaches, m)
		if m.rule.segments[m.at] == "**" {
			reaches = insertReach(reaches, i+1, reach{m.rule, m.at + 1})
		}
	}
}

// appendReach leaves no reach twice, so that several "**" cost no more than
// their number.
func appendReach(reaches []reach, m reach) []reach {
	for _, o := range reaches {
		if o == m {
			return reaches
		}
	}
	return append(reaches, m)
}

func insertReach(reaches []reach, i int, m reach) []reach {
	for _, o := range reaches[i:] {
		if o == m {
			return reaches
		}
	}
	reaches = append(reaches, m)
	copy(reaches[i+1:], reaches[i:])
	reaches[i] = m
	return reaches
}

func (r *rules) apply(rule *Rule) {
	if rule.OnConflict != Inherit {
		r.onConflict = rule.OnConflict
	}
	if len(rule.Identity) > 0 {
		r.identity = rule.Identity
	}
	if rule.As != ByShape {
		r.as = rule.As
	}
}
