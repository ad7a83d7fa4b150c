package merge

import (
	"bytes"
	"slices"
	"strings"

	"clawfs/txn/jsondoc"
)

// comments says how the comments of a merge are taken. Comments are content: each
// stands at a place, before or behind a member or an element, and is merged there as
// a value is.
type comments struct {
	on       bool // there are some
	inTheirs bool
	// Whether a version still has one of the base's comments. If it has none, it has
	// not removed them but comes from a program that cannot write them.
	headKeeps, theirsKeep bool
}

// commentsOf looks whether and how the comments of three versions are merged.
func commentsOf(base, head, theirs *jsondoc.Doc) comments {
	if head.Grammar() != jsondoc.JSON5 {
		return comments{}
	}
	inHead, inTheirs := commentsIn(head), commentsIn(theirs)
	if len(inHead)+len(inTheirs) == 0 {
		return comments{}
	}
	old := make(map[string]bool)
	if base != nil {
		for _, c := range commentsIn(base) {
			old[c] = true
		}
	}
	keeps := func(list []string) bool {
		for _, c := range list {
			if old[c] {
				return true
			}
		}
		return false
	}
	return comments{on: true, inTheirs: len(inTheirs) > 0, headKeeps: keeps(inHead), theirsKeep: keeps(inTheirs)}
}

// commentsIn returns the text of each comment of a document, in order.
func commentsIn(d *jsondoc.Doc) []string {
	if d.Grammar() != jsondoc.JSON5 || bytes.IndexByte(d.Source(), '/') < 0 {
		return nil
	}
	start, end := d.Root().Span()
	list := appendComments(nil, d.Source()[:start])
	list = appendInside(list, d.Root())
	return appendComments(list, d.Source()[end:])
}

// appendInside appends the comments inside a container.
func appendInside(list []string, v jsondoc.Value) []string {
	if !v.IsContainer() {
		return list
	}
	l := layoutOf(v.Doc().Source(), v)
	for i := range l.kids {
		k := &l.kids[i]
		list = appendComments(list, l.gap(i))
		list = appendComments(list, l.colon(k))
		list = appendInside(list, k.value)
	}
	return appendComments(list, l.gap(len(l.kids)))
}

// appendComments appends the text of the comments of a gap. White space at the ends
// of their lines says nothing.
func appendComments(list []string, gap []byte) []string {
	if !hasComment(gap) {
		return list
	}
	for i := 0; i < len(gap); {
		n := commentLen(gap[i:])
		if n == 0 {
			i++
			continue
		}
		lines := strings.Split(string(gap[i:i+n]), "\n")
		for k := range lines {
			lines[k] = strings.TrimSpace(lines[k])
		}
		list = append(list, strings.Join(lines, "\n"))
		i += n
	}
	return list
}

// says returns the text of the comments of a gap, or of several, together.
func says(gaps ...[]byte) string {
	var list []string
	for _, gap := range gaps {
		list = appendComments(list, gap)
	}
	return strings.Join(list, "\n")
}

