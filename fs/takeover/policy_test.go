package takeover

import (
	"testing"
	"time"
)

func TestPolicy(t *testing.T) {
	p := Policy{Most: 3, Within: time.Minute, Pauses: []time.Duration{0, time.Second}}
	var d deaths
	start := time.Now()
	for _, death := range []struct {
		after time.Duration
		pause time.Duration
		again bool
	}{
		{0, 0, true},
		{10 * time.Second, time.Second, true},
		{65 * time.Second, time.Second, true}, // the first one is forgotten
		{69 * time.Second, 0, false},
		{200 * time.Second, 0, true},
	} {
		if pause, again := d.add(start.Add(death.after), p); pause != death.pause || again != death.again {
			t.Errorf("after %v: %v, %t", death.after, pause, again)
		}
	}
}
