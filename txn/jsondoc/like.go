package jsondoc

import (
	"bytes"
	"slices"
)

// ParseLike parses like Parse in the grammar of another document, and is faster the
// more the text shares with that: the same parts are taken over. The result and the
// error are those of Parse. JSON5 is parsed whole.
func ParseLike(src []byte, like *Doc, lim Limits) (*Doc, error) {
	if d := takeOver(src, like, lim.withDefaults(), usual); d != nil {
		return d, nil
	}
	return Parse(src, like.grammar, lim) // Parse reports the error, too
}

// reuse is a parser that takes nodes over from an older document. Where both texts are
// behind a value, inside as many containers of the same kinds, it would go on in the new
// text as it has in the old one for as long as they are the same. Names alone need
// another look, where an object gets some of its members from the old document.
type reuse struct {
	*parser
	old            *Doc
	prefix, suffix int // how many bytes the texts share
	measures

	at     cursor   // a place in the old document
	copied []run    // of the new nodes: those that were taken over
	pairs  []paired // of open, outermost first: containers that have got members
	wait   int      // how many nodes to parse between two searches
	again  int      // at how many nodes to search again
}

// paired is an open container that has got members of an old one.
type paired struct {
	container, of uint32
	mixed         bool // it may have got the same name twice
}

// measures bound how a place is looked for where the old text goes on.
type measures struct {
	gap    int // bytes between the parts that both texts share at their ends, from which on it is worth a search
	tries  int // searches in one document
	window int // bytes that a search looks at
	shown  int // bytes that are searched for
	least  int // bytes that have to be the same there
}

var usual = measures{gap: 16 << 10, tries: 256, window: 4 << 10, shown: 32, least: 512}

// takeOver returns nil where the text is no document, or begins like no old one.
func takeOver(src []byte, old *Doc, lim Limits, m measures) *Doc {
	if r := newReuse(src, old, lim, m); r != nil && r.read() {
		return &Doc{tree: r.tree, grammar: old.grammar, depth: lim.Depth}
	}
	return nil
}

func newReuse(src []byte, old *Doc, lim Limits, m measures) *reuse {
	if old.grammar == JSON5 || old.depth != lim.Depth || int64(len(src)) > lim.Size {
		return nil
	}
	r := &reuse{parser: &parser{tree: tree{src: src}, depth: lim.Depth}, old: old, measures: m}
	r.parser.reuse = r
	r.prefix = CommonPrefix(src, old.src)
	r.suffix = CommonSuffix(src[r.prefix:], old.src[r.prefix:])
	return r
}

// read parses the text and reports whether it could.
func (r *reuse) read() bool {
	if r.old.grammar == Lines {
		return r.lines()
	}
	return r.document()
}

// document parses the text as one document and reports whether it is one.
func (r *reuse) document() bool {
	root := r.old.nodes[0]
	if root.kind() < Array || int(root.start) >= r.prefix {
		return false
	}
	r.begin(root)
	if !r.goAlong(r.prefix) {
		return false
	}
	for len(r.open) > 0 {
		if r.step() != nil || !r.rejoin() {
			return false
		}
	}
	return r.space() == nil && r.pos == len(r.src)
}

// begin stands behind the opening bracket of both documents.
func (r *reuse) begin(root node) {
	r.reserveLike(r.old)
	r.enter(int(root.start), root.kind())
	r.open, r.pairs, r.copied = []uint32{0}, []paired{{}}, []run{{0, 1}}
	r.at.enter(&r.old.tree, 0)
	r.pos = r.at.text
}

// reserveLike makes room for as much more than another document has as the text is longer, and a
// little beyond.
func (t *tree) reserveLike(d *Doc) {
	room := func(n int) int {
		return n + n/1024 + int(float64(n)*float64(max(0, len(t.src)-len(d.src)))/float64(len(d.src)+1)) + 64
	}
	t.reserve(room(len(d.nodes)), room(len(d.spans)))
}

