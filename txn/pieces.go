package txn

import (
	"errors"
	"slices"
	"time"
)

// pieces is the refused content of a registry that has no version yet. A script that puts
// a document together by appending leaves it piece by piece: all are refused but the last
// one. In a bare file they would stand one behind the other. So they do here if the same
// author or its kin opens the file to append next, or writes behind the end of it. The
// document is committed as a whole, and no piece is taken for the document because it
// happens to be one.
type pieces struct {
	by      Caller
	at      time.Time
	content []byte
	copyID  string // of it in quarantine
}

// keepPieces remembers refused content. The caller holds mu.
func (t *Tx) keepPieces(cause error) {
	var invalid *InvalidError
	r := t.reg()
	if !errors.As(cause, &invalid) || len(t.data) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head != nil || t.outlived.Load() {
		return
	}
	p := &pieces{by: t.author(), at: r.store.cfg.Now(), content: slices.Clone(t.data), copyID: t.copyID}
	r.pieces = p
	r.store.cfg.After(r.store.cfg.KinWindow, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.pieces == p {
			r.pieces = nil
		}
	})
}

// writeBehind is called before a write behind the end of an empty file: the transaction
// goes on with the pieces of its author or kin. The caller holds mu.
func (t *Tx) writeBehind(c Caller) {
	if len(t.data) > 0 || t.unsaved.Load() {
		return
	}
	t.reg().mu.Lock()
	defer t.reg().mu.Unlock()
	t.join(c)
}

// join stages the pieces of a process or its kin. The caller holds Registry.mu.
func (t *Tx) join(c Caller) {
	if p := t.reg().piecesOf(c); t.Creates() && p != nil {
		t.data, t.copyID = slices.Clone(p.content), p.copyID
	}
}

// sawNothing notes that a process has read the registry, and that nothing is there: it
// knows by now that its pieces are not. The caller holds mu.
func (r *Registry) sawNothing(c Caller) {
	if r.piecesOf(c) != nil {
		r.pieces = nil
	}
}

// piecesOf returns the pieces of a process or its kin, nil if there are none. The caller
// holds mu.
func (r *Registry) piecesOf(c Caller) *pieces {
	p := r.pieces
	if p == nil || r.store.cfg.Now().Sub(p.at) >= r.store.cfg.KinWindow || !c.IsKin(&p.by) {
		return nil
	}
	return p
}
