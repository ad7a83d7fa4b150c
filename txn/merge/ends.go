package merge

import (
	"bytes"
	"hash/maphash"
	"maps"
	"slices"
	"sort"

	"clawfs/txn/jsondoc"
)

// Elements that stand alike at both ends of a list in all versions are left out where elements
// are told apart by an identity: an element there is the same one in each version, as no other
// has its identity. To know that the rest has other identities takes more than a look at the
// rest. So the identity that tells the elements of a list apart is kept with a document, with
// the hashes of all keys, and passed on to the next one.

// ends says how many elements stand alike at both ends of all versions of a list.
type ends struct{ lo, hi int }

// position returns the position in the whole list of an element between both ends; -1 is
// none.
func (e ends) position(i int32) int32 {
	if i < 0 {
		return i
	}
	return int32(e.lo) + i
}

// between returns a version without them.
func (e ends) between(list []jsondoc.Value) []jsondoc.Value { return list[e.lo : len(list)-e.hi] }

// identifyBetween is identify for the elements between both ends of the lists, if these are
// much less than all; ok is false if it is not, or if it takes a look at all to know.
func identifyBetween(r *rules, lists []jsondoc.Value, versions ...[]jsondoc.Value) (id identity, e ends, ok bool) {
	if r.as == AsSet || r.as == AsSequence || r.as == AsLog {
		return identity{}, ends{}, false
	}
	known, of, e := identityOf(r, lists, versions)
	if known == nil || 2*(e.lo+e.hi) < len(versions[of]) {
		return identity{}, ends{}, false
	}
	id = identity{kind: keyed, names: known.names, configured: r.identity != nil}
	if id.keys, ok = known.keysBetween(e, versions, of); !ok {
		known.forget(lists[of])
		return identity{}, ends{}, false
	}
	for i, v := range versions {
		if n := namesOf(v); n != nil {
			known.passOn(n, lists[i], e, &id.keys[i], &id.keys[of])
		}
	}
	return id, e, true
}

// endsOf returns the equal parts at both ends of the lists. Most is found by a look at the
// whole text; where that differs, in white space perhaps, elements are looked at one by one.
func endsOf(versions [][]jsondoc.Value) ends {
	first, shortest := versions[0], len(versions[0])
	for _, v := range versions[1:] {
		shortest = min(shortest, len(v))
	}
	if shortest == 0 {
		return ends{}
	}
	text := textOf(first)
	prefix, suffix := len(text), len(text)
	for _, v := range versions[1:] {
		other := textOf(v)
		prefix = min(prefix, jsondoc.CommonPrefix(text, other))
		suffix = min(suffix, jsondoc.CommonSuffix(text, other))
	}
	start, _ := first[0].Span()
	_, end := first[len(first)-1].Span()
	var e ends
	e.lo = sort.Search(shortest, func(i int) bool { // an element that ends where the texts part may go on behind
		_, at := first[i].Span()
		return at-start >= prefix
	})
	for e.lo < shortest && areSame(versions, func(list []jsondoc.Value) jsondoc.Value { return list[e.lo] }) {
		e.lo++
	}
	e.hi = sort.Search(shortest-e.lo, func(i int) bool {
		at, _ := first[len(first)-1-i].Span()
		return end-at >= suffix
	})
	for e.lo+e.hi < shortest && areSame(versions, func(list []jsondoc.Value) jsondoc.Value { return list[len(list)-1-e.hi] }) {
		e.hi++
	}
	return e
}

// textOf returns the text of a list's elements. The list is not empty.
func textOf(list []jsondoc.Value) []byte {
	start, _ := list[0].Span()
	_, end := list[len(list)-1].Span()
	return list[0].Doc().Source()[start:end]
}

// areSame reports whether the elements at one place are the same text in all versions.
func areSame(versions [][]jsondoc.Value, at func(list []jsondoc.Value) jsondoc.Value) bool {
	text := at(versions[0]).Raw()
	return !slices.ContainsFunc(versions[1:], func(v []jsondoc.Value) bool { return !bytes.Equal(at(v).Raw(), text) })
}

// knownIdentity is the identity of a list by itself.
type knownIdentity struct {
	configured []string // by the policy
	names      []string // the members that are the identity; nil: it is not worth another try
	early      bool     // the first element has none of those that would have come before
	table      *keyTable
	more, less []uint64 // hashes of keys that are not in the table, and of some that are only there
}

