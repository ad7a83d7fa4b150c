package main

import (
	"time"

	"clawfs/txn"
)

// pastMinutes is how many minutes a daemon remembers.
const pastMinutes = 24 * 60

// minute holds a daemon's counts of one minute.
type minute struct {
	start                               int64 // minutes since 1970
	commits, merged, conflicts, refused uint32
	writes                              [buckets]uint32 // batches put on disk, by how long that took, as in durations
}

// past holds a daemon's counts, minute by minute. Its place for a minute is that of the
// minute a day before.
type past [pastMinutes]minute

// at returns the minute that a time is in.
func (p *past) at(t time.Time) *minute {
	start := t.Unix() / 60
	m := &p[start%pastMinutes]
	if m.start != start {
		*m = minute{start: start}
	}
	return m
}

// count counts an event.
func (m *minute) count(e *txn.Event) {
	m.conflicts += uint32(len(e.Conflicts))
	switch e.Outcome {
	case txn.Committed:
		m.commits++
	case txn.Merged:
		m.commits++
		m.merged++
	case txn.Rejected, txn.Aborted:
		m.refused++
	}
}

// pastMinute is a minute as the daemon tells of it.
type pastMinute struct {
	Start     time.Time `json:"start"`
	Commits   uint32    `json:"commits"` // the merged ones included
	Merged    uint32    `json:"merged"`
	Conflicts uint32    `json:"conflicts"`
	Refused   uint32    `json:"refused"`
	Median    float64   `json:"p50"` // of putting a batch of commits on disk, in seconds
	P99       float64   `json:"p99"`
}

// since returns the minutes from a time on in which something was done, oldest first.
func (p *past) since(t, now time.Time) []pastMinute {
	out := []pastMinute{}
	for start := max(t.Unix()/60, now.Unix()/60-pastMinutes+1); start <= now.Unix()/60; start++ {
		m := p[start%pastMinutes]
		if m.start != start {
			continue
		}
		var d durations
		for i, n := range m.writes {
			d.counts[i] = uint64(n)
			d.n += uint64(n)
		}
		d.longest = firstBucket << (buckets - 1)
		one := pastMinute{Start: time.Unix(60*start, 0), Commits: m.commits, Merged: m.merged, Conflicts: m.conflicts, Refused: m.refused}
		if d.n > 0 {
			one.Median, one.P99 = d.quantile(0.5).Seconds(), d.quantile(0.99).Seconds()
		}
		out = append(out, one)
	}
	return out
}