// goAlong takes over the values that are complete in the old text before a limit, up
// to which both texts go on alike. It is false if a name is there twice.
func (r *reuse) goAlong(limit int) bool {
	shift, from := r.pos-r.at.text, r.at.next
	for {
		switch r.at.move(&r.old.tree, limit, false) {
		case entered:
			of := r.at.open[len(r.at.open)-1]
			container := uint32(len(r.nodes)) + of - from
			r.open = append(r.open, container)
			r.pairs = append(r.pairs, paired{container: container, of: of})
		case left:
			r.takeOver(from, r.at.next, shift)
			from = r.at.next
			r.pos = r.at.text + shift - 1
			container := r.open[len(r.open)-1]
			if r.close(container, r.nodes[container].kind() == Object) != nil {
				return false
			}
			r.pairs = r.pairs[:len(r.open)]
		default:
			r.takeOver(from, r.at.next, shift)
			r.pos = r.at.text + shift
			return true
		}
	}
}

// takeOver copies nodes of the old document; shift is how much farther their text is behind.
func (r *reuse) takeOver(from, to uint32, shift int) {
	if from == to {
		return
	}
	first := len(r.nodes)
	r.take(&r.old.tree, from, to, shift)
	r.copied = append(r.copied, run{first, len(r.nodes)})
	if n := len(r.open); n > 0 && int(r.open[n-1]) == len(r.nodes)-1 {
		r.enterAgain() // the old one may be empty
	}
}

// rejoin goes along with the old document where that goes on as the new one does. It is
// false if a name is there twice.
func (r *reuse) rejoin() bool {
	last := len(r.nodes) - 1
	if r.nodes[last].kind() >= Array || int(r.end(uint32(last))) != r.pos {
		return true // it is not behind a scalar
	}
	limit := len(r.old.src)
	at := r.pos - len(r.src) + limit
	if r.pos < len(r.src)-r.suffix {
		at, limit = r.search()
	}
	if at == limit || !r.seek(at) {
		return true
	}
	r.wait, r.again = 0, 0
	r.pair()
	return r.goAlong(limit)
}

// search returns from where on to where the old text may go on as the new one does; both
// are the same if nothing was found. The longer it has been in vain, the less often it looks.
func (r *reuse) search() (at, limit int) {
	end := r.pos + r.shown
	if r.tries == 0 || len(r.nodes) < r.again || end > len(r.src) || len(r.src)-r.prefix-r.suffix < r.gap {
		return 0, 0
	}
	r.tries--
	r.wait = max(1, 2*r.wait)
	r.again = len(r.nodes) + r.wait
	window := r.old.src[r.at.text:]
	i := bytes.Index(window[:min(len(window), r.window)], r.src[r.pos:end])
	if i < 0 {
		return 0, 0
	}
	at = r.at.text + i
	n := CommonPrefix(r.src[r.pos:], r.old.src[at:])
	if n < r.least {
		return 0, 0
	}
	return at, at + n
}

// seek goes to a place in the old text. It reports whether that is behind a value, in
// containers of the same kinds as the present one of the new text.
func (r *reuse) seek(text int) bool {
	if text < r.at.text {
		r.at.open = r.at.open[:0]
		r.at.enter(&r.old.tree, 0)
		for i := range r.pairs {
			r.pairs[i].mixed = true
		}
	}
	for r.at.move(&r.old.tree, text, true) != stuck {
	}
	return r.at.text == text && !r.at.entered && slices.EqualFunc(r.open, r.at.open, func(a, b uint32) bool {
		return r.nodes[a].kind() == r.old.nodes[b].kind()
	})
}

// pair notes, for each container, the old one that it gets members of.
func (r *reuse) pair() {
	r.pairs = r.pairs[:min(len(r.pairs), len(r.open))]
	for i, of := range r.at.open {
		switch container := r.open[i]; {
		case i == len(r.pairs):
			r.pairs = append(r.pairs, paired{container: container, of: of})
		case r.pairs[i].container != container:
			r.pairs[i] = paired{container: container, of: of}
		case r.pairs[i].of != of:
			r.pairs[i].of, r.pairs[i].mixed = of, true
		}
	}
}

