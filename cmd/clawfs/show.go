package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"clawfs/cmd/clawfs/versions"
)

func newShowCommand(out streams) *cobra.Command {
	var asJSON bool
	var id string
	cmd := &cobra.Command{
		Use:   "show [flags] FILE@N | --quarantined ID [DIR]",
		Short: "Print a version of a registry, or a copy in quarantine",
		Long: "show prints a version of a registry byte for byte: FILE@7 is version 7, FILE or FILE@head the\n" +
			"newest. With --quarantined it prints a copy of refused or aborted content.",
		Annotations: exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:     "  clawfs show ~/.openclaw/openclaw.json@3",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := find(cmd, args, id)
			switch {
			case err != nil:
				return err
			case asJSON:
				return out.printJSON(s)
			}
			return out.printContent(s.Content)
		},
	}
	cmd.Flags().StringVar(&id, "quarantined", "", "print the copy with this `ID` in the quarantine of DIR (.)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// find reads the version FILE@N that the only argument names, or the copy with
// an id in the quarantine of the directory that it names.
func find(cmd *cobra.Command, args []string, id string) (*versions.Content, error) {
	if id != "" && len(args) <= 1 {
		p, err := versions.Locate(first(args, "."))
		if err != nil {
			return nil, err
		}
		return p.ReadCopy(id)
	}
	if len(args) != 1 {
		return nil, &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s wants one version, as FILE@N", cmd.Name())}
	}
	t, err := locateVersion(args[0])
	if err != nil {
		return nil, err
	}
	return t.Read()
}
