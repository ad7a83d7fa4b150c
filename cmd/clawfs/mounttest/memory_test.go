package mounttest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"clawfs/txn/txntest"
)

// The daemon's memory and descriptors don't grow with its work: commits, refusals, processes
// that have come and gone, registries and plain files.
func TestMemoryIsFlat(t *testing.T) {
	t.Parallel()
	need(t, "jq")
	m := newMount(t, "--durability", "interval", "--log-level", "warn")
	write(t, m.dir, "models.json", "{}")
	commits := setting(t, "CLAWFS_COMMITS", 3000)
	done := 0
	work := func(commits int) {
		t.Helper()
		for ; commits > 0; commits -= 500 {
			n := min(commits, 500)
			succeed(t, m.dir, program(t, "programs/commits.py", "models.json", strconv.Itoa(done), strconv.Itoa(n)))
			done += n
			// Processes that come and go, each with a view of its own, and files that do.
			succeed(t, m.dir, bash(fmt.Sprintf(`for ((i = 0; i < %d; i++)); do
				jq -c '.touched = %d' models.json > t && mv t models.json
				echo '[]' > "$i.json"; cat "$i.json" > plain-$i; rm "$i.json" plain-$i
			done`, n/50, done)))
		}
	}
	work(commits / 3)
	rss, fds := m.status("VmRSS"), m.descriptors()
	work(commits / 3)
	work(commits / 3)
	endRSS, endFDs := m.status("VmRSS"), m.descriptors()
	t.Logf("%d commits: %d KB, then %d KB; %d descriptors, then %d", commits, rss>>10, endRSS>>10, fds, endFDs)
	// Views of processes that have ended serve their kin for 90 s, longer than this
	// takes, and parsed documents stay for 30 s; a leak of a document for each commit
	// would be more over the commits of a campaign.
	if grown := endRSS - rss; grown > 48<<20 {
		t.Errorf("the daemon grew from %d KB to %d KB over %d commits", rss>>10, endRSS>>10, 2*commits/3)
	}
	// The kernel keeps names, and so descriptors, until it forgets them; those of removed files
	// go.
	if endFDs > fds+4 {
		t.Errorf("the daemon had %d descriptors, now %d", fds, endFDs)
	}
	if got := m.status("Threads"); got > 100 {
		t.Errorf("the daemon has %d threads", got)
	}
}

// All threads of the daemon may be woken late. That saves it a quarter of its time.
func TestTimersAreLazy(t *testing.T) {
	t.Parallel()
	want := "1000000\n"
	if txntest.DoesWithout("timer-slack") {
		want = "50000\n"
	}
	m := newMount(t)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", m.pid))
	if err != nil || len(threads) == 0 {
		t.Fatal("no threads:", err)
	}
	for _, thread := range threads {
		got, err := os.ReadFile(filepath.Join("/proc", filepath.Base(thread), "timerslack_ns"))
		if err == nil && string(got) != want {
			t.Errorf("thread %s has a slack of %s ns", filepath.Base(thread), got)
		}
	}
}

// descriptors counts the daemon's open files. It leaves out the descriptors by which the daemon
// holds the processes that asked last, a fixed number, and those of the threads of io_uring,
// which come when others are stuck, up to a fixed number, and stay.
func (m *mount) descriptors() int {
	m.t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(m.pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		m.t.Fatal(err)
	}
	count, processes, rings := 0, 0, 0
	for _, e := range entries {
		switch what, err := os.Readlink(filepath.Join(dir, e.Name())); {
		case err != nil: // it is closed by now
		case strings.Contains(what, "pidfd"):
			processes++
		case strings.Contains(what, "io_uring") || strings.Contains(what, "eventfd"):
			rings++
		default:
			count++
		}
	}
	if processes > 80 {
		m.t.Errorf("the daemon holds %d processes", processes)
	}
	const ofAQueue = 2 * 18 // descriptors, two of each thread
	if rings > 2+ofAQueue*runtime.NumCPU() {
		m.t.Errorf("the daemon holds %d rings and what belongs to them", rings)
	}
	return count
}
