package seen

import (
	"encoding/binary"
	"slices"
	"time"
)

// Views can be kept outside of the process, at each change, so that another one goes on with them
// after a kill. Each process's views are one text, and the order of changes is another one. A text
// names a content by a number that its keeper gives.

// Keep has changed called when something of the views has changed that no text has, and nothing had
// before.
func (v *Views) Keep(changed func()) { v.changed, v.unkept = changed, make(map[Actor]bool) }

// touch notes that the views of an author have changed.
func (v *Views) touch(author Actor) {
	if v.changed == nil {
		return
	}
	if len(v.unkept) == 0 && !v.orderUnkept {
		v.changed()
	}
	v.unkept[author] = true
}

// touchOrder notes that the order of changes has changed.
func (v *Views) touchOrder() {
	if v.changed == nil {
		return
	}
	if len(v.unkept) == 0 && !v.orderUnkept {
		v.changed()
	}
	v.orderUnkept = true
}

// Renamed notes that the registry has another name.
func (v *Views) Renamed() { v.touchOrder() }

// TakeChanges returns the authors whose views have changed since it was called last, and whether
// the order of changes has.
func (v *Views) TakeChanges() (authors []Actor, order bool) {
	for a := range v.unkept {
		authors = append(authors, a)
	}
	clear(v.unkept)
	order, v.orderUnkept = v.orderUnkept, false
	return authors, order
}

// Packer puts a text together.
type Packer struct {
	Text    []byte
	Content func(*Content) uint64 // the number of a content that is not nil, and not 0
}

// Number adds a number.
func (p *Packer) Number(n uint64) { p.Text = binary.AppendUvarint(p.Text, n) }

// String adds a string.
func (p *Packer) String(s string) {
	p.Number(uint64(len(s)))
	p.Text = append(p.Text, s...)
}

// Flags adds truths.
func (p *Packer) Flags(all ...bool) {
	var n uint64
	for i, one := range all {
		if one {
			n |= 1 << i
		}
	}
	p.Number(n)
}

// Time adds a time.
func (p *Packer) Time(t time.Time) {
	if t.IsZero() {
		p.Number(0)
		return
	}
	p.Number(uint64(t.UnixNano()))
}

// ContentOf adds a content, which may be nil.
func (p *Packer) ContentOf(c *Content) {
	if c == nil {
		p.Number(0)
		return
	}
	p.Number(p.Content(c))
}

func (p *Packer) actor(a Actor) {
	p.Number(uint64(int64(a.PID)))
	p.Number(a.Start)
}

// Caller adds a caller.
func (p *Packer) Caller(c *Caller) {
	p.actor(c.Actor)
	p.String(c.Program)
	p.Number(uint64(c.UID))
	p.Flags(c.Forked)
	p.Number(uint64(len(c.Ancestors)))
	for _, a := range c.Ancestors {
		p.actor(a)
	}
}

// Unpacker takes a text apart.
type Unpacker struct {
	Text    []byte
	Content func(number uint64) *Content // nil: it is not there
	Failed  bool                         // the text is cut, or a content is not there
}

// Number returns the next number.
func (u *Unpacker) Number() uint64 {
	n, size := binary.Uvarint(u.Text)
	if size <= 0 {
		u.Failed, u.Text = true, nil
		return 0
	}
	u.Text = u.Text[size:]
	return n
}

// String returns the next string.
func (u *Unpacker) String() string {
	n := u.Number()
	if n > uint64(len(u.Text)) {
		u.Failed, u.Text = true, nil
		return ""
	}
	s := string(u.Text[:n])
	u.Text = u.Text[n:]
	return s
}

// Flags returns the next truths.
func (u *Unpacker) Flags(all ...*bool) {
	n := u.Number()
	for i, one := range all {
		*one = n&(1<<i) != 0
	}
}

func (u *Unpacker) tick() Tick { return Tick(u.Number()) }

// Time returns the next time.
func (u *Unpacker) Time() time.Time {
	n := u.Number()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n))
}

// ContentOf returns the next content, which may be nil.
func (u *Unpacker) ContentOf() *Content {
	n := u.Number()
	if n == 0 {
		return nil
	}
	c := u.Content(n)
	u.Failed = u.Failed || c == nil
	return c
}

func (u *Unpacker) actor() Actor { return Actor{PID: int(int64(u.Number())), Start: u.Number()} }

// Caller returns the next caller.
func (u *Unpacker) Caller() (c Caller) {
	c.Actor, c.Program, c.UID = u.actor(), u.String(), uint32(u.Number())
	u.Flags(&c.Forked)
	for range u.Number() {
		if u.Failed {
			break
		}
		c.Ancestors = append(c.Ancestors, u.actor())
	}
	return c
}

