package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"clawfs/fs/takeover"
)

// timerSlack is how late the kernel may wake the daemon's threads. Go's runtime has
// a thread that looks every 20 µs whether a system call takes long, as long as any
// does, and the daemon's requests begin and end with one; with the 50 µs of every
// process it takes a quarter of the daemon's processor time. Nothing that the
// daemon waits for is as short as this.
const timerSlack = time.Millisecond

// allowTimerSlack gives this process that slack. A thread inherits the slack of its
// maker, and the runtime has made its own by now: so the program is executed anew,
// once. Where that fails it goes on as it is.
func allowTimerSlack() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if has := slackOfThread(); has <= 0 || has >= timerSlack { // a real-time thread has none
		return
	}
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(timerSlack), 0, 0, 0) != nil || slackOfThread() != timerSlack {
		return
	}
	_ = syscall.Exec(takeover.SelfName, os.Args, os.Environ()) // the file may be another one by now
}

// The daemon's heap may grow by this before it is collected: a quarter of the live bytes, from
// 8 to 64 MiB. Most of the heap is text and trees without pointers, which cost a
// collection next to nothing: with Go's own 100 percent a registry of 100 MB took half as much
// again, and a commit was no faster. A small heap has nothing to save, and each collection
// would come after a few commits.
const (
	garbagePercent = 25
	leastGarbage   = 8 << 20
	mostGarbage    = 64 << 20
)

// limitGarbage has the Go runtime collect garbage early, unless the environment says when
// (GOGC). The runtime knows a percentage only, so each collection sets it anew for the next.
func limitGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(percentOfGarbage(0))
	type collected struct{ _ *byte } // with a pointer: it has a block of its own
	var again func(struct{})
	again = func(struct{}) {
		debug.SetGCPercent(percentOfGarbage(liveHeap()))
		runtime.AddCleanup(new(collected), again, struct{}{})
	}
	runtime.AddCleanup(new(collected), again, struct{}{})
}

// muchAtOnce is from where on garbage is collected before that many bytes are wanted: one
// allocation of this size goes beyond the growth that the heap is allowed otherwise.
const muchAtOnce = mostGarbage / 2

// collectFor collects garbage before many bytes are wanted at once, and gives it back to the
// system, since the new bytes seldom fit into the holes that it leaves. It takes much less
// time than a merge of that many bytes.
func collectFor(bytes int) {
	if bytes >= muchAtOnce && os.Getenv("GOGC") == "" {
		debug.FreeOSMemory()
	}
}

// percentOfGarbage returns by how many percent a heap with that many live bytes may grow.
func percentOfGarbage(live uint64) int {
	const least = 1 << 20 // the memory that a collection scans beside the heap counts for less than this
	live = max(live, least)
	return int(100 * min(max(live*garbagePercent/100, leastGarbage), mostGarbage) / live)
}

// liveHeap returns the size of the heap after the last collection, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// maxProcessors is how many of Go's processors serve requests where there are fewer cores. The
// thread that waits for the next request in read(2) keeps its processor for up to 10 ms, until
// the runtime takes it away, and a commit that waits for the disk keeps another: with one a
// core, requests wait for a processor that does nothing. Of 4, 8 and 16, eight was best on two
// cores. Two to three are kept so on any machine: with eight cores and more, enough should be
// left. That was not measured.
const maxProcessors = 8

// processorsForACrowd returns a function that gives the Go runtime more processors than there are
// cores while several threads at a time open files, and two at least else. For a client that is alone
// more would be too many: each of its requests would wake another core. It is nil where it is not
// wanted, or where the environment says how many there are (GOMAXPROCS).
func (o *mountOptions) processorsForACrowd() func(many bool) {
	if o.doesWithout(processors) || os.Getenv("GOMAXPROCS") != "" {
		return nil
	}
	cores := runtime.GOMAXPROCS(0)
	few := max(cores, 2)
	runtime.GOMAXPROCS(few)
	return func(many bool) {
		if many {
			runtime.GOMAXPROCS(processorsFor(cores))
		} else {
			runtime.GOMAXPROCS(few)
		}
	}
}

// processorsFor returns how many processors serve requests on that many cores.
func processorsFor(cores int) int {
	return max(cores, min(4*cores, maxProcessors))
}

// slackOfThread returns the slack of the calling thread, 0 for none.
func slackOfThread() time.Duration {
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return time.Duration(slack)
}
