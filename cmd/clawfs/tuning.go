package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// timerSlack is how late the kernel may wake the daemon's threads. Go's runtime has
// a thread that looks every 20 µs whether a system call takes long, as long as any
// does, and the daemon's requests begin and end with one; with the 50 µs of every
// process it takes a quarter of the daemon's processor time. Nothing that the
// daemon waits for is as short as this.
const timerSlack = time.Millisecond

// allowTimerSlack gives this process that slack. A thread has what the one had that
// made it, and the runtime has made its own by now: so the program is executed anew,
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
	if program, err := os.Executable(); err == nil {
		_ = syscall.Exec(program, os.Args, os.Environ())
	}
}

// garbagePercent is how much the daemon's heap may grow by garbage before that is
// collected, unless the environment says so (GOGC). Most of what it holds is text and
// trees without pointers, which cost a collection next to nothing: with Go's own 100
// a registry of 100 MB took half as much again, and a commit was no faster.
const garbagePercent = 25

// limitGarbage has the Go runtime collect garbage early.
func limitGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

// slackOfThread returns the slack of the calling thread, 0 for none.
func slackOfThread() time.Duration {
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return time.Duration(slack)
}
