package txn

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"

	"clawfs/txn/seen"
)

// The views of living processes outlive the store that noted them: a gateway that
// keeps its registry in memory goes on from there when clawfs was started anew
// beside it. Views are appended to a record, one JSON object a line, and taken over by
// the next store of the same boot of the system. A line replaces an earlier one about
// the same process and registry. A line that was cut off does not count. Where the record
// itself was cut off, by a full disk or a kill, it says nothing of a process that it does not
// name: that is older than the store and not known, as after a kill of the daemon.

// savedLine is one line of the record. The version before wrote all as one line, with
// Contents and Registries.
type savedLine struct {
	Boot string `json:"boot,omitempty"` // the lines that follow are of this boot of the system
	Tick Tick   `json:"tick,omitempty"` // and has happened up to here
	Ends bool   `json:"ends,omitempty"` // behind them comes a line with Ended; older builds write none

	Ended bool `json:"ended,omitempty"` // the record is whole up to here

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

// savedViews is the content of the record. A registry takes its part of it when it is loaded;
// parts that are left go into the next record.
type savedViews struct {
	tick        Tick
	missedBelow []savedMissed
	cut         bool // it is not whole

	mu         sync.Mutex // guards registries
	registries map[string]*savedRegistry
}

// savedRegistry is the record's part about one registry.
type savedRegistry struct {
	order    *seen.SavedOrder
	actors   map[seen.Actor]seen.SavedActor
	contents map[string]*seen.Content // of the views, by digest in hexadecimal
}

// SaveViews appends the views of the processes that live, or have just ended, to the
// record, for the next store over the same storage. It is to be called at the end. The
// error is the storage's.
func (s *Store) SaveViews() error {
	if s.cfg.Boot == "" {
		return nil
	}
	return s.storage.AppendViews(func(to io.Writer) error {
		w := viewWriter{to: bufio.NewWriter(to), held: make(map[[32]byte]bool)}
		s.writeViews(&w)
		return errors.Join(w.err, w.to.Flush())
	})
}

func (s *Store) writeViews(w *viewWriter) {
	for _, name := range s.kept.names() {
		s.load(name)
	}
	w.write("\n") // a line that was cut off ends here
	w.put(savedLine{Boot: s.cfg.Boot, Tick: s.Now(), Ends: true})
	for _, l := range s.wider.all() {
		if !l.Listed && s.cfg.Alive(l.By.Actor) {
			w.put(savedLine{MissedBelow: &savedMissed{l.dir, l.By}})
		}
	}
	for _, r := range s.all() {
		missed := s.wider.of(r.name, s.Now(), s.cfg.Now(), s.cfg.ReadWindow)
		var contents []*seen.Content
		r.mu.Lock()
		saved, order := r.seen.Save(r.head.contentOf(), func(c *seen.Content) { contents = append(contents, c) }, missed), r.seen.Order()
		r.mu.Unlock()
		w.putRegistry(r.name, order, slices.Values(saved), slices.Values(contents))
	}
	for name, left := range s.saved.all() {
		w.putRegistry(name, left.order, maps.Values(left.actors), maps.Values(left.contents))
	}
	w.put(savedLine{Ended: true, Tick: s.Now()}) // it was found out meanwhile that processes have ended
}

// viewWriter writes lines of the record. A content may be as large as a registry: it is
// never in memory as a line.
type viewWriter struct {
	to   *bufio.Writer
	held map[[32]byte]bool // by digest
	err  error
}

func (w *viewWriter) write(text string) {
	if _, err := w.to.WriteString(text); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *viewWriter) put(l savedLine) {
	b, err := json.Marshal(l)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.write(string(b) + "\n")
}

// putRegistry writes the knowledge about a registry, if there is any.
func (w *viewWriter) putRegistry(name string, order *seen.SavedOrder, actors iter.Seq[seen.SavedActor], contents iter.Seq[*seen.Content]) {
	for c := range contents {
		w.hold(c)
	}
	first := true
	for a := range actors {
		if first {
			w.put(savedLine{Registry: name, Order: order})
			first = false
		}
		w.put(savedLine{Registry: name, Seen: &a})
	}
}

// hold puts a content into the record, once: the line that put would make of a savedLine
// with Digest and Bytes.
func (w *viewWriter) hold(c *seen.Content) {
	if w.held[c.Digest] {
		return
	}
	w.held[c.Digest] = true
	w.write(`{"digest":"` + hex.EncodeToString(c.Digest[:]) + `","bytes":"`)
	text := base64.NewEncoder(base64.StdEncoding, w.to)
	_, err := text.Write(c.Bytes)
	if err = errors.Join(err, text.Close()); err != nil && w.err == nil {
		w.err = err
	}
	w.write("\"}\n")
}

// viewReader puts together the lines of a record.
type viewReader struct {
	views    *savedViews
	contents map[string]*seen.Content
}

// readViews returns the views of this boot in a record; nil if it has none, since the store
// before has not ended but was killed. A view that can serve no write any more is left out. The
// error is the record's.
func readViews(record io.Reader, boot string, c *seen.Config) (*savedViews, error) {
	v := viewReader{&savedViews{registries: make(map[string]*savedRegistry)}, make(map[string]*seen.Content)}
	ours, any := false, false
	for in := bufio.NewReaderSize(record, 64<<10); ; {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		var l savedLine
		if json.Unmarshal(line, &l) == nil {
			if l.Boot != "" {
				ours = l.Boot == boot
			}
			if ours {
				v.add(l)
				any = true
			}
		}
		if err == io.EOF {
			break
		}
	}
	if !any {
		return nil, nil
	}
	v.views.settle(v.contents, c)
	return v.views, nil
}

func (v *viewReader) add(l savedLine) {
	if l.Digest != "" {
		v.hold(l.Digest, l.Bytes)
	}
	for digest, b := range l.Contents {
		v.hold(digest, b)
	}
	v.views.tick = max(v.views.tick, l.Tick)
	v.views.cut = (v.views.cut || l.Ends) && !l.Ended
	if l.Order != nil {
		v.views.of(l.Registry).order = l.Order
	}
	if l.MissedBelow != nil {
		v.views.missedBelow = append(v.views.missedBelow, *l.MissedBelow)
	}
	if l.Seen != nil {
		v.views.of(l.Registry).actors[l.Seen.Actor] = *l.Seen
	}
	for name, actors := range l.Registries {
		for _, a := range actors {
			v.views.of(name).actors[a.Actor] = a
		}
	}
}

// hold takes content if it has its digest.
func (v *viewReader) hold(digest string, b []byte) {
	if c := seen.NewContent(b); hex.EncodeToString(c.Digest[:]) == digest {
		v.contents[digest] = c
	}
}

func (v *savedViews) of(name string) *savedRegistry {
	r := v.registries[name]
	if r == nil {
		r = &savedRegistry{actors: make(map[seen.Actor]seen.SavedActor), contents: make(map[string]*seen.Content)}
		v.registries[name] = r
	}
	return r
}

// settle leaves out the views that serve nobody any more, and gives each registry the
// contents that its views name.
func (v *savedViews) settle(contents map[string]*seen.Content, c *seen.Config) {
	for _, r := range v.registries {
		maps.DeleteFunc(r.actors, func(_ seen.Actor, a seen.SavedActor) bool { return !a.Matters(c) })
		for _, a := range r.actors {
			for _, one := range a.Views {
				if c := contents[one.Digest]; c != nil {
					r.contents[one.Digest] = c
				}
			}
		}
	}
}

// take returns the saved views of a registry, once; nil for none. v may be nil.
func (v *savedViews) take(name string) *savedRegistry {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.registries[name]
	delete(v.registries, name)
	return r
}

// holds reports whether there are saved views of a registry that nobody has taken. v may be nil.
func (v *savedViews) holds(name string) bool {
	if v == nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.registries[name] != nil
}

// all returns the saved views that nobody has taken. v may be nil.
func (v *savedViews) all() map[string]*savedRegistry {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.registries)
}

