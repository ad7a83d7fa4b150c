package view

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"clawfs/backing"
)

// The states of a directory.
const (
	Serving   = "serving"
	Dead      = "dead"        // the daemon of its mount is gone
	Silent    = "silent"      // … can't be asked
	Unmounted = "not mounted" // it is an ordinary directory, with a history
)

// Dir is a directory that the page shows.
type Dir struct {
	Path  string // absolute, free of symbolic links
	State string
}

// ID names the directory in addresses.
func (d Dir) ID() string {
	sum := sha256.Sum256([]byte(d.Path))
	return hex.EncodeToString(sum[:6])
}

// Sources give the page its facts.
type Sources interface {
	// Dirs lists the directories that are there.
	Dirs() ([]Dir, error)
	// Status asks the daemon of a mount. The State that it returns may be another one.
	Status(ctx context.Context, d Dir) Status
	// Watch calls told with the name of each registry that something has happened to, until ctx
	// ends or the daemon does.
	Watch(ctx context.Context, d Dir, told func(name string)) error
	// Look opens a directory for looking only.
	Look(d Dir) (*backing.Dir, error)
	// There calls found with the name of each registry that is in the directory.
	There(d Dir, found func(name string)) error
}

// Status is a daemon's account of itself. Counts are since it began to serve.
type Status struct {
	State        string
	PID          int
	Version      string
	Since        time.Time
	Memory       int64  // bytes
	Open         int    // transactions
	Commits      uint64 // the merged ones included
	Merged       uint64
	Conflicts    uint64
	Refused      uint64
	Past         []Minute      // oldest first
	Median, Slow time.Duration // of putting a batch on disk: half, and 99 of 100, are done within that
}

// Minute holds a daemon's counts of one minute.
type Minute struct {
	Start                               time.Time
	Commits, Merged, Conflicts, Refused uint64 // Commits: the merged ones included
	Median, Slow                        time.Duration
}
