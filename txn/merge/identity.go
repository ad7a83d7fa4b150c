package merge

import (
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
	keys     []string
	numbers  []int32 // of the keys
	at       []int32 // by number: the position of the last element with that key, or -1; shorter where the later numbers are none of its
	distinct int     // how many keys there are
}

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
		if keys, repeats := keysOf(versions, elementText); repeats == 0 {
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
		keys, repeats := keysOf(versions, func(e jsondoc.Value, often string) (string, bool) { return elementKey(e, names, often) })
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
		if 2*k.distinct <= len(k.keys) {
			return false
		}
	}
	return true
}

// A keyFunc returns the key of an element, and whether it has one. The key is often the
// same as another one, which is then returned itself.
type keyFunc func(e jsondoc.Value, often string) (string, bool)

// keysOf returns the key of each element of each version and the number of
// elements that repeat one; nil if some element has none.
func keysOf(versions [][]jsondoc.Value, key keyFunc) (lists []keyList, repeats int) {
	for _, v := range versions {
		if len(v) > 0 {
			if _, ok := key(v[0], ""); !ok {
				return nil, 0
			}
		}
	}
	lists = make([]keyList, len(versions))
	n := numberedKeys{}
	for i, v := range versions {
		if !n.add(&lists[i], v, key) {
			return nil, 0
		}
		repeats += len(v) - lists[i].distinct
	}
	return lists, repeats
}

// numberedKeys are the keys of all versions, each once.
type numberedKeys struct {
	keys    []string
	numbers map[string]int32
}

// add fills the keys of one version in; false if some element has none. What follows a
// key in one version most often does in the next one, too, which saves looking it up.
func (n *numberedKeys) add(l *keyList, elements []jsondoc.Value, key keyFunc) bool {
	l.keys, l.numbers = make([]string, len(elements)), make([]int32, len(elements))
	l.at = make([]int32, len(n.keys), len(n.keys)+len(elements))
	for i := range l.at {
		l.at[i] = -1
	}
	if n.numbers == nil {
		n.numbers = make(map[string]int32, len(elements))
		n.keys = make([]string, 0, len(elements))
	}
	next := 0
	for i, e := range elements {
		often := ""
		if next < len(n.keys) {
			often = n.keys[next]
		}
		k, ok := key(e, often)
		if !ok {
			return false
		}
		number := int32(next)
		if k != often || next == len(n.keys) {
			number = n.numberOf(k)
		}
		for int(number) >= len(l.at) {
			l.at = append(l.at, -1)
		}
		if l.at[number] < 0 {
			l.distinct++
		}
		l.keys[i], l.numbers[i], l.at[number] = k, number, int32(i)
		next = int(number) + 1
	}
	return true
}

// numberOf returns the number of a key, which it gives it if it has none.
func (n *numberedKeys) numberOf(key string) int32 {
	number, ok := n.numbers[key]
	if !ok {
		number = int32(len(n.keys))
		n.keys = append(n.keys, key)
		n.numbers[key] = number
	}
	return number
}

func elementText(e jsondoc.Value, often string) (string, bool) {
	if raw := e.Raw(); plainQuoted(raw) && string(raw[1:len(raw)-1]) == often {
		return often, true
	}
	return e.Text(), true
}

// elementKey returns the identity of an element; ok is false unless each of the
// names is a string or a number in it. Numbers are taken as JavaScript takes
// them, since a list may have gone through it.
func elementKey(e jsondoc.Value, names []string, often string) (key string, ok bool) {
	if len(names) == 1 {
		return scalarKey(e, names[0], often)
	}
	for _, name := range names {
		part, ok := scalarKey(e, name, "")
		if !ok {
			return "", false
		}
		key += strconv.Itoa(len(part)) + ":" + part
	}
	return key, true
}

func scalarKey(e jsondoc.Value, name, often string) (string, bool) {
	v, ok := e.Member(name)
	if !ok {
		return "", false
	}
	switch v.Kind() {
	case jsondoc.String:
		return textKey(v, often), true
	case jsondoc.Number:
		if f, ok := double(v); ok {
			return "#" + strconv.FormatFloat(f+0, 'g', -1, 64), true // +0: no negative zero
		}
	}
	return "", false
}

// textKey returns a string in quotes, spelled the same however v spells it.
func textKey(v jsondoc.Value, often string) string {
	raw := v.Raw()
	if plainQuoted(raw) && v.Doc().Grammar() != jsondoc.JSON5 {
		if string(raw) == often {
			return often
		}
		return string(raw)
	}
	return string(jsondoc.AppendQuoted(nil, []byte(v.Text())))
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
