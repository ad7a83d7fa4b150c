package merge

import (
	"bytes"
	"hash/maphash"
	"strconv"

	"clawfs/txn/jsondoc"
)

// identityNames are the members that may tell the elements of a list apart, the
// first that can does.
var identityNames = [...]string{"id", "_id", "uuid", "key", "name", "slug", "pattern", "containerName", "requestId", "path", "url"}

// compositeNames are tried where no single member can.
var compositeNames = [...][]string{{"provider", "id"}, {"type", "name"}}

// listKind says how the elements of a list are told apart.
type listKind uint8

const (
	sequence listKind = iota // by place and content
	keyed                    // by an identity that each element has
	textSet                  // they are distinct strings
)

// identity is how the elements of one list are told apart in all the versions
// that are compared.
type identity struct {
	kind       listKind
	names      []string  // the members that are the identity, if kind is keyed
	configured bool      // by the policy
	keys       []keyList // one for each version, unless kind is sequence
	// repeats is the number of elements that keep a list from having an
	// identity because they repeat one.
	repeats int
}

// keyList holds the keys of one version's elements and where each is. The keys of
// all versions are numbered together.
type keyList struct {
	all      *numberedKeys
	numbers  []int32 // of the elements' keys
	copies   []bool  // whether an element is known to be the same text as the first one with its key
	at       []int32 // by number: the position of the last element with that key, or -1; shorter where the later numbers are none of its
	distinct int     // how many keys there are
}

// key returns the key of an element.
func (k *keyList) key(i int) []byte {
	key, _ := k.all.of(int(k.numbers[i]))
	return key
}

// has reports whether an element has the key with a number.
func (k *keyList) has(number int) bool { return number < len(k.at) && k.at[number] >= 0 }

// match returns for each key of x its position in k, or -1.
func (k *keyList) match(dst []int32, x *keyList) {
	for i, number := range x.numbers {
		dst[i] = -1
		if int(number) < len(k.at) {
			dst[i] = k.at[number]
		}
	}
}

// identify chooses how to tell the elements of a list of that name apart, so that it
// holds in every version: each element has the identity, and no two the same one.
func identify(name string, r *rules, versions ...[]jsondoc.Value) identity {
	kind, ok := commonKind(versions)
	switch {
	case !ok, r.as == AsSequence, r.as == AsLog:
	case kind == jsondoc.String && r.identity == nil && (r.as == AsSet || !isText(name, versions)):
		if keys, repeats := keysOf(versions, nil, elementText); repeats == 0 {
			return identity{kind: textSet, keys: keys}
		}
	case kind == jsondoc.Object && r.as != AsSet:
		return identifyObjects(r.identity, versions)
	}
	return identity{}
}

// commonKind returns the kind that all elements of all versions have.
func commonKind(versions [][]jsondoc.Value) (kind jsondoc.Kind, ok bool) {
	for _, v := range versions {
		for _, e := range v {
			if !ok {
				kind, ok = e.Kind(), true
			}
			if e.Kind() != kind {
				return kind, false
			}
		}
	}
	return kind, ok
}

func identifyObjects(configured []string, versions [][]jsondoc.Value) identity {
	worst := 0
	try := func(names []string) (identity, bool) {
		keys, repeats := keysOf(versions, names, func(e jsondoc.Value) ([]byte, bool) { return elementKey(e, names) })
		if keys == nil {
			return identity{}, false
		}
		if repeats > 0 {
			if worst == 0 && mostlyDistinct(keys) {
				worst = repeats
			}
			return identity{}, false
		}
		return identity{kind: keyed, names: names, keys: keys}, true
	}
	if configured != nil {
		id, _ := try(configured)
		id.configured, id.repeats = true, worst
		return id
	}
	for i := range identityNames {
		if id, ok := try(identityNames[i : i+1]); ok {
			return id
		}
	}
	for _, names := range compositeNames {
		if id, ok := try(names); ok {
			return id
		}
	}
	return identity{repeats: worst}
}

