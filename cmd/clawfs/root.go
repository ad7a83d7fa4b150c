package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"clawfs/fs/mountpoint"
)

// usageTemplate ends with an example that can be pasted; the exit status comes
// before it.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasAvailableSubCommands}} COMMAND{{end}}
{{- if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}
{{- if index .Annotations "exit"}}

Exit status:
{{index .Annotations "exit"}}{{end}}
{{- if .HasExample}}

Example:
{{.Example}}{{end}}
`

// newRootCommand returns the whole tree of commands, writing to out.
func newRootCommand(out streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "clawfs",
		Short: "Make the JSON files of a directory transactional",
		Long: "clawfs mounts a file system on a directory, in place. Programs keep writing their JSON files there\n" +
			"as they always did; concurrent changes are merged instead of lost, and nothing invalid or half\n" +
			"written is ever seen.",
		Example:                    "  clawfs mount ~/.openclaw\n  clawfs unmount ~/.openclaw",
		Args:                       cobra.ArbitraryArgs, // runs only without a known command
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetOut(out.stdout)
	root.SetErr(out.stderr)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{Command: cmd.CommandPath(), Problem: err}
	})
	root.AddCommand(newTellerCommand(), newSupervisorCommand(),
		newMountCommand(out), newUnmountCommand(out), newUpgradeCommand(out), newStatusCommand(out), newWatchCommand(out), newViewCommand(out), newClusterCommand(out), newSyncCommand(),
		newLogCommand(out), newShowCommand(out), newDiffCommand(out), newRestoreCommand(out), newUndoCommand(out), newResolveCommand(out), newPutCommand(out),
		newQuarantineCommand(out), newCheckCommand(out), newForgetCommand(out),
		newServiceCommand(out), newVersionCommand(out),
	)
	return root
}

func unknownCommand(root *cobra.Command, name string) error {
	err := fmt.Errorf("there is no command %q", name)
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return &usageError{Command: root.Name() + " " + near[0], Problem: err}
	}
	return &usageError{Command: root.Name(), Problem: err}
}

// oneDirectory accepts exactly one argument, which is not empty.
func oneDirectory(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s wants a directory", cmd.Name())}
	case len(args) > 1:
		return &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s takes one directory, not %d", cmd.Name(), len(args))}
	case args[0] == "":
		return &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s wants a directory, not an empty name", cmd.Name())}
	}
	return nil
}

// atMostOne accepts nothing or one argument, which is not empty.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 || len(args) == 1 && args[0] == "" {
			return &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s wants %s, or nothing", cmd.Name(), what)}
		}
		return nil
	}
}

// first returns the first argument, or none where there is no argument.
func first(args []string, none string) string {
	if len(args) == 0 {
		return none
	}
	return args[0]
}

// completeChoices has shells offer the words of flags that take one of a few, and
// directories as arguments.
func completeChoices(cmd *cobra.Command) {
	cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if c, ok := f.Value.(*choice); ok {
			// It fails only where a flag is not the command's.
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(c.allowed, cobra.ShellCompDirectiveNoFileComp))
		}
	})
}

// completeMounts has shells offer the directories that are mounted.
func completeMounts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	mounts, err := mountpoint.All()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var dirs []string
	for _, m := range mounts {
		dirs = append(dirs, m.Dir)
	}
	return dirs, cobra.ShellCompDirectiveNoFileComp
}

// noArguments accepts none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{Command: cmd.CommandPath(), Problem: fmt.Errorf("%s takes no argument", cmd.Name())}
	}
	return nil
}

// exitStatus is the part of a command's help that explains its exit codes.
func exitStatus(codes ...int) map[string]string {
	var b strings.Builder
	for i, c := range codes {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %d  %s", c, exitMeaning(c))
	}
	return map[string]string{"exit": b.String()}
}
