package txn

import (
	"slices"
	"sync"
	"sync/atomic"

	"clawfs/txn/seen"
)

// Memory outlives the process. It holds texts, each by an id of its own that is not 0.
type Memory interface {
	Put(id uint32, parts ...[]byte) uint32 // in place of the text that has the id, a new one for 0; 0: there is no room
	Remove(id uint32)
	Text(id uint32, most int) ([]byte, bool) // at most so many bytes of it
	Texts() []uint32
}

// The views of all processes are in the memory before a request that has changed them is
// answered (KeepViews), so that the store of a later process goes on with them after a kill.
// There is a text for each process and registry that it has seen, one for each registry,
// and one for each content that a view holds. The first byte of a text says its kind.
const (
	storeText    = 's' // the facts about the store as a whole
	registryText = 'r' // a registry's name, and the order of its changes
	actorText    = 'a' // the views of one process; its owner is the registry, by the id of its text
	removalText  = 'm' // the removal of a registry that was made a moment ago; its owner is the registry
	txText       = 't' // a transaction; its owner is the mark
	lineageText  = 'l' // the lineage of a file; its owner is 0
	contentText  = 'c' // the digest of a content, and the content
)

// ticksBetween is how far the order of events goes on between two stores. No store gives so many
// ticks.
const ticksBetween = 1 << 40

// wholeText is longer than any text.
const wholeText = 1 << 30

// keptViews are the texts of one store.
type keptViews struct {
	memory Memory

	flushing sync.Mutex  // held while texts are written; before Registry.mu
	any      atomic.Bool // a registry may be in changed

	mu       sync.Mutex // guards the fields below
	changed  map[*Registry]bool
	contents map[[32]byte]*keptContent
	byID     map[uint32]*keptContent
	before   map[string]*keptBefore // of the store before: registries that nobody has asked for yet
	store    uint32                 // id of the store's text
	lost     bool                   // some text could not be written

	lineages map[uint32]keptText

	txs keptTxs
}

// keptContent is a content in the memory.
type keptContent struct {
	id      uint32
	digest  [32]byte
	uses    int           // by texts
	content *seen.Content // nil: it was not asked for yet
}

// keptBefore are a registry's texts of the store before.
type keptBefore struct {
	id      uint32
	text    []byte // the registry's own, behind its name
	actors  []keptText
	removal keptText // an id of 0: there is none
}

// keptTexts are the texts about one registry.
type keptTexts struct {
	id      uint32
	actors  map[Actor]keptText
	removal keptText // an id of 0: there is none
	gone    bool     // the registry has been forgotten
}

// keptText is a text that names contents: the kind, the number of its owner, the ids of the contents, and all else.
type keptText struct {
	id   uint32
	uses []*keptContent
}

// keptTxs are the texts of transactions.
type keptTxs struct {
	mu     sync.Mutex // guards byMark; before keptViews.mu
	byMark map[uint64]keptText
}

