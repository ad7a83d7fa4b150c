package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
	"clawfs/fs"
	"clawfs/fs/mountpoint"
	"clawfs/txn"
)

// The states of a mount.
const (
	stateServing = "serving"
	stateDead    = "dead"   // its daemon is gone
	stateSilent  = "silent" // its daemon can't be asked: it is another user's, or it is stuck
)

// status is a daemon's account of itself, as status --json prints it. Counts are
// since it began to serve.
type status struct {
	Dir        string      `json:"dir"`
	State      string      `json:"state"`
	PID        int         `json:"pid,omitempty"`
	Version    string      `json:"version,omitempty"`
	Since      time.Time   `json:"since,omitzero"`
	Uptime     float64     `json:"uptime_seconds,omitempty"`
	Registries int         `json:"registries"`         // that are there
	Dialects   dialects    `json:"dialects,omitempty"` // of those that are not in strict JSON, by their names
	Open       int         `json:"open_transactions"`  //
	Commits    uint64      `json:"commits"`            // the merged ones included
	Merged     uint64      `json:"merged"`             //
	Unchanged  uint64      `json:"unchanged"`          //
	Conflicts  uint64      `json:"conflicts"`          // that the policy decided
	Rejected   uint64      `json:"rejected"`           //
	Aborted    uint64      `json:"aborted"`            //
	Adopted    uint64      `json:"adopted"`            // changes made behind clawfs
	Recovered  uint64      `json:"recovered"`          // older versions put back
	Batches    uint64      `json:"batches"`            // of commits that were written to disk together
	BatchTime  batchTiming `json:"batch_seconds"`
	Memory     int64       `json:"memory_bytes,omitempty"` // resident
	Transport  *transport  `json:"transport,omitempty"`
	Takeover   *takeovers  `json:"takeover,omitempty"` // nil: no other daemon would take over

	Cluster *clusterStatus `json:"cluster,omitempty"`
}

// takeovers says how often a daemon has died and another one has taken over.
type takeovers struct {
	Count int       `json:"count"`
	Last  time.Time `json:"last,omitzero"`
}

// transport names the way by which the kernel's requests come.
type transport struct {
	Name    string `json:"name"`                    // device, io_uring
	Reason  string `json:"reason,omitempty"`        // why it is the device, where either would do
	Entries int    `json:"entries,omitempty"`       // of io_uring: requests that the daemon can have at once
	Largest int    `json:"largest_bytes,omitempty"` // that one request reads or writes
	Memory  int64  `json:"memory_bytes,omitempty"`  // that the entries take at most
}

// batchTiming is how long batches took to be on disk, in seconds.
type batchTiming struct {
	Median  float64 `json:"p50"`
	P90     float64 `json:"p90"`
	P99     float64 `json:"p99"`
	Longest float64 `json:"max"`
}

