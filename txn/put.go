package txn

import "clawfs/txn/seen"

// outright is why the head is the base of a put.
const outright seen.Reason = "the writer said that it replaces whatever is there"

const (
	noDocument seen.Reason = "what is there is no document: anything replaces it"
	goesOn     seen.Reason = "the file was renamed here so, and the handle goes on"
	appended   seen.Reason = "whole lines were appended: they come behind what is there"
)

// Put sets the content of the registry outright: the transaction's content replaces the
// head as it was written. No base is chosen, nothing is merged, and no policy is asked.
// Where the content is refused, a file that the transaction has made is gone again,
// unless somebody uses it. The views of other processes stay: their next writes are
// merged with the content that was put.
func (t *Tx) Put() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put = true
}

// dropBlank takes an empty file away that has no version and that nobody writes to.
func (r *Registry) dropBlank(c Caller) {
	r.leaving.Lock()
	defer r.leaving.Unlock()
	_ = r.exclusively(func() {
		r.mu.Lock()
		wanted := r.blank == nil || len(r.open) > 0
		r.mu.Unlock()
		if !wanted && r.removeLive(nil) == nil {
			r.gone(c, ViaPut, nil, Note{})
		}
	})
}
