package main

import (
	"os"

	"github.com/spf13/cobra"

	"clawfs/fs"
)

// toucherName is the hidden command by which a daemon has watchers told of
// commits. It is a process of its own: see fs.Options.Toucher.
const toucherName = "tell-watchers"

func newToucherCommand() *cobra.Command {
	return &cobra.Command{
		Use:    toucherName,
		Hidden: true,
		RunE:   func(_ *cobra.Command, args []string) error { return fs.Touch(os.Stdin, os.Stdout, args) },
	}
}

// toucher is the command line of that process, nil where this program can't be
// found.
func toucher() []string {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{program, toucherName}
}
