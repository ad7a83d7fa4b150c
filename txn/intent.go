package txn

import "encoding/hex"

// Intent is what a command says of the transaction that it makes.
type Intent struct {
	// Over is the SHA-256 of the head that the transaction replaces, in hexadecimal, ""
	// where there is to be none. It is a put, and refused with a *StaleError where the
	// head is another one. nil: it is a write like any other.
	Over *string `json:"over,omitempty"`
	Note
}

// Note says what a transaction is for. Only the log uses it.
type Note struct {
	Undid          uint64 `json:"undid,omitempty"`          // the version whose change it undoes
	Since          uint64 `json:"since,omitempty"`          // with Undid: all changes are undone that came after this version
	InPart         bool   `json:"inPart,omitempty"`         // with Undid or Resolved: only at some places
	Restored       uint64 `json:"restored,omitempty"`       // the version that it puts back
	Resolved       uint64 `json:"resolved,omitempty"`       // the version whose conflicts it decides the other way
	FromQuarantine string `json:"fromQuarantine,omitempty"` // id of the copy that it takes, repaired perhaps
}

// Intend says what the transaction is for, and over which head. Where it has one to
// replace, Unlink by its process removes that head only, too, and the removal has the
// note.
func (t *Tx) Intend(i Intent) {
	r := t.reg()
	t.mu.Lock()
	defer t.mu.Unlock()
	r.mu.Lock() // for those who look for a removal's intent
	defer r.mu.Unlock()
	t.intent = i
	t.put = t.put || i.Over != nil
}

// check returns a *StaleError where the head is another one than it is to be.
func (i Intent) check(name string, head *Version) error {
	digest, seq := "", uint64(0)
	if head != nil {
		digest, seq = hex.EncodeToString(head.Digest[:]), head.Seq
	}
	if i.Over == nil || *i.Over == digest {
		return nil
	}
	return &StaleError{Name: name, Head: seq, Named: true}
}

// intentOf returns what a process has said that it is going to do to the head. The
// caller holds mu.
func (r *Registry) intentOf(a Actor) Intent {
	for t := range r.open {
		if t.opener.Actor == a && a.Known() && t.intent.Over != nil {
			return t.intent
		}
	}
	return Intent{}
}