// Has reports whether an author has views, or was told that there is no registry.
func (v *Views) Has(author Actor) bool {
	return v.actors[author] != nil || v.absences.looks[author] != nil
}

// Pack adds the views of an author, and the answers that it was told.
func (v *Views) Pack(p *Packer, author Actor) {
	a, of := v.actors[author], v.absences.looks[author]
	p.actor(author)
	p.Flags(a != nil, of != nil)
	if a != nil {
		p.Caller(&a.caller)
		p.Flags(a.memory, a.wrote)
		p.Number(uint64(a.arrived))
		p.Number(uint64(a.dead))
		p.Number(uint64(len(a.views)))
		for _, one := range a.views {
			one.pack(p)
		}
	}
	if of != nil {
		p.Caller(&of.caller)
		p.Time(of.lastAt)
		p.Number(uint64(len(of.answers)))
		for _, l := range of.answers {
			p.Number(uint64(l.at))
			p.Time(l.time)
			p.Number(uint64(l.thread))
			p.Flags(l.found)
		}
		p.Number(uint64(len(of.used)))
		for _, at := range of.used {
			p.Number(uint64(at))
		}
	}
}

func (v *view) pack(p *Packer) {
	p.Number(uint64(v.kind))
	p.Flags(v.proved, v.merged, v.reading != nil, v.from != nil)
	p.ContentOf(v.content)
	p.Time(v.lastAt)
	p.Number(uint64(v.unused))
	for _, at := range []Tick{v.pinned, v.first, v.last, v.shown, v.usedUp, v.begun, v.ended, v.after} {
		p.Number(uint64(at))
	}
	if v.reading != nil {
		p.Number(uint64(v.reading.opened))
		p.Number(v.reading.last.Load())
	}
	if v.from != nil {
		p.ContentOf(v.from.content)
		p.Number(uint64(v.from.kind))
		p.Number(uint64(v.from.at))
	}
}

func (u *Unpacker) view(by Actor) *view {
	v := &view{by: by, kind: viewKind(u.Number())}
	var isReading, isMade bool
	u.Flags(&v.proved, &v.merged, &isReading, &isMade)
	v.content, v.lastAt, v.unused = u.ContentOf(), u.Time(), int(u.Number())
	for _, at := range []*Tick{&v.pinned, &v.first, &v.last, &v.shown, &v.usedUp, &v.begun, &v.ended, &v.after} {
		*at = u.tick()
	}
	if isReading {
		v.reading = NewReading(u.tick())
		v.reading.Continue(u.tick())
	}
	if isMade {
		v.from = &made{content: u.ContentOf(), kind: viewKind(u.Number()), at: u.tick()}
	}
	return v
}

// Unpack takes over the views that a process had in the store before, as they were. It returns the
// author. Where the text can't be read, or a content is not there, it takes over nothing.
func (v *Views) Unpack(u *Unpacker) (author Actor) {
	author = u.actor()
	var isThere, hasLooks bool
	u.Flags(&isThere, &hasLooks)
	var a *actorViews
	if isThere {
		a = &actorViews{caller: u.Caller()}
		u.Flags(&a.memory, &a.wrote)
		a.arrived, a.dead = u.tick(), u.tick()
		for range u.Number() {
			if u.Failed {
				return author
			}
			a.views = append(a.views, u.view(author))
		}
	}
	var of *looks
	if hasLooks {
		of = &looks{caller: u.Caller(), lastAt: u.Time()}
		for range u.Number() {
			if u.Failed {
				return author
			}
			l := look{at: u.tick(), time: u.Time(), thread: int(u.Number())}
			u.Flags(&l.found)
			of.answers = append(of.answers, l)
		}
		for range u.Number() {
			if u.Failed {
				return author
			}
			of.used = append(of.used, u.tick())
		}
	}
	if u.Failed {
		return author
	}
	if a != nil && len(a.views) > 0 {
		v.actors[author] = a
		v.living = append(v.living, a)
		v.noteAncestors(a)
		for _, one := range a.views {
			if one.content != nil {
				v.bytes += int64(len(one.content.Bytes))
			}
		}
	}
	if of != nil {
		if v.absences.looks == nil {
			v.absences.looks = make(map[Actor]*looks)
		}
		v.absences.looks[author] = of
	}
	return author
}

