package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
	"clawfs/fs/mountpoint"
)

// syncAnswer is the daemon's answer about a registry that was to catch up with all hosts.
type syncAnswer struct {
	Error string `json:"error,omitempty"`
}

func newSyncCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sync FILE…",
		Short: "Wait until registries here are as new as on any host",
		Long: "sync returns once each registry shows, on this host, every commit that any host of the cluster was\n" +
			"told of before. Without mount --cluster, or of a file that is no registry, it has nothing to wait\n" +
			"for.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:     "  clawfs sync ~/.openclaw/models.json && jq . ~/.openclaw/models.json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{Command: cmd.CommandPath(), Problem: errors.New("sync wants registries")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, arg := range args {
				if err := syncFile(arg); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// syncFile has the daemon of its mount sync a registry.
func syncFile(file string) error {
	p, err := versions.Locate(file)
	if err != nil {
		return err
	}
	m, err := mountpoint.Find(p.Root)
	switch {
	case err != nil:
		return err
	case m.IsDead():
		return &versions.DeadError{Dir: p.Root}
	case !m.IsClawfs():
		return &notMountedError{Dir: p.Root}
	}
	var a syncAnswer
	if err := askFor(m, askSync+" "+p.Name, &a); err != nil {
		return err
	}
	if a.Error != "" {
		return fmt.Errorf("%s may not be what other hosts have: %s", file, a.Error)
	}
	return nil
}

// answerSync is the daemon's side of sync.
func (s *servedDir) answerSync(c *conversation) {
	var a syncAnswer
	if err := s.catchUp(c.argument); err != nil {
		a.Error = err.Error()
	}
	_ = c.send(a)
}

// catchUp returns once a registry has caught up with all hosts.
func (s *servedDir) catchUp(name string) error {
	if s.sharing == nil || !s.patterns.Registry(name) {
		return nil
	}
	return s.store.CatchUp(name)
}
