package seen

import (
	"cmp"
	"slices"

	"clawfs/txn/jsondoc"
	"clawfs/txn/merge"
)

// A Reason says why a candidate, or the head, was taken for the merge base, or why a
// candidate was passed over.
type Reason string

// Why a merge base was taken.
const (
	Alone   Reason = "nobody else has written since"
	Again   Reason = "the author's last write is written again, after a removal or with nothing newer seen"
	Only    Reason = "nothing else was seen"
	Newest  Reason = "the content is an earlier state, written again: it replaces what was seen last"
	Told    Reason = "the content shows that it was seen"
	Closest Reason = "the content differs least from it"
)

// Why a candidate was passed over.
const (
	Refuted   Reason = "the content holds a change that first appeared in a newer candidate"
	GoneOn    Reason = "the content goes on from what was written since then"
	Reverted  Reason = "the content equals this older state, which is a revert"
	Unproved  Reason = "it is in flight, and the content holds nothing of it"
	OtherTask Reason = "several tasks of its author were at work, and the content holds nothing of what it told"
	Farther   Reason = "another candidate is closer"
	Unparsed  Reason = "it is not a valid document"
)

// Judged is Choose's verdict about one candidate.
type Judged struct {
	Candidate
	Leaves int    // the content differs from it in so many, stamps and counters aside
	Struck Reason // why it was passed over; empty for the one that was taken

	doc   *jsondoc.Doc // of its content; nil where there is nothing, or that is no valid document
	delta *merge.Delta // the content's changes relative to it; nil where it is no valid document
}

// Choice is the merge base of some content.
type Choice struct {
	Taken  *Candidate // nil: the head is the base, or nothing is known
	Head   bool       // the head is the base: the content is stored as it is
	Why    Reason
	Judged []Judged // all candidates, one for each content, oldest first
}

// Documents says how Choose comes to documents and by which rules they are
// compared.
type Documents struct {
	Parse  func(*Content) (*jsondoc.Doc, error)
	Policy *merge.Policy
}

// Choose returns the view that content was made from. The package comment has the rule.
// Its cost is one comparison for each distinct candidate, one more where several tasks
// of the author are proved or where it may write its last write again, and none where
// there is only one candidate otherwise.
func Choose(cands []Candidate, content *Content, doc *jsondoc.Doc, k Knowledge, docs Documents) Choice {
	cands = distinct(cands)
	switch {
	case !slices.ContainsFunc(cands, func(c Candidate) bool { return c.Kind != InFlight }):
		return Choice{}
	case k.Alone && !slices.ContainsFunc(cands, func(c Candidate) bool { return c.Kind == InFlight }):
		return Choice{Taken: &cands[len(cands)-1], Head: true, Why: Alone}
	case k.isAgain(content, doc, docs):
		return Choice{Taken: &cands[len(cands)-1], Head: true, Why: Again}
	case len(cands) == 1:
		return Choice{Taken: &cands[0], Why: Only, Judged: []Judged{{Candidate: cands[0]}}}
	}
	j := judge{all: make([]Judged, len(cands)), doc: doc, docs: docs, first: k.Memory && k.Last == nil}
	for i := range cands {
		j.all[i].Candidate = cands[i]
	}
	j.compareAll()
	best, why := j.meant(content, k)
	if best < 0 {
		best, why = j.decide()
	}
	for i := range j.all {
		if j.all[i].Struck == "" {
			j.all[i].Struck = Farther
		}
	}
	j.all[best].Struck = ""
	return Choice{Taken: &j.all[best].Candidate, Why: why, Judged: j.all}
}

// isAgain reports whether content is its author's last write once more, re-spelled
// perhaps, and is meant so: an author without a memory has read nothing else since, or
// one with a memory has removed the registry since.
func (k *Knowledge) isAgain(content *Content, doc *jsondoc.Doc, docs Documents) bool {
	if k.Last == nil || !k.Removed && (k.Memory || k.ReadSince) {
		return false
	}
	if k.Last.Digest == content.Digest {
		return true
	}
	last, err := docs.Parse(k.Last)
	return err == nil && merge.Same(last, doc)
}

