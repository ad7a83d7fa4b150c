package main

import (
	"io/fs"
	"sync"
	"time"

	"clawfs/txn"
)

// counters count the events and writes of a daemon since it began to serve. The figures of
// status and the metrics both come from here.
type counters struct {
	mu        sync.Mutex // guards the fields below
	outcomes  [txn.Aborted + 1]uint64
	conflicts uint64
	adopted   uint64    // changes found in the directory
	recovered uint64    // older versions put back
	writes    durations // of putting a batch of commits on disk
	past      past
}

// Observe counts an event of the store.
func (c *counters) Observe(e txn.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conflicts += uint64(len(e.Conflicts))
	switch {
	case e.Via == txn.ViaRecovery:
		c.recovered++
	case (e.Via == txn.ViaForeign || e.Via == txn.ViaPeer) && e.Outcome == txn.Committed:
		c.adopted++
	default:
		c.outcomes[e.Outcome]++
		c.past.at(time.Now()).count(&e)
	}
}

// tally holds the counts of one moment.
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

// The buckets of durations: the first ends at firstBucket, each at twice the one before, and a
// duration longer than the last is in none.
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
	if i := bucketOf(t); i < buckets {
		d.counts[i]++
	}
}

// bucketOf returns the index of the bucket that a time is in; buckets if it is in none.
func bucketOf(t time.Duration) (i int) {
	for end := firstBucket; i < buckets && t > end; i, end = i+1, 2*end {
	}
	return i
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

// noteWrite counts a batch that has got on disk.
func (c *counters) noteWrite(now time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes.add(took)
	if i := bucketOf(took); i < buckets {
		c.past.at(now).writes[i]++
	}
}

// pastSince returns the figures from a time on, by the minute.
func (c *counters) pastSince(t time.Time) []pastMinute {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.past.since(t, time.Now())
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
		s.counters.noteWrite(time.Now(), time.Since(start))
	}
	return newStamp, ok, err
}
