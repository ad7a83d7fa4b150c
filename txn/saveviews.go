package txn

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// What living processes have seen outlives the store that noted it: a gateway that
// keeps its registry in memory goes on from there when clawfs was started anew
// beside it. Views are saved at a clean end, for the processes that live then, and
// taken over by the next store of the same boot of the system.

// savedViews is all that is saved.
type savedViews struct {
	Boot       string                  `json:"boot"`
	Contents   map[string][]byte       `json:"contents"` // by digest, in hexadecimal
	Registries map[string][]savedActor `json:"registries"`
}

type savedActor struct {
	Actor     Actor       `json:"actor"`
	Program   string      `json:"program"`
	UID       uint32      `json:"uid"`
	Ancestors []Actor     `json:"ancestors,omitempty"`
	Wrote     bool        `json:"wrote,omitempty"`
	Tasks     bool        `json:"tasks,omitempty"`
	Views     []savedView `json:"views"`
}

type savedView struct {
	Digest string    `json:"digest"`
	Write  bool      `json:"write,omitempty"`
	Unused int       `json:"unused,omitempty"`
	At     time.Time `json:"at"`
}

// SaveViews keeps the views of the processes that live for the next store over
// the same storage. It is to be called at the end. The error is the storage's.
func (s *Store) SaveViews() error {
	if s.cfg.Boot == "" {
		return nil
	}
	saved := savedViews{Boot: s.cfg.Boot, Contents: make(map[string][]byte), Registries: make(map[string][]savedActor)}
	for _, r := range s.all() {
		r.mu.Lock()
		for _, a := range r.views {
			if s.cfg.Alive(a.caller.Actor) {
				saved.add(r.name, a, s)
			}
		}
		r.mu.Unlock()
	}
	if len(saved.Registries) == 0 {
		return nil
	}
	b, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	return s.storage.SaveViews(b)
}

func (v *savedViews) add(name string, a *actorViews, s *Store) {
	out := savedActor{
		Actor: a.caller.Actor, Program: a.caller.Program, UID: a.caller.UID,
		Ancestors: a.caller.Ancestors, Wrote: a.wrote, Tasks: a.tasks,
	}
	now := Origin{Event: s.Event(), At: s.cfg.Now()}
	for _, view := range a.live(now, s.cfg.ReadWindow) {
		digest := hex.EncodeToString(view.content.digest[:])
		v.Contents[digest] = view.content.bytes
		out.Views = append(out.Views, savedView{Digest: digest, Write: view.write, Unused: view.unused, At: view.lastAt})
	}
	if len(out.Views) > 0 {
		v.Registries[name] = append(v.Registries[name], out)
	}
}

// restored returns the views that the store before has saved, which are read when
// the first registry is loaded. What can't be read, or is of another boot, is
// nothing.
func (s *Store) restored() *savedViews {
	s.restoring.Do(func() {
		if s.cfg.Boot == "" {
			return
		}
		b, err := s.storage.TakeViews()
		var saved savedViews
		if err != nil || b == nil || json.Unmarshal(b, &saved) != nil || saved.Boot != s.cfg.Boot {
			return
		}
		s.saved.Store(&saved)
	})
	return s.saved.Load()
}

// takeOver gives the registry the views that the store before has saved of it, of
// processes that still live. The caller holds mu, and has loaded the head.
func (r *Registry) takeOver() {
	saved := r.store.restored()
	if saved == nil {
		return
	}
	contents := make(map[string]*content)
	if r.head != nil {
		contents[hex.EncodeToString(r.head.Digest[:])] = r.head.content
	}
	for _, a := range saved.Registries[r.name] {
		if !r.store.cfg.Alive(a.Actor) {
			continue
		}
		caller := Caller{Actor: a.Actor, Program: a.Program, UID: a.UID, Ancestors: a.Ancestors}
		for _, v := range a.Views {
			c := contents[v.Digest]
			if c == nil {
				c = newContent(saved.Contents[v.Digest])
				contents[v.Digest] = c
			}
			if hex.EncodeToString(c.digest[:]) != v.Digest {
				continue // it is not what it was
			}
			event := r.store.next()
			r.viewsOf(caller).add(&view{content: c, write: v.Write, first: event, last: event, lastAt: v.At, unused: v.Unused})
		}
		if known := r.views[a.Actor]; known != nil {
			known.wrote, known.tasks = known.wrote || a.Wrote, known.tasks || a.Tasks
		}
	}
}
