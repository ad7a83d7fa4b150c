package seen

import "slices"

// OfPut returns the views of a process that puts a file in place, as o has it, if it means to
// replace the head; else ok is false. The writers of the file are others; copied says that its
// content is a version of the registry that was copied into it. It means to replace it in four
// cases:
//
//   - It has a memory, and the head is its own last write.
//   - It has none, no writer of the file is of its family, and the head is the family's last
//     write, which is newer than the file; or the family has removed the registry.
//   - It has none, and the file holds an earlier state that its family has seen, though that
//     has written, or removed it, since, one command after the other: a backup is brought back.
//   - It has none, and its family has made the file from nothing, and then the head, by commands that
//     one process has started, and waited for.
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
	ofFamily, fromNothing := false, true
	for i := range writers {
		w := &writers[i]
		if last.view == nil || w.Event > last.first {
			return s, false
		}
		if f.contains(&w.Caller) {
			ofFamily = true
			fromNothing = fromNothing && v.sawNothing(w) && v.hasWaited(w, last.of, &o)
			if a := v.actors[w.author()]; a != nil && v.mayNotKnow(memberView{a.newest(), a}, last, &o) {
				return s, false
			}
		}
	}
	if !ofFamily {
		return s, s.Alone
	}
	if fromNothing && s.Alone {
		return s, true
	}
	isEarlier := func(c *Content) bool { return c.Digest == content.Digest }
	return s, copied || slices.ContainsFunc(f.contents(o.Event), isEarlier)
}

// sawNothing reports whether a writer can have had nothing else in hand than that there is no registry.
func (v *Views) sawNothing(w *Origin) bool {
	cands := v.Of(*w).Candidates
	return len(cands) > 0 && !slices.ContainsFunc(cands, func(c Candidate) bool { return c.Kind != Nothing })
}

// hasWaited reports whether the process that is behind a file's writer and who puts it in place, one
// of the two or the nearest that has started both, has started another one, too, that has ended.
func (v *Views) hasWaited(w *Origin, other *actorViews, o *Origin) bool {
	for _, up := range append([]Actor{o.author()}, o.Ancestors...) {
		if up == w.author() || w.DescendsFrom(up) {
			return other.caller.DescendsFrom(up) && v.isDead(other)
		}
	}
	return false
}
