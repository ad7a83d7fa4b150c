package enginetest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"clawfs/backing/cluster"
)

// Memory is the state that the members of an engine agree on. Clients reach it
// by Client.
type Memory struct {
	mu        sync.Mutex // guards the fields below
	rev       int64
	entries   map[string]cluster.Entry
	log       []cluster.Entry // all changes that are not forgotten
	compacted int64           // changes up to this revision are forgotten
	full      bool
	largest   int           // bytes that a request may have; 0: any
	changed   chan struct{} // closed by the next change
	late      []func()      // requests that are under way still
}

// NewMemory returns an engine without any keys.
func NewMemory() *Memory {
	return &Memory{entries: make(map[string]cluster.Entry), changed: make(chan struct{})}
}

// Compact forgets all changes so far.
func (m *Memory) Compact() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compacted, m.log = m.rev, nil
}

// Backup returns the present entries, for Restore.
func (m *Memory) Backup() map[string]cluster.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.entries)
}

// Restore acts like an etcd that is restored from a backup with a higher revision: changes made
// since are forgotten.
func (m *Memory) Restore(backup map[string]cluster.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rev += 1000
	m.entries, m.log, m.compacted = maps.Clone(backup), nil, m.rev
}

// Rev returns the revision of the last change.
func (m *Memory) Rev() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rev
}

// SetFull has all further changes refused for lack of room, or not.
func (m *Memory) SetFull(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

// SetLargest has requests refused that have more bytes; 0: none is.
func (m *Memory) SetLargest(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.largest = bytes
}

// Deliver carries out the requests that are late.
func (m *Memory) Deliver() {
	m.mu.Lock()
	late := m.late
	m.late = nil
	m.mu.Unlock()
	for _, f := range late {
		f()
	}
}

// Delete, which no clawfs does, deletes a key. Watches tell nothing of that.
func (c *Client) Delete(key string) {
	m := c.Memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rev++
	delete(m.entries, key)
}

// Fate is the fate of a request.
type Fate uint8

// The fates of requests.
const (
	Answered    Fate = iota
	RequestLost      // it is not carried out, and the client is told nothing
	AnswerLost       // it is carried out, and the client is told nothing
	Late             // the client is told nothing, and Deliver carries it out
	Refused          // no leader: it is not carried out, and the client is told so
)

// Client is one host's way to the engine.
type Client struct {
	Memory *Memory

	hearing sync.Mutex // held while a watch tells of a change, and by Deafen

	mu   sync.Mutex // guards the fields below
	fate func(call string) Fate
	down chan struct{} // closed while the client reaches nobody
}

// Client returns a way to the engine on which nothing goes wrong.
func (m *Memory) Client() *Client {
	return &Client{Memory: m, fate: func(string) Fate { return Answered }, down: make(chan struct{})}
}

// SetFate has f decide the fate of each further request: swap, get, list, drop.
func (c *Client) SetFate(f func(call string) Fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fate = f
}

// Cut parts the client from the engine; watches end. Mend joins them again.
func (c *Client) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.down:
	default:
		close(c.down)
	}
}

// Mend is the opposite of Cut.
func (c *Client) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = make(chan struct{})
}

// Deafen has watches of the client tell nothing until hear is called.
func (c *Client) Deafen() (hear func()) {
	c.hearing.Lock()
	return c.hearing.Unlock
}

// ErrNoAnswer is the error of a request without an answer.
var ErrNoAnswer = errors.New("no answer")