// PackOrder adds when the head was changed and by whom, and since when the registry exists.
func (v *Views) PackOrder(p *Packer) {
	o := v.Order()
	for _, at := range []Tick{o.Began, o.Ended, o.Lost} {
		p.Number(uint64(at))
	}
	p.Number(uint64(len(o.Changes)))
	for _, c := range o.Changes {
		p.Number(uint64(c.At))
		p.Flags(c.By != nil)
		if c.By != nil {
			p.Caller(c.By)
		}
	}
	p.Number(uint64(len(v.unsaved)))
	for d := range v.unsaved {
		p.String(string(d[:]))
	}
}

// UnpackOrder takes over the order that the store before had.
func (v *Views) UnpackOrder(u *Unpacker) {
	o := &SavedOrder{Began: u.tick(), Ended: u.tick(), Lost: u.tick()}
	for range u.Number() {
		if u.Failed {
			break
		}
		c, isKnown := SavedChange{At: u.tick()}, false
		if u.Flags(&isKnown); isKnown {
			by := u.Caller()
			c.By = &by
		}
		o.Changes = append(o.Changes, c)
	}
	var forgotten [][32]byte
	for range u.Number() {
		if u.Failed {
			break
		}
		forgotten = append(forgotten, [32]byte([]byte(u.String() + string(make([]byte, 32)))[:32]))
	}
	if u.Failed {
		o = nil // others may have changed it
	}
	v.RestoreOrder(o)
	v.Forget(forgotten, false)
}

// SortViews brings those that were unpacked into the order in which they were found to live.
func (v *Views) SortViews() {
	slices.SortFunc(v.living, func(a, b *actorViews) int {
		switch {
		case a.arrived < b.arrived:
			return -1
		case a.arrived > b.arrived:
			return 1
		}
		return 0
	})
}

// Pack adds the views that the writers of some content had.
func (s *Seen) Pack(p *Packer) {
	p.Number(uint64(len(s.Candidates)))
	for i := range s.Candidates {
		s.Candidates[i].Pack(p)
	}
	p.Flags(s.Memory, s.ReadSince, s.Removed, s.Alone)
	p.actor(s.Family)
	p.Number(uint64(s.Noted))
	p.ContentOf(s.Last)
	p.Number(uint64(len(s.Earlier)))
	for _, c := range s.Earlier {
		p.ContentOf(c)
	}
}

// UnpackSeen undoes Seen.Pack. The views that are named are found among these.
func (v *Views) UnpackSeen(u *Unpacker) (s Seen) {
	for range u.Number() {
		if u.Failed {
			return s
		}
		s.Candidates = append(s.Candidates, v.UnpackCandidate(u))
	}
	u.Flags(&s.Memory, &s.ReadSince, &s.Removed, &s.Alone)
	s.Family, s.Noted, s.Last = u.actor(), u.tick(), u.ContentOf()
	for range u.Number() {
		if u.Failed {
			return s
		}
		s.Earlier = append(s.Earlier, u.ContentOf())
	}
	return s
}

// Pack adds a candidate. Its views are named by their authors and their first places in the order of
// events. No two views have one place.
func (c *Candidate) Pack(p *Packer) {
	p.ContentOf(c.Content)
	p.Number(uint64(c.Kind))
	p.Number(uint64(c.At))
	p.Flags(c.Task, c.Late, c.Looked, c.Recent, c.looks != nil)
	if c.looks != nil {
		p.actor(c.looks.caller.author())
	}
	p.Number(uint64(len(c.views)))
	for _, one := range c.views {
		p.actor(one.by)
		p.Number(uint64(one.first))
	}
}

// UnpackCandidate undoes Candidate.Pack.
func (v *Views) UnpackCandidate(u *Unpacker) Candidate {
	c := Candidate{Content: u.ContentOf(), Kind: Kind(u.Number()), At: u.tick()}
	hasLooks := false
	if u.Flags(&c.Task, &c.Late, &c.Looked, &c.Recent, &hasLooks); hasLooks {
		c.looks = v.absences.looks[u.actor()]
	}
	for range u.Number() {
		if u.Failed {
			break
		}
		by, first := u.actor(), u.tick()
		if a := v.actors[by]; a != nil {
			if i := slices.IndexFunc(a.views, func(one *view) bool { return one.first == first }); i >= 0 {
				c.views = append(c.views, a.views[i])
			}
		}
	}
	return c
}

// Origin adds the writer of some content.
func (p *Packer) Origin(o *Origin) {
	p.Caller(&o.Caller)
	p.Number(uint64(o.Event))
	p.Time(o.At)
	p.Number(uint64(o.Opened))
	p.Flags(o.Aside, o.Redirected)
}

// Origin returns the next writer.
func (u *Unpacker) Origin() Origin {
	o := Origin{Caller: u.Caller(), Event: u.tick(), At: u.Time(), Opened: u.tick()}
	u.Flags(&o.Aside, &o.Redirected)
	return o
}
