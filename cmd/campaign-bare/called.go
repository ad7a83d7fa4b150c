package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"clawfs/cmd/campaign-bare/calls"
	"clawfs/cmd/campaign-bare/exceptions"
)

// newCalls is the sub-command of the tester of system calls.
func newCalls(s *settings) *cobra.Command {
	var control bool
	o := calls.Options{Out: os.Stdout}
	cmd := &cobra.Command{
		Use:   "calls",
		Short: "Make random system calls, on a mount and in a bare directory",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Clawfs, err = filepath.Abs(s.clawfs); err != nil {
				return err
			}
			o.Flags = s.mountFlags()
			switch {
			case control:
				o.Clawfs = ""
			case o.Plain:
				o.Flags = append(o.Flags, "--registry", "*.none")
			}
			o.Count, o.Seed = s.count, s.seed
			if o.Exceptions, err = exceptions.Open(s.semantics, exceptions.Calls, calls.Predicates()); err != nil {
				return err
			}
			if o.Dir, err = os.MkdirTemp(s.dir, "clawfs-calls-"); err != nil {
				return err
			}
			defer os.RemoveAll(o.Dir)
			return calls.Run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Workers, "workers", 2, "mounts at once")
	flags.IntVar(&o.Avoid, "avoid", 0, "after how many differences of a sort its calls are made no more, 0 for never")
	flags.BoolVar(&control, "control", false, "compare a bare directory with another one: nothing may differ")
	flags.BoolVar(&o.Plain, "plain", false, "mount with no name a registry: nothing may differ")
	flags.StringVar(&o.Replay, "replay", "", "run the program in a `FILE`")
	flags.StringVar(&o.Save, "save", "", "write a shrunk program for each kind into a `DIRECTORY`")
	flags.StringVar(&o.Only, "only", "", "with --save: only kinds that match a `REGEXP`")
	return cmd
}
