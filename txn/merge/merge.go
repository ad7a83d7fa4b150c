package merge

import (
	"bytes"
	"strconv"

	"clawfs/txn/jsondoc"
	"clawfs/txn/roundtrip"
)

// Outcome is the outcome of a merge.
type Outcome uint8

// The outcomes.
const (
	KeptHead   Outcome = iota // theirs changes nothing: the text is the head's
	TookTheirs                // the head has changed nothing that matters: the text is theirs
	Merged                    // the text is a new one
)

// String returns the outcome in lower case.
func (o Outcome) String() string {
	switch o {
	case KeptHead:
		return "kept head"
	case TookTheirs:
		return "took theirs"
	}
	return "merged"
}

// Result is the outcome of a merge.
type Result struct {
	Text      []byte // one document; it may be the source of head or theirs itself
	Outcome   Outcome
	Conflicts []Conflict // container by container: the head's places in order, then those that only theirs has
	Warnings  []Warning
	// Applied are rules that decided something where both sides had made changes, the
	// first few; More counts the others.
	Applied []Applied
	More    int
	// TwoLines says that head and theirs are rather two lines of JSON lines that are begun
	// than one document: they are not merged.
	TwoLines bool
	// Kept counts entries, members and elements, that come from the head and that theirs
	// lacks; 0 unless the outcome is Merged.
	Kept int
}

// Merge brings the changes of theirs relative to base into head. base is nil where
// both sides created the registry. A nil policy is the default one.
//
// The three are in one grammar. Lines are merged as a log.
//
// The result is in that grammar and as deep as the deeper of head and theirs
// at most. The only error is a *ConflictError, for a conflict at a place where
// the policy rejects. The documents are not changed; merging the same ones again
// gives the same bytes.
func Merge(base, head, theirs *jsondoc.Doc, p *Policy) (*Result, error) {
	return MergeInRoom(base, head, theirs, p, plainRoom)
}

// MergeInRoom is Merge. Before it writes a new text it calls makeRoom for an empty slice with room
// for the bytes that this is likely to take, once the documents that only the comparison
// needed are garbage, the base among them.
func MergeInRoom(base, head, theirs *jsondoc.Doc, p *Policy, makeRoom func(bytes int) []byte) (*Result, error) {
	m := newMerger(p)
	m.makeRoom = makeRoom
	m.comments = commentsOf(base, head, theirs)
	v := versions{base, head, theirs}
	switch r := m.same(v); {
	case r != nil:
		return r, nil
	case base == nil || m.agreed:
		return m.merge(v, p)
	case head.Grammar() == jsondoc.Lines, m.exact:
		return m.mergeRestored(v, false, p) // a log's lines are not written back
	}
	var inHead, inTheirs int
	v.head, inHead = restored(base, head, roundtrip.Dropping, p)
	v.theirs, inTheirs = restored(base, theirs, 0, p)
	res, err := m.mergeRestored(v, inHead+inTheirs > 0, p)
	if err == nil && inHead+inTheirs > 0 {
		res.tellRespelled(head, theirs, inHead+inTheirs)
	}
	return res, err
}

// tellRespelled says that so many values were only spelled anew in the head and in
// theirs as they were written.
func (r *Result) tellRespelled(head, theirs *jsondoc.Doc, count int) {
	r.Warnings = append(r.Warnings, Warning{Kind: Respelled, Count: count, Of: countLeaves(head.Root()) + countLeaves(theirs.Root())})
	switch r.Outcome = Merged; {
	case bytes.Equal(r.Text, head.Source()):
		r.Outcome = KeptHead
	case bytes.Equal(r.Text, theirs.Source()):
		r.Outcome = TookTheirs
	}
}

func plainRoom(bytes int) []byte { return make([]byte, 0, bytes) }

// versions are the three that a merge brings together; base is nil where there
// is none.
type versions struct{ base, head, theirs *jsondoc.Doc }

