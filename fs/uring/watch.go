package uring

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// watch notices a thread that is stuck in a handler that was thought quick, as on a disk
// that has to be read after all: until it is through, the requests in its other entries
// wait. Then its queue is given relief, for the requests that come. As long as no thread
// handles anything, the watch is asleep.
type watch struct {
	asleep atomic.Bool
	wake   chan struct{} // of one
	stop   chan struct{} // closed at the end

	mu      sync.Mutex // guards threads
	threads []*thread
}

const (
	watchInterval = 5 * time.Millisecond  // between two looks, while many requests come, or one is handled
	watchSeldom   = 20 * time.Millisecond // otherwise: a look costs more than a few requests do
	watchMany     = 20                    // steps of all threads since the last look
	watchIdle     = 5                     // looks without a request, after which it sleeps
)

func newWatch() *watch {
	w := &watch{wake: make(chan struct{}, 1), stop: make(chan struct{})}
	w.asleep.Store(true)
	return w
}

func (w *watch) add(t *thread) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.threads = append(w.threads, t)
}

// rouse is called when a handler begins.
func (w *watch) rouse() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}

// run calls relieve for each thread that is stuck, again and again as long as it is, until
// the end.
func (w *watch) run(relieve func(t *thread, first bool)) {
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
		}
		interval := watchInterval
		for idle := 0; idle < watchIdle; idle++ {
			select {
			case <-w.stop:
				return
			case <-time.After(interval):
			}
			steps, handling := w.look(relieve)
			if steps > 0 || handling {
				idle = 0
			}
			interval = watchSeldom
			if steps >= watchMany || handling {
				interval = watchInterval
			}
		}
		w.asleep.Store(true)
		if steps, handling := w.look(relieve); steps > 0 || handling { // a handler began before it could rouse the watch
			w.rouse()
		}
	}
}

// waits reports whether the thread waits in the kernel. One that is about to run would be no
// better off with another beside it.
func (t *thread) waits() bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", t.id.Load()))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
	return strings.HasPrefix(state, "S") || strings.HasPrefix(state, "D")
}

// look returns how many steps the threads have made since the last look, and whether one handles a
// request.
func (w *watch) look(relieve func(t *thread, first bool)) (steps uint64, handling bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.threads {
		step := t.step.Load()
		handles := step%2 == 1
		if handles && step == t.seen && t.waits() {
			relieve(t, step != t.stuck)
			t.stuck = step
		}
		steps += step - t.seen
		handling = handling || handles
		t.seen = step
	}
	return steps, handling
}
