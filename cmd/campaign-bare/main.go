// Command campaign-bare compares a mount of clawfs with a bare directory, by the
// answers and files that real processes meet in each. scripts/campaign-bare builds it
// and says how it is used.
//
// It holds no test itself: each sub-command reads flags and calls its tester, a
// package below. exceptions has the table of the differences that are wanted. If it is
// started by the name of a program, it is the stand-in of that program in quick.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"clawfs/cmd/campaign-bare/quick"
)

// errDiffers says that a run has found differences. They are printed already.
var errDiffers = errors.New("the mount differs from a bare directory")

func main() {
	if slices.Contains(quick.Names, filepath.Base(os.Args[0])) {
		os.Exit(quick.Main(os.Args))
	}
	os.Exit(run())
}

func run() int {
	// All of these end a run in order: nothing stays mounted.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	root := &cobra.Command{
		Use:           "campaign-bare",
		Short:         "Compare a mount with a bare directory",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	var s settings
	flags := root.PersistentFlags()
	flags.StringVar(&s.clawfs, "clawfs", "clawfs", "the program under test")
	flags.StringVar(&s.semantics, "semantics", "docs/SEMANTICS.md", "the `FILE` with the table of exceptions")
	flags.StringVar(&s.dir, "dir", "", "where directories to mount are made (default where temporary files are)")
	flags.IntVar(&s.count, "count", 1000, "how many sequences, or calls")
	flags.Int64Var(&s.seed, "seed", 1, "the seed of the first sequence, or program")
	flags.StringVar(&s.transport, "transport", "device", "how the requests of mounts come: device or io_uring")
	// Each tester has its sub-command in a file of its own.
	root.AddCommand(newCommands(&s), newCalls(&s))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	return 1
}

// settings are the flags that the testers share.
type settings struct {
	clawfs, semantics, dir string
	transport              string
	count                  int
	seed                   int64
}

// mountFlags returns the flags of clawfs mount that the settings ask for.
func (s *settings) mountFlags() []string { return []string{"--transport", s.transport} }
