package merge

import (
	"strings"
	"sync"

	"clawfs/txn/jsondoc"
)

// Names holds how the elements of a document's lists are told apart, so that this is found
// once where several documents are compared and merged with it, or with one that is much
// like it. It is kept with the document ([jsondoc.Doc.Keep]), and changes no result.
type Names struct {
	least int // the length from which on something of a list is kept

	mu         sync.Mutex // guards the fields below
	lists      map[namedList]named
	held       bool   // lists is filled
	like       *Names // of a document that is much like this one; nil: there is none
	identities map[jsondoc.Value]*knownIdentity
}

// NewNames returns Names for a document.
func NewNames() *Names { return &Names{least: 64} }

// Hold has all keys of the document's lists kept, until Drop: for a while, as they take about
// as much memory as the document. The names of like, another document that is much like this
// one, help to find them; like may be nil.
func (n *Names) Hold(like *Names) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lists, n.held, n.like = make(map[namedList]named), true, like
}

// Drop drops the memory that Hold has kept.
func (n *Names) Drop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lists, n.held, n.like = nil, false, nil
}

// namedList is a list, told by its first element, and the members that tell its elements apart.
type namedList struct {
	first jsondoc.Value
	names string
}

// named are the keys of a list, unless some element has none.
type named struct {
	keys keyList
	ok   bool
}

// namesOf returns the place where the names of a list are kept, nil for none.
func namesOf(elements []jsondoc.Value) *Names {
	if len(elements) == 0 {
		return nil
	}
	if n, ok := elements[0].Doc().Kept().(*Names); ok && len(elements) >= n.least {
		return n
	}
	return nil
}

// list returns the keys of a list. It is false where they are not kept.
func (n *Names) list(elements []jsondoc.Value, names []string, key keyFunc) (named, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.held {
		return named{}, false
	}
	of := namedList{first: elements[0], names: strings.Join(names, "\x00")}
	found, known := n.lists[of]
	if !known {
		found.ok = new(numberedKeys).add(&found.keys, elements, key)
		n.lists[of] = found
	}
	return found, true
}
