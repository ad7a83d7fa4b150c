package txn

import (
	"cmp"
	"slices"
	"time"
)

// Origin says who wrote a file that is about to become a registry, and what it
// could have seen: everything that it had seen at the given place in the
// store-wide order of events.
type Origin struct {
	Caller
	Event uint64    // Store.Event at its first write
	At    time.Time // when that was

	// Opened is Store.Event when it opened the file, 0 for that of the first write.
	// What it wrote elsewhere in between did not come from what it had in hand: a
	// program that saves many times at once has made all it writes before.
	Opened uint64
}

// openedBy returns Opened, or the place of the first write where that is not known.
func (o Origin) openedBy() uint64 {
	if o.Opened == 0 {
		return o.Event
	}
	return o.Opened
}

// Copied is a version that a program copied, by copy_file_range(2), into a file
// that is about to become a registry. What a copy holds counts as seen.
type Copied struct {
	Name    string
	Version *Version
	Event   uint64
}

// Lineage is what is known of how the content of a file came about.
type Lineage struct {
	Writers []Origin
	Copies  []Copied
}

// noteRead records that the caller has read version v. The caller of noteRead
// holds mu.
func (r *Registry) noteRead(c Caller, v *Version) {
	if !c.Known() || v == nil {
		return
	}
	event, now := r.store.next(), r.store.cfg.Now()
	r.viewsOf(c).add(&view{content: v.content, first: event, last: event, lastAt: now, unused: 1})
	r.limitViews(r.views[c.Actor])
}

// noteWrite records what the caller has written by a request. The caller of
// noteWrite holds mu.
func (r *Registry) noteWrite(c Caller, q *request) {
	if !c.Known() {
		return
	}
	event, now := r.store.next(), r.store.cfg.Now()
	v := &view{content: q.content, write: true, first: event, last: event, lastAt: now, opened: q.opened, ended: q.ended}
	if v.ended == 0 {
		v.ended = event
	}
	if chosen := q.chosen; chosen != nil && !chosen.inFlight() {
		v.from = &madeOf{content: chosen.content, write: chosen.write, order: chosen.order}
		v.beside = chosen.beside
	}
	a := r.viewsOf(c)
	a.add(v)
	a.noteBeside()
	r.limitViews(a)
}

func (r *Registry) viewsOf(c Caller) *actorViews {
	a := r.views[c.Actor]
	if a == nil {
		if len(r.views) >= max(r.nextPrune, 32) {
			r.pruneViews()
			r.nextPrune = len(r.views) + min(len(r.views), 256)
		}
		a = &actorViews{caller: c}
		r.views[c.Actor] = a
		r.noteAncestors(a)
	}
	return a
}

func (r *Registry) limitViews(a *actorViews) {
	if len(a.views) > maxViews || len(a.views)%16 == 0 {
		a.prune(r.viewCutoff())
	}
	r.viewBytes += int64(len(a.views[len(a.views)-1].content.bytes))
	if r.viewBytes > max(2*r.keptBytes, maxViewBytes) {
		r.pruneViews()
		r.dropOldestViews()
	}
}

// dropOldestViews bounds the memory of the contents that views hold: of those that
// are not the latest write or the newest reading of a process that lives, the
// oldest go, as far as it takes, and so does what any was made from. It is called each
// time when as much has come again as stayed.
func (r *Registry) dropOldestViews() {
	held := make(map[*content]bool)
	var size int64
	hold := func(c *content, anyway bool) bool {
		if !held[c] && (anyway || size+int64(len(c.bytes)) <= maxViewBytes) {
			held[c] = true
			size += int64(len(c.bytes))
		}
		return held[c]
	}
	holdOrigin := func(v *view) {
		if v.from != nil && !hold(v.from.content, false) {
			v.from = nil
		}
	}
	var others []*view
	for _, a := range r.views {
		write, read := a.latest(^uint64(0), ^uint64(0))
		lives := !r.isDead(a)
		for _, v := range a.views {
			if lives && (v == write || v == read || v == a.firstReading()) {
				hold(v.content, true)
				holdOrigin(v)
			} else {
				others = append(others, v)
			}
		}
	}
	slices.SortFunc(others, func(a, b *view) int { return cmp.Compare(b.last, a.last) })
	drop := make(map[*view]bool)
	for _, v := range others {
		if !hold(v.content, false) {
			drop[v] = true
			continue
		}
		holdOrigin(v)
	}
	for _, a := range r.views {
		a.views = slices.DeleteFunc(a.views, func(v *view) bool { return drop[v] })
	}
	r.forgetEmpty()
	r.viewBytes, r.keptBytes = size, size
}