// KeepIn has the views of all processes be in a memory from now on, and takes over those that another
// store has left there. It is to be called before a registry is used.
func (s *Store) KeepIn(m Memory) {
	k := &keptViews{
		memory: m, changed: make(map[*Registry]bool), contents: make(map[[32]byte]*keptContent), byID: make(map[uint32]*keptContent),
		before: make(map[string]*keptBefore), lineages: make(map[uint32]keptText),
	}
	s.kept = k
	k.txs.byMark = make(map[uint64]keptText)
	names := make(map[uint32]*keptBefore)
	owned := make(map[uint32]seen.Unpacker)
	for _, id := range m.Texts() {
		text, ok := m.Text(id, 1+32)
		if ok && len(text) == 1+32 && text[0] == contentText {
			c := &keptContent{id: id, digest: [32]byte(text[1:])}
			k.contents[c.digest], k.byID[id] = c, c
			continue
		}
		if text, ok = m.Text(id, wholeText); !ok || len(text) == 0 {
			continue
		}
		u := seen.Unpacker{Text: text[1:]}
		switch text[0] {
		case storeText:
			s.seenConfig.Began = u.Number()
			s.events.Store(u.Number() + ticksBetween)
			k.store, k.lost = id, u.Number() != 0
		case registryText:
			b := &keptBefore{id: id}
			k.before[u.String()] = b
			b.text, names[id] = u.Text, b
		default:
			owned[id] = seen.Unpacker{Text: text}
		}
	}
	if k.store != 0 {
		s.saved = nil // it is older
	}
	s.missed.Store(len(k.before) > 0)
	if k.lost {
		s.seenConfig.Began = s.cfg.Began // views are missing: of a process older than this store nobody knows
	}
	for id, u := range owned {
		kind, owner, uses := k.head(&u)
		switch b := names[uint32(owner)]; {
		case kind == txText && uses != nil:
			k.txs.byMark[owner] = keptText{id, uses}
		case kind == lineageText && uses != nil:
			k.lineages[id] = keptText{id, uses}
		case kind == actorText && uses != nil && b != nil:
			b.actors = append(b.actors, keptText{id, uses})
		case kind == removalText && uses != nil && b != nil && b.removal.id == 0:
			b.removal = keptText{id, uses}
		default:
			k.drop(uses)
			m.Remove(id)
		}
	}
	k.putStore(s)
	for _, r := range s.all() {
		r.mu.Lock()
		k.keep(r)
		if r.loaded {
			k.takeOver(r)
		}
		r.mu.Unlock()
	}
	for name := range s.saved.all() {
		s.load(name)
	}
	s.KeepViews()
}

// load has a registry take over the views of it that the store before has left.
func (s *Store) load(name string) {
	r := s.acquire(name)
	_, _ = r.present() // the next one to ask is told the error
	s.release(r)
}

// putStore writes the store's text. It holds a place in the order of events that none in another
// text is behind by more than ticksBetween.
func (k *keptViews) putStore(s *Store) {
	p := seen.Packer{Text: []byte{storeText}}
	p.Number(s.seenConfig.Began)
	p.Number(uint64(s.Now()))
	var lost uint64
	if k.lost {
		lost = 1
	}
	p.Number(lost)
	if id := k.memory.Put(k.store, p.Text); id != 0 {
		k.store = id
	}
}

// keep has the changes of a registry's views be noted. The registry is new.
func (k *keptViews) keep(r *Registry) {
	if k == nil {
		return
	}
	r.kept.actors = make(map[Actor]keptText)
	r.seen.Keep(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed[r] = true
		k.any.Store(true)
	})
}

