package txn

import (
	"slices"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// A candidate is something that the author of a transaction may have had in
// hand when it made its content.
type candidate struct {
	content *content
	own     bool   // the author itself has seen or written it, and not its kin only
	write   bool   // the author's own bytes
	order   uint64 // place in the store-wide order of events
	views   []*view
	beside  bool    // what one of several tasks of the author has gone on from, though it has been written since
	tx      *Tx     // the transaction whose content this is, nil for a view
	staged  *staged // what that transaction holds
}

// pending reports whether the candidate is content that was not committed yet.
func (c *candidate) pending() bool {
	return c.inFlight() && !c.staged.committed.Load()
}

// inFlight reports whether the candidate is content of another handle of the same
// process, committed by now or not, and nothing that it has read or written
// before.
func (c *candidate) inFlight() bool { return c.tx != nil && len(c.views) == 0 && !c.beside }

// An author is what is known of those who made some content.
type author struct {
	wrote bool // one of them has written the registry before
	kin   bool // the candidates are what its kin had seen
	tasks bool // one of them has been seen to have several tasks at work
}

// and returns what is known of two authors together.
func (a author) and(b author) author {
	return author{wrote: a.wrote || b.wrote, kin: a.kin || b.kin, tasks: a.tasks || b.tasks}
}

// A strike says why a candidate was not taken.
type strike string

// The reasons for which choose passes a candidate over.
const (
	strikeRefuted   strike = "the content holds a change that first appeared in a newer candidate"
	strikeUnchanged strike = "the content equals an older state, which is a revert"
	strikeGoneOn    strike = "the content goes on from what its author wrote since then"
	strikeStamps    strike = "the content differs from an older reading in stamps only"
	strikeUnseen    strike = "it is in flight, and the content holds nothing of it"
	strikeBeside    strike = "several tasks of its author were at work, and the content holds nothing of what it told"
	strikeUnrelated strike = "the content, of a program that has seen nothing itself, holds little of it"
	strikeFarther   strike = "another candidate is closer"
	strikeUnparsed  strike = "it is not a valid document"
)

// considered is what choose found out about one candidate.
type considered struct {
	candidate
	delta *merge.Delta // what the content changes relative to it
	why   strike       // empty for the one that was taken
}

// distinct sorts candidates by age and leaves one of each content, the newest:
// what refutes an older reading of it does not refute the newer one.
func distinct(cands []candidate) []candidate {
	slices.SortStableFunc(cands, func(a, b candidate) int {
		switch {
		case a.order < b.order:
			return -1
		case a.order > b.order:
			return 1
		}
		return 0
	})
	var out []candidate
	known := make(map[[32]byte]int, len(cands)) // where in out
	for i := len(cands) - 1; i >= 0; i-- {
		c := cands[i]
		same, ok := known[c.content.digest]
		if !ok {
			known[c.content.digest] = len(out)
			out = append(out, c)
			continue
		}
		out[same].own = out[same].own || c.own
		out[same].write = out[same].write || c.write
		out[same].beside = out[same].beside || c.beside
		out[same].views = append(out[same].views, c.views...)
		if out[same].tx == nil {
			out[same].tx, out[same].staged = c.tx, c.staged
		}
	}
	slices.Reverse(out)
	return out
}

// choose returns the candidate that content was made from, with what it found
// out about each; nil if there is none. The rule:
//
//  0. Strike what is still in flight unless the content holds a telling change
//     of it.
//  1. Strike a candidate that the content refutes: it holds a telling change
//     that first appeared in a newer candidate, so that its author had seen
//     beyond this one.
//     Strike what the author wrote last while several of its tasks were at work, if that
//     told something of which the content shows nothing, and what it was made from is
//     not struck.
//     Strike also a reading older than what the author wrote last, unless the content
//     lacks what was added then: if the content goes on from that, with a third value
//     or a counter gone on, or if the author has read since and never shown to have
//     several tasks at work.
//  2. If the author has written before, or is a program such as cp that knows
//     the registry from its kin only, strike an older candidate that the content
//     equals, since writing an old state again is a revert; and an older reading
//     that differs in stamps only.
//     Of such a program's candidates strike also an older one of which the content
//     holds less than half: what replaces everything was made from no old state.
//  3. Of the rest take the one that differs in the fewest leaves, stamps aside.
//  4. Tie: the oldest for an author that has never written, else the newest.
//
// Its cost is one comparison for each distinct candidate, one more where several tasks
// were at work, and none where there is only one candidate.
func choose(cands []candidate, doc *jsondoc.Doc, parse func(*content) (*jsondoc.Doc, error), policy *merge.Policy, by author) (*candidate, []considered) {
	cands = distinct(cands)
	if !slices.ContainsFunc(cands, func(c candidate) bool { return !c.inFlight() }) {
		return nil, nil // nothing was seen
	}
	all := make([]considered, len(cands))
	for i, c := range cands {
		all[i].candidate = c
	}
	if len(all) > 1 {
		compareAll(all, doc, parse, policy)
		strikeUnproved(all)
		strikeRefutedOnes(all)
		strikeOtherTasks(all, parse, policy)
		strikeOutdated(all, by)
		if by.wrote || by.kin {
			strikeReverts(all)
		}
		if by.kin {
			strikeUnrelatedOnes(all)
		}
	}
	best := closest(all, by.wrote)
	for i := range all {
		if i != best && all[i].why == "" {
			all[i].why = strikeFarther
		}
	}
	all[best].why = ""
	return &all[best].candidate, all
}

func compareAll(all []considered, doc *jsondoc.Doc, parse func(*content) (*jsondoc.Doc, error), policy *merge.Policy) {
	for i := range all {
		from, err := parse(all[i].content)
		if err != nil {
			all[i].why = strikeUnparsed
			continue
		}
		all[i].delta = merge.Compare(from, doc, policy)
	}
}

// strikeRefutedOnes asks the newest first, which refutes most.
func strikeRefutedOnes(all []considered) {
	for i := range all {
		for j := len(all) - 1; j > i && all[i].why == ""; j-- {
			if all[j].delta != nil && all[j].why != strikeUnseen && all[i].delta.TellsBeyond(all[j].delta) {
				all[i].why = strikeRefuted
			}
		}
	}
}

// strikeOtherTasks strikes what the author wrote last while several of its tasks were
// at work, if that told something and the content has nothing of it, nor refutes what it
// was made from: then another task wrote it, of which the one that made the content
// knows nothing. How close the two are says nothing, as tasks make alike entries.
func strikeOtherTasks(all []considered, parse func(*content) (*jsondoc.Doc, error), policy *merge.Policy) {
	last := lastWrite(all)
	for i := range max(last, 0) {
		if c := &all[i]; c.beside && c.why == "" && c.leaves() > 0 && isOfAnotherTask(&all[last], c, parse, policy) {
			all[last].why = strikeBeside
		}
	}
}

// isOfAnotherTask reports whether what was written from an older content told something
// of which the content to be committed shows nothing.
func isOfAnotherTask(written, from *considered, parse func(*content) (*jsondoc.Doc, error), policy *merge.Policy) bool {
	older, errOlder := parse(from.content)
	newer, errNewer := parse(written.content)
	if errOlder != nil || errNewer != nil {
		return false
	}
	told := merge.Compare(older, newer, policy)
	return told.Tells() && !from.delta.Echoes(told)
}

// strikeOutdated strikes readings older than what the author wrote last, unless the
// content lacks what it added then: if the content goes on from that, or if the author
// has read the registry since, and has never been seen to have several tasks at work.
// A program that reads more often than it writes leaves readings behind, and comes
// back to values that it had before: to "idle", while it counts on.
func strikeOutdated(all []considered, by author) {
	last := lastWrite(all)
	if last < 0 || all[last].why == strikeBeside {
		return
	}
	readSince := !by.tasks && hasReadSince(all[last:])
	for i := range last {
		c := &all[i]
		if c.why != "" || c.write || !c.own || c.inFlight() || c.delta.Misses(all[last].delta) {
			continue
		}
		if readSince || c.delta.GoesOnFrom(all[last].delta) {
			c.why = strikeGoneOn
		}
	}
}

// hasTasks reports whether the one that was chosen of some candidates shows that its
// author has several tasks at work: it is a reading older than what the author itself
// had written last, and the content lacks what was added then.
func hasTasks(all []considered) bool {
	last := lastWrite(all)
	for i := range max(last, 0) {
		if c := &all[i]; c.why == "" {
			return c.own && !c.write && !c.inFlight() && c.delta.Misses(all[last].delta)
		}
	}
	return false
}

// lastWrite returns the index of what the author itself wrote last, -1 if there is
// none.
func lastWrite(all []considered) int {
	for i := len(all) - 1; i >= 0; i-- {
		if c := &all[i]; c.write && c.own && !c.inFlight() && c.delta != nil {
			return i
		}
	}
	return -1
}

// hasReadSince reports whether one of the candidates, of which the first is what the
// author wrote last, was read by it after that.
func hasReadSince(all []considered) bool {
	var wrote uint64
	for _, v := range all[0].views {
		if v.write {
			wrote = max(wrote, v.first)
		}
	}
	return slices.ContainsFunc(all, func(c considered) bool {
		return c.own && slices.ContainsFunc(c.views, func(v *view) bool { return !v.write && v.first > wrote })
	})
}

// strikeUnproved strikes what is in flight unless the content holds a telling
// change of it that some view does not have. Tasks of one process that know
// nothing of each other are all in flight at the same time.
func strikeUnproved(all []considered) {
	for i := range all {
		if !all[i].inFlight() || all[i].delta == nil {
			continue
		}
		proved := slices.ContainsFunc(all, func(c considered) bool {
			return !c.inFlight() && c.delta != nil && c.delta.TellsBeyond(all[i].delta)
		})
		if !proved {
			all[i].why = strikeUnseen
		}
	}
}

// strikeReverts leaves the newest view alone, and what is in flight, which
// nobody has seen replaced yet.
func strikeReverts(all []considered) {
	newest := len(all) - 1
	for newest > 0 && all[newest].inFlight() {
		newest--
	}
	for i := range all {
		c := &all[i]
		switch {
		case i == newest, c.inFlight(), c.why != "":
		case c.delta.Empty():
			c.why = strikeUnchanged
		case (!c.write || c.beside) && c.delta.Leaves() == 0:
			c.why = strikeStamps
		}
	}
}

// strikeUnrelatedOnes leaves the newest view alone.
func strikeUnrelatedOnes(all []considered) {
	newest := true
	for i := len(all) - 1; i >= 0; i-- {
		c := &all[i]
		switch {
		case c.inFlight():
		case !newest && c.why == "" && !c.delta.Keeps():
			c.why = strikeUnrelated
		default:
			newest = false
		}
	}
}

// closest returns the index of the candidate to take. Where all were struck it
// is the newest that was seen.
func closest(all []considered, wrote bool) int {
	best := -1
	for i := range all {
		if all[i].why != "" {
			continue
		}
		if best < 0 || all[i].leaves() < all[best].leaves() || (wrote && all[i].leaves() == all[best].leaves()) {
			best = i
		}
	}
	if best >= 0 {
		return best
	}
	best = len(all) - 1
	for all[best].inFlight() {
		best--
	}
	return best
}

func (c *considered) leaves() int {
	if c.delta == nil {
		return 0
	}
	return c.delta.Leaves()
}