// mergeRestored merges versions in which values that were only spelled anew are as the
// base has them; some says whether there were any.
func (m *merger) mergeRestored(v versions, some bool, p *Policy) (*Result, error) {
	if some {
		if r := m.same(v); r != nil {
			return r, nil
		}
	}
	if r := m.respelled(v); r != nil {
		return r, nil
	}
	return m.merge(v, p)
}

// merge merges versions that are known to differ.
func (m *merger) merge(v versions, p *Policy) (*Result, error) {
	var b jsondoc.Value
	if v.base != nil {
		b = v.base.Root()
	}
	r := rootRulesOf(v.head, p)
	two, place := v.areTwoLines(), m.value
	if two {
		place = m.leaf
	}
	root := place(b, v.head.Root(), v.theirs.Root(), &r)
	f := m.frame(v, &r)
	if m.refused {
		return nil, &ConflictError{Conflicts: m.conflicts()}
	}
	res := &Result{Conflicts: m.conflicts(), Warnings: m.warned(), TwoLines: two}
	res.Applied, res.More = m.rules()
	switch {
	case root.kind == outKeep && f == frame{}:
		res.Text, res.Outcome = v.head.Source(), KeptHead
	case root.kind == outTake:
		res.Text, res.Outcome = v.theirs.Source(), TookTheirs
	default:
		size := v.likelySize()
		v.base, m.aligner, m.path = nil, aligner{}, nil // the base is garbage from here on
		res.Text, res.Outcome = emit(v.head, v.theirs, root, f, m.makeRoom(size)), Merged
		if res.Kept = m.kept; bytes.Equal(res.Text, v.theirs.Source()) {
			res.Outcome, res.Kept = TookTheirs, 0
		}
	}
	return res, nil
}

// likelySize is the likely length of a merge's result: as much longer than the head as theirs is
// than the base, and room for other spellings and a few commas.
func (v versions) likelySize() int {
	added := len(v.theirs.Source())
	if v.base != nil {
		added = max(0, added-len(v.base.Source()))
	}
	head := len(v.head.Source())
	return head + added + head/1024 + 256
}

func (v versions) kept() *Result { return &Result{Text: v.head.Source(), Outcome: KeptHead} }
func (v versions) took() *Result { return &Result{Text: v.theirs.Source(), Outcome: TookTheirs} }

// same handles three documents if two of them are the same. Bytes are compared before
// values. Where only the values are the same, comments that theirs holds are kept by
// merging all the same.
func (m *merger) same(v versions) *Result {
	switch {
	case v.base != nil && bytes.Equal(v.base.Source(), v.theirs.Source()):
		return v.kept()
	case v.base != nil && bytes.Equal(v.base.Source(), v.head.Source()):
		return v.took()
	case !jsondoc.Equal(v.head.Root(), v.theirs.Root()):
		return nil
	case m.comments.inTheirs:
		m.agreed = true
		return nil
	}
	return v.kept()
}

// respelled handles three documents if the head or theirs says the same as the base. Where only
// the values are the same, comments that somebody has changed are kept by merging all the
// same.
func (m *merger) respelled(v versions) *Result {
	switch {
	case m.comments.inTheirs, m.exact:
	case respelled(v.base.Root(), v.theirs.Root()):
		return v.kept()
	case v.head.Grammar() != jsondoc.JSON5 && respelled(v.base.Root(), v.head.Root()):
		return v.took()
	}
	return nil
}

// outKind is the outcome of one place.
type outKind uint8

const (
	outDrop outKind = iota // nothing is there
	outKeep                // the head's text
	outTake                // theirs' text
	outText                // text made here: a counter's sum
	outEdit                // the head's container, with changes inside
	outBoth                // the head's element and behind it theirs
)

// out is the outcome of one place.
type out struct {
	kind  outKind
	value jsondoc.Value // theirs' for outTake and outBoth, else the head's
	edit  *edit         // for outText and outEdit
}

