package txn

import (
	"slices"

	"clawfs/txn/seen"
)

// Copied is a version that a program copied, by copy_file_range(2), into a file
// that is about to become a registry. The content of a copy counts as seen.
type Copied struct {
	Name    string
	Version *Version
	Event   Tick
}

// Lineage has the known facts of how the content of a file came about.
type Lineage struct {
	Writers []Origin
	Copies  []Copied
}

// fewVersions is how many of the last versions a process may have seen before the
// store began.
const fewVersions = 16

// seenBefore adds candidates for a process that is older than the store. Its views before
// a kill of clawfs are not known any more: each of the last versions that were there when
// the store came may be one. It reads from the storage, so that mu must not be held.
func (r *Registry) seenBefore(s seen.Seen) seen.Seen {
	if len(s.Before) == 0 {
		return s
	}
	s.Before = nil
	head := r.Head()
	if head == nil {
		return s
	}
	name, last := r.Name(), head.Seq
	r.mu.Lock()
	if r.foundSeq > 0 {
		last = r.foundSeq
	}
	r.mu.Unlock()
	kept, err := r.store.storage.Versions(name)
	if err != nil {
		return s
	}
	kept = slices.DeleteFunc(kept, func(seq uint64) bool { return seq > last || seq >= head.Seq })
	for _, seq := range kept[max(0, len(kept)-fewVersions):] {
		if b, err := r.store.storage.Version(name, seq); err == nil {
			s = s.Add(seen.Candidate{Content: seen.NewContent(b)})
		}
	}
	if head.Seq <= last {
		s = s.Add(seen.Candidate{Content: head.content, At: r.store.Next()})
	}
	return s
}

// seenBy returns the writers of a file that is about to become the registry, and the views
// that they had. If none of them has seen the registry, the process that puts the file in
// place may have, or its kin. The caller holds mu.
func (r *Registry) seenBy(c Caller, l Lineage) (s seen.Seen, writers []Caller) {
	for _, o := range l.Writers {
		o.Aside = true
		s = s.And(r.seenOf(o))
		writers = append(writers, o.Caller)
	}
	for _, copied := range l.Copies {
		if copied.Name == r.name {
			s = s.AddCopy(copied.Version.content, copied.Event)
		}
	}
	if len(s.Candidates) == 0 {
		s = r.seenOf(Origin{Caller: c, Event: r.store.Now(), At: r.store.cfg.Now()})
	}
	if len(writers) == 0 {
		writers = []Caller{c}
	}
	return s, writers
}

// putBy returns the views of a process that puts a file of other writers in place, if it
// means to replace the present content by that. Else ok is false. The caller holds mu.
func (r *Registry) putBy(c Caller, l Lineage, content *seen.Content) (s seen.Seen, ok bool) {
	isCopy := slices.ContainsFunc(l.Copies, func(copied Copied) bool {
		return copied.Name == r.name && copied.Version.Digest == content.Digest
	})
	o := r.withMissed(Origin{Caller: c, Event: r.store.Now(), At: r.store.cfg.Now()})
	var writers []Origin
	for _, w := range l.Writers {
		writers = append(writers, r.withMissed(w))
	}
	return r.seen.OfPut(o, writers, content, isCopy)
}
