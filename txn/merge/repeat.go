package merge

import (
	"slices"

	"clawfs/txn/jsondoc"
)

// Repeats finds the lists of a document whose elements would be told apart by an
// identity if some did not repeat one. Such a list is merged as a sequence. The
// warnings are of the kind RepeatedIdentity, in the order of the document.
func Repeats(doc *jsondoc.Doc, p *Policy) []Warning {
	var t trail
	r := rootRulesOf(doc, p)
	repeats(doc.Root(), &r, &t)
	return t.warned()
}

// repeats looks at a value and all below it. It recurses as deep as the document
// is nested, which the depth limit bounds.
func repeats(v jsondoc.Value, r *rules, t *trail) {
	if r.as == AsAtomic || isCommand(t.name()) {
		return
	}
	for m := range v.Members() {
		below := r.member(m.Key)
		t.enter(step{key: m.Key})
		repeats(m.Value, &below, t)
		t.leave()
	}
	if v.Kind() != jsondoc.Array {
		return
	}
	elements := slices.Collect(func(yield func(jsondoc.Value) bool) {
		for _, e := range v.Elements() {
			if !yield(e) {
				return
			}
		}
	})
	if id := identify(t.name(), r, elements); id.repeats > 0 {
		t.warn(RepeatedIdentity, id.repeats, len(elements))
	}
	below := r.element()
	for i, e := range elements {
		t.enter(step{row: int32(i)})
		repeats(e, &below, t)
		t.leave()
	}
}
