package merge

import (
	"bytes"
	"fmt"
	"strings"

	"clawfs/txn/jsondoc"
)

// Applied is a rule that decided something at a place that both sides had changed. It
// holds no value of a document.
type Applied struct {
	Path string // RFC 6901, as in Conflict
	Rule string // one of the words of docs/SEMANTICS.md, or "identity" and the names of the members
}

// String returns path and rule in one line.
func (a Applied) String() string { return fmt.Sprintf("%s %s", pathOrRoot(a.Path), a.Rule) }

// The rules that a merge tells of.
const (
	ruleIdentity   = "identity"   // a list was lined up by the members named behind it
	ruleSet        = "set"        // … as a set of strings
	ruleSequence   = "sequence"   // … by content and place
	ruleLog        = "log"        // … likewise, and equal additions are two
	rulePositions  = "positions"  // … position by position
	ruleTuple      = "tuple"      // a few numbers were taken for one value
	ruleWhole      = "whole"      // a command line, or a value that the configuration calls atomic, was taken as one value
	ruleEqualOnce  = "equal-once" // both sides added the same at the same place
	ruleTwoThings  = "two-things" // both sides added different things under one guessed identity, or one number in a log
	ruleSum        = "sum"        // a counter that both sides raised
	ruleLater      = "later"      // the later of two times
	ruleTokens     = "tokens"     // a group of tokens was taken from one side
	ruleCredential = "credential" // the deletion of a credential won
	ruleUntouched  = "untouched"  // deleted, since the other side had changed counters and stamps only
	ruleMoved      = "moved"      // theirs has moved elements: its order was taken
	ruleComment    = "comment"    // theirs' comment was put beside the head's changes
	maxApplied     = 32           // how many are told of; the others are counted
)

// apply notes that a rule decided something where the trail is.
func (t *trail) apply(rule string) {
	if t.applied++; t.applied <= maxApplied {
		t.found = append(t.found, finding{path: append([]step(nil), t.path...), rule: rule})
	}
}

// forget drops the findings made since there were that many.
func (t *trail) forget(since int) {
	for _, f := range t.found[since:] {
		if f.rule != "" {
			t.applied--
		}
	}
	t.found = t.found[:since]
}

// rules returns the rules that were applied, in the order in which they were, and how
// many more there were.
func (t *trail) rules() (list []Applied, more int) {
	for _, f := range t.found {
		if f.rule != "" {
			list = append(list, Applied{Path: pointer(f.path), Rule: f.rule})
		}
	}
	return list, t.applied - len(list)
}

// rule returns the word for how the elements of a list were lined up.
func (id *identity) rule(l *list3, log bool) string {
	switch {
	case id.kind == keyed:
		return ruleIdentity + " " + strings.Join(id.names, "+")
	case id.kind == textSet:
		return ruleSet
	case log:
		return ruleLog
	case inStep(l.b, l.o, l.t):
		return rulePositions
	}
	return ruleSequence
}

// applyList notes how a list was lined up that both sides have changed, as far as that
// shows at once, and whether theirs has moved elements of it.
func (m *merger) applyList(tb *table, l *list3, rule string, moved bool) {
	head, theirs := false, moved
	for _, rw := range tb.rows {
		b, o, t := l.pick(rw)
		head = head || !rw.sameO && differs(b, o)
		theirs = theirs || !rw.sameT && differs(b, t)
		if head && theirs {
			break
		}
	}
	if !head || !theirs {
		return
	}
	m.apply(rule)
	if moved {
		m.apply(ruleMoved)
	}
}

// differs reports whether a version has put in, taken out or changed an element. Of
// long ones of one length that is not asked.
func differs(base, x jsondoc.Value) bool {
	if !base.Exists() || !x.Exists() {
		return base.Exists() != x.Exists()
	}
	a, b := base.Raw(), x.Raw()
	return len(a) != len(b) || len(a) <= 256 && !bytes.Equal(a, b)
}
