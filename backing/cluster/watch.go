package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Message is something that an operator is to know.
type Message struct {
	Name string // of a registry; empty: it is about the cluster
	What string
	Err  error // nil: it is over, or good news
}

// run follows the cluster until ctx ends.
func (s *Storage) run(ctx context.Context, o Options) {
	go s.look(ctx, o)
	for ctx.Err() == nil {
		s.mu.Lock()
		from := s.rev + 1
		s.mu.Unlock()
		err := s.engine.Watch(ctx, s.keys.heads, from, func(e Entry) { s.hear(e) })
		if errors.Is(err, ErrCompacted) {
			_, err = s.list(ctx)
		}
		if err != nil && ctx.Err() == nil {
			wait(ctx, o.Look/4)
		}
	}
}

// hear takes an entry of the engine.
func (s *Storage) hear(e Entry) {
	name := s.keys.name(e.Key)
	rec, err := s.decode(e)
	switch {
	case !s.shares(name): // it is no registry here
	case err != nil:
		s.told(Message{Name: name, What: "what the cluster has of a registry cannot be read", Err: err})
	default:
		s.know(name, version{rec, e.Rev})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rev = max(s.rev, e.Rev)
}

// list hears of all that is there, and returns how much that is.
func (s *Storage) list(ctx context.Context) (n int, err error) {
	rev, err := s.engine.List(ctx, s.keys.heads, func(e Entry) {
		n++
		s.hear(e)
	})
	if err != nil {
		return n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rev = max(s.rev, rev)
	return n, nil
}

// look asks again and again whether the cluster can be written, until ctx ends.
func (s *Storage) look(ctx context.Context, o Options) {
	for wait(ctx, o.Look) {
		s.noteAlive(ctx, o)
	}
}

// noteAlive asks twice, since the first time a member may be asked that is gone.
func (s *Storage) noteAlive(ctx context.Context, o Options) {
	var err error
	for range 2 {
		limited, cancel := context.WithTimeout(ctx, o.Answer)
		_, err = s.engine.Get(limited, s.keys.heads) // no registry's
		cancel()
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if ctx.Err() == nil {
		s.setDown(err)
	}
}

// setDown notes whether the cluster can be written, and tells if that has changed.
func (s *Storage) setDown(err error) {
	s.mu.Lock()
	was, since := s.down, s.since
	switch {
	case err == nil:
		s.down = nil
	case was == nil:
		s.down = &UnavailableError{Err: err}
	}
	changed := (was == nil) != (err == nil)
	if changed {
		s.since = time.Now()
	}
	s.mu.Unlock()
	switch {
	case !changed:
	case err != nil:
		s.told(Message{What: "Registry cluster unreachable", Err: err})
		if s.accept {
			s.told(Message{What: "Registries are changed on this host alone until the cluster answers"})
		}
	default:
		s.told(Message{What: fmt.Sprintf("Registry cluster reachable again after %v", time.Since(since).Round(time.Millisecond))})
		if n := s.Status().Alone; n > 0 {
			s.told(Message{What: fmt.Sprintf("Registries that were changed on this host alone are merged: %d", n)})
		}
		s.again()
	}
}

// again has all registries followed whose live file is not the newest version: that may
// have waited for the cluster.
func (s *Storage) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, r := range s.all {
		if r.next != nil || r.edited {
			s.follow(name)
		}
	}
}

// wait waits; it returns false at once when ctx ends.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Status is a host's knowledge of its cluster.
type Status struct {
	Host       string
	Registries int       // that the cluster has, or this host
	Waiting    int       // of these, whose live file is not the newest version
	Alone      int       // and whose live file was changed on this host alone
	Accepts    bool      // registries are changed on this host alone while nothing can be committed
	Rev        int64     // of the newest change that is known
	Err        error     // why nothing can be committed; nil: it can
	Since      time.Time // of that
}

// Status tells how the cluster is.
func (s *Storage) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Host: s.host, Accepts: s.accept, Rev: s.rev, Err: s.down, Since: s.since}
	for _, r := range s.all {
		if r.at.State != gone || r.next != nil {
			st.Registries++
		}
		if r.next != nil || r.edited {
			st.Waiting++
		}
		if r.edited {
			st.Alone++
		}
	}
	return st
}
