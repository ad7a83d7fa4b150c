package fs

import (
	"sync/atomic"
	"time"
)

// A crowd is several threads that open files at the same time. What serves a crowd well, many threads
// of the daemon, costs a client that is alone the waking of another processor for each request.
type crowd struct {
	tell func(many bool) // called when it comes, and when it has gone; one call at a time

	last  atomic.Uint32 // thread that has opened a file last
	turns atomic.Uint32 // opens by another thread than the one before, since began
	began atomic.Int64  // when turns were counted from, in nanoseconds
	came  atomic.Int64  // when there were many last; 0: there are none
	busy  atomic.Bool   // somebody calls tell
}

// There is a crowd if that many turns come within crowdWindow. It is gone when there was none for
// crowdGone.
const (
	crowdTurns  = 16
	crowdWindow = 100 * time.Millisecond
	crowdGone   = time.Second
)

// monotonic returns a time in nanoseconds that only grows.
func monotonic() int64 { return int64(time.Since(started)) + 1 }

var started = time.Now()

// opened notes that a thread opens a file.
func (c *crowd) opened(thread uint32, now func() int64) {
	turned := c.last.Swap(thread) != thread
	came := c.came.Load()
	if !turned && came == 0 {
		return
	}
	at := now()
	many := false
	if turned {
		switch began := c.began.Load(); {
		case at-began > int64(crowdWindow):
			c.began.Store(at)
			c.turns.Store(1)
		case c.turns.Add(1) >= crowdTurns:
			c.began.Store(at)
			c.turns.Store(0)
			many = true
		}
	}
	switch {
	case many && came > 0:
		c.came.Store(at)
	case !many && (came == 0 || at-came <= int64(crowdGone)), c.busy.Swap(true):
	default:
		if many {
			c.came.Store(at)
		} else {
			c.came.Store(0)
		}
		c.tell(many)
		c.busy.Store(false)
	}
}
