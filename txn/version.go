package txn

import (
	"time"

	"clawfs/txn/seen"
)

// Actor is a process.
type Actor = seen.Actor

// Caller is an actor with the log's facts about it.
type Caller = seen.Caller

// Tick is a place in the store-wide order of events.
type Tick = seen.Tick

// Origin names the writer of a file that is about to become a registry, and the place
// in the order of events up to which its views count.
type Origin = seen.Origin

// Version is one committed state of a registry. It is immutable.
type Version struct {
	Seq    uint64    // position in the total order of the registry's commits, from 1
	Parent uint64    // the version it replaced, 0 for the first
	Digest [32]byte  // SHA-256 of the content
	Size   int64     // bytes
	Time   time.Time // modification time
	Writer Actor

	content *seen.Content
	dialect Dialect // as far as the content has said it

	// from is a place in the order of events. A process that saw the registry there or later
	// saw a version that this one goes on from. Before it another document had the name, or
	// nothing.
	from Tick

	// lines says that the content is known to be JSON lines.
	lines bool

	// firstLines are lines that other writers had begun the registry with. They are kept while
	// this version may be a first line, too.
	firstLines []*seen.Content
}

// Bytes returns the content. It must not be changed.
func (v *Version) Bytes() []byte { return v.content.Bytes }

// contentOf returns the content, nil for no version.
func (v *Version) contentOf() *seen.Content {
	if v == nil {
		return nil
	}
	return v.content
}

// Blank reports whether it is none yet: an empty file that somebody has created and
// nobody has filled.
func (v *Version) Blank() bool { return v.Seq == 0 }

// is reports whether two are one version, modification times aside.
func (v *Version) is(o *Version) bool { return v.Seq == o.Seq && v.Digest == o.Digest }

// withTime returns a copy of v with another modification time.
func (v *Version) withTime(t time.Time) *Version {
	w := *v
	w.Time = t
	return &w
}

// newContent returns content that holds b, which is much like a version; that may be nil.
func (r *Registry) newContent(b []byte, like *Version) *seen.Content {
	if r.store.cfg.Whole {
		return seen.NewContent(b)
	}
	return seen.NewContentLike(b, like.contentOf())
}