// mostMore bounds the elements that are looked through one by one.
const mostMore = 64

// identityOf returns an identity that is known for one of the lists, which one that is, and
// the ends of the lists. It returns nil if there is none. It looks for one only where it
// is of use.
func identityOf(r *rules, lists []jsondoc.Value, versions [][]jsondoc.Value) (known *knownIdentity, of int, e ends) {
	var n *Names
	for i, v := range versions {
		names := namesOf(v)
		if names == nil {
			continue
		}
		n, of = names, i
		if known = n.identity(lists[i]); known != nil {
			break
		}
	}
	if known == nil && n != nil {
		known = n.inherit(lists[of], versions[of])
	}
	if n == nil || known != nil && (known.names == nil || !slices.Equal(known.configured, r.identity)) {
		return nil, 0, ends{}
	}
	e = endsOf(versions)
	if known == nil && 2*(e.lo+e.hi) >= len(versions[of]) {
		known = learn(versions[of], r.identity)
		n.setIdentity(lists[of], known)
	}
	if known == nil || known.names == nil {
		return nil, 0, ends{}
	}
	return known, of, e
}

func (n *Names) identity(list jsondoc.Value) *knownIdentity {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.identities[list]
}

// setIdentity notes the knowledge about a list; nil is none.
func (n *Names) setIdentity(list jsondoc.Value, k *knownIdentity) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case k == nil:
		delete(n.identities, list)
	case n.identities == nil:
		n.identities = map[jsondoc.Value]*knownIdentity{list: k}
	default:
		n.identities[list] = k
	}
}

// inherit takes the knowledge about a list over from the document that this one is like,
// if that has the list at the same place. It returns nil if there is none.
func (n *Names) inherit(list jsondoc.Value, elements []jsondoc.Value) *knownIdentity {
	n.mu.Lock()
	like := n.like
	n.mu.Unlock()
	if like == nil {
		return nil
	}
	start, _ := list.Span()
	for older, known := range like.known() {
		if at, _ := older.Span(); at == start {
			n.takeOver(list, elements, older, known)
		}
	}
	return n.identity(list)
}

// Inherit takes over for a document the knowledge about another one that is much like it;
// from may be nil.
func (n *Names) Inherit(d *jsondoc.Doc, from *Names) {
	if from == nil {
		return
	}
	for older, known := range from.known() {
		start, _ := older.Span()
		if list, ok := d.ListAt(start); ok {
			if elements := elementsIn(list); len(elements) >= n.least {
				n.takeOver(list, elements, older, known)
			}
		}
	}
}

// takeOver takes the knowledge about an older list over for one that is much like it.
func (n *Names) takeOver(list jsondoc.Value, elements []jsondoc.Value, older jsondoc.Value, known *knownIdentity) {
	if known.names == nil {
		n.setIdentity(list, known)
		return
	}
	versions := [][]jsondoc.Value{elementsIn(older), elements}
	e := endsOf(versions)
	if 2*(e.lo+e.hi) < len(elements) {
		return
	}
	if keys, ok := known.keysBetween(e, versions, 0); ok {
		known.passOn(n, list, e, &keys[1], &keys[0])
	}
}

// known returns the knowledge about lists.
func (n *Names) known() map[jsondoc.Value]*knownIdentity {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.identities)
}

// elementsIn returns the elements of a list.
func elementsIn(list jsondoc.Value) []jsondoc.Value {
	return elements(make([]jsondoc.Value, list.Len()), list)
}

// learn finds the identity of a list by itself.
func learn(list []jsondoc.Value, configured []string) *knownIdentity {
	k := &knownIdentity{configured: configured, early: true}
	if slices.ContainsFunc(list, func(e jsondoc.Value) bool { return e.Kind() != jsondoc.Object }) {
		return k
	}
	try := func(names []string) bool {
		if _, ok := elementKey(list[0], names); !ok {
			return false
		}
		table := newKeyTable(list, names)
		if table == nil {
			k.early = false
			return false
		}
		k.names, k.table = names, table
		return true
	}
	if configured != nil {
		try(configured)
		return k
	}
	for i := range identityNames {
		if try(identityNames[i : i+1]) {
			return k
		}
	}
	for _, names := range compositeNames {
		if try(names) {
			return k
		}
	}
	return k
}