// rename gives registries other names; "" stands for the one that they have. v may be nil.
func (v *savedViews) rename(renamed func(string) string) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := make(map[string]*savedRegistry, len(v.registries))
	for name, r := range v.registries {
		now[cmp.Or(renamed(name), name)] = r
	}
	v.registries = now
}

// restore reads the views that the store before has saved. A line that can't be read, or
// is of another boot, does not count. Where there is a whole record, a process that is not
// in it has seen nothing. The order of events goes on.
func (s *Store) restore() {
	if s.cfg.Boot == "" {
		return
	}
	record, err := s.storage.TakeViews()
	if err != nil || record == nil {
		return
	}
	defer func() { _ = record.Close() }()
	v, err := readViews(record, s.cfg.Boot, &s.seenConfig)
	if err != nil || v == nil {
		return
	}
	s.saved = v
	s.missed.Store(len(v.registries) > 0)
	if !v.cut {
		s.seenConfig.Began = 0
	}
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
	r.store.kept.takeOver(r)
	saved := r.store.saved.take(r.name)
	if saved == nil {
		return
	}
	content := func(digest string) *seen.Content {
		if h := r.head; h != nil && hex.EncodeToString(h.Digest[:]) == digest {
			return h.content
		}
		return saved.contents[digest]
	}
	for _, a := range saved.actors {
		r.seen.Restore(a, content)
	}
	r.seen.RestoreOrder(saved.order)
}
