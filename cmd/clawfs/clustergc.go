package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"clawfs/backing/cluster"
	"clawfs/cmd/clawfs/versions"
	"clawfs/fs/mountpoint"
)

// gcAnswer is the daemon's answer about a collection.
type gcAnswer struct {
	Chunks  int    `json:"chunks"`  // that stay
	Busy    int    `json:"busy"`    // of these, that a commit which is under way may have put
	Dropped int    `json:"dropped"` // that no version needs, nor will
	Error   string `json:"error,omitempty"`
}

func newClusterGCCommand(out streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "gc [flags] [DIR]",
		Short: "Remove data that no registry of a cluster needs any more",
		Long: "gc removes the pieces of large registries that no version needs: those of commits that have failed, or whose\n" +
			"host has died. It may run at any time, on any host of the cluster.",
		Args:              atMostOne("a directory"),
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:           "  clawfs cluster gc ~/.openclaw",
		RunE: func(cmd *cobra.Command, args []string) error {
			return collectClusters(args, asJSON, out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// collectClusters has the daemon of the mount on the directory that is given, or of all
// mounts, collect. The error is a *failure where nothing is shared.
func collectClusters(args []string, asJSON bool, out streams) error {
	mounts, err := mountsOf(args)
	if err != nil {
		return err
	}
	found := false
	for _, m := range mounts {
		if m.IsDead() {
			continue
		}
		var a gcAnswer
		switch err := askFor(m, askGC, &a); {
		case err != nil:
			return err
		case a.Error == errNotShared.Error():
			continue
		case a.Error != "":
			return fmt.Errorf("%s: %s", m.Dir, a.Error)
		}
		found = true
		if asJSON {
			err = out.printJSON(struct {
				Dir string `json:"dir"`
				gcAnswer
			}{m.Dir, a})
		} else {
			err = out.printf("%s\n  %s removed, %d stay\n", m.Dir, versions.Count(a.Dropped, "piece"), a.Chunks)
		}
		if err != nil {
			return err
		}
	}
	if !found {
		return notShared(args)
	}
	return nil
}

// errNotShared is a daemon's answer where its directory is in no cluster.
var errNotShared = errors.New("it is shared with nobody")

// notShared is the error where a command about clusters finds none.
func notShared(args []string) error {
	return &failure{Code: exitFailed, Message: fmt.Sprintf("nothing is shared of %s", first(args, "what is mounted")), Hint: "clawfs mount --help"}
}

// askFor asks the daemon of a mount for one object.
func askFor(m mountpoint.Point, request string, answer any) error {
	conn, err := ask(m, request)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := json.NewDecoder(conn).Decode(answer); err != nil {
		return &servedError{Dir: m.Dir} // an older version does not know the question
	}
	return nil
}

// answerGC is the daemon's side of cluster gc.
func (s *servedDir) answerGC(c *conversation) {
	if s.sharing == nil {
		_ = c.send(gcAnswer{Error: errNotShared.Error()})
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-c.gone:
		case <-s.ended:
		case <-ctx.Done():
		}
		cancel()
	}()
	done, err := s.sharing.Collect(ctx)
	_ = c.send(newGCAnswer(done, err))
}

func newGCAnswer(done cluster.Collected, err error) gcAnswer {
	a := gcAnswer{Chunks: done.Chunks, Busy: done.Busy, Dropped: done.Dropped}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}
