package main

import (
	"os"

	"github.com/spf13/cobra"

	"clawfs/fs"
)

// tellerName is the hidden command by which a daemon has watchers told of
// commits. It is a process of its own: see fs.Options.Teller.
const tellerName = "tell-watchers"

func newTellerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    tellerName,
		Hidden: true,
		RunE:   func(_ *cobra.Command, args []string) error { return fs.TellWatchers(os.Stdin, os.Stdout, args) },
	}
}

// teller is the command line of that process, nil where this program can't be
// found.
func teller() []string {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{program, tellerName}
}