// fewFresh is up to how many new names each is compared with all others.
const fewFresh = 8

// checkNames makes sure that an object that was just closed has no name twice. The names
// that it got from one old object are known to be different.
func (r *reuse) checkNames(object uint32) error {
	i := len(r.open)
	if i >= len(r.pairs) || r.pairs[i].container != object || r.pairs[i].mixed {
		return r.checkAllNames(object)
	}
	fresh := r.freshNames(object)
	if len(fresh) > fewFresh {
		return r.checkAllNames(object)
	}
	d := Doc{tree: r.tree}
	for _, k := range fresh {
		name := Value{&d, k}.decoded()
		for i := object + 1; i < r.next(object); i = r.next(i + 1) {
			if i != k && (Value{&d, i}).isNamed(name) {
				return r.fail(KindDuplicate, int(r.nodes[k].start), "", "")
			}
		}
	}
	return nil
}

// freshNames returns the keys of an object that were not taken over, the first few.
func (r *reuse) freshNames(object uint32) (fresh []uint32) {
	copied := r.copied
	for i := object + 1; i < r.next(object) && len(fresh) <= fewFresh; i = r.next(i + 1) {
		for len(copied) > 0 && copied[0].to <= int(i) {
			copied = copied[1:]
		}
		if len(copied) == 0 || int(i) < copied[0].from {
			fresh = append(fresh, i)
		}
	}
	return fresh
}

// cursor is a place in a document: behind a value, or behind an opening bracket.
type cursor struct {
	open    []uint32 // the containers around it, outermost first
	next    uint32   // the node behind it
	text    int
	entered bool // it is behind an opening bracket
}

// enter goes into a container.
func (c *cursor) enter(t *tree, i uint32) {
	c.open = append(c.open, i)
	c.next, c.text, c.entered = i+1, int(t.nodes[i].start)+1, true
}

// motion is one step of a cursor.
type motion uint8

const (
	stuck   motion = iota // all that is left goes beyond the limit
	entered               // a container that ends behind the limit
	left                  // a container
)

// move passes the values that end before a limit. A scalar that ends right there is
// passed only if the limit is known to be an end: bytes behind it may belong to it.
func (c *cursor) move(t *tree, limit int, isEnd bool) motion {
	if len(c.open) == 0 {
		return stuck
	}
	around := c.open[len(c.open)-1]
	key := uint32(0)
	if t.nodes[around].kind() == Object {
		key = 1
	}
	for behind := t.next(around); c.next < behind; {
		i := c.next + key
		n := t.nodes[i]
		switch end := int(t.end(i)); {
		case end < limit, end == limit && (isEnd || n.kind() >= Array):
			c.next, c.text, c.entered = t.next(i), end, false
		case n.kind() >= Array && int(n.start) < limit:
			c.enter(t, i)
			return entered
		default:
			return stuck
		}
	}
	end := int(t.end(around))
	if end > limit {
		return stuck
	}
	c.open = c.open[:len(c.open)-1]
	c.text, c.entered = end, false
	return left
}

// lines parses the text as one document a line and reports whether they are.
func (r *reuse) lines() bool {
	text, old := r.src, r.old
	start := bytes.LastIndexByte(text[:r.prefix], '\n') + 1
	end := len(text)
	if i := bytes.IndexByte(text[end-r.suffix:], '\n'); i >= 0 {
		end += i + 1 - r.suffix
	}
	r.reserveLike(old)
	r.enter(0, Array)
	r.takeOver(1, uint32(max(1, old.from(start))), 0)
	r.pos = start
	if r.linesTo(end) != nil {
		return false
	}
	shift := len(text) - len(old.src)
	r.takeOver(uint32(max(1, old.from(end-shift))), uint32(len(old.nodes)), shift)
	r.leave(0, len(text))
	return true
}
