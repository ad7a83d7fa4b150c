package main

import (
	"time"

	"go.uber.org/zap"

	"clawfs/txn"
)

const (
	// sweepEvery is the time between two looks for entries that have become too old.
	sweepEvery = 6 * time.Hour

	// fewRemoved is how many registries may go before their histories are looked at. Where much is
	// kept it takes an eighth of that, since all of it is looked at.
	fewRemoved = 256
)

// sweeper removes the histories of registries that do not exist any more, beyond the
// limits: at the start, when many have gone, and every now and then.
type sweeper struct {
	limits txn.Limits
	gone   chan struct{} // one for each registry that goes, as far as there is room
}

func newSweeper(o *mountOptions) *sweeper {
	return &sweeper{
		limits: txn.Limits{Room: int64(o.keepGoneSize), Age: time.Duration(o.keepGoneTime)},
		gone:   make(chan struct{}, fewRemoved),
	}
}

// Observe counts the registries that go.
func (w *sweeper) Observe(e txn.Event) {
	if e.Deleted {
		select {
		case w.gone <- struct{}{}:
		default:
		}
	}
}

// run sweeps until ended is closed.
func (w *sweeper) run(store *txn.Store, log *zap.Logger, ended <-chan struct{}) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		swept, err := store.Sweep(w.limits, func(name string) {
			log.Info("history removed", zap.String("registry", name))
		})
		if err != nil {
			log.Warn("the histories of registries that are gone cannot be limited", zap.Error(err))
		}
		if n := swept.Brief + swept.Over; n > 0 {
			log.Info("histories removed of registries that are gone", zap.Int("brief", swept.Brief), zap.Int("beyond limits", swept.Over), zap.Int("kept", swept.Kept))
		}
		if !w.wait(max(fewRemoved, swept.Kept/8), tick.C, ended) {
			return
		}
	}
}

// wait returns when so many registries have gone, or it is time; false at the end.
func (w *sweeper) wait(removed int, tick <-chan time.Time, ended <-chan struct{}) bool {
	for removed > 0 {
		select {
		case <-w.gone:
			removed--
		case <-tick:
			return true
		case <-ended:
			return false
		}
	}
	return true
}
