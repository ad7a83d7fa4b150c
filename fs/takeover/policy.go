package takeover

import "time"

// Policy says when a daemon that died is started again.
type Policy struct {
	Most   int             // so many deaths within Within are too many
	Within time.Duration   //
	Pauses []time.Duration // before the start after the first death within Within, the second …; the last one holds for all more
	Ask    time.Duration   // how often the daemon is asked whether it lives; it is killed in the second round without an answer
}

// DefaultPolicy gives up at the fifth death within a minute, starts at once after the first two,
// and finds a daemon that hangs within 45 seconds.
func DefaultPolicy() Policy {
	return Policy{
		Most: 5, Within: time.Minute,
		Pauses: []time.Duration{0, 0, 100 * time.Millisecond, time.Second},
		Ask:    15 * time.Second,
	}
}

// deaths are those that were not long ago, oldest first.
type deaths []time.Time

// add notes a death. It returns how long to wait before the next start; again is false where
// there were too many.
func (d *deaths) add(now time.Time, p Policy) (pause time.Duration, again bool) {
	kept := (*d)[:0]
	for _, at := range *d {
		if now.Sub(at) < p.Within {
			kept = append(kept, at)
		}
	}
	*d = append(kept, now)
	if len(*d) >= p.Most {
		return 0, false
	}
	if len(p.Pauses) > 0 {
		pause = p.Pauses[min(len(*d), len(p.Pauses))-1]
	}
	return pause, true
}
