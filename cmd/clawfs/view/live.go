package view

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	pollEvery  = 500 * time.Millisecond // looks for changes where no daemon tells of them
	mountEvery = time.Second            // looks for mounts that come and go
	tellEvery  = 250 * time.Millisecond // the least time between two events of one stream
	aliveEvery = 15 * time.Second       // a sign of life, so that a dead stream is noticed
)

// change says that something has happened to a registry; "" is the directory itself.
type change struct{ dir, name string }

// hub passes changes on to the streams.
type hub struct {
	mu  sync.Mutex // guards all
	all map[chan change]bool
}

func (h *hub) init() { h.all = make(map[chan change]bool) }

// join returns a channel of changes. A stream that is behind misses some, and is told of others.
func (h *hub) join() chan change {
	c := make(chan change, 64)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[c] = true
	return c
}

func (h *hub) leave(c chan change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, c)
}

// tell passes a change on.
func (h *hub) tell(c change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for to := range h.all {
		select {
		case to <- c:
		default:
		}
	}
}

// watched reports whether anybody looks.
func (h *hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all) > 0
}

// follow follows all directories until ctx ends, those that come later, too.
func (s *Server) follow(ctx context.Context) {
	following := make(map[string]context.CancelFunc)
	for tick := time.NewTicker(mountEvery); ; {
		dirs, err := s.o.Dirs()
		if err == nil {
			s.followOnly(ctx, dirs, following)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return
		}
	}
}

// followOnly begins to follow new directories and ends with those that are gone. A directory
// that is mounted, or no longer, is another one.
func (s *Server) followOnly(ctx context.Context, dirs []Dir, following map[string]context.CancelFunc) {
	key := func(d Dir) string { return fmt.Sprint(d.State, " ", d.Path) }
	for k, end := range following {
		if !slices.ContainsFunc(dirs, func(d Dir) bool { return key(d) == k }) {
			end()
			delete(following, k)
			s.hub.tell(change{})
		}
	}
	for _, d := range dirs {
		if following[key(d)] != nil {
			continue
		}
		one, end := context.WithCancel(ctx)
		following[key(d)] = end
		s.hub.tell(change{dir: d.ID()})
		if d.State == Serving {
			go s.watch(one, d)
		} else {
			go s.poll(one, d)
		}
	}
}

// watch has a daemon tell of the transactions that end.
func (s *Server) watch(ctx context.Context, d Dir) {
	for ctx.Err() == nil {
		_ = s.o.Watch(ctx, d, func(name string) {
			s.index(d).renew(name)
			s.hub.tell(change{dir: d.ID(), name: name})
		})
		s.index(d).forget() // changes that came meanwhile are not known
		select {
		case <-time.After(mountEvery):
		case <-ctx.Done():
		}
	}
}

// poll looks again and again at a directory that no daemon serves, as long as somebody looks
// at the page.
func (s *Server) poll(ctx context.Context, d Dir) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.hub.watched() {
			continue
		}
		for _, name := range s.index(d).changed() {
			s.hub.tell(change{dir: d.ID(), name: name})
		}
	}
}

// serveLive is a stream of events: one whenever something that the page shows has changed. It
// says no more than that.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request) {
	dir, name := r.FormValue("in"), r.FormValue("of")
	changes := s.hub.join()
	defer s.hub.leave(changes)
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	send := func(event string) bool {
		_, err := fmt.Fprintf(w, "event: %s\ndata:\n\n", event)
		return err == nil && out.Flush() == nil
	}
	if !send("open") {
		return
	}
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		select {
		case c := <-changes:
			if c.dir != "" && dir != "" && c.dir != dir || c.name != "" && name != "" && c.name != name {
				continue
			}
			if !send("change") {
				return
			}
			time.Sleep(tellEvery)
			if drain(changes) && !send("change") {
				return
			}
		case <-alive.C:
			if !send("alive") {
				return
			}
		case <-r.Context().Done():
			send("end")
			return
		}
	}
}

// drain takes the changes that have come meanwhile, and reports whether there are any.
func drain(changes chan change) (any bool) {
	for {
		select {
		case <-changes:
			any = true
		default:
			return any
		}
	}
}
