package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newClusterCommand(out streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Show the clusters that directories share registries with",
		Long: "cluster has commands for the clusters that directories share their registries with (mount\n" +
			"--cluster).",
		Args:        cobra.ArbitraryArgs,
		Annotations: exitStatus(exitDone, exitFailed, exitUsage),
		Example:     "  clawfs cluster status",
		RunE: func(cmd *cobra.Command, args []string) error {
			return &usageError{Command: cmd.CommandPath(), Problem: errors.New("cluster wants status or gc, and perhaps a directory")}
		},
	}
	var asJSON bool
	status := &cobra.Command{
		Use:   "status [flags] [DIR]",
		Short: "Show whether a cluster can be written, and whether this host is behind it",
		Long: "status shows, for the mount on a directory or for all mounts with a cluster, whether a majority of the\n" +
			"cluster's members answers, and how many registries here are behind. It fails where no majority answers.",
		Args:              atMostOne("a directory"),
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitProblems, exitNotMounted),
		Example:           "  clawfs cluster status --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return printClusters(cmd, args, asJSON, out)
		},
	}
	status.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	cmd.AddCommand(status, newClusterGCCommand(out))
	return cmd
}

// printClusters prints the cluster of the mount on the directory that is given, or of all
// mounts. The error is a *failure where there is none, and a *verdict where one can't be
// written.
func printClusters(cmd *cobra.Command, args []string, asJSON bool, out streams) error {
	mounts, err := mountsOf(args)
	if err != nil {
		return err
	}
	found, reachable := false, true
	for _, m := range mounts {
		s := statusOf(cmd.Context(), m)
		if s.Cluster == nil {
			continue
		}
		found, reachable = true, reachable && s.Cluster.Reachable
		if asJSON {
			err = out.printJSON(struct {
				Dir string `json:"dir"`
				*clusterStatus
			}{s.Dir, s.Cluster})
		} else if err = out.printf("%s\n", s.Dir); err == nil {
			err = out.printCluster(s.Cluster)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case !found:
		return notShared(args)
	case !reachable:
		return &verdict{exitProblems}
	}
	return nil
}