// saysInside returns the words of the comments inside a value, in no particular
// order, since members have none.
func saysInside(v jsondoc.Value) string {
	if !v.Exists() {
		return ""
	}
	list := appendInside(nil, v)
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// colon returns the text between a key and its value.
func (l *layout) colon(k *kid) []byte {
	if !k.key.Exists() {
		return nil
	}
	_, keyEnd := k.key.Span()
	return l.src[keyEnd:k.valueAt]
}

// slots are the words of the comments at one kid.
type slots struct{ lead, post, colon string }

// slots returns those of a kid, none for -1.
func (l *layout) slots(i int32) slots {
	if i < 0 {
		return slots{}
	}
	behind := l.parts(int(i) + 1)
	return slots{lead: says(l.parts(int(i)).lead), post: says(behind.tail, behind.post), colon: says(l.colon(&l.kids[i]))}
}

// ends returns the text of the comments behind the opening bracket and before the
// closing one.
func (l *layout) ends() (opening, closing string) {
	n := len(l.kids)
	if n == 0 {
		return "", says(l.gap(0))
	}
	return says(l.parts(0).post), says(l.parts(n).lead)
}

// joined returns the text of the comments at both ends of a container together.
func joined(ends [2]string) string { return strings.Trim(ends[0]+"\n"+ends[1], "\n") }

// note lists the comments of theirs that stand at an item in the place of the head's.
type note struct {
	lead, post, colon bool
	from              *layout // theirs' container
	kid               int32   // and the kid in it
}

func (n *note) any() bool { return n.lead || n.post || n.colon }

// notes are the notes of a container.
type notes struct {
	rows             []note
	opening, closing bool // theirs' stand behind the opening and before the closing bracket
	from             *layout
	gone             map[int32]bool // the head's kids that are gone with their comments
}

func (n *notes) any() bool {
	if n == nil {
		return false
	}
	for i := range n.rows {
		if n.rows[i].any() {
			return true
		}
	}
	return n.opening || n.closing
}

// changed reports whether a version has changed the comments at a place: base and x
// are their words there.
func changed(base, x string, keeps bool) bool { return x != base && (x != "" || keeps) }

// comment merges the text of the comments at one place and reports whether theirs
// stand there.
func (m *merger) comment(b, o, t string, r *rules) bool {
	switch {
	case t == o, !changed(b, t, m.comments.theirsKeep):
		return false
	case !changed(b, o, m.comments.headKeeps):
		return true
	}
	return m.settle(CommentChanged, r) == Theirs
}

// commentLost tells that a comment that one side has changed is not in the result.
func (m *merger) commentLost(won Side, r *rules) {
	if r.onConflict == Reject {
		m.settle(CommentChanged, r)
		return
	}
	m.record(CommentChanged, won)
}

// commentsChanged reports whether x has changed the comments inside a value.
func (m *merger) commentsChanged(base, x jsondoc.Value, keeps bool) bool {
	return m.comments.on && base.IsContainer() && changed(saysInside(base), saysInside(x), keeps)
}

// whole looks after the comments inside a value that was merged as a whole.
func (m *merger) whole(b, o, t jsondoc.Value, x out, r *rules) out {
	if !m.comments.on || !o.IsContainer() && !t.IsContainer() {
		return x
	}
	inB, inO, inT := saysInside(b), saysInside(o), saysInside(t)
	switch {
	case inO == inT:
	case x.kind == outKeep && changed(inB, inT, m.comments.theirsKeep):
		if respelled(o, t) && m.comment(inB, inO, inT, r) {
			return take(t)
		} else if !respelled(o, t) {
			m.commentLost(Head, r)
		}
	case x.kind == outTake && changed(inB, inO, m.comments.headKeeps):
		m.commentLost(Theirs, r)
	}
	return x
}

// commentRows merges the comments of a container whose rows are merged already;
// stepOf leads to a row, rulesOf returns the policy's rules there.
func (m *merger) commentRows(b, o, t jsondoc.Value, tb *table, r *rules, stepOf func(i int) step, rulesOf func(i int) *rules) {
	if !m.comments.on {
		return
	}
	var lb layout
	if b.Exists() {
		lb = layoutOf(b.Doc().Source(), b)
	}
	lo, lt := layoutOf(o.Doc().Source(), o), layoutOf(t.Doc().Source(), t)
	n := &notes{rows: make([]note, len(tb.rows)), from: &lt, gone: make(map[int32]bool)}
	for i, rw := range tb.rows {
		m.enter(stepOf(i))
		m.commentRow(n, &tb.outs[i], i, rw, [3]slots{lb.slots(rw.b), lo.slots(rw.o), lt.slots(rw.t)}, rulesOf(i))
		m.leave()
	}
	var ends [3][2]string
	for i, l := range []*layout{&lb, &lo, &lt} {
		if i > 0 || b.Exists() {
			ends[i][0], ends[i][1] = l.ends()
		}
	}
	switch {
	case len(lt.kids) == 0:
		n.closing = m.comment(ends[0][1], ends[1][1], ends[2][1], r)
	case len(lo.kids) == 0: // nothing parts the head's: they are compared as one
		n.closing = m.comment(joined(ends[0]), joined(ends[1]), joined(ends[2]), r)
		n.opening = n.closing && ends[2][0] != ""
	default:
		n.opening = m.comment(ends[0][0], ends[1][0], ends[2][0], r)
		n.closing = m.comment(ends[0][1], ends[1][1], ends[2][1], r)
	}
	tb.notes = n
}

// commentRow merges the comments at one row: those of the base, of the head and of
// theirs.
func (m *merger) commentRow(n *notes, x *out, i int, rw row, at [3]slots, r *rules) {
	b, o, t := at[0], at[1], at[2]
	here := note{from: n.from, kid: rw.t}
	switch {
	case x.kind == outDrop && rw.t < 0:
		headKeeps := m.comments.headKeeps
		if m.comments.theirsKeep && !changed(b.lead, o.lead, headKeeps) {
			n.gone[rw.o] = true
		}
		if changed(b.post, o.post, headKeeps) || changed(b.colon, o.colon, headKeeps) {
			m.commentLost(Theirs, r)
		}
		return
	case x.kind == outDrop:
		if changed(b.lead, t.lead, m.comments.theirsKeep) || changed(b.post, t.post, m.comments.theirsKeep) || changed(b.colon, t.colon, m.comments.theirsKeep) {
			m.commentLost(Head, r)
		}
		return
	case rw.t < 0:
		return
	case rw.o < 0:
		here.lead, here.post, here.colon = t.lead != "", t.post != "", t.colon != ""
	case x.kind == outBoth:
		here.lead, here.post = t.lead != b.lead && t.lead != "", t.post != b.post && t.post != ""
	default:
		here.lead = m.comment(b.lead, o.lead, t.lead, r)
		here.post = m.comment(b.post, o.post, t.post, r)
		here.colon = m.comment(b.colon, o.colon, t.colon, r)
	}
	if here.any() && rw.o >= 0 {
		m.apply(ruleComment)
	}
	n.rows[i] = here
}

// frame lists the comments of theirs that stand around the root.
type frame struct{ before, behind bool }

func (m *merger) frame(v versions, r *rules) frame {
	if !m.comments.on {
		return frame{}
	}
	around := func(d *jsondoc.Doc) (before, behind string) {
		if d == nil {
			return "", ""
		}
		start, end := d.Root().Span()
		return says(d.Source()[:start]), says(d.Source()[end:])
	}
	b1, b2 := around(v.base)
	o1, o2 := around(v.head)
	t1, t2 := around(v.theirs)
	return frame{before: m.comment(b1, o1, t1, r), behind: m.comment(b2, o2, t2, r)}
}