func newStatusCommand(out streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [flags] [DIR]",
		Short: "Show the mounts and their counters",
		Long: "status shows the mount on a directory, or all mounts of clawfs: whether the daemon serves, since\n" +
			"when, and how many transactions have ended since then, by outcome.",
		Args:              atMostOne("a directory"),
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:           "  clawfs status --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			mounts, err := mountsOf(args)
			if err != nil {
				return err
			}
			for _, m := range mounts {
				s := statusOf(cmd.Context(), m)
				if asJSON {
					err = out.printJSON(s)
				} else {
					err = out.printStatus(s)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// mountsOf returns the mount on the directory that is given, or all. The error is
// a *notMountedError where there is none.
func mountsOf(args []string) ([]mountpoint.Point, error) {
	if len(args) == 0 {
		mounts, err := mountpoint.All()
		if err == nil && len(mounts) == 0 {
			err = &failure{Code: exitNotMounted, Message: "clawfs is mounted nowhere", Hint: "clawfs mount DIR"}
		}
		return mounts, err
	}
	m, err := mountpoint.Find(args[0])
	if err == nil && !m.IsClawfs() {
		err = notMounted(m)
	}
	return []mountpoint.Point{m}, err
}

// statusOf asks the daemon of a mount.
func statusOf(ctx context.Context, m mountpoint.Point) status {
	if m.IsDead() {
		return status{Dir: m.Dir, State: stateDead}
	}
	silent := status{Dir: m.Dir, State: stateSilent}
	conn, err := ask(m, askStatus)
	if err != nil {
		var e *silentError
		if errors.As(err, &e) {
			silent.PID = e.PID
		}
		return silent
	}
	defer conn.Close()
	if conn.SetReadDeadline(time.Now().Add(askPatience)) != nil {
		return silent
	}
	s := status{}
	if json.NewDecoder(conn).Decode(&s) != nil {
		return silent
	}
	s.Dir = m.Dir // as it is called here
	return s
}

// status describes the served directory and the work of the daemon.
func (d *servedDir) status() status {
	t := d.counters.tally()
	s := status{
		Dir: d.path, State: stateServing, PID: os.Getpid(), Version: build().Version, Since: d.since, Uptime: time.Since(d.since).Seconds(),
		Open:    d.store.Transactions(),
		Commits: t.outcomes[txn.Committed] + t.outcomes[txn.Merged], Merged: t.outcomes[txn.Merged], Unchanged: t.outcomes[txn.Unchanged],
		Conflicts: t.conflicts, Rejected: t.outcomes[txn.Rejected], Aborted: t.outcomes[txn.Aborted],
		Adopted: t.adopted, Recovered: t.recovered, Batches: t.writes.n, Memory: residentMemory(),
		BatchTime: batchTiming{
			Median: t.writes.quantile(0.5).Seconds(), P90: t.writes.quantile(0.9).Seconds(),
			P99: t.writes.quantile(0.99).Seconds(), Longest: t.writes.longest.Seconds(),
		},
	}
	s.Registries, s.Dialects = d.registries()
	way := transport(d.transport())
	s.Transport = &way
	if d.keeper != nil {
		past := d.keeper.Past()
		s.Takeover = &takeovers{Count: past.Generation - 1, Last: past.Last}
	}
	s.Cluster = d.sharing.status()
	return s
}

// dialects are those of registries, by their names.
type dialects map[string]string

// registries counts the registries in the directory, as far as it can be read, and returns
// the dialects of these where they are not strict.
func (d *servedDir) registries() (n int, all dialects) {
	noted := d.store.Dialects()
	all = make(dialects)
	root := fmt.Sprintf("/proc/self/fd/%d/.", d.dir.Fd())
	_ = versions.WalkRegistries(root, root, d.patterns, func(name string, err error) error {
		if err != nil {
			return nil
		}
		n++
		is, ok := noted[name]
		if !ok {
			if last := versions.LastRecord(d.dir, name); last.Seq > 0 && !last.Deleted {
				is = txn.ParseDialect(last.Dialect)
			}
		}
		if settled, ok := d.live.Dialect(name); ok && is != txn.Plain {
			is = settled
		}
		if is != txn.Strict {
			all[name] = is.String()
		}
		return nil
	})
	return n, all
}

// residentMemory returns the resident memory of the process, in bytes; 0 if that
// can't be told.
func residentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// printStatus prints the status of a mount for people.
func (s streams) printStatus(v status) error {
	switch v.State {
	case stateDead:
		err := s.printf("%s  %s, its daemon is gone\n", v.Dir, s.paintOut(red, v.State))
		return err
	case stateSilent:
		err := s.printf("%s  %s, its daemon can't be asked\n", v.Dir, s.paintOut(yellow, v.State))
		return err
	}
	err := s.printf("%s  %s since %s (%s), process %d, version %s, %s\n"+
		"  %s, %s open\n"+
		"  %s, %d merged; %s; %d unchanged, %d rejected, %d aborted, %d adopted, %d recovered\n"+
		"  %s on disk%s\n",
		v.Dir, s.paintOut(green, v.State), v.Since.Local().Format("2006-01-02 15:04:05"), time.Duration(v.Uptime*float64(time.Second)).Round(time.Second),
		v.PID, v.Version, humanize.IBytes(uint64(v.Memory)),
		versions.Count(v.Registries, "registry", "registries"), versions.Count(v.Open, "transaction"),
		versions.Count(int(v.Commits), "commit"), v.Merged, versions.Count(int(v.Conflicts), "conflict"), v.Unchanged, v.Rejected, v.Aborted, v.Adopted, v.Recovered,
		versions.Count(int(v.Batches), "batch", "batches"), v.batchText())
	if err == nil && v.Transport != nil {
		_, err = fmt.Fprintf(s.stdout, "  requests by %s\n", transportText(*v.Transport))
	}
	if err == nil && v.Takeover != nil {
		err = s.printf("  another daemon would take over%s\n", v.Takeover.text())
	}
	if err == nil && v.Cluster != nil {
		err = s.printCluster(v.Cluster)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Dialects)) {
		if err == nil {
			err = s.printf("  %s: %s\n", name, dialectText(v.Dialects[name]))
		}
	}
	return err
}

// batchText says how long batches took, if there were any.
func (v *status) batchText() string {
	if v.Batches == 0 {
		return ""
	}
	t := v.BatchTime
	return fmt.Sprintf(": half within %s, 99 %% within %s, the longest %s", seconds(t.Median), seconds(t.P99), seconds(t.Longest))
}

// text says how often that was, if it was.
func (t *takeovers) text() string {
	if t.Count == 0 {
		return ""
	}
	return fmt.Sprintf(", as it has done %s, last at %s", versions.Count(t.Count, "time"), t.Last.Local().Format("2006-01-02 15:04:05"))
}

func transportText(t transport) string {
	switch {
	case t.Name == fs.RingTransport:
		return fmt.Sprintf("io_uring: %s of %s, %s at most", versions.Count(t.Entries, "entry", "entries"),
			humanize.IBytes(uint64(t.Largest)), humanize.IBytes(uint64(t.Memory)))
	case t.Reason != "":
		return "the device, not io_uring: " + t.Reason
	}
	return "the device"
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Microsecond)
}
