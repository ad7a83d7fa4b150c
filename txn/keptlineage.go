package txn

import "clawfs/txn/seen"

// The lineage of a temporary file is in the memory, too: a kill may come between its last write and its
// rename onto a registry.

// A KeptLineage is the lineage of a file that the store before has left. ID is that of its text.
type KeptLineage struct {
	ID   uint32
	File [3]uint64 // names the file
	Lineage
}

// KeepLineage leaves the lineage of a file, in place of the text that has the id, or as a new one for 0. It
// returns the id, 0 where there is no room or no memory; then the former text is gone.
func (s *Store) KeepLineage(id uint32, file [3]uint64, l Lineage) uint32 {
	k := s.kept
	if k == nil {
		return 0
	}
	is := k.put(id, lineageText, 0, func(p *seen.Packer) {
		for _, n := range file {
			p.Number(n)
		}
		p.Number(uint64(len(l.Writers)))
		for i := range l.Writers {
			p.Origin(&l.Writers[i])
		}
		p.Number(uint64(len(l.Copies)))
		for _, c := range l.Copies {
			p.String(c.Name)
			p.Number(uint64(c.Event))
			p.Number(c.Version.Seq)
			p.ContentOf(c.Version.content)
		}
	})
	k.mu.Lock()
	was := k.lineages[id]
	delete(k.lineages, id)
	if is.id != 0 {
		k.lineages[is.id] = is
	}
	k.mu.Unlock()
	if is.id == 0 && id != 0 {
		k.memory.Remove(id)
	}
	k.drop(was.uses)
	return is.id
}

// DropLineage takes a lineage's text away.
func (s *Store) DropLineage(id uint32) {
	k := s.kept
	if k == nil || id == 0 {
		return
	}
	k.mu.Lock()
	was := k.lineages[id]
	delete(k.lineages, id)
	k.mu.Unlock()
	k.memory.Remove(id)
	k.drop(was.uses)
}

// Lineages returns those that the store before has left.
func (s *Store) Lineages() (list []KeptLineage) {
	k := s.kept
	if k == nil {
		return nil
	}
	k.mu.Lock()
	var ids []uint32
	for id := range k.lineages {
		ids = append(ids, id)
	}
	k.mu.Unlock()
	for _, id := range ids {
		u := k.open(id, func() *seen.Content { return nil })
		if u == nil {
			continue
		}
		l := KeptLineage{ID: id, File: [3]uint64{u.Number(), u.Number(), u.Number()}}
		for range u.Number() {
			if u.Failed {
				break
			}
			l.Writers = append(l.Writers, u.Origin())
		}
		for range u.Number() {
			if u.Failed {
				break
			}
			c := Copied{Name: u.String(), Event: Tick(u.Number()), Version: &Version{Seq: u.Number()}}
			if c.Version.content = u.ContentOf(); c.Version.content != nil {
				c.Version.Digest, c.Version.Size = c.Version.content.Digest, int64(len(c.Version.content.Bytes))
			}
			l.Copies = append(l.Copies, c)
		}
		if !u.Failed {
			list = append(list, l)
		}
	}
	return list
}
