package mounttest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// replacements are the times in which one daemon took another one's place, and the calls of programs that took long.
type replacements struct {
	*survivors
	times []window
	calls map[string][]window // by their kinds
	holds []held
}

// window is a time, in nanoseconds of the monotonic clock.
type window struct{ began, ended int64 }

func (w window) overlaps(other window) bool { return w.began < other.ended && other.began < w.ended }

// held is what daemon and supervisor hold after a replacement.
type held struct {
	daemonFiles, supervisorFiles   int
	daemonMemory, supervisorMemory int64 // resident, bytes
	ledger                         int64 // bytes
}

// beginClients starts eight readers and eight writers that note which of their calls took long.
func (r *replacements) beginClients() {
	r.t.Helper()
	for i := range 8 {
		own := fmt.Sprintf("own-%d.json", i)
		write(r.t, r.m.dir, own, "{}")
		for _, work := range []string{"writes " + own, []string{"reads both.json", "reads " + own, "stats in-place.json", "reads plain.txt"}[i%4]} {
			kind, file, _ := strings.Cut(work, " ")
			log := filepath.Join(r.t.TempDir(), kind)
			r.clients[log] = startFor(r.t, r.limit, r.m.dir, program(r.t, "programs/waits.py", kind, filepath.Join(r.m.dir, file), log, r.stop))
		}
	}
}

// endClients reads the clients' notes.
func (r *replacements) endClients() {
	r.t.Helper()
	for log, p := range r.clients {
		if result := p.wait(); result.code != 0 {
			r.t.Errorf("%v", result)
			continue
		}
		text, err := os.ReadFile(log)
		if err != nil {
			r.t.Error(err)
		}
		kind := filepath.Base(log)
		for line := range strings.Lines(string(text)) {
			var w window
			if _, err := fmt.Sscan(line, &w.began, &w.ended); err == nil {
				r.calls[kind] = append(r.calls[kind], w)
			}
		}
	}
}

// kill kills the daemon at some instant, in the midst of a large commit if that is wanted, and waits for the next one.
func (r *replacements) kill(commits bool) {
	r.t.Helper()
	written := make(chan error, 1)
	if commits {
		text := fmt.Appendf(nil, `{"n": %d, "rest": %q}`, len(r.times), strings.Repeat("x", 1<<20))
		go func() { written <- os.WriteFile(filepath.Join(r.m.dir, "large.json"), text, 0o600) }()
		time.Sleep(time.Duration(rand.IntN(25_000)) * time.Microsecond)
	} else {
		written <- nil
		time.Sleep(time.Duration(rand.IntN(100_000)) * time.Microsecond)
	}
	before := len(r.log.read().daemons)
	w := window{began: monotonic(r.t)}
	if err := unix.Kill(r.log.daemons[before-1], unix.SIGKILL); err != nil {
		r.t.Fatal(err)
	}
	if !eventually(time.Minute, func() bool { return len(r.log.read().daemons) > before }) {
		r.t.Fatal("no other daemon has taken over")
	}
	w.ended = monotonic(r.t)
	r.m.pid = r.log.daemons[before]
	if err := <-written; err != nil {
		r.t.Errorf("a large commit: %v", err)
	}
	r.times = append(r.times, w)
}

// upgrade has a build take over.
func (r *replacements) upgrade(clawfs string) {
	r.t.Helper()
	w := window{began: monotonic(r.t)}
	if out, err := r.m.upgrades(clawfs, "--no-restart"); err != nil {
		r.t.Errorf("%v: %s", err, out)
	}
	w.ended = monotonic(r.t)
	r.times = append(r.times, w)
}

// measure notes what the processes hold, and says so.
func (r *replacements) measure() {
	r.t.Helper()
	supervisor := int(r.m.status("PPid"))
	files := func(pid int) (n int, ledger int64) {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			var st unix.Stat_t
			if to, err := os.Readlink(fd); err == nil && strings.Contains(to, "clawfs-ledger") && unix.Stat(fd, &st) == nil {
				ledger = st.Blocks * 512
			}
		}
		return len(fds), ledger
	}
	h := held{daemonMemory: r.m.status("VmRSS"), supervisorMemory: residentOf(supervisor)}
	h.daemonFiles, h.ledger = files(r.m.pid)
	h.supervisorFiles, _ = files(supervisor)
	r.holds = append(r.holds, h)
	r.t.Logf("after %d: daemon %d descriptors, %d MiB; supervisor %d descriptors, %d MiB; ledger %d KiB; %d commits", len(r.times),
		h.daemonFiles, h.daemonMemory>>20, h.supervisorFiles, h.supervisorMemory>>20, h.ledger>>10, r.log.read().commits)
}

