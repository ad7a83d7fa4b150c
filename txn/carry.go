package txn

import (
	"encoding/hex"
	"encoding/json"
	"slices"

	"clawfs/txn/seen"
)

// A transaction can go on in the store of another process, over the same storage: where the daemon
// has died, and what it had staged is in memory that has not. Save and Restore are about all but
// the staged bytes.

// savedTx is what a transaction says of itself.
type savedTx struct {
	Opener     Actor           `json:"opener"`
	Head       string          `json:"head,omitempty"`    // digest of headAtOpen, in hexadecimal; empty: there was none
	Written    bool            `json:"written,omitempty"` // by its opener
	Redirected bool            `json:"redirected,omitempty"`
	Closed     bool            `json:"closed,omitempty"` // by its opener
	Seen       *seen.SavedSeen `json:"seen,omitempty"`   // by its opener, when it wrote
}

// BeganEmpty reports whether all that is staged was written since the open, which truncated or
// created the file, and nothing was committed since.
func (t *Tx) BeganEmpty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.beganEmpty()
}

// Save returns what another store must know to go on with the transaction. ok is false where none
// could: what is staged must have been written since the open, by the process that has opened the
// file, and by nothing else than writes and truncations. Content of the same process that is in
// flight elsewhere has no name by which another store would find it.
func (t *Tx) Save() (text []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isSimple() {
		return nil, false
	}
	s := savedTx{Opener: t.opener.Actor, Written: t.noted, Redirected: t.redirected, Closed: t.openerClosed}
	if t.headAtOpen != nil {
		s.Head = hex.EncodeToString(t.headAtOpen.Digest[:])
	}
	if t.noted {
		if len(t.writers) != 1 || t.writers[0].Actor != t.opener.Actor || len(t.flights) > 0 {
			return nil, false
		}
		saved := t.seen.Save()
		s.Seen = &saved
	}
	text, err := json.Marshal(s)
	return text, err == nil
}

// isSimple reports whether Save can tell all that matters. The caller holds mu.
func (t *Tx) isSimple() bool {
	switch {
	case !t.beganEmpty() || !t.opener.Known() || t.released || t.aborted != nil || t.forsaken.Load() || t.outlived.Load():
		return false
	case t.refused != nil || t.overflow != nil || t.copyID != "" || t.synced:
		return false
	}
	return t.replaces == nil && t.patched == nil && t.last == nil && !t.older && !t.put && t.like == nil &&
		t.intent == (Intent{}) && t.setTime.IsZero() && t.takenInto.Load() == nil
}

// Restore makes a transaction that has just begun, and has nothing staged, what another one was that was
// saved, with what that had staged. It reports whether that could be done: the versions that it
// names must still be there.
func (t *Tx) Restore(text, data []byte) (ok bool) {
	var s savedTx
	if json.Unmarshal(text, &s) != nil || s.Opener != t.opener.Actor {
		return false
	}
	r := t.reg()
	found := r.findContents(s.digests())
	saw := seen.Seen{}
	if s.Seen != nil {
		if saw, ok = s.Seen.Restore(r.store.Next, func(digest string) *seen.Content { return found[digest].contentOf() }); !ok {
			return false
		}
	}
	head := found[s.Head]
	if s.Head != "" && head == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r.mu.Lock()
	isThere := r.head != nil
	r.mu.Unlock()
	if isThere != (head != nil) || int64(len(data)) > r.store.cfg.MaxSize {
		return false
	}
	t.headAtOpen, t.data, t.shared, t.known = head, data, false, nil
	t.behind, t.anew, t.rewritten, t.lent = 0, len(data), true, 0
	t.since, t.changed, t.dirty = t.opened, r.store.cfg.Now(), true
	t.unsaved.Store(true)
	t.redirected, t.openerClosed = s.Redirected, s.Closed
	if s.Written {
		t.noted, t.writers, t.seen = true, []Caller{t.opener}, saw
	}
	return true
}

// digests returns those of all contents that are named, without repetition.
func (s *savedTx) digests() []string {
	all := []string{s.Head}
	if s.Seen != nil {
		all = append(all, s.Seen.Last)
		all = append(all, s.Seen.Earlier...)
		for _, c := range s.Seen.Candidates {
			all = append(all, c.Digest)
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(digest string) bool { return digest == "" })
}

// findContents returns versions by their digests, of the head and the last ones of the history,
// newest first, until all were found.
func (r *Registry) findContents(digests []string) map[string]*Version {
	found := make(map[string]*Version)
	add := func(v *Version) (all bool) {
		if d := hex.EncodeToString(v.Digest[:]); slices.Contains(digests, d) && found[d] == nil {
			found[d] = v
		}
		return len(found) == len(digests)
	}
	head := r.Head()
	if head == nil || add(head) {
		return found
	}
	name := r.Name()
	kept, err := r.store.storage.Versions(name)
	if err != nil {
		return found
	}
	slices.Reverse(kept)
	for _, seq := range kept[:min(len(kept), fewVersions)] {
		b, err := r.store.storage.Version(name, seq)
		if err != nil {
			continue
		}
		c := seen.NewContent(b)
		if add(&Version{Seq: seq, Digest: c.Digest, Size: int64(len(b)), content: c, dialect: head.dialect}) {
			break
		}
	}
	return found
}