// KeepViews writes the views that have changed. It is to be called before each answer.
func (s *Store) KeepViews() {
	k := s.kept
	if k == nil || !k.any.Load() {
		return
	}
	k.flushing.Lock()
	defer k.flushing.Unlock()
	for {
		k.mu.Lock()
		var r *Registry
		for r = range k.changed {
			break
		}
		delete(k.changed, r)
		if r == nil {
			k.any.Store(false)
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
		r.mu.Lock()
		k.write(r)
		r.mu.Unlock()
	}
}

// write writes the changes of one registry. The caller holds its mu.
func (k *keptViews) write(r *Registry) {
	authors, order := r.seen.TakeChanges()
	if r.kept.gone {
		return
	}
	if order || r.kept.id == 0 {
		k.writeRegistry(r)
	}
	for _, a := range authors {
		k.writeActor(r, a)
	}
}

func (k *keptViews) writeRegistry(r *Registry) {
	p := seen.Packer{Text: []byte{registryText}}
	p.String(r.name)
	p.Number(r.foundSeq)
	p.Time(r.lastTime)
	r.seen.PackOrder(&p)
	id := k.memory.Put(r.kept.id, p.Text)
	if id == 0 {
		k.lose(r.store)
		return
	}
	r.kept.id = id
	was := r.kept.removal
	r.kept.removal = keptText{}
	if r.removed != nil {
		r.kept.removal = k.put(was.id, removalText, uint64(id), r.removed.pack)
	}
	if was.id != 0 && r.kept.removal.id == 0 {
		k.memory.Remove(was.id)
	}
	k.drop(was.uses)
}

func (k *keptViews) writeActor(r *Registry, a Actor) {
	was := r.kept.actors[a]
	var is keptText
	if r.seen.Has(a) {
		if is = k.put(was.id, actorText, uint64(r.kept.id), func(p *seen.Packer) { r.seen.Pack(p, a) }); is.id == 0 {
			k.lose(r.store)
		}
	}
	switch {
	case is.id != 0:
		r.kept.actors[a] = is
	case was.id != 0:
		k.memory.Remove(was.id)
		delete(r.kept.actors, a)
	}
	k.drop(was.uses)
}

// lose notes that some text could not be written: the store after this one does not know all. The store's text has
// had its room from the start.
func (k *keptViews) lose(s *Store) {
	if !k.lost {
		k.lost = true
		k.putStore(s)
	}
}

// takeOver gives a registry that has just been loaded the views that the store before had of it. The
// caller holds its mu.
func (k *keptViews) takeOver(r *Registry) {
	if k == nil {
		return
	}
	k.mu.Lock()
	b := k.before[r.name]
	delete(k.before, r.name)
	k.mu.Unlock()
	if b == nil {
		return
	}
	r.kept.id = b.id
	u := seen.Unpacker{Text: b.text}
	if seq := u.Number(); seq != 0 {
		r.foundSeq = seq
	}
	r.lastTime = u.Time()
	r.seen.UnpackOrder(&u)
	k.takeRemoval(r, b.removal)
	head := func() *seen.Content { return r.head.contentOf() }
	for _, text := range b.actors {
		u := k.open(text.id, head)
		if u != nil {
			a := r.seen.Unpack(u)
			if r.kept.actors[a] = text; !u.Failed {
				continue
			}
			delete(r.kept.actors, a)
		}
		k.memory.Remove(text.id)
		k.drop(text.uses)
		r.seen.Changed() // nobody knows by whom
	}
	r.seen.SortViews()
}

// takeRemoval has a registry remember its removal, if that was made a moment ago.
func (k *keptViews) takeRemoval(r *Registry, text keptText) {
	if text.id == 0 {
		return
	}
	r.kept.removal = text
	if u := k.open(text.id, func() *seen.Content { return nil }); u != nil && r.head == nil {
		if m := unpackRemoval(u); !u.Failed && r.store.cfg.Now().Sub(m.when) < removalMemory {
			r.remembers(m)
		}
	}
}

// forgets takes the texts about a registry away. Nobody uses it, and the store forgets it.
func (k *keptViews) forgets(r *Registry) {
	if k == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept.gone = true
	for _, a := range r.kept.actors {
		k.memory.Remove(a.id)
		k.drop(a.uses)
	}
	r.kept.actors = nil
	if r.kept.removal.id != 0 {
		k.memory.Remove(r.kept.removal.id)
		k.drop(r.kept.removal.uses)
	}
	r.kept.removal = keptText{}
	if r.kept.id != 0 {
		k.memory.Remove(r.kept.id)
	}
	r.kept.id = 0
}

// renamed gives registries that nobody has asked for yet other names; "" stands for the one that they
// have. Registries that are in memory write theirs by themselves.
func (k *keptViews) renamed(name func(string) string) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := make(map[string]*keptBefore, len(k.before))
	for was, b := range k.before {
		is := name(was)
		if is == "" {
			now[was] = b
			continue
		}
		p := seen.Packer{Text: []byte{registryText}}
		p.String(is)
		k.memory.Put(b.id, append(p.Text, b.text...))
		now[is] = b
	}
	k.before = now
}

// names returns the names of registries that nobody has asked for yet.
func (k *keptViews) names() (list []string) {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.before {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
