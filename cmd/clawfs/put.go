package main

import (
	"errors"
	"io"
	iofs "io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"clawfs/cmd/clawfs/versions"
	"clawfs/fs/mountpoint"
)

// putLimit bounds the input of put, in bytes: no registry is nearly as large.
const putLimit = 1 << 30

func newPutCommand(out streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "put [flags] FILE",
		Short: "Replace the content of a registry outright",
		Long: "put replaces the content of a registry by its standard input, byte for byte. Nothing is merged, and\n" +
			"no policy applies: entries that others have added go, and stay in the history. It makes the registry\n" +
			"if there is none. Programs keep the views that they have: content that they save later is merged\n" +
			"with the content that was put. It works the same whether the directory is mounted or not.",
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted, exitInUse, exitRefused),
		Example:           "  echo '{}' | clawfs put ~/.openclaw/openclaw.json",
		ValidArgsFunction: completeFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return &usageError{Command: cmd.CommandPath(), Problem: errors.New("put wants one registry, and its content on standard input")}
			}
			return put(args[0], os.Stdin, asJSON, out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the commit as a JSON object, as log does")
	return cmd
}

// completeFile has shells offer files for the only argument.
func completeFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// put makes all that it reads from a file the content of a registry.
func put(path string, from *os.File, asJSON bool, out streams) error {
	p, err := locateFile(path)
	if err != nil {
		return err
	}
	parent := filepath.Dir(p.Path())
	if info, err := os.Stat(parent); errors.Is(err, iofs.ErrNotExist) {
		return &mountpoint.MissingError{Path: parent}
	} else if err == nil && !info.IsDir() {
		return &mountpoint.NotDirectoryError{Path: parent}
	}
	if isTerminal(from) {
		out.talk("type what %s is to hold, then Ctrl-D", p.Path())
	}
	content, err := io.ReadAll(io.LimitReader(from, putLimit))
	switch {
	case err != nil:
		return err
	case len(content) == 0:
		return &failure{Code: exitRefused, Message: p.Path() + " was refused: there is nothing on standard input", Hint: "clawfs put FILE < content"}
	case len(content) == putLimit:
		return &versions.RefusedError{Path: p.Path(), Cause: unix.EFBIG}
	}
	if err := newEngine().Commit(&versions.Commit{Place: p, Content: content, Put: true}); err != nil {
		return err
	}
	return tell(p, "put", asJSON, out)
}