func keep(o jsondoc.Value) out { return out{kind: outKeep, value: o} }
func take(t jsondoc.Value) out { return out{kind: outTake, value: t} }

// edit is a change inside a container, or a text.
type edit struct {
	items []item
	notes *notes // theirs' comments in it; nil for none
	text  []byte
}

// item is one member or element of an edited container.
type item struct {
	out   out
	child int32         // its position among the head's children, or -1
	more  int32         // how many children behind it are as the head has them, too
	key   jsondoc.Value // theirs' key of a member that the head does not have
	note  note
}

// behind returns the position of the head's child behind the item.
func (it *item) behind() int32 { return it.child + it.more + 1 }

// merger is one merge. Its slices of scratch are given back when the
// container they were taken for is done.
type merger struct {
	aligner
	trail
	comments   comments
	agreed     bool // head and theirs hold the same values: only comments are merged
	bound      int  // bytes that have been compared in vain already (sameBytes)
	refuseMass bool
	exact      bool // see Policy
	picks      *picks
	refused    bool // the policy rejects something that was found
	kept       int  // entries of the head that theirs lacks
	rows       scratch[row]
	outs       scratch[out]
	makeRoom   func(bytes int) []byte
}

func newMerger(p *Policy) *merger {
	return &merger{bound: unbounded, makeRoom: plainRoom, refuseMass: p != nil && p.RefuseMassDelete, exact: p != nil && p.Exact}
}

// value merges one place that head and theirs both have. b is the zero Value
// where the base does not have it.
func (m *merger) value(b, o, t jsondoc.Value, r *rules) out {
	if b.Exists() {
		saved := m.bound
		defer func() { m.bound = saved }()
		var same bool
		if same, m.bound = sameBytes(b.Raw(), t.Raw(), m.bound); same {
			m.countGained(b, o, r)
			return keep(o)
		}
	}
	if m.picks != nil {
		defer m.picks.enter(b, t)()
	}
	if hasInside(o, t, m.name(), r) {
		if b.Exists() && b.Kind() != o.Kind() {
			b = jsondoc.Value{}
		}
		if o.Kind() == jsondoc.Object {
			return m.object(b, o, t, r)
		}
		return m.list(b, o, t, r)
	}
	return m.whole(b, o, t, m.leaf(b, o, t, r), r)
}

// hasInside reports whether two versions of a place are looked into: they are
// containers of one kind that are not to be taken as a whole.
func hasInside(x, y jsondoc.Value, name string, r *rules) bool {
	return x.Kind() == y.Kind() && x.IsContainer() && r.as != AsAtomic && !isCommand(name)
}

// isCommand reports whether a member of this name is a command line, in which no
// word can be merged without the others.
func isCommand(name string) bool {
	switch name {
	case "args", "argv", "command":
		return true
	}
	return false
}

// leaf merges values that cannot be merged inside: scalars, values of different types, and
// atomic ones.
func (m *merger) leaf(b, o, t jsondoc.Value, r *rules) out {
	if m.agreed {
		return keep(o)
	}
	kind := Added
	if b.Exists() {
		switch {
		case m.exact && jsondoc.Equal(b, t), !m.exact && respelled(b, t):
			return keep(o)
		case respelled(b, o):
			m.noteReplaced(b, t)
			return take(t)
		}
		if x, ok := m.trait(b, o, t, r); ok {
			return x
		}
		kind = Changed
		if b.Kind() != o.Kind() || b.Kind() != t.Kind() {
			kind = TypeChanged
		}
	}
	switch {
	case jsondoc.Equal(o, t):
		return keep(o)
	case !b.Exists() && m.bothStamps(o, t, r):
		return m.later(o, t)
	case b.Exists() && b.IsContainer() && !m.touched(b, o, r):
		m.noteReplaced(b, t)
		return take(t)
	case b.Exists() && b.IsContainer() && !m.touched(b, t, r):
		return keep(o)
	}
	if isCommand(m.name()) || r.as == AsAtomic {
		m.apply(ruleWhole)
	}
	if m.settle(kind, r) == Head {
		return keep(o)
	}
	m.noteReplaced(b, t)
	return take(t)
}

