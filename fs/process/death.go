package process

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Flags of a task, and the bit of SIGKILL among pending signals
// (linux/sched.h).
const (
	flagExiting  = 0x4
	flagForked   = 0x40 // it was forked and has not called exec
	flagSignaled = 0x400
	bitKilled    = 1 << (9 - 1)
)

// DeathSignal returns the signal by which a thread is dying that closes a file; 0 where it
// dies of its own accord, or not at all.
//
// /proc/TID/stat tells it, but makes the reader wait while the thread is in the middle of
// an exec. A thread that is exiting has given up its memory before it closes its files, and
// one that executes a program has not; statm tells that without waiting.
func DeathSignal(tid int) int {
	proc := "/proc/" + strconv.Itoa(tid)
	statm, err := readProc(proc + "/statm")
	if err != nil || !bytes.HasPrefix(statm, []byte("0 ")) {
		return 0
	}
	text, err := readProc(proc + "/stat")
	if err != nil {
		return 0
	}
	flags, status, ok := parseStat(text)
	if !ok || flags&flagExiting == 0 {
		return 0
	}
	if signal := int(status & 0x7f); signal != 0 {
		return signal
	}
	if status == 0 && flags&flagSignaled != 0 && isKilled(proc) {
		return int(unix.SIGKILL) // not everybody is shown the status
	}
	return 0
}

// hasOnlyForked reports whether a process was forked and has not executed a program
// since. One of its threads must be in a request that is no part of an exec: then none of
// its threads holds the lock that /proc/PID/stat waits for. The kernel sets the flag for
// each new thread, so that only the first one's counts.
func hasOnlyForked(pid int) (bool, error) {
	text, err := readProc("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false, err
	}
	flags, _, ok := parseStat(text)
	if !ok {
		return false, errors.New("/proc/PID/stat has other fields")
	}
	return flags&flagForked != 0, nil
}

// parseStat returns flags and exit code of a task out of /proc/TID/stat: fields
// 9 and 52, the name in parentheses being the second.
func parseStat(text []byte) (flags, status uint64, ok bool) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return 0, 0, false
	}
	fields := bytes.Fields(text[end+1:])
	const first = 3 // number of the first field behind the name
	if len(fields) <= 52-first {
		return 0, 0, false
	}
	flags, err := strconv.ParseUint(string(fields[9-first]), 10, 64)
	if err != nil {
		return 0, 0, false
	}
	status, err = strconv.ParseUint(string(fields[52-first]), 10, 64)
	return flags, status, err == nil
}

// isKilled reports whether SIGKILL is pending for a process.
func isKilled(proc string) bool {
	text, err := readProc(proc + "/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "ShdPnd:"); ok {
			pending, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return err == nil && pending&bitKilled != 0
		}
	}
	return false
}
