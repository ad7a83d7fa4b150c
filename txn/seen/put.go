package seen

import "slices"

// OfPut returns the views of a process that puts a file in place, as o has it, if it means to
// replace the head; else ok is false. The writers of the file are others; copied says that its
// content is a version of the registry that was copied into it. It means to replace it in three
// cases:
//
//   - It has a memory, and the head is its own last write.
//   - It has none, no writer of the file is of its family, and the head is the family's last
//     write, which is newer than the file; or the family has removed the registry.
//   - It has none, and the file holds an earlier state that its family has seen, though that
//     has written, or removed it, since, one command after the other: a backup is brought back.
func (v *Views) OfPut(o Origin, writers []Origin, content *Content, copied bool) (s Seen, ok bool) {
	isOwn := func(w Origin) bool { return w.author() == o.author() || w.DescendsFrom(o.author()) }
	if !o.Known() || len(writers) == 0 || slices.ContainsFunc(writers, isOwn) {
		return s, false
	}
	s = v.Of(o)
	if s.Memory {
		return s, s.Last != nil && s.Alone
	}
	f := v.familyOf(&o, false)
	_, last := v.newestOf(&f, &o)
	ofFamily := false
	for i := range writers {
		w := &writers[i]
		if last.view == nil || w.Event > last.first {
			return s, false
		}
		if f.contains(&w.Caller) {
			ofFamily = true
			if a := v.actors[w.author()]; a != nil && v.mayNotKnow(memberView{a.newest(), a}, last, &o) {
				return s, false
			}
		}
	}
	if !ofFamily {
		return s, s.Alone
	}
	isEarlier := func(c *Content) bool { return c.Digest == content.Digest }
	return s, copied || slices.ContainsFunc(f.contents(o.Event), isEarlier)
}