// residentOf returns the resident memory of a process, in bytes.
func residentOf(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	var pages int64
	if fields := bytes.Fields(text); len(fields) > 1 {
		pages, _ = strconv.ParseInt(string(fields[1]), 10, 64)
	}
	return pages * int64(os.Getpagesize())
}

// longest returns for each of some times how long the longest call of a kind took that overlaps it, ascending.
func (r *replacements) longest(kinds []string, times []window) (all []time.Duration) {
	for _, w := range times {
		var most int64
		for _, kind := range kinds {
			for _, call := range r.calls[kind] {
				if call.overlaps(w) {
					most = max(most, call.ended-call.began)
				}
			}
		}
		all = append(all, time.Duration(most))
	}
	slices.Sort(all)
	return all
}

// report says how long clients waited, and for comparison between the replacements.
func (r *replacements) report() {
	r.t.Helper()
	var quiet []window
	for i := 1; i < len(r.times); i++ {
		before, w := r.times[i-1], r.times[i]
		length := w.ended - w.began
		if middle := (before.ended + w.began) / 2; middle+length/2 < w.began-int64(10*time.Millisecond) && middle-length/2 > before.ended {
			quiet = append(quiet, window{middle - length/2, middle + length/2})
		}
	}
	for _, what := range []struct {
		name  string
		kinds []string
	}{{"readers", []string{"reads", "stats"}}, {"writers", []string{"writes"}}, {"clients", []string{"reads", "stats", "writes"}}} {
		for _, when := range []struct {
			name  string
			times []window
		}{{"replacements", r.times}, {"quiet times of the same length", quiet}} {
			if all := r.longest(what.kinds, when.times); len(all) > 0 {
				at := func(percent int) time.Duration {
					return all[(len(all)-1)*percent/100].Round(100 * time.Microsecond)
				}
				r.t.Logf("%s waited at most, in %d %s: p50 %v, p90 %v, p99 %v, longest %v", what.name, len(all), when.name, at(50), at(90), at(99), at(100))
			}
		}
	}
	if last := len(r.holds) - 1; last > 1 {
		if a, b := r.holds[1], r.holds[last]; b.daemonFiles > 2*a.daemonFiles+100 || b.supervisorFiles > a.supervisorFiles+4 || b.supervisorMemory > 2*a.supervisorMemory {
			r.t.Errorf("descriptors or memory grow: %+v, %+v", a, b)
		}
	}
}

// The daemon is replaced again and again, under programs of all kinds. scripts/campaign-takeover says how often, and
// whether by kills or by upgrades.
func TestTakeoverCampaign(t *testing.T) {
	if os.Getenv("CLAWFS_KILLS") == "" {
		t.Skip("scripts/campaign-takeover runs it")
	}
	times := setting(t, "CLAWFS_KILLS", 1)
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	builds := []string{otherBuild(t), clawfs}
	m := newMount(t, "--takeover", "--most-deaths", strconv.Itoa(2*times+10))
	r := &replacements{survivors: newSurvivors(m, time.Duration(times+10)*time.Minute), calls: make(map[string][]window)}
	succeed(t, m.dir, program(t, "programs/database.py", "base.db", "1", "first")) // two that turn to WAL mode at once get in each other's way
	r.beginWriters()
	r.beginWorks("watched watched-0.json", "watched watched-1.json", "database base.db", "database base.db", "database base.db", "cuts cuts.txt")
	r.beginClients()
	for i := range times {
		if !r.awaitCommits(10) || t.Failed() {
			break
		}
		if os.Getenv("CLAWFS_UPGRADES") != "" {
			r.upgrade(builds[i%2])
		} else {
			r.kill(i%3 == 0)
		}
		if (i+1)%max(1, times/20) == 0 {
			r.measure()
		}
	}
	acknowledged, lost := r.end()
	r.endClients()
	r.report()
	if to := os.Getenv("CLAWFS_KEPT_LOG"); to != "" {
		if err := os.WriteFile(to, []byte(m.logText()), 0o600); err != nil {
			t.Error(err)
		}
	}
	t.Logf("campaign: %d replacements, %d acknowledged, %d lost or there twice", len(r.times), acknowledged, lost)
}