// viewCutoff is the time before which a view that is live no longer serves
// nobody: a write that began while it was live has ended or is a minute old.
func (r *Registry) viewCutoff() time.Time {
	return r.store.cfg.Now().Add(-r.store.cfg.KinWindow - r.store.cfg.ReadWindow)
}

// pruneViews forgets the actors that are dead and whose views are too old to
// serve their kin, or too many. It is called each time when as many actors have come
// as stayed, or 256 of them, so that its cost is constant for each actor.
func (r *Registry) pruneViews() {
	cutoff := r.viewCutoff()
	var dead []*actorViews
	for _, a := range r.views {
		switch {
		case !r.isDead(a):
			a.prune(cutoff)
		case a.newest().lastAt.Before(cutoff):
			a.views = nil
		default:
			a.prune(cutoff)
			dead = append(dead, a)
		}
	}
	thinOut(dead)
	r.forgetEmpty()
}

// candidatesOf returns what the writer could have seen of the registry at the
// given place and time: its own views and those of its descendants, as a shell
// writes what its children have read; or, where there are none, those of its other
// kin. The caller holds mu.
func (r *Registry) candidatesOf(o Origin) ([]candidate, author) {
	var cands []candidate
	var by author
	own := r.views[o.Actor]
	if own != nil {
		cands = candidatesFrom(own.live(o, r.store.cfg.ReadWindow))
		if c, ok := own.fromBeside(o); ok {
			cands = append(cands, c)
		}
		for i := range cands {
			cands[i].own = true
		}
		by.wrote, by.tasks = own.wrote, own.tasks
	}
	kin := r.relatives(o.Actor, o)
	if own == nil && len(kin) == 0 {
		kin = r.kinOf(o)
		cands = r.seenBefore(o.Actor)
	}
	cands = append(cands, candidatesFrom(r.seenByKin(kin, o))...)
	for _, a := range kin {
		by.wrote = by.wrote || a.wrote
	}
	by.kin = own == nil
	return cands, by
}

// fewVersions is how many versions are taken for what a process may have seen
// before the store began.
const fewVersions = 16

// seenBefore returns what a process could have seen that is older than the store,
// or can't be told: what it saw before a kill of clawfs is not known any more, and
// what one in another pid namespace sees never is, so it may be each of the last
// versions. The caller holds mu.
func (r *Registry) seenBefore(a Actor) []candidate {
	if a.Known() && a.Start >= r.store.cfg.Began || r.head == nil {
		return nil
	}
	kept, err := r.store.storage.Versions(r.name)
	if err != nil {
		return nil
	}
	var cands []candidate
	for _, seq := range kept[max(0, len(kept)-fewVersions):] {
		if b, err := r.store.storage.Version(r.name, seq); err == nil && seq < r.head.Seq {
			cands = append(cands, candidate{content: newContent(b)})
		}
	}
	return append(cands, candidate{content: r.head.content, order: r.store.next()})
}

func candidatesFrom(views []*view) []candidate {
	out := make([]candidate, 0, len(views))
	for _, v := range views {
		out = append(out, candidate{content: v.content, write: v.write, order: v.last, views: []*view{v}})
	}
	return out
}
