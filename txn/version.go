package txn

import (
	"crypto/sha256"
	"time"
)

// Actor is a process, told by its thread-group id and a number that tells two
// processes with the same id apart (its start). The zero Actor is a process
// that could not be told, for instance one in another pid namespace.
type Actor struct {
	PID   int
	Start uint64
}

// Known reports whether the actor could be told.
func (a Actor) Known() bool { return a.PID != 0 }

// Caller is an actor with what the log says of it and the processes it
// descends from, nearest first.
type Caller struct {
	Actor
	Program   string
	UID       uint32
	Ancestors []Actor
}

// Version is one committed state of a registry. It is immutable.
type Version struct {
	Seq    uint64    // position in the total order of the registry's commits, from 1
	Parent uint64    // the version it replaced, 0 for the first
	Digest [32]byte  // SHA-256 of the content
	Size   int64     // bytes
	Time   time.Time // modification time, different from every other version's
	Writer Actor

	content *content
}

// Bytes returns the content. It must not be changed.
func (v *Version) Bytes() []byte { return v.content.bytes }

// withTime returns a copy of v with another modification time.
func (v *Version) withTime(t time.Time) *Version {
	w := *v
	w.Time = t
	return &w
}

// content is what one document holds, in bytes. It is immutable, and shared by
// versions and views.
type content struct {
	bytes  []byte
	digest [32]byte
}

func newContent(b []byte) *content { return &content{bytes: b, digest: sha256.Sum256(b)} }
