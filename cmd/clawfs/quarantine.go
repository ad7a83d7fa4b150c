package main

import (
	"cmp"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
)

func newQuarantineCommand(out streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "quarantine [flags] [FILE|DIR]",
		Short: "List the copies of refused and aborted content",
		Long: "quarantine lists the copies of content that programs wrote and clawfs did not commit, of a registry\n" +
			"or of all registries below a directory, the newest last. Each line starts with the id that show,\n" +
			"restore and forget take after --quarantined.",
		Args:        atMostOne("a file or a directory"),
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:     "  clawfs quarantine ~/.openclaw",
		RunE: func(_ *cobra.Command, args []string) error {
			return listQuarantine(first(args, "."), asJSON, out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// listQuarantine prints the copies in quarantine of a registry or of a directory.
func listQuarantine(path string, asJSON bool, out streams) error {
	p, err := versions.Locate(path)
	if err != nil {
		return err
	}
	dir, err := p.Look()
	if err != nil {
		return err
	}
	defer dir.Close()
	copies, err := p.Copies(dir)
	if err != nil {
		return err
	}
	for _, c := range copies {
		c.User = versions.UserName(c.UID)
		if asJSON {
			err = out.printRecordJSON(c, c.More)
		} else {
			err = out.printf("%s  %s  %-7s  %s  by %s\n    because: %s\n", c.ID, out.paintOut(red, fmt.Sprintf("%-8s", cmp.Or(c.Outcome, "?"))),
				humanize.IBytes(uint64(c.Size)), cmp.Or(c.Registry, "?"), c.Writer(), cmp.Or(c.Error, "not known"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
