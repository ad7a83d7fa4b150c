package txn

import "clawfs/txn/seen"

// This file has the texts that name contents, and the contents: one text for each, as long as another one names
// it.

// put writes a text that names contents, in place of the one that has the id. The result's id is 0 where
// there is no room.
func (k *keptViews) put(id uint32, kind byte, owner uint64, pack func(*seen.Packer)) (is keptText) {
	complete := true
	body := seen.Packer{Content: func(c *seen.Content) uint64 {
		if last := len(is.uses) - 1; last >= 0 && is.uses[last].digest == c.Digest {
			return uint64(is.uses[last].id)
		}
		held := k.hold(c)
		if held == nil {
			complete = false
			return 0
		}
		is.uses = append(is.uses, held)
		return uint64(held.id)
	}}
	pack(&body)
	p := seen.Packer{Text: make([]byte, 1, 64+4*len(is.uses)+len(body.Text))}
	p.Text[0] = kind
	p.Number(owner)
	p.Number(uint64(len(is.uses)))
	for _, held := range is.uses {
		p.Number(uint64(held.id))
	}
	if complete {
		is.id = k.memory.Put(id, append(p.Text, body.Text...))
	}
	if is.id == 0 {
		k.drop(is.uses)
		is.uses = nil
	}
	return is
}

// head takes the beginning of a text apart that names contents, and holds these; uses is nil where one is not
// there.
func (k *keptViews) head(u *seen.Unpacker) (kind byte, owner uint64, uses []*keptContent) {
	if len(u.Text) == 0 {
		return 0, 0, nil
	}
	kind, u.Text = u.Text[0], u.Text[1:]
	owner = u.Number()
	uses = []*keptContent{}
	k.mu.Lock()
	defer k.mu.Unlock()
	for range u.Number() {
		held := k.byID[uint32(u.Number())]
		if held == nil {
			return kind, owner, nil
		}
		uses = append(uses, held)
	}
	for _, held := range uses {
		held.uses++
	}
	return kind, owner, uses
}

// open returns the rest of a text that names contents, behind its beginning. head returns the registry's content,
// or nil.
func (k *keptViews) open(id uint32, head func() *seen.Content) *seen.Unpacker {
	text, ok := k.memory.Text(id, wholeText)
	if !ok || len(text) == 0 {
		return nil
	}
	u := &seen.Unpacker{Text: text[1:]}
	u.Content = func(n uint64) *seen.Content {
		c := k.content(n)
		if h := head(); h != nil && c != nil && h.Digest == c.Digest {
			return h
		}
		return c
	}
	u.Number()
	for range u.Number() {
		u.Number()
	}
	return u
}

// hold returns a content that is in the memory, for one more text; nil where there is no room.
func (k *keptViews) hold(c *seen.Content) *keptContent {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := k.contents[c.Digest]
	if held == nil {
		id := k.memory.Put(0, append([]byte{contentText}, c.Digest[:]...), c.Bytes)
		if id == 0 {
			return nil
		}
		held = &keptContent{id: id, digest: c.Digest, content: c}
		k.contents[c.Digest], k.byID[id] = held, held
	}
	held.uses++
	return held
}

// drop gives contents up that a text does not name any more.
func (k *keptViews) drop(list []*keptContent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, held := range list {
		if held.uses--; held.uses == 0 {
			delete(k.contents, held.digest)
			delete(k.byID, held.id)
			k.memory.Remove(held.id)
		}
	}
}

// content returns a content by its id, nil where it is not there.
func (k *keptViews) content(id uint64) *seen.Content {
	k.mu.Lock()
	defer k.mu.Unlock()
	held := k.byID[uint32(id)]
	if held == nil {
		return nil
	}
	if held.content == nil {
		text, ok := k.memory.Text(held.id, wholeText)
		if !ok || len(text) < 1+32 {
			return nil
		}
		if c := seen.NewContent(text[1+32:]); c.Digest == held.digest {
			held.content = c
		}
	}
	return held.content
}

// replace has a transaction have another text; an id of 0: none. The caller holds keptTxs.mu.
func (s *keptTxs) replace(k *keptViews, mark uint64, was, is keptText) {
	if is.id != 0 {
		s.byMark[mark] = is
	} else if was.id != 0 {
		k.memory.Remove(was.id)
		delete(s.byMark, mark)
	}
	k.drop(was.uses)
}

// dropTx takes a transaction's text away.
func (k *keptViews) dropTx(mark uint64) {
	k.txs.mu.Lock()
	defer k.txs.mu.Unlock()
	k.txs.replace(k, mark, k.txs.byMark[mark], keptText{})
}

// openTx returns the text of a transaction; nil where there is none.
func (k *keptViews) openTx(mark uint64, head func() *seen.Content) *seen.Unpacker {
	k.txs.mu.Lock()
	defer k.txs.mu.Unlock()
	text, ok := k.txs.byMark[mark]
	if !ok {
		return nil
	}
	return k.open(text.id, head)
}

// Drop takes away the text of a transaction that goes on nowhere, by its mark.
func (s *Store) Drop(mark uint64) {
	if s.kept != nil {
		s.kept.dropTx(mark)
	}
}
