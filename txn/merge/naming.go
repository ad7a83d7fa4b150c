package merge

import (
	"strings"
	"sync"

	"clawfs/txn/jsondoc"
)

// Names holds how the elements of a document's lists are told apart, so that this is found
// once where several documents are compared and merged with it. It is kept with the
// document ([jsondoc.Doc.Keep]), and changes no result.
type Names struct {
	least int // the length from which on the keys of a list are kept

	mu    sync.Mutex // guards lists
	lists map[namedList]named
}

// NewNames returns Names for a document.
func NewNames() *Names { return &Names{least: 64, lists: make(map[namedList]named)} }

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

// namesOf returns where the keys of a list are kept, nil for nowhere.
func namesOf(elements []jsondoc.Value) *Names {
	if len(elements) == 0 {
		return nil
	}
	if n, ok := elements[0].Doc().Kept().(*Names); ok && len(elements) >= n.least {
		return n
	}
	return nil
}

// list returns the keys of a list.
func (n *Names) list(elements []jsondoc.Value, names []string, key keyFunc) (keyList, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	of := namedList{first: elements[0], names: strings.Join(names, "\x00")}
	found, known := n.lists[of]
	if !known {
		found.ok = new(numberedKeys).add(&found.keys, elements, key)
		n.lists[of] = found
	}
	return found.keys, found.ok
}