// distinct sorts candidates by age and leaves one of each content, the newest: a
// change that refutes an older reading does not refute the newer one.
func distinct(cands []Candidate) []Candidate {
	cands = slices.Clone(cands)
	slices.SortStableFunc(cands, func(a, b Candidate) int { return cmp.Compare(a.state(), b.state()) })
	var out []Candidate
	known := make(map[[32]byte]int, len(cands)) // where in out
	for i := len(cands) - 1; i >= 0; i-- {
		c := cands[i]
		var key [32]byte // of nothing
		if c.Content != nil {
			key = c.Content.Digest
		}
		same, ok := known[key]
		if !ok {
			known[key] = len(out)
			out = append(out, c)
			continue
		}
		o := &out[same]
		o.views = append(slices.Clip(o.views), c.views...)
		o.Late = o.Late || c.Late
		o.Task = o.Task && c.Task
		o.Recent = o.Recent || c.Recent
		if c.Kind == Wrote || o.Kind == InFlight {
			o.Kind, o.Tx = c.Kind, max(o.Tx, c.Tx)
		}
		if o.looks == nil {
			o.looks = c.looks
		}
	}
	slices.Reverse(out)
	return out
}

// judge compares content with all that its author may have had in hand.
type judge struct {
	all  []Judged
	doc  *jsondoc.Doc
	docs Documents

	first bool // its author is a process that has never written the registry
}

// compareAll compares content with each candidate. A value that it shares with a newer candidate
// makes it no farther from nothing, nor from an older candidate that counts beside the newer
// one: two programs that begin with the same begin with equal defaults.
func (j *judge) compareAll() {
	for i := range j.all {
		c := &j.all[i]
		if c.Content == nil {
			c.delta = merge.CompareWithNothing(j.doc, j.docs.Policy)
		} else if from, err := j.docs.Parse(c.Content); err == nil {
			c.doc, c.delta = from, merge.Compare(from, j.doc, j.docs.Policy)
		} else {
			c.Struck = Unparsed
			continue
		}
		c.Leaves = c.delta.Leaves()
	}
	for i := range j.all {
		for n := i + 1; n < len(j.all); n++ {
			if c, newer := &j.all[i], &j.all[n]; newer.delta != nil && newer.Leaves < c.Leaves && (c.Kind == Nothing || j.isBeside(c, newer)) {
				c.Leaves = newer.Leaves
			}
		}
	}
}

// meant returns the newest view where the content is an earlier state that is written
// again on purpose, else -1: where a process with a memory writes its own last write
// again after it has seen something newer, and where an author without one writes
// content that it has seen at some earlier time.
func (j *judge) meant(content *Content, k Knowledge) (int, Reason) {
	newest := j.newest()
	for i := range j.all {
		c := &j.all[i]
		if i == newest || c.Kind == InFlight || c.delta == nil || !c.delta.Empty() {
			continue
		}
		if !k.Memory || c.Kind == Wrote && !c.Task && k.Last != nil && c.Content.Digest == k.Last.Digest && k.ReadSince {
			c.Struck = Reverted
			return newest, Newest
		}
	}
	if !k.Memory && slices.ContainsFunc(k.Earlier, func(c *Content) bool { return c.Digest == content.Digest }) {
		return newest, Newest
	}
	return -1, ""
}

// newest returns the index of the candidate that is the newest state of those seen; there
// is one.
func (j *judge) newest() int {
	for i := len(j.all) - 1; i >= 0; i-- {
		if j.all[i].Kind != InFlight {
			return i
		}
	}
	return -1
}

// isBeside reports whether content may be made from a candidate by a program that has read
// the newer one only as a check, though they have values in common: its author has not written
// yet, and has its own entry where the newer one has one that was added meanwhile. Both have a
// delta.
func (j *judge) isBeside(c, newer *Judged) bool {
	return j.first && c.Kind == Read && c.Recent && c.delta.Ousts(newer.delta)
}

// decide asks the content, then how close it is; a tie goes to the newest, or, of a
// process that has never written the registry, to the oldest. It returns the index of the
// candidate to take, and why.
func (j *judge) decide() (int, Reason) {
	j.strikeUnproved()
	j.strikeRefuted()
	j.strikeOtherTasks()
	j.strikeGoneOn()
	j.strikeReverted()
	left := 0
	for i := range j.all {
		if j.all[i].Struck == "" {
			left++
		}
	}
	if left == 1 {
		return j.closest(), Told
	}
	return j.closest(), Closest
}

