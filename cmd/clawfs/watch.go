package main

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
	"clawfs/fs/mountpoint"
	"clawfs/txn"
)

// watchBacklog is how many transactions a command that watches may be behind. Later events are
// not sent to it, since commits wait for nobody.
const watchBacklog = 1024

// watchers are the commands that watch a daemon.
type watchers struct {
	mu  sync.Mutex // guards all
	all map[chan versions.Record]struct{}
}

// Observe sends an event to the watchers.
func (w *watchers) Observe(e txn.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		return
	}
	r := newRecord(e, time.Now())
	for c := range w.all {
		select {
		case c <- r:
		default:
		}
	}
}

// follow sends the records of transactions to a command, until it is gone or ended is closed.
func (w *watchers) follow(c *conversation, ended <-chan struct{}) {
	records := make(chan versions.Record, watchBacklog)
	w.mu.Lock()
	if w.all == nil {
		w.all = make(map[chan versions.Record]struct{})
	}
	w.all[records] = struct{}{}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, records)
	}()
	for {
		select {
		case r := <-records:
			if c.send(r) != nil {
				return
			}
		case <-c.gone:
			return
		case <-ended:
			return
		}
	}
}

// newRecord tells of an event as a registry's log does, but for the merge base: the
// versions that it names are not known to a command that watches.
func newRecord(e txn.Event, now time.Time) versions.Record {
	r := versions.Record{Registry: e.Name, Record: txn.NewRecord(&e, now)}
	r.Base = nil
	return r
}

func newWatchCommand(out streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "watch [flags] [DIR]",
		Short: "Show transactions as they end",
		Long: "watch shows each transaction of a mounted directory as it ends, as log does, until it is interrupted\n" +
			"or the directory is unmounted.",
		Args:              atMostOne("a directory"),
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:           "  clawfs watch ~/.openclaw",
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := mountpoint.Find(first(args, "."))
			switch {
			case err != nil:
				return err
			case m.IsDead():
				return &versions.DeadError{Dir: m.Dir}
			case !m.IsClawfs():
				return notMounted(m)
			}
			return watch(m, asJSON, out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line, as log does")
	return cmd
}

// watch prints the records that the daemon of a mount sends.
func watch(m mountpoint.Point, asJSON bool, out streams) error {
	conn, err := ask(m, askWatch)
	if err != nil {
		return err
	}
	defer conn.Close()
	for lines := json.NewDecoder(conn); ; {
		var r versions.Record
		if err := lines.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r.User = versions.UserName(r.UID)
		if asJSON {
			err = out.printJSON(r)
		} else {
			err = out.printRecord(r, nil, false)
		}
		if err != nil {
			return err
		}
	}
}
