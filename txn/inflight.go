package txn

import (
	"slices"
	"sync/atomic"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// A process knows the content of all its handles before any of it is committed. So the
// open transactions of one process concern the choice of the merge base.

// draft is content of a transaction together with the facts that are known about its making. It
// is immutable, but for committed and alone.
type draft struct {
	tx         *Tx // nil for a finished file
	content    *seen.Content
	seen       seen.Seen
	flights    []*Tx         // the transactions that the process had open before, which candidates name by their index
	headAtOpen *Version      // the base where nothing was seen
	last       *seen.Content // see Tx
	redirected bool          // it was written by a shell's redirection
	time       time.Time     // the modification time that was set for it; zero: none was
	put        bool          // it replaces the head, without a choice of the base
	intent     Intent
	appended   []byte // the bytes written, if all of them were appended (O_APPEND); else nil
	committed  atomic.Bool
}

// inFlight returns the transactions that the same process opened before t and
// that have not ended. The caller holds mu.
func (r *Registry) inFlight(t *Tx, c Caller) []*Tx {
	var out []*Tx
	for o := range r.open {
		if o.opened < t.opened && o.opener.Actor == c.Actor && c.Known() {
			out = append(out, o)
		}
	}
	return out
}

// writesElsewhere reports whether a process has unsaved bytes in another transaction. The
// caller holds mu.
func (r *Registry) writesElsewhere(c Caller, than *Tx) bool {
	for o := range r.open {
		if o != than && o.unsaved.Load() && o.opener.Actor == c.Actor {
			return true
		}
	}
	return false
}

// currentDraft returns the draft that the process has staged in t, nil if that
// can't be told just now or there is none. The leader of a registry asks it about
// other transactions while it holds its own: it must not wait for them.
func (t *Tx) currentDraft() *draft {
	if d := t.attempted.Load(); d != nil {
		return d
	}
	if !t.mu.TryLock() {
		return nil
	}
	defer t.mu.Unlock()
	if !t.dirty || len(t.data) == 0 {
		return nil
	}
	return t.draftOf(t.reg().newContent(slices.Clone(t.data), t.headAtOpen))
}

// draftOf returns content of the transaction with the transaction's facts about it. Content
// that was not written anew was seen, by one process or another. The caller holds mu.
func (t *Tx) draftOf(c *seen.Content) *draft {
	d := &draft{tx: t, content: c, seen: t.seen, flights: slices.Clone(t.flights), headAtOpen: t.headAtOpen, last: t.last, redirected: t.redirected, time: t.setTime, put: t.put, intent: t.intent}
	if t.patched != nil && t.anew < len(c.Bytes) {
		d.seen = d.seen.Add(*t.patched)
	}
	if !t.rewritten && t.behind < len(c.Bytes) {
		d.appended = c.Bytes[t.behind:]
	}
	return d
}

// settled returns the candidates of a draft, those of its transactions in flight
// included, and the drafts of these by the numbers of the candidates.
func (d *draft) settled() ([]seen.Candidate, []*draft) {
	cands := slices.Clone(d.seen.Candidates)
	drafts := make([]*draft, len(d.flights))
	for i, t := range d.flights {
		if drafts[i] = t.currentDraft(); drafts[i] != nil {
			cands = append(cands, seen.Candidate{Kind: seen.InFlight, Content: drafts[i].content, At: t.opened, Tx: i})
		}
	}
	return cands, drafts
}

// baseOf chooses the merge base of the request; nil means that there was
// nothing to see, or that none is wanted.
func (r *Registry) baseOf(q *request) (*seen.Content, error) {
	if q.put {
		q.choice = seen.Choice{Head: true, Why: outright}
		q.event.Base = Base{Kind: BaseHead, Why: outright}
		return nil, nil
	}
	if q.tx != nil {
		if c := q.tx.takenInto.Load(); c != nil {
			q.event.Base = Base{Kind: BaseInFlight, Digest: c.Digest}
			return c, nil
		}
	}
	if q.doc == nil { // anything may replace content that is no document
		q.choice = seen.Choice{Head: true, Why: outright}
		q.event.Base = Base{Kind: BaseHead, Why: noDocument}
		return nil, nil
	}
	if q.last != nil {
		q.choice = seen.Choice{Why: goesOn}
		q.event.Base = Base{Kind: BaseWrite, Digest: q.last.Digest, Why: goesOn}
		return q.last, nil
	}
	choice, chosen := r.chooseFor(q.draft, q.doc, q.alone)
	q.choice = choice
	q.event.Base = describeChoice(&choice, chosen, q.headAtOpen)
	return r.contentOfBase(q, &choice, chosen, q.headAtOpen)
}

// chooseFor chooses among the candidates of a draft. Where content in flight is
// chosen, its draft is returned, too.
func (r *Registry) chooseFor(d *draft, doc *jsondoc.Doc, alone bool) (seen.Choice, *draft) {
	cands, drafts := d.settled()
	k := d.seen.Knowledge
	k.Alone = alone
	choice := seen.Choose(cands, d.content, doc, k, seen.Documents{Parse: r.parserFor(doc), Policy: r.store.cfg.Policy(r.name)})
	if choice.Taken != nil && choice.Taken.Kind == seen.InFlight {
		return choice, drafts[choice.Taken.Tx]
	}
	return choice, nil
}

// contentOfBase returns the content that a choice stands for. Content of a
// transaction that is still in flight is not in the registry yet. A request that was
// made from it brings that transaction's change along, so the base of both is the
// base of that transaction. It was opened earlier, so this comes to an end.
func (r *Registry) contentOfBase(q *request, choice *seen.Choice, chosen *draft, headAtOpen *Version) (*seen.Content, error) {
	switch {
	case choice.Taken == nil && headAtOpen == nil:
		return nil, nil
	case choice.Taken == nil:
		return headAtOpen.content, nil
	case chosen == nil || chosen.committed.Load():
		return choice.Taken.Content, nil
	}
	if c := chosen.tx.takenInto.Load(); c != nil {
		return c, nil
	}
	q.takes = append(q.takes, chosen)
	doc, err := r.parseAs(chosen.content, dialectIn(q.doc))
	if err != nil {
		return nil, err
	}
	earlier, its := r.chooseFor(chosen, doc, false)
	return r.contentOfBase(q, &earlier, its, chosen.headAtOpen)
}

func describeChoice(choice *seen.Choice, chosen *draft, headAtOpen *Version) Base {
	taken := choice.Taken
	if taken == nil || taken.Content == nil {
		b := Base{Kind: BaseAbsent, Why: choice.Why}
		if taken == nil && headAtOpen != nil {
			b = Base{Kind: BaseOpen, Digest: headAtOpen.Digest}
		}
		return b.withCandidates(choice)
	}
	b := Base{Kind: BaseRead, Digest: taken.Content.Digest, Why: choice.Why}
	switch {
	case choice.Why == seen.Again:
		b.Kind = BaseHead
	case chosen != nil && !chosen.committed.Load():
		b.Kind = BaseInFlight
	case taken.Kind != seen.Read:
		b.Kind = BaseWrite
	}
	return b.withCandidates(choice)
}

func (b Base) withCandidates(choice *seen.Choice) Base {
	if len(choice.Judged) < 2 {
		return b
	}
	for _, c := range choice.Judged {
		info := CandidateInfo{Write: c.Kind != seen.Read, Leaves: c.Leaves, Struck: string(c.Struck)}
		if c.Content != nil {
			info.Digest = c.Content.Digest
		}
		b.Candidates = append(b.Candidates, info)
	}
	return b
}