// trait merges counters and stamps that both sides have changed.
func (m *merger) trait(b, o, t jsondoc.Value, r *rules) (out, bool) {
	switch name := m.name(); {
	case traitOf(name, o, r.as) == counter && traitOf(name, t, r.as) == counter:
		if sum, ok := addedUp(b, o, t); ok {
			m.apply(ruleSum)
			return m.number(o, t, sum), true
		}
	case m.bothStamps(o, t, r):
		return m.later(o, t), true
	}
	return out{}, false
}

func (m *merger) bothStamps(o, t jsondoc.Value, r *rules) bool {
	name := m.name()
	return traitOf(name, o, r.as) == stamp && traitOf(name, t, r.as) == stamp
}

func (m *merger) later(o, t jsondoc.Value) out {
	m.apply(ruleLater)
	if laterStamp(o, t) == Head || jsondoc.Equal(o, t) {
		return keep(o)
	}
	return take(t)
}

// child merges one member or element, which at least one version has.
func (m *merger) child(b, o, t jsondoc.Value, rw row, r *rules) out {
	switch {
	case m.picks.passes(b, t):
		if o.Exists() {
			return keep(o)
		}
		return out{}
	case o.Exists() && t.Exists():
		if rw.sameT {
			if !rw.sameO {
				m.countGained(b, o, r)
			}
			return keep(o)
		}
		return m.value(b, o, t, r)
	case o.Exists() && !b.Exists():
		return keep(o)
	case t.Exists() && !b.Exists():
		return take(t)
	case o.Exists():
		return m.deleted(b, o, Theirs, rw.sameO, r)
	case t.Exists():
		return m.deleted(b, t, Head, rw.sameT, r)
	}
	return out{}
}

// deleted decides about a place that one side has deleted and x is the other
// side's version of. Counters and stamps alone do not keep it.
func (m *merger) deleted(b, x jsondoc.Value, by Side, untouched bool, r *rules) out {
	if untouched || !m.touched(b, x, r) && !m.commentsChanged(b, x, by == Theirs && m.comments.headKeeps || by == Head && m.comments.theirsKeep) {
		if !untouched && !respelled(b, x) {
			m.apply(ruleUntouched)
		}
		m.noteDeleted(b, by)
		return out{}
	}
	other := Theirs
	if by == Theirs {
		other = Head
	}
	switch {
	case r.onConflict == Reject:
		m.settle(Deleted, r)
	case m.exact && (r.onConflict == TakeOurs) == (by == Head):
		m.record(Deleted, by)
		m.noteDeleted(b, by)
		return out{}
	case m.exact:
		m.record(Deleted, other)
	case r.onConflict == TakeOurs && by == Head, m.credential(b):
		if r.onConflict != TakeOurs {
			m.apply(ruleCredential)
		}
		m.record(Deleted, by)
		m.noteDeleted(b, by)
		return out{}
	default:
		m.record(Deleted, other)
	}
	if by == Theirs {
		return keep(x)
	}
	return take(x)
}

// settle records a conflict and returns the side that wins it.
func (m *merger) settle(kind ConflictKind, r *rules) Side {
	switch r.onConflict {
	case TakeOurs:
		m.record(kind, Head)
		return Head
	case Reject:
		m.refused = true
		m.record(kind, Neither)
		return Theirs
	}
	m.record(kind, Theirs)
	return Theirs
}

// number makes a counter's sum, which one side may have anyway.
func (m *merger) number(o, t jsondoc.Value, sum int64) out {
	text := strconv.AppendInt(nil, sum, 10)
	switch {
	case bytes.Equal(o.Raw(), text):
		return keep(o)
	case bytes.Equal(t.Raw(), text):
		return take(t)
	}
	return out{kind: outText, edit: &edit{text: text}}
}
