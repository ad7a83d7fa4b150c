package main

import (
	"io/fs"
	"sync"
	"time"

	"clawfs/txn"
)

// counters count what a daemon has done since it began to serve. What status
// shows and what is exported as metrics both come from here.
type counters struct {
	mu        sync.Mutex // guards what follows
	outcomes  [txn.Aborted + 1]uint64
	conflicts uint64
	adopted   uint64    // changes found in the directory
	recovered uint64    // older versions put back
	writes    durations // of putting a batch of commits on disk
}

// Observe counts an event of the store.
func (c *counters) Observe(e txn.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conflicts += uint64(len(e.Conflicts))
	switch {
	case e.Via == txn.ViaRecovery:
		c.recovered++
	case e.Via == txn.ViaForeign && e.Outcome == txn.Committed:
		c.adopted++
	default:
		c.outcomes[e.Outcome]++
	}
}

// tally is what the counters say at one moment.
type tally struct {
	outcomes                      [txn.Aborted + 1]uint64
	conflicts, adopted, recovered uint64
	writes                        durations
}

func (c *counters) tally() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return tally{c.outcomes, c.conflicts, c.adopted, c.recovered, c.writes}
}

// The buckets of durations: the first ends at firstBucket, each at twice the one
// before, and what takes longer than the last is in none.
const (
	firstBucket = 50 * time.Microsecond
	buckets     = 20
)

// durations is a distribution of times.
type durations struct {
	counts  [buckets]uint64
	n       uint64
	sum     time.Duration
	longest time.Duration
}

func (d *durations) add(t time.Duration) {
	d.n++
	d.sum += t
	d.longest = max(d.longest, t)
	for i, end := 0, firstBucket; i < buckets; i, end = i+1, 2*end {
		if t <= end {
			d.counts[i]++
			return
		}
	}
}

// quantile returns a time that a share of all, between 0 and 1, did not exceed:
// the end of its bucket, so that it is at most twice the true one.
func (d *durations) quantile(share float64) time.Duration {
	var seen uint64
	for i, end := 0, firstBucket; i < buckets; i, end = i+1, 2*end {
		if seen += d.counts[i]; seen > 0 && float64(seen) >= share*float64(d.n) {
			return min(end, d.longest)
		}
	}
	return d.longest
}

// timedStorage tells counters how long each batch of commits takes to be on disk.
type timedStorage struct {
	txn.Storage
	counters *counters
}

// Commit is the storage's.
func (s timedStorage) Commit(name, stamp string, seq, oldSeq uint64, content []byte, digest [32]byte, mtime time.Time, like fs.File) (string, bool, error) {
	start := time.Now()
	newStamp, ok, err := s.Storage.Commit(name, stamp, seq, oldSeq, content, digest, mtime, like)
	if ok && err == nil {
		s.counters.mu.Lock()
		s.counters.writes.add(time.Since(start))
		s.counters.mu.Unlock()
	}
	return newStamp, ok, err
}
