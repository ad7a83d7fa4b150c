package txn

import (
	"time"

	"clawfs/txn/merge"
	"clawfs/txn/seen"
)

// Outcome says how a transaction ended.
type Outcome uint8

// The ways in which a transaction ends.
const (
	Pending   Outcome = iota // it has not ended
	Committed                // the content became the head as it was written
	Merged                   // it was merged with commits of others
	Unchanged                // the head already was, or stays, as the writer wants it
	Rejected                 // it was refused; the content is in quarantine
	Aborted                  // its writer was killed; the content is in quarantine
)

// String returns the outcome in lower case, as logs and commands show it.
func (o Outcome) String() string {
	switch o {
	case Committed:
		return "committed"
	case Merged:
		return "merged"
	case Unchanged:
		return "unchanged"
	case Rejected:
		return "rejected"
	case Aborted:
		return "aborted"
	}
	return "pending"
}

// Via names the call, or the discovery, that ended a transaction.
type Via string

// The ways in which a transaction comes to its end.
const (
	ViaClose    Via = "close"
	ViaFsync    Via = "fsync"
	ViaAppend   Via = "append"   // whole lines were appended to JSON lines
	ViaRead     Via = "read"     // somebody has opened, or moved, a file that was being created
	ViaRelease  Via = "release"  // the last descriptor is gone, nobody is told the result
	ViaTruncate Via = "truncate" // truncate(2), without a handle
	ViaRename   Via = "rename"
	ViaLink     Via = "link"
	ViaUnlink   Via = "unlink"
	ViaPut      Via = "put"      // Tx.Put, however the transaction was ended
	ViaForeign  Via = "foreign"  // found in the backing directory, not written through clawfs
	ViaRecovery Via = "recovery" // an older version put back
	ViaPeer     Via = "peer"     // committed by another host (Event.Host)
)

// Event is one ended transaction, or a change found in the backing directory.
// It never holds a value of a document.
type Event struct {
	Name      string
	Outcome   Outcome
	Via       Via
	Writer    Caller
	Seq       uint64    // the version that is the head after it
	Parent    uint64    // the version that was the head before it
	Changed   bool      // whether the head is another one than before
	Deleted   bool      // whether the registry is gone after it
	Linked    bool      // whether the file has other names after it
	Beside    bool      // whether it was made by another name of the file that is no registry's
	Size      int64     // bytes of the head
	Time      time.Time // modification time of the head
	Was       time.Time // that of the same version before; zero: it had no other one
	Base      Base
	Conflicts []merge.Conflict
	Warnings  []merge.Warning
	Applied   []merge.Applied // rules that decided where both sides had made changes
	More      int             // how many more there were
	Kept      int             // entries of the head that a merge has kept and that the content lacks
	Err       error           // why it was rejected or aborted
	Copy      string          // id of the quarantined copy, if there is one
	Note      Note            // its purpose, as its writer says
	Host      string          // that has committed it; empty: this one
}

// Base tells the merge base that was taken, for people who want to know why a merge
// came out as it did.
type Base struct {
	Kind       BaseKind
	Digest     [32]byte
	Why        seen.Reason     // empty where nothing was seen
	Candidates []CandidateInfo // only where there were several
}

// BaseKind says where a merge base came from.
type BaseKind string

// Where a merge base comes from.
const (
	BaseNone     BaseKind = ""         // there was nothing to merge with
	BaseHead     BaseKind = "head"     // the writer means each of its bytes: it replaces the head
	BaseRead     BaseKind = "read"     // a version that the writer had read
	BaseWrite    BaseKind = "write"    // the writer's earlier write
	BaseInFlight BaseKind = "inflight" // content that the writer was still writing on another handle
	BaseOpen     BaseKind = "open"     // nothing was seen: the head at open, that is, replacement
	BaseAbsent   BaseKind = "absent"   // nothing was seen, and there was no registry at open
)

// CandidateInfo tells the fate of one candidate for the merge base.
type CandidateInfo struct {
	Digest [32]byte
	Write  bool   // the writer's write, else its reading
	Leaves int    // leaves in which the content differs from it, stamps aside
	Struck string // why it was not taken; empty for the one that was
}

// Observer is told of every event of a Store, after the event can be seen by
// readers. Calls come from the goroutine that ended the transaction, in the
// order of commits for one registry, and hold up the close of that file: they
// must be quick and must not call back into the Store.
type Observer interface {
	Observe(Event)
}

// ObserverFunc makes a function an Observer.
type ObserverFunc func(Event)

// Observe calls f.
func (f ObserverFunc) Observe(e Event) { f(e) }
