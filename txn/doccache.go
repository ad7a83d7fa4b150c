package txn

import (
	"container/list"
	"sync"
	"time"

	"clawfs/txn/jsondoc"
	"clawfs/txn/seen"
)

// docCache keeps the trees of the contents parsed last, so that a commit has
// to parse only the content that it was given. It is bounded by the memory of trees
// and contents together; those that one merge needs stay, however large they are. A
// tree that is not used for a while goes.
type docCache struct {
	limit int64 // bytes
	after func(time.Duration, func()) Stopper

	mu       sync.Mutex // guards the fields below
	docs     map[*seen.Content]*list.Element
	used     *list.List // of *cachedDoc, the one used last in front
	size     int64
	sweeping bool // a sweep is due
}

type cachedDoc struct {
	content *seen.Content
	doc     *jsondoc.Doc
	size    int64
	fresh   bool // used since the last sweep
}

const (
	oneMerge  = 3                // trees that a merge needs: base, head and theirs
	docIdling = 30 * time.Second // between two sweeps
	farBeyond = 4                // times the limit: then there is one tree between two merges
)

func newDocCache(limit int64, after func(time.Duration, func()) Stopper) *docCache {
	return &docCache{limit: limit, after: after, docs: make(map[*seen.Content]*list.Element), used: list.New()}
}

// parse returns the tree of c, from the cache if it is there. Parts that c shares with like,
// another document in that grammar, are not parsed again; like may be nil. The error is a
// *jsondoc.SyntaxError.
func (k *docCache) parse(c *seen.Content, like *jsondoc.Doc, g jsondoc.Grammar, lim jsondoc.Limits) (*jsondoc.Doc, error) {
	if d := k.get(c, g); d != nil {
		return d, nil
	}
	parse := func() (*jsondoc.Doc, error) { return jsondoc.Parse(c.Bytes, g, lim) }
	if like != nil && like.Grammar() == g {
		parse = func() (*jsondoc.Doc, error) { return jsondoc.ParseLike(c.Bytes, like, lim) }
	}
	d, err := parse()
	if err != nil {
		return nil, err
	}
	k.put(c, d)
	return d, nil
}

// get returns the tree of c if it is there.
func (k *docCache) get(c *seen.Content, g jsondoc.Grammar) *jsondoc.Doc {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.docs[c]
	if e == nil || e.Value.(*cachedDoc).doc.Grammar() != g {
		return nil
	}
	k.used.MoveToFront(e)
	e.Value.(*cachedDoc).fresh = true
	return e.Value.(*cachedDoc).doc
}

func (k *docCache) put(c *seen.Content, d *jsondoc.Doc) {
	if k.limit < 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.docs[c]; old != nil {
		k.remove(old)
	}
	e := &cachedDoc{content: c, doc: d, size: sizeOf(c, d), fresh: true}
	k.docs[c] = k.used.PushFront(e)
	k.size += e.size
	for k.size > k.limit && k.used.Len() > oneMerge {
		k.remove(k.used.Back())
	}
	k.sweepLater()
}

// makeRoom drops the tree of c if there is more than the limit allows. A merge calls it when
// it has read its base, which it needs no more once it has compared.
func (k *docCache) makeRoom(c *seen.Content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.docs[c]; e != nil && k.size > k.limit {
		k.remove(e)
	}
}

// trim drops trees but that of c, the head after a commit, as long as they take much more than
// the limit allows: until the next merge there is no use for three of that size.
func (k *docCache) trim(c *seen.Content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for e := k.used.Back(); e != nil && k.size > farBeyond*k.limit; {
		newer := e.Prev()
		if e.Value.(*cachedDoc).content != c {
			k.remove(e)
		}
		e = newer
	}
}

// sizeOf returns the bytes that a tree and its content take at most, with the names of the
// elements of its lists: up to 16 bytes for an element, which takes 32 or more.
func sizeOf(c *seen.Content, d *jsondoc.Doc) int64 {
	return d.MemSize()/2*3 + int64(len(c.Bytes))
}

// sweepLater has a sweep made after a while, unless one is due. The caller holds
// mu.
func (k *docCache) sweepLater() {
	if !k.sweeping && k.used.Len() > 0 {
		k.sweeping = true
		k.after(docIdling, k.sweep)
	}
}

// sweep drops the trees that were not used since the last sweep.
func (k *docCache) sweep() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweeping = false
	for e := k.used.Back(); e != nil; {
		older := e.Prev()
		if d := e.Value.(*cachedDoc); d.fresh {
			d.fresh = false
		} else {
			k.remove(e)
		}
		e = older
	}
	k.sweepLater()
}

// remove drops an element. The caller holds mu.
func (k *docCache) remove(e *list.Element) {
	d := k.used.Remove(e).(*cachedDoc)
	delete(k.docs, d.content)
	k.size -= d.size
}
