package fs

import (
	"slices"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// A crowd comes when threads open files in turn, quickly, and is gone a second after the last of that
// when somebody opens a file.
func TestACrowdComesAndGoes(t *testing.T) {
	var told []bool
	c := crowd{tell: func(many bool) { told = append(told, many) }}
	now := int64(time.Hour)
	open := func(n, threads int, pause time.Duration) {
		for i := range n {
			c.opened(uint32(100+i%threads), func() int64 { return now })
			now += int64(pause)
		}
	}
	want := func(what string, want ...bool) {
		t.Helper()
		if !slices.Equal(told, want) {
			t.Errorf("after %s: %v, want %v", what, told, want)
		}
	}
	open(1000, 1, time.Millisecond)
	want("one thread")
	open(200, 2, 10*time.Millisecond)
	want("two threads that take their time")
	open(crowdTurns-2, 8, time.Millisecond)
	want("few opens")
	now += int64(time.Second)
	open(3*crowdTurns, 8, time.Millisecond)
	want("eight threads", true)
	open(50, 1, 10*time.Millisecond)
	want("half a second of one thread", true)
	open(200, 8, time.Millisecond)
	open(90, 1, 10*time.Millisecond)
	want("eight threads once more, and nine tenths of a second of one", true)
	open(20, 1, 10*time.Millisecond)
	want("more than a second of one thread", true, false)
	open(100, 8, time.Millisecond)
	want("another crowd", true, false, true)
}

// Each request to open a file counts.
func TestOpensAreCountedForACrowd(t *testing.T) {
	came := false
	r := requests{fuse.NewDefaultRawFileSystem(), &fileSystem{crowd: crowd{tell: func(many bool) { came = many }}}}
	for i := range uint32(10 * crowdTurns) {
		var in fuse.OpenIn
		in.Pid = i % 8
		r.Open(nil, &in, &fuse.OpenOut{})
	}
	if !came {
		t.Error("eight threads are no crowd")
	}
}