// mostlyDistinct tells an identity that is repeated by mistake from a member
// that was never one, such as the author of a message.
func mostlyDistinct(keys []keyList) bool {
	for _, k := range keys {
		if 2*k.distinct <= len(k.numbers) {
			return false
		}
	}
	return true
}

// A keyFunc returns the key of an element, which must not be changed, and whether it has one.
type keyFunc func(e jsondoc.Value) ([]byte, bool)

// keysOf returns the key of each element of each version and the number of
// elements that repeat one; nil if some element has none. They are of the members of.
func keysOf(versions [][]jsondoc.Value, of []string, key keyFunc) (lists []keyList, repeats int) {
	for _, v := range versions {
		if len(v) > 0 {
			if _, ok := key(v[0]); !ok {
				return nil, 0
			}
		}
	}
	lists = make([]keyList, len(versions))
	last := len(versions) - 1
	n := &numberedKeys{}
	if names := namesOf(versions[last]); names != nil {
		switch list, kept := names.list(versions[last], of, key); {
		case kept && !list.ok:
			return nil, 0
		case kept:
			lists[last] = list.keys
			n.known = list.keys.all
			versions = versions[:last]
		}
	}
	for i, v := range versions {
		if !n.add(&lists[i], v, key) {
			return nil, 0
		}
	}
	for i := range lists {
		repeats += len(lists[i].numbers) - lists[i].distinct
	}
	return lists, repeats
}

// numberedKeys are the keys of all versions, each once.
type numberedKeys struct {
	known *numberedKeys   // has the lower numbers, and is not changed; nil: there is none
	keys  [][]byte        // with the numbers from there on
	first []jsondoc.Value // the element that each was found in first
	slots []int32         // of a hash table: a place in keys and one more, or 0
}

// len returns how many keys there are.
func (n *numberedKeys) len() int {
	if n.known == nil {
		return len(n.keys)
	}
	return len(n.known.keys) + len(n.keys)
}

// of returns the key of a number, and the element that it was found in first.
func (n *numberedKeys) of(number int) ([]byte, jsondoc.Value) {
	if n.known != nil {
		if number < len(n.known.keys) {
			return n.known.keys[number], n.known.first[number]
		}
		number -= len(n.known.keys)
	}
	return n.keys[number], n.first[number]
}

// add fills the keys of one version in; false if some element has none. A key that follows
// another one in one version most often does in the next one, too, which saves looking it up.
func (n *numberedKeys) add(l *keyList, elements []jsondoc.Value, key keyFunc) bool {
	l.all, l.numbers, l.copies = n, make([]int32, len(elements)), make([]bool, len(elements))
	l.at = make([]int32, n.len(), n.len()+len(elements))
	for i := range l.at {
		l.at[i] = -1
	}
	if n.known == nil && n.keys == nil {
		n.keys, n.first = make([][]byte, 0, len(elements)), make([]jsondoc.Value, 0, len(elements))
	}
	next := 0
	for i, e := range elements {
		number, same, ok := n.numberOf(e, next, key)
		if !ok {
			return false
		}
		for int(number) >= len(l.at) {
			l.at = append(l.at, -1)
		}
		if l.at[number] < 0 {
			l.distinct++
		}
		l.numbers[i], l.copies[i], l.at[number] = number, same, int32(i)
		next = int(number) + 1
	}
	return true
}

// numberOf returns the number of an element's key, which it gives it if it has none, and
// whether it is known to be a copy of the first one with that; next is likely to be the
// number. ok is false if the element has no key.
func (n *numberedKeys) numberOf(e jsondoc.Value, next int, key keyFunc) (number int32, same, ok bool) {
	var likely []byte
	if next < n.len() {
		k, first := n.of(next)
		if isCopy(e, first) {
			return int32(next), true, true
		}
		likely = k
	}
	k, ok := key(e)
	switch {
	case !ok:
		return 0, false, false
	case likely != nil && bytes.Equal(k, likely):
		return int32(next), false, true
	}
	number = n.lookUp(k, e)
	_, first := n.of(int(number))
	return number, first == e, true
}

