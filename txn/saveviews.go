package txn

import (
	"bytes"
	"encoding/hex"
	"encoding/json"

	"clawfs/txn/seen"
)

// The views of living processes outlive the store that noted them: a gateway that
// keeps its registry in memory goes on from there when clawfs was started anew
// beside it. Views are appended to a record, one JSON object a line, and taken over by
// the next store of the same boot of the system. A line replaces an earlier one about
// the same process and registry. A line that was cut off does not count.

// savedLine is one line of the record. The version before wrote all as one line, with
// Contents and Registries.
type savedLine struct {
	Boot string `json:"boot,omitempty"` // the lines that follow are of this boot of the system
	Tick Tick   `json:"tick,omitempty"` // and has happened up to here

	Digest string `json:"digest,omitempty"` // of Bytes, in hexadecimal
	Bytes  []byte `json:"bytes,omitempty"`

	Registry string           `json:"registry,omitempty"`
	Seen     *seen.SavedActor `json:"seen,omitempty"`
	Order    *seen.SavedOrder `json:"order,omitempty"`

	MissedBelow *savedMissed `json:"missedBelow,omitempty"`

	Contents   map[string][]byte            `json:"contents,omitempty"`
	Registries map[string][]seen.SavedActor `json:"registries,omitempty"`
}

// savedMissed is a process that was told that there is no directory.
type savedMissed struct {
	Dir string      `json:"dir"`
	By  seen.Caller `json:"by"`
}

// savedViews is what the record says.
type savedViews struct {
	tick        Tick
	orders      map[string]*seen.SavedOrder
	missedBelow []savedMissed
	contents    map[string]*seen.Content
	registries  map[string]map[seen.Actor]seen.SavedActor
}

// SaveViews appends the views of the processes that live, or have just ended, to the
// record, for the next store over the same storage. It is to be called at the end. The
// error is the storage's.
func (s *Store) SaveViews() error {
	if s.cfg.Boot == "" {
		return nil
	}
	w := viewWriter{held: make(map[*seen.Content]bool)}
	w.text.WriteByte('\n') // a line that was cut off ends here
	w.put(savedLine{Boot: s.cfg.Boot, Tick: s.Now()})
	for _, l := range s.wider.all() {
		if !l.Listed && s.cfg.Alive(l.By.Actor) {
			w.put(savedLine{MissedBelow: &savedMissed{l.dir, l.By}})
		}
	}
	for _, r := range s.all() {
		if s.isForgotten(r.Name()) {
			continue
		}
		missed := s.wider.of(r.name, s.Now(), s.cfg.Now(), s.cfg.ReadWindow)
		r.mu.Lock()
		saved, order := r.seen.Save(w.hold, missed), r.seen.Order()
		r.mu.Unlock()
		if len(saved) > 0 {
			w.put(savedLine{Registry: r.name, Order: order})
		}
		for i := range saved {
			w.put(savedLine{Registry: r.name, Seen: &saved[i]})
		}
	}
	if w.err != nil {
		return w.err
	}
	return s.storage.AppendViews(w.text.Bytes())
}

func (s *Store) isForgotten(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.forgotten[name]
	return ok
}

// viewWriter makes lines of the record.
type viewWriter struct {
	text bytes.Buffer
	held map[*seen.Content]bool
	err  error
}

func (w *viewWriter) put(l savedLine) {
	b, err := json.Marshal(l)
	if err != nil {
		w.err = err
		return
	}
	w.text.Write(append(b, '\n'))
}

// hold puts a content into the record, once.
func (w *viewWriter) hold(c *seen.Content) {
	if !w.held[c] {
		w.held[c] = true
		w.put(savedLine{Digest: hex.EncodeToString(c.Digest[:]), Bytes: c.Bytes})
	}
}

// readViews returns what a record says of this boot; nil if it says nothing, since the
// store before has not ended but was killed.
func readViews(record []byte, boot string) *savedViews {
	v := &savedViews{
		contents: make(map[string]*seen.Content), registries: make(map[string]map[seen.Actor]seen.SavedActor),
		orders: make(map[string]*seen.SavedOrder),
	}
	ours, any := false, false
	for line := range bytes.Lines(record) {
		var l savedLine
		if json.Unmarshal(line, &l) != nil {
			continue
		}
		if l.Boot != "" {
			ours = l.Boot == boot
		}
		if ours {
			v.add(l)
			any = true
		}
	}
	if !any {
		return nil
	}
	return v
}

func (v *savedViews) add(l savedLine) {
	if l.Digest != "" {
		v.hold(l.Digest, l.Bytes)
	}
	for digest, b := range l.Contents {
		v.hold(digest, b)
	}
	v.tick = max(v.tick, l.Tick)
	if l.Order != nil {
		v.orders[l.Registry] = l.Order
	}
	if l.MissedBelow != nil {
		v.missedBelow = append(v.missedBelow, *l.MissedBelow)
	}
	if l.Seen != nil {
		v.see(l.Registry, *l.Seen)
	}
	for name, actors := range l.Registries {
		for _, a := range actors {
			v.see(name, a)
		}
	}
}

// hold takes content that is what its digest says.
func (v *savedViews) hold(digest string, b []byte) {
	if c := seen.NewContent(b); hex.EncodeToString(c.Digest[:]) == digest {
		v.contents[digest] = c
	}
}

func (v *savedViews) see(name string, a seen.SavedActor) {
	if v.registries[name] == nil {
		v.registries[name] = make(map[seen.Actor]seen.SavedActor)
	}
	v.registries[name][a.Actor] = a
}

// restore reads the views that the store before has saved. A line that can't be read, or
// is of another boot, does not count. Where there is a record, a process that is not in
// it has seen nothing. The order of events goes on.
func (s *Store) restore() {
	if s.cfg.Boot == "" {
		return
	}
	b, err := s.storage.TakeViews()
	if err != nil || b == nil {
		return
	}
	v := readViews(b, s.cfg.Boot)
	if v == nil {
		return
	}
	s.saved = v
	s.seenConfig.Began = 0
	s.events.Store(uint64(v.tick))
	for _, m := range v.missedBelow {
		if s.cfg.Alive(m.By.Actor) {
			s.MissedBelow(m.Dir, m.By, 0, s.Next())
		}
	}
}

// takeOver gives the registry the views that the store before has saved of it, of
// processes that still live. The caller holds mu, and has loaded the head.
func (r *Registry) takeOver() {
	saved := r.store.saved
	if saved == nil || len(saved.registries[r.name]) == 0 {
		return
	}
	content := func(digest string) *seen.Content {
		if h := r.head; h != nil && hex.EncodeToString(h.Digest[:]) == digest {
			return h.content
		}
		return saved.contents[digest]
	}
	for _, a := range saved.registries[r.name] {
		r.seen.Restore(a, content)
	}
	r.seen.RestoreOrder(saved.orders[r.name])
}
