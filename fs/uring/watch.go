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
	watchInterval = 5 * time.Millisecond // between two looks
	watchIdle     = 20                   // looks without a request, after which it sleeps
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
		for idle := 0; idle < watchIdle; idle++ {
			select {
			case <-w.stop:
				return
			case <-time.After(watchInterval):
			}
			if w.look(relieve) {
				idle = 0
			}
		}
		w.asleep.Store(true)
		if w.look(relieve) { // a handler began before it could rouse the watch
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

// look reports whether a thread has handled anything since the last look, or does.
func (w *watch) look(relieve func(t *thread, first bool)) (active bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.threads {
		step := t.step.Load()
		handling := step%2 == 1
		switch {
		case step != t.seen:
			active = true
		case handling:
			active = true
			if t.waits() {
				relieve(t, step != t.stuck)
				t.stuck = step
			}
		}
		t.seen = step
	}
	return active
}
