package txn

import (
	"container/list"
	"sync"

	"clawfs/txn/jsondoc"
)

// docCache keeps the trees of the contents parsed last, so that a commit has
// to parse only what it was given. It is bounded by the memory of trees and
// contents together; the newest tree stays, however large it is.
type docCache struct {
	limit int64 // bytes

	mu   sync.Mutex // guards docs, used and size
	docs map[*content]*list.Element
	used *list.List // of *cachedDoc, the one used last in front
	size int64
}

type cachedDoc struct {
	content *content
	doc     *jsondoc.Doc
	size    int64
}

func newDocCache(limit int64) *docCache {
	return &docCache{limit: limit, docs: make(map[*content]*list.Element), used: list.New()}
}

// parse returns the tree of c, from the cache if it is there. The error is a
// *jsondoc.SyntaxError.
func (k *docCache) parse(c *content, g jsondoc.Grammar, lim jsondoc.Limits) (*jsondoc.Doc, error) {
	if d := k.get(c, g); d != nil {
		return d, nil
	}
	d, err := jsondoc.Parse(c.bytes, g, lim)
	if err != nil {
		return nil, err
	}
	k.put(c, d)
	return d, nil
}

func (k *docCache) get(c *content, g jsondoc.Grammar) *jsondoc.Doc {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.docs[c]
	if e == nil || e.Value.(*cachedDoc).doc.Grammar() != g {
		return nil
	}
	k.used.MoveToFront(e)
	return e.Value.(*cachedDoc).doc
}

func (k *docCache) put(c *content, d *jsondoc.Doc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.docs[c]; old != nil {
		k.remove(old)
	}
	e := &cachedDoc{content: c, doc: d, size: d.MemSize() + int64(len(c.bytes))}
	k.docs[c] = k.used.PushFront(e)
	k.size += e.size
	for k.size > k.limit && k.used.Len() > 1 {
		k.remove(k.used.Back())
	}
}

// remove drops an element. The caller holds mu.
func (k *docCache) remove(e *list.Element) {
	d := k.used.Remove(e).(*cachedDoc)
	delete(k.docs, d.content)
	k.size -= d.size
}