// call carries out a request as its fate is.
func (c *Client) call(ctx context.Context, what string, do func()) error {
	c.mu.Lock()
	fate, down := c.fate, c.down
	c.mu.Unlock()
	select {
	case <-down:
		return &cluster.RefusedError{Err: errors.New("no leader"), Again: true}
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch fate(what) {
	case RequestLost:
		return ErrNoAnswer
	case AnswerLost:
		do()
		return ErrNoAnswer
	case Late:
		c.Memory.mu.Lock()
		c.Memory.late = append(c.Memory.late, do)
		c.Memory.mu.Unlock()
		return ErrNoAnswer
	case Refused:
		return &cluster.RefusedError{Err: errors.New("no leader"), Again: true}
	}
	do()
	return nil
}

// Swap implements cluster.Engine.
func (c *Client) Swap(ctx context.Context, key string, rev int64, value []byte) (head cluster.Entry, ok bool, err error) {
	value = slices.Clone(value)
	var found cluster.Entry // a late request sets it when nobody looks any more
	var done bool
	var refused error
	if err = c.call(ctx, "swap", func() { found, done, refused = c.Memory.swap(key, rev, value) }); err != nil {
		return head, false, err
	}
	if refused != nil {
		return head, false, refused
	}
	return found, done, nil
}

func (m *Memory) swap(key string, rev int64, value []byte) (head cluster.Entry, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	head = m.entries[key]
	switch {
	case m.full:
		return head, false, &cluster.RefusedError{Err: errors.New("database space exceeded"), Full: true}
	case m.largest > 0 && len(key)+len(value) > m.largest:
		return head, false, &cluster.RefusedError{Err: errors.New("request is too large"), Large: true}
	case head.Rev != rev:
		return head, false, nil
	}
	m.rev++
	head = cluster.Entry{Key: key, Value: value, Rev: m.rev}
	m.entries[key] = head
	m.log = append(m.log, head)
	close(m.changed)
	m.changed = make(chan struct{})
	return head, true, nil
}

// Get implements cluster.Engine.
func (c *Client) Get(ctx context.Context, key string) (e cluster.Entry, err error) {
	var found cluster.Entry
	err = c.call(ctx, "get", func() {
		c.Memory.mu.Lock()
		defer c.Memory.mu.Unlock()
		found = c.Memory.entries[key]
	})
	if err != nil {
		return e, err
	}
	return found, nil
}

// List implements cluster.Engine.
func (c *Client) List(ctx context.Context, prefix string, each func(cluster.Entry)) (rev int64, err error) {
	var found []cluster.Entry
	var at int64
	err = c.call(ctx, "list", func() {
		c.Memory.mu.Lock()
		defer c.Memory.mu.Unlock()
		at = c.Memory.rev
		for key, e := range c.Memory.entries {
			if strings.HasPrefix(key, prefix) {
				found = append(found, e)
			}
		}
	})
	if err != nil {
		return 0, err
	}
	slices.SortFunc(found, func(a, b cluster.Entry) int { return cmp.Compare(a.Key, b.Key) })
	for _, e := range found {
		each(e)
	}
	return at, nil
}

// Keys implements cluster.Engine.
func (c *Client) Keys(ctx context.Context, prefix string, each func(key string)) error {
	_, err := c.List(ctx, prefix, func(e cluster.Entry) { each(e.Key) })
	return err
}

// Drop implements cluster.Engine.
func (c *Client) Drop(ctx context.Context, keys ...string) error {
	return c.call(ctx, "drop", func() {
		for _, key := range keys {
			c.Delete(key)
		}
	})
}

// Watch implements cluster.Engine.
func (c *Client) Watch(ctx context.Context, prefix string, from int64, each func(cluster.Entry)) error {
	c.mu.Lock()
	down := c.down
	c.mu.Unlock()
	for {
		m := c.Memory
		m.mu.Lock()
		var news []cluster.Entry
		forgotten := from <= m.compacted
		for _, e := range m.log {
			if e.Rev >= from && strings.HasPrefix(e.Key, prefix) {
				news = append(news, e)
			}
		}
		next, changed := m.rev+1, m.changed
		m.mu.Unlock()
		if forgotten {
			return cluster.ErrCompacted
		}
		for _, e := range news {
			select {
			case <-down:
				return &cluster.RefusedError{Err: errors.New("no leader"), Again: true}
			default:
			}
			c.hearing.Lock()
			each(e)
			c.hearing.Unlock()
		}
		from = max(from, next)
		select {
		case <-changed:
		case <-down:
			return &cluster.RefusedError{Err: errors.New("no leader"), Again: true}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