// keysBetween returns the keys of the elements between the ends of the lists. It is false
// unless each element has a key, and none of its list has the same one.
func (k *knownIdentity) keysBetween(e ends, versions [][]jsondoc.Value, of int) (lists []keyList, ok bool) {
	key := func(e jsondoc.Value) ([]byte, bool) { return elementKey(e, k.names) }
	lists = make([]keyList, len(versions))
	n := &numberedKeys{}
	for i, v := range versions {
		v = e.between(v)
		if !n.add(&lists[i], v, key) || lists[i].distinct != len(v) {
			return nil, false
		}
	}
	for number, key := range n.keys {
		// A key between the ends of the list that is known is nowhere else in it.
		if !lists[of].has(number) && k.mayHave(maphash.Bytes(seed, key)) {
			return nil, false
		}
	}
	return lists, true
}

// passOn notes with another version of the list the knowledge about this one: they hold
// the same but for the keys between the ends.
func (k *knownIdentity) passOn(n *Names, list jsondoc.Value, e ends, keys, own *keyList) {
	if !k.early || e.lo == 0 || n.identity(list) != nil {
		return
	}
	next := *k
	next.more, next.less = slices.Clone(k.more), slices.Clone(k.less)
	for number, key := range keys.all.keys {
		switch is := keys.has(number); {
		case is == own.has(number):
		case is:
			next.add(maphash.Bytes(seed, key))
		default:
			next.remove(maphash.Bytes(seed, key))
		}
	}
	if len(next.more)+len(next.less) <= mostMore {
		n.setIdentity(list, &next)
	}
}

// add notes one more key.
func (k *knownIdentity) add(h uint64) {
	if i := slices.Index(k.less, h); i >= 0 {
		k.less = slices.Delete(k.less, i, i+1)
		return
	}
	k.more = append(k.more, h)
}

// remove notes that a key is gone.
func (k *knownIdentity) remove(h uint64) {
	if i := slices.Index(k.more, h); i >= 0 {
		k.more = slices.Delete(k.more, i, i+1)
		return
	}
	k.less = append(k.less, h)
}

// forget drops the knowledge about a list that has cost a look in vain: some of its
// keys may be long gone.
func (k *knownIdentity) forget(list jsondoc.Value) {
	n := list.Doc().Kept().(*Names)
	if len(k.more)+len(k.less) > 0 {
		n.setIdentity(list, nil)
		return
	}
	n.setIdentity(list, &knownIdentity{configured: k.configured})
}

// mayHave reports whether a key with this hash may be in the list.
func (k *knownIdentity) mayHave(h uint64) bool {
	return slices.Contains(k.more, h) || k.table.has(h) && !slices.Contains(k.less, h)
}

// keyTable is a hash table of keys without the keys: another key than those that it was
// made of may seem to be there, which is rare.
type keyTable struct{ slots []uint32 }

// newKeyTable returns the table of the keys of a list, nil unless each element has one that
// no other has.
func newKeyTable(list []jsondoc.Value, names []string) *keyTable {
	size := 16
	for size < 2*len(list) {
		size *= 2
	}
	t, elements := &keyTable{make([]uint32, size)}, make([]int32, size)
	for i, e := range list {
		key, ok := elementKey(e, names)
		if !ok {
			return nil
		}
		at, mark := t.find(maphash.Bytes(seed, key))
		for ; t.slots[at] != 0; at = (at + 1) & (size - 1) {
			if t.slots[at] != mark {
				continue
			}
			if other, _ := elementKey(list[elements[at]], names); bytes.Equal(key, other) {
				return nil
			}
		}
		t.slots[at], elements[at] = mark, int32(i)
	}
	return t
}

// find returns where a key with this hash is or would be, and its mark.
func (t *keyTable) find(h uint64) (at int, mark uint32) {
	mark = uint32(h>>32) | 1
	at = int(h) & (len(t.slots) - 1)
	for t.slots[at] != 0 && t.slots[at] != mark {
		at = (at + 1) & (len(t.slots) - 1)
	}
	return at, mark
}

func (t *keyTable) has(h uint64) bool {
	at, _ := t.find(h)
	return t.slots[at] != 0
}
