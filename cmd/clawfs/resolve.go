package main

import (
	"errors"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
)

func newResolveCommand(out streams) *cobra.Command {
	var o planOptions
	var paths []string
	cmd := &cobra.Command{
		Use:   "resolve [flags] FILE@N",
		Short: "Decide conflicts of a version the other way",
		Long: "resolve puts the values in place that have lost the conflicts of version N, which log shows, and\n" +
			"leaves all else as it is now. It shows the result first; nothing is changed unless --yes says so. It\n" +
			"is a commit of its own, which can be undone.\n\n" +
			"Where a later version has changed the same place resolve refuses, and shows both changes, unless\n" +
			"--on-conflict decides between them.",
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse, exitRefused),
		Example:           "  clawfs resolve ~/.openclaw/openclaw.json@7",
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			t := versions.Target{}
			var err error
			if len(args) == 1 {
				t, err = locateVersion(args[0])
			}
			if err == nil && t.Seq == 0 {
				err = &usageError{Command: cmd.CommandPath(), Problem: errors.New("resolve wants one version, as FILE@N")}
			}
			if err != nil {
				return err
			}
			engine := newEngine()
			return carryOut(engine, func() (*versions.Plan, error) { return engine.Resolve(t, paths, o.winner()) }, &o, out)
		},
	}
	o.addTo(cmd)
	cmd.Flags().StringArrayVar(&paths, "at", nil, "only the conflict at `PATH`, as log shows it; repeatable")
	return cmd
}
