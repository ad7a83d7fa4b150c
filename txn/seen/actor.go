package seen

import (
	"bytes"
	"crypto/sha256"
	"hash"
)

// Tick is a place in the store-wide order of events: reads, writes, opens,
// removals. A later event has a greater one. 0 stands for a place that is not
// known.
type Tick uint64

// forever is behind every tick.
const forever = ^Tick(0)

// Actor is a process, told by its thread-group id and a number that tells two
// processes with the same id apart (its start). Of two processes the one that was
// there first has the smaller Start. The zero Actor is a process that could not be
// told, for instance one in another pid namespace.
type Actor struct {
	PID   int
	Start uint64
}

// Known reports whether the actor could be told.
func (a Actor) Known() bool { return a.PID != 0 }

// Caller is an actor with the log's facts about it and the processes it
// descends from, nearest first.
type Caller struct {
	Actor
	Program   string
	UID       uint32
	Ancestors []Actor

	// Forked says that the process was forked and has not executed a program
	// since, so that it has its parent's memory.
	Forked bool
}

// author returns the actor under which the caller's views are kept. Callers that
// cannot be told are one author for each user.
func (c *Caller) author() Actor {
	if c.Known() {
		return c.Actor
	}
	return Actor{PID: untold, Start: uint64(c.UID)}
}

// untold is the process id of those that cannot be told.
const untold = -1

// DescendsFrom reports whether an actor is among the ancestors that are known of the caller.
func (c *Caller) DescendsFrom(a Actor) bool {
	for _, up := range c.Ancestors {
		if up == a {
			return true
		}
	}
	return false
}

// IsKin reports whether two callers are one process, one descends from the other, or from
// its parent.
func (c *Caller) IsKin(o *Caller) bool {
	if c.author() == o.author() || c.DescendsFrom(o.Actor) || o.DescendsFrom(c.Actor) {
		return true
	}
	siblings := func(a, b *Caller) bool { return len(a.Ancestors) > 0 && b.DescendsFrom(a.Ancestors[0]) }
	return siblings(c, o) || siblings(o, c)
}

// Content is the bytes of one document. It is immutable, and shared by versions
// and views.
type Content struct {
	Bytes  []byte
	Digest [32]byte // SHA-256 of Bytes

	sum   hash.Cloner   // that Bytes were written to, and nothing will be; nil: it was not needed yet
	marks []hash.Cloner // that the first block of Bytes was written to, the first two, …; as many as were noted
}

// block is how many bytes are digested between two marks.
const block = 64 << 10

// NewContent returns content that holds b, which must not be changed afterwards.
func NewContent(b []byte) *Content { return &Content{Bytes: b, Digest: sha256.Sum256(b)} }

// NewContentLike returns the same as NewContent. Bytes at the beginning of b that like
// begins with, too, are not digested again, if like was made so itself; like may be nil.
func NewContentLike(b []byte, like *Content) *Content {
	if len(b) < 2*block {
		return NewContent(b)
	}
	c := &Content{Bytes: b, marks: make([]hash.Cloner, 0, len(b)/block)}
	n := 0 // blocks that are the same
	for like != nil && n < len(like.marks) && (n+1)*block <= len(b) && bytes.Equal(b[n*block:(n+1)*block], like.Bytes[n*block:(n+1)*block]) {
		n++
	}
	sum := sha256.New().(hash.Cloner)
	if n > 0 {
		c.marks = append(c.marks, like.marks[:n]...)
		sum = clone(like.marks[n-1])
	}
	rest := b[n*block:]
	for ; len(rest) >= block; rest = rest[block:] {
		_, _ = sum.Write(rest[:block]) // a hash never fails
		c.marks = append(c.marks, clone(sum))
	}
	_, _ = sum.Write(rest)
	sum.Sum(c.Digest[:0])
	return c
}

// clone returns a copy of a digest, which SHA-256 always gives.
func clone(sum hash.Cloner) hash.Cloner {
	c, _ := sum.Clone()
	return c
}

// Extended is NewContent for b that begins with the bytes of c. If c was made so itself,
// only the bytes behind c's are digested.
func (c *Content) Extended(b []byte) *Content {
	sum, digested := sha256.New().(hash.Cloner), 0
	if c.sum != nil {
		sum, digested = clone(c.sum), len(c.Bytes)
	}
	_, _ = sum.Write(b[digested:]) // a hash never fails
	d := &Content{Bytes: b, sum: sum}
	sum.Sum(d.Digest[:0])
	return d
}