// isCopy reports whether two elements are known to be the same text. It does not look at
// long ones: lists in lists would be looked at again at each level.
func isCopy(a, b jsondoc.Value) bool {
	const long = 1 << 10
	x, y := a.Raw(), b.Raw()
	return len(x) == len(y) && len(x) <= long && bytes.Equal(x, y)
}

// lookUp returns the number of a key, which it gives it if it has none.
func (n *numberedKeys) lookUp(key []byte, e jsondoc.Value) int32 {
	before := 0
	if n.known != nil {
		if slot := n.known.slotOf(key); n.known.slots[slot] != 0 {
			return n.known.slots[slot] - 1
		}
		before = len(n.known.keys)
	}
	if 2*len(n.keys) >= len(n.slots) {
		n.slots = make([]int32, max(16, 2*len(n.slots), 4*cap(n.keys)))
		for i, k := range n.keys {
			n.slots[n.slotOf(k)] = int32(i) + 1
		}
	}
	slot := n.slotOf(key)
	if n.slots[slot] == 0 {
		n.keys, n.first = append(n.keys, key), append(n.first, e)
		n.slots[slot] = int32(len(n.keys))
	}
	return int32(before) + n.slots[slot] - 1
}

// slotOf returns the slot of a key, or the one to put it into.
func (n *numberedKeys) slotOf(key []byte) int {
	at := int(maphash.Bytes(seed, key) % uint64(len(n.slots)))
	for n.slots[at] != 0 && !bytes.Equal(n.keys[n.slots[at]-1], key) {
		if at++; at == len(n.slots) {
			at = 0
		}
	}
	return at
}

func elementText(e jsondoc.Value) ([]byte, bool) {
	if raw := e.Raw(); plainQuoted(raw) {
		return raw[1 : len(raw)-1], true
	}
	return []byte(e.Text()), true
}

// elementKey returns the identity of an element; ok is false unless each of the
// names is a string or a number in it. Numbers are taken as JavaScript takes
// them, since a list may have gone through it.
func elementKey(e jsondoc.Value, names []string) (key []byte, ok bool) {
	if len(names) == 1 {
		return scalarKey(e, names[0])
	}
	for _, name := range names {
		part, ok := scalarKey(e, name)
		if !ok {
			return nil, false
		}
		key = append(append(strconv.AppendInt(key, int64(len(part)), 10), ':'), part...)
	}
	return key, true
}

func scalarKey(e jsondoc.Value, name string) ([]byte, bool) {
	v, ok := e.Member(name)
	if !ok {
		return nil, false
	}
	switch v.Kind() {
	case jsondoc.String:
		return textKey(v), true
	case jsondoc.Number:
		if f, ok := double(v); ok {
			return strconv.AppendFloat([]byte{'#'}, f+0, 'g', -1, 64), true // +0: no negative zero
		}
	}
	return nil, false
}

// textKey returns a string in quotes, spelled the same however v spells it.
func textKey(v jsondoc.Value) []byte {
	raw := v.Raw()
	if plainQuoted(raw) && v.Doc().Grammar() != jsondoc.JSON5 {
		return raw
	}
	return jsondoc.AppendQuoted(nil, []byte(v.Text()))
}

// numbering tells sequential numbers: a new element's identity is a number that both writers may
// have drawn as the next one if it is an integer a little above all of the base.
type numbering struct {
	name string
	last int64 // the highest number in the base, -1 for an empty one
	ok   bool  // the base is numbered
}

// numberingOf looks at how the base of a keyed list is numbered.
func (id *identity) numberingOf(base []jsondoc.Value) numbering {
	if len(id.names) != 1 {
		return numbering{}
	}
	n := numbering{name: id.names[0], last: -1, ok: true}
	for _, e := range base {
		v, _ := e.Member(n.name)
		k, ok := integer(v)
		if !ok {
			return numbering{}
		}
		n.last = max(n.last, k)
	}
	return n
}

// drawn reports whether e may have drawn its number, as one of that many that
// the two sides have added.
func (n numbering) drawn(e jsondoc.Value, added int) bool {
	if !n.ok {
		return false
	}
	v, _ := e.Member(n.name)
	k, ok := integer(v)
	return ok && k > n.last && k-n.last <= int64(added)+1
}