// strikeUnproved strikes a candidate in flight unless the content holds a telling
// change of it that some view does not have. Tasks of one process that know nothing
// of each other are all in flight at the same time.
func (j *judge) strikeUnproved() {
	for i := range j.all {
		c := &j.all[i]
		if c.Kind != InFlight || c.delta == nil {
			continue
		}
		proved := slices.ContainsFunc(j.all, func(o Judged) bool {
			return o.Kind != InFlight && o.delta != nil && o.delta.TellsBeyond(c.delta)
		})
		if !proved {
			c.Struck = Unproved
		}
	}
}

// strikeRefuted strikes the candidates that the content refutes: it holds a change that
// first appeared in a newer candidate. The newest is asked first, as it refutes most. That
// nothing was there is refuted only by content that has all of the newer one: two that begin
// with nothing begin with equal defaults. Where its author has read the newer one, content
// refutes it that only changes that, or only takes away from it, or only adds to it.
func (j *judge) strikeRefuted() {
	for i := range j.all {
		c := &j.all[i]
		for n := len(j.all) - 1; n > i && c.Struck == ""; n-- {
			newer := &j.all[n]
			switch {
			case newer.delta == nil || newer.Struck == Unproved:
			case c.Looked && !newer.delta.Replaces():
				c.Struck = Refuted
			case c.Kind == Nothing && newer.delta.Takes():
			case c.delta.TellsBeyond(newer.delta) && !j.isBeside(c, newer):
				c.Struck = Refuted
			}
		}
	}
}

// strikeOtherTasks strikes the author's last write as another task's, if all of this is so:
//
//   - several tasks of the author were at work;
//   - the write told something, and the content has nothing of it;
//   - the content does not refute the base of that write.
//
// The distance of the two says nothing, as tasks make alike entries.
func (j *judge) strikeOtherTasks() {
	last := j.lastWrite()
	for i := range max(last, 0) {
		c := &j.all[i]
		if c.Struck != "" {
			continue
		}
		if c.Kind == Nothing && c.Task && j.all[last].delta.Takes() ||
			c.Late && c.Leaves > 0 && j.isOfAnotherTask(&j.all[last], c) {
			j.all[last].Struck = OtherTask
		}
	}
}

// isOfAnotherTask reports whether a write told something, relative to its base, and the
// content to be committed shows nothing of it.
func (j *judge) isOfAnotherTask(written, from *Judged) bool {
	if from.Content == nil {
		return false
	}
	told := merge.Compare(from.doc, written.doc, j.docs.Policy)
	return told.Tells() && !from.delta.Echoes(told)
}

// strikeGoneOn strikes the views that another task of the author may have in hand,
// if the content goes on from the author's last write: with a third value, or a
// counter gone on.
func (j *judge) strikeGoneOn() {
	last := j.lastWrite()
	if last < 0 || j.all[last].Struck != "" {
		return
	}
	for i := range last {
		if c := &j.all[i]; c.Struck == "" && c.Task && c.Kind == Read && c.delta.GoesOnFrom(j.all[last].delta) {
			c.Struck = GoneOn
		}
	}
}

// strikeReverted strikes a reading that another task of the author may have in hand, if
// the content equals it: a program that returns to an earlier state is more likely than
// a task that saves and has changed nothing.
func (j *judge) strikeReverted() {
	for i := range j.all {
		if c := &j.all[i]; c.Struck == "" && c.Task && c.Kind == Read && c.delta.Empty() {
			c.Struck = Reverted
		}
	}
}

// lastWrite returns the index of the author's last write, -1 if there is none.
func (j *judge) lastWrite() int {
	for i := len(j.all) - 1; i >= 0; i-- {
		if c := &j.all[i]; c.Kind == Wrote && !c.Task && c.delta != nil {
			return i
		}
	}
	return -1
}

// closest returns the index of the candidate to take: the newest, or, of a process that has
// never written, the oldest of those from which the content differs in the fewest leaves. Where
// all were struck it is the newest.
func (j *judge) closest() int {
	best := -1
	for i := range j.all {
		if c := &j.all[i]; c.Struck == "" && (best < 0 || c.Leaves < j.all[best].Leaves || !j.first && c.Leaves == j.all[best].Leaves) {
			best = i
		}
	}
	if best < 0 {
		best = j.newest()
	}
	return best
}
