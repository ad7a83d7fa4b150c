package jsondoc

import "bytes"

// fewNames is the number of members up to which names are compared each with
// each, which for so few is faster than an index.
const fewNames = 12

// nameSet finds repeated names. Its memory is used again from object to object.
type nameSet struct {
	list [][]byte
	seen map[string]struct{}
}

// checkNames makes sure that no two members of an object have the same name.
func (p *parser) checkNames(object uint32) error {
	if p.reuse != nil {
		return p.reuse.checkNames(object)
	}
	return p.checkAllNames(object)
}

// checkAllNames compares all names of an object. Go's maps are seeded, so that no text
// can make this slow.
func (p *parser) checkAllNames(object uint32) error {
	d := Doc{tree: p.tree}
	s := &p.names
	s.list = s.list[:0]
	v := Value{&d, object}
	first, end := v.children()
	for i := first; i < end; i = p.next(i + 1) {
		name := Value{&d, i}.decoded()
		if s.repeats(name) {
			return p.fail(KindDuplicate, int(p.nodes[i].start), "an object has two members of the same name", "each name once")
		}
		s.list = append(s.list, name)
	}
	return nil
}

// repeats reports whether the name is in the list already.
func (s *nameSet) repeats(name []byte) bool {
	if len(s.list) < fewNames {
		for _, n := range s.list {
			if bytes.Equal(n, name) {
				return true
			}
		}
		return false
	}
	if len(s.list) == fewNames {
		if s.seen == nil || len(s.seen) > 1024 {
			s.seen = make(map[string]struct{}) // clearing a large one costs as much as it once held
		}
		clear(s.seen)
		for _, n := range s.list {
			s.seen[string(n)] = struct{}{}
		}
	}
	if _, ok := s.seen[string(name)]; ok {
		return true
	}
	s.seen[string(name)] = struct{}{}
	return false
}
