package txn

import (
	"encoding/hex"
	"sync"
)

// Intent is the purpose of a command in the transaction that it makes.
type Intent struct {
	// Over is the SHA-256 of the head that the transaction replaces, in hexadecimal, ""
	// where there is to be none. It is a put, and refused with a *StaleError where the
	// head is another one. nil: it is a write like any other.
	Over *string `json:"over,omitempty"`
	Note
}

// Note is the purpose of a transaction. Only the log uses it.
type Note struct {
	Undid          uint64 `json:"undid,omitempty"`          // the version whose change it undoes
	Since          uint64 `json:"since,omitempty"`          // with Undid: all changes are undone that came after this version
	InPart         bool   `json:"inPart,omitempty"`         // with Undid or Resolved: only at some places
	Restored       uint64 `json:"restored,omitempty"`       // the version that it puts back
	Resolved       uint64 `json:"resolved,omitempty"`       // the version whose conflicts it decides the other way
	FromQuarantine string `json:"fromQuarantine,omitempty"` // id of the copy that it takes, repaired perhaps
}

// Intend notes the purpose of the transaction, and the head that it is to replace.
// Where there is such a head, Unlink by its process removes that head only, too, and
// the removal has the note.
func (t *Tx) Intend(i Intent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.intent = i
	t.put = t.put || i.Over != nil
	t.reg().store.intents.set(t, t.Name(), i)
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

// intents are the changes that processes have announced, by the names at which they have
// announced them: somebody may move the file away meanwhile, and make another one.
type intents struct {
	mu  sync.Mutex // guards all
	all map[*Tx]namedIntent
}

type namedIntent struct {
	name string
	Intent
}

// set notes the purpose of a transaction, if it is to replace some head.
func (s *intents) set(t *Tx, name string, i Intent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Over == nil {
		delete(s.all, t)
		return
	}
	if s.all == nil {
		s.all = make(map[*Tx]namedIntent)
	}
	s.all[t] = namedIntent{name, i}
}

// of returns the intent that a process has told for the head at a name. Processes that
// are not known count as one: of them it may be any.
func (s *intents) of(name string, a Actor) Intent {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, i := range s.all {
		if i.name == name && t.opener.Actor == a {
			return i.Intent
		}
	}
	return Intent{}
}
